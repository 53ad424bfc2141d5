//! Pipes with CSV, NDJSON and Parquet files, as a user sees them.

use std::path::Path;

use crate::server::House;

async fn run(house: &House, pipe: &str) -> String {
    house.run(&format!("CALL system.run_pipe('{pipe}')")).await.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_runs() {
    let house = House::open().await;
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/loading.md");
    let text = std::fs::read_to_string(guide).unwrap();
    let blocks: Vec<&str> =
        text.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 5);
    let statements = blocks.iter().flat_map(|block| block.split(";\n")).map(str::trim);
    for statement in statements.filter(|statement| !statement.is_empty()) {
        house.run(statement).await;
    }
    assert_eq!(house.run("SELECT count(*) FROM system.pipes WHERE state = 'scheduled'").await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_of_csv_files_keeps_the_newest_row() {
    let house = House::open().await;
    house
        .run("CREATE TABLE clients (client_id bigint PRIMARY KEY, name text NOT NULL, changed_at timestamp)")
        .await;
    house
        .run("CREATE PIPE clients FROM 'landing/clients/' INTO clients FORMAT csv MODE upsert NEWEST BY changed_at")
        .await;
    house
        .put(
            "landing/clients/a.csv",
            "\u{feff}CLIENT_ID,Name,changed_at\n1,old,2026-01-01\n2,two,2026-01-05\n1,new,2026-01-03\n,none,2026-01-01\n",
        )
        .await;
    assert_eq!(run(&house, "clients").await, "1|0|0|3|1");
    let all = "SELECT client_id, name FROM clients ORDER BY 1";
    assert_eq!(house.run(all).await, ["1|new", "2|two"]);
    house
        .put("landing/clients/b.csv", "client_id,changed_at,name\n2,2026-01-04,late\n3,2026-01-01,three\n")
        .await;
    assert_eq!(run(&house, "clients").await, "1|0|0|2|0");
    assert_eq!(house.run(all).await, ["1|new", "2|two", "3|three"]);
    house.run("ALTER PIPE clients REPLAY").await;
    assert_eq!(run(&house, "clients").await, "2|0|0|5|1");
    assert_eq!(house.run(all).await, ["1|new", "2|two", "3|three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn envelopes_of_debezium_in_json_lines() {
    let house = House::open().await;
    house.run("CREATE TABLE accounts (account_id bigint PRIMARY KEY, plan text NOT NULL, since date, seen timestamptz)").await;
    house.run("CREATE PIPE accounts FROM 'landing/cdc/' INTO accounts FORMAT ndjson MODE change feed").await;
    let lines = [
        r#"{"before":null,"after":{"account_id":1,"plan":"basic","since":20089,"seen":1735689600000},"source":{"lsn":10},"op":"c","ts_ms":1}"#,
        r#"{"before":null,"after":{"account_id":2,"plan":"pro","since":20090,"seen":1735689600000000},"source":{"lsn":11},"op":"r","ts_ms":1}"#,
        r#"{"before":{"account_id":1},"after":{"account_id":1,"plan":"gold","since":20089,"seen":null},"source":{"lsn":12},"op":"u","ts_ms":2}"#,
        r#"{"before":{"account_id":2},"after":null,"source":{"lsn":13},"op":"d","ts_ms":3}"#,
    ];
    house.put("landing/cdc/shop.accounts+0+0000000000.ndjson", lines.join("\n")).await;
    assert_eq!(run(&house, "accounts").await, "1|0|0|4|0");
    assert_eq!(
        house.run("SELECT account_id, plan, since, seen FROM accounts").await,
        ["1|gold|2025-01-01|NULL"]
    );
    let wrapped = r#"{"schema":null,"payload":{"before":null,"after":{"account_id":3,"plan":"pro"},"source":{"lsn":20},"op":"c","ts_ms":9}}"#;
    house.put("landing/cdc/shop.accounts+0+0000000006.ndjson", wrapped).await;
    assert_eq!(run(&house, "accounts").await, "1|0|0|1|0");
    assert_eq!(house.run("SELECT count(*) FROM accounts").await, ["2"]);
    assert_eq!(
        house.run("SELECT mode, files_loaded, files_waiting, offset_gaps FROM system.pipes").await,
        ["change feed key (account_id)|2|0|shop.accounts/0: 4 to 5"]
    );
}
