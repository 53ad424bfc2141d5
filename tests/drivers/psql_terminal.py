"""psql as a person has it before them: the prompt, Tab, \\watch, and Ctrl-C wherever it may come."""

import os
import time

import pexpect
from transcript import SETUP, SHOP, run, step

PROMPT = r"ready(.)(.?)> "
ENDLESS = "SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b"


class Terminal(pexpect.spawn):
    def __init__(self):
        environment = {**os.environ, "TERM": "dumb", "PAGER": "cat", "INPUTRC": "/dev/null", "PSQL_HISTORY": "/dev/null"}
        super().__init__("psql", ["-X", "-q", "-A", "-P", "pager=off", "-v", "PROMPT1=ready%R%x> ", "-v", "PROMPT2=more%R%x> "],
                         encoding="utf-8", env=environment, dimensions=(60, 300), timeout=20)
        self.delayafterclose = self.delayafterterminate = 0.01
        self.expect(PROMPT)

    def enter(self, line):
        """What is printed until the next prompt, and what the prompt says of the transaction."""
        self.sendline(line)
        return self.answer()

    def answer(self):
        self.expect(PROMPT)
        return without_line(self.before), self.match[1] + self.match[2]

    def complete(self, start):
        """The line after Tab; psql is made to print it."""
        self.sendline(f"{start}\t\x05'\x01\\echo '")
        self.expect(r"\r\n([^\r\n]*)\r\n" + PROMPT)
        return self.match[1]

    def interrupt(self, after=0.7):
        time.sleep(after)
        self.sendintr()
        return self.answer()


def without_line(text):
    """Without what was typed, which the terminal repeats."""
    return [line for line in text.replace("^C", "").split("\r\n")[1:] if line]


@step
def set_up(terminal):
    for sql in SETUP + SHOP:
        terminal.enter(sql + ";")


@step
def prompts(terminal):
    return [terminal.enter(line)[1] for line in ("SELECT 1;", "BEGIN;", "SELECT 1;", "SELECT absent;", "SELECT 1;", "ROLLBACK;")]


@step
def queries(terminal):
    return [terminal.enter(line) for line in ("SELECT id, name FROM many WHERE id < 3 ORDER BY id;", "SELECT absent FROM many;",
                                              "TABLE many ORDER BY id LIMIT 1;", "\\x", "SELECT * FROM many WHERE id = 7;", "\\d shop.customers", "\\dt shop.*")]


@step
def a_statement_over_several_lines(terminal):
    terminal.sendline("SELECT (1 +")
    terminal.expect(r"more(.)> ")
    inside = terminal.match[1]
    terminal.sendline("2) AS three")
    terminal.expect(r"more(.)> ")
    return inside, terminal.match[1], terminal.enter(";")


@step
def control_c_in_a_query(terminal):
    terminal.sendline(ENDLESS + ";")
    return terminal.interrupt(), terminal.enter("SELECT 'after';")


@step
def control_c_in_a_transaction(terminal):
    terminal.enter("BEGIN;")
    terminal.enter("INSERT INTO written VALUES (1);")
    terminal.sendline(ENDLESS + ";")
    return terminal.interrupt(), terminal.enter("SELECT 1;"), terminal.enter("COMMIT;"), terminal.enter("SELECT count(*) FROM written;")


@step
def control_c_while_rows_are_fetched(terminal):
    terminal.enter("\\set FETCH_COUNT 100")
    terminal.enter("\\o /dev/null")
    terminal.sendline("SELECT id, i FROM many, generate_series(1, 100000) AS g(i);")
    # Whether it comes during a FETCH or between two of them is chance.
    terminal.interrupt()
    terminal.enter("\\o")
    return terminal.enter("SELECT 'after';")


@step
def control_c_while_rows_are_written(terminal):
    terminal.sendline("\\copy (SELECT id, i FROM many, generate_series(1, 100000) AS g(i)) TO /dev/null")
    # What of the text is printed before the error is the terminal's.
    said, status = terminal.interrupt()
    return said[-1:], status, terminal.enter("SELECT 'after';")


@step
def control_c_while_rows_are_typed(terminal):
    terminal.sendline("\\copy written FROM STDIN")
    terminal.sendline("1\ta\t1.5")
    terminal.interrupt()
    return terminal.enter("SELECT count(*) FROM written;")


@step
def rows_are_typed(terminal):
    terminal.sendline("COPY written FROM STDIN;")
    terminal.sendline("1\ta\t1.5")
    terminal.sendline("2\t\\N\t\\N")
    terminal.enter("\\.")
    found = terminal.enter("SELECT * FROM written ORDER BY id;")
    terminal.enter("DELETE FROM written;")
    return found


@step
def control_c_ends_a_watch(terminal):
    terminal.sendline("SELECT 'tick' AS word \\watch 0.2")
    for _ in range(3):
        terminal.expect("tick\r\n")
    terminal.interrupt(0.1)
    return terminal.enter("SELECT 'after';")


@step
def a_watch_ends_with_an_error(terminal):
    return [line for line in terminal.enter("SELECT 1 / 0 \\watch 0.2")[0] if "ERROR" in line]


COMPLETED = ["SELECT * FROM sho", "SELECT * FROM shop.cust", "SELECT * FROM man", "\\d shop.ord", "\\dt sho", "\\dv shop.to", "UPDATE writ",
             "UPDATE written SET na", "INSERT INTO kin", "SELECT * FROM shop.orders WHERE order_i", "ALTER TABLE shop.orders DROP COLUMN disc",
             "DROP VIEW shop.bu", "DROP TABLE shop.ord", "SET statement_tim", "SHOW server_enc", "COPY wri", "TRUNCATE TABLE wri", "COMMENT ON SCHEMA sh",
             "DROP SCHEMA sho", "REFRESH MATERIALIZED VIEW shop.sa", "GRANT SELECT ON shop.cus", "\\sv shop.bu", "EXPLAIN SEL"]


def tab(start):
    def press(terminal):
        return terminal.complete(start)
    press.__name__ = "tab_after_" + start.replace(" ", "_")
    return step(press)


for start in COMPLETED:
    tab(start)


run(Terminal, lambda error: None)
