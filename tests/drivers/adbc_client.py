"""ADBC's driver for PostgreSQL: results, parameters and loads in Arrow, over COPY in the binary format."""

from datetime import date, datetime, timezone
from decimal import Decimal

import adbc_driver_postgresql.dbapi as dbapi
import pyarrow as pa
from transcript import SETUP, SHOP, arrow, run, step, uri

MADE = pa.table({
    "id": pa.array([1, 2, 3], pa.int64()), "small": pa.array([1, None, -3], pa.int16()), "n": pa.array([1, None, 3], pa.int32()),
    "name": pa.array(["a", None, "it's 好评\t\\"]), "ratio": pa.array([0.1, None, float("inf")], pa.float64()),
    "r": pa.array([0.5, None, -1.5], pa.float32()), "ok": pa.array([True, None, False]),
    "day": pa.array([date(2026, 1, 31), None, date(1969, 12, 31)]),
    "at": pa.array([datetime(2026, 1, 31, 8, 30, 0, 500), None, datetime(1999, 12, 31)], pa.timestamp("us")),
    "instant": pa.array([datetime(2026, 1, 31, tzinfo=timezone.utc), None, None], pa.timestamp("us", "UTC")),
    "raw": pa.array([b"\x00\xff", None, b""], pa.binary()),
    "words": pa.array([["a", None, "b c"], None, []], pa.list_(pa.string())),
    "amount": pa.array([Decimal("1.50"), None, Decimal("-2.25")], pa.decimal128(18, 2)),
})


def connect():
    return dbapi.connect(uri(), autocommit=True)


def ask(connection, sql, values=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return arrow(cursor.fetch_arrow_table())


@step
def set_up(connection):
    with connection.cursor() as cursor:
        for sql in SETUP + SHOP:
            cursor.execute(sql)


def column(name):
    def one_type(connection):
        return ask(connection, f"SELECT {name} FROM kinds ORDER BY id")
    one_type.__name__ = "type_of_" + name
    return step(one_type)


for name in ("id", "ok", "small", "n", "r", "f", "amount", "t", "v", "b", "day", "at", "instant", "u", "words", "numbers"):
    column(name)


@step
def types_of_expressions(connection):
    return [ask(connection, sql) for sql in (
        "SELECT 1 AS n, 2::bigint AS b, 'x' AS w, true AS t, 1.5::float8 AS f, NULL AS nothing, '1 day'::interval AS i",
        "SELECT count(*) AS n, sum(id) AS s, avg(price) AS a, min(day) AS d, max(name) AS m FROM many",
        "SELECT price FROM many ORDER BY id LIMIT 2", "SELECT ARRAY[1, 2] AS a, '{\"a\": 1}'::json AS j, current_date - current_date AS z",
    )]


@step
def schema_without_rows(connection):
    with connection.cursor() as cursor:
        schema = cursor.adbc_execute_schema("SELECT * FROM shop.orders")
        return [(one.name, str(one.type)) for one in schema], ask(connection, "SELECT * FROM kinds WHERE false")


@step
def many_rows(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name, price FROM many ORDER BY id")
        table = cursor.fetch_arrow_table()
        return table.num_rows, table.column("id").to_pylist() == list(range(1, 2501)), arrow(table.slice(2498))


@step
def in_record_batches(connection):
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": "20000"})
        cursor.execute("SELECT id FROM many ORDER BY id")
        batches = list(cursor.fetch_record_batch())
        return len(batches) > 1, sum(batch.num_rows for batch in batches)


@step
def without_copy(connection):
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
        cursor.execute("SELECT id, n, t, amount, day, instant, words FROM kinds ORDER BY id")
        return arrow(cursor.fetch_arrow_table())


@step
def rows_of_the_dbapi(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name, price, day FROM many ORDER BY id LIMIT 3")
        return [(one[0], str(one[1])) for one in cursor.description], cursor.fetchone(), cursor.fetchall(), cursor.rowcount


@step
def parameters(connection):
    return [ask(connection, sql, values) for sql, values in (
        ("SELECT name, price FROM many WHERE id = $1", (7,)),
        ("SELECT count(*) AS n FROM many WHERE name = $1 OR id < $2", ("name 9", 3)),
        ("SELECT $1::float8 AS f, $2::text AS t, $3::bool AS b", (1.5, "好评", True)),
        ("SELECT id FROM kinds WHERE day = $1", (date(2026, 1, 31),)),
        ("SELECT id FROM kinds WHERE at < $1", (datetime(2030, 1, 1),)),
        ("SELECT id FROM kinds WHERE b = $1", (b"\x00\xff\\",)),
        ("SELECT id FROM many WHERE id = ANY($1) ORDER BY id", ([3, 1],)),
    )]


@step
def many_parameters(connection):
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO written VALUES ($1, $2, $3::numeric)", [(1, "a", "1.5"), (2, None, None)])
        found = cursor.rowcount, ask(connection, "SELECT * FROM written ORDER BY id")
        cursor.execute("DELETE FROM written")
        return found


@step
def ingest(connection):
    with connection.cursor() as cursor:
        counts = [cursor.adbc_ingest("made", MADE, mode=mode) for mode in ("create", "append", "replace", "create_append")]
    return counts, ask(connection, "SELECT * FROM made ORDER BY id")


@step
def ingest_what_is_there(connection):
    with connection.cursor() as cursor:
        cursor.adbc_ingest("made", MADE, mode="create")


@step
def ingest_into_what_is_not_there(connection):
    with connection.cursor() as cursor:
        cursor.adbc_ingest("absent", MADE, mode="append")


@step
def ingest_into_a_schema(connection):
    with connection.cursor() as cursor:
        cursor.adbc_ingest("made", MADE, mode="create", db_schema_name="shop")
        found = ask(connection, "SELECT id, name FROM shop.made ORDER BY id")
        cursor.execute("DROP TABLE shop.made")
        return found


@step
def ingest_a_temporary_table(connection):
    with connection.cursor() as cursor:
        cursor.adbc_ingest("passing", MADE, mode="create", temporary=True)
        return ask(connection, "SELECT count(*) AS n FROM passing")


@step
def ingest_many_rows(connection):
    many = pa.table({"id": list(range(50_000)), "word": [f"w{n}" for n in range(50_000)]})
    with connection.cursor() as cursor:
        count = cursor.adbc_ingest("large", many.to_reader(max_chunksize=7000), mode="create")
    return count, ask(connection, "SELECT count(*) AS n, sum(id) AS s, max(word) AS w FROM large")


@step
def ingest_that_a_key_refuses(connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE keyed (id bigint PRIMARY KEY, name text)")
        try:
            cursor.adbc_ingest("keyed", pa.table({"id": [1, 1], "name": ["a", "b"]}), mode="append")
        except dbapi.Error as error:
            return type(error).__name__, error.sqlstate, ask(connection, "SELECT count(*) AS n FROM keyed")


@step
def transactions(connection):
    with dbapi.connect(uri()) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("written", pa.table({"id": pa.array([1], pa.int32()), "name": ["gone"]}), mode="append")
        connection.rollback()
        cursor.execute("INSERT INTO written VALUES (2, 'kept')")
        connection.commit()
        found = ask(connection, "SELECT id, name FROM written")
        cursor.execute("DELETE FROM written")
        connection.commit()
        return found


def ours(found):
    """What there is in the schema of the test; the catalogue and other schemas are named by each server."""
    return [schema for catalogue in found.to_pylist() for schema in catalogue["catalog_db_schemas"] or []
            if schema["db_schema_name"] in ("shop", "public")]


@step
def objects_to_schemas(connection):
    return sorted(schema["db_schema_name"] for schema in ours(connection.adbc_get_objects(depth="db_schemas").read_all()))


@step
def objects_to_tables(connection):
    found = ours(connection.adbc_get_objects(depth="tables", db_schema_filter="shop").read_all())
    return [sorted((table["table_name"], table["table_type"]) for table in schema["db_schema_tables"]) for schema in found]


@step
def objects_to_columns(connection):
    found = ours(connection.adbc_get_objects(depth="all", db_schema_filter="shop", table_name_filter="orders").read_all())
    return [sorted(((key, value) for key, value in one.items() if value is not None and key != "xdbc_type_name"), key=repr)
            for schema in found for table in schema["db_schema_tables"] for one in table["table_columns"]]


@step
def objects_to_constraints(connection):
    found = ours(connection.adbc_get_objects(depth="all", db_schema_filter="shop", table_types_filter=["table"]).read_all())
    return sorted((table["table_name"], sorted(table["table_constraints"] or [], key=repr))
                  for schema in found for table in schema["db_schema_tables"])


@step
def objects_by_column(connection):
    found = ours(connection.adbc_get_objects(depth="all", column_name_filter="amount", db_schema_filter="shop").read_all())
    return sorted((table["table_name"], [one["column_name"] for one in table["table_columns"]])
                  for schema in found for table in schema["db_schema_tables"])


@step
def schema_of_a_table(connection):
    return [[(one.name, str(one.type)) for one in connection.adbc_get_table_schema(name, db_schema_filter="shop")]
            for name in ("customers", "orders", "Odd Names", "totals")]


@step
def schema_of_what_is_not_there(connection):
    connection.adbc_get_table_schema("absent", db_schema_filter="shop")


@step
def types_and_vendor(connection):
    told = connection.adbc_get_info()
    return sorted(connection.adbc_get_table_types()), told["vendor_name"], told["driver_name"]


@step
def errors(connection):
    found = []
    for sql in ("SELECT * FROM absent", "SELECT absent FROM many", "SELEKT 1", "SELECT 1/0", "SELECT 'x'::int"):
        try:
            ask(connection, sql)
        except dbapi.Error as error:
            found.append((sql, type(error).__name__, error.sqlstate))
    return found


def told(error):
    """The code, or what the driver says when it keeps the code for itself; never the place in the server."""
    return getattr(error, "sqlstate", None) or str(error).split("CONTEXT:")[0].split("Query was:")[0]


run(connect, told)
