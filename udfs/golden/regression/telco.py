"""telco.csv: counts of customers by churn and four features, with the coefficients statsmodels finds.

Counts only, aggregated from a public churn table given as the argument; months as a customer are cut into years.
"""
import os
import sys

import pandas as pd
import statsmodels.api as sm

here = os.path.dirname(os.path.abspath(__file__))
raw = pd.read_csv(sys.argv[1])
table = pd.DataFrame({
    "churned": (raw["Churn"] == "Yes").astype(int),
    "years": raw["tenure"] // 12,
    "monthly": (raw["Contract"] == "Month-to-month").astype(int),
    "fiber": (raw["InternetService"] == "Fiber optic").astype(int),
    "senior": raw["SeniorCitizen"],
})
names = ["years", "monthly", "fiber", "senior"]
fit = sm.Logit(table["churned"], sm.add_constant(table[names].astype(float))).fit(disp=0, tol=1e-14)
low, high = fit.conf_int().values.T
with open(f"{here}/telco_expected.csv", "w") as file:
    for i, name in enumerate(["(intercept)", *names]):
        figures = (fit.params.iloc[i], fit.bse.iloc[i], fit.tvalues.iloc[i], fit.pvalues.iloc[i], low[i], high[i])
        file.write(",".join(["telco", name, *(repr(float(v)) for v in figures)]) + "\n")
    file.write(f"telco,prsquared,{float(fit.prsquared)!r}\n")
counts = table.groupby(["churned", *names]).size().reset_index(name="customers")
counts.to_csv(f"{here}/telco.csv", index=False)
