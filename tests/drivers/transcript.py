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


def where():
    return {key.lower(): os.environ[key] for key in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")}


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
