"""dbt-postgres: the project of tests/dbt is built, built again after changes, tested and documented.

A step is a command: what came of each of its nodes. Then the rows of each relation, and what `docs generate` found.
(The script's name must not begin with dbt_: dbt would load it as one of its plugins.)
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from dbt.cli.main import dbtRunner
from transcript import SHOP, ask, by_psycopg2, directly, run, step

FOLDER = tempfile.TemporaryDirectory(prefix="voxhouse-dbt-")
PROJECT = Path(FOLDER.name) / "project"
shutil.copytree(Path(__file__).parents[1] / "dbt", PROJECT)
os.environ["DO_NOT_TRACK"] = "1"
DBT = dbtRunner()


def found(name):
    return json.loads((PROJECT / "target" / name).read_text())


def dbt(*arguments):
    """What came of each node, without the times."""
    done = DBT.invoke([*arguments, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet"])
    if done.exception is not None:
        raise done.exception
    nodes = getattr(done.result, "results", [])
    told = [(one.node.unique_id.split(".", 1)[1], str(one.status), getattr(one, "failures", None), error(one)) for one in nodes]
    return done.success, sorted(told)


def error(one):
    if one.status not in ("error", "runtime error"):
        return None
    return " ".join((one.message or "").split())[:300]


def command(name, *arguments):
    def execute(connection):
        return dbt(*arguments)
    execute.__name__ = name
    return step(execute)


@step
def set_up(connection):
    directly("DROP SCHEMA IF EXISTS dbt CASCADE", *SHOP)


command("debug", "debug")
command("build", "build")


@step
def changes(connection):
    directly("INSERT INTO shop.orders (order_id, line, customer_id, category, amount, ordered_at)"
             " VALUES (105, 1, 2, 'kitchen', 12.5, '2026-05-01 00:00:00+00')",
             "UPDATE shop.customers SET name = 'Zoé', created_at = '2026-06-01' WHERE customer_id = 4",
             "DELETE FROM shop.customers WHERE customer_id = 3")


command("build_again", "build")
command("seed_anew", "seed", "--full-refresh")
command("rebuild_one", "run", "--full-refresh", "--select", "days")
command("freshness", "source", "freshness")
command("documentation", "docs", "generate")


RELATIONS = {
    "regions": "region", "sales_by_region": "region", "large_regions": "region", "typed": "order_id, line", "days": "day",
    "lines": "order_id, line", "merged": "customer_id", "kept": "category", "indexed": "customer_id", "contracted": "customer_id",
    "busy": "place",
}


def relation(name, order):
    def rows(connection):
        return ask(connection, f"SELECT * FROM dbt.{name} ORDER BY {order}")

    def columns(connection):
        """Those of catalog.json, which `docs generate` writes."""
        node = {key.split(".")[2]: one for key, one in found("catalog.json")["nodes"].items()}[name]
        metadata = node["metadata"]
        return ([(one["name"], one["type"], one["comment"], one["index"]) for one in node["columns"].values()],
                metadata["type"], metadata["schema"], metadata["comment"], metadata["owner"])

    for work in (rows, columns):
        work.__name__ = f"{work.__name__}_of_{name}"
        step(work)


for name, order in RELATIONS.items():
    relation(name, order)


def snapshot(name, column):
    def history(connection):
        """Which rows were replaced or ended; when, each run has its own."""
        return ask(connection, f"SELECT customer_id, name, {column}, dbt_valid_from = dbt_updated_at, dbt_valid_to IS NULL,"
                               f" length(dbt_scd_id) FROM dbt.{name} ORDER BY customer_id, dbt_valid_from, dbt_valid_to")
    history.__name__ = "history_" + name
    step(history)


snapshot("who", "score")
snapshot("stamped", "created_at")


@step
def sources_of_the_catalog(connection):
    return [(key, [(one["name"], one["type"], one["comment"]) for one in node["columns"].values()], node["metadata"]["type"])
            for key, node in sorted(found("catalog.json")["sources"].items())]


@step
def relations_that_are_left(connection):
    """Nothing is left behind under names of its own, such as …__dbt_tmp."""
    return ask(connection, "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'dbt'"
                           " ORDER BY table_name")


run(by_psycopg2, lambda error: getattr(error, "pgcode", None))
