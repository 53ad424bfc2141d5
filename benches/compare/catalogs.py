"""The schema tree of a large warehouse: what a tool asks of the catalog before anybody has asked a question."""

import os
import subprocess
import time
from collections import defaultdict
from pathlib import Path

from lines import DRIVER
from turns import Measured
from voxhouse import Voxhouse

SCHEMAS = 4
TABLES = 2_000
COLUMNS = 50
ROUNDS = 6
# By what is asked: at most so many times PostgreSQL's time, or at most so many seconds.
TREE_TARGET = 2.0
DESCRIBE_TARGET = 0.05
HERE = Path(__file__).parent
ONE_SCHEMA = "s1"


def _definitions():
    """By schema: its definition, and those of its tables."""
    per_schema = TABLES // SCHEMAS
    columns = ", ".join(["id bigint PRIMARY KEY", *(
        f"c{place} {('text', 'double precision', 'timestamptz', 'integer')[place % 4]}" for place in range(1, COLUMNS))])
    for schema in range(SCHEMAS):
        tables = (f"CREATE TABLE s{schema}.t{table:04d} ({columns})" for table in range(per_schema))
        yield f"CREATE SCHEMA s{schema}", tables


def _fill(connection):
    for schema, tables in _definitions():
        connection.execute(schema)
        for table in tables:
            connection.execute(table)


def _psql(psql, environment, command):
    started = time.perf_counter()
    done = subprocess.run([psql, "-XqAt", "-c", command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return Measured(time.perf_counter() - started, answer=len(done.stdout.splitlines()))


def _driver(environment):
    """Milliseconds of each question, by question; the first round warms both sides up."""
    done = subprocess.run(["java", "-cp", str(DRIVER), str(HERE / "Columns.java"), ONE_SCHEMA, str(ROUNDS)], env=environment,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-1000:])
    asked = defaultdict(list)
    for line in done.stdout.splitlines():
        what, rows, milliseconds = line.split("\t")
        asked[what].append((int(rows), float(milliseconds) / 1e3))
    return {what: runs[1:] for what, runs in asked.items()}


def measure(context):
    context.say(f"the catalog of {TABLES:,} tables of {COLUMNS} columns")
    voxhouse = Voxhouse(context.binary, context.work / "catalogs")
    voxhouse.remove()
    found = {"tables": TABLES, "columns": TABLES * COLUMNS, "targets": [TREE_TARGET, DESCRIBE_TARGET], "made_s": {}, "asked": {}}
    with voxhouse, context.postgres() as postgres:
        environments = {
            "voxhouse": voxhouse.environment_of_client(),
            "postgres": {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "voxhouse",
                         "PGDATABASE": "postgres", "PGPASSWORD": "any"},
        }
        for name, server in (("voxhouse", voxhouse), ("postgres", postgres)):
            started = time.perf_counter()
            with server.connect() as connection:
                _fill(connection)
            found["made_s"][name] = time.perf_counter() - started
            context.say(f"  made in {name}: {found['made_s'][name]:.1f} s")
        for command in ("SELECT 1", "\\dn", "\\dt s1.*", "\\d s1.t0007"):
            context.say(f"  psql {command}")
            series = context.in_turns({name: lambda _turn, environment=environment: _psql(context.psql(), environment, command)
                                       for name, environment in environments.items()}, rounds=5, warm_up=1)
            lines = {one.runs[-1].answer for one in series.values()}
            if len(lines) != 1 and command.startswith("\\dt"):
                raise RuntimeError(f"{command}: {lines} lines")
            found["asked"][f"psql, {command}"] = {name: one.median() for name, one in series.items()}
        context.say("  pgjdbc")
        answers = {name: _driver(environment) for name, environment in environments.items()}
        for what in answers["voxhouse"]:
            rows = {name: {run[0] for run in answer[what]} for name, answer in answers.items()}
            if rows["voxhouse"] != rows["postgres"]:
                raise RuntimeError(f"{what}: rows {rows}")
            middle = {name: sorted(run[1] for run in answer[what])[len(answer[what]) // 2] for name, answer in answers.items()}
            found["asked"][f"pgjdbc, {what}"] = middle
            context.say(f"    {what}: {middle}")
    context.record("catalogs", found)
