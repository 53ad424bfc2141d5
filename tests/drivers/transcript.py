"""What a client script says of its steps: a line each, the step's name, a tab, and what came of it.

The test runs the same script against Voxhouse and against PostgreSQL 15 and compares the lines. PGHOST, PGPORT,
PGUSER, PGPASSWORD and PGDATABASE say where the server is.
"""

import os

STEPS = []

SETUP = [
    "DROP TABLE IF EXISTS kinds",
    "CREATE TABLE kinds (id bigint, ok boolean, small smallint, n integer, r real, f double precision,"
    " amount numeric(18,2), t text, v varchar(20), b bytea, day date, at timestamp, instant timestamptz, u uuid,"
    " words text[], numbers bigint[])",
    "INSERT INTO kinds VALUES (1099511627776, true, -7, 42, 1.5, 0.1, 12345.60, 'it''s \\ 好评', 'short', '\\x00ff5c',"
    " '2026-01-31', '2026-01-31 08:30:00.5', '2026-02-28 23:59:59.123456+00',"
    " '123e4567-e89b-12d3-a456-426614174000', ARRAY['a',NULL,'b c'], ARRAY[1,-2]::bigint[])",
    "INSERT INTO kinds (id) VALUES (2)",
    "DROP TABLE IF EXISTS many",
    "CREATE TABLE many (id bigint, name varchar(20), price numeric(10,2), day date)",
    "INSERT INTO many SELECT i, 'name ' || i, 0.25 * i, DATE '2026-01-01' FROM generate_series(1, 2500) AS g(i)",
    "DROP TABLE IF EXISTS written",
    "CREATE TABLE written (id integer, name text, amount numeric(18,2))",
]

# A schema as an analyst finds it: keys, defaults, checks, comments, views, every type that a table can have. What
# Voxhouse stores as something else (jsonb, numeric without a scale) or writes back in other words is in "loose" alone.
SHOP = [
    "DROP SCHEMA IF EXISTS shop CASCADE",
    "CREATE SCHEMA shop",
    "CREATE TABLE shop.customers (customer_id bigint PRIMARY KEY, name text NOT NULL, email varchar(120) UNIQUE,"
    " country char(2), segment varchar(20), active boolean NOT NULL DEFAULT true,"
    " score double precision DEFAULT 0.5, created_at timestamptz DEFAULT now())",
    "COMMENT ON TABLE shop.customers IS 'One row a customer'",
    "COMMENT ON COLUMN shop.customers.email IS 'Address as written, it''s unique'",
    "CREATE TABLE shop.orders (order_id bigint NOT NULL, line smallint NOT NULL, customer_id bigint, category text,"
    " quantity integer NOT NULL DEFAULT 1, amount numeric(18,2), discount real, ordered_at timestamptz,"
    " shipped_at timestamp, due date, tags text[], numbers bigint[], note json,"
    " tracking uuid, receipt bytea, PRIMARY KEY (order_id, line), CONSTRAINT positive CHECK (quantity > 0))",
    "COMMENT ON COLUMN shop.orders.amount IS '金额'",
    "CREATE TABLE shop.loose (id integer, free numeric DEFAULT -1.5, doc jsonb, kind varchar(9) DEFAULT 'new',"
    " CONSTRAINT known CHECK (kind IN ('new', 'old')), CONSTRAINT paid CHECK (free >= 0 OR id IS NULL))",
    "INSERT INTO shop.loose VALUES (1, 1.25, '{\"n\": [1, 2.50], \"a\": null}', 'new')",
    'CREATE TABLE shop."Odd Names" ("Id" integer, "select" text, "a ""b""" date)',
    "INSERT INTO shop.customers VALUES (1, '李雷', 'li@example.cn', 'CN', 'gold', true, 9.5, '2026-01-03 08:00:00+00'),"
    " (2, 'O''Brien', 'ob@example.ie', 'IE', 'silver', true, 7, '2026-01-15 12:30:00+00'),"
    " (3, '韩梅梅', NULL, 'CN', NULL, false, NULL, '2026-02-01 00:00:00+00'),"
    " (4, 'Zoë', 'zoe@example.fr', 'FR', NULL, true, 3.25, '2026-03-31 23:59:59.5+00')",
    "INSERT INTO shop.orders VALUES (100, 1, 1, 'kitchen', 1, 199.90, 0.5, '2026-01-05 10:00:00+00',"
    " '2026-01-06 09:00:00.123456', '2026-01-31', ARRAY['new',NULL,'a \"b\"'], ARRAY[1,-2]::bigint[],"
    " '{\"a\": [1, 2.50]}', '123e4567-e89b-12d3-a456-426614174000', '\\x00ff5c')",
    "INSERT INTO shop.orders (order_id, line, customer_id, category, quantity, amount, ordered_at) VALUES"
    " (100, 2, 1, 'kitchen', 4, 80.00, '2026-01-05 10:00:00+00'), (101, 1, 2, 'living', 1, 350, '2026-02-10 16:45:00+00'),"
    " (102, 1, 1, 'living', 1, 2999, '2026-02-20 09:15:00+00'), (103, 1, 4, 'kitchen', 2, 40, '2026-04-01 00:00:00+00'),"
    " (104, 1, NULL, NULL, 1, NULL, NULL)",
    "CREATE VIEW shop.totals AS SELECT customer_id, count(*) AS lines, sum(amount) AS amount, max(ordered_at) AS last_at"
    " FROM shop.orders WHERE customer_id IS NOT NULL GROUP BY customer_id",
    "COMMENT ON VIEW shop.totals IS 'What each customer ordered'",
    "CREATE VIEW shop.buyers AS SELECT c.customer_id, c.name, t.amount FROM shop.customers c"
    " JOIN shop.totals t ON t.customer_id = c.customer_id",
    "CREATE MATERIALIZED VIEW shop.sales AS SELECT category, count(*) AS lines, sum(amount) AS amount FROM shop.orders"
    " GROUP BY category",
]


def where():
    return {key.lower(): os.environ[key] for key in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")}


def by_psycopg2(**elsewhere):
    """A connection of psycopg 2 in autocommit, as scripts need that are about something else."""
    import psycopg2

    place = where()
    known = {"host": place["pghost"], "port": place["pgport"], "dbname": place["pgdatabase"], "user": place["pguser"],
             "password": place["pgpassword"]}
    connection = psycopg2.connect(**{**known, **elsewhere})
    connection.autocommit = True
    return connection


def ask(connection, sql):
    """The rows of a statement, or its tag if it has none."""
    cursor = connection.cursor()
    cursor.execute(sql)
    return [tuple(map(plain, row)) for row in cursor.fetchall()] if cursor.description else cursor.statusmessage


def directly(*statements):
    """What the last of the statements answers without the client that the script is about."""
    connection = by_psycopg2()
    found = None
    for sql in statements:
        found = ask(connection, sql)
    connection.close()
    return found


def engine():
    """SQLAlchemy's, over psycopg 2, with no connection kept."""
    import sqlalchemy as sa

    place = where()
    url = sa.URL.create("postgresql+psycopg2", place["pguser"], place["pgpassword"], place["pghost"],
                        int(place["pgport"]), place["pgdatabase"])
    return sa.create_engine(url, poolclass=sa.NullPool)


def sqlalchemy_code(error):
    return getattr(getattr(error, "orig", None), "pgcode", None)


def uri():
    """The address of the server, for clients that connect by themselves."""
    from urllib.parse import quote

    place = {key: quote(value) for key, value in where().items()}
    return "postgresql://{pguser}:{pgpassword}@{pghost}:{pgport}/{pgdatabase}".format(**place)


def frame(found):
    """A frame of pandas, exactly: the types of its columns, and its rows with the types of their values."""
    kinds = [(name, str(kind)) for name, kind in found.dtypes.items()]
    return kinds, list(found.index.names), [tuple(map(plain, row)) for row in found.reset_index().itertuples(index=False)]


def arrow(found):
    """A table of Arrow, exactly: its schema and its rows."""
    return [(one.name, str(one.type)) for one in found.schema], [tuple(row.values()) for row in found.to_pylist()]


def polars_frame(found):
    return [(name, repr(kind)) for name, kind in found.schema.items()], [tuple(map(plain, row)) for row in found.rows()]


def plain(value):
    return bytes(value) if isinstance(value, memoryview) else value


def step(work):
    STEPS.append(work)
    return work


def run(connect, sqlstate):
    """Each step gets a connection of its own; `sqlstate` reads the code off the client's own errors."""
    for work in STEPS:
        connection = connect()
        try:
            said = repr(work(connection))
        except Exception as error:
            code = sqlstate(error)
            said = f"{type(error).__name__} {code}" if code else f"{type(error).__name__}: {error}"
        finally:
            try:
                connection.close()
            except Exception:
                pass
        said = said.replace("\n", " ").replace("\t", " ")
        print(f"{work.__name__}\t{said}", flush=True)
