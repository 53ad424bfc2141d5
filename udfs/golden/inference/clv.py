"""Golden numbers of inference::clv by lifetimes; CDNOW parameters as published by Fader, Hardie and Lee."""
import numpy as np
import pandas as pd
import warnings
warnings.simplefilter("ignore")
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.datasets import load_cdnow_summary, load_cdnow_summary_data_with_monetary_value
from scipy.optimize import minimize
from scipy.special import betaln, digamma, gammaln, hyp2f1, polygamma

from splitmix import Generator, write

rows = []
for x in (0.01, 0.3, 1.0, 7.7, 40.0):
    rows += [(f"digamma_{x}", digamma(x)), (f"trigamma_{x}", polygamma(1, x))]
for a, b, c, z in ((2.2, 3.3, 4.1, 0.5), (1.24, 3.4, 2.2, 0.9), (12.0, 9.5, 11.3, 0.99), (0.3, 2.4, 0.4, 0.2), (0.2, 0.3, -0.4, 0.6)):
    rows.append((f"2f1_{a}_{b}_{c}_{z}", hyp2f1(a, b, c, z)))


def sample(n):
    """BG/NBD customers with r .5, alpha 6, a .9, b 2.5 over 20 to 40 weeks; whole weeks, so histories repeat."""
    g = Generator(21)
    out = []
    for _ in range(n):
        # gamma(.5) is half a squared normal; the chance of leaving is taken from two gammas by sums of logs.
        rate = g.normal() ** 2 / 2 / 6
        leave = 1 - g.uniform() ** (1 / 2.5)
        age = 20 + g.below(21)
        t, x, last = 0.0, 0, 0
        while True:
            t -= np.log(g.uniform()) / rate
            if t > age:
                break
            x, last = x + 1, int(np.ceil(t))
            if g.uniform() < leave:
                break
        out.append((x, last if x else 0, age))
    return pd.DataFrame(out, columns=["x", "tx", "T"])


def polish(d, start):
    """Maximum to the last digits: lifetimes stops early."""
    def nll(p):
        r, al, a, b = np.exp(p)
        x, tx, T = d.x.values, d.tx.values, d["T"].values
        base = gammaln(r + x) - gammaln(r) + r * np.log(al) + betaln(a, b + x) - betaln(a, b)
        one = -(r + x) * np.log(al + T)
        two = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(al + tx), -np.inf)
        return -(base + np.logaddexp(one, two)).sum()
    p = np.log(start)
    for _ in range(5):
        p = minimize(nll, p, method="Nelder-Mead", options=dict(xatol=1e-10, fatol=1e-10, maxiter=20000, maxfev=20000)).x
    return np.exp(p), -nll(p)


def bg(name, d, **kw):
    m = BetaGeoFitter().fit(d.x, d.tx, d["T"], **kw)
    p, ll = polish(d, m.params_.values)
    rows.extend([(f"{name}_{k}", v) for k, v in zip(("r", "alpha", "a", "b"), p)] + [(f"{name}_ll", ll)])
    m.params_ = pd.Series(p, index=["r", "alpha", "a", "b"])
    return m


m = bg("sim", sample(4000))
for x, tx, T in ((0, 0.0, 30.0), (1, 3.0, 38.0), (7, 30.0, 31.0), (26, 30.86, 38.86)):
    rows.append((f"alive_{x}", float(np.ravel(m.conditional_probability_alive(x, tx, T))[0])))
    for t in (1.0, 39.0, 500.0):
        rows.append((f"expected_{x}_{t}", m.conditional_expected_number_of_purchases_up_to_time(t, x, tx, T)))

d = load_cdnow_summary().rename(columns={"frequency": "x", "recency": "tx"})
bg("cdnow", d)
print(len(d), rows[-5:])
d = load_cdnow_summary_data_with_monetary_value()
d = d[d.frequency > 0]
g = GammaGammaFitter().fit(d.frequency, d.monetary_value)
print(g.params_)

gen = Generator(22)
f, v = [], []
for _ in range(1500):
    nu = sum(-np.log(gen.uniform()) for _ in range(4)) / 15.0  # gamma(4, 15)
    x = 1 + gen.below(6)
    s = sum(-np.log(gen.uniform()) for _ in range(6 * x)) / nu / x  # mean of x gamma(6, nu)
    f.append(x)
    v.append(s)
f, v = np.array(f, float), np.array(v)


def nll(p):
    p, q, c = np.exp(p)
    return -(gammaln(p * f + q) - gammaln(p * f) - gammaln(q) + q * np.log(c) + (p * f - 1) * np.log(v) + p * f * np.log(f) - (p * f + q) * np.log(f * v + c)).sum()


p = np.log([6.0, 4.0, 15.0])
for _ in range(5):
    p = minimize(nll, p, method="Nelder-Mead", options=dict(xatol=1e-10, fatol=1e-10, maxiter=20000, maxfev=20000)).x
rows += [(f"gg_{k}", x) for k, x in zip("pqg", np.exp(p))] + [("gg_ll", -nll(p)), ("gg_corr", np.corrcoef(f, v)[0, 1])]
G = GammaGammaFitter()
G.params_ = pd.Series([6.25, 3.74, 15.45], index=["p", "q", "v"])
rows += [("spend_3_30", float(G.conditional_expected_average_profit(3, 30.0))), ("spend_0", float(G.conditional_expected_average_profit(0, 0.0)))]
# Value over 12 periods of 4 weeks, one percent each, of the CDNOW parameters of the papers.
r, al, a, b = 0.243, 4.414, 0.793, 2.426
B = BetaGeoFitter()
B.params_ = pd.Series([r, al, a, b], index=["r", "alpha", "a", "b"])
E = lambda t: 0 if t == 0 else float(B.conditional_expected_number_of_purchases_up_to_time(t, 4, 20.0, 30.0))
spend = float(G.conditional_expected_average_profit(4, 35.0))
rows.append(("clv", sum((E(4 * k) - E(4 * k - 4)) / 1.01**k for k in range(1, 13)) * spend * 0.3))
rows.append(("e_4_39", E(39.0)))
write("clv.csv", rows)
