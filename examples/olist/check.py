"""The answers to questions.sql, computed from the Olist files without Voxhouse: python3 check.py FOLDER"""

import csv
import os
import sys
from collections import defaultdict
from datetime import datetime, timedelta

WINDOW = timedelta(days=90)


def rows(folder, name):
    path = os.path.join(folder, f"olist_{name}_dataset.csv")
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def time(text):
    return datetime.fromisoformat(text) if text else None


def show(title, *values):
    print(f"{title}: " + ", ".join(f"{v:.4f}" if isinstance(v, float) else str(v) for v in values))


def mean(values):
    return sum(values) / len(values)


def wilson(k, n, z=1.959963984540054):
    p, d = k / n, 1 + z * z / n
    half = z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return (p + z * z / (2 * n) - half) / d, (p + z * z / (2 * n) + half) / d


def main(folder):
    customers, orders, reviews = (rows(folder, n) for n in ("customers", "orders", "order_reviews"))
    payments, items, products = (rows(folder, n) for n in ("order_payments", "order_items", "products"))
    for name, table in (
        ("payments", payments), ("items", items), ("products", products),
        ("customers", customers), ("orders", orders), ("reviews", reviews),
    ):
        show(f"rows of {name}", len(table))

    person = {c["customer_id"]: c["customer_unique_id"] for c in customers}
    state = {c["customer_id"]: c["customer_state"] for c in customers}
    bought = defaultdict(list)
    for o in orders:
        o["person"] = person.get(o["customer_id"], o["customer_id"])
        o["at"] = time(o["order_purchase_timestamp"])
        o["arrived"] = time(o["order_delivered_customer_date"])
        o["late"] = bool(o["arrived"]) and o["arrived"] > time(o["order_estimated_delivery_date"])
        bought[o["person"]].append(o)
    show("persons, of them with several orders", len(bought), sum(len(b) > 1 for b in bought.values()))
    paid = defaultdict(float)
    for p in payments:
        paid[p["order_id"]] += float(p["payment_value"])
    show("revenue, cancelled orders left out", round(sum(
        paid[o["order_id"]] for o in orders if o["order_status"] != "canceled"), 2))

    by_id = {o["order_id"]: o for o in orders}
    for late in (True, False):
        scores = [
            float(r["review_score"]) for r in reviews
            if by_id[r["order_id"]]["arrived"] and by_id[r["order_id"]]["late"] == late
        ]
        show(f"mean score, n, {'late' if late else 'on time'}", mean(scores), len(scores))

    kept = [o for o in orders if o["order_status"] != "canceled"]
    until = max(o["at"] for o in kept)
    show("observed until", until)

    def later(who, after):
        return [o for o in bought[who] if o["order_status"] != "canceled" and after < o["at"] <= after + WINDOW]

    for late in (True, False):
        seen = [o for o in kept if o["arrived"] and o["arrived"] + WINDOW <= until and o["late"] == late]
        again = sum(bool(later(o["person"], o["arrived"])) for o in seen)
        show(f"repurchase share, n, {'late' if late else 'on time'}", again / len(seen), len(seen))

    states = defaultdict(list)
    for o in orders:
        if o["arrived"]:
            states[state[o["customer_id"]]].append(o["late"])
    worst = sorted(((mean(v), s, len(v)) for s, v in states.items() if len(v) >= 200), reverse=True)
    for share, name, n in worst[:5]:
        show(f"late share, n, {name}", share, n)

    first = {}
    for r in sorted(reviews, key=lambda r: (r["review_answer_timestamp"], r["review_id"] + ":" + r["order_id"])):
        first.setdefault(by_id[r["order_id"]]["person"], r)
    bands = defaultdict(lambda: [0, 0, 0])
    for who, r in first.items():
        score, at = int(r["review_score"]), time(r["review_answer_timestamp"])
        band = bands["low" if score < 3 else "high" if score > 3 else "middle"]
        if not any(o["order_status"] != "canceled" and o["at"] <= at for o in bought[who]):
            continue
        if at + WINDOW > until:
            band[2] += 1
        else:
            band[0] += 1
            band[1] += bool(later(who, at))
    for name in ("high", "middle", "low"):
        n, k, censored = bands[name]
        show(f"linkage {name}: n, repurchasers, rate, interval, censored", n, k, k / n, *wilson(k, n), censored)


if __name__ == "__main__":
    main(sys.argv[1])
