"""Delta tables between programs: python3 delta.py PORT ROOT FOLDER, the password in PGPASSWORD.

Tables that Voxhouse wrote under ROOT are read by deltalake and polars; tables that these write under FOLDER are read by
Voxhouse. Values must be equal, whatever was done to a table before.
"""

import os
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

try:
    import polars
    import psycopg
    import pyarrow
    from deltalake import DeltaTable, write_deltalake
except ImportError as missing:
    sys.exit(f"{missing.name} is missing: run ./test, or pip install -r tests/drivers/requirements.txt")

PORT, ROOT, FOLDER = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
UTC = timezone.utc

connection = psycopg.connect(
    host="127.0.0.1", port=PORT, user="voxhouse", dbname="voxhouse", autocommit=True
)


def execute(sql):
    return connection.execute(sql)


def rows(sql):
    return execute(sql).fetchall()


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}\nfound    {found}\nexpected {expected}")


# --- what Voxhouse wrote

COLUMNS = """
    id bigint NOT NULL, shop text, small smallint, whole int, real real, double double precision,
    amount numeric(18,2), name varchar(20), raw bytea, day date, at timestamp, instant timestamptz,
    key uuid, notes json, tags text[], counts int[], yes boolean
"""


def ours():
    execute(f"CREATE TABLE ours ({COLUMNS}) "
            "PARTITION BY (shop) CLUSTER BY (id) WITH (bloom = 'name', checkpoint_interval = 5)")
    for start in (1, 11, 21):
        execute(f"""
            INSERT INTO ours SELECT i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '北京/朝阳' ELSE 'a b=c%' END,
                i - 5, i * 1000000, i / 4.0, i / 8.0, i * 1.25, '客户 ' || i, decode(repeat('0' || i % 10, 3), 'hex'),
                date '2024-02-27' + i, timestamp '2024-02-27 23:59:59.123456' + i * interval '1 hour',
                timestamptz '2024-02-27 23:59:59.123456+08' + i * interval '1 hour',
                '00000000-0000-4000-8000-00000000000a', '{{"分": 1}}', ARRAY['慢', NULL, 'a,b'], ARRAY[i, NULL], i % 2 = 0
            FROM generate_series({start}, {start} + 9) AS s(i)""")
    execute("INSERT INTO ours (id) VALUES (31)")
    return "ours"


def seen_by_us(table):
    return rows(f"SELECT id, shop, small, whole, real, double, amount, name, raw, day, at, instant, key::text, "
                f"notes::text, tags, counts, yes FROM {table} ORDER BY id")


def path_of(table):
    (location,) = rows(f"SELECT location FROM system.tables WHERE name = '{table}'")[0]
    return str(ROOT / location)


def plain(value):
    """Values of one kind are compared as one type."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    if isinstance(value, memoryview):
        return bytes(value)
    return value


def as_rows(dictionaries):
    return [tuple(plain(value) for value in row.values()) for row in dictionaries]


def read_by_others(step, table="ours"):
    expected = [tuple(plain(value) for value in row) for row in seen_by_us(table)]
    path = path_of(table)
    names = ["id", "shop", "small", "whole", "real", "double", "amount", "name", "raw", "day", "at", "instant", "key",
             "notes", "tags", "counts", "yes"]
    arrow = DeltaTable(path).to_pyarrow_table(columns=names).sort_by("id")
    same(f"deltalake {step}", as_rows(arrow.select(names).to_pylist()), expected)
    frame = polars.read_delta(path).select(names).sort("id")
    same(f"polars {step}", as_rows(frame.to_dicts()), expected)
    print(f"ours, {step}: {len(expected)} rows equal")


def check_ours():
    ours()
    read_by_others("loaded")
    execute("UPDATE ours SET amount = amount + 0.01, shop = 'new' WHERE id % 3 = 0")
    read_by_others("updated")
    execute("DELETE FROM ours WHERE id IN (2, 12, 22)")
    read_by_others("deleted")
    execute("OPTIMIZE ours")
    read_by_others("optimized")
    execute("OPTIMIZE ours ZORDER BY (id, amount)")
    read_by_others("along a curve")
    execute("ALTER TABLE ours ADD COLUMN later text")
    execute("INSERT INTO ours (id, later) VALUES (32, 'x')")
    for change in ("small TYPE int", "small TYPE bigint", "real TYPE double precision", "amount TYPE numeric(24,4)",
                   "day TYPE timestamp"):
        execute(f"ALTER TABLE ours ALTER COLUMN {change}")
    read_by_others("with wider types")
    execute("VACUUM (RETAIN '0 hours', FORCE) ours")
    if not list(Path(path_of("ours")).glob("_delta_log/*.checkpoint*")):
        sys.exit("there is no checkpoint")
    read_by_others("vacuumed")
    # They may maintain what we wrote.
    DeltaTable(path_of("ours")).optimize.compact()
    read_by_others("compacted by deltalake")
    kinds = [kind for (kind,) in rows("SELECT DISTINCT kind FROM system.maintenance WHERE table_name = 'ours'")]
    same("kinds", sorted(kinds), ["checkpoint", "optimize", "vacuum", "zorder"])


def check_protocol():
    """A log that knew no times without a zone learns of them."""
    execute("CREATE TABLE days (id int, day date)")
    execute("INSERT INTO days VALUES (1, '2024-02-29'), (2, NULL)")
    execute("ALTER TABLE days ALTER COLUMN day TYPE timestamp")
    execute("ALTER TABLE days ADD COLUMN later timestamp")
    execute("INSERT INTO days VALUES (3, '2024-02-29 12:00:00', '2024-03-01')")
    expected = rows("SELECT id, day, later FROM days ORDER BY id")
    arrow = DeltaTable(path_of("days")).to_pyarrow_table().sort_by("id")
    same("deltalake days", as_rows(arrow.to_pylist()), expected)
    same("polars days", as_rows(polars.read_delta(path_of("days")).sort("id").to_dicts()), expected)
    print("days: equal")


# --- what the others wrote

def frame(ids):
    ids = list(ids)
    return pyarrow.table({
        "id": pyarrow.array(ids, pyarrow.int64()),
        "shop": pyarrow.array([None if i % 4 == 0 else ["a b=c%", "北京/朝阳", "x"][i % 3] for i in ids]),
        "tiny": pyarrow.array([i % 100 for i in ids], pyarrow.int8()),
        "amount": pyarrow.array([Decimal(i) / 4 for i in ids], pyarrow.decimal128(18, 2)),
        "name": pyarrow.array([f"客户 {i}" for i in ids], pyarrow.large_string()),
        "raw": pyarrow.array([bytes([i % 256, 0]) for i in ids], pyarrow.binary()),
        "day": pyarrow.array([date(2024, 2, 1 + i % 28) for i in ids]),
        "at": pyarrow.array([datetime(2024, 2, 29, i % 24, 0, 0, 123456) for i in ids], pyarrow.timestamp("us")),
        "instant": pyarrow.array([datetime(2024, 2, 29, i % 24, tzinfo=UTC) for i in ids],
                                 pyarrow.timestamp("us", "UTC")),
        "tags": pyarrow.array([["慢", None] if i % 2 else None for i in ids], pyarrow.list_(pyarrow.string())),
        "yes": pyarrow.array([i % 2 == 0 for i in ids]),
    })


def check_read(step, name, path):
    expected = as_rows(DeltaTable(path).to_pyarrow_table().sort_by("id").to_pylist())
    columns = ", ".join(f'"{column}"' for column in DeltaTable(path).to_pyarrow_table().column_names)
    found = [tuple(plain(value) for value in row) for row in rows(f"SELECT {columns} FROM {name} ORDER BY id")]
    same(f"theirs {step}", found, expected)
    same(f"theirs {step}, counted", rows(f"SELECT count(*), max(id) FROM {name}"),
         [(len(expected), max(row[0] for row in expected))])
    print(f"theirs, {step}: {len(expected)} rows equal")


def check_deltalake():
    path = str(FOLDER / "订单 one")
    write_deltalake(path, frame(range(40)), partition_by=["shop"])
    execute(f"CREATE EXTERNAL TABLE theirs LOCATION 'file://{path}'")
    check_read("written", "theirs", path)
    same("a partition", rows("SELECT count(*) FROM theirs WHERE shop = 'a b=c%'"),
         [(sum(1 for i in range(40) if i % 4 and i % 3 == 0),)])
    write_deltalake(path, frame(range(40, 60)), mode="append")
    check_read("appended", "theirs", path)
    merge = DeltaTable(path).merge(frame(range(50, 70)), "t.id = s.id", source_alias="s", target_alias="t")
    merge.when_matched_update({"name": "concat(s.name, '!')"}).when_not_matched_insert_all().execute()
    check_read("merged", "theirs", path)
    DeltaTable(path).delete("id % 5 = 0")
    check_read("deleted", "theirs", path)
    DeltaTable(path).optimize.z_order(["id"])
    DeltaTable(path).create_checkpoint()
    check_read("ordered", "theirs", path)
    write_deltalake(path, frame(range(7)), mode="overwrite")
    check_read("overwritten", "theirs", path)


def check_polars():
    path = str(FOLDER / "polars")
    polars.from_arrow(frame(range(20))).write_delta(path)
    polars.from_arrow(frame(range(20, 30))).write_delta(path, mode="append")
    execute(f"CREATE EXTERNAL TABLE frames LOCATION 'file://{path}'")
    check_read("by polars", "frames", path)


def check_mapped():
    """Columns under other names in the files."""
    path = str(FOLDER / "mapped")
    try:
        write_deltalake(path, frame(range(20)).drop_columns(["tags"]),
                        configuration={"delta.columnMapping.mode": "name"})
    except Exception as error:
        print(f"deltalake does not write column mapping: {error}")
        return
    execute(f"CREATE EXTERNAL TABLE mapped LOCATION 'file://{path}'")
    expected = [tuple(plain(value) for value in row.values())
                for row in frame(range(20)).drop_columns(["tags"]).to_pylist()]
    found = [tuple(plain(value) for value in row) for row in rows("SELECT * FROM mapped ORDER BY id")]
    same("mapped", found, expected)
    same("mapped, by name", rows("SELECT name FROM mapped WHERE id = 7"), [("客户 7",)])
    print("theirs, with column mapping: 20 rows equal")


def refuses(sql, sqlstate):
    try:
        execute(sql)
    except psycopg.Error as error:
        same(sql, error.sqlstate, sqlstate)
        return
    sys.exit(f"not refused: {sql}")


def check_limits():
    refuses("INSERT INTO frames (id) VALUES (1)", "42809")
    refuses("DELETE FROM frames", "42809")
    refuses("OPTIMIZE frames", "42809")
    refuses("ALTER TABLE frames ADD COLUMN x int", "42809")
    refuses(f"CREATE EXTERNAL TABLE nothing LOCATION 'file://{FOLDER}/nothing'", "42P01")
    refuses("CREATE EXTERNAL TABLE nothing LOCATION '_system/catalog'", "42501")
    execute("CREATE ROLE reader")
    execute("GRANT CREATE ON SCHEMA public TO reader")
    execute("SET ROLE reader")
    refuses(f"CREATE EXTERNAL TABLE mine LOCATION 'file://{FOLDER}/polars'", "42501")
    execute("RESET ROLE")
    execute("DROP TABLE frames")
    same("still there", len(DeltaTable(str(FOLDER / "polars")).to_pyarrow_table()), 30)


FOLDER.mkdir(parents=True, exist_ok=True)
check_ours()
check_protocol()
check_deltalake()
check_polars()
check_mapped()
check_limits()
print("all checks passed", flush=True)
# The threads of three libraries do not always end in peace.
os._exit(0)
