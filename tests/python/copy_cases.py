"""Asks PostgreSQL 15 what each COPY of tests/copy/cases.json gives: python3 copy_cases.py "host=… port=…".

A case has the columns of a table, the options of COPY FROM and the data, in which a character is a byte. The answer
is put beside them: the table as COPY TO writes it, or the error. tests/all/copy.rs holds Voxhouse to it.
"""

import json
import pathlib
import sys

import psycopg

CASES = pathlib.Path(__file__).parent.parent / "copy" / "cases.json"


def answer(connection, case):
    try:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS t")
            cursor.execute(f"CREATE TABLE t ({case['columns']})")
            with cursor.copy(f"COPY t {case.get('list', '')} FROM STDIN {case['options']}") as copy:
                copy.write(case["data"].encode("latin-1"))
            rows = cursor.rowcount
            with cursor.copy("COPY t TO STDOUT") as copy:
                content = b"".join(copy).decode()
        return {"rows": rows, "content": content}
    except psycopg.Error as error:
        diag = error.diag
        fields = {"sqlstate": diag.sqlstate, "message": diag.message_primary, "context": diag.context, "hint": diag.message_hint}
        return {"error": {name: value for name, value in fields.items() if value is not None}}


def main():
    cases = json.loads(CASES.read_text())
    with psycopg.connect(sys.argv[1], autocommit=True) as connection:
        assert connection.info.server_version // 10000 == 15, connection.info.server_version
        connection.execute("SET TIME ZONE 'UTC'")
        for case in cases:
            case["expected"] = answer(connection, case)
    lines = (json.dumps(case, ensure_ascii=True) for case in cases)
    CASES.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
