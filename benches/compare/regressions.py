"""Statistics in SQL beside DuckDB, statsmodels, scikit-learn, lifelines and lifetimes, over the same simulated data."""

import json
import math

import numpy
import pyarrow
import pyarrow.parquet

from loads import drop_in, pipe_sql, run_pipe
from voxhouse import Voxhouse

ROWS = 10_000_000
SAMPLE = 1_000_000
DRIVERS = [f"x{place}" for place in range(1, 11)]
COLUMNS = [("day", "integer"), ("segment", "integer"), ("y", "double precision"), ("churned", "integer"),
           *[(name, "double precision") for name in DRIVERS]]
LIST = ", ".join(f"'{name}'" for name in DRIVERS)
# What the survey is made with: the regression must find it again.
SLOPES = [0.5 - 0.1 * place for place in range(10)]
COVARIATES = ", ".join(f"'{name}'" for name in DRIVERS[:5])
CUSTOMERS = 1_000_000
YEAR = 365
ORDER_COLUMNS = [("customer", "integer"), ("ordered_at", "date"), ("amount", "double precision")]
# Pearson's correlation of the mean ranks.
_RANKS = """
    SELECT corr(y_rank, x_rank) FROM (
        SELECT rank() OVER (ORDER BY y) + (count(*) OVER (PARTITION BY y) - 1) / 2.0 AS y_rank,
               rank() OVER (ORDER BY x1) + (count(*) OVER (PARTITION BY x1) - 1) / 2.0 AS x_rank
        FROM survey)"""
_VALUES = """
    SELECT count(*), sum(expected_purchases)
    FROM clv('bench.purchases', 'customer', 'ordered_at', 'amount', until => '2025-12-31', periods => 13)"""


def _uniform(place):
    return f"(hash(i * 16 + {place}) / 18446744073709551616.0)"


def _make(duckdb, path, rows):
    """Ten drivers with something in common, an outcome with known slopes, and one of 0 and 1."""
    if path.exists():
        return
    drivers = ", ".join(f"round(5 + 3 * ({_uniform(place)} + {_uniform(0)} - 1), 3) AS x{place}" for place in range(1, 11))
    score = " + ".join(f"{slope:.1f} * x{place}" for place, slope in enumerate(SLOPES, 1))
    duckdb.measure(sql=f"""
        COPY (SELECT i % 365 AS day, i // 7 % 10 AS segment, round({score} + 4 * ({_uniform(11)} - 0.5), 3) AS y,
                     CAST({_uniform(12)} < 1 / (1 + exp(-({score}))) AS integer) AS churned, {", ".join(DRIVERS)}
              FROM (SELECT i, {drivers} FROM range({rows}) AS r(i)))
        TO '{path}' (FORMAT parquet, COMPRESSION zstd)""")


def _make_purchases(peer, path, summary):
    """Orders of a year as the models of BG/NBD and gamma-gamma have them, and what the Python library fits of them."""
    if path.exists():
        return
    rng = numpy.random.default_rng(9)
    starts = rng.integers(0, 180, CUSTOMERS).astype(float)
    waits = 7 * 10.0 / rng.gamma(1.2, size=CUSTOMERS)
    leaving = rng.beta(0.8, 3.5, CUSTOMERS)
    spread = 15.0 / rng.gamma(4.0, size=CUSTOMERS)
    customers, days, amounts = [], [], []
    alive, now = numpy.arange(CUSTOMERS), starts
    while alive.size:
        customers.append(alive)
        days.append(now)
        amounts.append(rng.gamma(6.0, spread[alive]) + 0.01)
        stays = rng.random(alive.size) > leaving[alive]
        later = now + rng.exponential(waits[alive])
        stays &= later < YEAR
        alive, now = alive[stays], later[stays]
    customers, days, amounts = (numpy.concatenate(parts) for parts in (customers, days, amounts))
    first = numpy.datetime64("2025-01-01")
    pyarrow.parquet.write_table(pyarrow.table({
        "customer": customers.astype("int32"), "ordered_at": first + days.astype("int64").astype("timedelta64[D]"),
        "amount": numpy.round(amounts, 2)}), path, compression="zstd")
    peer.measure(sql=f"""
        COPY (SELECT count(*) - 1 AS frequency, (max(day) - min(day)) / 7 AS recency, (DATE '2025-12-31' - min(day)) / 7 AS age,
                     coalesce(avg(amount) FILTER (WHERE day > first), 0) AS spend
              FROM (SELECT customer, ordered_at AS day, sum(amount) AS amount,
                           min(ordered_at) OVER (PARTITION BY customer) AS first
                    FROM read_parquet('{path}') GROUP BY customer, ordered_at)
              GROUP BY customer)
        TO '{summary}' (FORMAT parquet)""")


def _opened(context, whole, sample, purchases):
    voxhouse = Voxhouse(context.binary, context.work / "regressions")
    marker = context.work / "regressions.json"
    wanted = {"binary": context.binary.stat().st_mtime_ns, "bytes": [file.stat().st_size for file in (whole, sample, purchases)]}
    if marker.exists() and json.loads(marker.read_text()) == wanted:
        return voxhouse
    marker.unlink(missing_ok=True)
    voxhouse.remove()
    with voxhouse, voxhouse.connect() as connection:
        connection.execute("CREATE SCHEMA bench")
        for table, file, columns in (("survey", whole, COLUMNS), ("survey_sample", sample, COLUMNS),
                                     ("purchases", purchases, ORDER_COLUMNS)):
            rows = pyarrow.parquet.read_metadata(file).num_rows
            connection.execute(f"CREATE TABLE bench.{table} ({', '.join(f'{name} {kind}' for name, kind in columns)})")
            drop_in(voxhouse, f"landing/{table}/", [file])
            connection.execute(pipe_sql(f"{table}_pipe", f"landing/{table}/", f"bench.{table}", columns))
            run_pipe(voxhouse, connection, f"{table}_pipe", rows)
        connection.execute(f"""CREATE MATERIALIZED VIEW bench.survey_moments AS
            SELECT day, segment, moments('y, {", ".join(DRIVERS)}', y, {", ".join(DRIVERS)}) AS m
            FROM bench.survey GROUP BY day, segment""")
    marker.write_text(json.dumps(wanted))
    return voxhouse


def _gram(table):
    """The 77 sums that a regression of ten drivers needs."""
    names = ["y", *DRIVERS]
    sums = ["count(*)", *[f"sum({name})" for name in names],
            *[f"sum({left} * {right})" for place, left in enumerate(names) for right in names[place:]]]
    return f"SELECT {', '.join(sums)} FROM {table}"


def _check(name, found, expected, digits):
    if len(found) != len(expected) or any(
            not math.isclose(float(left), float(right), rel_tol=digits, abs_tol=digits) for left, right in zip(found, expected)):
        raise RuntimeError(f"{name}: {found} is not {expected}")


def measure(context):
    context.say("statistics")
    folder = context.work / "regressions-data"
    folder.mkdir(exist_ok=True)
    whole, sample, purchases, summary = (folder / f"{name}.parquet" for name in ("survey", "sample", "purchases", "summary"))
    with context.worker("duckdb") as duckdb:
        _make(duckdb, whole, ROWS)
        _make(duckdb, sample, SAMPLE)
        _make_purchases(duckdb, purchases, summary)
    found = {"rows": ROWS, "sample": SAMPLE, "work": {}}
    with _opened(context, whole, sample, purchases) as voxhouse, voxhouse.connect() as connection, \
            context.worker("duckdb") as duckdb, context.worker("regression") as peer:
        ours = lambda sql: lambda _turn: voxhouse.measure(connection, sql)
        regression = f"SELECT estimate, std_error FROM linear_regression('bench.{{}}', 'y', ARRAY[{LIST}])"
        duckdb.measure(sql=f"CREATE TABLE survey AS FROM read_parquet('{whole}')")
        peer.measure(work="read", file=str(sample), drivers=DRIVERS, customers=str(summary))
        cases = {
            "least squares, 10 million rows": {
                "duckdb": lambda _turn: duckdb.measure(sql=_gram("survey")), "voxhouse": ours(regression.format("survey"))},
            "least squares, 1 million rows": {
                "statsmodels": lambda _turn: peer.measure(work="ols"), "voxhouse": ours(regression.format("survey_sample"))},
            "rank correlation, 10 million rows": {
                "duckdb": lambda _turn: duckdb.measure(sql=_RANKS), "voxhouse": ours(
                    "SELECT estimate FROM rank_correlation('bench.survey', 'y', 'x1')")},
            "Cox regression, 1 million rows of 5 covariates": {
                "lifelines": lambda _turn: peer.measure(work="cox"), "voxhouse": ours(
                    f"SELECT estimate FROM cox_regression('bench.survey_sample', 'day + 1', 'churned', ARRAY[{COVARIATES}])")},
            "BG/NBD and gamma-gamma, 1 million customers": {
                "lifetimes": lambda _turn: peer.measure(work="clv"), "voxhouse": ours(_VALUES)},
            "logistic regression, 1 million rows": {
                "scikit-learn": lambda _turn: peer.measure(work="logistic"),
                "voxhouse": ours(f"SELECT estimate FROM logistic_regression('bench.survey_sample', 'churned', ARRAY[{LIST}])")},
            "drivers with 1,000 draws, 1 million rows": {
                "voxhouse": ours(f"SELECT driver, conf_low FROM drivers('bench.survey_sample', 'y', ARRAY[{LIST}])")},
            "drivers in one pass, 1 million rows": {
                "voxhouse": ours(f"SELECT driver FROM drivers('bench.survey_sample', 'y', ARRAY[{LIST}], bootstrap => 0)")},
            "a quarter of a segment from stored moments": {
                "voxhouse": ours(f"""SELECT estimate, std_error FROM moments_regression('SELECT day, m FROM bench.survey_moments
                    WHERE segment = 3 AND day BETWEEN 90 AND 180', 'm', 'y', ARRAY[{LIST}], cluster => 'day')""")},
            "drivers of all rows from stored moments": {
                "voxhouse": ours(f"SELECT driver FROM moments_drivers('bench.survey_moments', 'm', 'y', ARRAY[{LIST}])")},
        }
        for name, systems in cases.items():
            context.say(f"  {name}")
            series = context.in_turns(systems, rounds=5, warm_up=1)
            found["work"][name] = {system: one.summary() for system, one in series.items()}
            answers = {system: one.runs[-1].answer for system, one in series.items()}
            if name.startswith("least squares"):
                _check(name, [row[0] for row in answers["voxhouse"]][1:], SLOPES, 0.02)
            if "statsmodels" in answers:
                _check(name, [cell for row in answers["voxhouse"] for cell in row], answers["statsmodels"], 1e-6)
            if "duckdb" in answers and name.startswith("rank"):
                _check(name, answers["voxhouse"][0], answers["duckdb"][0], 1e-9)
            if "lifelines" in answers:
                _check(name, [row[0] for row in answers["voxhouse"]], answers["lifelines"], 1e-4)
            if "lifetimes" in answers:
                _check(name, answers["voxhouse"][0], answers["lifetimes"], 0.02)
            if "scikit-learn" in answers:
                _check(name, [row[0] for row in answers["voxhouse"]], answers["scikit-learn"], 1e-3)
    context.record("statistics", found)
