"""A million rows of TPC-H's lineitem to clients, from Voxhouse and from PostgreSQL with the table in its cache."""

import os
import subprocess
import time
from pathlib import Path

import psycopg

from loads import drop_in, expect_rows, pipe_sql, run_pipe, table_sql
from machine import Process
from turns import Measured
from voxhouse import Voxhouse

ROWS = 1_000_000
RATE_TARGET, CPU_TARGET, COPY_TARGET = 1.5, 0.5, 2.0
HERE = Path(__file__).resolve().parent
DRIVER = Path("/usr/share/java/postgresql.jar")

COLUMNS = [
    ("l_orderkey", "bigint"), ("l_partkey", "integer"), ("l_suppkey", "integer"), ("l_linenumber", "integer"),
    ("l_quantity", "numeric(15,2)"), ("l_extendedprice", "numeric(15,2)"), ("l_discount", "numeric(15,2)"),
    ("l_tax", "numeric(15,2)"), ("l_returnflag", "char(1)"), ("l_linestatus", "char(1)"), ("l_shipdate", "date"),
    ("l_commitdate", "date"), ("l_receiptdate", "date"), ("l_shipinstruct", "char(25)"), ("l_shipmode", "char(10)"),
    ("l_comment", "varchar(44)"),
]
WORDS = ["carefully", "final", "deposits", "sleep", "furiously", "quick", "accounts", "bold", "pending", "packages",
         "regular", "theodolites", "express", "requests", "haggle", "ironic"]


def _pick(values, salt):
    listed = ", ".join(f"'{value}'" for value in values)
    return f"list_extract([{listed}], 1 + (hash(i, {salt}) % {len(values)})::INT)"


def _sql():
    """Every value follows from the number of its row; fields are as wide as TPC-H's."""
    day = "DATE '1992-01-01' + (hash(i, 1) % 2400)::INTEGER"
    comment = " || ' ' || ".join(_pick(WORDS, salt) for salt in (20, 21, 22))
    return f"""
        SELECT (i // 4 * 8 + 1)::BIGINT AS l_orderkey, (1 + hash(i, 2) % 200000)::INTEGER AS l_partkey,
               (1 + hash(i, 3) % 10000)::INTEGER AS l_suppkey, (1 + i % 4)::INTEGER AS l_linenumber,
               (1 + hash(i, 4) % 50)::DECIMAL(15,2) AS l_quantity,
               ((90000 + hash(i, 5) % 10000000)::BIGINT / 100.0)::DECIMAL(15,2) AS l_extendedprice,
               ((hash(i, 6) % 11)::BIGINT / 100.0)::DECIMAL(15,2) AS l_discount,
               ((hash(i, 7) % 9)::BIGINT / 100.0)::DECIMAL(15,2) AS l_tax,
               {_pick(["R", "A", "N"], 8)} AS l_returnflag, {_pick(["O", "F"], 9)} AS l_linestatus,
               {day} AS l_shipdate, {day} + 30 AS l_commitdate, {day} + 7 AS l_receiptdate,
               {_pick(["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"], 10)} AS l_shipinstruct,
               {_pick(["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"], 11)} AS l_shipmode,
               left({comment}, 44) AS l_comment
        FROM range({ROWS}) AS rows(i)"""


def _files(context, duckdb):
    folder = context.work / "data" / "lineitem"
    parquet, csv = folder / "lineitem.parquet", folder / "lineitem.csv"
    if not csv.exists():
        folder.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect()
        connection.execute(f"COPY ({_sql()}) TO '{parquet}' (FORMAT parquet, COMPRESSION snappy)")
        unfinished = csv.with_suffix(".unfinished")
        connection.execute(f"COPY (FROM read_parquet('{parquet}')) TO '{unfinished}' (FORMAT csv, HEADER)")
        unfinished.rename(csv)
    return parquet, csv


class Target:
    """A server, the table in it, and the processor time of its processes."""

    def __init__(self, name, environment, cpu_seconds):
        self.name, self.environment, self._cpu_seconds = name, environment, cpu_seconds

    def run(self, work):
        """`work` connects, reads all rows and disconnects."""
        cpu, started = self._cpu_seconds(), time.perf_counter()
        rows = work(self.environment)
        seconds = time.perf_counter() - started
        expect_rows(rows, ROWS, self.name)
        # A PostgreSQL backend is counted when it has ended, which may be a moment after the client's farewell.
        time.sleep(0.2)
        return Measured(seconds, self._cpu_seconds() - cpu)


def _postmaster_cpu_seconds(postgres):
    """Of the backends that have ended and been waited for."""
    pid = int((postgres.folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])

    def cpu_seconds():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(fields[at]) for at in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")

    return cpu_seconds


def _psql_copy(psql, options):
    def work(environment):
        done = subprocess.run([psql, "-XqAt", "-c", f"\\copy lineitem TO /dev/null {options}"], env=environment,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return ROWS  # `-q` hides the tag; a failure is an error.

    return work


def _psycopg(binary):
    def work(environment):
        # libpq's own calls: rows are counted and dropped, so that the client is not what is measured.
        wire = psycopg.connect(host=environment["PGHOST"], port=environment["PGPORT"], user=environment["PGUSER"],
                               dbname=environment["PGDATABASE"], password=environment.get("PGPASSWORD", ""),
                               autocommit=True)
        rows = 0
        with wire:
            connection = wire.pgconn
            connection.send_query_params(b"SELECT * FROM lineitem", None, result_format=int(binary))
            if psycopg.pq.version() >= 170000:
                connection.set_chunked_rows_mode(2000)
            else:
                connection.set_single_row_mode()
            while (result := connection.get_result()) is not None:
                if result.error_message:
                    raise RuntimeError(result.error_message.decode())
                rows += result.ntuples
                result.clear()
        return rows

    return work


def _jdbc(environment):
    done = subprocess.run(["java", "-cp", str(DRIVER), str(HERE / "Lines.java")], env=environment,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-1000:])
    return int(done.stdout)


def measure(context):
    import duckdb

    context.say(f"{ROWS:,} rows of lineitem to clients")
    parquet, csv = _files(context, duckdb)
    ways = {
        "psql, \\copy in text": _psql_copy(context.psql(), ""),
        "psql, \\copy in binary": _psql_copy(context.psql(), "(FORMAT binary)"),
        "libpq, rows in text": _psycopg(binary=False),
        "libpq, rows in binary": _psycopg(binary=True),
        "pgjdbc, fetch size 10,000": _jdbc,
    }
    found = {"rows": ROWS, "targets": [RATE_TARGET, CPU_TARGET, COPY_TARGET], "ways": {}}
    voxhouse = Voxhouse(context.binary, context.work / "lines")
    voxhouse.remove()
    with voxhouse, context.postgres() as postgres:
        with voxhouse.connect() as connection:
            connection.execute(table_sql("public.lineitem", COLUMNS, contract=False))
            drop_in(voxhouse, "landing/lineitem/", [parquet])
            connection.execute(pipe_sql("lineitem_pipe", "landing/lineitem/", "public.lineitem", COLUMNS))
            run_pipe(voxhouse, connection, "lineitem_pipe", ROWS)
        with postgres.connect() as connection:
            connection.execute(table_sql("lineitem", COLUMNS, contract=False))
            connection.execute(f"COPY lineitem FROM '{csv}' (FORMAT csv, HEADER)")
            connection.execute("VACUUM ANALYZE")
        there = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "voxhouse",
                 "PGDATABASE": "postgres", "PGPASSWORD": "any"}
        targets = [
            Target("voxhouse", voxhouse.environment_of_client(), Process(voxhouse.server.pid).cpu_seconds),
            Target("postgres", there, _postmaster_cpu_seconds(postgres)),
        ]
        for way, work in ways.items():
            context.say(f"  {way}")
            try:
                series = context.in_turns({one.name: lambda _turn, one=one: one.run(work) for one in targets},
                                          rounds=5, warm_up=1)
                found["ways"][way] = {name: one.summary() for name, one in series.items()}
            except (RuntimeError, FileNotFoundError) as error:
                context.say(f"    {error}")
                found["ways"][way] = {"error": str(error)}
    context.record("lines", found)
