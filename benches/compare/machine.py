"""The machine, and what a process takes of it, as the kernel tells."""

import os
import platform
import socket
import threading
import time
from pathlib import Path


def describe():
    """The machine in words: what somebody needs to judge the numbers."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    megahertz = float(fields.get("cpu MHz", 0))
    return {
        "CPU": f"{fields.get('model name', platform.machine())}, {megahertz:.0f} MHz",
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory.split()[1]) / 2**20:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def load_average():
    """Processes that want to run, over the last minute."""
    return os.getloadavg()[0]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Process:
    """A running process, its threads included."""

    def __init__(self, pid):
        self.folder = Path(f"/proc/{pid}")

    def cpu_seconds(self):
        fields = (self.folder / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status_bytes(self, name):
        for line in (self.folder / "status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(name)

    def resident_bytes(self):
        return self._status_bytes("VmRSS")

    def peak_bytes(self):
        return self._status_bytes("VmHWM")

    def forget_peak(self):
        """From here on `peak_bytes` is the peak since now."""
        (self.folder / "clear_refs").write_text("5")


class MemoryWatch:
    """Samples a process's resident memory while a block runs."""

    def __init__(self, process, every_s=0.25):
        self.process, self.every_s, self.samples = process, every_s, []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def _sample(self):
        started = time.perf_counter()
        while not self._done.wait(self.every_s):
            self.samples.append((time.perf_counter() - started, self.process.resident_bytes()))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
