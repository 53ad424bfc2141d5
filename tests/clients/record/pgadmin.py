"""The statements of pgAdmin 4's browser and dashboard: its own templates for version 15, rendered for the example.

PGADMIN names an unpacked wheel. A rendered statement counts when PostgreSQL answers it; only reading ones are taken.
"""

import ast
import os
import re
import sys
from pathlib import Path

import jinja2
import psycopg
from recorder import recorder

ROOT = Path(os.environ["PGADMIN"]) / "pgadmin4/pgadmin"
OTHER_PRODUCTS = re.compile(r"ppas|gpdb|pgagent|pgd_|dbms|resource_groups|directories|packages|synonyms|debugger|/css/|/js/")
CHANGING = re.compile(r"(create|update|delete|alter|insert|truncate|reset|refresh|vacuum|grant|enable_disable|maintenance|sql)[^/]*\.sql$")

record = recorder("pgadmin " + next(Path(os.environ["PGADMIN"]).glob("*.dist-info")).name.split("-")[1].removesuffix(".dist"))


def literal(value, *_, **__):
    if value is None or isinstance(value, (bool, int, float)):
        return "NULL" if value is None else str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def identifier(value, *others):
    parts = [part for part in (value, *others) if isinstance(part, str)]
    return ".".join(part if re.fullmatch(r"[a-z_][a-z0-9_$]*", part) else '"' + part.replace('"', '""') + '"' for part in parts)


def one(sql):
    return record.connection.execute(sql).fetchone()[0]


def contexts(group):
    """What the pages of one kind of object are asked for: the whole collection, one object."""
    oid = lambda what, kind="regclass": int(one(f"SELECT '{what}'::{kind}::oid"))
    table = oid("tickets") if "trigger" in group or "exclusion" in group or "polic" in group else oid("visits") if "partition" in group else oid("orders")
    constraint = "orders_customer_fkey" if "foreign_key" in group else "orders_amount" if "check" in group else "orders_pkey"
    view = oid("category_sales") if "mview" in group else oid("order_totals")
    function = oid("touch", "regproc") if "procedure" in group else oid("refuse", "regproc") if "trigger_func" in group else oid("order_count", "regproc")
    find = lambda sql: one(f"SELECT coalesce(({sql} LIMIT 1), 0)::bigint")
    base = {
        "did": find("SELECT oid FROM pg_database WHERE datname = current_database()"), "scid": find("SELECT oid FROM pg_namespace WHERE nspname = 'public'"),
        "tid": table, "conn": None, "datlastsysoid": 16383, "last_system_oid": 16383, "lastsysoid": 16383, "show_sysobj": False, "show_system_objects": False,
        "schema_name": "public", "table": "orders", "schema": "public", "show_internal": False, "chart_names": ["session_stats", "tps_stats", "ti_stats", "to_stats", "bio_stats"],
        "add_brackets": False, "data": {"schema": "public", "name": "orders", "table": "orders"}, "nspname": "public", "relname": "orders", "table_name": "orders",
        "constraint_type": "p", "parent": "public", "template_initial": True,
    }
    one_object = {
        "vid": view, "fnid": function, "coid": find(f"SELECT oid FROM pg_constraint WHERE conname = '{constraint}'"), "cid": find(f"SELECT oid FROM pg_constraint WHERE conname = '{constraint}'"),
        "idx": oid("orders_ordered_at"), "rid": find("SELECT oid FROM pg_roles WHERE rolname = 'analyst'") if "role" in group else find("SELECT oid FROM pg_rewrite WHERE rulename = '_RETURN' ORDER BY oid DESC"),
        "trid": find("SELECT oid FROM pg_trigger WHERE tgname = 'tickets_refuse'"), "seid": oid("ticket_numbers"), "clid": 5, "agid": oid("product", "regproc"),
        "exid": find("SELECT oid FROM pg_extension WHERE extname = 'postgres_fdw'"), "eid": find("SELECT oid FROM pg_extension WHERE extname = 'postgres_fdw'"),
        "fid": find("SELECT oid FROM pg_foreign_data_wrapper"), "fsid": find("SELECT oid FROM pg_foreign_server"), "umid": find("SELECT oid FROM pg_user_mapping"),
        "foid": oid("crm.remote_notes"), "doid": oid("positive", "regtype"), "tsid": 1663, "plid": find("SELECT oid FROM pg_policy"), "pbid": find("SELECT oid FROM pg_publication"),
        "lid": find("SELECT oid FROM pg_language WHERE lanname = 'plpgsql'"), "coll_id": 950, "ptid": oid("visits_2026"), "opid": 96, "cfgid": 3748, "dcid": 3765,
    }
    one_object["cid"] = 10035 if "cast" in group else one_object["cid"]
    if "types" in group:
        one_object["tid"] = oid("mood", "regtype")
    yield "list", base
    yield "one", {**base, **one_object}


def loader(name):
    """A template as pgAdmin finds it: of the newest version up to 15."""
    for folder in ROOT.rglob("templates"):
        if (folder / name).is_file() and not OTHER_PRODUCTS.search(str(folder / name)):
            return (folder / name).read_text()
    return None


def newest(folder, name):
    versions = [15, 14, 13, 12, 11, 10]
    for version in [f"{v}_plus" for v in versions] + ["default"]:
        for found in (folder / version / name, folder / version / "sql" / name):
            if found.is_file():
                return found
    return None


environment = jinja2.Environment(loader=jinja2.FunctionLoader(loader), extensions=["jinja2.ext.do"], trim_blocks=True, lstrip_blocks=True)
environment.filters.update(qtLiteral=literal, qtIdent=lambda v, c, *o: identifier(v, *o), qtTypeIdent=lambda v, c, *o: identifier(v, *o))
environment.filters["qtIdent"] = lambda value, connection=None, *others: identifier(value, *others)
environment.globals.update(_=lambda text, **_: text, conn=None)


def opening():
    """What pgAdmin sends when it connects, read from the calls in its source."""
    tree = ast.parse((ROOT / "utils/driver/psycopg3/connection.py").read_text())
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "_execute" and len(call.args) > 1:
            sql = call.args[1]
            if isinstance(sql, ast.Call) and isinstance(sql.func, ast.Attribute) and isinstance(sql.func.value, ast.Constant):
                sql = ast.Constant(sql.func.value.value.replace("{0}", "UTF8"))
            if isinstance(sql, ast.Constant) and "SET ROLE" not in sql.value:
                yield sql.value


def rendered():
    seen = set()
    for file in sorted(ROOT.rglob("*.sql")):
        name = file.relative_to(ROOT).as_posix()
        if "templates" not in name or OTHER_PRODUCTS.search(name) or CHANGING.search(name):
            continue
        parts = list(file.parts)
        place = next((i for i, part in enumerate(parts) if re.fullmatch(r"default|\d+_plus", part)), None)
        if place is not None:
            rest = "/".join(parts[place + 1 :])
            file = newest(Path(*parts[:place]), rest)
        if file is None or file in seen:
            continue
        seen.add(file)
        yield file


trial = psycopg.connect(os.environ["RECORD_DSN"], autocommit=True, application_name="recorder")
client = psycopg.connect(os.environ["RECORD_DSN"], autocommit=True, application_name="pgAdmin 4")
record.step("connect")
for sql in opening():
    client.execute(sql)
failed = 0
for file in rendered():
    name = re.sub(r"^.*?/?templates/", "", file.relative_to(ROOT).as_posix())
    for kind, context in contexts(name):
        try:
            sql = environment.from_string(file.read_text()).render(context).strip()
        except (jinja2.TemplateError, TypeError, AttributeError) as error:
            failed += 1
            continue
        if not re.match(r"(/\*.*?\*/|--[^\n]*\n|\s)*(SELECT|WITH)\b", sql, re.I | re.S):
            continue
        try:
            trial.execute(sql.encode())
        except psycopg.Error:
            failed += 1
            continue
        record.step(f"{name}, {kind}")
        client.execute(sql.encode())
trial.close()
client.close()
print("pgadmin", record.finish(), f"left out {failed} that did not render to a statement", file=sys.stderr)
