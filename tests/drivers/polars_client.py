"""polars: frames by address through connectorx and ADBC, by a connection of SQLAlchemy, and written back."""

from datetime import date, datetime, timezone
from decimal import Decimal

import polars as pl
import sqlalchemy as sa
from transcript import SETUP, SHOP, engine, polars_frame, run, sqlalchemy_code, step, uri

ENGINE = engine()
KINDS = "SELECT id, ok, small, n, r, f, amount, t, v, b, day, at, instant FROM kinds ORDER BY id"
MADE = pl.DataFrame({
    "id": pl.Series([1, 2, 3], dtype=pl.Int64), "small": pl.Series([1, None, -3], dtype=pl.Int16), "name": ["a", None, "it's 好评"],
    "ratio": [0.1, None, 1e300], "ok": [True, None, False], "day": [date(2026, 1, 31), None, date(1970, 1, 1)],
    "at": [datetime(2026, 1, 31, 8, 30, 0, 500), None, datetime(1999, 12, 31)],
    "instant": pl.Series([datetime(2026, 1, 31, tzinfo=timezone.utc), None, None], dtype=pl.Datetime("us", "UTC")),
})
PRICED = MADE.select("id", "name", amount=pl.Series([Decimal("1.50"), None, Decimal("-2.25")], dtype=pl.Decimal(18, 2)))


@step
def set_up(connection):
    for sql in SETUP + SHOP:
        connection.exec_driver_sql(sql)
    connection.commit()


def by_engine(work):
    """The step with each engine, by its name."""
    for name in ("connectorx", "adbc"):
        def one(connection, name=name):
            return work(connection, name)
        one.__name__ = f"{work.__name__}_{name}"
        step(one)


@by_engine
def read_by_address(connection, name):
    return polars_frame(pl.read_database_uri(KINDS, uri(), engine=name))


@by_engine
def read_arrays(connection, name):
    return polars_frame(pl.read_database_uri("SELECT id, words, numbers FROM kinds ORDER BY id", uri(), engine=name))


@by_engine
def read_totals(connection, name):
    return polars_frame(pl.read_database_uri(
        "SELECT category, count(*) AS n, sum(amount) AS total, max(ordered_at) AS last FROM shop.orders GROUP BY category"
        " ORDER BY category", uri(), engine=name))


@by_engine
def write_by_engine(connection, name):
    writer = "sqlalchemy" if name == "connectorx" else name
    target = connection if writer == "sqlalchemy" else uri()
    counts = [MADE.write_database("made", target, engine=writer, if_table_exists=mode) for mode in ("replace", "append")]
    connection.commit()
    return counts, polars_frame(pl.read_database("SELECT * FROM made ORDER BY id", connection))


@by_engine
def write_decimals(connection, name):
    writer = "sqlalchemy" if name == "connectorx" else name
    PRICED.write_database("priced", connection if writer == "sqlalchemy" else uri(), engine=writer, if_table_exists="replace")
    connection.commit()
    return polars_frame(pl.read_database("SELECT * FROM priced ORDER BY id", connection))


@step
def read_in_partitions(connection):
    found = pl.read_database_uri("SELECT id, price FROM many", uri(), engine="connectorx", partition_on="id", partition_num=3)
    return found.height, found["id"].sum(), repr(found.schema)


@step
def read_by_a_connection(connection):
    return polars_frame(pl.read_database(KINDS, connection))


@step
def read_by_a_connection_with_parameters(connection):
    return polars_frame(pl.read_database(sa.text("SELECT id, name FROM many WHERE id < :n ORDER BY id"), connection,
                                         execute_options={"parameters": {"n": 3}}))


@step
def read_in_batches(connection):
    batches = pl.read_database("SELECT id, price FROM many ORDER BY id", connection, iter_batches=True, batch_size=1000)
    return [(batch.height, batch["id"].sum()) for batch in batches]


@step
def read_with_given_types(connection):
    return polars_frame(pl.read_database("SELECT order_id, amount, quantity FROM shop.orders ORDER BY order_id, line", connection,
                                         schema_overrides={"amount": pl.Decimal(18, 2), "quantity": pl.Int16}))


@step
def write_what_is_there(connection):
    MADE.write_database("made", connection, if_table_exists="fail")


@step
def write_to_a_schema(connection):
    MADE.write_database("shop.made", connection, if_table_exists="replace")
    connection.commit()
    found = polars_frame(pl.read_database("SELECT id, name FROM shop.made ORDER BY id", connection))
    connection.exec_driver_sql("DROP TABLE shop.made")
    connection.commit()
    return found


run(ENGINE.connect, sqlalchemy_code)
