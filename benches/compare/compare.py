#!/usr/bin/env python3
"""Voxhouse, DuckDB, PostgreSQL, jieba, statsmodels and scikit-learn on the same work, in turns; writes benches/RESULTS.md.

Needs a release build of Voxhouse, PostgreSQL's server programs, and the network once, for the Python packages of
requirements.txt, which go into a virtual environment in the user's cache folder.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
BENCHES = HERE.parent
CASES = ("load", "sample", "rows", "lines", "streams", "connections", "catalogs", "scans", "texts", "statistics")
RERUN = "VOXHOUSE_BENCH_IN_VENV"


def enter_environment():
    """Runs this program again with the Python that has the peers."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "voxhouse" / "benches-venv"
    python = cache / "bin" / "python"
    if not python.exists():
        print(f"making a virtual environment in {cache}")
        venv.create(cache, with_pip=True)
    wanted, done = (HERE / "requirements.txt").read_text(), cache / "requirements.txt"
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", HERE / "requirements.txt"], check=True)
        done.write_text(wanted)
    os.execve(python, [str(python), *sys.argv], {**os.environ, RERUN: "1", "PYTHONDONTWRITEBYTECODE": "1"})


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = Path(os.environ.get("CARGO_TARGET_DIR") or BENCHES.parent / "target")
    parser.add_argument("--binary", type=Path, default=target / "release" / "voxhouse",
                        help="the release build to measure")
    parser.add_argument("--build", help="what the binary was built from, such as a commit; named in the report")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "voxhouse-benches",
                        help="folder for data and roots, about 8 GB")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each system in each case, at least")
    parser.add_argument("--only", choices=CASES, action="append", help="a case; the others keep their last results")
    return parser.parse_args()


class Context:
    """What the cases share."""

    def __init__(self, arguments):
        from data import Data

        self.binary = arguments.binary.resolve()
        self.work = arguments.work.resolve()
        self.build, self.rounds = arguments.build, arguments.rounds
        self.work.mkdir(parents=True, exist_ok=True)
        self.data = Data(self.work / "data")
        self.duckdb_orders = self.work / "duckdb" / "orders.parquet"
        self.duckdb_orders.parent.mkdir(exist_ok=True)
        self.kept = self.work / "results.json"
        self.results = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def say(self, text):
        print(text, flush=True)

    def in_turns(self, workers, rounds=None, warm_up=0):
        from turns import in_turns

        return in_turns(workers, max(rounds or 0, self.rounds), warm_up, self.say)

    def worker(self, library):
        from worker import Worker

        return Worker(library)

    def postgres(self):
        from postgres import Postgres

        return Postgres(self.work / "postgres")

    def psql(self):
        from postgres import programs

        folder = programs()
        return folder / "psql" if folder else "psql"

    def ensure_duckdb_orders(self, duckdb):
        if not self.duckdb_orders.exists():
            duckdb.measure(sql=f"COPY (SELECT * FROM read_parquet('{self.data.orders_glob}')) "
                               f"TO '{self.duckdb_orders}' (FORMAT parquet, COMPRESSION zstd)")

    def versions(self):
        from importlib.metadata import version

        from postgres import Postgres
        from voxhouse import Voxhouse

        # Of the binary, not of the checkout around this script: the two may differ.
        digest = hashlib.sha256(self.binary.read_bytes()).hexdigest()[:12]
        built = f" ({self.build}, binary {digest})" if self.build else f" (binary {digest})"
        return {"Voxhouse": Voxhouse.version(self.binary) + built, "DuckDB": version("duckdb"),
                "PostgreSQL": Postgres(self.work / "postgres").version, "jieba": version("jieba"),
                "psycopg": version("psycopg"), "statsmodels": version("statsmodels"),
                "scikit-learn": version("scikit-learn")}

    def record(self, name, found):
        """Keeps a case's numbers and writes the report anew."""
        import machine
        from results import Report

        self.results[name] = {
            **found, "machine": machine.describe(), "versions": self.versions(), "rounds": self.rounds,
            "load_average": [self.load_before, machine.load_average()],
            "measured_at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        }
        self.kept.write_text(json.dumps(self.results, indent=1))
        (BENCHES / "RESULTS.md").write_text(Report(self.results).text())


def main():
    arguments = parse_arguments()
    if RERUN not in os.environ:
        enter_environment()
    if not arguments.binary.exists():
        sys.exit(f"there is no {arguments.binary}: run `cargo build --release`, or give --binary")
    import duckdb

    import catalogs
    import connections
    import lines
    import loads
    import machine
    import regressions
    import rows
    import scans
    import streams
    import texts

    context = Context(arguments)
    context.say("data")
    context.data.make(duckdb)
    steps = {
        "load": [loads.parquet], "sample": [loads.sample], "rows": [rows.measure],
        "streams": [streams.measure], "connections": [connections.measure],
        "catalogs": [catalogs.measure],
        "lines": [lines.measure], "scans": [scans.measure, scans.sample], "texts": [texts.measure],
        "statistics": [regressions.measure],
    }
    failed = []
    for case in arguments.only or CASES:
        for step in steps[case]:
            context.load_before = machine.load_average()
            try:
                step(context)
            except Exception as error:  # The other cases still count.
                failed.append(case)
                context.say(f"{case} failed: {error}")
    context.say(f"written to {BENCHES / 'RESULTS.md'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
