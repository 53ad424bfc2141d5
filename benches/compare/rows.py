"""Rows on their way out: how soon the first one comes, and what the server holds while a slow client reads all."""

import signal
import statistics
import subprocess
import time

import psycopg

import data as rows_of
import warehouse
from machine import MemoryWatch
from turns import Measured

FIRST_ROW_TARGET_S = 0.1
FETCH_COUNT = 1000
SLOW_ROWS_PER_S = 200_000
CHUNK_ROWS = 2000
# A run leaves its result unread. Until the server has noticed and stopped, it would compete with the next run.
SETTLE_S = 0.25
QUERY = "SELECT * FROM bench.orders"
# Memory is called flat if the peak of the second half of the stream passes that of the first by no more.
FLAT_RATIO = 1.1


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


def slow_reader(voxhouse):
    """Reads all rows at a limited pace and watches the server's memory."""
    with voxhouse.connect() as connection:
        wire = connection.pgconn
        voxhouse.process.forget_peak()
        before = voxhouse.process.resident_bytes()
        cpu, started, rows = voxhouse.process.cpu_seconds(), time.perf_counter(), 0
        with MemoryWatch(voxhouse.process) as watch:
            wire.send_query_params(QUERY.encode(), None)
            if psycopg.pq.version() >= 170000:
                wire.set_chunked_rows_mode(CHUNK_ROWS)
            else:
                wire.set_single_row_mode()
            while (result := wire.get_result()) is not None:
                if result.error_message:
                    raise RuntimeError(result.error_message.decode())
                rows += result.ntuples
                result.clear()
                ahead = rows / SLOW_ROWS_PER_S - (time.perf_counter() - started)
                if ahead > 0.005:
                    time.sleep(ahead)
        seconds = time.perf_counter() - started
    if rows != rows_of.ROWS:
        raise RuntimeError(f"{rows} rows instead of {rows_of.ROWS}")
    resident = [bytes_ for _, bytes_ in watch.samples]
    half = len(resident) // 2
    return {
        "rows": rows,
        "seconds": seconds,
        "cpu_s": voxhouse.process.cpu_seconds() - cpu,
        "pace": SLOW_ROWS_PER_S,
        "before": before,
        "tenths": [statistics.median(resident[len(resident) * i // 10:len(resident) * (i + 1) // 10])
                   for i in range(10)],
        "first_half_peak": max(resident[:half]),
        "second_half_peak": max(resident[half:]),
        "peak": voxhouse.process.peak_bytes(),
        "flat": max(resident[half:]) <= FLAT_RATIO * max(resident[:half]),
    }


def measure(context):
    context.say("first row and streaming of a table of 10 million rows")
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
        context.say(f"    a slow reader of {SLOW_ROWS_PER_S} rows/s")
        found["slow"] = slow_reader(voxhouse)
    context.record("rows", found)

