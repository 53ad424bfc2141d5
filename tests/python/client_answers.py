"""What counts as the same answer, and what a difference is called."""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

# What may differ between any two servers. Kept short: each entry hides something.
MASKED_COLUMNS = re.compile(
    r"(xmin|version|server_version|server_version_num|pid|backend_pid|pg_backend_pid|.*_start|state_change|.*size.*|relpages|reltuples"
    r"|relfilenode|relfrozenxid|relminmxid|datfrozenxid|datminmxid|client_port|client_addr|inet_.*|.*_txid|txid_.*|backend_xmin"
    r"|system_identifier|pg_postmaster_start_time|pg_conf_load_time|.*_path|.*_directory|location)$", re.I)
MASKED_CELLS = [
    (re.compile(r"PostgreSQL \d+(\.\d+)?[^|]*"), "<version>"),
    (re.compile(r"^\d+ (bytes|kB|MB|GB|TB)$"), "<size>"),
    (re.compile(r"^/[\w./-]*$"), "<path>"),
]
# What one of the servers has by its nature: rows that name it are left out. The other databases of a cluster, TOAST, the
# schemas of temporary tables, and functions that are Voxhouse's own.
ONLY_POSTGRES = re.compile(r"postgres|template[01]|pg_toast(_\d+(_index)?)?|pg_(toast_)?temp_\d+")
OID_TYPES = {26, 1028, 2205, 2206, 24, 30, 4089, 4096, 20, 23, 25, 1043, 19, 1016, 1007}


@dataclass
class Difference:
    cause: str
    error: bool = False
    also: list = field(default_factory=list)
    expected: object = None
    found: object = None


def difference(expected, found, sql, postgres, voxhouse):
    """None if both servers answered alike, else what differs first."""
    for number, want in enumerate(expected):
        if number >= len(found):
            return Difference("an answer of several is missing")
        have = found[number]
        if have.sqlstate or want.sqlstate:
            if have.sqlstate == want.sqlstate:
                return None
            if not want.sqlstate:
                return Difference(f"{error_cause(have.message)} [{have.sqlstate}]", error=True, found=have.message)
            if have.sqlstate:
                return Difference(f"error {have.sqlstate} for PostgreSQL's {want.sqlstate}", expected=want.message, found=have.message)
            return Difference(f"no error for PostgreSQL's {want.sqlstate}", expected=want.message)
        if (differs := answer_difference(want, have, sql, postgres, voxhouse)) is not None:
            return differs
    return Difference("more answers than PostgreSQL gives") if len(found) > len(expected) else None


def answer_difference(want, have, sql, postgres, voxhouse):
    causes = []
    names, others = [name for name, _ in want.columns], [name for name, _ in have.columns]
    if len(names) != len(others):
        return Difference("another number of columns", expected=names, found=others)
    if names != others:
        wrong = next((a, b) for a, b in zip(names, others) if a != b)
        causes.append(f'column is called "{short(wrong[1])}" and not "{short(wrong[0])}"')
    types = [(postgres.types.get(str(a), a), voxhouse.types.get(str(b), b)) for (_, a), (_, b) in zip(want.columns, have.columns)]
    causes += dict.fromkeys(f"type is {b} and not {a}" for a, b in types if a != b)
    rows, other_rows = plain(want, postgres), plain(have, voxhouse)
    if re.match(r"\s*explain\b", sql, re.I):
        rows = other_rows
    sample = (None, None)
    if rows != other_rows:
        missing, extra = Counter(rows) - Counter(other_rows), Counter(other_rows) - Counter(rows)
        sample = first(missing), first(extra)
        if not missing and not extra:
            if ordered(sql):
                causes.append("rows in another order")
        else:
            causes.append(rows_cause(names, rows, other_rows, missing, extra, sql))
    if not causes and want.tag != have.tag and not (want.columns and re.match(r"SELECT|FETCH|SHOW|COPY", want.tag)):
        causes.append("command tag is {} and not {}".format(*(re.sub(r"\d+", "n", tag) for tag in (have.tag, want.tag))))
    if not causes:
        return None
    columns = [(n, t) for n, t in zip(names, (a for a, _ in types))]
    other_columns = [(n, t) for n, t in zip(others, (b for _, b in types))]
    shown = [pair for pair in zip(columns, other_columns) if pair[0] != pair[1]]
    return Difference(causes[0], also=causes[1:], expected=[*(a for a, _ in shown), sample[0]], found=[*(b for _, b in shown), sample[1]])


def ordered(sql):
    """Whether the outermost query has an ORDER BY, of something else than the OIDs that each server gives."""
    sql = re.sub(r"'(?:[^']|'')*'", "", sql)
    while (inner := re.sub(r"\([^()]*\)", "", sql)) != sql:
        sql = inner
    return re.search(r"\border\s+by\s+(?!(\w+\.)?\w*oid\b)", sql, re.I) is not None


def rows_cause(names, rows, other_rows, missing, extra, sql):
    """What is wrong with the rows: how many there are, or else in which columns they differ."""
    about = subject(sql)
    if len(rows) != len(other_rows):
        if not other_rows:
            return f"no rows ({about})"
        if not extra:
            return f"rows are missing ({about})"
        return f"too many rows ({about})" if not missing else f"other rows, and another number of them ({about})"
    columns = [
        names[i] for i in range(len(names))
        if Counter(row[i] for row in rows) != Counter(row[i] for row in other_rows)
    ]
    listed = ", ".join(short(column) for column in columns[:3]) + (", …" if len(columns) > 3 else "")
    return f"rows differ in column {listed} ({about})" if columns else f"rows differ ({about})"


def subject(sql):
    """The relation a statement is about: the first of its outermost FROM, as a rule."""
    found = re.search(r'\bfrom\s+(?:only\s+)?((?:"?\w+"?\.)*"?\w+"?)', re.sub(r"\bfrom\s+\(", "", sql, flags=re.I), re.I)
    return re.sub(r"^(voxhouse\.)?(pg_catalog\.|public\.)?", "", found[1].lower().replace('"', "")) if found else "no relation"


def plain(answer, server):
    """Rows as they are compared: OIDs by name, what differs between any two servers masked."""
    rows = []
    for row in answer.rows:
        if any(value is not None and (ONLY_POSTGRES.fullmatch(value) or value.split("(")[0] in server.own_functions) for value in row):
            continue
        rows.append(tuple(cell(value, name, type, server) for value, (name, type) in zip(row, answer.columns)))
    return rows


def cell(value, name, type, server):
    if value is None:
        return None
    if MASKED_COLUMNS.match(name) or type == 28:
        return "<masked>"
    if type in OID_TYPES:
        if value in server.names and (int(value) >= 16384 or type in (26, 24)):
            return server.names[value]
        if re.fullmatch(r"\{[\d,]+\}", value):
            return "{" + ",".join(server.names.get(oid, oid) if int(oid) >= 16384 else oid for oid in value[1:-1].split(",")) + "}"
    for pattern, mask in MASKED_CELLS:
        value = pattern.sub(mask, value)
    return "<now>" if type in (1184, 1114) and recent(value) else value


def recent(text):
    try:
        moment = datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", text))
    except ValueError:
        return False
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return abs(datetime.now(timezone.utc) - moment) < timedelta(days=2)


def error_cause(message):
    """An error's text without what is particular to one statement."""
    message = message.split("\n")[0]
    message = re.sub(r"'((?:[^']|'')*)'", lambda text: text[0] if re.fullmatch(r"\w{3,}", text[1]) else "'…'", message)
    message = re.sub(r"(?<![\w$\"])\d+(?![\w\"])", "N", message)
    message = re.sub(r'column "?(?:\w+\.)?(\w+)"? does', r'column "\1" does', message)
    message = re.sub(r"^COPY .* is not supported", "COPY is not supported", message)
    return message if len(message) <= 160 else message[:159] + "…"


def first(rows):
    return next(([short(value, 200) for value in row] for row in rows), None)


def short(text, length=40):
    return text if text is None or len(text) <= length else text[: length - 1] + "…"
