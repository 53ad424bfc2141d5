"""psycopg 2: the simple protocol and text throughout."""

import uuid
from datetime import date, datetime, timezone
from decimal import Decimal

import psycopg2
import psycopg2.extras
from transcript import SETUP, run, step, where

PLACE = where()
psycopg2.extras.register_uuid()


def connect():
    connection = psycopg2.connect(
        host=PLACE["pghost"], port=PLACE["pgport"], user=PLACE["pguser"], password=PLACE["pgpassword"],
        dbname=PLACE["pgdatabase"],
    )
    connection.autocommit = True
    return connection


def ask(connection, sql, values=None):
    cursor = connection.cursor()
    cursor.execute(sql, values)
    return cursor.fetchall()


@step
def set_up(connection):
    cursor = connection.cursor()
    for sql in SETUP:
        cursor.execute(sql)


@step
def all_types(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM kinds ORDER BY id")
    described = [(c.name, c.type_code, c.internal_size, c.precision, c.scale, c.table_column) for c in cursor.description]
    plain = [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in cursor]
    return described, plain


@step
def values_in_place(connection):
    return ask(
        connection,
        "SELECT %s, %s, %s, %s, %s, %s::date, %s::timestamptz, %s::uuid, %s, %s::bytea::text",
        (7, "it's \\ 好评", 1.5, True, None, date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=timezone.utc),
         uuid.UUID(int=7), ["a", None, "b c"], b"\x00\xff"),
    )


@step
def execute_values(connection):
    cursor = connection.cursor()
    psycopg2.extras.execute_values(cursor, "INSERT INTO written VALUES %s",
                                   [(n, f"n{n}", Decimal(n) / 4) for n in range(5)])
    cursor.executemany("INSERT INTO written VALUES (%s, %s, %s)", [(7, "x", None), (8, None, Decimal("1.5"))])
    found = ask(connection, "SELECT * FROM written ORDER BY id")
    cursor.execute("DELETE FROM written")
    return cursor.rowcount, cursor.statusmessage, found


@step
def a_named_cursor(connection):
    connection.autocommit = False
    cursor = connection.cursor(name="named")
    cursor.itersize = 700
    cursor.execute("SELECT id, name FROM many ORDER BY id")
    first = cursor.fetchone()
    found = first, cursor.fetchmany(3), sum(1 for _ in cursor)
    cursor.close()
    connection.commit()
    return found


@step
def a_named_cursor_with_hold(connection):
    cursor = connection.cursor(name="held", withhold=True)
    cursor.execute("SELECT id FROM many ORDER BY id")
    return cursor.fetchmany(2), cursor.fetchmany(2)


@step
def transactions_begin_by_themselves(connection):
    connection.autocommit = False
    found = [ask(connection, "SELECT 1")]
    try:
        ask(connection, "SELECT * FROM absent")
    except psycopg2.Error as error:
        found.append(error.pgcode)
    try:
        ask(connection, "SELECT 1")
    except psycopg2.Error as error:
        found.append(error.pgcode)
    connection.rollback()
    found.append(ask(connection, "SELECT 2"))
    connection.commit()
    return found


@step
def isolation_and_read_only(connection):
    connection.autocommit = False
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    found = ask(connection, "SHOW transaction_isolation"), ask(connection, "SHOW transaction_read_only")
    connection.commit()
    return found


@step
def copy_both_ways(connection):
    import io

    cursor = connection.cursor()
    cursor.copy_expert("COPY written FROM STDIN (FORMAT csv)", io.StringIO('1,"a,b",1.5\n2,,\n'))
    out = io.StringIO()
    cursor.copy_expert("COPY written TO STDOUT", out)
    cursor.execute("DELETE FROM written")
    return out.getvalue()


@step
def rows_as_dictionaries(connection):
    cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
    cursor.execute("SELECT id, name FROM many ORDER BY id LIMIT 2")
    return [dict(row) for row in cursor]


@step
def error_fields(connection):
    try:
        ask(connection, "SELECT absent FROM many")
    except psycopg2.Error as error:
        diagnostics = error.diag
        return (error.pgcode, diagnostics.severity, diagnostics.message_primary, diagnostics.statement_position)


@step
def notices(connection):
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS many (a int)")
    return connection.notices


@step
def what_sqlalchemy_asks_first(connection):
    return [
        ask(connection, "select current_schema()"), ask(connection, "show standard_conforming_strings"),
        ask(connection, "SELECT CAST('test plain returns' AS VARCHAR(60)) AS anon_1"),
        ask(connection, "show transaction isolation level"),
        ask(connection, "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid"
                        " WHERE typname = 'hstore'"),
    ]


run(connect, lambda error: getattr(error, "pgcode", None))
