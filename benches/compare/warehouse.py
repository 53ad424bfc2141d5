"""The loaded warehouse that rows and scans are measured on. Built once for a binary, and kept in the work folder."""

import json

import data as rows_of
from loads import drop_in, pipe_sql, run_pipe, table_sql
from voxhouse import Voxhouse


def opened(context):
    """A server on the loaded tables, to be used in a `with`."""
    voxhouse = Voxhouse(context.binary, context.work / "warehouse")
    marker = context.work / "warehouse.json"
    wanted = {"binary": context.binary.stat().st_mtime_ns, "bytes": context.data.orders_bytes()}
    if marker.exists() and json.loads(marker.read_text()) == wanted:
        return voxhouse
    marker.unlink(missing_ok=True)
    voxhouse.remove()
    context.say("building the warehouse for rows and scans")
    tables = [
        ("orders", rows_of.COLUMNS, context.data.orders, rows_of.ROWS),
        ("orders_sample", rows_of.COLUMNS, [context.data.sample_parquet], rows_of.ROWS // rows_of.SAMPLE_SHARE),
        ("customers", rows_of.CUSTOMER_COLUMNS, [context.data.customers], rows_of.CUSTOMERS),
    ]
    with voxhouse, voxhouse.connect() as connection:
        connection.execute("CREATE SCHEMA bench")
        for table, columns, files, rows in tables:
            connection.execute(table_sql(f"bench.{table}", columns))
            prefix = f"landing/{table}/"
            drop_in(voxhouse, prefix, files)
            connection.execute(pipe_sql(f"{table}_pipe", prefix, f"bench.{table}", columns))
            run_pipe(voxhouse, connection, f"{table}_pipe", rows)
    marker.write_text(json.dumps(wanted))
    return voxhouse
