"""Parameters: the types that a server tells for them, and what it makes of values in text and in binary."""

from oracle_server import BINARY, TEXT, Failure

BOOL, BYTEA, INT8, INT2, INT4, TEXT_TYPE, OID, JSON, FLOAT4, FLOAT8 = 16, 17, 20, 21, 23, 25, 26, 114, 700, 701
VARCHAR, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, NUMERIC, UUID = 1043, 1082, 1083, 1114, 1184, 1186, 1700, 2950
INT4_ARRAY, TEXT_ARRAY, INT8_ARRAY, NUMERIC_ARRAY = 1007, 1009, 1016, 1231

# Type, its number, texts that are values of it.
VALUES = [
    ("boolean", BOOL, ["t", "true", "f", " on ", "0", "y"]),
    ("smallint", INT2, ["-32768", " 7 ", "+5"]),
    ("integer", INT4, ["2147483647", "-1", "007"]),
    ("bigint", INT8, ["-9223372036854775808"]),
    ("real", FLOAT4, ["1.5", "NaN", "-infinity", "1e-10"]),
    ("double precision", FLOAT8, ["0.1", "1e300", "Infinity", "-0", " 2 ", "nan"]),
    ("numeric", NUMERIC, ["0", "1.5", "-12345.6700", "1e3", "1.5e-3", ".5", "99999999999999999999999999999999999999",
                          "0.00000000000000000001", "100000000", "0.0001", "12345678.87654321"]),
    ("text", TEXT_TYPE, ["", "plain", "it's \\ \"好评\"", " blanks "]),
    ("varchar", VARCHAR, ["", "plain"]),
    ("bytea", BYTEA, ["\\x00ff", "\\x", "abc\\000\\\\", "\\xDE AD"]),
    ("date", DATE, ["2024-02-29", "20240229", "0044-03-15 BC", "1999-1-8"]),
    ("time", TIME, ["12:34:56.789", "00:00", "23:59:59.999999"]),
    ("timestamp", TIMESTAMP, ["2024-02-29 12:34:56.789", "2024-02-29T12:34:56", "2024-02-29", "1999-12-31 23:59:59.999999",
                              "2024-02-29 12:34:56+08"]),
    ("timestamptz", TIMESTAMPTZ, ["2024-02-29 12:34:56", "2024-02-29 12:34:56+08", "2024-02-29 12:34:56 -03:30",
                                  "2024-02-29T12:34:56.5Z", "2024-07-01 12:00 Europe/Paris", "1900-01-01 00:00:00",
                                  "2024-03-10 02:30:00", "2024-11-03 01:30:00"]),
    ("interval", INTERVAL, ["1 day", "-1 mon 2 days 03:04:05.6", "1 year 2 mons", "90 minutes", "1 day ago", "2.5 hours",
                            "-00:00:01", "100:00:00", "3 weeks"]),
    ("uuid", UUID, ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}",
                    "a0eebc999c0b4ef8bb6d6bb9bd380a11"]),
    ("json", JSON, ['{"a": [1, null]}', "[]", '"s"']),
    ("integer[]", INT4_ARRAY, ["{1,2,NULL}", "{}", "{ 1 , 2 }"]),
    ("text[]", TEXT_ARRAY, ['{a,"b c",NULL,"NULL","","x\\"y"}', "{}"]),
    ("numeric[]", NUMERIC_ARRAY, ["{1.5,-2.25,NULL}"]),
]

# Texts that are not values of the type.
REFUSED = [
    ("boolean", BOOL, ["maybe", "", "2"]),
    ("smallint", INT2, ["32768", "x", "", "1.5"]),
    ("integer", INT4, ["2147483648", "seven", "", "1.5", "1e3", "0x10", "1 2"]),
    ("bigint", INT8, ["9223372036854775808", "x"]),
    ("real", FLOAT4, ["x", "", "1e50"]),
    ("double precision", FLOAT8, ["x", "", "1e400", "1,5"]),
    ("numeric", NUMERIC, ["x", "", "1,5", "1e", "--1"]),
    ("bytea", BYTEA, ["\\x0", "\\xzz", "\\9"]),
    ("date", DATE, ["2024-02-30", "soon", "2024-13-01", ""]),
    ("time", TIME, ["25:00", "x", ""]),
    ("timestamp", TIMESTAMP, ["x", "2024-02-30 00:00:00", "2024-02-29 25:00:00", ""]),
    ("timestamptz", TIMESTAMPTZ, ["x", "2024-02-29 12:00:00 Mars/Olympus"]),
    ("interval", INTERVAL, ["soon", "", "1 parsec"]),
    ("uuid", UUID, ["x", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1", ""]),
    ("json", JSON, ["{", "", "{'a': 1}"]),
    ("integer[]", INT4_ARRAY, ["{1,2", "{1,x}", "1", "{1,}"]),
    ("text[]", TEXT_ARRAY, ['{"a"b}', "{a", "a}"]),
]

# Binary values of a wrong length or form.
MALFORMED = [
    ("integer", INT4, [b"", b"\0\0", b"\0" * 5]),
    ("bigint", INT8, [b"\0" * 4]),
    ("boolean", BOOL, [b"\0\0"]),
    ("double precision", FLOAT8, [b"\0" * 4]),
    ("date", DATE, [b"\0"]),
    ("timestamptz", TIMESTAMPTZ, [b"\0" * 7]),
    ("uuid", UUID, [b"\0" * 15]),
    ("numeric", NUMERIC, [b"\0\1\0\0\0\0\0\0", b"\0\1\0\0\1\0\0\0\0\1", b"\0\1\0\0\0\0\0\0\x27\x10"]),
    ("integer[]", INT4_ARRAY, [b"\0\0\0\1", b"\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\2\0\0\0\1\0\0\0\4\0\0\0\1"]),
]

# What the server tells of parameters that nobody has declared.
INFERRED = [
    "INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,"
    " $20, $21, $22)",
    "INSERT INTO kinds (u, j, c, v) VALUES ($1, $2, $3, $4)",
    "UPDATE kinds SET price = $1, u = $2 WHERE n = $3",
    "DELETE FROM kinds WHERE u = $1 AND instant < $2",
    "SELECT n FROM kinds WHERE n = $1",
    "SELECT n FROM kinds WHERE $1 < n AND small > $2 AND big <> $3",
    "SELECT n FROM kinds WHERE v = $1 AND t = $2 AND c = $3",
    "SELECT n FROM kinds WHERE u = $1",
    "SELECT n FROM kinds WHERE price > $1 AND day = $2 AND at >= $3 AND instant BETWEEN $4 AND $5",
    "SELECT n FROM kinds WHERE ok = $1 AND b = $2 AND f8 < $3 AND f4 > $4",
    "SELECT n FROM kinds WHERE n = ANY($1)",
    "SELECT n FROM kinds WHERE t = ANY($1)",
    "SELECT n FROM kinds WHERE u = ANY($1)",
    "SELECT n FROM kinds WHERE n IN ($1, $2)",
    "SELECT n FROM kinds WHERE t LIKE $1",
    "SELECT n FROM kinds ORDER BY n LIMIT $1 OFFSET $2",
    "SELECT $1::integer, $2::text, $3::numeric, $4::uuid, $5::timestamptz",
    "SELECT $1 || 'x'",
    "SELECT upper($1)",
    "SELECT coalesce($1, n) FROM kinds",
    "SELECT CASE WHEN n = $1 THEN t ELSE $2 END FROM kinds",
    "SELECT n FROM kinds WHERE n IS NOT DISTINCT FROM $1",
    "SELECT count(*) FROM kinds HAVING count(*) > $1",
    "SELECT $1",
]

# What still differs, by a part of the check's name, with the reason.
KNOWN = {
    "INSERT INTO kinds VALUES": "varchar without a length is text",
    "numeric[] '{1.5,-2.25,NULL}'": "the elements of an array share one scale",
}


def compare(comparison):
    for sql in INFERRED:
        types = [server.parameter_types(sql) for server in (comparison.ours, comparison.postgres)]
        comparison.check(f"{sql} takes", *types)
    for zone in ("UTC", "Asia/Shanghai", "America/New_York"):
        comparison.both(f"SET TIME ZONE '{zone}'")
        for type_name, oid, texts in VALUES:
            if zone != "UTC" and oid != TIMESTAMPTZ:
                continue
            for text in texts:
                value(comparison, f"{zone}: ", type_name, oid, text)
    comparison.both("SET TIME ZONE 'UTC'")
    for type_name, oid, texts in REFUSED:
        for text in texts:
            answers(comparison, f"{type_name} {text!r} declared", f"SELECT $1 AS v", text.encode(), oid, TEXT)
            answers(comparison, f"{type_name} {text!r} cast", f"SELECT $1::{type_name} AS v", text.encode(), 0, TEXT)
    for type_name, oid, values in MALFORMED:
        for bytes_ in values:
            answers(comparison, f"{type_name} {bytes_.hex()} in binary", "SELECT $1 AS v", bytes_, oid, BINARY)


def value(comparison, prefix, type_name, oid, text):
    """A value in text, declared and not declared, and in the binary form that PostgreSQL gives it."""
    key = f"{prefix}{type_name} {text!r}"
    answers(comparison, f"{key} declared", "SELECT $1 AS v", text.encode(), oid, TEXT)
    answers(comparison, f"{key} cast", f"SELECT $1::{type_name} AS v", text.encode(), 0, TEXT)
    known = comparison.postgres.ask("SELECT $1 AS v", [text.encode()], [oid], [TEXT], BINARY)
    if isinstance(known, Failure):
        raise SystemExit(f"{key}: {known}")
    answers(comparison, f"{key} in binary", "SELECT $1 AS v", known[1][0][0], oid, BINARY)


def answers(comparison, key, sql, bytes_, oid, form):
    found = []
    for server in (comparison.ours, comparison.postgres):
        answer = server.ask(sql, [bytes_], [oid], [form], TEXT)
        if not isinstance(answer, Failure):
            answer = ([(column["type"], column["modifier"]) for column in answer[0]], answer[1])
        found.append(answer)
    comparison.check(key, *found)
