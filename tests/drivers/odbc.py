"""psqlODBC through pyodbc, the path of Tableau, Excel and Access. UseDeclareFetch is the first argument: 0 or 1."""

import sys
from datetime import date, datetime
from decimal import Decimal

import pyodbc
from transcript import SETUP, run, step, where

PLACE = where()
DRIVER = next((name for name in pyodbc.drivers() if name == "PostgreSQL Unicode"), None)
if DRIVER is None:
    sys.exit("psqlODBC is missing: run ./test, or install the package odbc-postgresql")


def connect(autocommit=True):
    return pyodbc.connect(
        f"Driver={{{DRIVER}}};Server={PLACE['pghost']};Port={PLACE['pgport']};Database={PLACE['pgdatabase']};"
        f"Uid={PLACE['pguser']};Pwd={PLACE['pgpassword']};UseDeclareFetch={sys.argv[1]};Fetch=100;"
        "UseServerSidePrepare=1;BoolsAsChar=0;MaxVarcharSize=255;", autocommit=autocommit,
    )


def described(cursor):
    return [(one[0], one[1].__name__, *one[3:]) for one in cursor.description]


@step
def set_up(connection):
    for sql in SETUP:
        connection.execute(sql)


@step
def all_types(connection):
    cursor = connection.execute("SELECT id, ok, small, n, r, f, amount, t, v, b, day, at, instant, u, words::text"
                                " FROM kinds ORDER BY id")
    return described(cursor), [tuple(row) for row in cursor.fetchall()]


@step
def many_rows(connection):
    cursor = connection.execute("SELECT id, name, price FROM many ORDER BY id")
    first = tuple(cursor.fetchone())
    some = [tuple(row) for row in cursor.fetchmany(3)]
    return first, some, sum(1 for _ in cursor)


@step
def two_statements_in_turns(connection):
    one, two = connection.cursor(), connection.cursor()
    one.execute("SELECT id FROM many ORDER BY id")
    two.execute("SELECT id FROM many ORDER BY id DESC")
    return [(tuple(one.fetchone()), tuple(two.fetchone())) for _ in range(150)][-1]


@step
def parameters(connection):
    cursor = connection.cursor()
    found = []
    for sql, values in [
        ("SELECT name FROM many WHERE id = ?", (7,)),
        ("SELECT count(*) FROM many WHERE price > ? AND day = ?", (Decimal("100.5"), date(2026, 1, 1))),
        ("SELECT count(*) FROM kinds WHERE at < ? AND ok = ?", (datetime(2030, 1, 1), True)),
        ("SELECT count(*) FROM many WHERE name LIKE ?", ("name 1%",)),
        ("SELECT ?", ("text",)), ("SELECT CAST(? AS integer)", (5,)),
    ]:
        found.append(tuple(cursor.execute(sql, values).fetchone()))
    return found


@step
def the_same_statement_ten_times(connection):
    cursor = connection.cursor()
    return [cursor.execute("SELECT name FROM many WHERE id = ?", n).fetchval() for n in range(1, 11)]


@step
def writes(connection):
    cursor = connection.cursor()
    cursor.execute("INSERT INTO written VALUES (?, ?, ?)", (1, "it's 好评", Decimal("1.50")))
    inserted = cursor.rowcount
    cursor.executemany("INSERT INTO written VALUES (?, ?, ?)", [(2, "b", None), (3, None, Decimal("-2.25"))])
    cursor.execute("UPDATE written SET name = ? WHERE id > ?", ("changed", 1))
    updated = cursor.rowcount
    found = [tuple(row) for row in cursor.execute("SELECT * FROM written ORDER BY id")]
    cursor.execute("DELETE FROM written")
    return inserted, updated, cursor.rowcount, found


@step
def a_transaction(connection):
    connection.autocommit = False
    cursor = connection.cursor()
    found = [cursor.execute("SELECT count(*) FROM many").fetchval()]
    try:
        cursor.execute("SELECT * FROM absent")
    except pyodbc.Error as error:
        found.append(error.args[0])
    connection.rollback()
    found.append(cursor.execute("SELECT 1").fetchval())
    connection.commit()
    return found


@step
def errors(connection):
    found = []
    for sql in ("SELECT * FROM absent", "SELECT absent FROM many", "SELEKT 1", "SELECT 1/0", "SELECT 'x'::int"):
        try:
            connection.execute(sql).fetchall()
        except pyodbc.Error as error:
            found.append((sql, error.args[0]))
    return found


@step
def tables(connection):
    cursor = connection.cursor()
    found = [(one.table_name, one.table_type) for one in cursor.tables(schema="public")]
    return sorted(found)


@step
def columns(connection):
    cursor = connection.cursor()
    return [
        (one.column_name, one.type_name, one.data_type, one.column_size, one.decimal_digits, one.nullable)
        for one in cursor.columns(table="kinds", schema="public")
    ]


@step
def primary_keys(connection):
    cursor = connection.cursor()
    cursor.execute("DROP TABLE IF EXISTS keyed")
    cursor.execute("CREATE TABLE keyed (a integer, b text, PRIMARY KEY (a, b))")
    return [(one.column_name, one.key_seq) for one in cursor.primaryKeys("keyed", schema="public")]


@step
def what_the_driver_knows(connection):
    return [connection.getinfo(what) for what in (pyodbc.SQL_DBMS_NAME, pyodbc.SQL_IDENTIFIER_QUOTE_CHAR)]


@step
def what_excel_and_tableau_ask(connection):
    found = []
    for sql in ('SELECT "id", "name" FROM "public"."many" WHERE 1 = 0',
                'SELECT COUNT(1) AS "n", SUM("price") AS "s" FROM "public"."many" HAVING COUNT(1) > 0',
                'SELECT CAST("name" AS TEXT) AS "x" FROM "public"."many" ORDER BY "id" LIMIT 1',
                "SELECT current_schema()"):
        found.append([tuple(row) for row in connection.execute(sql).fetchall()])
    return found


run(connect, lambda error: error.args[0] if isinstance(error, pyodbc.Error) else None)
