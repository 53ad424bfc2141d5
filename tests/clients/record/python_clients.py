"""Drives the clients that Python can load: python3 python_clients.py CLIENT…"""

import asyncio
import os
import sys
import tempfile
from importlib.metadata import version

from recorder import recorder

DSN = os.environ["RECORD_DSN"]
HOST = dict(part.split("=", 1) for part in DSN.split())
URL = f"postgresql://{HOST['user']}@{HOST['host']}:{HOST['port']}/{HOST['dbname']}"
PSYCOPG_URL = URL.replace("postgresql:", "postgresql+psycopg:")
TOTALS = "SELECT category, count(*) AS n, sum(amount) AS total FROM orders GROUP BY category ORDER BY category"


def psycopg2():
    import psycopg2
    import psycopg2.extras

    record = recorder("psycopg2 " + version("psycopg2-binary"))
    connection = psycopg2.connect(DSN)
    record.step("query with parameters")
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM customers WHERE country = %s AND score > %s", ("CN", 3.5))
    cursor.execute("SELECT * FROM orders WHERE tags && %s AND order_id = ANY(%s)", (["gift"], [100, 101]))
    cursor.execute("SELECT %s, %s, %s", (True, None, b"\x00\xff"))
    connection.commit()
    record.step("named cursor")
    with connection.cursor("rows") as cursor:
        cursor.itersize = 2
        cursor.execute("SELECT * FROM orders ORDER BY order_id, line")
        cursor.fetchmany(2)
        cursor.scroll(1)
        cursor.fetchall()
    with connection.cursor("held", scrollable=True, withhold=True) as cursor:
        cursor.execute("SELECT customer_id FROM customers ORDER BY 1")
        cursor.fetchone()
        connection.commit()
        cursor.scroll(-1)
        cursor.fetchall()
    record.step("register types")
    psycopg2.extras.register_uuid()
    psycopg2.extras.register_default_json(connection)
    psycopg2.extras.HstoreAdapter.get_oids(connection)
    psycopg2.extras.register_composite("address", connection)
    record.step("session settings")
    connection.commit()
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    connection.cursor().execute("SELECT 1")
    connection.rollback()
    connection.set_session(isolation_level="DEFAULT", readonly=False)
    connection.set_client_encoding("UTF8")
    connection.reset()
    record.step("insert")
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE scratch (id int, name text)")
    psycopg2.extras.execute_values(cursor, "INSERT INTO scratch VALUES %s", [(1, "a"), (2, "b")])
    psycopg2.extras.execute_batch(cursor, "UPDATE scratch SET name = %s WHERE id = %s", [("x", 1), ("y", 2)])
    cursor.execute("INSERT INTO scratch VALUES (%s, %s) RETURNING id", (3, "c"))
    record.step("copy")
    with tempfile.TemporaryFile("w+") as file:
        cursor.copy_to(file, "scratch")
        file.seek(0)
        cursor.copy_from(file, "scratch")
        cursor.copy_expert("COPY (SELECT * FROM scratch) TO STDOUT WITH CSV HEADER", file)
    cursor.execute("DROP TABLE scratch")
    connection.commit()
    connection.close()
    return record


def psycopg3():
    import psycopg
    from psycopg.types import TypeInfo
    from psycopg.types.composite import CompositeInfo
    from psycopg.types.enum import EnumInfo
    from psycopg.types.range import RangeInfo

    record = recorder("psycopg3 " + version("psycopg"))
    with psycopg.connect(DSN) as connection:
        record.step("query with parameters")
        connection.execute("SELECT * FROM customers WHERE country = %s AND score > %s", ("CN", 3.5)).fetchall()
        connection.execute("SELECT * FROM orders WHERE order_id = ANY(%s)", ([100, 101],), binary=True).fetchall()
        for _ in range(7):
            connection.execute("SELECT name FROM customers WHERE customer_id = %s", (1,), prepare=True).fetchall()
        record.step("type information")
        for info, name in [(TypeInfo, "hstore"), (EnumInfo, "mood"), (CompositeInfo, "address"), (RangeInfo, "tstzrange")]:
            info.fetch(connection, name)
        record.step("server-side cursor")
        with connection.cursor("rows", scrollable=True) as cursor:
            cursor.execute("SELECT * FROM orders WHERE order_id > %s ORDER BY order_id, line", (1,))
            cursor.fetchone()
            cursor.scroll(0, mode="absolute")
            cursor.fetchmany(2)
            cursor.fetchall()
        record.step("steal a cursor")
        connection.execute("DECLARE mine CURSOR FOR SELECT 1")
        psycopg.ServerCursor(connection, "mine").fetchall()
        record.step("savepoint")
        with connection.transaction():
            connection.execute("SELECT 1")
        with connection.pipeline():
            connection.execute("SELECT 1")
            connection.execute("SELECT 2")
        record.step("copy")
        with connection.cursor().copy("COPY (SELECT customer_id, name FROM customers) TO STDOUT") as copy:
            list(copy.rows())
        with connection.cursor().copy("COPY (SELECT customer_id, name FROM customers) TO STDOUT (FORMAT BINARY)") as copy:
            list(copy)
        connection.execute("CREATE TEMP TABLE scratch (id int, name text) ON COMMIT DROP")
        with connection.cursor().copy("COPY scratch (id, name) FROM STDIN") as copy:
            copy.write_row((1, "a"))
        connection.cursor().executemany("INSERT INTO scratch VALUES (%s, %s)", [(2, "b"), (3, "c")])
        connection.execute("SELECT * FROM scratch FOR UPDATE").fetchall()
    record.step("two-phase and read-only")
    with psycopg.connect(DSN) as connection:
        connection.read_only, connection.isolation_level = True, psycopg.IsolationLevel.SERIALIZABLE
        connection.execute("SELECT 1")
        connection.rollback()
        connection.read_only, connection.isolation_level = None, None
        connection.execute("DEALLOCATE ALL")
    return record


async def asyncpg_steps(record):
    import asyncpg

    connection = await asyncpg.connect(URL)
    record.step("query with parameters")
    await connection.fetch("SELECT * FROM customers WHERE country = $1 AND score > $2", "CN", 3.5)
    await connection.fetch("SELECT * FROM orders WHERE tags @> $1::text[]", ["gift"])
    record.step("type introspection")
    await connection.fetch("SELECT feeling, home, priority, during FROM tickets")
    await connection.set_type_codec("json", encoder=str, decoder=str, schema="pg_catalog")
    await connection.set_type_codec("mood", encoder=str, decoder=str)
    record.step("cursor")
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for _ in connection.cursor("SELECT * FROM orders", prefetch=2):
            pass
        async with connection.transaction():
            await connection.fetchval("SELECT count(*) FROM orders")
    record.step("copy")
    await connection.execute("CREATE TABLE scratch (id int, name text)")
    await connection.copy_records_to_table("scratch", records=[(1, "a"), (2, None)])
    await connection.executemany("INSERT INTO scratch VALUES ($1, $2)", [(3, "c")])
    with tempfile.TemporaryFile() as file:
        await connection.copy_from_query("SELECT * FROM scratch WHERE id > $1", 1, output=file, format="csv", header=True)
        await connection.copy_from_table("scratch", output=file)
    await connection.execute("DROP TABLE scratch")
    record.step("listen")
    await connection.add_listener("events", lambda *_: None)
    record.step("reset")
    await connection.reset()
    await connection.reload_schema_state()
    await connection.close()


def asyncpg():
    record = recorder("asyncpg " + version("asyncpg"))
    asyncio.run(asyncpg_steps(record))
    return record


def sqlalchemy():
    import sqlalchemy as sa

    record = recorder("sqlalchemy " + version("sqlalchemy"))
    for url in (URL.replace("postgresql:", "postgresql+psycopg2:"), PSYCOPG_URL, URL.replace("postgresql:", "postgresql+asyncpg:")):
        if "asyncpg" in url:
            from sqlalchemy.ext.asyncio import create_async_engine

            async def connect():
                engine = create_async_engine(url)
                async with engine.connect() as connection:
                    await connection.execute(sa.text("SELECT 1"))
                    await connection.run_sync(lambda c: inspect_all(record, sa.inspect(c), "asyncpg: "))
                await engine.dispose()

            try:
                asyncio.run(connect())
            except Exception as error:
                print("asyncpg:", error, file=sys.stderr)
            continue
        engine = sa.create_engine(url)
        inspect_all(record, sa.inspect(engine), "")
        record.step("MetaData.reflect")
        metadata = sa.MetaData()
        metadata.reflect(engine, views=True)
        metadata.reflect(engine, schema="crm")
        record.step("has_table, has_sequence, has_schema, has_index")
        inspector = sa.inspect(engine)
        inspector.has_table("orders"), inspector.has_table("nosuch", schema="crm")
        inspector.has_sequence("ticket_numbers"), inspector.has_schema("crm"), inspector.has_index("orders", "orders_ordered_at")
        record.step("queries")
        orders, customers = metadata.tables["orders"], metadata.tables["customers"]
        with engine.connect() as connection:
            connection.execute(sa.select(orders).where(orders.c.order_id == 100).limit(2).offset(1)).all()
            month = sa.func.date_trunc("month", orders.c.ordered_at)
            connection.execute(sa.select(month.label("month"), sa.func.sum(orders.c.amount)).group_by(month).order_by(month)).all()
            connection.execute(sa.select(sa.cast(orders.c.attributes, sa.JSON)["channel"].as_string())).all()
            connection.execute(sa.select(customers.c.name).where(customers.c.name.ilike("%e%"), sa.exists().where(orders.c.customer_id == customers.c.customer_id))).all()
            connection.execute(sa.select(sa.func.row_number().over(partition_by=orders.c.category, order_by=orders.c.amount.desc()), sa.extract("year", orders.c.ordered_at))).all()
            stream = connection.execution_options(stream_results=True, max_row_buffer=2)
            stream.execute(sa.select(orders)).fetchmany(3)
        record.step("create, insert returning, drop")
        scratch = sa.Table("scratch", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), sa.Column("name", sa.String(20)), sa.Column("at", sa.DateTime(timezone=True)), sa.Column("ok", sa.Boolean), sa.Column("n", sa.Numeric(10, 2)))
        scratch.create(engine)
        with engine.begin() as connection:
            connection.execute(sa.insert(scratch).returning(scratch.c.id), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
            connection.execute(sa.update(scratch).where(scratch.c.id == 1).values(name="c"))
            connection.execute(sa.delete(scratch).where(scratch.c.id.in_([1, 2])))
        scratch.drop(engine)
        engine.dispose()
    return record


def inspect_all(record, inspector, prefix):
    record.step(prefix + "inspector: names")
    inspector.default_schema_name
    for method in ("get_schema_names", "get_table_names", "get_view_names", "get_materialized_view_names", "get_temp_table_names",
                   "get_temp_view_names", "get_sequence_names", "get_foreign_table_names", "get_enums", "get_domains"):
        record.step(f"{prefix}inspector.{method}")
        getattr(inspector, method)()
        if method not in ("get_schema_names", "get_temp_table_names", "get_temp_view_names"):
            getattr(inspector, method)(schema="crm")
    for method in ("get_columns", "get_pk_constraint", "get_foreign_keys", "get_indexes", "get_unique_constraints",
                   "get_check_constraints", "get_table_comment", "get_table_options"):
        record.step(f"{prefix}inspector.{method}")
        for table, schema in (("orders", None), ("tickets", None), ("notes", "crm")):
            getattr(inspector, method)(table, schema=schema)
        if (several := getattr(inspector, method.replace("get_", "get_multi_"), None)) is not None:
            several(schema="crm")
    record.step(prefix + "inspector.get_view_definition")
    inspector.get_view_definition("order_totals")
    inspector.get_view_definition("category_sales")
    record.step(prefix + "inspector.get_sorted_table_and_fkc_names")
    inspector.get_sorted_table_and_fkc_names()


def pandas():
    import pandas as pd
    import sqlalchemy as sa

    record = recorder("pandas " + version("pandas"))
    for url in (URL.replace("postgresql:", "postgresql+psycopg2:"), PSYCOPG_URL):
        engine = sa.create_engine(url)
        record.step("read_sql")
        frame = pd.read_sql("SELECT customer_id, name, score, active, created_at FROM customers", engine)
        pd.read_sql(sa.text("SELECT * FROM orders WHERE amount > :least"), engine, params={"least": 50}, parse_dates=["ordered_at"])
        record.step("read_sql_table")
        pd.read_sql_table("orders", engine, columns=["order_id", "amount"])
        pd.read_sql_table("notes", engine, schema="crm")
        record.step("read_sql in chunks")
        for _ in pd.read_sql("SELECT * FROM orders", engine.connect().execution_options(stream_results=True), chunksize=2):
            pass
        record.step("to_sql")
        frame.to_sql("frame", engine, index=False, if_exists="replace")
        record.step("to_sql, append")
        frame.to_sql("frame", engine, index=False, if_exists="append", method="multi")
        record.step("to_sql, replace, with an index and another schema")
        frame.set_index("customer_id").to_sql("frame", engine, schema="crm", if_exists="replace", chunksize=2)
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE frame"))
            connection.execute(sa.text("DROP TABLE crm.frame"))
        engine.dispose()
    return record


def pyodbc():
    import pyodbc

    record = recorder("psqlodbc 13.02 with pyodbc " + version("pyodbc"))
    base = f"Driver=/usr/lib/x86_64-linux-gnu/odbc/psqlodbcw.so;Server={HOST['host']};Port={HOST['port']};Database={HOST['dbname']};UID={HOST['user']};PWD=voxhouse;"
    for options in ("", "UseDeclareFetch=1;Fetch=2;", "UseServerSidePrepare=0;Protocol=7.4-2;", "Protocol=7.4-0;ShowSystemTables=1;ShowOidColumn=1;RowVersioning=1;"):
        record.step(f"connect {options}")
        connection = pyodbc.connect(base + options)
        calls = [
            ("tables", {}), ("tables", {"schema": "public", "tableType": "TABLE"}), ("tables", {"table": "ord%"}), ("tables", {"catalog": "%", "schema": "", "table": ""}),
            ("tables", {"catalog": "", "schema": "%", "table": ""}), ("tables", {"tableType": "VIEW"}), ("columns", {"table": "orders"}), ("columns", {"schema": "crm"}),
            ("columns", {"table": "tickets", "column": "t%"}), ("primaryKeys", {"table": "orders"}), ("foreignKeys", {"table": "orders"}), ("foreignKeys", {"foreignTable": "orders"}),
            ("statistics", {"table": "orders"}), ("statistics", {"table": "orders", "unique": True}), ("rowIdColumns", {"table": "orders"}), ("rowVerColumns", {"table": "orders"}),
            ("procedures", {}), ("procedures", {"procedure": "order_count"}), ("procedureColumns", {"procedure": "order_count"}), ("getTypeInfo", {}),
        ]
        for method, arguments in calls:
            record.step(f"{method}({', '.join(f'{k}={v}' for k, v in arguments.items())}) {options}")
            try:
                getattr(connection.cursor(), method)(**arguments).fetchall()
            except pyodbc.Error as error:
                print(options, method, error, file=sys.stderr)
        record.step(f"queries {options}")
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM orders WHERE order_id >= ? AND category = ?", 100, "kitchen").fetchall()
        cursor.execute("SELECT * FROM customers").fetchall()
        cursor.execute("SELECT {fn UCASE(name)}, {fn YEAR(created_at)}, {d '2026-01-01'} FROM customers WHERE created_at > {ts '2026-01-01 00:00:00'}").fetchall()
        cursor.execute(TOTALS).fetchall()
        record.step(f"insert {options}")
        cursor.execute("CREATE TABLE scratch (id int, name varchar(20))")
        cursor.executemany("INSERT INTO scratch VALUES (?, ?)", [(1, "a"), (2, None)])
        cursor.execute("DROP TABLE scratch")
        connection.commit()
        connection.autocommit = True
        try:
            cursor.execute("SELECT nosuch FROM orders")
        except pyodbc.Error:
            pass
        connection.close()
    return record


def adbc():
    import adbc_driver_postgresql.dbapi as dbapi
    import pyarrow as pa

    record = recorder("adbc-driver-postgresql " + version("adbc-driver-postgresql"))
    connection = dbapi.connect(URL)
    record.step("query")
    cursor = connection.cursor()
    cursor.execute("SELECT order_id, amount, ordered_at, tags FROM orders")
    cursor.fetch_arrow_table()
    cursor.execute("SELECT * FROM customers WHERE customer_id = $1", (1,))
    cursor.fetchall()
    cursor.execute("SELECT note_id, body FROM crm.notes WHERE note_id > 0")
    cursor.fetchall()
    for depth in ("catalogs", "db_schemas", "tables", "all"):
        record.step(f"adbc_get_objects {depth}")
        connection.adbc_get_objects(depth=depth).read_all()
        connection.adbc_get_objects(depth=depth, catalog_filter="voxhouse", db_schema_filter="public", table_name_filter="ord%", table_types_filter=["table", "view"]).read_all()
        if depth == "all":
            connection.adbc_get_objects(depth=depth, column_name_filter="amount").read_all()
    record.step("adbc_get_table_schema, table types, info")
    connection.adbc_get_table_schema("customers", db_schema_filter="public")
    connection.adbc_get_table_schema("customers")
    connection.adbc_get_table_types()
    connection.adbc_get_info()
    record.step("adbc_get_statistics")
    try:
        connection.adbc_get_statistics(db_schema_filter="public", approximate=True).read_all()
    except Exception as error:
        print(error, file=sys.stderr)
    record.step("ingest")
    table = pa.table({"id": [1, 2], "name": ["a", None]})
    cursor.adbc_ingest("scratch", table, mode="create")
    cursor.adbc_ingest("scratch", table, mode="append")
    cursor.adbc_ingest("scratch", table, mode="replace")
    cursor.executemany("INSERT INTO scratch VALUES ($1, $2)", [(3, "c")])
    cursor.execute("DROP TABLE scratch")
    connection.commit()
    cursor.close()
    connection.close()
    return record


def connectorx():
    import connectorx as cx

    record = recorder("connectorx " + version("connectorx"))
    for protocol in ("binary", "cursor", "csv", "simple"):
        record.step(f"read_sql, protocol {protocol}")
        cx.read_sql(URL, "SELECT order_id, amount, ordered_at FROM orders", protocol=protocol, return_type="arrow")
    record.step("read_sql in partitions")
    cx.read_sql(URL, "SELECT order_id, quantity FROM orders", partition_on="order_id", partition_num=2, return_type="arrow")
    record.step("get_meta")
    cx.get_meta(URL, "SELECT * FROM customers")
    return record


def polars():
    import polars as pl

    record = recorder("polars " + version("polars"))
    record.step("read_database_uri with connectorx")
    pl.read_database_uri("SELECT order_id, category, amount FROM orders", URL, engine="connectorx")
    record.step("read_database_uri with adbc")
    frame = pl.read_database_uri("SELECT customer_id, name, score FROM customers", URL, engine="adbc")
    record.step("write_database with adbc")
    frame.write_database("frame", URL, engine="adbc", if_table_exists="replace")
    record.step("write_database with sqlalchemy")
    frame.to_pandas().to_sql("frame", PSYCOPG_URL, if_exists="replace", index=False)
    record.connection.execute("DROP TABLE frame")
    return record


def duckdb():
    import duckdb

    record = recorder("duckdb " + version("duckdb"))
    connection = duckdb.connect()
    connection.execute("INSTALL postgres")
    connection.execute("LOAD postgres")
    record.step("attach")
    connection.execute(f"ATTACH '{DSN}' AS pg (TYPE postgres)")
    record.step("show tables")
    connection.execute("SHOW ALL TABLES").fetchall()
    record.step("query")
    connection.execute("SELECT category, sum(amount) FROM pg.public.orders WHERE order_id > 100 GROUP BY 1").fetchall()
    record.step("insert")
    connection.execute("CREATE TABLE pg.public.scratch AS SELECT 1 AS id, 'a' AS name")
    connection.execute("INSERT INTO pg.public.scratch VALUES (2, 'b')")
    connection.execute("DROP TABLE pg.public.scratch")
    return record


def pg8000():
    import pg8000.dbapi

    record = recorder("pg8000 " + version("pg8000"))
    connection = pg8000.dbapi.connect(HOST["user"], host=HOST["host"], port=int(HOST["port"]), database=HOST["dbname"], password="voxhouse")
    record.step("query with parameters")
    cursor = connection.cursor()
    cursor.execute("SELECT name, score FROM customers WHERE country = %s AND customer_id > %s", ("CN", 0))
    cursor.fetchall()
    cursor.execute(TOTALS)
    connection.commit()
    connection.close()
    return record


def pgcli():
    record = recorder("pgcli " + version("pgcli"))
    from pgcli.pgexecute import PGExecute
    from pgspecial.main import PGSpecial

    record.step("connect, completion")
    executor = PGExecute(HOST["dbname"], HOST["user"], "", HOST["host"], HOST["port"])
    for method in ("search_path", "schemata", "tables", "views", "databases", "full_databases", "foreignkeys", "functions", "datatypes", "casing",
                   "table_columns", "view_columns", "set_timezone", "get_timezone", "is_superuser"):
        record.step(method)
        found = getattr(executor, method, None)
        try:
            found = found("UTC") if method == "set_timezone" else found() if callable(found) else found
            list(found) if hasattr(found, "__iter__") and not isinstance(found, str) else None
        except Exception as error:
            print(method, error, file=sys.stderr)
            executor.connect()
    special = PGSpecial()
    commands = ["\\l", "\\l+", "\\du", "\\du+", "\\dn", "\\dn+", "\\dt", "\\dt+", "\\dv", "\\dv+", "\\dm", "\\dm+", "\\di", "\\di+", "\\ds", "\\ds+", "\\df",
                "\\df+", "\\df order_count", "\\dT", "\\dT+", "\\dx", "\\dx+", "\\dp", "\\ddp", "\\db", "\\db+", "\\dD", "\\dD+", "\\d", "\\d+", "\\d orders", "\\d+ orders",
                "\\d customers", "\\d+ order_totals", "\\d tickets", "\\d crm.notes", "\\dE", "\\dE+", "\\dF", "\\dF+", "\\sf order_count", "\\sf+ order_count", "\\dt crm.*"]
    for command in commands:
        record.step(command)
        try:
            for _, rows, _, _, *_ in executor.run(command, special):
                list(rows or [])
        except Exception as error:
            print(command, error, file=sys.stderr)
            executor.connect()
    record.step("query")
    for statement in ("SELECT * FROM customers LIMIT 10", TOTALS):
        list(executor.run(statement, special))
    return record


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, globals()[name]().finish(), file=sys.stderr)
