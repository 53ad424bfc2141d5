"""Simulates a survey from a seed and writes what statsmodels, scipy and scikit-learn make of it.

survey.csv    the simulated answers
expected.csv  case, name, and up to six numbers: estimate, std_error, statistic, p_value, conf_low, conf_high;
              a line without a standard error is a single figure
longley.csv   the Longley data of the NIST (public domain), as statsmodels ships them

statsmodels 0.15, scipy 1.17, scikit-learn 1.9. Firth: the penalised likelihood maximised by scipy.
"""
import csv
import os

import numpy as np
import statsmodels.api as sm
from scipy import optimize, stats
from sklearn import metrics
from statsmodels.miscmodels.ordinal_model import OrderedModel

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20240517)
n = 400
NAMES = ["speed", "price", "staff", "app"]
cluster = rng.integers(0, 45, n)
common = rng.normal(size=n)
per_cluster = rng.normal(size=45)[cluster]
x = np.column_stack([
    np.clip(np.round(6.5 + 2 * (0.7 * common + 0.7 * rng.normal(size=n))), 0, 10),
    np.clip(np.round(5.5 + 2.2 * (0.4 * common + 0.9 * rng.normal(size=n)) + 0.6 * per_cluster), 0, 10),
    np.clip(np.round(7.2 + 1.5 * (0.8 * common + 0.6 * rng.normal(size=n))), 0, 10),
    np.round(rng.normal(50, 12, n), 2),
])
latent = 0.5 * x[:, 0] + 0.3 * x[:, 1] + 0.4 * x[:, 2] + 0.02 * x[:, 3]
noise = rng.normal(size=n) * (0.6 + 0.12 * x[:, 1]) + 0.8 * per_cluster
nps = np.clip(np.round(latent - 0.6 + noise), 0, 10)
churned = (rng.random(n) < 1 / (1 + np.exp(0.55 * (latent - 7.5) + 0.5 * noise))).astype(float)
stars = np.digitize(latent + noise + rng.logistic(size=n), [5.2, 6.6, 8.2, 10.2]) + 1.0
weight = np.round(rng.uniform(0.3, 2.5, n), 2)
columns = {"nps": nps, "churned": churned, "stars": stars,
           **{name: x[:, i] for i, name in enumerate(NAMES)}, "weight": weight, "cluster": cluster}
with open(f"{here}/survey.csv", "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(columns)
    out.writerows([[repr(float(v)).removesuffix(".0") for v in row] for row in zip(*columns.values())])

lines = []


def figure(case, name, value):
    lines.append([case, name, repr(float(value))])


def table(case, names, fit):
    low, high = np.asarray(fit.conf_int()).T
    for i, name in enumerate(names):
        row = [np.asarray(v)[i] for v in (fit.params, fit.bse, fit.tvalues, fit.pvalues)] + [low[i], high[i]]
        lines.append([case, name] + [repr(float(v)) for v in row])


X = sm.add_constant(x)
TERMS = ["(intercept)"] + NAMES
ols, wls = sm.OLS(nps, X).fit(), sm.WLS(nps, X, weights=weight).fit()
for case, fit in (("ols", ols), ("wls", wls)):
    table(case, TERMS, fit)
    for name in ("rsquared", "rsquared_adj", "fvalue", "f_pvalue"):
        figure(case, name, getattr(fit, name))
    figure(case, "sigma", np.sqrt(fit.mse_resid))
for case, model in (("ols", sm.OLS(nps, X)), ("wls", sm.WLS(nps, X, weights=weight))):
    table(f"{case}_hc1", TERMS, model.fit(cov_type="HC1", use_t=True))
    table(f"{case}_cluster", TERMS, model.fit(cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True))
    for kind in ("HC0", "HC2", "HC3"):
        table(f"{case}_{kind.lower()}", TERMS, model.fit(cov_type=kind, use_t=True))
# Clustered by two columns: the one of the file, and every row's place.
places = np.arange(n) * 7 % 23
both = np.column_stack([cluster, places])
table("ols_two_way", TERMS, sm.OLS(nps, X).fit(cov_type="cluster", cov_kwds={"groups": both}, use_t=True))
for row in range(5):
    figure("ols_predicted", str(row), ols.predict(X)[row])
from statsmodels.stats.outliers_influence import variance_inflation_factor
for i, name in enumerate(NAMES):
    figure("vif", name, variance_inflation_factor(X, i + 1))

logit = sm.Logit(churned, X).fit(disp=0, tol=1e-14, maxiter=100)
table("logit", TERMS, logit)
for name in ("llf", "llnull", "prsquared", "llr", "llr_pvalue"):
    figure("logit", name, getattr(logit, name))
for row in range(5):
    figure("logit_predicted", str(row), logit.predict()[row])
scaled = weight / weight.mean()
table("logit_weighted", TERMS, sm.GLM(churned, X, family=sm.families.Binomial(), freq_weights=scaled).fit(tol=1e-14))


def firth(y, X, w):
    scale = X.std(axis=0) + (X.std(axis=0) == 0)
    Z = X / scale

    def information(b):
        p = 1 / (1 + np.exp(-Z @ b))
        return (Z * (w * p * (1 - p))[:, None]).T @ Z

    def minus(b):
        eta = Z @ b
        return -np.sum(w * (y * eta - np.logaddexp(0, eta))) - 0.5 * np.linalg.slogdet(information(b))[1]

    b = optimize.minimize(minus, np.zeros(Z.shape[1]), method="BFGS", options={"gtol": 1e-9}).x
    b = optimize.minimize(minus, b, method="Nelder-Mead", options={"xatol": 1e-11, "fatol": 1e-14, "maxiter": 40000, "maxfev": 40000}).x
    covariance = np.linalg.inv(information(b)) / np.outer(scale, scale)
    return b / scale, np.sqrt(np.diag(covariance))


def firth_table(case, names, y, X, w):
    b, se = firth(y, X, w)
    z = stats.norm.ppf(0.975)
    for i, name in enumerate(names):
        t = b[i] / se[i]
        row = [b[i], se[i], t, 2 * stats.norm.sf(abs(t)), b[i] - z * se[i], b[i] + z * se[i]]
        lines.append([case, name] + [repr(float(v)) for v in row])


firth_table("firth", TERMS, churned, X, np.ones(n))
firth_table("firth_weighted", TERMS, churned, X, scaled)
# The first 20 rows, whose outcome is separated by the price.
few = X[:20, [0, 2, 4]]
apart = (few[:, 1] > np.median(few[:, 1])).astype(float)
firth_table("firth_separated", ["(intercept)", "price", "app"], apart, few, np.ones(20))

for case, outcome in (("ordinal", stars), ("ordinal_nps", nps)):
    model = OrderedModel(outcome, x, distr="logit")
    fit = model.fit(method="bfgs", disp=0, maxiter=2000, gtol=1e-9)
    fit = model.fit(method="newton", start_params=fit.params, disp=0, maxiter=200, tol=1e-14)
    table(case, NAMES, fit)
    figure(case, "llf", fit.llf)
    levels = np.unique(outcome)
    theta = model.transform_threshold_params(fit.params)[1:-1]
    for low, high, value in zip(levels, levels[1:], theta):
        figure(case, f"{low:g}|{high:g}", value)
    counts = np.unique(outcome, return_counts=True)[1]
    figure(case, "llnull", np.sum(counts * np.log(counts / n)))

# Ranks.
for name in NAMES:
    rho, tau = stats.spearmanr(nps, columns[name]), stats.kendalltau(nps, columns[name], method="asymptotic")
    lines.append(["spearman", name, repr(float(rho.statistic)), repr(float(rho.pvalue))])
    lines.append(["kendall", name, repr(float(tau.statistic)), repr(float(tau.pvalue))])

# Quality of scores: the fitted probabilities, rounded so that there are ties.
score = np.round(logit.predict(), 2)
figure("quality", "auc", metrics.roc_auc_score(churned, score))
figure("quality", "auc_weighted", metrics.roc_auc_score(churned, score, sample_weight=weight))
figure("quality", "brier", metrics.brier_score_loss(churned, score))
positive, negative = score[churned == 1], score[churned == 0]
beats = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
variance = beats.mean(axis=1).var(ddof=1) / len(positive) + beats.mean(axis=0).var(ddof=1) / len(negative)
figure("quality", "auc_std_error", np.sqrt(variance))
ece = 0.0
bins = np.minimum((score * 10).astype(int), 9)
for b in range(10):
    if (bins == b).any():
        ece += (bins == b).mean() * abs(score[bins == b].mean() - churned[bins == b].mean())
        lines.append(["calibration", str(b), repr(float(score[bins == b].mean())),
                      repr(float(churned[bins == b].mean())), repr(float((bins == b).sum()))])
figure("quality", "ece", ece)
with open(f"{here}/scores.csv", "w") as file:
    file.write("churned,score,weight\n")
    file.writelines(f"{int(y)},{s:g},{w:g}\n" for y, s, w in zip(churned, score, weight))

# Relative weights of a logistic regression (Tonidandel and LeBreton 2010).
standard = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
values, vectors = np.linalg.eigh(np.corrcoef(x.T))
root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
orthogonal = standard @ np.linalg.inv(root)
fit = sm.Logit(churned, sm.add_constant(orthogonal)).fit(disp=0, tol=1e-14)
p = fit.predict()
r2 = np.corrcoef(p, churned)[0, 1] ** 2
beta = fit.params[1:] * np.sqrt(r2) / np.std(np.log(p / (1 - p)), ddof=1)
for name, value in zip(NAMES, (root**2) @ beta**2):
    figure("logistic_weights", name, value)
figure("logistic_weights", "r_squared", r2)

# The same of an ordinal regression, with the R² of the latent variable (McKelvey and Zavoina 1975).
model = OrderedModel(stars, orthogonal, distr="logit")
fit = model.fit(method="bfgs", disp=0, maxiter=2000, gtol=1e-9)
fit = model.fit(method="newton", start_params=fit.params, disp=0, maxiter=200, tol=1e-14)
latent_variance = np.var(orthogonal @ fit.params[:4])
r2 = latent_variance / (latent_variance + np.pi**2 / 3)
beta = fit.params[:4] * np.sqrt(r2 / np.sum(fit.params[:4] ** 2))
for name, value in zip(NAMES, (root**2) @ beta**2):
    figure("ordinal_weights", name, value)
figure("ordinal_weights", "r_squared", r2)

# Longley.
data = sm.datasets.longley.load_pandas()
with open(f"{here}/longley.csv", "w") as file:
    file.write("employed,deflator,gnp,unemployed,forces,population,year\n")
    for y, row in zip(data.endog, data.exog.values):
        file.write(",".join(f"{v:.10g}" for v in [y, *row]) + "\n")

with open(f"{here}/expected.csv", "w", newline="") as file:
    csv.writer(file, lineterminator="\n").writerows(lines)
