"""Aspect-term F1 of a conditional random field of sklearn-crfsuite on the trainer's own split.

usage: crf_baseline.py SPLIT.tsv   (fold, source, text, spans; written by the trainer with dump=)
"""
import sys
import jieba.posseg as pseg
import sklearn_crfsuite

rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[1], encoding="utf8")]
names = ["restaurants", "camera", "car", "notebook", "phone", "mooc"]


def features(text):
    words = [(w, t) for w, t in pseg.lcut(text)]
    per = []
    for k, (w, t) in enumerate(words):
        before = words[k - 1] if k else ("<", "<")
        after = words[k + 1] if k + 1 < len(words) else (">", ">")
        for j in range(len(w)):
            place = "S" if len(w) == 1 else "B" if j == 0 else "E" if j + 1 == len(w) else "M"
            per.append((w, t, place, before, after))
    per = per[: len(text)] + [("", "", "S", ("", ""), ("", ""))] * (len(text) - len(per))
    pad = "^^^" + text + "$$$"
    out = []
    for i in range(len(text)):
        p = i + 3
        w, t, place, b, a = per[i]
        f = [f"c{d}={pad[p + d]}" for d in range(-3, 4)]
        f += [f"b{d}={pad[p + d]}{pad[p + d + 1]}" for d in range(-2, 2)]
        f += [f"t{d}={pad[p + d:p + d + 3]}" for d in range(-2, 1)]
        f += [f"w={w}", f"pos={t}", f"place={place}", f"pp={t}{place}", f"wb={b[0]}", f"wa={a[0]}",
              f"pb={b[1]}", f"pa={a[1]}", f"pbp={b[1]}|{t}", f"ppa={t}|{a[1]}", f"wbw={b[0]}|{w}", f"wwa={w}|{a[0]}"]
        out.append(f)
    return out


def labels(text, spans):
    out = ["O"] * len(text)
    for s, e in spans:
        if all(x == "O" for x in out[s:e]):
            out[s:e] = ["B"] + ["I"] * (e - s - 1)
    return out


def parse(cell):
    return [tuple(map(int, s.split(","))) for s in cell.split(";") if s]


train = [r for r in rows if r[0] != "0" and r[1] != "5"]
test = [r for r in rows if r[0] == "0" and r[1] != "5"]
crf = sklearn_crfsuite.CRF(algorithm="lbfgs", c1=0.05, c2=0.05, max_iterations=80)
crf.fit([features(r[2]) for r in train], [labels(r[2], parse(r[3])) for r in train])
tally = {}
for r in test:
    y = crf.predict_single(features(r[2]))
    got, start = set(), None
    for i, tag in enumerate(y + ["O"]):
        if tag != "I" and start is not None:
            got.add((start, i))
            start = None
        if tag == "B":
            start = i
    gold = set(parse(r[3]))
    t = tally.setdefault(int(r[1]), [0, 0, 0])
    t[0] += len(got & gold)
    t[1] += len(got)
    t[2] += len(gold)
print("source,precision,recall,f1,n")
for k, (h, p, g) in sorted(tally.items()):
    print(f"{names[k]},{h / p:.3f},{h / g:.3f},{2 * h / (p + g):.3f},{g}")
