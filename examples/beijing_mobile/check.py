"""The answers to questions.sql by numpy and statsmodels: python3 check.py FOLDER > expected.csv"""

import csv
import itertools
import math
import sys

import numpy
import pandas
import statsmodels.api
from statsmodels.stats.proportion import proportion_confint

from to_csv import table

PROBLEMS = ["手机没有信号", "有信号无法拨通", "通话过程中突然中断", "通话中有杂音、听不清、断断续续", "串线", "通话过程中一方听不见"]
NAMES = ["no_signal", "cannot_dial", "cut_off", "noise", "crossed_lines", "one_way"]


def relative_weights(outcome, drivers):
    """Johnson (2000)."""
    correlations = numpy.corrcoef(numpy.column_stack([outcome, drivers]).T)
    values, vectors = numpy.linalg.eigh(correlations[1:, 1:])
    root = vectors @ numpy.diag(numpy.sqrt(values)) @ vectors.T
    return root**2 @ numpy.linalg.solve(root, correlations[1:, 0]) ** 2


def shapley(outcome, drivers):
    """Lindeman, Merenda and Gold (1980)."""
    correlations = numpy.corrcoef(numpy.column_stack([outcome, drivers]).T)
    count = drivers.shape[1]

    def r_squared(subset):
        if not subset:
            return 0.0
        places = [place + 1 for place in subset]
        r = correlations[places, 0]
        return r @ numpy.linalg.solve(correlations[numpy.ix_(places, places)], r)

    shares = numpy.zeros(count)
    for driver in range(count):
        others = [other for other in range(count) if other != driver]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            for subset in itertools.combinations(others, size):
                shares[driver] += weight * (r_squared([*subset, driver]) - r_squared(subset))
    return shares


def main(folder):
    names, customers = table(folder)
    data = pandas.DataFrame(customers, columns=names)
    number = lambda name: data[name].astype(float).to_numpy()
    overall = number("语音通话整体满意度")
    out = csv.writer(sys.stdout, lineterminator="\n")
    best = int((overall >= 9).sum())
    low, high = proportion_confint(best, len(overall), method="wilson")
    out.writerow(["satisfied", len(overall), round(overall.mean(), 4), *(round(100 * share, 4) for share in (best / len(overall), low, high))])

    parts = numpy.column_stack([number(name) for name in ("网络覆盖与信号强度", "语音通话清晰度", "语音通话稳定性")])
    for name, weight in sorted(zip(("coverage", "clarity", "stability"), relative_weights(overall, parts)), key=lambda row: -row[1]):
        out.writerow(["parts", name, round(weight, 6)])

    met = number("是否遇到过网络问题") == 1
    for name, group in (("f", ~met), ("t", met)):
        out.writerow(["problem", name, round(overall[group].mean(), 4), int(group.sum())])

    ticked = numpy.column_stack([number(name) != -1 for name in PROBLEMS]).astype(float)
    for name, share in sorted(zip(NAMES, shapley(overall, ticked)), key=lambda row: -row[1]):
        out.writerow(["problems", name, round(share, 6)])

    complained = (number("家宽投诉") + number("资费投诉") > 0).astype(float)
    columns = numpy.column_stack([ticked, number("未接通掉话次数"), complained])
    fit = statsmodels.api.OLS(overall, statsmodels.api.add_constant(columns)).fit(cov_type="HC3", use_t=True)
    for name, estimate, error in zip(["(intercept)", *NAMES, "failed_calls", "complained"], fit.params, fit.bse):
        out.writerow(["points", name, round(estimate, 6), round(error, 6)])


main(sys.argv[1])
