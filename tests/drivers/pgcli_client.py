"""pgcli: what it asks for completion, its backslash commands, and a person at a terminal."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pexpect
import psycopg
from pgcli.pgexecute import PGExecute
from pgspecial.main import PGSpecial
from transcript import SETUP, SHOP, directly, run, step, where

PLACE = where()
HOME = tempfile.TemporaryDirectory(prefix="voxhouse-pgcli-")
# Its settings and its history are those of a new user.
ENVIRONMENT = {**os.environ, "HOME": HOME.name, "XDG_CONFIG_HOME": HOME.name, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "PAGER": "cat", "TZ": "UTC",
               "PYTHONWARNINGS": "ignore"}
PROGRAM = str(Path(sys.executable).with_name("pgcli"))
OURS = ("shop", "public")


class Executor(PGExecute):
    def __init__(self):
        super().__init__(PLACE["pgdatabase"], PLACE["pguser"], PLACE["pgpassword"], PLACE["pghost"], PLACE["pgport"])

    def close(self):
        self.conn.close()


@step
def set_up(executor):
    directly(*SETUP, *SHOP)


def completion(name, found=lambda rows: [row for row in rows if row[0] in OURS]):
    """What completion asks with a method of the executor, of our schemas."""
    def ask(executor):
        return sorted(found(getattr(executor, name)()), key=repr)
    ask.__name__ = "completion_of_" + name
    return step(ask)


for name in ("tables", "views", "table_columns", "view_columns"):
    completion(name)
completion("search_path", found=list)
completion("schemata", found=lambda names: [name for name in names if name in (*OURS, "pg_catalog", "information_schema")])
completion("databases", found=lambda names: [name == PLACE["pgdatabase"] for name in names if name == PLACE["pgdatabase"]])
completion("foreignkeys", found=list)
completion("datatypes", found=lambda rows: [row for row in rows if row[0] in OURS])
completion("functions", found=lambda functions: [
    (one.func_name, one.return_type, one.is_set_returning, one.is_aggregate, one.is_window) for one in functions
    if one.schema_name == "shop"])
completion("casing", found=lambda words: [word for word in words if word in ("Odd Names", "Id", "customer_id")])


@step
def what_it_knows_of_the_session(executor):
    executor.set_timezone("Asia/Shanghai")
    return executor.get_timezone(), executor.short_host, executor.server_version.split(".")[0]


COMMANDS = [
    "\\dt shop.*", "\\dt+ public.many", "\\dv shop.*", "\\dm shop.*", "\\di shop.*", "\\ds shop.*", "\\d shop.customers",
    "\\d shop.orders", "\\d shop.\"Odd Names\"", "\\d shop.totals", "\\d shop.sales", "\\d shop.loose", "\\d+ shop.customers",
    "\\d+ shop.orders", "\\d+ shop.totals", "\\d many", "\\d absent", "\\dn shop", "\\df shop.*", "\\dT shop.*", "\\dp shop.customers",
    "\\ddp", "\\dE shop.*", "\\dD shop.*", "\\du absent", "\\db pg_default",
]


def command(text):
    def say(executor):
        # The size of a relation is the server's own.
        return [(title and str(title).split("\n")[0], headers and [one for one in headers if one != "Size"],
                 sorted((tuple(cell for cell, one in zip(row, headers) if one != "Size") for row in rows), key=repr)
                 if not isinstance(rows, (str, type(None))) else rows, status)
                for title, rows, headers, status, *_ in executor.run(text, PGSpecial())]
    say.__name__ = text.replace(" ", "_")
    return step(say)


for text in COMMANDS:
    command(text)


@step
def queries(executor):
    found = []
    for sql in ("SELECT * FROM shop.orders ORDER BY order_id, line", "INSERT INTO written VALUES (1, 'a', 1.5), (2, NULL, NULL)",
                "UPDATE written SET name = 'b'", "DELETE FROM written", "SELECT 1; SELECT 'two'", "SHOW server_encoding",
                "EXPLAIN SELECT 1"):
        for _, rows, headers, status, *_ in executor.run(sql):
            found.append((headers, None if "EXPLAIN" in sql else list(rows) if rows else None, status))
    return found


@step
def errors(executor):
    found = []
    for sql in ("SELECT * FROM absent", "SELECT absent FROM many", "SELEKT 1", "SELECT 1/0"):
        try:
            list(executor.run(sql))
        except psycopg.Error as error:
            found.append((sql, error.sqlstate, str(error).splitlines()[:3]))
    return found


def program(*arguments, lines=""):
    done = subprocess.run([PROGRAM, "-w", "--less-chatty", *arguments], input=lines, capture_output=True, text=True, env=ENVIRONMENT)
    return [line for line in done.stdout.splitlines() if "time zone" not in line and not line.startswith(("Time:", "Use `set"))]


@step
def commands_of_the_program(executor):
    return program("-c", "SELECT id, name, price, NULL AS nothing FROM many WHERE id < 3 ORDER BY id", "-c", "\\dt shop.*",
                   "-c", "SELECT 'it''s' AS word, true AS yes, ARRAY[1, 2] AS numbers", "-c", "\\d shop.customers")


@step
def rows_alone(executor):
    return program("-t", "-c", "SELECT * FROM shop.customers ORDER BY customer_id")


class Terminal(pexpect.spawn):
    def __init__(self):
        super().__init__(PROGRAM, ["-w", "--less-chatty", "--prompt", "ready> "], encoding="utf-8", env=ENVIRONMENT,
                         dimensions=(50, 200), timeout=20)
        self.expect("ready>")

    def answers(self, line, expected):
        self.send(line)
        self.expect(expected)

    def sees(self, line, expected):
        self.send(line)
        return self.expect([expected, pexpect.TIMEOUT], timeout=1) == 0

    def quit(self):
        self.send("\x04")
        self.expect(pexpect.EOF)


@step
def a_person_at_a_terminal(executor):
    terminal = Terminal()
    terminal.answers("SELECT count(*) AS found FROM many WHERE id > 7;\r", r"\| 2493 +\|")
    terminal.answers("SELECT absent FROM many;\r", 'column "absent" does not exist')
    terminal.answers("\\d shop.customers\r", "customers_pkey")
    terminal.quit()
    return "all expected"


@step
def completion_at_a_terminal(executor):
    terminal = Terminal()
    for _ in range(8):
        # The names are read in the meantime, on a connection of its own.
        if terminal.sees("SELECT name FROM shop.cust", " customers .* table "):
            break
        terminal.send("\x15")
    else:
        return "the table's name is not offered"
    terminal.answers("\t WHERE customer_id = 4;\r", "Zoë")
    terminal.quit()
    return "all expected"


run(Executor, lambda error: getattr(error, "sqlstate", None))
