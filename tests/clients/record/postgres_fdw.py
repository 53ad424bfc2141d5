"""A second database in the cluster reads, imports and changes the example through postgres_fdw."""

import os
import subprocess
import sys

import psycopg
from recorder import recorder

DSN = os.environ["RECORD_DSN"]
HOST = dict(part.split("=", 1) for part in DSN.split())
TOTALS = "SELECT category, count(*) AS n, sum(amount) AS total FROM orders GROUP BY category ORDER BY category"

record = recorder("postgres_fdw " + subprocess.check_output(["psql", "--version"], text=True).split()[2])
record.connection.execute("DROP DATABASE IF EXISTS outside")
record.connection.execute("CREATE DATABASE outside")
inside = psycopg.connect(DSN, autocommit=True)
with psycopg.connect(DSN + " dbname=outside", autocommit=True) as outside:
    outside.execute("CREATE EXTENSION postgres_fdw")
    outside.execute(f"CREATE SERVER inside FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{HOST['host']}', port '{HOST['port']}', dbname 'voxhouse', fetch_size '2')")
    outside.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER inside OPTIONS (user 'voxhouse', password 'voxhouse')")
    record.step("IMPORT FOREIGN SCHEMA")
    outside.execute("CREATE TYPE mood AS ENUM ('sad')")
    outside.execute("CREATE TYPE address AS (street text, city text)")
    outside.execute("CREATE DOMAIN positive AS integer")
    outside.execute("IMPORT FOREIGN SCHEMA public EXCEPT (tickets) FROM SERVER inside INTO public OPTIONS (import_default 'true')")
    outside.execute("CREATE SCHEMA crm")
    outside.execute("IMPORT FOREIGN SCHEMA crm LIMIT TO (notes, contacts) FROM SERVER inside INTO crm")
    for options, name in (("", "query"), ("ALTER SERVER inside OPTIONS (ADD use_remote_estimate 'true')", "query with remote estimates")):
        outside.execute(options or "SELECT 1")
        record.step(name)
        outside.execute("SELECT name FROM customers WHERE customer_id = 1 AND country = 'CN'")
        outside.execute(TOTALS)
        outside.execute("SELECT c.name, o.amount FROM customers c JOIN orders o USING (customer_id) WHERE o.ordered_at > '2026-01-01' ORDER BY o.amount LIMIT 3")
        outside.execute("SELECT * FROM orders WHERE category LIKE 'k%'")
    record.step("ANALYZE")
    outside.execute("ANALYZE orders")
    record.step("change")
    inside.execute("CREATE TABLE scratch (id int PRIMARY KEY, name text)")
    outside.execute("CREATE FOREIGN TABLE scratch (id int, name text) SERVER inside")
    outside.execute("INSERT INTO scratch VALUES (1, 'a'), (2, 'b')")
    outside.execute("UPDATE scratch SET name = upper(name) || random()::text WHERE id = 1")
    outside.execute("UPDATE scratch SET name = 'c' WHERE id = 2")
    outside.execute("DELETE FROM scratch")
    inside.execute("DROP TABLE scratch")
record.connection.execute("DROP DATABASE outside WITH (FORCE)")
print(record.client, record.finish(), file=sys.stderr)
