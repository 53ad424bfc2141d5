"""A result of 50 million rows on its way to a slow client, in both protocols, and how soon a cancel is heard."""

import statistics
import time

import psycopg

import data as rows_of
import warehouse
from machine import MemoryWatch
from turns import Series, Measured

COPIES = 5
ROWS = rows_of.ROWS * COPIES
ROWS_PER_S = 400_000
CHUNK_ROWS = 2000
QUERY = " UNION ALL ".join(["SELECT * FROM bench.orders"] * COPIES)
# What the server may grow by between the first rows of a stream and its last.
GROWTH_TARGET = 64 * 2**20
CANCEL_TARGET_S = 0.1
CANCELS = 15
PROTOCOLS = {
    "simple": lambda wire, sql: wire.send_query(sql.encode()),
    "extended": lambda wire, sql: wire.send_query_params(sql.encode(), None),
}
ENDLESS = {
    "rows on their way": QUERY,
    "an aggregate at work": "SELECT max(a.order_no || b.order_no) FROM bench.orders a CROSS JOIN bench.orders b",
}


def in_chunks(wire):
    if psycopg.pq.version() >= 170000:
        wire.set_chunked_rows_mode(CHUNK_ROWS)
    else:
        wire.set_single_row_mode()


def slow_reader(voxhouse, send):
    """Reads all rows at a limited pace and watches the server's memory."""
    with voxhouse.connect() as connection:
        wire = connection.pgconn
        before = voxhouse.process.resident_bytes()
        cpu, started, rows = voxhouse.process.cpu_seconds(), time.perf_counter(), 0
        with MemoryWatch(voxhouse.process) as watch:
            send(wire, QUERY)
            in_chunks(wire)
            while (result := wire.get_result()) is not None:
                if result.error_message:
                    raise RuntimeError(result.error_message.decode())
                rows += result.ntuples
                result.clear()
                ahead = rows / ROWS_PER_S - (time.perf_counter() - started)
                if ahead > 0.005:
                    time.sleep(ahead)
        seconds = time.perf_counter() - started
    if rows != ROWS:
        raise RuntimeError(f"{rows} rows instead of {ROWS}")
    resident = [bytes_ for _, bytes_ in watch.samples]
    tenths = [resident[len(resident) * i // 10:len(resident) * (i + 1) // 10] for i in range(10)]
    return {
        "seconds": seconds,
        "cpu_s": voxhouse.process.cpu_seconds() - cpu,
        "before": before,
        "tenths": [statistics.median(tenth) for tenth in tenths],
        "growth": max(max(tenth) for tenth in tenths[1:]) - max(tenths[0]),
        "peak": max(resident),
    }


def cancelled(voxhouse, sql):
    """From sending CancelRequest to the error in the client's hands; the client reads what is still on its way."""
    series = Series()
    for _ in range(CANCELS):
        with voxhouse.connect() as connection:
            wire = connection.pgconn
            PROTOCOLS["extended"](wire, sql)
            in_chunks(wire)
            if sql == QUERY:
                wire.get_result().clear()
            time.sleep(0.3)
            started = time.perf_counter()
            wire.get_cancel().cancel()
            state = None
            while (result := wire.get_result()) is not None:
                state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or state
                result.clear()
            if state != b"57014":
                raise RuntimeError(f"the statement ended with {state} instead of 57014")
            series.runs.append(Measured(time.perf_counter() - started))
    return {**series.summary(), "maximum_s": series.maximum()}


def measure(context):
    context.say(f"a stream of {ROWS:,} rows to a slow reader, and cancels")
    with warehouse.opened(context) as voxhouse:
        found = {"rows": ROWS, "pace": ROWS_PER_S, "growth_target": GROWTH_TARGET, "cancel_target": CANCEL_TARGET_S,
                 "protocols": {}, "cancels": {}}
        for name, sql in ENDLESS.items():
            found["cancels"][name] = cancelled(voxhouse, sql)
            context.say(f"    cancel of {name}: {found['cancels'][name]['median_s'] * 1000:.1f} ms")
        for name, send in PROTOCOLS.items():
            found["protocols"][name] = one = slow_reader(voxhouse, send)
            context.say(f"    {name}: {one['seconds']:.0f} s, grown by {one['growth'] / 2**20:.0f} MiB")
    context.record("streams", found)
