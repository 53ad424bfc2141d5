"""Answers of ClickHouse (chdb) to windowFunnel, sequenceMatch, sequenceCount and retention on random customers.

Times of one customer are all different: with equal times ClickHouse's answers depend on the order of rows or
count one event twice. Funnel events meet at most one condition for the same reason.

Run: python clickhouse.py   (chdb 4.4.0, ClickHouse 26.9.2.1)
"""
import itertools
import random

import chdb.session
import pyarrow as pa

random.seed(20)
session = chdb.session.Session()


def customers(number, longest, span, condition):
    rows = []
    for customer in range(number):
        for time in sorted(random.sample(range(span), random.randint(1, longest))):
            rows.append((customer, time, condition()))
    return rows


def ask(rows, select):
    """select by customer; a customer's conditions are c1..c4."""
    ids, times, conditions = zip(*rows)
    events = pa.table({"id": pa.array(ids, pa.uint64()), "t": pa.array(times, pa.uint64()), "c": pa.array(conditions, pa.uint64())})
    globals()["events"] = events
    bits = ", ".join(f"bitTest(c, {bit}) AS c{bit + 1}" for bit in range(4))
    sql = f"SELECT id, {select} AS answer FROM (SELECT id, t, {bits} FROM Python(events)) GROUP BY id ORDER BY id"
    return {int(line.split("\t")[0]): line.split("\t")[1] for line in session.query(sql, "TSV").data().splitlines()}


def text(rows, customer):
    return " ".join(f"{time}:{conditions}" for id, time, conditions in rows if id == customer)


def funnel():
    with open("funnel.csv", "w") as out:
        print("modes,steps,window,events,level", file=out)
        names = ["strict_deduplication", "strict_order", "strict_increase"]
        for chosen in itertools.chain.from_iterable(itertools.combinations(names, n) for n in range(4)):
            for steps in (1, 2, 3, 4):
                window = random.randint(2, 25)
                rows = customers(30, 12, 40, lambda: random.choice([0, 1, 1, 2, 2, 4, 8]) & ((1 << steps) - 1))
                conditions = ", ".join(f"c{step + 1}" for step in range(steps))
                options = "".join(f", '{name}'" for name in chosen)
                answers = ask(rows, f"windowFunnel({window}{options})(t, {conditions})")
                for customer, level in answers.items():
                    # ClickHouse gives 1 for a one-step funnel as soon as any row was stored, which it does
                    # only for rows that meet the step.
                    print("+".join(chosen), steps, window, text(rows, customer), level, sep=",", file=out)


PATTERNS = [
    "(?1)", "(?1)(?2)", "(?1).*(?2)", "(?1)(?2).*(?3)", ".(?2)", "(?1).(?3)", "(?1)(?1)", "(?1).*(?1).*(?1)",
    "(?1)(?t<=6)(?2)", "(?1)(?t<6)(?2)", "(?1)(?t>=6)(?2)", "(?1)(?t>6)(?2)", "(?1)(?t==4)(?2)",
    "(?1)(?t<=6)(?2).*(?3)", "(?1)(?t>=3)(?2)(?t<=5)(?3)", "(?1).*(?2)(?t<=9)(?1)", "(?2)(?t<3).(?t>4)(?1)",
    "(?1)..(?2)", ".*(?4)(?3)", "(?1)(?t>=4)(?1)(?t>=4)(?1)",
]


def sequence():
    with open("sequence.csv", "w") as out:
        print("pattern,events,matches,count", file=out)
        for pattern in PATTERNS:
            rows = customers(40, 16, 40, lambda: random.choice([0, 1, 1, 2, 2, 3, 4, 8, 6]))
            found = ask(rows, f"sequenceMatch('{pattern}')(t, c1, c2, c3, c4)")
            counts = ask(rows, f"sequenceCount('{pattern}')(t, c1, c2, c3, c4)")
            for customer, matches in found.items():
                print(pattern, text(rows, customer), matches, counts[customer], sep=",", file=out)


def retention():
    with open("retention.csv", "w") as out:
        print("events,answer", file=out)
        rows = customers(60, 4, 40, lambda: random.choice([0, 1, 2, 3, 4, 8, 6]))
        for customer, answer in ask(rows, "retention(c1, c2, c3, c4)").items():
            print(text(rows, customer), answer.strip("[]").replace(",", ""), sep=",", file=out)


funnel()
sequence()
retention()
