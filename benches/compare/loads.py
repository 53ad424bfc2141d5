"""Loading: a gigabyte of Parquet through a pipe, and a tenth of it as CSV."""

import os
import shutil

import data as rows_of
from voxhouse import Voxhouse

LOAD_TARGET = 1.5
MEMORY_TARGET_BYTES = 2 * 2**30


def table_sql(name, columns, contract=True):
    required = {"order_no", "customer_id", "ordered_at"}
    listed = [f"{column} {kind}{' NOT NULL' if contract and column in required else ''}" for column, kind in columns]
    if contract and any(column == "amount" for column, _ in columns):
        listed.append("CHECK (amount >= 0)")
    return f"CREATE TABLE {name} ({', '.join(listed)})"


def pipe_sql(name, prefix, table, columns, file_format="parquet"):
    options = "OPTIONS (header 'true') " if file_format == "csv" else ""
    listed = ", ".join(column for column, _ in columns)
    return (f"CREATE PIPE {name} FROM '{prefix}' INTO {table} FORMAT {file_format} {options}ON CALL "
            f"AS SELECT {listed} FROM source")


def drop_in(voxhouse, prefix, files):
    """Puts files where a pipe looks, as a loader would: a link costs nothing and is not measured."""
    folder = voxhouse.root / prefix
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        try:
            os.link(file, folder / file.name)
        except OSError:
            shutil.copy(file, folder / file.name)


def expect_rows(found, wanted, who):
    if found != wanted:
        raise RuntimeError(f"{who}: {found} rows instead of {wanted}")


def run_pipe(voxhouse, connection, pipe, wanted):
    os.sync()
    run = voxhouse.measure(connection, f"CALL system.run_pipe('{pipe}')")
    _, failed, _, loaded, rejected = run.answer[0]
    expect_rows((failed, loaded, rejected), (0, wanted, 0), "pipe")
    return run


def through_server(context):
    def work(_turn):
        voxhouse = Voxhouse(context.binary, context.work / "load-server")
        voxhouse.remove()
        with voxhouse, voxhouse.connect() as connection:
            prepare(voxhouse, connection, "landing/orders/", context.data.orders)
            return run_pipe(voxhouse, connection, "orders_pipe", rows_of.ROWS)

    return work


def through_command(context):
    def work(_turn):
        voxhouse = Voxhouse(context.binary, context.work / "load-command")
        voxhouse.remove()
        with voxhouse, voxhouse.connect() as connection:
            prepare(voxhouse, connection, "landing/pushed/", [])
        os.sync()
        run = voxhouse.command("load", *context.data.orders, "--pipe", "orders_pipe")
        if f"{rows_of.ROWS} rows loaded, 0 rejected" not in run.answer:
            raise RuntimeError(run.answer)
        voxhouse.remove()
        return run

    return work


def prepare(voxhouse, connection, prefix, files):
    connection.execute("CREATE SCHEMA bench")
    connection.execute(table_sql("bench.orders", rows_of.COLUMNS))
    connection.execute(pipe_sql("orders_pipe", prefix, "bench.orders", rows_of.COLUMNS))
    drop_in(voxhouse, prefix, files)


def through_duckdb(context, source, target, wanted):
    def work(_turn):
        target.unlink(missing_ok=True)
        os.sync()
        # A process of its own each time, as the server is.
        with context.worker("duckdb") as duckdb:
            copy = f"COPY (SELECT * FROM {source}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            run = duckdb.measure(sql=copy)
            expect_rows(int(run.answer[0][0]), wanted, "duckdb")
            return run

    return work


def parquet(context):
    context.say(f"load {context.data.orders_bytes() / 1e9:.2f} GB of Parquet")
    duckdb_file = context.duckdb_orders
    source = f"read_parquet('{context.data.orders_glob}')"
    series = context.in_turns({
        "duckdb": through_duckdb(context, source, duckdb_file, rows_of.ROWS),
        "voxhouse, server": through_server(context),
        "voxhouse, load --pipe": through_command(context),
    })
    table_folder = context.work / "load-server" / "bench"
    written = sum(file.stat().st_size for file in table_folder.rglob("*.parquet"))
    Voxhouse(context.binary, context.work / "load-server").remove()
    context.record("load_parquet", {
        "bytes": context.data.orders_bytes(),
        "rows": rows_of.ROWS,
        "files": rows_of.FILES,
        "duckdb_bytes": duckdb_file.stat().st_size,
        "voxhouse_bytes": written,
        "target": LOAD_TARGET,
        "memory_target": MEMORY_TARGET_BYTES,
        **{name: one.summary() for name, one in series.items()},
    })


def sample(context):
    """The same CSV file into all three."""
    rows = rows_of.ROWS // rows_of.SAMPLE_SHARE
    csv = context.data.sample_csv
    context.say(f"load {csv.stat().st_size / 1e9:.2f} GB of CSV (the 10 % sample)")
    voxhouse = Voxhouse(context.binary, context.work / "load-sample")
    voxhouse.remove()
    with voxhouse, voxhouse.connect() as to_voxhouse, context.postgres() as postgres, \
            postgres.connect() as to_postgres:
        to_voxhouse.execute("CREATE SCHEMA bench")
        drop_in(voxhouse, "landing/sample/", [csv])
        to_postgres.execute(table_sql("sample", rows_of.COLUMNS))

        def into_voxhouse(turn):
            table, pipe = f"bench.sample_{turn}", f"sample_{turn}"
            to_voxhouse.execute(table_sql(table, rows_of.COLUMNS))
            to_voxhouse.execute(pipe_sql(pipe, "landing/sample/", table, rows_of.COLUMNS, "csv"))
            return run_pipe(voxhouse, to_voxhouse, pipe, rows)

        def into_postgres(_turn):
            to_postgres.execute("TRUNCATE sample")
            os.sync()
            run = postgres.measure(to_postgres, f"COPY sample FROM '{csv}' (FORMAT csv, HEADER)")
            expect_rows(to_postgres.execute("SELECT count(*) FROM sample").fetchone()[0], rows, "postgres")
            return run

        target = context.work / "sample-duckdb.parquet"
        types = {"bigint": "BIGINT", "integer": "INTEGER", "text": "VARCHAR", "timestamptz": "TIMESTAMPTZ",
                 "numeric(18,2)": "DECIMAL(18,2)", "date": "DATE"}
        columns = ", ".join(f"'{column}': '{types[kind]}'" for column, kind in rows_of.COLUMNS)
        source = f"read_csv('{csv}', header = true, columns = {{{columns}}})"
        series = context.in_turns({
            "postgres": into_postgres,
            "duckdb": through_duckdb(context, source, target, rows),
            "voxhouse, server": into_voxhouse,
        })
    target.unlink(missing_ok=True)
    voxhouse.remove()
    context.record("load_sample", {
        "bytes": csv.stat().st_size, "rows": rows, **{name: one.summary() for name, one in series.items()},
    })
