//! Rules of tables over loads: rows that are rejected, loads that are refused, what is told of both, and rows that are
//! loaded after all.

use std::pin::pin;

use bytes::Bytes;
use futures::SinkExt;

use crate::clients::repository;
use crate::server::{House, ask, refusal};

/// Orders, and a pipe into them.
async fn orders() -> House {
    let house = House::open().await;
    house
        .run("CREATE TABLE orders (order_id text NOT NULL, amount numeric(18,2), ordered_at timestamp)")
        .await;
    house.run("CREATE PIPE orders FROM 'landing/orders/' INTO orders FORMAT csv").await;
    house
}

async fn put(house: &House, name: &str, rows: &str) {
    house.put(&format!("landing/orders/{name}"), format!("order_id,amount,ordered_at\n{rows}")).await;
}

async fn load(house: &House) -> String {
    house.run("CALL system.run_pipe('orders')").await.pop().unwrap()
}

const QUALITY: &str = "SELECT rule, on_violation, file, version IS NULL, rows_checked, rows_violating, passed, example \
                       FROM system.quality ORDER BY file, rule";

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_is_told_of_with_every_file() {
    let house = orders().await;
    house.run("ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)").await;
    house.run("ALTER TABLE orders ADD CONSTRAINT small CHECK (amount < 100) ON VIOLATION WARN").await;
    house.run("ALTER TABLE orders ADD CONSTRAINT once UNIQUE (order_id)").await;
    put(&house, "a.csv", "1,5,2026-01-01\n2,-1,2026-01-01\n3,500,2026-01-01\n1,7,2026-01-01\n").await;
    assert_eq!(load(&house).await, "1|0|0|2|2");
    assert_eq!(house.run("SELECT order_id FROM orders ORDER BY 1").await, ["1", "3"]);
    let file = "landing/orders/a.csv";
    assert_eq!(
        house.run(QUALITY).await,
        [
            format!("once|reject|{file}|f|4|1|f|(order_id)=(1)"),
            format!("orders_order_id_not_null|reject|{file}|f|4|0|t|NULL"),
            format!("positive|reject|{file}|f|4|1|f|(amount)=(-1.00)"),
            format!("small|warn|{file}|f|4|1|f|(amount)=(500.00)"),
        ]
    );
    assert_eq!(
        house.run("SELECT DISTINCT q.version = l.version FROM system.quality AS q JOIN system.loads AS l ON q.file = l.file").await,
        ["t"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_fails_refuses_the_file_and_no_other() {
    let house = orders().await;
    house.run("ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0) ON VIOLATION FAIL").await;
    put(&house, "a.csv", "1,5,2026-01-01\n2,-1,2026-01-01\n").await;
    put(&house, "b.csv", "3,5,2026-01-01\n").await;
    assert_eq!(load(&house).await, "1|1|0|1|0");
    assert_eq!(house.run("SELECT order_id FROM orders").await, ["3"]);
    let failure = house.run("SELECT sqlstate, error FROM system.loads WHERE state = 'failed'").await;
    assert_eq!(failure.len(), 1);
    assert!(
        failure[0]
            .starts_with("23514|new row for relation \"orders\" violates check constraint \"positive\""),
        "{failure:?}"
    );
    let told = "SELECT version IS NULL, rows_violating FROM system.quality WHERE file LIKE '%a.csv' AND rule = 'positive'";
    assert_eq!(house.run(told).await, ["t|1"]);
    // Once the rule is dropped the file is loaded, and never twice.
    assert_eq!(load(&house).await, "0|0|0|0|0");
    house.run("ALTER TABLE orders DROP CONSTRAINT positive").await;
    assert_eq!(load(&house).await, "1|0|0|2|0");
    assert_eq!(load(&house).await, "0|0|0|0|0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_too_small_or_too_old_is_refused_or_told_of() {
    let house = orders().await;
    house.run("ALTER TABLE orders ADD CONSTRAINT enough EXPECT (count(*) BETWEEN 2 AND 1000)").await;
    house
        .run("ALTER TABLE orders ADD CONSTRAINT fresh EXPECT (max(ordered_at) > timestamp '2026-01-01') ON VIOLATION WARN")
        .await;
    put(&house, "a.csv", "1,5,2026-02-01\n").await;
    put(&house, "b.csv", "2,5,2025-02-01\n3,5,2025-03-01\n").await;
    put(&house, "c.csv", "4,5,2026-02-01\n5,5,2026-02-02\n").await;
    assert_eq!(load(&house).await, "2|1|0|4|0");
    let failure = house
        .run("SELECT file, sqlstate, error FROM system.loads WHERE state = 'failed'")
        .await
        .pop()
        .unwrap();
    let refused = "landing/orders/a.csv|23514|load into relation \"orders\" violates expectation \"enough\". The load has ";
    assert!(failure.starts_with(refused) && failure.ends_with("=1"), "{failure}");
    let told = "SELECT split_part(file, '/', 3), rule, passed FROM system.quality WHERE kind = 'expect' ORDER BY 1, 2";
    assert_eq!(
        house.run(told).await,
        [
            "a.csv|enough|f",
            "a.csv|fresh|t",
            "b.csv|enough|t",
            "b.csv|fresh|f",
            "c.csv|enough|t",
            "c.csv|fresh|t"
        ]
    );
    // COPY is a load.
    let client = house.client().await;
    let sink = client.copy_in::<_, Bytes>("COPY orders FROM STDIN (FORMAT csv)").await.unwrap();
    let mut sink = pin!(sink);
    sink.send(Bytes::from_static(b"9,1,2026-03-01\n")).await.unwrap();
    let error = sink.finish().await.unwrap_err();
    assert_eq!(error.as_db_error().unwrap().constraint(), Some("enough"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_loaded_once_after_the_rule_is_mended() {
    let house = orders().await;
    house.run("ALTER TABLE orders ADD CONSTRAINT positive CHECK (amount > 0)").await;
    put(&house, "a.csv", "1,5,2026-01-01\n2,-1,2026-01-01\n3,x,2026-01-01\n4\n").await;
    assert_eq!(load(&house).await, "1|0|0|1|3");
    // Nothing is mended yet: they come back with their reasons. The one that is no row stays.
    assert_eq!(house.run("CALL system.replay_rejects('orders')").await, ["1|0|0|2|1"]);
    let waiting = "SELECT row_number, sqlstate FROM system.rejects WHERE replayed_at IS NULL ORDER BY 1";
    assert_eq!(house.run(waiting).await, ["2|23514", "3|22P02", "4|22P04"]);
    house.run("ALTER TABLE orders DROP CONSTRAINT positive").await;
    house
        .run(
            "CREATE OR REPLACE PIPE orders FROM 'landing/orders/' INTO orders FORMAT csv AS \
             SELECT order_id, nullif(amount, 'x') AS amount, ordered_at FROM source",
        )
        .await;
    assert_eq!(house.run("CALL system.replay_rejects(pipe => 'orders')").await, ["1|0|2|0|1"]);
    let rows = "SELECT order_id, amount FROM orders ORDER BY 1";
    assert_eq!(house.run(rows).await, ["1|5.00", "2|-1.00", "3|NULL"]);
    // Once is enough.
    assert_eq!(house.run("CALL system.replay_rejects('orders')").await, ["0|0|0|0|1"]);
    assert_eq!(house.run(rows).await.len(), 3);
    assert_eq!(house.run(waiting).await, ["4|22P04"]);
    let loads = "SELECT state, rows FROM system.loads WHERE file LIKE 'rejects/%' ORDER BY started_at";
    assert_eq!(house.run(loads).await, ["loaded|0", "loaded|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_load_may_not_replay() {
    let house = orders().await;
    house.run("CREATE ROLE ana").await;
    let client = house.client().await;
    ask(&client, "SET ROLE ana").await;
    assert_eq!(refusal(&client, "CALL system.replay_rejects('orders')").await.0, "42501");
    assert_eq!(refusal(&client, "CALL system.replay_rejects(pipe => 'orders')").await.0, "42501");
    assert_eq!(refusal(&client, "ALTER TABLE orders ADD CHECK (amount > 0)").await.0, "42501");
    assert_eq!(refusal(&client, "SELECT * FROM profile('orders')").await.0, "42501");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_guide_run() {
    let house = House::open().await;
    let client = house.client().await;
    let text = std::fs::read_to_string(repository("docs/quality.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 6);
    for block in blocks {
        for statement in block.split_inclusive(";\n") {
            client.batch_execute(statement).await.unwrap_or_else(|error| panic!("{error:?}\n{statement}"));
        }
    }
}
