"""A server under comparison: sessions at the level of libpq, names of OIDs, and the example's objects."""

import os
import re
import select
import time
from dataclasses import dataclass, field

import psycopg
from psycopg import pq

# Where objects with an OID are told by name. {kind name} in a statement stands for the OID on the server it runs on.
NAMES = {
    "class": "SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384",
    "type": "SELECT t.oid, n.nspname || '.' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid >= 16384",
    "proc": "SELECT p.oid, n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid >= 16384",
    "constraint": "SELECT c.oid, n.nspname || '.' || c.conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384",
    "schema": "SELECT oid, nspname FROM pg_namespace",
    "role": "SELECT oid, rolname FROM pg_roles",
    "database": "SELECT oid, datname FROM pg_database",
    "default": "SELECT d.oid, c.relname || '.' || d.adnum FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid",
    "rule": "SELECT r.oid, c.relname || '.' || r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.oid >= 16384",
}
NO_ANSWER = "-----"
NO_ROWS_BINARY = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"
SYSTEM_SCHEMA = re.compile(r"pg_|information_schema$")


@dataclass
class Answer:
    """One result of a statement: an error, or names, type OIDs, rows (None for NULL) and the command tag."""

    tag: str = ""
    columns: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    sqlstate: str = ""
    message: str = ""


class Server:
    def __init__(self, name, port, timeout):
        self.name, self.port, self.timeout = name, port, timeout
        self.oids, self.names, self.types, self.own_functions = {}, {}, {}, set()
        self.sessions, self.session = {}, ""
        self.close_sessions()

    @property
    def connection(self):
        return self.sessions[self.session]

    def use_session(self, name):
        """What follows runs in the session of this name, which is opened at its first use."""
        self.session = name
        if name not in self.sessions:
            self.reconnect()

    def close_sessions(self):
        for connection in self.sessions.values():
            connection.finish()
        self.sessions = {}
        self.use_session("")

    def reconnect(self):
        if (old := self.sessions.pop(self.session, None)) is not None:
            old.finish()
        password = os.environ.get("PGPASSWORD", "")
        options = f"host=127.0.0.1 port={self.port} user=voxhouse dbname=voxhouse connect_timeout=10 client_encoding=UTF8 password='{password}'"
        self.sessions[self.session] = pq.PGconn.connect(options.encode())
        if self.connection.status != pq.ConnStatus.OK:
            raise SystemExit(f"{self.name}: {self.connection.error_message.decode(errors='replace')}")

    def run(self, sql, parameters=None):
        """The answers to a statement, in text format; the extended protocol where there is a list of parameters."""
        sql = re.sub(r"\{(\w+)(?: ([^{}]*))?\}", self.oid, sql)
        if parameters is None:
            self.connection.send_query(sql.encode())
        else:
            filled = [None if p is None else re.sub(r"\{(\w+)(?: ([^{}]*))?\}", self.oid, p).encode() for p in parameters]
            self.connection.send_query_params(sql.encode(), filled)
        found, end = [], time.monotonic() + self.timeout
        while True:
            self.connection.flush()
            while self.connection.is_busy():
                if not select.select([self.connection.socket], [], [], max(0, end - time.monotonic()))[0]:
                    self.connection.get_cancel().cancel()
                    self.reconnect()
                    return [Answer(sqlstate=NO_ANSWER, message=f"no answer within {self.timeout:g} s")]
                try:
                    self.connection.consume_input()
                except psycopg.OperationalError:
                    self.reconnect()
                    return [Answer(sqlstate=NO_ANSWER, message="the connection was closed")]
            result = self.connection.get_result()
            if result is None:
                if self.connection.status != pq.ConnStatus.OK:
                    self.reconnect()
                return found
            found.append(self.answer(result))

    def answer(self, result):
        status = result.status
        if status == pq.ExecStatus.FATAL_ERROR:
            part = lambda which: (result.error_field(which) or b"").decode(errors="replace")
            return Answer(sqlstate=part(pq.DiagnosticField.SQLSTATE) or NO_ANSWER, message=part(pq.DiagnosticField.MESSAGE_PRIMARY))
        answer = Answer(tag=(result.command_status or b"").decode())
        if status == pq.ExecStatus.COPY_IN:
            if result.binary_tuples:
                self.connection.put_copy_data(NO_ROWS_BINARY)
            self.connection.put_copy_end()
        elif status == pq.ExecStatus.COPY_OUT:
            while True:
                size, data = self.connection.get_copy_data(0)
                if size < 0:
                    break
                answer.rows.append((bytes(data).hex(),))
            answer.columns = [("COPY", 0)]
        else:
            answer.columns = [(result.fname(i).decode(errors="replace"), result.ftype(i)) for i in range(result.nfields)]
            for row in range(result.ntuples):
                cells = (result.get_value(row, i) for i in range(result.nfields))
                answer.rows.append(tuple(None if cell is None else cell.decode(errors="replace") for cell in cells))
        return answer

    def oid(self, found):
        kind, name = found[1], found[2]
        if kind != "other" and kind not in NAMES:
            return found[0]
        return str(self.oids.get((kind, name), 0))

    def learn_names(self):
        """Which OIDs stand for what: what a server numbers as it likes is compared by name."""
        for kind, sql in reversed(NAMES.items()):
            for oid, name in self.run(sql)[0].rows:
                self.oids[kind, name] = int(oid)
                self.names[oid] = name
        self.types = dict(self.run("SELECT oid, typname FROM pg_type")[0].rows)

    def functions(self):
        return {name for (name,) in self.run("SELECT DISTINCT proname FROM pg_proc")[0].rows}

    def relations(self):
        sql = "SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm')"
        return {(schema, name): kind for schema, name, kind in self.run(sql)[0].rows if not SYSTEM_SCHEMA.match(schema)}

    def drop_leftovers(self):
        """Drops what a client's statements made and left."""
        words = {"r": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW"}
        for (schema, name), kind in self.relations().items():
            if ("class", f"{schema}.{name}") not in self.oids:
                self.run(f'DROP {words[kind]} "{schema}"."{name}" CASCADE')
        for (schema,) in self.run("SELECT nspname FROM pg_namespace")[0].rows:
            if ("schema", schema) not in self.oids and not SYSTEM_SCHEMA.match(schema):
                self.run(f'DROP SCHEMA "{schema}" CASCADE')

    def must(self, sql):
        for answer in self.run(sql):
            if answer.sqlstate:
                raise SystemExit(f"{self.name}: {answer.message}\n{sql}")
        return answer


def follow_transaction(postgres, voxhouse):
    """Brings Voxhouse into PostgreSQL's state, so that one failure is not counted for all that follow."""
    status = pq.TransactionStatus
    wanted = postgres.connection.transaction_status
    if wanted == voxhouse.connection.transaction_status:
        return
    if voxhouse.connection.transaction_status != status.IDLE:
        voxhouse.run("ROLLBACK")
    if wanted != status.IDLE:
        voxhouse.run("BEGIN")
    if wanted == status.INERROR:
        voxhouse.run("SELECT 1/0")


def set_up(postgres, voxhouse, both):
    """Makes the example in both, and in PostgreSQL the relations that every Voxhouse has."""
    repeat_shipped(postgres, voxhouse)
    for server in (postgres, voxhouse):
        for statement in re.split(r";\n", both):
            if statement.strip():
                server.must(statement)


def repeat_shipped(postgres, voxhouse):
    quote = lambda text: "'" + text.replace("'", "''") + "'"
    known = {row[0] for row in postgres.run("SELECT nspname FROM pg_namespace")[0].rows}
    for schema, comment in voxhouse.must("SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_namespace").rows:
        if schema not in known and not SYSTEM_SCHEMA.match(schema):
            postgres.must(f"CREATE SCHEMA {schema}")
            postgres.must(f"COMMENT ON SCHEMA {schema} IS {quote(comment or '')}")
    for (schema, name), kind in sorted(voxhouse.relations().items()):
        relation = f"{schema}.{name}"
        columns = voxhouse.must(
            "SELECT attname, format_type(atttypid, atttypmod), attnotnull, col_description(attrelid, attnum) FROM pg_attribute"
            f" WHERE attrelid = '{relation}'::regclass AND attnum > 0 ORDER BY attnum").rows
        if kind == "r":
            listed = ", ".join(f"{column} {type}{' NOT NULL' if required == 't' else ''}" for column, type, required, _ in columns)
            postgres.must(f"CREATE TABLE {relation} ({listed})")
            checks = f"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{relation}'::regclass"
            for constraint, definition in voxhouse.must(checks).rows:
                postgres.must(f"ALTER TABLE {relation} ADD CONSTRAINT {constraint} {definition}")
        else:
            listed = ", ".join(f"NULL::{type} AS {column}" for column, type, _, _ in columns)
            postgres.must(f"CREATE {'VIEW' if kind == 'v' else 'MATERIALIZED VIEW'} {relation} AS SELECT {listed} WHERE false")
        word = {"r": "TABLE", "v": "VIEW", "m": "MATERIALIZED VIEW"}[kind]
        comment = voxhouse.must(f"SELECT obj_description('{relation}'::regclass, 'pg_class')").rows[0][0]
        if comment is not None:
            postgres.must(f"COMMENT ON {word} {relation} IS {quote(comment)}")
        for column, _, _, comment in columns:
            if comment is not None:
                postgres.must(f"COMMENT ON COLUMN {relation}.{column} IS {quote(comment)}")
