"""Superset against Voxhouse, by its REST API: prints `step<TAB>result` for each step; the status tells if all passed.

run.py --binary target/debug/voxhouse     starts a Voxhouse with the demo's data, and a Superset, and ends both
run.py --voxhouse URI                     against a running Voxhouse with the demo's data
"""

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg2
import psycopg2.extras

import processes
import steps
from api import Api

# The steps, in the order of these modules.
import browsing  # noqa: F401
import charts  # noqa: F401
import sql_lab  # noqa: F401
import dashboard  # noqa: F401


KEPT_LOG = Path(tempfile.gettempdir()) / "voxhouse-superset.log"


class Stage:
    """What steps share: the API of Superset, a connection of their own to Voxhouse, and what earlier steps made."""

    user, password = processes.USER, processes.PASSWORD

    def __init__(self, superset, uri):
        self.superset, self.uri = superset, uri
        self.api = Api(superset, self.user, self.password)
        self.connection = psycopg2.connect(uri.replace("+psycopg2", ""))
        self.connection.autocommit = True
        self.database = None
        self.datasets = {}

    def sql(self, text, *values):
        """The rows of a query that goes to Voxhouse directly."""
        with self.connection.cursor() as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall()

    def column(self, text, *values):
        return [row[0] for row in self.sql(text, *values)]

    def execute(self, text):
        with self.connection.cursor() as cursor:
            cursor.execute(text)

    def dataset(self, schema, table, sql=None):
        body = {"database": self.database, "schema": schema, "table_name": table}
        if sql:
            body["sql"] = sql
        self.datasets[table] = self.api.post("dataset/", body)["id"]
        return self.datasets[table]


def main():
    parser = argparse.ArgumentParser(description="Runs Superset against Voxhouse.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--binary", help="the voxhouse to start")
    where.add_argument("--voxhouse", help="postgresql+psycopg2://USER:PASSWORD@HOST:PORT/voxhouse of a running one")
    options = parser.parse_args()
    processes.end_by_signals()
    known = steps.read_known(processes.HERE / "KNOWN")
    try:
        with contextlib.ExitStack() as open_servers:
            start = time.monotonic()
            uri = options.voxhouse or open_servers.enter_context(processes.voxhouse(options.binary))
            superset, log = open_servers.enter_context(processes.superset())
            print(f"start\tboth servers are ready ({time.monotonic() - start:.1f} s)", flush=True)
            failed = steps.run(Stage(superset, uri), known)
            if failed:
                print(f"\nSuperset's log is kept in {shutil.copy(log, KEPT_LOG)}")
    except processes.Failed as error:
        raise SystemExit(str(error))
    print(f"\n{len(steps.STEPS) - failed - len(known)} passed, {len(known)} known to fail, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
