"""pandas over SQLAlchemy: a frame there and back, with its types."""

import datetime
from decimal import Decimal

import pandas as pd
import sqlalchemy as sa
from transcript import SETUP, SHOP, engine, frame, run, sqlalchemy_code, step

ENGINE = engine()
MADE = pd.DataFrame({
    "id": [1, 2, 3], "small": pd.array([1, None, -3], dtype="Int32"), "name": ["a", None, "it's 好评 %s :x \\"],
    "ratio": [0.1, float("nan"), 1e300], "ok": [True, False, True], "at": pd.to_datetime(
        ["2026-01-31 08:30:00.5", None, "1999-12-31 23:59:59.999999"], format="ISO8601"),
    "instant": pd.to_datetime(["2026-01-31T08:30:00+08:00", "2026-02-01T00:00:00Z", None], utc=True, format="ISO8601"),
    "day": [datetime.date(2026, 1, 31), None, datetime.date(1970, 1, 1)], "amount": [Decimal("1.50"), None, Decimal("-2.25")],
})
TYPES = {"day": sa.Date, "amount": sa.Numeric(18, 2), "small": sa.SmallInteger, "name": sa.String(40)}


def stored(connection, name="made"):
    columns = [(column["name"], str(column["type"]), column["nullable"]) for column in sa.inspect(connection).get_columns(name)]
    return columns, frame(pd.read_sql(f"SELECT * FROM {name} ORDER BY id", connection))


@step
def set_up(connection):
    for sql in SETUP + SHOP:
        connection.exec_driver_sql(sql)
    connection.commit()


@step
def read_every_type(connection):
    found = frame(pd.read_sql("SELECT * FROM kinds ORDER BY id", connection))
    return found


@step
def read_with_types_of_arrow(connection):
    sql = "SELECT id, ok, small, n, f, t, day, at FROM kinds ORDER BY id"
    return (frame(pd.read_sql(sql, connection, dtype_backend="numpy_nullable")),
            frame(pd.read_sql(sql, connection, dtype_backend="pyarrow")))


@step
def read_with_parsed_dates(connection):
    return (frame(pd.read_sql("SELECT id, day, at, instant FROM kinds ORDER BY id", connection, index_col="id",
                              parse_dates=["day", "at", "instant"])),
            frame(pd.read_sql("SELECT day, t FROM kinds ORDER BY id", connection, parse_dates={"day": "%Y-%m-%d"})))


@step
def read_numbers_as_floats(connection):
    sql = "SELECT category, amount, quantity FROM shop.orders ORDER BY order_id, line"
    return frame(pd.read_sql_query(sql, connection, coerce_float=False)), frame(pd.read_sql_query(sql, connection))


@step
def read_with_parameters(connection):
    return (frame(pd.read_sql(sa.text("SELECT name, price FROM many WHERE id = :id AND name LIKE :like"), connection,
                              params={"id": 7, "like": "name%"})),
            frame(pd.read_sql("SELECT name FROM many WHERE id = ANY(%(ids)s) ORDER BY id", connection, params={"ids": [3, 5]})))


@step
def read_in_chunks(connection):
    found = [len(chunk) for chunk in pd.read_sql("SELECT * FROM many ORDER BY id", connection, chunksize=1000)]
    streamed = connection.execution_options(stream_results=True)
    return found, [(len(chunk), str(chunk["price"].sum())) for chunk in
                   pd.read_sql("SELECT * FROM many ORDER BY id", streamed, chunksize=1000)]


@step
def read_a_table(connection):
    return (frame(pd.read_sql_table("customers", connection, schema="shop").sort_values("customer_id", ignore_index=True)),
            frame(pd.read_sql_table("orders", connection, schema="shop", columns=["category", "amount"],
                                    index_col=["order_id", "line"]).sort_index()))


@step
def read_a_view(connection):
    return frame(pd.read_sql_table("totals", connection, schema="shop").sort_values("customer_id", ignore_index=True))


@step
def totals_by_sql(connection):
    return frame(pd.read_sql("SELECT category, count(*) AS n, sum(amount) AS total, avg(quantity) AS mean,"
                             " max(ordered_at) AS last FROM shop.orders GROUP BY category ORDER BY category", connection))


@step
def write(connection):
    count = MADE.to_sql("made", connection, index=False)
    connection.commit()
    return count, stored(connection)


@step
def write_with_types_by_multi(connection):
    count = MADE.to_sql("typed", connection, index=False, dtype=TYPES, method="multi", chunksize=2)
    connection.commit()
    return count, stored(connection, "typed")


@step
def write_with_an_index(connection):
    MADE.set_index("id").to_sql("indexed", connection, index_label="id")
    connection.commit()
    return stored(connection, "indexed")


@step
def append(connection):
    count = MADE.head(2).to_sql("made", connection, if_exists="append", index=False)
    connection.commit()
    return count, frame(pd.read_sql("SELECT id, name FROM made ORDER BY id", connection))


@step
def write_what_is_there(connection):
    MADE.to_sql("made", connection, if_exists="fail")


@step
def write_to_another_schema(connection):
    MADE.to_sql("made", connection, schema="shop", index=False, dtype=TYPES)
    connection.commit()
    found = frame(pd.read_sql_table("made", connection, schema="shop").sort_values("id", ignore_index=True))
    connection.exec_driver_sql("DROP TABLE shop.made")
    connection.commit()
    return found


@step
def write_many(connection):
    many = pd.DataFrame({"id": range(3000), "word": [f"w{n}" for n in range(3000)], "x": [n / 7 for n in range(3000)]})
    counts = [many.to_sql("large", connection, if_exists=there, index=False, method=method, chunksize=1000)
              for there, method in (("fail", None), ("append", "multi"))]
    connection.commit()
    back = pd.read_sql("SELECT DISTINCT * FROM large ORDER BY id", connection)
    return counts, back.equals(many), [str(kind) for kind in back.dtypes]


@step
def write_by_copy(connection):
    """The recipe of pandas' manual: a method that sends the rows as CSV by COPY."""
    import csv
    import io

    def by_copy(table, connection, keys, rows):
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        text.seek(0)
        columns = ", ".join(f'"{key}"' for key in keys)
        with connection.connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table.name} ({columns}) FROM STDIN WITH CSV", text)

    MADE.drop(columns="ratio").to_sql("by_copy", connection, index=False, dtype=TYPES, method=by_copy)
    connection.commit()
    return stored(connection, "by_copy")


@step
def replace_inside_a_transaction(connection):
    with connection.begin():
        MADE.to_sql("made", connection, if_exists="replace", index=False, dtype=TYPES)
        MADE.to_sql("made", connection, if_exists="append", index=False)
    try:
        with connection.begin():
            MADE.to_sql("made", connection, if_exists="replace", index=False, dtype=TYPES)
            raise KeyError
    except KeyError:
        pass
    return connection.scalar(sa.text("SELECT count(*) FROM made"))


@step
def delete_rows_and_write(connection):
    MADE.to_sql("made", connection, if_exists="delete_rows", index=False)
    connection.commit()
    return connection.scalar(sa.text("SELECT count(*) FROM made"))


run(ENGINE.connect, sqlalchemy_code)
