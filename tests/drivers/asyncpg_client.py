"""asyncpg: binary throughout, every type looked up in the catalog, every statement prepared."""

import asyncio
import io
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal

import asyncpg
from transcript import SETUP, run, step, where

PLACE = where()
LOOP = asyncio.new_event_loop()
ROW = (
    7, True, 3, -5, 0.5, 0.1, Decimal("99.95"), "it's \\ 好评\n", "v", b"\x00\xff", date(2026, 1, 31),
    datetime(2026, 1, 31, 8, 30), datetime(2026, 2, 28, 23, 59, 59, 123456, tzinfo=timezone.utc),
    uuid.UUID("123e4567-e89b-12d3-a456-426614174000"), ["a", None, "b c"], [1, 2],
)


class Connection:
    """asyncpg's, for steps that are coroutines."""

    def __init__(self):
        self.inner = LOOP.run_until_complete(asyncpg.connect(
            host=PLACE["pghost"], port=int(PLACE["pgport"]), user=PLACE["pguser"], password=PLACE["pgpassword"],
            database=PLACE["pgdatabase"], timeout=30,
        ))

    def close(self):
        LOOP.run_until_complete(self.inner.close(timeout=5))


def steps(work):
    def whole(connection):
        return LOOP.run_until_complete(asyncio.wait_for(work(connection.inner), 60))

    whole.__name__ = work.__name__
    return step(whole)


def plain(rows):
    return [tuple(row.values()) for row in rows]


@steps
async def set_up(connection):
    for sql in SETUP:
        await connection.execute(sql)


@steps
async def all_types(connection):
    statement = await connection.prepare("SELECT * FROM kinds ORDER BY id")
    attributes = [(one.name, one.type.name, one.type.kind) for one in statement.get_attributes()]
    return attributes, plain(await statement.fetch())


@steps
async def parameters_of_every_type(connection):
    places = ", ".join(f"${n}" for n in range(1, len(ROW) + 1))
    statement = await connection.prepare(f"INSERT INTO kinds VALUES ({places})")
    taken = [one.name for one in statement.get_parameters()]
    await statement.fetch(*ROW)
    found = plain(await connection.fetch("SELECT * FROM kinds WHERE id = $1", 7))
    done = await connection.execute("DELETE FROM kinds WHERE id = $1", 7)
    return taken, found == [ROW], found, done


@steps
async def parameters_in_conditions(connection):
    return [
        await connection.fetchval("SELECT count(*) FROM kinds WHERE u = $1 AND instant = $2", ROW[13], ROW[12]),
        await connection.fetchval("SELECT count(*) FROM many WHERE id = ANY($1)", [1, 2, 9999]),
        await connection.fetchval("SELECT count(*) FROM many WHERE id = ANY($1::bigint[])", [1, 2, 9999]),
        plain(await connection.fetch("SELECT name FROM many ORDER BY id LIMIT $1 OFFSET $2", 2, 3)),
        await connection.fetchval("SELECT count(*) FROM many WHERE price > $1", Decimal("100.5")),
        await connection.fetchval("SELECT count(*) FROM many WHERE day = $1", date(2026, 1, 1)),
    ]


@steps
async def types_of_casts(connection):
    found = []
    for value, type_name in [(7, "int4"), (7, "int8"), ("x", "text"), (1.5, "float8"), (True, "bool"),
                             (Decimal("1.50"), "numeric"), (ROW[13], "uuid"), (date(2026, 1, 1), "date"),
                             ("[1]", "json"), (["a"], "text[]"), (b"\0", "bytea"), (ROW[12], "timestamptz")]:
        found.append((type_name, await connection.fetchval(f"SELECT $1::{type_name}", value)))
    return found


@steps
async def a_wrong_type(connection):
    await connection.fetch("SELECT * FROM many WHERE id = $1", "seven")


@steps
async def a_cursor(connection):
    async with connection.transaction():
        found = []
        async for row in connection.cursor("SELECT id FROM many ORDER BY id", prefetch=700):
            found.append(row["id"])
        cursor = await connection.cursor("SELECT id FROM many WHERE id > $1 ORDER BY id", 10)
        first, some = await cursor.fetchrow(), await cursor.fetch(3)
        skipped = await cursor.forward(5)
        return len(found), sum(found), first, some, skipped, await cursor.fetchrow()


@steps
async def the_same_statement_ten_times(connection):
    return [await connection.fetchrow("SELECT name, price FROM many WHERE id = $1", n) for n in range(1, 11)]


@steps
async def executemany(connection):
    await connection.executemany("INSERT INTO written VALUES ($1, $2, $3)",
                                 [(n, f"n{n}", Decimal(n) / 4) for n in range(12)])
    found = plain(await connection.fetch("SELECT * FROM written ORDER BY id"))
    return found, await connection.execute("DELETE FROM written")


@steps
async def copy_out(connection):
    out = io.BytesIO()
    tag = await connection.copy_from_query("SELECT * FROM many WHERE id < $1 ORDER BY id", 4, output=out, format="csv")
    return tag, out.getvalue()


@steps
async def copy_in(connection):
    tag = await connection.copy_records_to_table("written", records=[(1, "a", Decimal("1.5")), (2, None, None)])
    found = plain(await connection.fetch("SELECT * FROM written ORDER BY id"))
    await connection.execute("DELETE FROM written")
    return tag, found


@steps
async def a_nested_transaction(connection):
    async with connection.transaction():
        try:
            async with connection.transaction():
                await connection.execute("SELECT 1/0")
        except asyncpg.DivisionByZeroError as error:
            found = error.sqlstate
        return found, await connection.fetchval("SELECT 2")


@steps
async def a_timeout(connection):
    try:
        await connection.fetch("SELECT count(*) FROM generate_series(1, 3000000) a, generate_series(1, 3000000) b",
                               timeout=0.5)
    except asyncio.TimeoutError:
        return "timeout", await connection.fetchval("SELECT 1")


@steps
async def a_pool_resets_its_connections(connection):
    pool = await asyncpg.create_pool(
        host=PLACE["pghost"], port=int(PLACE["pgport"]), user=PLACE["pguser"], password=PLACE["pgpassword"],
        database=PLACE["pgdatabase"], min_size=1, max_size=1,
    )
    async with pool.acquire() as one:
        await one.execute("SET TIME ZONE 'Asia/Shanghai'")
    async with pool.acquire() as one:
        found = await one.fetchval("SHOW TimeZone")
    await pool.close()
    return found


@steps
async def server_settings(connection):
    settings = connection.get_settings()
    version = connection.get_server_version()
    return version.major, settings.TimeZone, settings.client_encoding


@steps
async def a_type_codec(connection):
    import json

    await connection.set_type_codec("json", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    return await connection.fetchval("SELECT '{\"a\": [1, null]}'::json")


@steps
async def arrays_of_arrays(connection):
    return await connection.fetchval("SELECT ARRAY[ARRAY['a','b'],ARRAY['c',NULL]]")


run(Connection, lambda error: getattr(error, "sqlstate", None))
