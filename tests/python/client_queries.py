"""Runs what clients send on PostgreSQL and on Voxhouse and compares names, types and rows of the answers.

    client_queries.py --postgres PORT --voxhouse PORT [--setup] [--only psql,pgcli] [--json FILE] [--markdown FILE]

Both servers listen on 127.0.0.1, have the database voxhouse and its owner, the superuser voxhouse, and are otherwise new
(PostgreSQL 15 from `initdb -U voxhouse`); PGPASSWORD is the password. --setup makes the example in both and repeats in
PostgreSQL what Voxhouse ships. The statements are tests/clients/*.sql; its README says what is compared and what is not.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import client_answers as answers
import client_servers as servers
import client_themes as themes

CLIENTS = Path(__file__).parent.parent / "clients"
CREATED = re.compile(
    r'\s*create\s+(?:or\s+replace\s+)?(?:(?:global|local|temp|temporary|unlogged|unique|materialized)\s+)*'
    r'(?:table|view|index|schema|function|type|sequence)\s+(?:if\s+not\s+exists\s+)?([\w."$#-]+)', re.I)
# What a DEALLOCATE names was prepared by a message of the protocol, which no log tells of.
PROTOCOLS_OWN = re.compile(r'\bDEALLOCATE "?(?!all\b)(\w+)"?', re.I)


@dataclass
class Statement:
    client: str
    sql: str
    parameters: list | None = None
    steps: list = field(default_factory=list)
    session: str = "1"
    again: bool = False
    error: str = ""


def read(path):
    """The client of a file, and its statements."""
    text = path.read_text(encoding="utf-8")
    first, text = text.split("\n", 1)
    client = first.removeprefix("-- client: ")
    statements, session = [], "1"
    for block in re.split(r"^-- next\n", text, flags=re.M):
        statement = Statement(client, "", session=session)
        lines = block.split("\n")
        while lines and (found := re.match(r"-- (session: .*|again|step: .*|error: .*|params: .*|source: .*)$", lines[0])):
            mark = found[1]
            statement.again |= mark == "again"
            if mark.startswith("session: "):
                statement.session = session = mark[9:]
            elif mark.startswith("step: "):
                statement.steps.append(mark[6:])
            elif mark.startswith("error: "):
                statement.error = mark[7:]
            elif mark.startswith("params: "):
                statement.parameters = json.loads(mark[8:])
            lines.pop(0)
        statement.sql = "\n".join(lines).strip("\n")
        if statement.sql:
            statements.append(statement)
    return client, statements


def run_client(path, postgres, voxhouse, report):
    """Runs one client's statements in order, in sessions as it had them."""
    client, statements = read(path)
    failed = set()
    for statement in statements:
        postgres.use_session(statement.session)
        voxhouse.use_session(statement.session)
        for name in PROTOCOLS_OWN.findall(statement.sql):
            for server in (postgres, voxhouse):
                server.run(f'PREPARE "{name}" AS SELECT 1')
        expected = postgres.run(statement.sql, statement.parameters)
        found = voxhouse.run(statement.sql, statement.parameters)
        difference = answers.difference(expected, found, statement.sql, postgres, voxhouse)
        if difference is not None and difference.error:
            if (name := created(statement.sql)) is not None:
                failed.add(name)
        if difference is not None and follows(difference, statement.sql, failed):
            difference.cause = "follows from a CREATE that failed"
        if not statement.again:
            refusal = next((answer.message for answer in expected if answer.sqlstate not in ("", statement.error)), None)
            report.add(client, statement, difference, refusal)
        servers.follow_transaction(postgres, voxhouse)
    for server in (postgres, voxhouse):
        server.close_sessions()
        server.drop_leftovers()


def created(sql):
    found = CREATED.match(re.sub(r"^(\s|/\*.*?\*/|--[^\n]*\n)+", "", sql, flags=re.S))
    return found and found[1].replace('"', "").split(".")[-1].lower().lstrip("#")


def follows(difference, sql, failed):
    """Whether a difference is about an object that an earlier statement was to make."""
    if created(sql) in failed:
        return False
    told = " ".join(re.findall(r"\w+", f"{difference.found if difference.error else difference.expected} {sql}")).lower().split()
    return any(name in told for name in failed)


class Report:
    def __init__(self):
        self.counts = defaultdict(Counter)
        self.failures = []

    def add(self, client, statement, difference, refusal):
        """refusal: what PostgreSQL said to a statement that it answered when it was recorded; such are left out."""
        if refusal is not None:
            difference = answers.Difference("PostgreSQL: " + answers.error_cause(refusal))
        kind = "left out" if refusal is not None else "equal" if difference is None else "errors" if difference.error else "different"
        self.counts[client][kind] += 1
        if difference is not None:
            self.failures.append({
                "cause": difference.cause, "kind": kind, "client": client, "step": " / ".join(statement.steps),
                "also": difference.also, "expected": difference.expected, "found": difference.found,
                "statement": statement.sql, "parameters": statement.parameters,
            })

    def causes(self):
        """The statements and clients of each cause, the most frequent first; also: those that differ in something else first."""
        groups = defaultdict(lambda: ([], []))
        for failure in self.failures:
            groups[failure["cause"], failure["kind"]][0].append(failure)
            for cause in failure["also"]:
                groups[cause, failure["kind"]][1].append(failure)
        ranked = [
            {
                "cause": cause, "kind": kind, "statements": len(first), "also": len(also),
                "clients": sorted({failure["client"].split()[0] for failure in first + also}), "failures": first,
                "example": (first or also)[0]["client"].split()[0] + ", " + (first or also)[0]["step"],
            }
            for (cause, kind), (first, also) in groups.items()
        ]
        return sorted(ranked, key=lambda group: (-group["statements"] - group["also"], -len(group["clients"]), group["cause"]))

    def table(self):
        kinds = ("equal", "different", "errors", "left out")
        rows = [(client, sum(c.values()), *(c[kind] for kind in kinds)) for client, c in sorted(self.counts.items())]
        rows.append(("all", *(sum(row[i] for row in rows) for i in range(1, 6))))
        return rows

    def markdown(self):
        lines = ["## By theme", "", "| statements | of them errors | clients | theme |", "|---:|---:|---:|---|"]
        for theme, failures in themes.grouped(self.failures):
            errors = sum(failure["kind"] == "errors" for failure in failures)
            lines.append(f"| {len(failures)} | {errors} | {len({failure['client'] for failure in failures})} | {theme} |")
        lines += ["", "## By client", "", "| client | statements | equal | different | errors | left out |", "|---|---:|---:|---:|---:|---:|"]
        lines += ["| " + " | ".join(map(str, row)) + " |" for row in self.table()]
        for kind, title in (("errors", "Errors, by cause"), ("different", "Other answers, by cause")):
            groups = [group for group in self.causes() if group["kind"] == kind]
            lines += ["", f"## {title}", "", "| statements | also | clients | cause | an example: client, what it was doing |", "|---:|---:|---:|---|---|"]
            for group in groups:
                figures = f"{group['statements']} | {group['also']} | {len(group['clients'])}"
                lines.append(f"| {figures} | {cell(group['cause'])} | {cell(group['example'][:80])} |")
        return "\n".join(lines) + "\n"


def cell(text):
    return text.replace("|", "\\|")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--postgres", type=int, required=True, help="port of PostgreSQL 15")
    parser.add_argument("--voxhouse", type=int, required=True, help="port of Voxhouse")
    parser.add_argument("--setup", action="store_true", help="make the example in both first")
    parser.add_argument("--only", help="names of files, without .sql, with commas between")
    parser.add_argument("--json", type=Path, help="where to write every failure, grouped by cause")
    parser.add_argument("--markdown", type=Path, help="where to write the counts and the causes")
    parser.add_argument("--timeout", type=float, default=20, help="seconds that a statement may take")
    arguments = parser.parse_args()
    postgres = servers.Server("PostgreSQL", arguments.postgres, arguments.timeout)
    voxhouse = servers.Server("Voxhouse", arguments.voxhouse, arguments.timeout)
    if arguments.setup:
        servers.set_up(postgres, voxhouse, (CLIENTS / "setup" / "both.sql").read_text(encoding="utf-8"))
    postgres.learn_names()
    voxhouse.learn_names()
    voxhouse.own_functions = postgres.own_functions = voxhouse.functions() - postgres.functions()
    only = arguments.only and set(arguments.only.split(","))
    report = Report()
    for path in sorted(CLIENTS.glob("*.sql")):
        if not only or path.stem in only:
            run_client(path, postgres, voxhouse, report)
    for row in [("client", "statements", "equal", "different", "errors", "left out"), *report.table()]:
        print(f"{row[0]:45}" + "".join(f"{figure:>11}" for figure in row[1:]))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.causes(), ensure_ascii=False, indent=1), encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.write_text(report.markdown(), encoding="utf-8")
    return 0 if not report.failures else 1


if __name__ == "__main__":
    sys.exit(main())
