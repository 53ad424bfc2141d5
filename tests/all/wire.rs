//! The Postgres wire with tokio-postgres, over real sockets and the real SQL side.

use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use futures::StreamExt;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

use crate::clients;
use crate::server::{House, PASSWORD, ask, refusal};

/// A query that would run for hours.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 4000000) a, generate_series(1, 4000000) b";

fn sqlstate(error: &tokio_postgres::Error) -> String {
    error.code().map_or_else(|| format!("{error:?}"), |code| code.code().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_role_and_an_unknown_database_are_refused() {
    let house = House::open().await;
    let wrong = clients::connect(house.port, "guess").await.err().unwrap();
    assert_eq!(sqlstate(&wrong), "28P01");
    let mut nobody = clients::config(house.port, PASSWORD);
    let error = nobody.user("nobody").connect(NoTls).await.err().unwrap();
    assert_eq!(sqlstate(&error), "28P01");
    let mut elsewhere = clients::config(house.port, PASSWORD);
    let error = elsewhere.dbname("elsewhere").connect(NoTls).await.err().unwrap();
    assert_eq!(sqlstate(&error), "3D000");
    assert_eq!(ask(&house.client().await, "SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_statements_take_parameters_of_every_type() {
    let house = House::open().await;
    let client = house.client().await;
    let columns = "id bigint, small smallint, n integer, f real, d double precision, ok boolean, t text, b bytea, \
                   day date, at timestamp, instant timestamptz, words text[], numbers bigint[]";
    client.batch_execute(&format!("CREATE TABLE kinds ({columns})")).await.unwrap();
    let insert = client
        .prepare("INSERT INTO kinds VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)")
        .await
        .unwrap();
    let expected = [
        Type::INT8,
        Type::INT2,
        Type::INT4,
        Type::FLOAT4,
        Type::FLOAT8,
        Type::BOOL,
        Type::TEXT,
        Type::BYTEA,
        Type::DATE,
        Type::TIMESTAMP,
        Type::TIMESTAMPTZ,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
    ];
    assert_eq!(insert.params(), expected);
    let day = NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
    let at: NaiveDateTime = day.and_hms_micro_opt(23, 59, 59, 123_456).unwrap();
    let instant: DateTime<Utc> = at.and_utc();
    let words = vec![Some("一"), None, Some("it's {\"}")];
    let numbers = vec![1_i64, -2];
    let bytes: &[u8] = &[0, 1, 255];
    let values: [&(dyn ToSql + Sync); 13] = [
        &i64::MIN,
        &-7_i16,
        &42_i32,
        &1.5_f32,
        &-0.1_f64,
        &true,
        &"评论 'quoted' \\ and\nmore",
        &bytes,
        &day,
        &at,
        &instant,
        &words,
        &numbers,
    ];
    assert_eq!(client.execute(&insert, &values).await.unwrap(), 1);
    let none: Option<i64> = None;
    let nothing: [&(dyn ToSql + Sync); 13] = [
        &none,
        &None::<i16>,
        &None::<i32>,
        &None::<f32>,
        &None::<f64>,
        &None::<bool>,
        &None::<&str>,
        &None::<&[u8]>,
        &None::<NaiveDate>,
        &None::<NaiveDateTime>,
        &None::<DateTime<Utc>>,
        &None::<Vec<&str>>,
        &None::<Vec<i64>>,
    ];
    assert_eq!(client.execute(&insert, &nothing).await.unwrap(), 1);
    let row =
        client.query_one("SELECT * FROM kinds WHERE id = $1 AND instant = $2", &[&i64::MIN, &instant]).await;
    let row = row.unwrap();
    assert_eq!((row.get::<_, i16>(1), row.get::<_, i32>(2), row.get::<_, f32>(3)), (-7, 42, 1.5));
    assert_eq!((row.get::<_, f64>(4), row.get::<_, bool>(5)), (-0.1, true));
    assert_eq!(row.get::<_, &str>(6), "评论 'quoted' \\ and\nmore");
    assert_eq!((row.get::<_, &[u8]>(7), row.get::<_, NaiveDate>(8)), (bytes, day));
    assert_eq!((row.get::<_, NaiveDateTime>(9), row.get::<_, DateTime<Utc>>(10)), (at, instant));
    assert_eq!(row.get::<_, Vec<Option<&str>>>(11), words);
    assert_eq!(row.get::<_, Vec<i64>>(12), numbers);
    let row = client.query_one("SELECT * FROM kinds WHERE id IS NULL", &[]).await.unwrap();
    assert_eq!(row.get::<_, Option<Vec<i64>>>(12), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_stand_where_values_stand() {
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute("CREATE TABLE t (id int, name text, at timestamptz)").await.unwrap();
    for id in 1..=5 {
        let name = format!("n{id}");
        client.execute("INSERT INTO t (id, name) VALUES ($1, $2)", &[&id, &name]).await.unwrap();
    }
    let changed = client.execute("UPDATE t SET name = $1 WHERE id > $2", &[&"late", &3_i32]).await.unwrap();
    assert_eq!(changed, 2);
    let gone = client.execute("DELETE FROM t WHERE name = $1 AND id = $2", &[&"late", &5_i32]).await.unwrap();
    assert_eq!(gone, 1);
    let rows =
        client.query("SELECT name FROM t WHERE id = ANY($1) ORDER BY id", &[&vec![1_i32, 4]]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(), ["n1", "late"]);
    let rows =
        client.query("SELECT id FROM t ORDER BY id LIMIT $1 OFFSET $2", &[&2_i64, &1_i64]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), [2, 3]);
    // The same statement again, after the data changed and after a DDL.
    let count = client.prepare("SELECT count(*) FROM t WHERE id >= $1").await.unwrap();
    assert_eq!(client.query_one(&count, &[&1_i32]).await.unwrap().get::<_, i64>(0), 4);
    client.execute("INSERT INTO t (id) VALUES ($1)", &[&9_i32]).await.unwrap();
    assert_eq!(client.query_one(&count, &[&1_i32]).await.unwrap().get::<_, i64>(0), 5);
    client.batch_execute("ALTER TABLE t ADD COLUMN more text").await.unwrap();
    assert_eq!(client.query_one(&count, &[&4_i32]).await.unwrap().get::<_, i64>(0), 2);
    client.batch_execute("DROP TABLE t").await.unwrap();
    assert_eq!(sqlstate(&client.query_one(&count, &[&1_i32]).await.unwrap_err()), "42P01");
    assert_eq!(ask(&client, "SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn portals_are_read_in_pages() {
    let house = House::open().await;
    let mut client = house.client().await;
    client.batch_execute("CREATE TABLE t AS SELECT i FROM generate_series(1, 25000) AS g(i)").await.unwrap();
    let transaction = client.transaction().await.unwrap();
    let portal = transaction.bind("SELECT i FROM t ORDER BY i", &[]).await.unwrap();
    let other = transaction.bind("SELECT i FROM t WHERE i > $1 ORDER BY i", &[&24_998_i64]).await.unwrap();
    let mut read = 0_i64;
    loop {
        let page = transaction.query_portal(&portal, 10_000).await.unwrap();
        for row in &page {
            read += 1;
            assert_eq!(row.get::<_, i64>(0), read);
        }
        // Two portals take turns.
        if read == 10_000 {
            assert_eq!(transaction.query_portal(&other, 1).await.unwrap().len(), 1);
        }
        if page.len() < 10_000 {
            break;
        }
    }
    assert_eq!(read, 25_000);
    assert_eq!(transaction.query_portal(&other, 0).await.unwrap().len(), 1);
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_arrive_while_the_query_runs_and_a_cancel_ends_them() {
    let house = House::open().await;
    let client = house.client().await;
    let started = Instant::now();
    let sql = "SELECT i, repeat('x', 200) FROM generate_series(1, 500000000) AS g(i)";
    let mut rows = Box::pin(client.query_raw(sql, Vec::<String>::new()).await.unwrap());
    for _ in 0..5_000 {
        rows.next().await.unwrap().unwrap();
    }
    client.cancel_token().cancel_query(NoTls).await.unwrap();
    let error = loop {
        match rows.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("it ended without an error"),
        }
    };
    assert_eq!(sqlstate(&error), "57014");
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(ask(&client, "SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_sends_nothing_is_cancelled_too() {
    let house = House::open().await;
    let client = house.client().await;
    let token = client.cancel_token();
    let running = client.simple_query(ENDLESS);
    let cancel = async {
        // Sent again until it meets the query.
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            token.cancel_query(NoTls).await.unwrap();
        }
    };
    let outcome = tokio::select! {
        outcome = running => outcome,
        () = cancel => unreachable!("it never ends"),
    };
    assert_eq!(sqlstate(&outcome.unwrap_err()), "57014");
    // A cancel that came too late may hit the next statement, but not the one behind it.
    let _ = client.simple_query("SELECT 1").await;
    assert_eq!(ask(&client, "SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statement_timeout_is_alive_until_the_last_row() {
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute("SET statement_timeout = '300ms'").await.unwrap();
    let (code, message) = refusal(&client, ENDLESS).await;
    assert_eq!((code.as_str(), message.as_str()), ("57014", "canceling statement due to statement timeout"));
    // Rows flow, and the limit still holds.
    let sql = "SELECT i FROM generate_series(1, 500000000) AS g(i)";
    let mut rows = Box::pin(client.query_raw(sql, Vec::<String>::new()).await.unwrap());
    let error = loop {
        match rows.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("all rows came in 300 ms"),
        }
    };
    assert_eq!(sqlstate(&error), "57014");
    drop(rows);
    client.batch_execute("RESET statement_timeout").await.unwrap();
    assert_eq!(ask(&client, "SELECT 1").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sessions_keep_their_settings_apart() {
    let house = House::open().await;
    let (one, two) = (house.client().await, house.client().await);
    one.batch_execute(
        "SET TIME ZONE 'Asia/Shanghai'; SET search_path = x, public; SET application_name = 'one'",
    )
    .await
    .unwrap();
    two.batch_execute("SET TIME ZONE 'America/New_York'").await.unwrap();
    let sql = "SELECT timestamptz '2026-07-01 00:00:00+00'";
    assert_eq!(ask(&one, sql).await, ["2026-07-01 08:00:00+08"]);
    assert_eq!(ask(&two, sql).await, ["2026-06-30 20:00:00-04"]);
    assert_eq!(ask(&one, "SELECT count(*) FROM feedback").await, ["0"]);
    assert_eq!(refusal(&two, "SELECT count(*) FROM feedback").await.0, "42P01");
    assert_eq!(ask(&two, "SHOW application_name").await, [""]);
    // Start-up parameters are settings too.
    let mut config = clients::config(house.port, PASSWORD);
    config.application_name("three").options("-c statement_timeout=5000 -c search_path=o");
    let (three, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(ask(&three, "SHOW application_name").await, ["three"]);
    assert_eq!(ask(&three, "SHOW search_path").await, ["o"]);
    assert_eq!(ask(&three, "SELECT count(*) FROM orders").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_bear_detail_hint_and_place() {
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute("CREATE TABLE t (id int PRIMARY KEY)").await.unwrap();
    client.batch_execute("INSERT INTO t VALUES (1)").await.unwrap();
    let told = async |sql: &str| {
        let error = client.simple_query(sql).await.unwrap_err();
        error.as_db_error().unwrap().clone()
    };
    let unique = told("INSERT INTO t VALUES (1)").await;
    assert_eq!(unique.severity(), "ERROR");
    assert_eq!(unique.detail(), Some("Key (id)=(1) already exists: primary key of relation \"t\"."));
    let function = told("SELECT npz(1)").await;
    assert!(function.hint().is_some(), "{function:?}");
    let kind = told("DROP VIEW t").await;
    assert_eq!(kind.hint(), Some("Use DROP TABLE to remove it."));
    let syntax = told("SELECT 中, FROM").await;
    assert_eq!(syntax.code().code(), "42601");
    assert!(syntax.position().is_some());
    // No Rust, no source paths, whatever is asked.
    for sql in [
        "SELECT abs('x', 1, 2)",
        "SELECT 1 + ARRAY[1]",
        "SELECT * FROM t ORDER BY nothing",
        "SELECT sum(*) FROM t",
    ] {
        let error = told(sql).await;
        assert_ne!(error.code().code(), "XX000", "{sql}: {error:?}");
        for word in ["::", ".rs", "DataFusion", "Utf8"] {
            assert!(!error.message().contains(word), "{sql}: {}", error.message());
        }
    }
}

async fn insert_many(client: &Client, writer: usize) {
    for number in 0..10 {
        let id = (writer * 1_000 + number) as i64;
        client.execute("INSERT INTO t VALUES ($1)", &[&id]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_write_one_table_lose_nothing() {
    let house = House::open().await;
    house.run("CREATE TABLE t (id bigint)").await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(house.client().await);
    }
    futures::future::join_all(clients.iter().enumerate().map(|(writer, client)| insert_many(client, writer)))
        .await;
    assert_eq!(house.run("SELECT count(*), count(DISTINCT id) FROM t").await, ["40|40"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_string_of_several_statements_stops_at_the_first_error() {
    let house = House::open().await;
    let client = house.client().await;
    let sql = "CREATE TABLE t (id int); COMMIT; INSERT INTO t VALUES (1); SELECT nothing; SELECT absent";
    assert_eq!(refusal(&client, sql).await, ("42703".into(), "column \"nothing\" does not exist".into()));
    assert!(ask(&client, "SELECT id FROM t").await.is_empty());
    assert_eq!(ask(&client, "SELECT 1; SELECT 2;;").await, ["1", "2"]);
    assert!(ask(&client, "-- nothing").await.is_empty());
}
