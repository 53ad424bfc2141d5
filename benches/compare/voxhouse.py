"""Voxhouse under measurement: a release binary, a root of its own, a server or one command."""

import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path

import psycopg

from machine import Process, free_port
from turns import Measured

START_TIMEOUT_S = 60


class Voxhouse:
    """A warehouse root and the server on it."""

    def __init__(self, binary: Path, root: Path):
        self.binary, self.root = binary, root
        self.root.parent.mkdir(parents=True, exist_ok=True)
        self.password_file = root.with_name(root.name + ".password")
        self.log = root.with_name(root.name + ".log")
        self.server = None
        # Of `serve`, beside those that every server gets.
        self.arguments = []

    @staticmethod
    def version(binary):
        return subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)
        self.password_file.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)

    def _environment(self):
        # Settings of the one who runs the comparison must not leak in.
        return {key: value for key, value in os.environ.items() if not key.startswith("VOXHOUSE_")}

    def password(self):
        return self.password_file.read_text().strip()

    def start(self):
        if not self.password_file.exists():
            self.password_file.write_text(secrets.token_urlsafe(18))
            self.password_file.chmod(0o600)
        self.port = free_port()
        command = [self.binary, "serve", "--root", self.root, "--listen", f"127.0.0.1:{self.port}",
                   "--password-file", self.password_file, *self.arguments]
        with open(self.log, "a") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment(),
                                           cwd=self.root.parent)
        self.process = Process(self.server.pid)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self.connect().close()
                return self
            except psycopg.OperationalError:
                if self.server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"voxhouse did not start:\n{self.log.read_text()[-2000:]}") from None
                time.sleep(0.05)

    def stop(self):
        if self.server and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(60)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def environment_of_client(self):
        return {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "voxhouse",
                "PGDATABASE": "voxhouse", "PGPASSWORD": self.password(), "PSQLRC": "/dev/null"}

    def connect(self):
        return psycopg.connect(host="127.0.0.1", port=self.port, user="voxhouse", dbname="voxhouse",
                               password=self.password(), autocommit=True)

    def measure(self, connection, sql):
        """Runs a statement and fetches its answer; CPU and peak memory are the server's."""
        self.process.forget_peak()
        cpu, started = self.process.cpu_seconds(), time.perf_counter()
        cursor = connection.execute(sql)
        answer = cursor.fetchall() if cursor.description else None
        seconds = time.perf_counter() - started
        return Measured(seconds, self.process.cpu_seconds() - cpu, self.process.peak_bytes(), answer)

    def command(self, *arguments):
        """Runs `voxhouse …` to its end; CPU and peak memory are those of that process."""
        started = time.perf_counter()
        child = subprocess.Popen([self.binary, *arguments, "--root", self.root], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env=self._environment(), cwd=self.root.parent)
        output = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise RuntimeError(f"voxhouse {arguments[0]} failed:\n{output[-2000:]}")
        return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output.strip())
