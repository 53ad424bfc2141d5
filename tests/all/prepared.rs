//! What drivers do with a session: parameters in every statement, descriptions, names shared by SQL and the
//! protocol.

use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

use crate::clients;
use crate::server::{House, PASSWORD, ask, refusal};

async fn prepared(client: &Client, sql: &str) -> (Vec<Type>, Vec<(String, Type)>) {
    let statement = client.prepare(sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    let columns = statement.columns().iter().map(|column| (column.name().to_owned(), column.type_().clone()));
    (statement.params().to_vec(), columns.collect())
}

async fn texts(client: &Client, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<String> {
    let rows = client.query(sql, parameters).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// The types are those that PostgreSQL 15 infers.
#[tokio::test(flavor = "multi_thread")]
async fn parameters_have_the_types_of_what_they_stand_beside() {
    let house = House::open().await;
    let client = house.client().await;
    let columns = "id int, big bigint, name text, day date, at timestamptz, price numeric(10,2)";
    client.batch_execute(&format!("CREATE TABLE t ({columns}); CREATE TABLE u ({columns})")).await.unwrap();
    let cases: &[(&str, &[Type])] = &[
        ("SELECT $1", &[Type::TEXT]),
        ("SELECT $1 + 1", &[Type::INT4]),
        ("SELECT $1 * 3000000000", &[Type::INT8]),
        ("SELECT $1::date, $2::bigint", &[Type::DATE, Type::INT8]),
        ("SELECT id FROM t WHERE id = $1 AND name = $2 AND day > $3", &[Type::INT4, Type::TEXT, Type::DATE]),
        ("SELECT id FROM t WHERE at BETWEEN $1 AND $2", &[Type::TIMESTAMPTZ, Type::TIMESTAMPTZ]),
        ("SELECT id FROM t WHERE big IN ($1, $2)", &[Type::INT8, Type::INT8]),
        ("SELECT id FROM t WHERE id = ANY($1)", &[Type::INT4_ARRAY]),
        ("SELECT id FROM t WHERE name LIKE $1", &[Type::TEXT]),
        ("SELECT id FROM t LIMIT $1 OFFSET $2", &[Type::INT8, Type::INT8]),
        ("SELECT CASE WHEN $1 THEN day ELSE $2 END FROM t", &[Type::BOOL, Type::DATE]),
        ("SELECT coalesce(day, $1) FROM t", &[Type::DATE]),
        ("SELECT at + $1 FROM t", &[Type::INTERVAL]),
        ("INSERT INTO t (id, name) VALUES ($1, $2)", &[Type::INT4, Type::TEXT]),
        ("INSERT INTO t SELECT * FROM u WHERE big = $1", &[Type::INT8]),
        ("UPDATE t SET day = $1 WHERE id = $2", &[Type::DATE, Type::INT4]),
        ("DELETE FROM t WHERE at < $1", &[Type::TIMESTAMPTZ]),
        (
            "MERGE INTO t USING u ON t.id = u.id AND u.big = $1 WHEN MATCHED THEN UPDATE SET day = $2 \
             WHEN NOT MATCHED THEN INSERT (id, name) VALUES (u.id, $3)",
            &[Type::INT8, Type::DATE, Type::TEXT],
        ),
        ("CREATE TABLE v AS SELECT id FROM t WHERE big = $1", &[Type::INT8]),
        ("EXPLAIN SELECT id FROM t WHERE day = $1", &[Type::DATE]),
        ("EXPLAIN (ANALYZE, FORMAT json) SELECT id FROM t WHERE day = $1", &[Type::DATE]),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t WHERE big = $1", &[Type::INT8]),
    ];
    for (sql, expected) in cases {
        assert_eq!(prepared(&client, sql).await.0, *expected, "{sql}");
    }
    // Declared types are honoured.
    let statement = client.prepare_typed("SELECT id FROM t WHERE id = $1", &[Type::INT8]).await.unwrap();
    assert_eq!(statement.params(), [Type::INT8]);
    assert!(client.query(&statement, &[&1_i64]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_with_parameters_do_what_they_say() {
    let house = House::open().await;
    let client = house.client().await;
    client
        .batch_execute(
            "CREATE TABLE t (id int, name text); CREATE TABLE u (id int, name text); \
             INSERT INTO t VALUES (1, 'one'), (2, 'two'); INSERT INTO u VALUES (2, 'zwei'), (3, 'drei')",
        )
        .await
        .unwrap();
    let merge = "MERGE INTO t USING u ON t.id = u.id AND u.id > $1 WHEN MATCHED THEN UPDATE SET name = $2 \
                 WHEN NOT MATCHED THEN INSERT (id, name) VALUES (u.id, $3)";
    assert_eq!(client.execute(merge, &[&0_i32, &"both", &"new"]).await.unwrap(), 2);
    let names = "SELECT name FROM t ORDER BY id";
    assert_eq!(texts(&client, names, &[]).await, ["one", "both", "new"]);
    client.execute("CREATE TABLE v AS SELECT name FROM t WHERE id >= $1", &[&2_i32]).await.unwrap();
    assert_eq!(texts(&client, "SELECT name FROM v ORDER BY 1", &[]).await, ["both", "new"]);
    let plan = texts(&client, "EXPLAIN ANALYZE SELECT name FROM t WHERE id = $1", &[&1_i32]).await;
    assert!(plan.iter().any(|line| line.contains("output_rows=1")), "{plan:?}");
    assert!(plan.iter().any(|line| line.starts_with("Planning Time: ")), "{plan:?}");
    let json = texts(&client, "EXPLAIN (ANALYZE, FORMAT json) SELECT name FROM t", &[]).await;
    assert!(json.len() == 1 && json[0].contains("\"Execution Time\""), "{json:?}");
    client
        .execute("DECLARE c CURSOR WITH HOLD FOR SELECT name FROM t WHERE id > $1 ORDER BY id", &[&1_i32])
        .await
        .unwrap();
    assert_eq!(texts(&client, "FETCH ALL FROM c", &[]).await, ["both", "new"]);
    assert_eq!(
        texts(&client, "SELECT * FROM (VALUES ($1), ($2)) AS v(x) ORDER BY 1", &[&"b", &"a"]).await,
        ["a", "b"]
    );
    let rows = client.query("SELECT $1 + 1", &[&41_i32]).await.unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_is_described() {
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute("CREATE TABLE t (id int, name text)").await.unwrap();
    client.batch_execute("PREPARE q (int) AS SELECT name FROM t WHERE id = $1").await.unwrap();
    client.batch_execute("DECLARE c CURSOR WITH HOLD FOR SELECT id, name FROM t").await.unwrap();
    let named = |names: &[(&str, Type)]| {
        names.iter().map(|(name, of)| ((*name).to_owned(), of.clone())).collect::<Vec<_>>()
    };
    let columns = async |sql: &str| prepared(&client, sql).await.1;
    assert_eq!(columns("SHOW timezone").await, named(&[("TimeZone", Type::TEXT)]));
    let all = [("name", Type::TEXT), ("setting", Type::TEXT), ("description", Type::TEXT)];
    assert_eq!(columns("SHOW ALL").await, named(&all));
    assert_eq!(columns("EXPLAIN SELECT 1").await, named(&[("QUERY PLAN", Type::TEXT)]));
    assert_eq!(columns("FETCH 5 FROM c").await, named(&[("id", Type::INT4), ("name", Type::TEXT)]));
    assert_eq!(columns("EXECUTE q(1)").await, named(&[("name", Type::TEXT)]));
    for without_rows in [
        "INSERT INTO t VALUES (1, 'x')",
        "UPDATE t SET id = 1",
        "DELETE FROM t",
        "MOVE 1 FROM c",
        "SET TimeZone = 'UTC'",
        "CREATE TABLE v AS SELECT 1 AS a",
        "PREPARE r AS SELECT 1",
        "DISCARD PLANS",
        "BEGIN",
    ] {
        assert_eq!(columns(without_rows).await, [], "{without_rows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_statements_are_shared_by_sql_and_the_protocol() {
    let house = House::open().await;
    let client = house.client().await;
    let statement = client.prepare("SELECT $1 || '!'").await.unwrap();
    client.batch_execute("PREPARE own AS SELECT 1").await.unwrap();
    let listed =
        ask(&client, "SELECT name, statement, from_sql FROM pg_prepared_statements ORDER BY from_sql").await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(listed[0].ends_with("|SELECT $1 || '!'|f"), "{listed:?}");
    let name = listed[0].split('|').next().unwrap().to_owned();
    assert_eq!(ask(&client, &format!("EXECUTE \"{name}\"('hello')")).await, ["hello!"]);
    assert_eq!(refusal(&client, &format!("PREPARE \"{name}\" AS SELECT 1")).await.0, "42P05");
    client.batch_execute("DEALLOCATE ALL").await.unwrap();
    let gone = client.query(&statement, &[&"x"]).await.unwrap_err();
    assert_eq!(gone.code().unwrap().code(), "26000");
    assert_eq!(ask(&client, "SELECT count(*) FROM pg_prepared_statements").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_is_planned_again_when_it_must() {
    let house = House::open().await;
    let client = house.client().await;
    client
        .batch_execute(
            "CREATE TABLE t AS SELECT i::int AS id, 'n' || i AS name FROM generate_series(1, 100) g(i)",
        )
        .await
        .unwrap();
    let point = client.prepare("SELECT name FROM t WHERE id = $1").await.unwrap();
    for id in [7_i32, 8, 9, 1_000] {
        let rows = client.query(&point, &[&id]).await.unwrap();
        let expected: Vec<String> = if id <= 100 { vec![format!("n{id}")] } else { Vec::new() };
        assert_eq!(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>(), expected);
    }
    client.batch_execute("INSERT INTO t VALUES (1000, 'late')").await.unwrap();
    assert_eq!(client.query_one(&point, &[&1_000_i32]).await.unwrap().get::<_, &str>(0), "late");
    client.batch_execute("UPDATE t SET name = 'other' WHERE id = 8").await.unwrap();
    assert_eq!(client.query_one(&point, &[&8_i32]).await.unwrap().get::<_, &str>(0), "other");
    // What time it is, and where, is asked each time.
    let now = client.prepare("SELECT now()::text").await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(client.query_one(&now, &[]).await.unwrap().get::<_, String>(0));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    seen.dedup();
    assert_eq!(seen.len(), 4, "{seen:?}");
    let day = client.prepare("SELECT (timestamptz '2026-01-01 20:00+00')::date::text").await.unwrap();
    for (zone, expected) in [("UTC", "2026-01-01"), ("UTC", "2026-01-01"), ("Asia/Shanghai", "2026-01-02")] {
        client.batch_execute(&format!("SET TimeZone = '{zone}'")).await.unwrap();
        assert_eq!(client.query_one(&day, &[]).await.unwrap().get::<_, &str>(0), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_goes_back_to_what_the_connection_asked_for() {
    let house = House::open().await;
    let mut config = clients::config(house.port, PASSWORD);
    config
        .application_name("first")
        .options("-c statement_timeout=5s --TimeZone=Asia/Shanghai -c my.own=a\\ b");
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let shown = "SELECT current_setting('application_name'), current_setting('statement_timeout'), \
                 current_setting('TimeZone'), current_setting('my.own')";
    let at_start = ["first|5s|Asia/Shanghai|a b"];
    assert_eq!(ask(&client, shown).await, at_start);
    client
        .batch_execute(
            "SET application_name = x; SET statement_timeout = 0; SET TIME ZONE 'UTC'; SET my.own = ''",
        )
        .await
        .unwrap();
    assert_eq!(ask(&client, shown).await, ["x|0|UTC|"]);
    client.batch_execute("DISCARD ALL").await.unwrap();
    assert_eq!(ask(&client, shown).await, at_start);
    let mut wrong = clients::config(house.port, PASSWORD);
    let refused = wrong.options("-c no_such_thing=1").connect(NoTls).await.err().unwrap();
    assert_eq!(refused.code().unwrap().code(), "42704");
}
