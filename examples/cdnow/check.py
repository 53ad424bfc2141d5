"""The answers to questions.sql by lifetimes: python3 check.py FOLDER > expected.csv"""

import csv
import os
import sys

import pandas
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import summary_data_from_transaction_data


def main(folder):
    orders = pandas.read_csv(os.path.join(folder, "cdnow.csv"), dtype={"customer_id": str})
    orders["day"] = pandas.to_datetime(orders["date"].astype(str), format="%Y%m%d")
    known = summary_data_from_transaction_data(orders, "customer_id", "day", "dollar_value", freq="D")
    known["recency"], known["T"] = known["recency"] / 7, known["T"] / 7
    purchases = BetaGeoFitter().fit(known["frequency"], known["recency"], known["T"], tol=1e-7)
    spent = known[(known["frequency"] > 0) & (known["monetary_value"] > 0)]
    spend = GammaGammaFitter().fit(spent["frequency"], spent["monetary_value"], tol=1e-7)
    known["p_alive"] = purchases.conditional_probability_alive(known["frequency"], known["recency"], known["T"])
    known["expected"] = purchases.conditional_expected_number_of_purchases_up_to_time(
        52, known["frequency"], known["recency"], known["T"]
    )
    paid = known["frequency"].where(known["monetary_value"] > 0, 0)
    known["clv"] = known["expected"] * spend.conditional_expected_average_profit(paid, known["monetary_value"])
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["all", len(known), int((known["frequency"] > 0).sum()), round(known["clv"].sum())])
    for customer, row in known.sort_values("clv", ascending=False).head(5).iterrows():
        cells = [round(row["recency"], 4), round(row["T"], 4), round(row["p_alive"], 4)]
        out.writerow([customer, int(row["frequency"]), *cells, round(row["expected"], 3), round(row["clv"], 1)])
    months = orders["day"].dt.year * 12 + orders["day"].dt.month - (1997 * 12 + 1)
    first = months.groupby(orders["customer_id"]).transform("min")
    january = orders.loc[first == 0, "customer_id"].nunique()
    for month in (1, 12):
        active = orders.loc[(first == 0) & (months == month), "customer_id"].nunique()
        out.writerow([month, january, active, round(100 * active / january, 1)])


main(sys.argv[1])
