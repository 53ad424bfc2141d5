"""The answers to questions.sql, computed from the files without Voxhouse: python3 check.py FOLDER"""

import csv
import os
import sys
from collections import defaultdict
from datetime import datetime, timedelta
from statistics import mean, median

DAY = timedelta(days=1)


def rows(folder, name):
    with open(os.path.join(folder, name), newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def time(text):
    return datetime.strptime(text.strip().replace("/", "-"), "%Y-%m-%d %H:%M:%S")


def main(folder):
    replies, votes = rows(folder, "messages_replies.csv"), rows(folder, "messages_votes.csv")
    print(f"answered {len(replies)}, voted {len(votes)}, cases {len(replies)}")

    written = defaultdict(list)
    for row in replies + votes:
        written[row["留言用户"].strip()].append(time(row["留言时间"]))
    counts = [len(times) for times in written.values()]
    print(f"people {len(counts)}, wrote again {sum(n > 1 for n in counts)}, most {max(counts)}")

    days = [(time(r["答复时间"]) - time(r["留言时间"])) / DAY for r in replies]
    print(f"mean days {mean(days):.4f}, median days {median(days):.4f}, over 30 days {sum(d > 30 for d in days)}")

    until = max(max(times) for times in written.values())
    first = {}
    for r in sorted(replies, key=lambda r: (time(r["留言时间"]), r["留言编号"])):
        first.setdefault(r["留言用户"].strip(), r)
    groups = defaultdict(list)
    for who, r in first.items():
        opened, answered = time(r["留言时间"]), time(r["答复时间"])
        if answered + 90 * DAY <= until:
            again = any(answered < at <= answered + 90 * DAY for at in written[who])
            groups["over 15 days" if answered > opened + 15 * DAY else "within 15 days"].append(again)
    for name, group in sorted(groups.items()):
        print(f"{name}: wrote again {mean(group):.4f}, people {len(group)}")


if __name__ == "__main__":
    main(sys.argv[1])
