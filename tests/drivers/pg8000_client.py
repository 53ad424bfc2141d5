"""pg8000: pure Python, the extended protocol with text values."""

import io
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal

import pg8000.dbapi
import pg8000.native
from transcript import SETUP, run, step, where

PLACE = where()


def connect():
    return pg8000.native.Connection(PLACE["pguser"], host=PLACE["pghost"], port=int(PLACE["pgport"]),
                                    database=PLACE["pgdatabase"], password=PLACE["pgpassword"])


def dbapi():
    return pg8000.dbapi.connect(PLACE["pguser"], host=PLACE["pghost"], port=int(PLACE["pgport"]),
                                database=PLACE["pgdatabase"], password=PLACE["pgpassword"])


def code(error):
    return error.args[0].get("C") if error.args and isinstance(error.args[0], dict) else None


@step
def set_up(connection):
    for sql in SETUP:
        connection.run(sql)


@step
def all_types(connection):
    rows = connection.run("SELECT * FROM kinds ORDER BY id")
    return [(one["name"], one["type_oid"], one["type_size"], one["type_modifier"]) for one in connection.columns], rows


@step
def parameters(connection):
    found = []
    for sql, values in [
        ("SELECT name FROM many WHERE id = :id", {"id": 7}), ("SELECT CAST(:n AS integer) + 1", {"n": 5}),
        ("SELECT count(*) FROM many WHERE price > :p AND day = :d", {"p": Decimal("100.5"), "d": date(2026, 1, 1)}),
        ("SELECT id FROM kinds WHERE at < :a AND ok = :o", {"a": datetime(2030, 1, 1), "o": True}),
        ("SELECT id FROM kinds WHERE instant < :i", {"i": datetime(2030, 1, 1, tzinfo=timezone.utc)}),
        ("SELECT id FROM kinds WHERE u = :u", {"u": uuid.UUID("123e4567-e89b-12d3-a456-426614174000")}),
        ("SELECT id FROM kinds WHERE b = :b", {"b": b"\x00\xff\\"}), ("SELECT id FROM kinds WHERE f > :f", {"f": 0.05}),
        ("SELECT id FROM kinds WHERE words = :w", {"w": ["a", None, "b c"]}),
        ("SELECT id FROM many WHERE id = ANY(:ids) ORDER BY id", {"ids": [3, 1]}),
        ("SELECT name FROM many WHERE name LIKE :like ORDER BY id LIMIT :n OFFSET :o", {"like": "name 1%", "n": 2, "o": 1}),
        ("SELECT id FROM kinds WHERE t = :t", {"t": "it's \\ 好评"}), ("SELECT CAST(:x AS text)", {"x": None}),
    ]:
        found.append(connection.run(sql, **values))
    return found


@step
def a_prepared_statement(connection):
    statement = connection.prepare("SELECT name, price FROM many WHERE id = :id")
    found = [statement.run(id=n) for n in range(1, 11)]
    statement.close()
    return found


@step
def writes(connection):
    connection.run("INSERT INTO written VALUES (:id, :name, :amount)", id=1, name="it's 好评", amount=Decimal("1.50"))
    inserted = connection.row_count
    connection.run("UPDATE written SET name = :name WHERE id >= :id", id=1, name=None)
    found = connection.run("SELECT * FROM written")
    connection.run("DELETE FROM written")
    return inserted, found, connection.row_count


@step
def copy_both_ways(connection):
    connection.run("COPY written FROM STDIN WITH (FORMAT csv)", stream=io.StringIO('1,"a,b",1.5\n2,,\n'))
    counted, out = connection.row_count, io.StringIO()
    connection.run("COPY (SELECT * FROM written ORDER BY id) TO STDOUT", stream=out)
    connection.run("DELETE FROM written")
    return counted, out.getvalue()


@step
def transactions(connection):
    found = []
    for sql in ("START TRANSACTION", "INSERT INTO written VALUES (1)", "SELECT * FROM absent", "SELECT 1", "ROLLBACK",
                "SELECT count(*) FROM written"):
        try:
            found.append(connection.run(sql))
        except pg8000.native.DatabaseError as error:
            found.append(code(error))
    return found


@step
def several_statements(connection):
    return connection.run("SELECT 1; SELECT 'two'")


@step
def notices_and_parameter_statuses(connection):
    connection.run("CREATE TABLE IF NOT EXISTS many (a int)")
    return [(notice[b"C"], notice[b"M"]) for notice in connection.notices], connection.parameter_statuses["TimeZone"]


@step
def rows_of_the_dbapi(connection):
    with dbapi() as other:
        cursor = other.cursor()
        cursor.execute("SELECT id, name, price, day FROM many WHERE id < %s ORDER BY id", (4,))
        described = [(one[0], one[1]) for one in cursor.description]
        found = cursor.fetchone(), cursor.fetchmany(1), cursor.fetchall(), cursor.rowcount
        cursor.executemany("INSERT INTO written VALUES (%s, %s)", [(1, "a"), (2, None)])
        counted = cursor.rowcount
        other.rollback()
        cursor.execute("SELECT count(*) FROM written")
        return described, found, counted, cursor.fetchall()


@step
def errors(connection):
    found = []
    for sql in ("SELECT * FROM absent", "SELECT absent FROM many", "SELEKT 1", "SELECT 1/0", "SELECT 'x'::int", "SELECT absent(1)"):
        try:
            connection.run(sql)
        except pg8000.native.DatabaseError as error:
            found.append((sql, code(error), error.args[0].get("P"), error.args[0]["S"]))
    return found


run(connect, code)
