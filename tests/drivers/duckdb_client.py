"""DuckDB's postgres extension: the server's tables attached as a database, read in parallel and written."""

from pathlib import Path

import duckdb
from transcript import SETUP, SHOP, directly, run, step, where

PLACE = where()
# It comes in a package rather than from DuckDB's site; DuckDB checks its signature.
EXTENSION = next(Path(duckdb.__file__).parents[1].glob("duckdb_ext/extensions/*/*/postgres_scanner.duckdb_extension"))
ADDRESS = " ".join(f"{key.removeprefix('pg')}='{value}'" for key, value in PLACE.items()).replace("database=", "dbname=")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def attach():
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False,
                                        "threads": 2})
    connection.execute(f"LOAD '{EXTENSION}'")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"ATTACH {quoted(ADDRESS)} AS pg (TYPE postgres)")
    return connection


DATABASE = attach()


def ask(connection, sql, values=None):
    connection.execute(sql, values)
    return connection.fetchall()


@step
def set_up(connection):
    directly(*SETUP, *SHOP)
    ask(connection, "CALL pg_clear_cache()")


@step
def relations(connection):
    return ask(connection, "SELECT schema_name, table_name, estimated_size >= 0 FROM duckdb_tables() WHERE database_name = 'pg'"
                           " AND schema_name IN ('public', 'shop') ORDER BY ALL")


def columns_of(name):
    def columns(connection):
        return ask(connection, f"DESCRIBE pg.{name}")
    columns.__name__ = "columns_of_" + name.split(".")[1]
    return step(columns)


for name in ("public.kinds", "shop.customers", "shop.orders", "shop.totals", "shop.buyers", "shop.sales"):
    columns_of(name)


@step
def every_type(connection):
    return ask(connection, "SELECT * FROM pg.public.kinds ORDER BY id"), ask(connection, "SELECT * FROM pg.shop.orders ORDER BY ALL")


@step
def views(connection):
    return ask(connection, "SELECT * FROM pg.shop.totals ORDER BY ALL"), ask(connection, "SELECT * FROM pg.shop.buyers ORDER BY ALL")


@step
def many_rows(connection):
    return ask(connection, "SELECT count(*), sum(id), sum(price), min(name), max(day) FROM pg.public.many")


@step
def where_and_limit(connection):
    return [ask(connection, sql) for sql in (
        "SELECT name FROM pg.shop.customers WHERE customer_id = 2 AND country = 'IE'",
        "SELECT id FROM pg.public.many WHERE price > 624.5 AND name LIKE 'name 2%' ORDER BY id",
        "SELECT order_id FROM pg.shop.orders WHERE ordered_at >= '2026-02-10 16:45:00+00' ORDER BY ALL",
        "SELECT order_id FROM pg.shop.orders WHERE category IS NULL OR due = DATE '2026-01-31' ORDER BY ALL",
        "SELECT id FROM pg.public.many WHERE id IN (1, 3, 9999) ORDER BY id",
        "SELECT count(*) FROM (SELECT * FROM pg.public.many LIMIT 7)")]


@step
def joins_and_sums(connection):
    return ask(connection, "SELECT c.country, count(*), sum(o.amount), max(o.ordered_at) FROM pg.shop.customers c"
                           " JOIN pg.shop.orders o USING (customer_id) GROUP BY ALL ORDER BY ALL")


@step
def a_query_of_the_server(connection):
    return (ask(connection, "SELECT * FROM postgres_query('pg', 'SELECT category, count(*) AS n, sum(amount) AS total"
                            " FROM shop.orders GROUP BY category') ORDER BY category"), str(connection.description[2][1]))


@step
def a_scan_without_attaching(connection):
    return ask(connection, f"SELECT name FROM postgres_scan({quoted(ADDRESS)}, 'shop', 'customers')"
                           " ORDER BY name")


@step
def without_binary_copy(connection):
    ask(connection, "SET pg_use_binary_copy = false")
    ask(connection, "SET pg_use_text_protocol = true")
    found = ask(connection, "SELECT id, n, amount, t, day, instant FROM pg.public.kinds ORDER BY id")
    ask(connection, "RESET pg_use_binary_copy")
    ask(connection, "RESET pg_use_text_protocol")
    return found


@step
def create_and_insert(connection):
    ask(connection, "CREATE TABLE pg.public.made (id INTEGER, name VARCHAR, amount DECIMAL(18,2), ratio DOUBLE, ok BOOLEAN,"
                    " day DATE, \"at\" TIMESTAMP, instant TIMESTAMPTZ, u UUID, raw BLOB, words VARCHAR[])")
    ask(connection, "INSERT INTO pg.public.made VALUES (1, 'it''s 好评', 1.50, 0.1, true, '2026-01-31', '2026-01-31 08:30:00.5',"
                    " '2026-01-31 08:30:00+08', '123e4567-e89b-12d3-a456-426614174000', '\\x00\\xFF'::BLOB, ['a', NULL, 'b c']),"
                    " (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")
    return directly("SELECT * FROM made ORDER BY id")


@step
def create_table_as(connection):
    ask(connection, "CREATE TABLE pg.shop.copied AS SELECT range AS id, 'w' || range AS word, range / 8 AS x FROM range(20000)")
    return directly("SELECT count(*), sum(id), max(word), sum(x) FROM shop.copied")


@step
def update_and_delete(connection):
    ask(connection, "UPDATE pg.public.made SET name = 'changed' WHERE id = 2")
    ask(connection, "DELETE FROM pg.public.made WHERE id = 1")
    return directly("SELECT id, name FROM made ORDER BY id")


@step
def transactions(connection):
    ask(connection, "BEGIN")
    ask(connection, "INSERT INTO pg.public.written VALUES (1, 'gone', 1)")
    inside = ask(connection, "SELECT count(*) FROM pg.public.written")
    ask(connection, "ROLLBACK")
    ask(connection, "BEGIN")
    ask(connection, "INSERT INTO pg.public.written VALUES (2, 'kept', 1)")
    ask(connection, "COMMIT")
    return inside, directly("SELECT id, name FROM written")


@step
def execute_on_the_server(connection):
    ask(connection, "CALL postgres_execute('pg', 'DELETE FROM written')")
    return directly("SELECT count(*) FROM written")


@step
def copy_a_database(connection):
    ask(connection, "CREATE SCHEMA pg.moved")
    ask(connection, "CREATE TABLE pg.moved.customers AS FROM pg.shop.customers")
    ask(connection, "CREATE VIEW pg.moved.active AS SELECT name FROM shop.customers WHERE active")
    found = ask(connection, "SELECT * FROM pg.moved.customers ORDER BY ALL"), ask(connection, "FROM pg.moved.active ORDER BY ALL")
    ask(connection, "DROP SCHEMA pg.moved CASCADE")
    return found


@step
def alter(connection):
    ask(connection, "ALTER TABLE pg.public.made ADD COLUMN more INTEGER")
    ask(connection, "ALTER TABLE pg.public.made RENAME TO renamed")
    found = [row[0] for row in ask(connection, "DESCRIBE pg.public.renamed")]
    ask(connection, "DROP TABLE pg.public.renamed")
    return found


@step
def what_a_key_refuses(connection):
    ask(connection, "INSERT INTO pg.shop.customers (customer_id, name) VALUES (1, 'again')")


def of_the_server(error):
    """The server's own message, without what DuckDB puts round it."""
    return str(error).split("ERROR:")[-1].split("\n")[0].strip() if "ERROR:" in str(error) else None


run(DATABASE.cursor, of_the_server)
