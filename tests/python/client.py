"""Checks of a running Voxhouse with psycopg 3: python3 client.py PORT, the password in PGPASSWORD."""

import sys
import threading
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

try:
    import psycopg
    from psycopg import errors
    from psycopg.types.json import Json
except ImportError:
    sys.exit("psycopg 3 is missing: run ./test, or pip install 'psycopg[binary]' and set VOXHOUSE_PYTHON")

ENDLESS = "SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b"
INSTANT = datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=timezone.utc)


def connect(**options):
    return psycopg.connect(
        host="127.0.0.1", port=int(sys.argv[1]), user="voxhouse", dbname="voxhouse", autocommit=True, **options
    )


def raises(error, connection, sql, parameters=None):
    try:
        connection.execute(sql, parameters)
    except error as found:
        return found
    raise AssertionError(f"{error.__name__} was not raised by {sql}")


def values_of_every_type(connection):
    connection.execute(
        "CREATE TABLE kinds (id bigint, ok boolean, n integer, f double precision, amount numeric(18,2), t text,"
        " b bytea, day date, at timestamp, instant timestamptz, u uuid, words text[], numbers bigint[], j json)"
    )
    row = (
        2**40, True, -5, 0.1, Decimal("12345.67"), "it's \\ 好评\n", b"\x00\xff", date(2026, 1, 31),
        datetime(2026, 1, 31, 8, 30), INSTANT, uuid.UUID("123e4567-e89b-12d3-a456-426614174000"),
        ["a", None, "b c"], [1, 2], Json({"a": [1, None]}),
    )
    places = ", ".join(["%s"] * len(row))
    connection.execute(f"INSERT INTO kinds VALUES ({places})", row)
    connection.execute(f"INSERT INTO kinds VALUES ({places})", (None,) * len(row))
    expected = row[:-1] + ({"a": [1, None]},)
    for binary in (False, True):
        cursor = connection.cursor(binary=binary)
        cursor.execute("SELECT * FROM kinds ORDER BY id")
        assert cursor.rowcount == 2
        found, empty = cursor.fetchall()
        assert found == expected, (binary, found)
        assert empty == (None,) * len(row), empty
        names = [column.name for column in cursor.description]
        assert names[:3] == ["id", "ok", "n"], names
    binary = connection.cursor()
    binary.execute(f"INSERT INTO kinds VALUES ({', '.join(['%b'] * (len(row) - 1))}, NULL)", row[:-1])
    assert binary.rowcount == 1
    found = connection.execute("SELECT count(*) FROM kinds WHERE instant = %s AND amount = %s", (INSTANT, row[4])).fetchone()
    assert found == (2,), found


def parameters_without_a_column(connection):
    for value, sql in [(7, "%s::int8"), ("x", "%s::text"), (1.5, "%s::float8"), (True, "%s::bool"), (None, "%s::text")]:
        found = connection.execute(f"SELECT {sql}", (value,)).fetchone()
        assert found == (value,), (sql, found)
    assert connection.execute("SELECT %s || 'b'", ("a",)).fetchone() == ("ab",)
    assert connection.execute("SELECT %s + 1", (2,)).fetchone() == (3,)
    assert connection.execute("SELECT 1 WHERE 'x' = ANY(%s)", (["x", "y"],)).fetchone() == (1,)


def many_rows(connection):
    connection.execute("CREATE TABLE many (id bigint, name text)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO many VALUES (%s, %s)", [(n, f"n{n}") for n in range(12)])
        assert cursor.rowcount == 12, cursor.rowcount
    # The same statement often enough to be prepared.
    for n in range(8):
        assert connection.execute("SELECT name FROM many WHERE id = %s", (n,)).fetchone() == (f"n{n}",)
    with connection.pipeline():
        answers = [connection.execute("SELECT %s::int8 * 2", (n,)) for n in range(5)]
    assert [answer.fetchone()[0] for answer in answers] == [0, 2, 4, 6, 8]
    cursor = connection.cursor()
    numbers = [row[0] for row in cursor.stream("SELECT i FROM generate_series(1, 30000) AS g(i)")]
    assert numbers == list(range(1, 30001))
    assert connection.execute("UPDATE many SET name = 'x' WHERE id < %s", (3,)).rowcount == 3
    assert connection.execute("DELETE FROM many WHERE name = %s", ("x",)).rowcount == 3


def copies(connection):
    connection.execute("CREATE TABLE copied (id bigint, name text, amount numeric(18,2), at timestamptz, words text[])")
    rows = [(n, f"n\t{n}\\\n'\"", Decimal(n) / 4, INSTANT, ["a", None]) for n in range(5000)] + [(None,) * 5]
    types = ["int8", "text", "numeric", "timestamptz", "text[]"]
    for options in ("", " (FORMAT binary)"):
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY copied FROM STDIN{options}") as copy:
                copy.set_types(types)
                for row in rows:
                    copy.write_row(row)
            assert cursor.rowcount == len(rows), cursor.rowcount
            with cursor.copy(f"COPY (SELECT * FROM copied ORDER BY id NULLS LAST) TO STDOUT{options}") as copy:
                copy.set_types(types)
                assert list(copy.rows()) == rows, options
            assert cursor.rowcount == len(rows), cursor.rowcount
        connection.execute("TRUNCATE copied")
    try:
        with connection.cursor().copy("COPY copied (id, name) FROM STDIN") as copy:
            copy.write("1\tx\ntwo\ty\n")
    except errors.InvalidTextRepresentation as error:
        assert error.diag.context == 'COPY copied, line 2, column id: "two"', error.diag.context
    else:
        raise AssertionError("a bad line was taken")
    try:
        with connection.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write("1\tx\t1\t2026-01-01 00:00:00+00\t{a}\n" * 10000)
            raise ZeroDivisionError("the client gives up")
    except ZeroDivisionError:
        pass
    assert connection.execute("SELECT count(*) FROM copied").fetchone() == (0,)


def error_classes(connection):
    connection.execute("CREATE TABLE keyed (id int PRIMARY KEY, n smallint CHECK (n > 0), t text NOT NULL)")
    connection.execute("INSERT INTO keyed VALUES (1, 1, 'x')")
    for error, sql in [
        (errors.UndefinedTable, "SELECT * FROM absent"),
        (errors.UndefinedColumn, "SELECT absent FROM keyed"),
        (errors.UndefinedFunction, "SELECT absent(1)"),
        (errors.SyntaxError, "SELEKT 1"),
        (errors.DuplicateTable, "CREATE TABLE keyed (a int)"),
        (errors.InvalidSchemaName, "CREATE TABLE absent.t (a int)"),
        (errors.UniqueViolation, "INSERT INTO keyed VALUES (1, 1, 'y')"),
        (errors.CheckViolation, "INSERT INTO keyed VALUES (2, -1, 'y')"),
        (errors.NotNullViolation, "INSERT INTO keyed VALUES (2, 1, NULL)"),
        (errors.InvalidTextRepresentation, "SELECT 'x'::int"),
        (errors.DivisionByZero, "SELECT 1 / 0"),
        (errors.NumericValueOutOfRange, "INSERT INTO keyed VALUES (3, 100000, 'y')"),
        (errors.FeatureNotSupported, "CREATE UNIQUE INDEX i ON keyed (id)"),
        (errors.UndefinedObject, "SET absent = 1"),
    ]:
        raises(error, connection, sql)
    found = raises(errors.UniqueViolation, connection, "INSERT INTO keyed VALUES (%s, 1, 'y')", (1,))
    assert found.diag.severity == "ERROR" and "(id)=(1)" in found.diag.message_detail, found.diag.message_detail
    assert connection.execute("SELECT count(*) FROM keyed").fetchone() == (1,)


def transactions(connection):
    with connection.transaction():
        assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.execute("BEGIN")
    raises(errors.UndefinedTable, connection, "SELECT * FROM absent")
    raises(errors.InFailedSqlTransaction, connection, "SELECT 1")
    connection.execute("ROLLBACK")
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def cancelled(connection):
    stop = threading.Event()

    def cancel():
        while not stop.wait(0.1):
            connection.cancel_safe()

    thread = threading.Thread(target=cancel)
    thread.start()
    try:
        raises(errors.QueryCanceled, connection, ENDLESS)
    finally:
        stop.set()
        thread.join()
    with connect(options="-c statement_timeout=300") as limited:
        raises(errors.QueryCanceled, limited, ENDLESS)
        assert limited.execute("SELECT 1").fetchone() == (1,)


def times_follow_the_zone(connection):
    connection.execute("SET TIME ZONE 'Asia/Shanghai'")
    found = connection.execute("SELECT timestamptz '2026-01-01 00:00:00+00'").fetchone()[0]
    assert found.utcoffset() == timedelta(hours=8) and found == datetime(2026, 1, 1, tzinfo=timezone.utc), found
    connection.execute("RESET ALL")


def log_in():
    try:
        psycopg.connect(host="127.0.0.1", port=int(sys.argv[1]), user="voxhouse", dbname="voxhouse", password="guess")
    except psycopg.OperationalError as error:
        assert "password authentication failed" in str(error), error
    else:
        raise AssertionError("a wrong password was taken")


def main():
    log_in()
    with connect() as connection:
        assert connection.info.server_version >= 150000
        for check in (
            values_of_every_type, parameters_without_a_column, many_rows, copies, error_classes, transactions,
            times_follow_the_zone, cancelled,
        ):
            print(check.__name__, flush=True)
            check(connection)
    print("all checks passed")


if __name__ == "__main__":
    main()
