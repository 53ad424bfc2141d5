"""One server under comparison, through libpq alone."""

import os

from psycopg import pq

TEXT, BINARY = 0, 1


class Failure(tuple):
    """SQLSTATE and message of an error; equal if both are."""


class Server:
    def __init__(self, name, port, database):
        options = {
            "host": "127.0.0.1", "port": port, "user": "voxhouse", "dbname": database,
            "password": os.environ["PGPASSWORD"], "connect_timeout": 20,
        }
        self.name = name
        self.connection = pq.PGconn.connect(" ".join(f"{key}='{value}'" for key, value in options.items()).encode())
        if self.connection.status != pq.ConnStatus.OK:
            raise SystemExit(f"{name}: {self.connection.error_message.decode()}")
        self.relations = {0: None}

    def _failure(self, result):
        field = lambda code: (result.error_field(code) or b"").decode()
        return Failure((field(pq.DiagnosticField.SQLSTATE), field(pq.DiagnosticField.MESSAGE_PRIMARY)))

    def run(self, sql):
        """Statements whose answer does not matter; they must not fail."""
        result = self.connection.exec_(sql.encode())
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise SystemExit(f"{self.name}: {self._failure(result)}: {sql}")

    def one(self, sql):
        result = self.connection.exec_(sql.encode())
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise SystemExit(f"{self.name}: {self._failure(result)}: {sql}")
        return result.get_value(0, 0).decode()

    def ask(self, sql, values=None, types=None, formats=None, result_format=TEXT):
        """The columns and rows of a query in the extended protocol, or a Failure."""
        result = self.connection.exec_params(sql.encode(), values or [], types, formats, result_format)
        if result.status == pq.ExecStatus.COMMAND_OK:
            return [], []
        if result.status != pq.ExecStatus.TUPLES_OK:
            return self._failure(result)
        columns = [self._column(result, at) for at in range(result.nfields)]
        rows = [tuple(result.get_value(row, at) for at in range(result.nfields)) for row in range(result.ntuples)]
        return columns, rows

    def _column(self, result, at):
        return {
            "name": result.fname(at).decode(), "type": result.ftype(at), "length": result.fsize(at),
            "modifier": result.fmod(at), "format": result.fformat(at),
            "table": result.ftable(at), "column": result.ftablecol(at),
        }

    def parameter_types(self, sql, types=None):
        """The types that a prepared statement tells for its parameters, or a Failure."""
        prepared = self.connection.prepare(b"", sql.encode(), types)
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            return self._failure(prepared)
        described = self.connection.describe_prepared(b"")
        return [described.param_type(at) for at in range(described.nparams)]

    def relation(self, oid):
        """The name of a relation, because numbers differ between servers."""
        if oid not in self.relations:
            self.relations[oid] = self.one(f"SELECT relname FROM pg_class WHERE oid = {oid}")
        return self.relations[oid]


class Comparison:
    """Both servers, and what was found."""

    def __init__(self, ours, postgres, known):
        self.ours, self.postgres, self.known = ours, postgres, known
        self.compared, self.differences, self.met, self.excused = 0, [], set(), 0

    def both(self, sql):
        self.ours.run(sql)
        self.postgres.run(sql)

    def check(self, key, ours, expected):
        """What is known to differ is excused by a part of the `key`."""
        self.compared += 1
        if ours == expected:
            return
        excuses = [part for part in self.known if part in key]
        self.met.update(excuses)
        self.excused += bool(excuses)
        if not excuses:
            self.differences.append(f"{key}\n    voxhouse {shown(ours)}\n    postgres {shown(expected)}")

    def report(self, title):
        stale = [key for key in self.known if key not in self.met]
        for difference in self.differences:
            print(f"{title}: {difference}")
        for key in stale:
            print(f"{title}: {key}\n    no longer differs, or is no longer checked: take it out of KNOWN")
        print(f"{title}: {self.compared} compared, {len(self.differences)} differ, {self.excused} as known")
        return len(self.differences) + len(stale)


def shown(value):
    return value.hex(" ") + f"  {value!r}" if isinstance(value, bytes) and b"\0" in value else repr(value)
