"""Turns what PostgreSQL logged while a client ran into tests/clients/CLIENT.sql.

The server must log to csv with log_statement=all and log_parameter_max_length=-1. What a client is about to do is told
by a marker, `SELECT '-- step: …'`, on any connection.
"""

import csv
import json
import os
import re
import time
from pathlib import Path

import psycopg

MARKER = re.compile(r"\s*SELECT '-- step: (.*)'\s*;?\s*$", re.S)
EXECUTE = re.compile(r"(?:execute|bind|parse) (?!fetch from)[^:]*: (.*)$", re.S)
PARAMETER = re.compile(r"\$\d+ = (NULL|'(?:[^']|'')*')(?:, |$)", re.S)
LITERAL = re.compile(r"'(?:[^']|'')*'")
# Kept even if seen before, marked as such: the statements after them depend on them.
STATE = re.compile(r"(BEGIN|START|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|SET|RESET|DECLARE|CLOSE|CREATE|DROP)\b", re.I)

# Every object a statement may name by OID, as the placeholder that client_queries.py looks up again.
OIDS = """
SELECT c.oid, 'class ' || n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid >= 16384
UNION ALL SELECT t.oid, 'type ' || n.nspname || '.' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE t.oid >= 16384
UNION ALL SELECT p.oid, 'proc ' || n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE p.oid >= 16384
UNION ALL SELECT c.oid, 'constraint ' || n.nspname || '.' || c.conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = connamespace WHERE c.oid >= 16384
UNION ALL SELECT oid, 'schema ' || nspname FROM pg_namespace WHERE oid >= 16384 OR nspname = 'public'
UNION ALL SELECT oid, 'role ' || rolname FROM pg_roles WHERE oid >= 16384
UNION ALL SELECT oid, 'database ' || datname FROM pg_database WHERE oid >= 16384
UNION ALL SELECT oid, 'other' FROM pg_trigger WHERE oid >= 16384 UNION ALL SELECT oid, 'other' FROM pg_attrdef
UNION ALL SELECT oid, 'other' FROM pg_foreign_server UNION ALL SELECT oid, 'other' FROM pg_extension WHERE oid >= 16384
UNION ALL SELECT oid, 'other' FROM pg_policy UNION ALL SELECT oid, 'other' FROM pg_publication
UNION ALL SELECT oid, 'other' FROM pg_statistic_ext UNION ALL SELECT oid, 'other' FROM pg_foreign_data_wrapper
"""


class Recorder:
    def __init__(self, client, conninfo, log, folder):
        self.client, self.log, self.folder = client, Path(log), Path(folder)
        self.connection = psycopg.connect(conninfo, autocommit=True, application_name="recorder")
        self.start = self.log.stat().st_size

    def step(self, what):
        self.connection.execute("SELECT '-- step: " + what.replace("'", "''") + "'")

    def finish(self):
        """Writes the file; the number of statements in it."""
        oids = dict(self.connection.execute(OIDS).fetchall())
        names = {name.split(" ", 1)[1] for name in oids.values() if " " in name}
        names |= {part for name in names for part in name.split(".")}
        names |= {name for (name,) in self.connection.execute("SELECT relname FROM pg_class UNION SELECT nspname FROM pg_namespace UNION SELECT attname FROM pg_attribute")}
        self.connection.execute("SELECT '-- step: end'")
        self.connection.close()
        time.sleep(1)
        with open(self.log, newline="", encoding="utf-8") as log:
            log.seek(self.start)
            rows = [row for row in csv.reader(log) if row[2] == "voxhouse" and row[11] in ("LOG", "ERROR")]
        blocks, seen, step, sessions, session = [], set(), "connect", {}, None
        for place, row in enumerate(rows):
            found = statement(row) if row[11] == "LOG" else None
            if found is None:
                continue
            sql, parameters = found
            if (marker := MARKER.match(sql)) is not None:
                step = marker[1].replace("''", "'")
                continue
            if row[22] == "recorder":
                continue
            sql = placed(sql, oids)
            parameters = None if parameters is None else [None if p is None else placed(p, oids) for p in parameters]
            keeps_state = STATE.match(sql) is not None
            again = (key := normal(sql, set() if keeps_state else names)) in seen
            if again and not keeps_state:
                continue
            seen.add(key)
            lines = [f"-- step: {step}"]
            if session != row[5]:
                session = row[5]
                lines.insert(0, f"-- session: {sessions.setdefault(session, len(sessions) + 1)}")
            if again:
                lines.append("-- again")
            if (sqlstate := refused(rows[place + 1 :], row[5])) is not None:
                lines.append(f"-- error: {sqlstate}")
            if parameters is not None:
                lines.append("-- params: " + json.dumps(parameters, ensure_ascii=False))
            blocks.append("\n".join([*lines, sql]) + "\n")
        path = self.folder / f"{self.client.split()[0]}.sql"
        path.write_text(f"-- client: {self.client}\n" + "-- next\n".join(blocks), encoding="utf-8")
        return sum("\n-- again\n" not in block for block in blocks)


def statement(row):
    """The text and parameters (None in the simple protocol) of a line of the log that tells of a statement."""
    message, detail = row[13], row[14]
    if message.startswith("statement: "):
        return message.removeprefix("statement: ").strip("\n"), None
    if (found := EXECUTE.match(message)) is None:
        return None
    parameters = []
    if detail.startswith("parameters: "):
        for value in PARAMETER.findall(detail.removeprefix("parameters: ")):
            parameters.append(None if value == "NULL" else value[1:-1].replace("''", "'"))
    return found[1].strip("\n"), parameters


def refused(later, session):
    """The SQLSTATE with which PostgreSQL answered a statement, if the next line of its session tells of an error."""
    following = next((row for row in later if row[5] == session), None)
    return following[12] if following is not None and following[11] == "ERROR" else None


def placed(text, oids):
    def name(number):
        known = oids.get(int(number[0]))
        return number[0] if known is None else "{" + known + "}"

    return re.sub(r"(?<![\w.])\d{4,}(?![\w.])", name, text)


def normal(sql, names):
    """Statements with the same result differ only in constants: numbers, and names of the example's objects."""

    def constant(literal):
        text = literal[0].strip("'")
        plain = text.replace("\\", "").strip("^$()%").replace('"', "")
        return "?" if "{" in text or plain in names or re.fullmatch(r"[\d\s:.+-]*", text) else literal[0]

    sql = LITERAL.sub(constant, sql)
    sql = re.sub(r"\{[^}]*\}|(?<![\w$])\d+(?:\.\d+)?", "?", sql)
    sql = re.sub(r"\?(\s*,\s*\?)+", "?", sql)
    return re.sub(r"\s+", " ", sql)


def recorder(client):
    """A recorder with the places of the environment: RECORD_DSN, RECORD_LOG; writes beside this folder."""
    return Recorder(client, os.environ["RECORD_DSN"], os.environ["RECORD_LOG"], Path(__file__).parent.parent)
