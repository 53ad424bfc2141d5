"""PostgreSQL under measurement: a throw-away cluster in the work folder."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import psycopg

from machine import free_port
from turns import Measured

# Half-way between the defaults, which suit a machine of 1996, and a tuning contest. Durability is off because
# neither DuckDB's COPY nor Voxhouse on a local folder waits for the disk.
SETTINGS = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "512MB",
    "max_connections": "300",
    "max_wal_size": "8GB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "TimeZone": "UTC",
    "listen_addresses": "127.0.0.1",
}


def programs():
    """The folder with initdb and postgres, or None."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which("postgres")
    if found:
        folders.insert(0, Path(found).resolve().parent)
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


class Postgres:
    def __init__(self, folder: Path):
        self.folder, self.bin = folder, programs()

    @property
    def version(self):
        shown = subprocess.run([self.bin / "postgres", "--version"], capture_output=True, text=True, check=True)
        return shown.stdout.split()[2]

    def _run(self, *command):
        # The server refuses to run as root.
        prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(prefix + [str(part) for part in command], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, cwd="/")
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]}: {done.stderr[-1000:]}")

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        cluster = self.folder / "cluster"
        self._run(self.bin / "initdb", "-D", cluster, "-A", "trust", "-U", "voxhouse", "-E", "UTF8", "--locale=C")
        self.port = free_port()
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        options += f" -c port={self.port} -c unix_socket_directories={self.folder}"
        self._run(self.bin / "pg_ctl", "-D", cluster, "-w", "-l", self.folder / "log", "-o", options, "start")
        return self

    def __exit__(self, *_):
        self._run(self.bin / "pg_ctl", "-D", self.folder / "cluster", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        return psycopg.connect(host="127.0.0.1", port=self.port, user="voxhouse", dbname="postgres", autocommit=True)

    def measure(self, connection, sql):
        started = time.perf_counter()
        cursor = connection.execute(sql)
        answer = cursor.fetchall() if cursor.description else None
        return Measured(time.perf_counter() - started, answer=answer)
