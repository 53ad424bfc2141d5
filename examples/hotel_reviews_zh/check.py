"""The answers to questions.sql, computed from the files without Voxhouse: python3 check.py FOLDER"""

import csv
import os
import sys
from collections import defaultdict


def rows(folder, name):
    with open(os.path.join(folder, name), newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def show(title, groups, order):
    for name in order:
        scores = [s for s in groups[name] if s is not None]
        print(f"{title} {name}: mean {sum(scores) / len(scores):.4f}, scored {len(scores)}, reviews {len(groups[name])}")


def main(folder):
    reviews = rows(folder, "ctrip_homestay.csv")
    hotels = {h["name"]: float(h["price"]) for h in rows(folder, "hotels_geo_price.csv")}
    for r in reviews:
        r["score"] = None if r["user_score"] == "信息不存在" else float(r["user_score"])
    texts = {r["content"] for r in reviews}
    scored = sum(r["score"] is not None for r in reviews)
    print(f"reviews {len(reviews)}, scored {scored}, repeated texts {len(reviews) - len(texts)}, hotels {len(hotels)}")

    sites, prices, names = defaultdict(list), defaultdict(list), defaultdict(list)
    for r in reviews:
        site = {"去哪儿网用户": "qunar", "艺龙网用户": "elong"}.get(r["user_name"], "ctrip")
        sites[site].append(r["score"])
        names[r["hotel_name"]].append(r["score"])
        price = hotels.get(r["hotel_name"])
        if price is not None:
            prices["below 100" if price < 100 else "100 to 199" if price < 200 else "200 and above"].append(r["score"])
    for site in sorted(sites):
        known = [s for s in sites[site] if s is not None]
        mean = f"{sum(known) / len(known):.4f}" if known else "undefined"
        print(f"site {site}: mean {mean}, scored {len(known)}, reviews {len(sites[site])}")
    show("price", prices, ["below 100", "100 to 199", "200 and above"])

    def mean_of(name):
        known = [s for s in names[name] if s is not None]
        return sum(known) / len(known) if len(known) >= 30 else -1.0

    show("hotel", names, sorted(names, key=mean_of, reverse=True)[:5])


if __name__ == "__main__":
    main(sys.argv[1])
