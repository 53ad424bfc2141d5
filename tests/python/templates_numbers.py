"""Writes ../slt/templates_numbers.slt: numbers, intervals and texts by templates, with PostgreSQL's answers.

Usage: templates_numbers.py CONNECTION, such as "host=127.0.0.1 port=5432 user=postgres dbname=postgres"; needs psql.
"""

import pathlib
import subprocess
import sys

NUMBERS = ["0", "1", "-1", "0.1", "-0.1", "0.05", "12", "-12", "99.5", "148.5", "-148.5", "485", "-485",
           "999.999", "1234.567", "-1234.567", "12454.8", "100000", "0.0004859"]
TEMPLATES = ["999", "9999", "000", "0999", "9990", "FM999", "FM000", "9.9", "99.99", "0.99", "FM9.9", "FM99.99",
             "FM999.990", "FM0.09", "990.000", "9,999", "9G999D99", "FM9,999.99", "FM9G999G990D00", "999S", "S999",
             "S9990.99", "FM999S", "9999MI", "FM9999MI", "999D9MI", "PL999", "999PL", "SG999", "9SG99", "9999PR",
             "FM9999PR", "9990.99PR", "9 9 9", "L999", "999th", "FM999TH", "RN", "FMrn", "99V9", "9V999",
             "\"n =\" 999 \"!\"", "FM999999999.999999", "9.99EEEE", "9EEEE", "B999", "0000.0000", ".99", "FM.99",
             "999.", "FM999."]
DOUBLES = ["0", "1.5", "-1.5", "1234567.891", "0.1", "1e20", "123456789012345678", "-0.0005"]
DOUBLE_TEMPLATES = ["999.99", "FM999.99", "9999999.999", "FM9999999.999", "99999999999999999999999.99", "9.999EEEE", "RN"]
INTERVALS = ["1 year 2 months 3 days 04:05:06.789", "-1 year -2 months", "26:30:00", "-26:30:00", "40 days", "0"]
INTERVAL_TEMPLATES = ["HH24:MI:SS", "FMHH24:MI", "HH12:MI AM", "YYYY-MM-DD", "DDD", "SS.MS", "US", "FMSSSS",
                      "YYYY Q", "WW W", "CC", "FMDD \"days\" HH24 \"hours\"", "RM"]
TEXTS = [("12,454.8-", "99G999D9S"), ("-34,338,492", "99G999G999"), ("0.00001-", "9.999999S"), ("1 2 3", "9 9 9"),
         ("<564646.654564>", "999999.999999PR"), ("$1,234.5", "L9,999.99"), ("42nd", "99th"), ("-12", "S99"),
         ("12-", "99MI"), ("+12", "PL99"), ("-12", "SG99"), ("12", "FM999"), ("1,234,567.891", "9G999G999D999"),
         (" 12", "999"), ("12.", "99.9"), (".5", "9.9"), ("12abc", "99")]
CLOCKS = ["TZ", "tz", "OF", "TZH:TZM", "HH24:MI TZ", "RM", "FMrm"]


def answers(connection, query):
    run = subprocess.run(["psql", connection, "-XAt", "-c", "SET timezone = 'Asia/Kolkata'", "-c", query],
                         capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[1:]


def record(connection, query):
    return f"query T\n{query}\n----\n" + "".join(f"{line}\n" for line in answers(connection, query)) + "\n"


def table(values, data_type):
    rows = ", ".join(f"({place}, '{value}'::{data_type})" for place, value in enumerate(values))
    return f"(VALUES {rows}) AS v(place, n)"


def queries():
    blanks = "replace(to_char(n, '{}'), ' ', '_') || '|'"
    kinds = [(NUMBERS, "numeric(20,7)", TEMPLATES), (DOUBLES, "float8", DOUBLE_TEMPLATES),
             (["0", "7", "-12", "485", "12345"], "int", ["999", "FM0000", "9.9", "99V9", "9.9EEEE", "RN", "999PR"]),
             (INTERVALS, "interval", INTERVAL_TEMPLATES)]
    for values, data_type, templates in kinds:
        for template in templates:
            yield f"SELECT {blanks.format(template)} FROM {table(values, data_type)} ORDER BY place"
    for text, template in TEXTS:
        yield f"SELECT to_number('{text}', '{template}')"
    for template in CLOCKS:
        yield f"SELECT to_char('2026-07-04 20:30:00+00'::timestamptz, '{template}')"
        yield f"SELECT to_char('2026-07-04 20:30:00'::timestamp, '{template}') || '|'"


def main():
    connection = sys.argv[1]
    path = pathlib.Path(__file__).parent.parent / "slt" / "templates_numbers.slt"
    text = "# Written by ../python/templates_numbers.py: the answers are PostgreSQL's.\n\n"
    text += "statement ok\nSET timezone = 'Asia/Kolkata'\n\n"
    text += "".join(record(connection, query) for query in queries())
    path.write_text(text.rstrip("\n") + "\n")


if __name__ == "__main__":
    main()
