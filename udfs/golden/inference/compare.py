"""Golden numbers of inference::compare and inference::distribution by scipy and statsmodels."""
import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.stats.contingency import odds_ratio
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from splitmix import Generator, write

rows = []
for z in (0.1, 1.0, 1.96, 5.0, 12.0, 37.0):
    rows.append((f"normal_{z}", 2 * stats.norm.sf(z)))
for t, df in ((0.5, 1), (2.0, 3.7), (4.0, 30), (10.0, 400), (2.5, 1e6), (30.0, 12)):
    rows.append((f"t_{t}_{df}", 2 * stats.t.sf(t, df)))
for x, df in ((0.3, 1), (3.84, 1), (20.0, 4), (150.0, 100), (900.0, 6)):
    rows.append((f"chi2_{x}_{df}", stats.chi2.sf(x, df)))
for x, df, nc in ((3.0, 1, 2.0), (20.0, 4, 11.0), (500.0, 9, 430.0)):
    rows.append((f"ncx2_{x}_{df}_{nc}", stats.ncx2.cdf(x, df, nc)))

g = Generator(1)
a = np.array([3 + 2 * g.normal() for _ in range(40)])
b = np.array([2 + 0.7 * g.normal() for _ in range(25)])
w = stats.ttest_ind(a, b, equal_var=False)
ci = w.confidence_interval(0.95)
rows += [("welch_t", w.statistic), ("welch_df", w.df), ("welch_p", w.pvalue), ("welch_lo", ci.low), ("welch_hi", ci.high)]

g = Generator(2)
a = np.array([g.below(11) for _ in range(300)])
b = np.array([min(10, g.below(11) + g.below(2)) for _ in range(220)])
u = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=True)
rows += [("u", u.statistic), ("u_p", u.pvalue)]
# Method 5 of Newcombe by another root finder.
theta, n1, n2, z = u.statistic / (300 * 220), 300, 220, stats.norm.ppf(0.975)
ns = (n1 + n2) / 2 - 1
var = lambda t: t * (1 - t) * (1 + ns * (1 - t) / (2 - t) + ns * t / (1 + t)) / (n1 * n2)
f = lambda t: (t - theta) ** 2 - z * z * var(t)
rows += [("u_lo", brentq(f, 1e-9, theta)), ("u_hi", brentq(f, theta, 1 - 1e-9))]

table = np.array([[30, 14, 9], [12, 25, 17]])
c = stats.chi2_contingency(table, correction=False)
n = table.sum()
rows += [("chi2", c.statistic), ("chi2_p", c.pvalue), ("v", np.sqrt(c.statistic / n)), ("min_expected", c.expected_freq.min())]
low = brentq(lambda l: stats.ncx2.cdf(c.statistic, 2, l) - 0.975, 1e-9, 100)
high = brentq(lambda l: stats.ncx2.cdf(c.statistic, 2, l) - 0.025, 1e-9, 200)
rows += [("v_lo", np.sqrt(low / n)), ("v_hi", np.sqrt(high / n))]

for name, t in (("small", [[8, 2], [1, 5]]), ("large", [[1200, 1100], [900, 1300]]), ("zero", [[7, 0], [3, 4]])):
    p = stats.fisher_exact(t).pvalue
    o = odds_ratio(np.array(t), kind="conditional")
    ci = o.confidence_interval(0.95)
    rows += [(f"fisher_{name}_p", p), (f"fisher_{name}_or", o.statistic), (f"fisher_{name}_lo", ci.low), (f"fisher_{name}_hi", ci.high)]

z, p = proportions_ztest([45, 30], [120, 130])
lo, hi = confint_proportions_2indep(45, 120, 30, 130, method="newcomb", compare="diff")
rows += [("prop_z", z), ("prop_p", p), ("prop_lo", lo), ("prop_hi", hi)]

ps = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04]
for name, method in (("bonferroni", "bonferroni"), ("holm", "holm"), ("bh", "fdr_bh")):
    for i, q in enumerate(multipletests(ps, method=method)[1]):
        rows.append((f"{name}_{i}", q))
write("compare.csv", rows)
