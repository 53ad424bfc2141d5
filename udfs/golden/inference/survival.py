"""Golden numbers of inference::survival by lifelines; robust and tied cases by lifelines too."""
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test, multivariate_logrank_test, proportional_hazard_test
from lifelines.utils import concordance_index

from splitmix import Generator, write

rows = []


def robust_errors(d, m):
    """Sandwich errors by row and by cluster of Efron's score residuals, by plain loops (lifelines' ignore ties)."""
    x, t, e = d[["a", "b", "c"]].values, d.t.values, d.e.values
    r = np.exp(x @ m.params_.values)
    s = np.zeros_like(x)
    for time in np.unique(t[e == 1]):
        risk, dead = t >= time, (t == time) & (e == 1)
        n = dead.sum()
        for part in range(n):
            w = r * (risk - part / n * dead)
            mean = w @ x / w.sum()
            s += dead[:, None] * (x - mean) / n - w[:, None] * (x - mean) / w.sum()
    v = m.variance_matrix_.values
    se = lambda u: np.sqrt(np.diag(v @ (u.T @ u) @ v))
    return se(s), se(pd.DataFrame(s).groupby(d.g.values).sum().values)


def sample(seed, n, ties):
    """Durations with three covariates: whole numbers when ties, and one unit in four censored."""
    g = Generator(seed)
    out = []
    for i in range(n):
        x = [g.normal(), float(g.below(2)), g.uniform() * 10]
        rate = np.exp(0.5 * x[0] - 0.7 * x[1] + 0.05 * x[2])
        t = -np.log(g.uniform()) / rate * 8
        c = g.uniform() * 30
        time, event = min(t, c), t <= c
        out.append([np.floor(time) + 1 if ties else time, int(event)] + x + [i // 3])
    return pd.DataFrame(out, columns=["t", "e", "a", "b", "c", "g"])


d = sample(11, 300, True)
k = KaplanMeierFitter().fit(d.t, d.e)
s, ci = k.survival_function_.iloc[:, 0], k.confidence_interval_
for t in (1.0, 3.0, 8.0, 15.0):
    rows += [(f"km_{t}", s.loc[t]), (f"km_lo_{t}", ci.iloc[:, 0].loc[t]), (f"km_hi_{t}", ci.iloc[:, 1].loc[t])]
rows.append(("km_median", k.median_survival_time_))
x, y = d[d.b == 0], d[d.b == 1]
lr = logrank_test(x.t, y.t, x.e, y.e)
rows += [("lr2", lr.test_statistic), ("lr2_p", lr.p_value)]
d["q"] = d.index % 4
lr = multivariate_logrank_test(d.t, d.q, d.e)
rows += [("lr4", lr.test_statistic), ("lr4_p", lr.p_value)]
d = d.drop(columns="q")

for name, data in (("tied", d), ("untied", sample(12, 250, False))):
    m = CoxPHFitter().fit(data.drop(columns="g"), "t", "e", fit_options={"precision": 1e-12})
    for v in "abc":
        rows += [(f"{name}_{v}", m.params_[v]), (f"{name}_{v}_se", m.standard_errors_[v]), (f"{name}_{v}_p", m.summary.p[v])]
    rows += [(f"{name}_ll", m.log_likelihood_), (f"{name}_lr", m.log_likelihood_ratio_test().test_statistic)]
    rows.append((f"{name}_concordance", concordance_index(data.t, -m.predict_partial_hazard(data), data.e)))
    robust, clustered = robust_errors(data, m)
    for i, v in enumerate("abc"):
        rows += [(f"{name}_{v}_robust", robust[i]), (f"{name}_{v}_cluster", clustered[i])]
    if name == "untied":
        r = CoxPHFitter().fit(data, "t", "e", cluster_col="g", fit_options={"precision": 1e-12})
        assert np.allclose(clustered, r.standard_errors_, rtol=1e-6)
    if name == "untied":
        ph = proportional_hazard_test(m, data.drop(columns="g"), time_transform="rank")
        for v in "abc":
            rows += [(f"{name}_{v}_ph", ph.summary.test_statistic[v]), (f"{name}_{v}_ph_p", ph.summary.p[v])]
write("survival.csv", rows)
