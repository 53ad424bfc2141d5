"""Measuring in turns: each system does the work once a round, so that a noisy minute hits all of them."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Measured:
    """One run of one piece of work."""

    seconds: float
    # Of all cores; None where the kernel does not tell it for this system.
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    answer: object = None


@dataclass
class Series:
    """The runs of one system."""

    runs: list = field(default_factory=list)

    def median(self, what="seconds"):
        values = [getattr(run, what) for run in self.runs]
        return None if None in values else statistics.median(values)

    def minimum(self, what="seconds"):
        values = [getattr(run, what) for run in self.runs]
        return None if None in values else min(values)

    def maximum(self, what="seconds"):
        values = [getattr(run, what) for run in self.runs]
        return None if None in values else max(values)

    def summary(self):
        return {
            "seconds": [round(run.seconds, 5) for run in self.runs],
            "median_s": self.median(),
            "minimum_s": self.minimum(),
            "median_cpu_s": self.median("cpu_seconds"),
            "minimum_cpu_s": self.minimum("cpu_seconds"),
            "peak_bytes": self.maximum("peak_bytes"),
        }


def in_turns(workers, rounds, warm_up=0, say=print):
    """Runs `workers` (name → callable that returns Measured) for some rounds; the order changes each round."""
    names = list(workers)
    series = {name: Series() for name in names}
    for turn in range(-warm_up, rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            run = workers[name](turn)
            if turn >= 0:
                series[name].runs.append(run)
                say(f"    round {turn + 1}: {name:<28} {run.seconds:9.4f} s")
    return series
