"""Golden numbers of inference::trend by scipy and pymannkendall."""
import numpy as np
import pymannkendall
from scipy import stats

from splitmix import Generator, write

rows = [(f"kolmogorov_{d}", stats.kstwobign.sf(d)) for d in (0.1, 0.5, 0.9, 1.36, 2.0, 3.5)]
g = Generator(31)
y = np.array([0.02 * i + g.normal() for i in range(80)])
ties = np.round(y)
for name, v in (("plain", y), ("ties", ties)):
    m = pymannkendall.original_test(v)
    slope = stats.theilslopes(v, np.arange(80), alpha=0.95)
    rows += [(f"{name}_s", m.s), (f"{name}_z", m.z), (f"{name}_p", m.p), (f"{name}_slope", slope.slope)]
    rows.append((f"{name}_tau", stats.kendalltau(np.arange(80), v).statistic))
# Ties in both: variance as scipy has it, through p without continuity correction.
t = np.array([i // 3 for i in range(60)], float)
v = np.array([float(g.below(6)) + i // 20 for i in range(60)])
k = stats.kendalltau(t, v, method="asymptotic")
rows += [("both_tau", k.statistic), ("both_p_plain", k.pvalue)]
write("trend.csv", rows)
