"""The dashboard of examples/superset: imported as its README says, and the data of every chart."""

import importlib.util
import math
from collections import Counter
from pathlib import Path
from statistics import NormalDist

from steps import ordered, same, step, tuples

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/superset"


def importer():
    """examples/superset/import_dashboard.py, which is no part of a package."""
    spec = importlib.util.spec_from_file_location("import_dashboard", EXAMPLE / "import_dashboard.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def charts_of(stage):
    charts = stage.api.get("dashboard/voxhouse/charts")["result"]
    return {chart["slice_name"]: chart["id"] for chart in charts}


def answers_of(stage, name):
    """What each of the saved queries of a chart answers."""
    return [answer["data"] for answer in stage.api.get(f"chart/{charts_of(stage)[name]}/data/?force=true")["result"]]


@step
def datasets_and_database_are_removed(stage):
    """With SQLite as its metadata database Superset takes only one dataset of a name."""
    for dataset in stage.datasets.values():
        stage.api.call("DELETE", f"dataset/{dataset}")
    stage.api.call("DELETE", f"database/{stage.database}")
    return f"{len(stage.datasets)} datasets"


@step
def dashboard_import(stage):
    superset = importer().Superset(stage.superset, stage.user, stage.password)
    importer().import_dashboard(superset, stage.uri)
    charts = charts_of(stage)
    importer().import_dashboard(superset, stage.uri)
    same("charts of the second import", charts_of(stage), charts)
    same("number of charts", len(charts), 5)
    return ", ".join(charts)


@step
def datasets_have_the_columns_of_their_tables(stage):
    """The bundle lists columns and types; Superset finds the same when it looks itself."""
    bundled = [
        dataset
        for dataset in stage.api.get("dataset/?q=(page_size:100)")["result"]
        if dataset["database"]["database_name"] == "Voxhouse"
    ]
    for dataset in bundled:
        before = columns(stage, dataset["id"])
        stage.api.call("PUT", f"dataset/{dataset['id']}/refresh")
        same(f"columns of {dataset['table_name']}", before, columns(stage, dataset["id"]))
    return ", ".join(sorted(dataset["table_name"] for dataset in bundled))


def columns(stage, dataset):
    found = stage.api.get(f"dataset/{dataset}")["result"]["columns"]
    return sorted((column["column_name"], column["type"].partition("(")[0], column["is_dttm"]) for column in found)


@step
def chart_nps_by_channel(stage):
    """Against the formulas of the score and of its interval (adjusted Wald), from the answers themselves."""
    found, answers = answers_of(stage, "NPS by channel")
    scores = {}
    for channel, score in stage.sql("SELECT channel, score FROM x.feedback WHERE metric = 'nps' AND score IS NOT NULL"):
        scores.setdefault(channel, []).append(score)
    expected = []
    for channel, given in scores.items():
        promoters, detractors = sum(score >= 9 for score in given), sum(score <= 6 for score in given)
        expected.append(
            (channel, 100 * (promoters - detractors) / len(given), *interval(promoters, detractors, len(given)))
        )
    same("score and interval", ordered(tuples(found, "channel", "nps", "nps_low", "nps_high")), ordered(expected))
    same(
        "answers",
        ordered(tuples(answers, "channel", "nps_n")),
        ordered((channel, len(given)) for channel, given in scores.items()),
    )
    return "; ".join(
        f"{row['channel']} {row['nps']:.1f} ({row['nps_low']:.1f} to {row['nps_high']:.1f})" for row in found
    )


def interval(promoters, detractors, n):
    """Adjusted Wald: three answers more, a quarter of them promoters and a quarter detractors."""
    promoters, detractors, n = promoters + 0.75, detractors + 0.75, n + 3
    net = (promoters - detractors) / n
    half = NormalDist().inv_cdf(0.975) * math.sqrt(((promoters + detractors) / n - net**2) / n)
    return 100 * (net - half), 100 * (net + half)


@step
def chart_complaints_by_topic(stage):
    (found,) = answers_of(stage, "Complaints by topic")
    cells = [
        (row["touchpoint"], channel, n)
        for row in found
        for channel, n in row.items()
        if channel != "touchpoint" and n is not None
    ]
    rows = stage.sql("SELECT touchpoint, channel FROM x.feedback WHERE kind = 'complaint'")
    same("complaints", ordered(cells), ordered((*key, n) for key, n in Counter(rows).items()))
    return f"{len(found)} topics, {len(rows)} complaints"


@step
def chart_satisfaction_and_repurchase(stage):
    found, numbers = answers_of(stage, "Satisfaction and repurchase")
    expected = stage.sql(
        "SELECT score_band, repurchasers::float8 / customers, repurchase_low, repurchase_high FROM roi.linkage "
        "WHERE metric = 'nps' AND currency = 'CNY'"
    )
    same(
        "rates",
        ordered(tuples(found, "score_band", "repurchase_rate", "repurchase_low", "repurchase_high")),
        ordered(expected),
    )
    expected = stage.sql("SELECT score_band, customers FROM roi.linkage WHERE metric = 'nps' AND currency = 'CNY'")
    same("customers", ordered(tuples(numbers, "score_band", "customers")), ordered(expected))
    return "; ".join(f"{row['score_band']} {row['repurchase_rate']:.3f}" for row in found)


@step
def chart_from_order_to_next_order(stage):
    """Each step counted in Python from the rows of orders and answers."""
    (found,) = answers_of(stage, "From an order to the next one")
    same("steps", ordered(tuples(found, "stage", "orders")), ordered(funnel(stage).items()))
    return ", ".join(f"{row['stage']} {row['orders']}" for row in found)


def funnel(stage):
    orders = stage.sql(
        "SELECT m.customer_id, o.source_system, o.order_id, o.status, o.ordered_at, o.delivered_at FROM o.orders o "
        "JOIN id.order_customers m ON m.source_system = o.source_system AND m.order_id = o.order_id"
    )
    answers = {
        (system, order): (score, time)
        for system, order, score, time in stage.sql(
            "SELECT source_system, order_id, score, occurred_at FROM x.feedback "
            "WHERE metric = 'nps' AND score IS NOT NULL"
        )
    }
    bought = {}
    for customer, _, _, status, time, _ in orders:
        if status != "cancelled":
            bought.setdefault(customer, []).append(time)
    until = max(time for _, _, _, _, time, _ in orders)
    reached = Counter()
    for customer, system, order, _, time, delivered in orders:
        if (until - time).total_seconds() >= 120 * 86_400:
            reached.update(stages(delivered, answers.get((system, order)), bought.get(customer, [])))
    return reached


def stages(delivered, answer, bought):
    found = ["1 Ordered"]
    if delivered is None:
        return found
    found.append("2 Delivered")
    if answer is None:
        return found
    found.append("3 Answered the survey")
    score, answered = answer
    if score < 9:
        return found
    found.append("4 Promoter (9 or 10)")
    if any(0 < (time - answered).total_seconds() <= 90 * 86_400 for time in bought):
        found.append("5 Ordered again in 90 days")
    return found


@step
def chart_customers(stage):
    found, count = answers_of(stage, "Customers")
    names = list(found[0])
    people = stage.sql(f"SELECT {', '.join(names)} FROM c360.customers")
    revenue = names.index("revenue")
    best = sorted((person[revenue] for person in people if person[revenue] is not None), reverse=True)[: len(found)]
    same("revenue of the first page", [row["revenue"] for row in found], best)
    same("number of people", count[0]["rowcount"], len(people))
    by_number = {person[names.index("member_no")]: person for person in people}
    same("rows", [tuple(row.values()) for row in found], [by_number[row["member_no"]] for row in found])
    return f"{len(found)} of {len(people)} people"
