"""postgres_fdw: another PostgreSQL reads and changes the server's tables as its own.

That one is the database VIA_DATABASE at VIA_PORT, with the same user and password.
"""

import os

import psycopg2
from transcript import SETUP, SHOP, ask, by_psycopg2, directly, run, step, where

PLACE = where()


def connect():
    return by_psycopg2(port=os.environ["VIA_PORT"], dbname=os.environ["VIA_DATABASE"])


def sent(via, sql):
    """What of a statement is sent to the server."""
    lines = [line for (line,) in ask(via, f"EXPLAIN (VERBOSE, COSTS OFF) {sql}")]
    return [line.split("Remote SQL: ")[1] for line in lines if "Remote SQL: " in line]


@step
def set_up(via):
    directly(*SETUP, *SHOP, "CREATE TABLE shop.notes (note_id bigint PRIMARY KEY, body text, amount numeric(18,2), at timestamptz)",
             "CREATE VIEW shop.kinds AS SELECT * FROM public.kinds", "CREATE VIEW shop.many AS SELECT * FROM public.many")
    for sql in ("CREATE EXTENSION postgres_fdw",
                f"CREATE SERVER remote FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{PLACE['pghost']}',"
                f" port '{PLACE['pgport']}', dbname '{PLACE['pgdatabase']}', fetch_size '700')",
                f"CREATE USER MAPPING FOR CURRENT_USER SERVER remote OPTIONS (user '{PLACE['pguser']}',"
                f" password '{PLACE['pgpassword']}')",
                "CREATE SCHEMA shop", "CREATE TABLE names (customer_id bigint, nick text)",
                "INSERT INTO names VALUES (1, 'Lei'), (4, 'Z')"):
        ask(via, sql)


@step
def import_a_schema(via):
    ask(via, "IMPORT FOREIGN SCHEMA shop EXCEPT (loose) FROM SERVER remote INTO shop")
    return ask(via, "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_attribute a"
                    " JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'shop'::regnamespace AND a.attnum > 0"
                    " AND c.relname NOT IN ('totals', 'buyers', 'sales') ORDER BY c.relname, a.attnum")


@step
def types_of_sums_in_views(via):
    return ask(via, "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
                    " JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'shop'::regnamespace AND a.attnum > 0"
                    " AND c.relname IN ('totals', 'buyers', 'sales') ORDER BY c.relname, a.attnum")


@step
def import_with_defaults(via):
    ask(via, "CREATE SCHEMA other")
    ask(via, "IMPORT FOREIGN SCHEMA shop LIMIT TO (orders) FROM SERVER remote INTO other"
             " OPTIONS (import_default 'true', import_generated 'false')")
    return ask(via, "SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid"
                    " AND attnum = adnum WHERE adrelid = 'other.orders'::regclass")


@step
def import_what_is_not_there(via):
    ask(via, "IMPORT FOREIGN SCHEMA absent FROM SERVER remote INTO other")


@step
def every_type(via):
    return ask(via, "SELECT * FROM shop.kinds ORDER BY id"), ask(via, "SELECT * FROM shop.orders ORDER BY order_id, line")


@step
def many_rows(via):
    return ask(via, "SELECT count(*), sum(id), min(name), max(length(name)) FROM (SELECT * FROM shop.many OFFSET 0) AS m")


QUERIES = {
    "where": "SELECT name FROM shop.customers WHERE customer_id = 1 AND country = 'CN'",
    "where_in": "SELECT order_id, line FROM shop.orders WHERE category IN ('living', 'other') AND amount > 350.0 ORDER BY order_id",
    "where_null": "SELECT order_id FROM shop.orders WHERE category IS NULL OR NOT quantity < 4 ORDER BY order_id",
    "where_like": "SELECT name FROM shop.customers WHERE name LIKE 'O%' OR name ~ '^Z' ORDER BY customer_id",
    "where_times": "SELECT order_id FROM shop.orders WHERE ordered_at >= '2026-02-10 16:45:00+00' AND ordered_at < '2026-04-01'"
                   " ORDER BY order_id",
    "where_dates": "SELECT order_id FROM shop.orders WHERE due = '2026-01-31' OR shipped_at > '2027-01-01'",
    "where_arrays": "SELECT order_id FROM shop.orders WHERE numbers = '{1,-2}' AND tags @> '{new}' AND order_id = ANY('{100,101}')",
    "where_uuid": "SELECT order_id FROM shop.orders WHERE tracking = '123e4567-e89b-12d3-a456-426614174000'",
    "where_bytes": "SELECT order_id FROM shop.orders WHERE receipt = '\\x00ff5c'",
    "where_boolean": "SELECT name FROM shop.customers WHERE active AND score BETWEEN 3 AND 7.5 ORDER BY name",
    "arithmetic": "SELECT id, price * 2 + 1, id % 7, -id, id / 2, abs(-id) FROM shop.many WHERE id * 2 % 500 = 0 ORDER BY id",
    "case": "SELECT customer_id FROM shop.customers WHERE CASE WHEN score > 5 THEN true ELSE false END ORDER BY 1",
    "order_and_limit": "SELECT id, name FROM shop.many ORDER BY price DESC LIMIT 3 OFFSET 2",
    "order_of_nulls": "SELECT order_id, amount FROM shop.orders ORDER BY amount DESC NULLS LAST, order_id NULLS FIRST",
    "join": "SELECT c.name, o.amount FROM shop.customers c JOIN shop.orders o ON o.customer_id = c.customer_id"
            " WHERE o.amount > 100 ORDER BY o.amount",
    "left_join": "SELECT c.name, o.line FROM shop.customers c LEFT JOIN shop.orders o ON o.customer_id = c.customer_id AND o.line > 1"
                 " ORDER BY c.customer_id, o.line",
    "full_join": "SELECT c.name, o.order_id FROM shop.customers c FULL JOIN shop.orders o ON o.customer_id = c.customer_id"
                 " ORDER BY c.customer_id, o.order_id, o.line",
    "semi_join": "SELECT name FROM shop.customers c WHERE EXISTS (SELECT 1 FROM shop.orders o WHERE o.customer_id = c.customer_id"
                 " AND o.category = 'living') ORDER BY name",
    "join_with_a_local_table": "SELECT n.nick, o.order_id FROM names n JOIN shop.orders o USING (customer_id) ORDER BY 1, 2, o.line",
    "aggregate": "SELECT category, count(*), sum(amount), min(ordered_at), count(DISTINCT customer_id) FROM shop.orders"
                 " GROUP BY category ORDER BY category",
    "averages": "SELECT avg(quantity), avg(amount), avg(discount) FROM shop.orders",
    "having": "SELECT customer_id, max(amount) FROM shop.orders GROUP BY customer_id HAVING count(*) > 1 AND sum(amount) > 1000",
    "aggregate_filter": "SELECT count(*) FILTER (WHERE amount > 100), bool_and(quantity > 0),"
                        " array_agg(order_id ORDER BY order_id DESC) FROM shop.orders",
    "join_and_aggregate": "SELECT c.country, count(*), sum(o.amount) FROM shop.customers c JOIN shop.orders o"
                          " ON o.customer_id = c.customer_id GROUP BY c.country ORDER BY 2 DESC, 1",
    "distinct": "SELECT DISTINCT category FROM shop.orders ORDER BY category",
    "union": "SELECT customer_id FROM shop.customers UNION SELECT customer_id FROM shop.orders ORDER BY 1",
    "whole_rows": "SELECT t FROM shop.totals t ORDER BY t.customer_id",
    "count_only": "SELECT count(*) FROM shop.many WHERE id > 7",
    "odd_names": 'SELECT "Id", "select", "a ""b""" FROM shop."Odd Names" WHERE "select" = \'x\'',
    "now": "SELECT count(*) FROM shop.orders WHERE ordered_at < now()",
    "for_update": "SELECT note_id FROM shop.notes FOR UPDATE",
}


def query(name, sql):
    def pushed_down(via):
        # For such small tables a join on this side looks cheaper.
        ask(via, "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_nestloop = off")
        return sent(via, sql), ask(via, sql)
    pushed_down.__name__ = "query_" + name
    return step(pushed_down)


for name, sql in QUERIES.items():
    query(name, sql)


@step
def a_prepared_query(via):
    ask(via, "PREPARE one (bigint, text) AS SELECT name FROM shop.many WHERE id = $1 AND name <> $2")
    ask(via, "SET plan_cache_mode = force_generic_plan")
    return [ask(via, f"EXECUTE one ({n}, 'x')") for n in (1, 2)]


@step
def insert(via):
    done = [ask(via, sql) for sql in (
        "INSERT INTO shop.notes VALUES (1, 'it''s \\ 好评', 1.50, '2026-01-01 00:00:00.5+00'), (2, NULL, NULL, NULL)",
        "INSERT INTO shop.notes (note_id) VALUES (3)",
        "INSERT INTO shop.notes SELECT id, name, price FROM shop.many WHERE id BETWEEN 10 AND 14")]
    return done, directly("SELECT * FROM shop.notes ORDER BY note_id")


@step
def insert_in_batches(via):
    ask(via, "ALTER SERVER remote OPTIONS (ADD batch_size '100')")
    done = ask(via, "INSERT INTO shop.notes SELECT i, 'row ' || i FROM generate_series(1001, 1250) AS g(i)")
    return done, directly("SELECT count(*), sum(note_id), max(body) FROM shop.notes WHERE note_id > 1000")


@step
def update_that_is_pushed_down(via):
    return (sent(via, "UPDATE shop.notes SET body = body || '!', amount = 2 WHERE note_id = 1"),
            ask(via, "UPDATE shop.notes SET body = body || '!', amount = 2 WHERE note_id = 1"),
            directly("SELECT * FROM shop.notes WHERE note_id = 1"))


@step
def delete_that_is_pushed_down(via):
    return (sent(via, "DELETE FROM shop.notes WHERE note_id > 1000"), ask(via, "DELETE FROM shop.notes WHERE note_id > 1000"),
            directly("SELECT count(*) FROM shop.notes"))


@step
def update_row_by_row(via):
    done = ask(via, "UPDATE shop.notes n SET body = nick FROM names WHERE names.customer_id = n.note_id")
    return done, directly("SELECT note_id, body FROM shop.notes WHERE note_id < 4 ORDER BY 1")


@step
def delete_row_by_row(via):
    done = ask(via, "DELETE FROM shop.notes WHERE note_id IN (SELECT customer_id + 9 FROM names)")
    return done, directly("SELECT note_id FROM shop.notes ORDER BY 1")


@step
def returning(via):
    return ask(via, "INSERT INTO shop.notes (note_id, body) VALUES (50, 'back') RETURNING note_id, body, amount")


@step
def insert_that_a_key_refuses(via):
    ask(via, "INSERT INTO shop.notes (note_id) VALUES (1)")


@step
def insert_or_do_nothing(via):
    return ask(via, "INSERT INTO shop.notes (note_id) VALUES (1) ON CONFLICT DO NOTHING")


@step
def transactions(via):
    found = []
    for sql in ("BEGIN", "INSERT INTO shop.notes (note_id) VALUES (60)", "SAVEPOINT a", "INSERT INTO shop.notes (note_id) VALUES (61)",
                "ROLLBACK TO a", "SELECT note_id FROM shop.notes WHERE note_id >= 60", "COMMIT",
                "BEGIN", "DELETE FROM shop.notes WHERE note_id >= 60", "ROLLBACK", "SELECT note_id FROM shop.notes WHERE note_id >= 60",
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", "SELECT count(*) FROM shop.customers", "COMMIT"):
        try:
            found.append(ask(via, sql))
        except psycopg2.Error as error:
            found.append(error.pgcode)
    return found


@step
def two_cursors_at_once(via):
    via.autocommit = False
    one, two = via.cursor("one"), via.cursor("two")
    one.itersize = two.itersize = 300
    one.execute("SELECT id FROM shop.many ORDER BY id")
    two.execute("SELECT id FROM shop.many ORDER BY id DESC")
    return [(a, b) for (a,), (b,) in zip(one, two)][1999]


@step
def copy_into(via):
    import io

    ask(via, "CREATE FOREIGN TABLE written (id integer, name text, amount numeric) SERVER remote OPTIONS (schema_name 'public')")
    via.cursor().copy_expert("COPY written FROM STDIN WITH (FORMAT csv)", io.StringIO('1,"a,b",1.5\n2,,\n'))
    return directly("SELECT * FROM written ORDER BY id")


@step
def truncate(via):
    return ask(via, "TRUNCATE shop.notes"), directly("SELECT count(*) FROM shop.notes")


@step
def analyze(via):
    """The sample is of the rows; how large the table is, only the server knows."""
    ask(via, "ANALYZE shop.customers")
    return ask(via, "SELECT attname, null_frac, n_distinct FROM pg_stats WHERE schemaname = 'shop' AND tablename = 'customers'"
                    " ORDER BY attname")


@step
def remote_estimates(via):
    ask(via, "ALTER FOREIGN TABLE shop.customers OPTIONS (ADD use_remote_estimate 'true')")
    found = ask(via, "SELECT name FROM shop.customers WHERE score > 5 ORDER BY name")
    ask(via, "ALTER FOREIGN TABLE shop.customers OPTIONS (DROP use_remote_estimate)")
    return found


@step
def errors(via):
    found = []
    ask(via, "CREATE FOREIGN TABLE absent (id int) SERVER remote")
    ask(via, "CREATE FOREIGN TABLE many (id int, nothing text) SERVER remote")
    for sql in ("SELECT * FROM absent", "SELECT nothing FROM many", "SELECT 1 / (id - 1) FROM shop.many WHERE 1 / (id - 1) > 0"):
        try:
            ask(via, sql)
        except psycopg2.Error as error:
            found.append((sql, error.pgcode, error.diag.message_primary))
    return found


run(connect, lambda error: getattr(error, "pgcode", None))
