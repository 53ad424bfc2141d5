"""Intervals of rates (Wilson) and of their differences (Newcombe) by statsmodels 0.15.0.

Run: python pain.py
"""
import random

from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

random.seed(3)
with open("pain.csv", "w") as out:
    print("conf,reached,dropped,with_hits,with_n,without_hits,without_n,drop_low,drop_high,impact_low,impact_high", file=out)
    for conf in (0.8, 0.95, 0.99):
        for _ in range(30):
            reached, with_n, without_n = (random.randint(1, size) for size in (1000, 60, 400))
            dropped, with_hits, without_hits = (random.randint(0, n) for n in (reached, with_n, without_n))
            drop = proportion_confint(dropped, reached, 1 - conf, method="wilson")
            impact = confint_proportions_2indep(without_hits, without_n, with_hits, with_n, compare="diff", method="newcomb", alpha=1 - conf)
            print(conf, reached, dropped, with_hits, with_n, without_hits, without_n, *(f"{end:.12f}" for end in (*drop, *impact)), sep=",", file=out)
for hits, n in ((2, 3), (1, 3)):
    print(hits, n, proportion_confint(hits, n, method="wilson"))
