"""Many connections: 200 that ask small questions at the same time, and 2,000 that ask nothing."""

import math
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from postgres import programs
from voxhouse import Voxhouse

CLIENTS = 200
P99_TARGET = 10
# Of what one connection gets done in a closed loop: what is asked of all together, so that nobody waits for the cores.
LOAD = 0.5
SECONDS = 15
IDLE = 2000
IDLE_TARGET = 20 * 2**10
# PostgreSQL has a process a connection; fewer tell as much.
IDLE_POSTGRES = 100
# The server makes a silent connection small after two seconds.
REST_S = 4

TABLE = """CREATE TABLE connections_small AS
SELECT i AS id, 'city ' || (i % 20) AS city, ((i * 7919 % 100000) / 100.0)::numeric(10,2) AS amount
FROM generate_series(1, 10000) AS g(i)"""
QUESTION = "SELECT city, count(*), sum(amount) FROM connections_small GROUP BY city"


def pgbench(environment, clients, seconds, rate=None, protocol="extended"):
    """Runs the question for a while; the latencies in seconds, in order, and what was done in a second."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "question.sql"
        script.write_text(QUESTION + ";\n")
        command = [programs() / "pgbench", "--no-vacuum", "--file", script, "--client", clients, "--jobs",
                   min(clients, 2), "--time", seconds, "--protocol", protocol, "--log", "--log-prefix",
                   Path(folder) / "log"]
        if rate:
            command += ["--rate", f"{rate:.3f}"]
        done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True)
        if done.returncode != 0 or "aborted" in done.stderr:
            raise RuntimeError(f"pgbench: {done.stderr[-1000:]}")
        lines = [line.split() for log in Path(folder).glob("log*") for line in log.read_text().splitlines()]
        failed = [line for line in lines if line[2] in ("failed", "skipped")]
        if failed or not lines:
            raise RuntimeError(f"{len(failed)} of {len(lines)} failed")
        return sorted(int(line[2]) / 1e6 for line in lines), len(lines) / seconds


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def busy(context, name, environment):
    """One connection alone, and 200 at half of what one gets done."""
    alone, rate = pgbench(environment, 1, SECONDS)
    context.say(f"    {name}: alone {percentile(alone, 0.5) * 1000:.2f} ms, {rate:.0f}/s")
    together, done = pgbench(environment, CLIENTS, SECONDS, rate * LOAD)
    flat_out, most = pgbench(environment, CLIENTS, SECONDS)
    found = {
        "median_alone_s": percentile(alone, 0.5), "p99_alone_s": percentile(alone, 0.99), "rate_alone": rate,
        "median_s": percentile(together, 0.5), "p99_s": percentile(together, 0.99), "rate": done,
        "flat_out_median_s": percentile(flat_out, 0.5), "flat_out_p99_s": percentile(flat_out, 0.99),
        "flat_out_rate": most, "questions": len(alone) + len(together) + len(flat_out),
    }
    context.say(f"    {name}: {CLIENTS} at {done:.0f}/s, p99 {found['p99_s'] * 1000:.2f} ms; flat out {most:.0f}/s")
    return found


def idle(connect, memory, count, question=None):
    """Bytes of the server for each connection that waits."""
    connections = []
    try:
        before = memory()
        for _ in range(count):
            connections.append(connect())
            if question:
                connections[-1].execute(question).fetchall()
        time.sleep(REST_S)
        return (memory() - before) / count
    finally:
        for connection in connections:
            connection.close()


def memory_of_postgres(postgres):
    """Proportional memory of all its processes: what is shared counts once."""
    def memory():
        total = 0
        own = str(postgres.folder)
        for folder in Path("/proc").iterdir():
            try:
                if not folder.name.isdigit() or not (folder / "comm").read_text().startswith("postgres"):
                    continue
                if own not in str((folder / "cwd").resolve()):
                    continue
                rollup = (folder / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
            except (FileNotFoundError, ProcessLookupError, PermissionError, StopIteration):
                continue
        return total

    return memory


def measure(context):
    context.say(f"{CLIENTS} connections that ask, {IDLE} that wait")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    found = {"clients": CLIENTS, "idle": IDLE, "load": LOAD, "p99_target": P99_TARGET, "idle_target": IDLE_TARGET,
             "question": QUESTION}
    voxhouse = Voxhouse(context.binary, context.work / "connections")
    voxhouse.remove()
    voxhouse.arguments = ["--max-connections", str(IDLE + CLIENTS)]
    with voxhouse:
        with voxhouse.connect() as connection:
            connection.execute(TABLE)
            answer = connection.execute(QUESTION).fetchall()
        found["voxhouse"] = busy(context, "voxhouse", voxhouse.environment_of_client())
    # A server that has done nothing else: memory that it has freed and kept would hide what connections take.
    with voxhouse:
        voxhouse.connect().close()
        found["idle_bytes"] = idle(voxhouse.connect, voxhouse.process.resident_bytes, IDLE)
        context.say(f"    voxhouse: {found['idle_bytes'] / 1024:.1f} KiB for a connection that has asked nothing")
    with voxhouse:
        voxhouse.connect().close()
        found["rested_bytes"] = idle(voxhouse.connect, voxhouse.process.resident_bytes, IDLE, QUESTION)
        context.say(f"    voxhouse: {found['rested_bytes'] / 1024:.1f} KiB for one that has asked and rests")
    with context.postgres() as postgres:
        with postgres.connect() as connection:
            connection.execute(TABLE)
            theirs = connection.execute(QUESTION).fetchall()
        if sorted((city, count, float(total)) for city, count, total in answer) != sorted(
                (city, count, float(total)) for city, count, total in theirs):
            raise RuntimeError("the answers differ")
        environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "voxhouse",
                       "PGDATABASE": "postgres"}
        found["postgres"] = busy(context, "PostgreSQL", environment)
        memory = memory_of_postgres(postgres)
        found["postgres_idle_bytes"] = idle(postgres.connect, memory, IDLE_POSTGRES)
        found["postgres_rested_bytes"] = idle(postgres.connect, memory, IDLE_POSTGRES, QUESTION)
    voxhouse.remove()
    context.record("connections", found)
