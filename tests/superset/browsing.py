"""What a user does before the first chart: connect, look around, make datasets."""

from steps import Differs, same, step

# In a view Superset finds these by their types, and offers them as time columns.
TEMPORAL = {"birth_date", "created_at", "first_ordered_at", "last_ordered_at", "last_feedback_at", "last_nps_at"}
# GenericDataType of Superset.
NUMERIC, STRING, TIME, BOOLEAN = range(4)
GENERIC = {
    "text": STRING,
    "json": STRING,
    "bigint": NUMERIC,
    "integer": NUMERIC,
    "double precision": NUMERIC,
    "numeric": NUMERIC,
    "date": TIME,
    "timestamp with time zone": TIME,
    "boolean": BOOLEAN,
}


@step
def connection_test(stage):
    body = {"sqlalchemy_uri": stage.uri, "database_name": "Voxhouse"}
    return stage.api.post("database/test_connection/", body)["message"]


@step
def wrong_password(stage):
    body = {"sqlalchemy_uri": stage.uri.replace(":secret@", ":guess@"), "database_name": "Voxhouse"}
    response = stage.api.raw("POST", "database/test_connection/", json=body)
    if response.status_code < 400:
        raise Differs("a wrong password is accepted")
    error = response.json()["errors"][0]
    same("kind of error", error["error_type"], "CONNECTION_INVALID_PASSWORD_ERROR")
    return error["message"]


@step
def database(stage):
    body = {
        "sqlalchemy_uri": stage.uri,
        "database_name": "Voxhouse to test",
        "expose_in_sqllab": True,
        "allow_ctas": True,
        "allow_dml": True,
        "extra": '{"cost_estimate_enabled": true}',
    }
    stage.database = stage.api.post("database/", body)["id"]
    return f"number {stage.database}"


@step
def catalogs(stage):
    found = stage.api.get(f"database/{stage.database}/catalogs/")["result"]
    same("catalogs", found, ["voxhouse"])
    return ", ".join(found)


@step
def schemas(stage):
    found = sorted(stage.api.get(f"database/{stage.database}/schemas/")["result"])
    same(
        "schemas",
        found,
        stage.column("SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY nspname COLLATE \"C\""),
    )
    return ", ".join(found)


@step
def tables_of_each_schema(stage):
    number = 0
    for schema in ("x", "o", "id", "c360", "journey", "roi", "system", "public"):
        question = f"database/{stage.database}/tables/?q=(force:!t,schema_name:{schema})"
        found = sorted((table["value"], table["type"]) for table in stage.api.get(question)["result"])
        expected = stage.sql(
            "SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relkind IN ('r', 'v') ORDER BY c.relname COLLATE \"C\"",
            schema,
        )
        same(f"tables of {schema}", found, expected)
        number += len(found)
    return f"{number} relations"


@step
def columns_of_a_table(stage):
    found = stage.api.get(f"database/{stage.database}/table_metadata/?name=orders&schema=o")
    columns = [(column["name"], column["longType"], column["comment"]) for column in found["columns"]]
    expected = stage.sql(
        "SELECT a.attname, upper(format_type(a.atttypid, a.atttypmod)), col_description(a.attrelid, a.attnum) "
        "FROM pg_attribute a "
        "WHERE a.attrelid = 'o.orders'::regclass AND a.attnum > 0 ORDER BY a.attnum"
    )
    # SQLAlchemy leaves out the time zone, and puts a blank between precision and scale.
    expected = [(name, kind.replace(" WITH TIME ZONE", "").replace(",", ", "), text) for name, kind, text in expected]
    same("columns", columns, expected)
    return f"{len(columns)} columns with types and comments"


@step
def dataset_of_customers(stage):
    dataset = stage.dataset("c360", "customers")
    columns = stage.api.get(f"dataset/{dataset}")["result"]["columns"]
    found = [
        (column["column_name"], column["type"].split("(")[0].lower(), column["type_generic"]) for column in columns
    ]
    types = stage.sql(
        "SELECT a.attname, split_part(format_type(a.atttypid, a.atttypmod), '(', 1) FROM pg_attribute a "
        "WHERE a.attrelid = 'c360.customers'::regclass AND a.attnum > 0 ORDER BY a.attnum"
    )
    same("columns", sorted(found), sorted((name, kind, GENERIC[kind]) for name, kind in types))
    same("time columns", sorted(column["column_name"] for column in columns if column["is_dttm"]), sorted(TEMPORAL))
    return f"{len(found)} columns, {len(TEMPORAL)} of them times"


@step
def other_datasets(stage):
    for schema, table in (("x", "feedback"), ("o", "orders"), ("roi", "linkage")):
        stage.dataset(schema, table)
    same(
        "main time column",
        stage.api.get(f"dataset/{stage.datasets['orders']}")["result"]["main_dttm_col"],
        "ordered_at",
    )
    return ", ".join(f"{name}: {number}" for name, number in stage.datasets.items())


@step
def columns_read_again(stage):
    dataset = stage.datasets["orders"]
    before = stage.api.get(f"dataset/{dataset}")["result"]["columns"]
    stage.api.call("PUT", f"dataset/{dataset}/refresh")
    after = stage.api.get(f"dataset/{dataset}")["result"]["columns"]
    names = [[(column["column_name"], column["type"]) for column in columns] for columns in (after, before)]
    same("columns", *names)
    return f"{len(after)} columns, as before"


@step
def virtual_dataset(stage):
    """A dataset of a query: Superset finds its columns from the answer, not from the catalog."""
    query = (
        "SELECT ordered_at::date AS day, channel, sum(amount) AS amount, count(*) > 10 AS busy "
        "FROM o.orders GROUP BY 1, 2"
    )
    dataset = stage.dataset("o", "days", sql=query)
    columns = stage.api.get(f"dataset/{dataset}")["result"]["columns"]
    found = {column["column_name"]: column["type_generic"] for column in columns}
    same("columns", sorted(found.items()), [("amount", NUMERIC), ("busy", BOOLEAN), ("channel", STRING), ("day", TIME)])
    rows = stage.api.rows(
        dataset,
        columns=["channel"],
        metrics=[{"expressionType": "SQL", "sqlExpression": "sum(amount)", "label": "sum"}],
        orderby=[["channel", True]],
    )
    expected = stage.sql("SELECT channel, sum(amount) FROM o.orders GROUP BY channel ORDER BY channel")
    same("sums", [(row["channel"], row["sum"]) for row in rows], expected)
    return ", ".join(found)


@step
def values_of_a_column(stage):
    found = stage.api.get(f"datasource/table/{stage.datasets['orders']}/column/category/values/")["result"]
    same("values", sorted(found), stage.column('SELECT DISTINCT category FROM o.orders ORDER BY category COLLATE "C"'))
    return f"{len(found)} values"
