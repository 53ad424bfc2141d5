"""Rows on their way out: how soon the first one comes."""

import signal
import subprocess
import time

import data as rows_of
import warehouse
from turns import Measured

FIRST_ROW_TARGET_S = 0.1
FETCH_COUNT = 1000
# A run leaves its result unread. Until the server has noticed and stopped, it would compete with the next run.
SETTLE_S = 0.25
QUERY = "SELECT * FROM bench.orders"


def first_row_of_stream(voxhouse):
    """psycopg's `stream()`: the extended protocol, rows handed over as they come."""
    def work(_turn):
        time.sleep(SETTLE_S)
        connection = voxhouse.connect()
        connection.execute("SELECT 1").fetchall()
        cursor = connection.cursor()
        started = time.perf_counter()
        row = next(cursor.stream(QUERY))
        seconds = time.perf_counter() - started
        connection.close()  # Leaves the rest unread.
        if len(row) != len(rows_of.COLUMNS):
            raise RuntimeError(f"a row of {len(row)} columns")
        return Measured(seconds)

    return work


def first_line_of_psql(voxhouse, psql):
    """psql with FETCH_COUNT, which asks with DECLARE CURSOR and FETCH inside a transaction."""
    def work(_turn):
        time.sleep(SETTLE_S)
        child = subprocess.Popen([psql, "-XqAt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env=voxhouse.environment_of_client())
        try:
            child.stdin.write(f"\\set FETCH_COUNT {FETCH_COUNT}\n\\echo ready\n".encode())
            child.stdin.flush()
            if child.stdout.readline() != b"ready\n":
                raise RuntimeError("psql is not ready")
            started = time.perf_counter()
            child.stdin.write(f"{QUERY};\n".encode())
            child.stdin.flush()
            line = child.stdout.readline().decode()
            seconds = time.perf_counter() - started
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
        if not line.startswith("SO"):
            raise RuntimeError(line.strip())
        return Measured(seconds)

    return work


def measure(context):
    context.say("first row of a table of 10 million rows")
    with warehouse.opened(context) as voxhouse:
        stream = context.in_turns({"voxhouse, stream()": first_row_of_stream(voxhouse)}, rounds=15, warm_up=3)
        found = {"rows": rows_of.ROWS, "target": FIRST_ROW_TARGET_S,
                 "stream": stream["voxhouse, stream()"].summary()}
        psql = context.psql()
        found["fetch_count"] = FETCH_COUNT
        try:
            work = {"voxhouse, psql": first_line_of_psql(voxhouse, psql)}
            found["psql"] = context.in_turns(work, rounds=15, warm_up=3)["voxhouse, psql"].summary()
        except (RuntimeError, FileNotFoundError) as error:
            context.say(f"    psql: {error}")
            found["psql"] = {"error": str(error)}
    context.record("rows", found)

