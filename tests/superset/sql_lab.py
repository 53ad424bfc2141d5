"""SQL Lab: queries typed by hand, their errors, their cancelling, and tables made of them."""

import csv
import io
import secrets
import threading
import time

from api import said
from steps import Differs, ordered, same, step, tuples

# Pairs of pairs: more than any machine counts while the test runs.
ENDLESS = (
    "SELECT count(*) AS endless FROM feedback a, feedback b, feedback c, feedback d "
    "WHERE a.score + b.score + c.score + d.score < 0"
)
PATIENCE_S = 60


def request(stage, sql, **more):
    return {
        "client_id": secrets.token_hex(5),
        "database_id": stage.database,
        "sql": sql,
        "schema": "x",
        "queryLimit": 1000,
        "runAsync": False,
        "select_as_cta": False,
        "tmp_table_name": "",
        "sql_editor_id": "1",
        "tab": "test",
        **more,
    }


def ask(stage, sql, **more):
    return stage.api.post("sqllab/execute/", request(stage, sql, **more))


def refusal(stage, sql):
    response = stage.api.raw("POST", "sqllab/execute/", json=request(stage, sql))
    if response.status_code < 400:
        raise Differs(f"{sql} is answered: {response.json()['data'][:3]}")
    return said(response)


@step
def a_query(stage):
    sql = (
        "SELECT channel, count(*) AS n, min(occurred_at) AS first, avg(score) AS mean, max(comment) AS comment "
        "FROM feedback GROUP BY channel"
    )
    answer = ask(stage, sql)
    names = [column["column_name"] for column in answer["columns"]]
    same("columns", names, ["channel", "n", "first", "mean", "comment"])
    same("time columns", [column["column_name"] for column in answer["columns"] if column["is_dttm"]], ["first"])
    expected = stage.sql(
        sql.replace("FROM feedback", "FROM x.feedback").replace(
            "min(occurred_at)", "to_char(min(occurred_at), 'YYYY-MM-DD\"T\"HH24:MI:SS')"
        )
    )
    found = [(row[0], row[1], row[2][:19], *row[3:]) for row in tuples(answer["data"], *names)]
    same("rows", ordered(found), ordered(expected))
    return f"{len(found)} rows, types {', '.join(str(column['type']) for column in answer['columns'])}"


@step
def types_of_a_result(stage):
    sql = (
        "SELECT 1 AS i, 12345678901 AS big, 1.5::numeric(10,2) AS exact, 0.1::float8 AS inexact, '差评' AS text, "
        "true AS yes, date '2026-02-28' AS day, "
        "timestamp '2026-02-28 12:34:56.789' AS local, timestamptz '2026-02-28 12:34:56+08' AS instant, "
        "interval '1 day 2 hours' AS span, "
        "ARRAY[1, 2] AS list, '{\"a\": 1}'::json AS json, NULL AS nothing, 'NaN'::float8 AS nan"
    )
    row = ask(stage, sql)["data"][0]
    expected = {
        "i": 1,
        "big": 12345678901,
        "exact": 1.5,
        "inexact": 0.1,
        "text": "差评",
        "yes": True,
        "day": "2026-02-28",
        "local": "2026-02-28T12:34:56.789000",
        "instant": "2026-02-28T04:34:56+00:00",
        "span": "1 days 02:00:00",
        "list": "[1, 2]",
        "json": "{'a': 1}",
        "nothing": None,
        "nan": None,
    }
    for name, value in expected.items():
        same(name, row[name], value)
    return str(row)


@step
def a_limit(stage):
    answer = ask(stage, "SELECT feedback_id FROM feedback", queryLimit=10)
    same("rows", len(answer["data"]), 10)
    same("why it is limited", answer["query"]["limitingFactor"], "DROPDOWN")
    return answer["query"]["executedSql"].replace("\n", " ")


@step
def a_preview_of_a_table(stage):
    answer = stage.api.get(f"database/{stage.database}/select_star/customers/c360/")["result"]
    found = ask(stage, answer, queryLimit=100)
    names = stage.column(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'c360.customers'::regclass AND attnum > 0 ORDER BY attnum"
    )
    same("columns", [column["column_name"] for column in found["columns"]], names)
    return f"{len(found['data'])} rows of {len(names)} columns"


@step
def names_that_meet(stage):
    """Two columns of one name: Superset tells them apart, and shows both."""
    answer = ask(
        stage, "SELECT a.feedback_id, b.feedback_id, 1, 2 FROM feedback a JOIN feedback b USING (feedback_id) LIMIT 1"
    )
    return ", ".join(column["column_name"] for column in answer["columns"])


@step
def errors_are_readable(stage):
    """PostgreSQL's own words: the first is recognised by Superset, and the others are what analysts search for."""
    cases = [
        ("SELECT nosuch FROM feedback", 'We can\'t seem to resolve the column "nosuch" at line'),
        ("SELECT 1 FROM nosuch", 'relation "nosuch" does not exist\nLINE'),
        ("SELECT 1 / (count(*) - count(*)) FROM feedback", "division by zero"),
        ("SELECT CAST(max(channel) AS int) FROM feedback", "invalid input syntax for type integer"),
        ("SELECT nosuch(1)", "function nosuch"),
    ]
    return expect_refusals(stage, cases)


@step
def errors_of_grouping(stage):
    cases = [
        (
            "SELECT channel, count(*) FROM feedback",
            'column "feedback.channel" must appear in the GROUP BY clause or be used in an aggregate function',
        ),
        (
            "SELECT count(*) FROM feedback GROUP BY channel ORDER BY score",
            'column "feedback.score" must appear in the GROUP BY clause or be used in an aggregate function',
        ),
    ]
    return expect_refusals(stage, cases)


def expect_refusals(stage, cases):
    for sql, expected in cases:
        message = refusal(stage, sql)
        if expected not in message:
            raise Differs(f"{sql}: {message}, but {expected} is expected")
    return f"{len(cases)} errors"


@step
def table_functions(stage):
    """SQL Lab writes the names of functions in capitals."""
    answer = ask(
        stage,
        "SELECT d::date AS day "
        "FROM generate_series(timestamp '2026-01-01', timestamp '2026-01-03', interval '1 day') AS days (d)",
    )
    same("days", [row["day"] for row in answer["data"]], ["2026-01-01", "2026-01-02", "2026-01-03"])
    return f"{len(answer['data'])} rows"


@step
def distinct_rows(stage):
    answer = ask(stage, "SELECT count(*) AS n, count(DISTINCT (source_system, order_id)) AS orders FROM feedback")
    rows = stage.sql("SELECT source_system, order_id FROM x.feedback")
    same("numbers", tuples(answer["data"], "n", "orders"), [(len(rows), len(set(rows)))])
    return str(answer["data"])


@step
def several_statements(stage):
    answer = ask(stage, "SELECT 1 AS first; SELECT count(*) AS n FROM feedback; -- the end")
    same("last answer", answer["data"][0]["n"], stage.column("SELECT count(*) FROM x.feedback")[0])
    return str(answer["data"])


@step
def a_table_of_a_query(stage):
    ask(
        stage,
        "SELECT channel, count(*) AS n FROM feedback GROUP BY channel",
        select_as_cta=True,
        tmp_table_name="made_by_superset",
        ctas_method="TABLE",
        schema="x",
    )
    try:
        rows = stage.sql("SELECT channel, n FROM x.made_by_superset ORDER BY channel")
        same("rows", rows, stage.sql("SELECT channel, count(*) FROM x.feedback GROUP BY 1 ORDER BY 1"))
        ask(stage, "DELETE FROM made_by_superset WHERE n < 1000")
        same(
            "rows after DELETE",
            stage.column("SELECT count(*) FROM x.made_by_superset"),
            [sum(n >= 1000 for _, n in rows)],
        )
    finally:
        stage.execute("DROP TABLE x.made_by_superset")
    return f"{len(rows)} rows"


@step
def a_view_of_a_query(stage):
    ask(
        stage,
        "SELECT channel, nps(score) AS nps FROM feedback WHERE metric = 'nps' GROUP BY channel",
        select_as_cta=True,
        tmp_table_name="nps_by_superset",
        ctas_method="VIEW",
        schema="x",
    )
    try:
        rows = stage.sql("SELECT channel, nps FROM x.nps_by_superset ORDER BY channel")
        same(
            "rows",
            rows,
            stage.sql("SELECT channel, nps(score) FROM x.feedback WHERE metric = 'nps' GROUP BY 1 ORDER BY 1"),
        )
    finally:
        stage.execute("DROP VIEW x.nps_by_superset")
    return f"{len(rows)} rows"


@step
def the_cost_of_a_query(stage):
    """EXPLAIN: Superset shows the costs that it finds in the first line, and Voxhouse's plans have none."""
    body = {"database_id": stage.database, "sql": "SELECT count(*) FROM feedback", "schema": "x", "template_params": {}}
    found = stage.api.post("sqllab/estimate/", body)["result"]
    same("number of plans", len(found), 1)
    return str(found)


@step
def export_as_csv(stage):
    body = request(
        stage, "SELECT feedback_id, comment, score FROM feedback WHERE kind = 'complaint' ORDER BY feedback_id"
    )
    stage.api.post("sqllab/execute/", body)
    response = stage.api.raw("GET", f"sqllab/export/{body['client_id']}/")
    response.encoding = "utf-8-sig"
    found = list(csv.reader(io.StringIO(response.text)))
    expected = stage.sql("SELECT feedback_id, comment FROM x.feedback WHERE kind = 'complaint' ORDER BY feedback_id")
    same("heading", found[0], ["feedback_id", "comment", "score"])
    same("rows", [tuple(row[:2]) for row in found[1:]], [(key, comment or "") for key, comment in expected])
    return f"{len(found) - 1} rows"


@step
def cancel(stage):
    """The stop button: a second connection ends the session of the first with pg_terminate_backend."""
    body = request(stage, ENDLESS)
    outcome = {}
    running = threading.Thread(
        target=lambda: outcome.update(response=stage.api.raw("POST", "sqllab/execute/", json=body))
    )
    running.start()
    wait_until(lambda: endless_sessions(stage), "the query does not run")
    start = time.monotonic()
    stage.api.post("query/stop", {"client_id": body["client_id"]})
    wait_until(lambda: not endless_sessions(stage), "the query goes on")
    ended = time.monotonic() - start
    running.join(PATIENCE_S)
    if running.is_alive():
        raise Differs("the request of the stopped query goes on")
    return f"ended after {ended:.1f} s, Superset says: {no_answer(outcome['response'])}"


def no_answer(response):
    """Superset tells of a stopped query by an error, or by its status if the stop was noted before the error came."""
    if response.status_code >= 400:
        return said(response)
    same("status of the stopped query", response.json()["status"], "stopped")
    same("its rows", response.json().get("data"), None)
    return "stopped"


def endless_sessions(stage):
    """Superset sends the text in its own layout."""
    return stage.column(
        "SELECT pid FROM pg_stat_activity "
        "WHERE strpos(query, 'AS endless') > 0 AND state = 'active' AND pid <> pg_backend_pid()"
    )


def wait_until(true, otherwise):
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise Differs(otherwise)
        time.sleep(0.1)


@step
def after_the_cancel(stage):
    same("the next query", ask(stage, "SELECT 1 AS one")["data"], [{"one": 1}])
    return "the next query is answered"
