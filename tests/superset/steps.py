"""Steps with a name and an outcome, a line each, and the comparisons that they are made of."""

import math
import time
import traceback
from datetime import date, datetime, timezone
from decimal import Decimal

STEPS = []


class Differs(Exception):
    """Superset's answer is not what SQL says."""


def step(function):
    """Adds a function of (stage) to the run, in order of definition; it returns what is worth telling."""
    STEPS.append(function)
    return function


def run(stage, known):
    """Prints `step<TAB>result` for each; returns how many have another outcome than expected.

    `known` has the steps that fail, with words of their message; one that passes after all is out of place there."""
    unexpected = 0
    for function in STEPS:
        start = time.monotonic()
        try:
            passed, result = True, function(stage)
        except Exception as error:  # The next steps are worth seeing as well.
            passed, result = False, describe(error)
        outcome, as_expected = judge(passed, result, known.get(function.__name__))
        unexpected += not as_expected
        print(f"{function.__name__}\t{outcome} ({time.monotonic() - start:.1f} s)", flush=True)
    return unexpected


def judge(passed, result, words):
    """The result as it is printed, and whether it is the one that is expected."""
    result = " ".join(result.split())
    if words is None:
        return (result, True) if passed else (f"FAILED: {result}", False)
    if passed:
        return f"FAILED: passes, take it out of KNOWN: {result}", False
    return (f"KNOWN: {result}", True) if words in result else (f"FAILED: not as in KNOWN: {result}", False)


def read_known(path):
    """The lines `step: words of its message` of a file."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    known = dict(line.split(": ", 1) for line in lines)
    strangers = known.keys() - {function.__name__ for function in STEPS}
    if strangers:
        raise SystemExit(f"{path}: there is no step {', '.join(sorted(strangers))}")
    return known


def describe(error):
    if isinstance(error, Differs):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {place.name}:{place.lineno}: {error}"


def same(what, found, expected):
    """Refuses the first difference between two values, or lists of rows; floats may differ in their last digits."""
    if isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)):
        for place, (left, right) in enumerate(zip(found, expected)):
            same(f"{what}[{place}]", left, right)
        if len(found) != len(expected):
            raise Differs(f"{what}: {len(found)} values, but SQL has {len(expected)}")
    elif not same_value(found, expected):
        raise Differs(f"{what}: {found!r}, but SQL says {expected!r}")


def same_value(found, expected):
    found, expected = plain(found), plain(expected)
    if isinstance(found, float) and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-12)
    return found == expected


def plain(value):
    """A value as JSON has it: numbers as floats, times as Superset's milliseconds since 1970."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, datetime):
        return value.timestamp() * 1000.0
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc).timestamp() * 1000.0
    if isinstance(value, (int, float, Decimal)):
        return float(value)
    return value


def tuples(rows, *columns):
    """The rows of a chart, which are objects, as tuples of these columns."""
    return [tuple(row[column] for column in columns) for row in rows]


def ordered(rows):
    """Rows whose order nobody asked for, in some order that does not depend on who answered."""
    return sorted(
        (tuple(map(plain, row)) for row in rows), key=lambda row: [(v is None, str(type(v)), v or 0) for v in row]
    )
