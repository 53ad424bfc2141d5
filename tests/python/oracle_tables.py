"""Columns of relations: their types, modifiers and lengths, and where a result column comes from."""

from oracle_server import BINARY, TEXT, Failure

COLUMNS = [
    ("ok", "boolean", ["true", "NULL"]),
    ("small", "smallint", ["-32768", "NULL"]),
    ("n", "integer", ["42", "NULL"]),
    ("big", "bigint", ["9223372036854775807", "NULL"]),
    ("f4", "real", ["0.1", "NULL"]),
    ("f8", "double precision", ["1e300", "NULL"]),
    ("price", "numeric(18,2)", ["12345.60", "NULL"]),
    ("rate", "numeric(10,6)", ["-0.000001", "NULL"]),
    ("whole", "numeric(20)", ["12345678901234567890", "NULL"]),
    ("t", "text", ["'好评'", "NULL"]),
    ("v", "varchar(20)", ["'varchar'", "NULL"]),
    ("loose", "varchar", ["'loose'", "NULL"]),
    ("c", "char(5)", ["'ab'", "NULL"]),
    ("b", "bytea", ["'\\x00ff'", "NULL"]),
    ("day", "date", ["'2024-02-29'", "NULL"]),
    ("at", "timestamp", ["'2024-02-29 01:02:03.5'", "NULL"]),
    ("instant", "timestamptz", ["'2024-02-29 01:02:03.5+00'", "NULL"]),
    ("u", "uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "NULL"]),
    ("j", "json", ["'{\"a\": 1}'", "NULL"]),
    ("words", "text[]", ["ARRAY['a','b c',NULL]", "NULL"]),
    ("numbers", "bigint[]", ["ARRAY[1,NULL]::bigint[]", "NULL"]),
    ("prices", "numeric(10,2)[]", ["ARRAY[1.50,NULL]::numeric(10,2)[]", "NULL"]),
]

QUERIES = [
    "SELECT * FROM kinds ORDER BY n",
    "SELECT k.n, k.t AS label, k.n AS again FROM kinds k ORDER BY 1",
    "SELECT k.n, o.label FROM kinds k JOIN others o ON o.n = k.n",
    "SELECT * FROM kinds k LEFT JOIN others o ON o.n = k.n ORDER BY k.n",
    "SELECT n, o.label FROM kinds JOIN others o USING (n)",
    "SELECT * FROM (SELECT n AS m, t FROM kinds) AS s ORDER BY m",
    "WITH w AS (SELECT v, n FROM kinds) SELECT * FROM w ORDER BY n",
    "SELECT * FROM shown ORDER BY n",
    "SELECT s.tt FROM shown s ORDER BY n",
    "WITH shown AS (SELECT n FROM kinds) SELECT n FROM shown ORDER BY n",
    "SELECT DISTINCT v FROM kinds ORDER BY v",
    "SELECT v, count(*) AS c FROM kinds GROUP BY v ORDER BY v",
    "SELECT n FROM kinds WHERE n IN (SELECT n FROM others)",
    "SELECT n FROM kinds UNION ALL SELECT n FROM others ORDER BY n",
    "SELECT t || 'x' AS x FROM kinds ORDER BY n",
    "SELECT n::text AS x, t::text AS y FROM kinds ORDER BY kinds.n",
    "SELECT u::text AS x, j::text AS y, v::text AS z FROM kinds ORDER BY n",
    "SELECT n::bigint AS x FROM kinds ORDER BY 1",
    "SELECT v::varchar(3) AS x, t::varchar(2) AS y FROM kinds ORDER BY n",
    "SELECT coalesce(v, 'none') AS x FROM kinds ORDER BY n",
    "SELECT (SELECT label FROM others WHERE n = 42) AS x",
    "SELECT n FROM kinds ORDER BY n LIMIT 1 OFFSET 0",
    "SELECT row_number() OVER (ORDER BY n) AS r, n FROM kinds ORDER BY n",
    "SELECT min(price) AS x, max(day) AS y, min(v) AS z FROM kinds",
    "SELECT n, price FROM kinds WHERE false",
    "SELECT x, count(*) AS c FROM (SELECT v::varchar(3) AS x FROM kinds) AS s GROUP BY x ORDER BY x",
    "SELECT u, count(*) AS c FROM kinds GROUP BY u ORDER BY u",
    "SELECT count(DISTINCT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid) AS c FROM kinds",
    "SELECT price::numeric(10,1) AS x, sum(price) AS y FROM kinds GROUP BY 1 ORDER BY 1",
    "SELECT column2 AS x FROM (VALUES (1, '1.50'::numeric(5,2)), (2, NULL)) AS v ORDER BY column1",
    "SELECT column1::text AS x FROM (VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid), (NULL)) AS v ORDER BY 1",
    "SELECT max(column1) AS x FROM (VALUES ('2024-02-29'::date), (NULL), ('2023-01-01')) AS v",
    "SELECT u::uuid AS x FROM kinds UNION ALL SELECT NULL ORDER BY x",
    "SELECT public.kinds.n FROM public.kinds ORDER BY 1",
    "SELECT relname, oid FROM pg_class WHERE relname = 'pg_class'",
    "SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relname = 'pg_type'",
]

DESCRIBED = ("name", "type", "length", "modifier", "column")

# What still differs, by a part of the check's name, with the reason.
KNOWN = {
    "loose described": "varchar without a length is text",
}


def compare(comparison):
    comparison.both("DROP VIEW IF EXISTS shown")
    comparison.both("DROP TABLE IF EXISTS kinds")
    comparison.both("DROP TABLE IF EXISTS others")
    columns = ", ".join(f"{name} {data_type}" for name, data_type, _ in COLUMNS)
    comparison.both(f"CREATE TABLE kinds ({columns})")
    for row in zip(*(values for _, _, values in COLUMNS)):
        comparison.both(f"INSERT INTO kinds VALUES ({', '.join(row)})")
    comparison.both("CREATE TABLE others (n integer, label varchar(7))")
    comparison.both("INSERT INTO others VALUES (42, 'forty')")
    comparison.both("CREATE VIEW shown AS SELECT n, t AS tt, v FROM kinds")
    for sql in QUERIES:
        one(comparison, sql)


def one(comparison, sql):
    for form, name in ((TEXT, "text"), (BINARY, "binary")):
        ours = comparison.ours.ask(sql, result_format=form)
        expected = comparison.postgres.ask(sql, result_format=form)
        if isinstance(ours, Failure) or isinstance(expected, Failure):
            comparison.check(sql, ours, expected)
            return
        if form == TEXT:
            shapes = []
            for server, (columns, _) in ((comparison.ours, ours), (comparison.postgres, expected)):
                shapes.append([
                    tuple(column[part] for part in DESCRIBED) + (server.relation(column["table"]),)
                    for column in columns
                ])
            if len(shapes[0]) != len(shapes[1]):
                comparison.check(f"{sql} described", *shapes)
                return
            for found, wanted in zip(*shapes):
                comparison.check(f"{sql}: {wanted[0]} described", found, wanted)
        for at, column in enumerate(expected[0]):
            values = [[row[at] for row in found[1]] for found in (ours, expected)]
            comparison.check(f"{sql}: {column['name']} in {name}", *values)
