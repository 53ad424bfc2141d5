"""Text functions over the verbatims of the demo: words a second, ours in SQL and jieba's in Python."""

import json

from voxhouse import Voxhouse

PEOPLE = 20_000
WORK = {
    "tokenize": "SELECT count(*), sum(array_length(tokenize(comment), 1)) FROM x.feedback WHERE comment IS NOT NULL",
    "keywords": "SELECT count(*), sum(array_length(keywords(comment, 5), 1)) FROM x.feedback WHERE comment IS NOT NULL",
    # jieba has none.
    "sentiment": "SELECT count(*), sum(sentiment(comment)) FROM x.feedback WHERE comment IS NOT NULL",
}


def measure(context):
    context.say("text functions on the demo's verbatims")
    voxhouse = Voxhouse(context.binary, context.work / "demo")
    marker = context.work / "demo.json"
    wanted = {"binary": context.binary.stat().st_mtime_ns, "people": PEOPLE}
    if not marker.exists() or json.loads(marker.read_text()) != wanted:
        voxhouse.remove()
        voxhouse.command("demo", "--no-serve", "--people", str(PEOPLE))
        marker.write_text(json.dumps(wanted))
    texts_file = context.work / "texts.json"
    with voxhouse, voxhouse.connect() as connection, context.worker("jieba") as jieba:
        texts = [row[0] for row in
                 connection.execute("SELECT comment FROM x.feedback WHERE comment IS NOT NULL").fetchall()]
        texts_file.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
        jieba.measure(work="read", file=str(texts_file))
        found = {"texts": len(texts), "characters": sum(map(len, texts)), "work": {}}
        for name, sql in WORK.items():
            context.say(f"  {name}, {len(texts)} texts")
            systems = {"voxhouse": lambda _turn: voxhouse.measure(connection, sql)}
            if name != "sentiment":
                systems = {"jieba": lambda _turn: jieba.measure(work=name), **systems}
            series = context.in_turns(systems, warm_up=1)
            found["work"][name] = {system: one.summary() for system, one in series.items()}
    texts_file.unlink()
    context.record("texts", found)
