//! Transactions as the files, other sessions, other processes and a crash see them. `slt/` holds what SQL can say.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::Client;

use crate::clients::run_python;
use crate::eventually;
use crate::process::Root;
use crate::server::{House, PASSWORD, ask, refusal};

/// Data files under a folder of the root.
fn data_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let count = |entry: std::fs::DirEntry| match entry.path() {
        path if path.is_dir() => data_files(&path),
        path => usize::from(path.extension().is_some_and(|extension| extension == "parquet")),
    };
    entries.map(|entry| count(entry.unwrap())).sum()
}

async fn table_with_rows(client: &Client) {
    ask(client, "CREATE TABLE t (id int, name text)").await;
    ask(client, "CREATE TABLE u (id int)").await;
    ask(client, "INSERT INTO t VALUES (1, 'a'), (2, 'b')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_in_a_transaction_leaves_nothing_visible() {
    let root = Root::new();
    let mut server = root.serve();
    let client = server.client().await;
    table_with_rows(&client).await;
    for step in ["INSERT INTO t VALUES (3, 'c')", "DELETE FROM t WHERE id = 1", "UPDATE t SET name = 'x'"] {
        ask(&client, "BEGIN").await;
        ask(&client, step).await;
        ask(&client, "ROLLBACK").await;
    }
    ask(&client, "BEGIN").await;
    ask(&client, "INSERT INTO t VALUES (3, 'c')").await;
    ask(&client, "UPDATE t SET name = 'changed'").await;
    ask(&client, "CREATE TEMP TABLE scratch AS SELECT * FROM t").await;
    assert_eq!(ask(&client, "SELECT count(*) FROM scratch WHERE name = 'changed'").await, ["3"]);
    server.kill();
    let mut server = root.serve();
    let client = server.client().await;
    assert_eq!(ask(&client, "SELECT * FROM t ORDER BY id").await, ["1|a", "2|b"]);
    assert_eq!(refusal(&client, "SELECT * FROM scratch").await.0, "42P01");
    // Definitions too.
    ask(&client, "BEGIN").await;
    ask(&client, "CREATE TABLE made AS SELECT 1 AS n").await;
    ask(&client, "DROP TABLE u").await;
    server.kill();
    let server = root.serve();
    let client = server.client().await;
    assert_eq!(refusal(&client, "SELECT * FROM made").await.0, "42P01");
    assert_eq!(ask(&client, "SELECT * FROM u").await, Vec::<String>::new());
    // The name is free, and what lies where the table would have been is not taken for it.
    ask(&client, "CREATE TABLE made (word text)").await;
    assert_eq!(ask(&client, "SELECT * FROM made").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn rollbacks_and_vanished_clients_leave_no_files() {
    let root = Root::new();
    let server = root.serve();
    let client = server.client().await;
    table_with_rows(&client).await;
    let folder = root.inside("public/t");
    assert_eq!(data_files(&folder), 1);
    ask(&client, "BEGIN").await;
    ask(&client, "INSERT INTO t VALUES (3, 'c')").await;
    ask(&client, "UPDATE t SET name = 'x'").await;
    ask(&client, "CREATE TEMP TABLE scratch AS SELECT 1 AS n").await;
    assert!(data_files(&folder) > 1, "nothing was written before COMMIT");
    assert_eq!(data_files(&root.inside("_temp")), 1);
    ask(&client, "ROLLBACK").await;
    assert_eq!(data_files(&folder), 1);
    // A client that goes away.
    let other = server.client().await;
    ask(&other, "CREATE TEMP TABLE scratch AS SELECT 1 AS n").await;
    ask(&other, "BEGIN").await;
    ask(&other, "DELETE FROM t WHERE id = 1").await;
    assert_eq!((data_files(&folder), data_files(&root.inside("_temp"))), (2, 1));
    drop(other);
    let clean = async || {
        let left = data_files(&folder) + data_files(&root.inside("_temp"));
        (left == 1).then_some(())
    };
    eventually("the files of the transaction and of the temporary table are gone", clean).await;
    // What a transaction wrote and replaced itself goes at COMMIT.
    ask(&client, "BEGIN").await;
    ask(&client, "INSERT INTO t VALUES (3, 'c')").await;
    ask(&client, "DELETE FROM t WHERE id = 3").await;
    ask(&client, "COMMIT").await;
    let clean = async || (data_files(&folder) == 1).then_some(());
    eventually("no file stays that no commit has named", clean).await;
    assert_eq!(ask(&client, "SELECT * FROM t ORDER BY id").await, ["1|a", "2|b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_holds_while_another_process_commits_to_two_tables() {
    let root = Root::new();
    let (one, two) = (root.serve(), root.serve());
    let (first, second) = (one.client().await, two.client().await);
    table_with_rows(&first).await;
    ask(&first, "BEGIN").await;
    assert_eq!(ask(&first, "SELECT count(*) FROM t").await, ["2"]);
    for round in 0..3 {
        ask(&second, &format!("INSERT INTO u VALUES ({round})")).await;
        ask(&second, &format!("UPDATE t SET name = 'r{round}'")).await;
        let both = "SELECT (SELECT count(*) FROM u), (SELECT min(name) FROM t)";
        assert_eq!(ask(&first, both).await, ["0|a"]);
    }
    // The rows that it read have another version by now.
    ask(&first, "UPDATE t SET name = 'mine' WHERE id = 1").await;
    assert_eq!(ask(&first, "SELECT name FROM t ORDER BY id").await, ["mine", "b"]);
    let (state, message) = refusal(&first, "COMMIT").await;
    assert_eq!((state.as_str(), message.contains("concurrent update")), ("40001", true));
    assert_eq!(ask(&first, "SELECT name FROM t ORDER BY id").await, ["r2", "r2"]);
    // Once more, undisturbed.
    ask(&first, "BEGIN").await;
    ask(&first, "UPDATE t SET name = 'mine' WHERE id = 1").await;
    ask(&second, "INSERT INTO t VALUES (3, 'new')").await;
    ask(&first, "COMMIT").await;
    assert_eq!(ask(&second, "SELECT name FROM t ORDER BY id").await, ["mine", "r2", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_one_query_string_stand_or_fall_together() {
    let house = House::open().await;
    let client = house.client().await;
    table_with_rows(&client).await;
    let names = "SELECT name FROM t ORDER BY id";
    client.batch_execute("INSERT INTO t VALUES (3, 'c'); UPDATE t SET name = upper(name)").await.unwrap();
    assert_eq!(ask(&client, names).await, ["A", "B", "C"]);
    for failing in [
        "INSERT INTO t VALUES (4, 'd'); SELECT 1 / 0",
        "DELETE FROM t; INSERT INTO absent VALUES (1)",
        "CREATE TABLE made (id int); INSERT INTO made VALUES (1); SELECT 1 / 0",
        "SET application_name = 'batch'; INSERT INTO t VALUES (1 / 0, '')",
        // A second table would be a second commit.
        "INSERT INTO t VALUES (4, 'd'); INSERT INTO u VALUES (1)",
    ] {
        assert!(client.batch_execute(failing).await.is_err(), "{failing}");
        assert_eq!(ask(&client, names).await, ["A", "B", "C"], "{failing}");
        assert_eq!(ask(&client, "SELECT count(*) FROM u").await, ["0"], "{failing}");
    }
    assert_eq!(refusal(&client, "SELECT * FROM made").await.0, "42P01");
    assert_ne!(ask(&client, "SHOW application_name").await, ["batch"]);
    assert_eq!(refusal(&client, "SELECT 1; VACUUM t").await.0, "25001");
    assert_eq!(refusal(&client, "INSERT INTO t VALUES (9, 'i'); SAVEPOINT s").await.0, "25P01");
    // COMMIT in the middle ends the first part; BEGIN makes a block of what came before it.
    assert!(client.batch_execute("INSERT INTO t VALUES (4, 'd'); COMMIT; SELECT 1 / 0").await.is_err());
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["4"]);
    client
        .batch_execute("INSERT INTO t VALUES (5, 'e'); BEGIN; INSERT INTO t VALUES (6, 'f')")
        .await
        .unwrap();
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["6"]);
    ask(&client, "ROLLBACK").await;
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["4"]);
    client.batch_execute("BEGIN; INSERT INTO t VALUES (5, 'e'); COMMIT").await.unwrap();
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_transactions_lose_no_row() {
    let house = House::open().await;
    let setup = house.client().await;
    ask(&setup, "CREATE TABLE counter (n int)").await;
    ask(&setup, "CREATE TABLE log (writer int, n int)").await;
    ask(&setup, "INSERT INTO counter VALUES (0)").await;
    let count = async |writer: usize| {
        let client = house.client().await;
        let mut done = 0;
        while done < 5 {
            ask(&client, "BEGIN").await;
            ask(&client, "UPDATE counter SET n = n + 1").await;
            tokio::time::sleep(Duration::from_millis(10 * writer as u64)).await;
            match client.simple_query("COMMIT").await {
                Ok(_) => done += 1,
                Err(error) => assert_eq!(error.code().map(|code| code.code()), Some("40001"), "{error:?}"),
            }
        }
    };
    let append = async |writer: usize| {
        let client = house.client().await;
        for n in 0..5 {
            ask(&client, "BEGIN").await;
            ask(&client, &format!("INSERT INTO log VALUES ({writer}, {n})")).await;
            ask(&client, &format!("INSERT INTO log VALUES ({writer}, {n})")).await;
            // Appends never conflict.
            ask(&client, "COMMIT").await;
        }
    };
    tokio::join!(count(1), count(2), count(3), append(1), append(2), append(3));
    assert_eq!(ask(&setup, "SELECT n FROM counter").await, ["15"]);
    assert_eq!(ask(&setup, "SELECT count(*) FROM log").await, ["30"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn psycopg_works_in_transactions() {
    let house = House::open().await;
    let port = house.port.to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/transactions.py");
    let run = move || run_python(&script, &[&port], &[("PGPASSWORD", PASSWORD)]);
    let said = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(said.ends_with("all checks passed\n"), "{said}");
}
