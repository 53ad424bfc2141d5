"""What charts ask: every answer is computed a second time, from rows or with other SQL."""

from collections import Counter
from datetime import datetime, timedelta, timezone

from steps import Differs, ordered, same, step, tuples

COUNT = {"expressionType": "SQL", "sqlExpression": "count(*)", "label": "n"}
# Superset's names of the time grains that it has for PostgreSQL, and what they make of a time. The first it asks with
# date_trunc alone, the others by multiplying an interval.
GRAINS = {
    "PT1S": lambda time: time.replace(microsecond=0),
    "PT1M": lambda time: minutes(time, 1),
    "PT1H": lambda time: minutes(time, 60),
    "P1D": lambda time: day(time),
    "P1W": lambda time: day(time) - timedelta(days=time.weekday()),
    "P1M": lambda time: day(time).replace(day=1),
    "P3M": lambda time: day(time).replace(day=1, month=(time.month - 1) // 3 * 3 + 1),
    "P1Y": lambda time: day(time).replace(day=1, month=1),
}
MULTIPLES = {
    "PT5S": lambda time: time.replace(second=time.second // 5 * 5, microsecond=0),
    "PT30S": lambda time: time.replace(second=time.second // 30 * 30, microsecond=0),
    "PT5M": lambda time: minutes(time, 5),
    "PT10M": lambda time: minutes(time, 10),
    "PT15M": lambda time: minutes(time, 15),
    "PT30M": lambda time: minutes(time, 30),
}


def minutes(time, step):
    return time.replace(minute=time.minute // step * step, second=0, microsecond=0)


def day(time):
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def metric(sql, label):
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label}


def simple(column, aggregate):
    """A metric as the pickers of the interface make it."""
    return {
        "expressionType": "SIMPLE",
        "column": {"column_name": column},
        "aggregate": aggregate,
        "label": f"{aggregate}({column})",
    }


def axis(column, grain=None):
    """The column of a time axis."""
    return {
        "columnType": "BASE_AXIS",
        "expressionType": "SQL",
        "sqlExpression": column,
        "label": column,
        "timeGrain": grain,
    }


@step
def time_grains(stage):
    offered = {
        grain
        for grain, _ in stage.api.get(f"dataset/{stage.datasets['feedback']}")["result"]["time_grain_sqla"]
        if grain
    }
    same("grains that Superset offers", sorted(offered), sorted(GRAINS | MULTIPLES))
    return count_by_grains(stage, GRAINS)


@step
def time_grains_of_several_units(stage):
    return count_by_grains(stage, MULTIPLES)


def count_by_grains(stage, grains):
    times = [
        time.astimezone(timezone.utc)
        for time in stage.column("SELECT occurred_at FROM x.feedback WHERE occurred_at IS NOT NULL")
    ]
    filters = [{"col": "occurred_at", "op": "IS NOT NULL"}]
    for grain, truncate in grains.items():
        rows = stage.api.rows(
            stage.datasets["feedback"],
            columns=[axis("occurred_at", grain)],
            metrics=[COUNT],
            filters=filters,
            extras={"time_grain_sqla": grain},
            orderby=[["n", False]],
        )
        expected = Counter(truncate(time) for time in times)
        same(f"grain {grain}", ordered(tuples(rows, "occurred_at", "n")), ordered(expected.items()))
    return f"{len(times)} times in {', '.join(grains)}"


@step
def time_range(stage):
    rows = stage.api.rows(
        stage.datasets["orders"],
        columns=[axis("ordered_at", "P1M")],
        metrics=[simple("amount", "SUM"), COUNT],
        filters=[{"col": "ordered_at", "op": "TEMPORAL_RANGE", "val": "2026-01-15 : 2026-04-01"}],
        extras={"time_grain_sqla": "P1M"},
    )
    start, end = datetime(2026, 1, 15, tzinfo=timezone.utc), datetime(2026, 4, 1, tzinfo=timezone.utc)
    orders = [
        (time, amount) for time, amount in stage.sql("SELECT ordered_at, amount FROM o.orders") if start <= time < end
    ]
    sums, counts = Counter(), Counter()
    for time, amount in orders:
        month = GRAINS["P1M"](time.astimezone(timezone.utc))
        sums[month] += amount or 0
        counts[month] += 1
    same(
        "months",
        ordered(tuples(rows, "ordered_at", "SUM(amount)", "n")),
        ordered((month, sums[month], counts[month]) for month in sums),
    )
    return f"{len(rows)} months, {len(orders)} orders"


@step
def filters(stage):
    """One count for each kind of filter, against the same condition in SQL."""
    cases = [
        ({"col": "channel", "op": "IN", "val": ["app", "web"]}, "channel = 'app' OR channel = 'web'"),
        ({"col": "channel", "op": "NOT IN", "val": ["app"]}, "channel <> 'app'"),
        ({"col": "status", "op": "==", "val": "cancelled"}, "status = 'cancelled'"),
        ({"col": "status", "op": "!=", "val": "cancelled"}, "status <> 'cancelled'"),
        ({"col": "amount", "op": ">=", "val": 500}, "amount >= 500"),
        ({"col": "amount", "op": "<", "val": "99.5"}, "amount < 99.5"),
        ({"col": "delivered_at", "op": "IS NULL"}, "delivered_at IS NULL"),
        ({"col": "delivered_at", "op": "IS NOT NULL"}, "delivered_at IS NOT NULL"),
        ({"col": "product", "op": "LIKE", "val": "%机%"}, "position('机' in product) > 0"),
        ({"col": "order_id", "op": "ILIKE", "val": "%77%"}, "strpos(order_id, '77') > 0"),
        ({"col": "channel", "op": "IN", "val": ["app", None]}, "channel = 'app' OR channel IS NULL"),
    ]
    for chosen, condition in cases:
        rows = stage.api.rows(stage.datasets["orders"], metrics=[COUNT], filters=[chosen])
        same(
            f"{chosen['col']} {chosen['op']}",
            tuples(rows, "n"),
            stage.sql(f"SELECT count(*) FROM o.orders WHERE {condition}"),
        )
    rows = stage.api.rows(
        stage.datasets["orders"],
        columns=["channel"],
        metrics=[COUNT],
        orderby=[["n", False]],
        extras={"where": "(amount > 100 AND category IS NOT NULL)", "having": "(count(*) > 1000)"},
    )
    expected = stage.sql(
        "SELECT channel, count(*) FROM o.orders WHERE amount > 100 AND category IS NOT NULL "
        "GROUP BY 1 HAVING count(*) > 1000 ORDER BY 2 DESC"
    )
    same("WHERE and HAVING of one's own", tuples(rows, "channel", "n"), expected)
    return f"{len(cases) + 1} kinds"


@step
def a_filter_by_a_length_of_time(stage):
    where = "(delivered_at - ordered_at > interval '2 days')"
    rows = stage.api.rows(stage.datasets["orders"], metrics=[COUNT], extras={"where": where})
    orders = stage.sql("SELECT ordered_at, delivered_at FROM o.orders WHERE delivered_at IS NOT NULL")
    late = sum(delivered - ordered > timedelta(days=2) for ordered, delivered in orders)
    same("number of orders", tuples(rows, "n"), [(late,)])
    return f"{late} of {len(orders)} orders"


@step
def a_filter_that_keeps_nulls(stage):
    where = "(category IS DISTINCT FROM 'apparel' AND amount > 100)"
    rows = stage.api.rows(stage.datasets["orders"], metrics=[COUNT], extras={"where": where})
    orders = stage.sql("SELECT category, amount FROM o.orders WHERE amount IS NOT NULL")
    same("number of orders", tuples(rows, "n"), [(sum(name != "apparel" and amount > 100 for name, amount in orders),)])
    return f"{rows[0]['n']} of {len(orders)} orders"


@step
def pivot(stage):
    metrics = [simple("amount", aggregate) for aggregate in ("SUM", "AVG", "MIN", "MAX", "COUNT")]
    metrics += [simple("product", "COUNT_DISTINCT")]
    rows = stage.api.rows(
        stage.datasets["orders"], columns=["channel", "category"], metrics=metrics, orderby=[["SUM(amount)", False]]
    )
    orders = stage.sql("SELECT channel, category, amount, product FROM o.orders")
    groups = {}
    for channel, category, amount, product in orders:
        groups.setdefault((channel, category), []).append((amount, product))
    expected = []
    for key, group in groups.items():
        amounts = [amount for amount, _ in group if amount is not None]
        products = {product for _, product in group if product is not None}
        expected.append(
            (*key, sum(amounts), sum(amounts) / len(amounts), min(amounts), max(amounts), len(amounts), len(products))
        )
    labels = [each["label"] for each in metrics]
    same(
        "cells",
        [rounded(row) for row in ordered(tuples(rows, "channel", "category", *labels))],
        [rounded(row) for row in ordered(expected)],
    )
    sums = [row["SUM(amount)"] for row in rows]
    same("order", sums, sorted(sums, reverse=True))
    return f"{len(rows)} cells of {len(labels)} values"


def rounded(row):
    """Python's and SQL's averages of decimals have different numbers of digits."""
    return tuple(round(value, 6) if isinstance(value, float) else value for value in row)


@step
def pivot_by_superset(stage):
    """The post-processing that a chart of several series asks for: a column for each value."""
    query = {
        "columns": [axis("ordered_at", "P1Y"), "channel"],
        "metrics": [COUNT],
        "filters": [],
        "row_limit": 10_000,
        "extras": {"time_grain_sqla": "P1Y"},
        "post_processing": [
            {
                "operation": "pivot",
                "options": {"index": ["ordered_at"], "columns": ["channel"], "aggregates": {"n": {"operator": "mean"}}},
            },
            {"operation": "flatten"},
        ],
    }
    rows = stage.api.chart(stage.datasets["orders"], query)[0]["data"]
    found = [
        (row["ordered_at"], name.split(", ")[1], n)
        for row in rows
        for name, n in row.items()
        if name != "ordered_at" and n is not None
    ]
    expected = Counter(
        (GRAINS["P1Y"](time.astimezone(timezone.utc)), channel)
        for time, channel in stage.sql("SELECT ordered_at, channel FROM o.orders")
    )
    same("cells", ordered(found), ordered((*key, n) for key, n in expected.items()))
    return f"{len(rows)} years, {len(found)} cells"


@step
def top_series(stage):
    """The two categories with most revenue, over time: Superset joins the query with a query of the top."""
    rows = stage.api.rows(
        stage.datasets["orders"],
        columns=[axis("ordered_at", "P1M"), "category"],
        series_columns=["category"],
        series_limit=2,
        series_limit_metric=simple("amount", "SUM"),
        metrics=[simple("amount", "SUM")],
        extras={"time_grain_sqla": "P1M"},
        filters=[{"col": "ordered_at", "op": "TEMPORAL_RANGE", "val": "2025-01-01 : 2026-01-01"}],
        granularity="ordered_at",
        is_timeseries=True,
    )
    condition = "ordered_at >= '2025-01-01 00:00:00+00' AND ordered_at < '2026-01-01 00:00:00+00'"
    top = stage.column(f"SELECT category FROM o.orders WHERE {condition} GROUP BY 1 ORDER BY sum(amount) DESC LIMIT 2")
    expected = stage.sql(
        f"SELECT date_trunc('month', ordered_at), category, sum(amount) FROM o.orders "
        f"WHERE {condition} AND category = ANY(%s) GROUP BY 1, 2",
        top,
    )
    same("series", ordered(tuples(rows, "ordered_at", "category", "SUM(amount)")), ordered(expected))
    return f"{', '.join(top)}: {len(rows)} points"


@step
def the_year_before(stage):
    """A comparison in time, which Superset asks as a second query."""
    query = {
        "columns": [axis("ordered_at", "P1M")],
        "metrics": [COUNT],
        "row_limit": 1000,
        "extras": {"time_grain_sqla": "P1M"},
        "filters": [{"col": "ordered_at", "op": "TEMPORAL_RANGE", "val": "2026-01-01 : 2026-07-01"}],
        "time_offsets": ["1 year ago"],
    }
    rows = stage.api.chart(stage.datasets["orders"], query)[0]["data"]
    counts = Counter(
        GRAINS["P1M"](time.astimezone(timezone.utc)) for time in stage.column("SELECT ordered_at FROM o.orders")
    )
    expected = [(month, n, counts[month.replace(year=2025)]) for month, n in counts.items() if month.year == 2026]
    same("months", ordered(tuples(rows, "ordered_at", "n", "n__1 year ago")), ordered(expected))
    return f"{len(rows)} months beside those of the year before"


@step
def nps_as_a_metric(stage):
    """nps(score) typed into a metric, against counts of promoters and detractors."""
    rows = stage.api.rows(
        stage.datasets["feedback"],
        columns=["channel"],
        metrics=[metric("nps(score)", "nps"), metric("nps_low(score)", "low"), metric("nps_high(score)", "high")],
        filters=[{"col": "metric", "op": "==", "val": "nps"}],
        orderby=[["channel", True]],
    )
    expected = stage.sql(
        "SELECT channel, 100.0 * (count(CASE WHEN score >= 9 THEN 1 END) - count(CASE WHEN score <= 6 THEN 1 END)) "
        "/ count(score) "
        "FROM x.feedback WHERE metric = 'nps' GROUP BY 1 ORDER BY 1"
    )
    same(
        "NPS",
        [(row["channel"], round(row["nps"], 9)) for row in rows],
        [(channel, round(float(nps), 9)) for channel, nps in expected],
    )
    for row in rows:
        if not row["low"] < row["nps"] < row["high"]:
            raise Differs(f"the interval {row['low']} to {row['high']} is not around {row['nps']}")
    return "; ".join(f"{row['channel']} {row['nps']:.1f} ({row['low']:.1f} to {row['high']:.1f})" for row in rows)


@step
def nps_over_time(stage):
    rows = stage.api.rows(
        stage.datasets["feedback"],
        columns=[axis("occurred_at", "P1W"), "channel"],
        metrics=[metric("nps(score)", "nps"), COUNT],
        filters=[{"col": "metric", "op": "==", "val": "nps"}],
        extras={"time_grain_sqla": "P1W"},
    )
    answers = {}
    for time, channel, score in stage.sql("SELECT occurred_at, channel, score FROM x.feedback WHERE metric = 'nps'"):
        answers.setdefault((GRAINS["P1W"](time.astimezone(timezone.utc)), channel), []).append(score)
    expected = []
    for key, scores in answers.items():
        given = [score for score in scores if score is not None]
        nps = (
            100 * (sum(score >= 9 for score in given) - sum(score <= 6 for score in given)) / len(given)
            if given
            else None
        )
        expected.append((*key, nps, len(scores)))
    found = ordered(tuples(rows, "occurred_at", "channel", "nps", "n"))
    same("weeks", [rounded(row) for row in found], [rounded(row) for row in ordered(expected)])
    return f"{len(rows)} weeks of channels"


@step
def calculated_column(stage):
    bands = "CASE WHEN score >= 9 THEN 'promoter' WHEN score >= 7 THEN 'passive' WHEN score >= 0 THEN 'detractor' END"
    rows = stage.api.rows(
        stage.datasets["feedback"],
        columns=[{"expressionType": "SQL", "sqlExpression": bands, "label": "band"}],
        metrics=[COUNT],
        filters=[{"col": "metric", "op": "==", "val": "nps"}],
    )
    expected = stage.sql("SELECT nps_category(score), count(*) FROM x.feedback WHERE metric = 'nps' GROUP BY 1")
    same("bands", ordered(tuples(rows, "band", "n")), ordered(expected))
    return ", ".join(f"{row['band']} {row['n']}" for row in rows)


@step
def percentiles(stage):
    quartiles = [metric(f"percentile_cont({q}) WITHIN GROUP (ORDER BY amount)", f"q{q}") for q in (0.25, 0.5, 0.75)]
    rows = stage.api.rows(stage.datasets["orders"], columns=["channel"], metrics=quartiles, orderby=[["channel", True]])
    expected = []
    for channel in stage.column("SELECT DISTINCT channel FROM o.orders ORDER BY channel"):
        amounts = [
            float(amount)
            for amount in stage.column(
                "SELECT amount FROM o.orders WHERE channel = %s AND amount IS NOT NULL ORDER BY amount", channel
            )
        ]
        expected.append((channel, *(round(between(amounts, q), 6) for q in (0.25, 0.5, 0.75))))
    same(
        "quartiles",
        [rounded(tuple(map(number, row))) for row in tuples(rows, "channel", "q0.25", "q0.5", "q0.75")],
        expected,
    )
    return f"{len(rows)} channels"


def number(value):
    return value if isinstance(value, str) else float(value)


def between(values, q):
    """The percentile of sorted values, by linear interpolation."""
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


@step
def rows_with_search(stage):
    """The table with its search box and pages on the server: ILIKE, an order, a limit, an offset and a count."""
    name = stage.column("SELECT name FROM c360.customers WHERE name IS NOT NULL ORDER BY customer_id LIMIT 1")[0]
    for text in (name[:1], "AN"):
        table = {
            "columns": ["name", "city", "email", "orders", "revenue", "last_feedback_at"],
            "row_limit": 20,
            "row_offset": 20,
            "filters": [{"col": "name", "op": "ILIKE", "val": f"%{text}%"}],
            "orderby": [["revenue", False], ["customer_id", True]],
        }
        page, count = stage.api.chart(
            stage.datasets["customers"],
            table,
            {**table, "row_limit": 0, "row_offset": 0, "orderby": [], "is_rowcount": True},
        )
        people = stage.sql(
            "SELECT name, city, email, orders, revenue, last_feedback_at, customer_id FROM c360.customers "
            "WHERE strpos(lower(name), lower(%s)) > 0",
            text,
        )
        same(f"number of {text}", count["data"][0]["rowcount"], len(people))
        people.sort(key=lambda person: (person[4] is not None, -(person[4] or 0), person[6]))
        same(f"page of {text}", tuples(page["data"], *table["columns"]), [person[:6] for person in people[20:40]])
    return f"{len(people)} people with AN in their names"


@step
def samples(stage):
    found = stage.api.chart(stage.datasets["customers"], {"row_limit": 50}, result_type="samples")[0]
    same("number of rows", len(found["data"]), 50)
    same(
        "columns",
        found["colnames"],
        stage.column(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'c360.customers'::regclass AND attnum > 0 "
            "ORDER BY attnum"
        ),
    )
    return f"{len(found['data'])} rows, {len(found['colnames'])} columns"


@step
def range_of_a_filter(stage):
    rows = stage.api.rows(
        stage.datasets["orders"],
        metrics=[
            simple("amount", "MIN"),
            simple("amount", "MAX"),
            simple("ordered_at", "MIN"),
            simple("ordered_at", "MAX"),
        ],
    )
    expected = stage.sql(
        "SELECT (SELECT amount FROM o.orders ORDER BY amount LIMIT 1), "
        "(SELECT amount FROM o.orders ORDER BY amount DESC NULLS LAST LIMIT 1), "
        "(SELECT ordered_at FROM o.orders ORDER BY ordered_at LIMIT 1), "
        "(SELECT ordered_at FROM o.orders ORDER BY ordered_at DESC NULLS LAST LIMIT 1)"
    )
    same("range", tuples(rows, "MIN(amount)", "MAX(amount)", "MIN(ordered_at)", "MAX(ordered_at)"), expected)
    return f"{rows[0]['MIN(amount)']} to {rows[0]['MAX(amount)']}"
