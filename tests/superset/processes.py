"""The two servers: each in a folder of its own, on a free port, and ended by its process.

processes.py prepare FOLDER    makes the metadata database, with the user admin
processes.py serve [PORT]      a Superset to try the example with, until Ctrl-C
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent
PREPARED = PROGRAMS.parent / "metadata"
USER = PASSWORD = "admin"
VOXHOUSE_PASSWORD = "secret"
# A debug build loads the demo's data in half a minute on two idle cores; it is the slow machine that counts.
PATIENCE_S = 600


class Failed(Exception):
    """A server that did not start."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def superset_environment(folder):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment.update(
        SUPERSET_CONFIG_PATH=str(HERE / "superset_config.py"),
        SUPERSET_HOME=str(folder),
        SUPERSET_SECRET_KEY=secrets.token_hex(32),
        FLASK_APP="superset.app:create_app()",
    )
    return environment


def prepare(folder):
    """A metadata database as `superset db upgrade` and `init` leave it: half a minute that each run would take."""
    folder.mkdir(parents=True)
    admin = [
        "--username",
        USER,
        "--password",
        PASSWORD,
        "--firstname",
        "Test",
        "--lastname",
        "Test",
        "--email",
        "test@test.test",
    ]
    for command in (["db", "upgrade"], ["fab", "create-admin", *admin], ["init"]):
        done = subprocess.run(
            [PROGRAMS / "superset", *command], env=superset_environment(folder), capture_output=True, text=True
        )
        if done.returncode != 0:
            raise Failed(f"superset {command[0]}: {done.stdout}\n{done.stderr}")


@contextlib.contextmanager
def process(command, log, environment=None):
    with open(log, "wb") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
    try:
        yield child
    finally:
        end(child)


def end(child):
    """Voxhouse lets running statements go on at the first signal, and ends them at the second."""
    for wait_s in (10, 10):
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(wait_s)
            return
    child.kill()
    child.wait()


def wait_for(child, name, log, ready):
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        if child.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"{name} did not start:\n{Path(log).read_text(errors='replace')[-4000:]}")
        time.sleep(0.2)


@contextlib.contextmanager
def superset(port=None):
    """A Superset of its own; gives its address and the file of its log."""
    if not PREPARED.is_dir():
        raise Failed(f"{PREPARED} is missing: run tests/superset/install {PROGRAMS.parent}")
    port = port or free_port()
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="voxhouse-superset-") as folder:
        shutil.copytree(PREPARED, folder, dirs_exist_ok=True)
        # Threads, because a running query is stopped by a second request.
        command = [
            PROGRAMS / "gunicorn",
            "--workers=1",
            "--worker-class=gthread",
            "--threads=8",
            "--timeout=300",
            f"--bind=127.0.0.1:{port}",
            "superset.app:create_app()",
        ]
        log = Path(folder) / "log"
        with process(command, log, superset_environment(folder)) as child:
            wait_for(child, "Superset", log, lambda: answers(f"{address}/health"))
            yield address, log


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def voxhouse(binary):
    """A Voxhouse with the demo's data; gives its address as SQLAlchemy has it."""
    with tempfile.TemporaryDirectory(prefix="voxhouse-demo-") as folder:
        password, log = Path(folder) / "password", Path(folder) / "log"
        password.write_text(VOXHOUSE_PASSWORD)
        command = [binary, "demo", "--root", f"{folder}/data", "--listen", "127.0.0.1:0", "--password-file", password]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VOXHOUSE_")}
        with process(command, log, environment) as child:
            wait_for(child, "Voxhouse", log, lambda: listening(log))
            yield f"postgresql+psycopg2://voxhouse:{VOXHOUSE_PASSWORD}@{listening(log)}/voxhouse"


def listening(log):
    """Where the server says that it is ready, or None."""
    for line in Path(log).read_text(errors="replace").splitlines():
        _, ready, rest = line.partition("voxhouse is ready address=")
        if ready:
            return rest.split()[0]
    return None


def end_by_signals():
    """Ctrl-C and SIGTERM leave by the ways that end the servers, also in the background, where shells ignore the first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def serve(port):
    with superset(port) as (address, _):
        print(f"{address}, user {USER}, password {PASSWORD}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    end_by_signals()
    match sys.argv[1:]:
        case ["prepare", folder]:
            prepare(Path(folder))
        case ["serve", *port]:
            serve(int(port[0]) if port else 8088)
        case _:
            raise SystemExit(__doc__)
