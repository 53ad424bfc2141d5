"""Golden numbers of inference::causal and inference::mediation by statsmodels, numpy and diff-diff."""
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from diff_diff import CallawaySantAnna

from splitmix import Generator, write

warnings.simplefilter("ignore")
rows = []

# Two groups and two periods, customers seen once or more in each.
g = Generator(41)
out = []
for i in range(400):
    unit = g.below(60)
    treated, post = unit % 2, g.below(2)
    out.append((3 + treated + 0.5 * post + 0.8 * treated * post + 0.6 * (unit % 7) / 7 + g.normal(), treated, post, unit))
d = pd.DataFrame(out, columns=["y", "t", "p", "u"])
m = smf.ols("y~t*p", d).fit()
c = m.get_robustcov_results("cluster", groups=d.u, use_t=True)
rows += [("did", m.params["t:p"]), ("did_se", m.bse["t:p"]), ("did_p", m.pvalues["t:p"]), ("did_cluster", c.bse[3]), ("did_cluster_p", c.pvalues[3])]


def panel(seed, units, periods, holes):
    """Units first treated in period 4 or 6 or never; effect grows by half a period."""
    g = Generator(seed)
    out = []
    for u in range(units):
        start = (4, 6, None)[u % 3]
        level = g.normal()
        for t in range(1, periods + 1):
            gone = holes and g.below(6) == 0
            effect = 1.0 + 0.5 * (t - start) if start and t >= start else 0.0
            y = level + 0.3 * t + effect + 0.5 * g.normal()
            if not gone:
                out.append((u, t, y, start or 0))
    return pd.DataFrame(out, columns=["u", "t", "y", "start"])


def within(d, columns, name, extra=()):
    """OLS with dummies, errors clustered by unit, units not counted as parameters."""
    X = pd.concat([columns, pd.get_dummies(d.t, drop_first=True, dtype=float).add_prefix("t"), pd.get_dummies(d.u, dtype=float).add_prefix("u")], axis=1)
    m = sm.OLS(d.y, X).fit()
    k = columns.shape[1]
    n, G = len(d), d.u.nunique()
    XtX = np.linalg.inv(X.values.T @ X.values)
    s = pd.DataFrame(X.values * m.resid.values[:, None]).groupby(d.u.values).sum().values
    V = XtX @ (s.T @ s) @ XtX * G / (G - 1) * (n - 1) / (n - k - d.t.nunique())
    return m.params.values[:k], V[:k, :k]


for name, holes in (("full", False), ("holes", True)):
    d = panel(42, 45, 8, holes)
    treated = ((d.start > 0) & (d.t >= d.start)).astype(float).to_frame("d")
    b, V = within(d, treated, name)
    rows += [(f"twfe_{name}", b[0]), (f"twfe_{name}_se", np.sqrt(V[0, 0]))]
    k = np.where(d.start > 0, np.clip(d.t - d.start, -3, 2), 99)
    ks = [x for x in (-3, -2, 0, 1, 2)]
    b, V = within(d, pd.DataFrame({f"k{x}": (k == x).astype(float) for x in ks}), name)
    for i, x in enumerate(ks):
        rows += [(f"event_{name}_{x}", b[i]), (f"event_{name}_{x}_se", np.sqrt(V[i, i]))]
    rows.append((f"pre_{name}", b[:2] @ np.linalg.inv(V[:2, :2]) @ b[:2]))

d = panel(42, 45, 8, False)
for controls, word in (("never_treated", "never"), ("not_yet_treated", "not_yet")):
    r = CallawaySantAnna(control_group=controls, estimation_method="reg", base_period="varying").fit(d, outcome="y", unit="u", time="t", first_treat="start", aggregate="all")
    rows += [(f"cs_{word}", r.overall_att), (f"cs_{word}_se", r.overall_se)]
    for (gr, t), cell in r.group_time_effects.items():
        rows += [(f"cs_{word}_{gr:g}_{t:g}", cell["effect"]), (f"cs_{word}_{gr:g}_{t:g}_se", cell["se"])]
    for e, cell in r.event_study_effects.items():
        rows += [(f"cs_{word}_e{e:g}", cell["effect"]), (f"cs_{word}_e{e:g}_se", cell["se"])]

# Propensity: two covariates drive both treatment and outcome; the effect is 0.7.
g = Generator(43)
out = []
for _ in range(800):
    a, b = g.normal(), g.uniform()
    p = 1 / (1 + np.exp(-(0.8 * a - 1.2 * b + 0.2)))
    t = float(g.uniform() < p)
    out.append((1 + 0.7 * t + 1.1 * a - 0.9 * b + g.normal(), t, a, b))
d = np.array(out)
y, t, X = d[:, 0], d[:, 1], sm.add_constant(d[:, 2:])
lo = sm.Logit(t, X).fit(disp=0, tol=1e-14)
e = lo.predict(X)
w1, w0 = t / e, (1 - t) / (1 - e)
m1, m0 = (w1 * y).sum() / w1.sum(), (w0 * y).sum() / w0.sum()
rows += [("ipw", m1 - m0), ("naive", y[t == 1].mean() - y[t == 0].mean())]
# Stacked estimating equations of the propensity and both means: their sandwich.
n = len(y)


def moments(q):
    ee = 1 / (1 + np.exp(-X @ q[:3]))
    return np.column_stack([X * (t - ee)[:, None], t / ee * (y - q[3]), (1 - t) / (1 - ee) * (y - q[4])])


q = np.r_[lo.params, m1, m0]
A = np.zeros((5, 5))
for j in range(5):
    h = np.zeros(5)
    h[j] = 1e-6
    A[:, j] = (moments(q + h).sum(0) - moments(q - h).sum(0)) / 2e-6
V = np.linalg.inv(A) @ (moments(q).T @ moments(q)) @ np.linalg.inv(A).T
rows.append(("ipw_se", np.sqrt(V[3, 3] + V[4, 4] - 2 * V[3, 4])))
b1, b0 = sm.OLS(y[t == 1], X[t == 1]).fit().params, sm.OLS(y[t == 0], X[t == 0]).fit().params
psi = X @ b1 - X @ b0 + w1 * (y - X @ b1) - w0 * (y - X @ b0)
rows += [("aipw", psi.mean()), ("aipw_se", psi.std() / np.sqrt(n))]
for j in (1, 2):
    x = X[:, j]
    s = np.sqrt((x[t == 1].var(ddof=1) + x[t == 0].var(ddof=1)) / 2)
    rows += [(f"smd_{j}", (x[t == 1].mean() - x[t == 0].mean()) / s), (f"smd_{j}_after", ((w1 * x).sum() / w1.sum() - (w0 * x).sum() / w0.sum()) / s)]
# Nearest neighbour on the logit with replacement, without and with a caliper; plain loops.
lg = np.log(e / (1 - e))
T, C = np.where(t == 1)[0], np.where(t == 0)[0]
for name, cal in (("match", np.inf), ("caliper", 0.02 * lg.std(ddof=1))):
    K, diff = np.zeros(n), []
    for i in T:
        j = C[np.argmin(np.abs(lg[C] - lg[i]))]
        if abs(lg[j] - lg[i]) <= cal:
            K[j] += 1
            diff.append(y[i] - y[j])
    diff = np.array(diff)
    var = ((diff - diff.mean()) ** 2).sum()
    for j in C[K[C] > 0]:
        other = C[C != j]
        l = other[np.argmin(np.abs(lg[other] - lg[j]))]
        var += (K[j] ** 2 - K[j]) * 0.5 * (y[j] - y[l]) ** 2
    rows += [(name, diff.mean()), (f"{name}_se", np.sqrt(var) / len(diff)), (f"{name}_n", len(diff))]

# Value of a point: amounts on scores, customers answering up to three times.
g = Generator(44)
d = pd.DataFrame([(100 + 4.5 * (s := g.below(11)) + 30 * g.normal(), s, g.below(180)) for _ in range(400)], columns=["y", "x", "u"])
m = smf.ols("y~x", d).fit()
c = m.get_robustcov_results("cluster", groups=d.u, use_t=True)
rows += [("slope", m.params["x"]), ("slope_se", c.bse[1]), ("slope_p", c.pvalues[1]), ("slope_lo", c.conf_int()[1][0]), ("slope_hi", c.conf_int()[1][1]), ("slope_r2", m.rsquared)]

# Mediation: coefficients of the two equations, Sobel's error, a bootstrap by another generator.
g = Generator(45)
out = []
for _ in range(250):
    x = 5 + g.normal()
    mm = 2 + 0.6 * x + 0.8 * g.normal()
    out.append((x, mm, 10 + 1.5 * mm + 0.4 * x + g.normal()))
d = pd.DataFrame(out, columns=["x", "m", "y"])
one, two = smf.ols("m~x", d).fit(), smf.ols("y~m+x", d).fit()
a, b = one.params.x, two.params.m
rows += [("med_a", a), ("med_b", b), ("med_direct", two.params.x), ("med_total", smf.ols("y~x", d).fit().params.x)]
rows.append(("med_sobel", np.sqrt(a**2 * two.bse.m**2 + b**2 * one.bse.x**2)))
r = np.random.default_rng(1)
v = d.values
boot = []
for _ in range(20000):
    s = v[r.integers(0, 250, 250)]
    A = np.linalg.lstsq(np.c_[np.ones(250), s[:, 0]], s[:, 1], rcond=None)[0][1]
    B = np.linalg.lstsq(np.c_[np.ones(250), s[:, 1], s[:, 0]], s[:, 2], rcond=None)[0][1]
    boot.append(A * B)
rows += [("med_boot_se", np.std(boot)), ("med_boot_lo", np.quantile(boot, 0.025)), ("med_boot_hi", np.quantile(boot, 0.975))]
write("causal.csv", rows)
