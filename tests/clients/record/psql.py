"""Every backslash command of psql, typical statements, and what completion asks when Tab is pressed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pexpect
from recorder import recorder

OPTIONS = ["-X", "-P", "pager=off", "-d", os.environ["RECORD_DSN"]]
STATEMENTS = r"""
SELECT '-- step: statements';
SELECT * FROM customers ORDER BY customer_id LIMIT 10;
SELECT count(*) FROM orders;
TABLE crm.notes;
SELECT c.name, sum(o.amount) FROM customers c JOIN orders o USING (customer_id) GROUP BY c.name ORDER BY 2 DESC NULLS LAST;
SELECT customer_id, amount FROM orders \gdesc
EXPLAIN SELECT * FROM orders WHERE amount > 100;
SELECT format('SELECT %s;', n) FROM generate_series(1, 2) n \gexec
SELECT category, country, sum(quantity) AS n FROM orders JOIN customers USING (customer_id) GROUP BY 1, 2 \crosstabview
\copy customers (customer_id, name) to '/dev/null' csv header
BEGIN;
\set FETCH_COUNT 2
SELECT '-- step: FETCH_COUNT';
SELECT order_id, line FROM orders ORDER BY 1, 2;
\unset FETCH_COUNT
COMMIT;
\set ON_ERROR_ROLLBACK on
SELECT '-- step: ON_ERROR_ROLLBACK';
BEGIN;
SELECT 1/0;
SELECT 1 AS one;
END;
"""
TABS = [
    "\\d ", "\\dt cust", "SELECT * FROM cust", "SELECT cust", "UPDATE ", "INSERT INTO or", "DROP VIEW ", "\\df or", "SET time",
    "GRANT SELECT ON ", "GRANT SELECT ON customers TO ", "ALTER TABLE orders DROP COLUMN ", "REFRESH MATERIALIZED VIEW ",
    "COMMENT ON SCHEMA ", "\\c vox", "SHOW work", "ALTER TABLE orders DROP CONSTRAINT ", "SELECT * FROM crm.", "\\dn ",
]

record = recorder("psql " + subprocess.check_output(["psql", "--version"], text=True).split()[2])
commands = (Path(__file__).parent / "psql.txt").read_text().splitlines()
script = "".join("SELECT '-- step: " + command.replace("'", "''") + f"';\n{command}\n" for command in commands)
environment = {**os.environ, "EDITOR": "true", "PSQL_EDITOR": "true"}
subprocess.run(["psql", *OPTIONS], input=script + STATEMENTS, text=True, stdout=subprocess.DEVNULL, env=environment)
terminal = pexpect.spawn("psql", OPTIONS, encoding="utf-8", env={**environment, "TERM": "dumb"}, dimensions=(40, 200))
terminal.expect("=# ")
for line in TABS:
    record.step(f"Tab after {line}")
    terminal.send(line + "\t\t")
    time.sleep(0.4)
    terminal.send("\x15\x03")
    time.sleep(0.2)
terminal.close(force=True)
print(record.finish(), file=sys.stderr)
