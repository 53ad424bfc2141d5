"""psycopg 3."""

import uuid
from datetime import date, datetime, timezone
from decimal import Decimal

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Json
from transcript import SETUP, run, step, where

PLACE = where()
ROW = (
    7, True, 3, -5, 0.5, 0.1, Decimal("99.95"), "it's \\ 好评\n", "v", b"\x00\xff", date(2026, 1, 31),
    datetime(2026, 1, 31, 8, 30), datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=timezone.utc),
    uuid.UUID("123e4567-e89b-12d3-a456-426614174000"), ["a", None, "b c"], [1, 2],
)


def connect(**options):
    return psycopg.connect(
        host=PLACE["pghost"], port=PLACE["pgport"], user=PLACE["pguser"], password=PLACE["pgpassword"],
        dbname=PLACE["pgdatabase"], autocommit=True, **options,
    )


def described(cursor):
    return [
        (column.name, column.type_code, column.internal_size, column.precision, column.scale)
        for column in cursor.description
    ]


@step
def set_up(connection):
    for sql in SETUP:
        connection.execute(sql)


@step
def all_types_in_text(connection):
    cursor = connection.execute("SELECT * FROM kinds ORDER BY id")
    return described(cursor), cursor.fetchall()


@step
def all_types_in_binary(connection):
    cursor = connection.cursor(binary=True)
    return cursor.execute("SELECT * FROM kinds ORDER BY id").fetchall()


@step
def rows_as_dictionaries(connection):
    return connection.cursor(row_factory=dict_row).execute("SELECT id, t FROM kinds ORDER BY id").fetchall()


@step
def insert_of_every_type(connection):
    places = ", ".join(["%s"] * len(ROW))
    status = connection.execute(f"INSERT INTO kinds VALUES ({places})", ROW).statusmessage
    found = connection.execute("SELECT * FROM kinds WHERE id = %s", (7,)).fetchall()
    connection.execute("DELETE FROM kinds WHERE id = %s", (7,))
    return status, found == [ROW], found


@step
def insert_of_every_type_in_binary(connection):
    places = ", ".join(["%b"] * len(ROW))
    connection.execute(f"INSERT INTO kinds VALUES ({places})", ROW)
    found = connection.execute("SELECT * FROM kinds WHERE id = %s", (7,)).fetchall()
    connection.execute("DELETE FROM kinds WHERE id = %s", (7,))
    return found == [ROW], found


@step
def parameters_without_a_column(connection):
    found = []
    for value, sql in [(7, "%s::int8"), ("x", "%s::text"), (1.5, "%s::float8"), (True, "%s::bool"), (None, "%s::text"),
                       (Decimal("1.50"), "%s"), (date(2026, 1, 1), "%s"), (ROW[12], "%s"), (ROW[13], "%s"),
                       (["x", None], "%s"), (b"\0", "%s"), (Json({"a": 1}), "%s::json"), ("x", "%s || 'b'")]:
        found.append(connection.execute(f"SELECT {sql}", (value,)).fetchone())
    return found


@step
def parameters_in_conditions(connection):
    return [
        connection.execute("SELECT count(*) FROM kinds WHERE instant = %s AND amount = %s AND u = %s",
                           (ROW[12], Decimal("12345.60"), ROW[13])).fetchone(),
        connection.execute("SELECT count(*) FROM many WHERE id = ANY(%s)", ([1, 2, 3, 9999],)).fetchone(),
        connection.execute("SELECT name FROM many WHERE price BETWEEN %s AND %s ORDER BY id",
                           (Decimal("1.5"), Decimal("2.1"))).fetchall(),
        connection.execute("SELECT name FROM many ORDER BY id LIMIT %s OFFSET %s", (2, 3)).fetchall(),
        connection.execute("SELECT count(*) FROM many WHERE name LIKE %s", ("name 1%",)).fetchone(),
        connection.execute("SELECT count(*) FROM many WHERE price = %s", (Decimal("0.251"),)).fetchone(),
    ]


@step
def the_same_statement_ten_times(connection):
    found = [connection.execute("SELECT name, price FROM many WHERE id = %s", (n,)).fetchone() for n in range(1, 11)]
    return found


@step
def executemany(connection):
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO written VALUES (%s, %s, %s)",
                           [(n, f"n{n}", Decimal(n) / 4) for n in range(12)])
        counted = cursor.rowcount
    found = connection.execute("SELECT * FROM written ORDER BY id").fetchall()
    connection.execute("DELETE FROM written")
    return counted, found


@step
def pipeline(connection):
    with connection.pipeline():
        answers = [connection.execute("SELECT %s::int8 * 2 AS d", (n,)) for n in range(5)]
        connection.execute("INSERT INTO written VALUES (%s, %s, %s)", (1, "piped", None))
        last = connection.execute("SELECT name FROM written")
    found = [answer.fetchone() for answer in answers], last.fetchall()
    connection.execute("DELETE FROM written")
    return found


@step
def an_error_in_a_pipeline(connection):
    try:
        with connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("SELECT absent")
            connection.execute("SELECT 2")
    except psycopg.Error as error:
        found = error.sqlstate
    return found, connection.execute("SELECT 3").fetchone()


@step
def rows_one_by_one(connection):
    cursor = connection.cursor()
    return sum(row[0] for row in cursor.stream("SELECT id FROM many ORDER BY id"))


@step
def a_named_cursor(connection):
    with connection.transaction(), connection.cursor(name="named") as cursor:
        cursor.itersize = 700
        cursor.execute("SELECT id, name FROM many ORDER BY id")
        first, some = cursor.fetchone(), cursor.fetchmany(3)
        count = sum(1 for _ in cursor)
        return described(cursor), first, some, count


@step
def a_scrollable_cursor(connection):
    with connection.transaction(), connection.cursor(name="scrolled", scrollable=True) as cursor:
        cursor.execute("SELECT id FROM many WHERE id <= %s ORDER BY id", (20,))
        ahead = cursor.fetchmany(5)
        cursor.scroll(-3)
        back = cursor.fetchmany(2)
        cursor.scroll(10, mode="absolute")
        return ahead, back, cursor.fetchone()


@step
def a_cursor_with_hold(connection):
    with connection.cursor(name="held", withhold=True) as cursor:
        cursor.execute("SELECT id FROM many ORDER BY id")
        return cursor.fetchmany(2), cursor.fetchmany(2)


@step
def a_transaction_that_fails(connection):
    found = []
    connection.execute("BEGIN")
    for sql in ("SELECT 1", "SELECT * FROM absent", "SELECT 1", "ROLLBACK", "SELECT 1"):
        try:
            found.append(connection.execute(sql).statusmessage)
        except psycopg.Error as error:
            found.append(error.sqlstate)
    return found, connection.info.transaction_status.name


@step
def savepoints(connection):
    with connection.transaction():
        try:
            with connection.transaction():
                connection.execute("SELECT 1 / 0")
        except psycopg.errors.DivisionByZero as error:
            found = error.sqlstate
        return found, connection.execute("SELECT 1").fetchone()


@step
def a_transaction_that_writes(connection):
    with connection.transaction():
        connection.execute("INSERT INTO written VALUES (1, 'kept', 1)")
        seen = connection.execute("SELECT name FROM written").fetchall()
    try:
        with connection.transaction():
            connection.execute("INSERT INTO written VALUES (2, 'gone', 1)")
            raise KeyError
    except KeyError:
        pass
    found = connection.execute("SELECT name FROM written").fetchall()
    connection.execute("DELETE FROM written")
    return seen, found


@step
def copy_out(connection):
    with connection.cursor().copy("COPY (SELECT * FROM many WHERE id < 4 ORDER BY id) TO STDOUT") as copy:
        text = b"".join(copy)
    with connection.cursor().copy("COPY (SELECT id, price, day FROM many WHERE id < 4 ORDER BY id)"
                                  " TO STDOUT (FORMAT binary)") as copy:
        copy.set_types(["int8", "numeric", "date"])
        return text, list(copy.rows())


@step
def copy_in(connection):
    cursor = connection.cursor()
    with cursor.copy("COPY written FROM STDIN") as copy:
        copy.write_row((1, "a\tb\n\\", Decimal("1.50")))
        copy.write_row((2, None, None))
    with cursor.copy("COPY written FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int4", "text", "numeric"])
        copy.write_row((3, "好评", Decimal("-2.25")))
    found = connection.execute("SELECT * FROM written ORDER BY id").fetchall()
    connection.execute("DELETE FROM written")
    return cursor.rowcount, found


@step
def errors(connection):
    connection.execute("DROP TABLE IF EXISTS keyed")
    connection.execute("CREATE TABLE keyed (id int PRIMARY KEY, n smallint CHECK (n > 0), t text NOT NULL)")
    connection.execute("INSERT INTO keyed VALUES (1, 1, 'x')")
    found = []
    for sql, values in [
        ("SELECT * FROM absent", None), ("SELECT absent FROM keyed", None), ("SELECT absent(1)", None),
        ("SELEKT 1", None), ("CREATE TABLE keyed (a int)", None), ("CREATE TABLE absent.t (a int)", None),
        ("INSERT INTO keyed VALUES (1, 1, 'y')", None), ("INSERT INTO keyed VALUES (2, -1, 'y')", None),
        ("INSERT INTO keyed VALUES (2, 1, NULL)", None), ("SELECT 'x'::int", None), ("SELECT 1 / 0", None),
        ("INSERT INTO keyed VALUES (3, 100000, 'y')", None), ("SET absent = 1", None),
        ("SELECT %s::int", ("x",)), ("SELECT %s::date", ("2026-02-30",)), ("SELECT * FROM keyed WHERE id = %s", ("x",)),
        ("SELECT 1; SELECT %s", (1,)), ("SELECT sum(t) FROM keyed", None), ("SELECT t, count(*) FROM keyed", None),
        ("INSERT INTO keyed VALUES (1, 2)", None), ("INSERT INTO keyed (id, id) VALUES (1, 2)", None),
    ]:
        try:
            connection.execute(sql, values)
            found.append((sql, "no error"))
        except psycopg.Error as error:
            found.append((sql, type(error).__name__, error.sqlstate))
    return found


@step
def times_follow_the_zone(connection):
    connection.execute("SET TIME ZONE 'Asia/Shanghai'")
    text = connection.execute("SELECT instant, instant::text FROM kinds ORDER BY id LIMIT 1").fetchone()
    return text, connection.info.parameter_status("TimeZone")


@step
def what_the_server_reports(connection):
    names = ("server_encoding", "client_encoding", "DateStyle", "IntervalStyle", "integer_datetimes",
             "standard_conforming_strings", "is_superuser", "session_authorization", "in_hot_standby")
    return [connection.info.parameter_status(name) for name in names], connection.info.server_version // 10000


@step
def an_empty_query(connection):
    return connection.execute("").statusmessage, connection.execute("-- nothing").statusmessage


@step
def several_results(connection):
    cursor = connection.execute("SELECT 1; SELECT 'two'")
    found = [cursor.fetchall()]
    while cursor.nextset():
        found.append(cursor.fetchall())
    return found


@step
def types_looked_up_by_name(connection):
    from psycopg.types import TypeInfo

    found = TypeInfo.fetch(connection, "uuid")
    return found.name, found.oid, found.array_oid, TypeInfo.fetch(connection, "no_such_type")


run(connect, lambda error: getattr(error, "sqlstate", None))
