"""Questions to loaded tables: Voxhouse and DuckDB over the same ten million rows, PostgreSQL over the sample."""

import re
from datetime import datetime, timezone
from decimal import Decimal

import data as rows_of
import warehouse
from loads import table_sql

# {orders} and {customers} are the tables. Every answer has one order.
QUERIES = {
    "count": "SELECT count(*) FROM {orders}",
    "sum": "SELECT sum(amount), sum(margin), count(score) FROM {orders}",
    "group by 50 groups": """
        SELECT channel, category, count(*), sum(amount), avg(score)::numeric(18,6)
        FROM {orders} GROUP BY channel, category ORDER BY channel, category""",
    "group by 500,000 groups": """
        SELECT customer_id, count(*), sum(amount) AS spent
        FROM {orders} GROUP BY customer_id ORDER BY spent DESC, customer_id LIMIT 10""",
    "filter on a month and a city": """
        SELECT count(*), sum(amount) FROM {orders}
        WHERE ordered_at >= '2025-03-01 00:00:00+00' AND ordered_at < '2025-04-01 00:00:00+00' AND city = '成都'""",
    "filter on a text": "SELECT count(*) FROM {orders} WHERE comment LIKE '%失望%'",
    "one order": "SELECT customer_id, amount, status FROM {orders} WHERE order_no = '{order_no}'",
    "top 10": "SELECT order_no, amount FROM {orders} ORDER BY amount DESC, order_no LIMIT 10",
    "top 10 whole rows": "SELECT * FROM {orders} ORDER BY ordered_at DESC, order_no LIMIT 10",
    "join": """
        SELECT c.segment, o.status, count(*), sum(o.amount)
        FROM {orders} o JOIN {customers} c ON c.customer_id = o.customer_id
        WHERE c.born_in >= 1990 GROUP BY c.segment, o.status ORDER BY c.segment, o.status""",
}

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00(:00)?")


def _comparable(answer):
    """Values as text that all three systems agree on: DuckDB's worker answers in text, the others in types."""
    def text(value):
        if value is None:
            return ""
        shown = value.astimezone(timezone.utc).isoformat(" ") if isinstance(value, datetime) else str(value)
        if TIME.fullmatch(shown):
            moment, _, fraction = shown.partition("+")[0].partition(".")
            return f"{moment}.{fraction:0<6}"
        try:
            return str(Decimal(shown).normalize())
        except ArithmeticError:
            return shown

    return [[text(value) for value in row] for row in answer]


def _check(name, answers):
    first, *others = (_comparable(answer) for answer in answers)
    if any(other != first for other in others):
        shown = "\n".join(str(answer)[:500] for answer in [first, *others])
        raise RuntimeError(f"the systems disagree on {name}:\n{shown}")


def measure(context):
    context.say("scans of 10 million rows")
    with warehouse.opened(context) as voxhouse, voxhouse.connect() as to_voxhouse, context.worker("duckdb") as duckdb:
        context.ensure_duckdb_orders(duckdb)
        duckdb.measure(sql=f"CREATE VIEW orders AS FROM read_parquet('{context.duckdb_orders}')")
        duckdb.measure(sql=f"CREATE VIEW customers AS FROM read_parquet('{context.data.customers}')")
        order_no = duckdb.measure(sql="SELECT max(order_no) FROM orders WHERE order_no LIKE 'SO5%'").answer[0][0]
        found = {"rows": rows_of.ROWS, "queries": {}}
        for name, sql in QUERIES.items():
            context.say(f"  {name}")
            sql = sql.replace("{order_no}", order_no)
            here = sql.replace("{orders}", "bench.orders").replace("{customers}", "bench.customers")
            there = sql.replace("{orders}", "orders").replace("{customers}", "customers")
            series = context.in_turns({
                "duckdb": lambda _turn: duckdb.measure(sql=there),
                "voxhouse": lambda _turn: voxhouse.measure(to_voxhouse, here),
            }, rounds=5, warm_up=1)
            _check(name, [one.runs[-1].answer for one in series.values()])
            found["queries"][name] = {system: one.summary() for system, one in series.items()}
    context.record("scans", found)


def sample(context):
    rows = rows_of.ROWS // rows_of.SAMPLE_SHARE
    context.say(f"scans of the 10 % sample ({rows} rows)")
    found = {"rows": rows, "queries": {}}
    with warehouse.opened(context) as voxhouse, voxhouse.connect() as to_voxhouse, context.postgres() as postgres, \
            postgres.connect() as to_postgres:
        to_postgres.execute(table_sql("orders", rows_of.COLUMNS))
        to_postgres.execute(table_sql("customers", rows_of.CUSTOMER_COLUMNS, contract=False))
        to_postgres.execute(f"COPY orders FROM '{context.data.sample_csv}' (FORMAT csv, HEADER)")
        to_postgres.execute(f"COPY customers FROM '{context.data.customers_csv}' (FORMAT csv, HEADER)")
        to_postgres.execute("VACUUM ANALYZE")
        order_no = to_postgres.execute("SELECT max(order_no) FROM orders WHERE order_no LIKE 'SO5%'").fetchone()[0]
        for name, sql in QUERIES.items():
            context.say(f"  {name}")
            sql = sql.replace("{order_no}", order_no)
            here = sql.replace("{orders}", "bench.orders_sample").replace("{customers}", "bench.customers")
            there = sql.replace("{orders}", "orders").replace("{customers}", "customers")
            series = context.in_turns({
                "postgres": lambda _turn: postgres.measure(to_postgres, there),
                "voxhouse": lambda _turn: voxhouse.measure(to_voxhouse, here),
            }, rounds=5, warm_up=1)
            _check(name, [one.runs[-1].answer for one in series.values()])
            found["queries"][name] = {system: one.summary() for system, one in series.items()}
    context.record("scans_sample", found)
