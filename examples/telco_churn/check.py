"""The answers to questions.sql by statsmodels, lifelines and scikit-learn: python3 check.py FOLDER > expected.csv"""

import csv
import os
import sys

import numpy
import pandas
import statsmodels.api
from lifelines import CoxPHFitter, KaplanMeierFitter
from sklearn.metrics import roc_auc_score


def main(folder):
    data = pandas.read_csv(os.path.join(folder, "telco_churn.csv"), encoding="utf-8-sig")
    data["churned"] = (data["Churn"] == "Yes").astype(int)
    data["two_year"] = (data["Contract"] == "Two year").astype(int)
    data["support"] = (data["TechSupport"] == "Yes").astype(int)
    data["fibre"] = (data["InternetService"] == "Fiber optic").astype(int)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["customers", len(data), data["churned"].sum()])

    names = ["tenure", "MonthlyCharges", "two_year", "support", "fibre"]
    logit = statsmodels.api.Logit(data["churned"], statsmodels.api.add_constant(data[names])).fit(disp=0, tol=1e-12)
    for name in ["const", *names]:
        out.writerow(["logistic", round(logit.params[name], 6), round(logit.bse[name], 6)])

    names = ["MonthlyCharges", "two_year", "support"]
    cox = CoxPHFitter().fit(data[["tenure", "churned", *names]], "tenure", "churned", fit_options={"precision": 1e-12})
    for name in names:
        out.writerow(["cox", round(cox.params_[name], 6), round(cox.standard_errors_[name], 6)])

    for contract, part in sorted(data.groupby("Contract")):
        median = KaplanMeierFitter().fit(part["tenure"], part["churned"]).median_survival_time_
        out.writerow(["median", "NULL" if numpy.isinf(median) else median])
    predicted = logit.predict()
    auc = roc_auc_score(data["churned"], predicted)
    out.writerow(["model", "churn", 1, "logistic", len(data), round(logit.prsquared, 9), round(auc, 9)])
    risky = predicted > 0.5
    likely = (predicted * data["MonthlyCharges"])[risky].sum()
    out.writerow(["saved", risky.sum(), round(data["MonthlyCharges"][risky].sum(), 2), round(likely, 2), round(1.2 * likely, 2)])
    out.writerow(["lost", round(data.loc[data["churned"] == 1, "MonthlyCharges"].sum(), 2)])


main(sys.argv[1])
