//! Tables that stay fast: merged in the background and by OPTIMIZE, beside loads and changes, and read by others.

use std::path::Path;

use tokio_postgres::error::SqlState;

use crate::clients::run_python;
use crate::eventually;
use crate::process::{PASSWORD, Root};
use crate::server::{House, ask};

const FILES: usize = 240;
const ROWS: usize = 5;

fn lines(file: usize) -> String {
    let rows = (0..ROWS).map(|row| format!("{},{file},配送很快\n", file * ROWS + row));
    std::iter::once("id,file_no,text\n".to_owned()).chain(rows).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_background_merges_what_loads_leave() {
    let root = Root::new();
    let server = root.serve();
    let client = server.client().await;
    let tables = "CREATE TABLE notes (id bigint, file_no int, text text) CLUSTER BY (id); \
                  CREATE TABLE alone (id bigint, file_no int, text text) WITH (compaction = off); \
                  CREATE PIPE notes FROM 'landing/notes/' INTO notes FORMAT csv; \
                  CREATE PIPE alone FROM 'landing/notes/' INTO alone FORMAT csv";
    client.batch_execute(tables).await.unwrap();
    // A run makes few files of many; it takes many runs to leave many.
    for file in 0..FILES {
        root.drop_file(&format!("landing/notes/{file:04}.csv"), lines(file).as_bytes());
        if (file + 1) % (FILES / 40) == 0 {
            ask(&client, "CALL system.run_pipe('notes')").await;
        }
    }
    ask(&client, "CALL system.run_pipe('alone')").await;
    let files = "SELECT files FROM system.tables WHERE name = 'notes'";
    eventually("few files", async || {
        let count: usize = ask(&client, files).await[0].parse().unwrap();
        (count < 20).then_some(())
    })
    .await;
    let same = "SELECT count(*), count(DISTINCT id), sum(id), count(DISTINCT file_no) FROM ";
    let sum = FILES * ROWS * (FILES * ROWS - 1) / 2;
    let expected = [format!("{0}|{0}|{sum}|{FILES}", FILES * ROWS)];
    assert_eq!(ask(&client, &format!("{same} notes")).await, expected);
    assert_eq!(ask(&client, &format!("{same} alone")).await, expected);
    let told = "SELECT DISTINCT state, role, error, files_in > files_out FROM system.maintenance \
                WHERE table_name = 'notes' AND kind = 'compaction' AND version IS NOT NULL";
    assert_eq!(ask(&client, told).await, ["done|voxhouse|NULL|t"]);
    let other = "SELECT kind FROM system.maintenance WHERE table_name = 'alone' AND kind = 'compaction'";
    assert_eq!(ask(&client, other).await, Vec::<String>::new());
    // What was loaded is known as before.
    assert_eq!(ask(&client, "CALL system.run_pipe('notes')").await, ["0|0|0|0|0"]);
    assert!(server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_inserts_updates_and_deletes_every_row_is_there_once() {
    let house = House::open().await;
    let client = house.client().await;
    let tables = "CREATE TABLE t (id int PRIMARY KEY, n int, part text) PARTITION BY (part) CLUSTER BY (id); \
                  INSERT INTO t SELECT i, 0, 'p' || i % 3 FROM generate_series(1, 30) AS s(i)";
    client.batch_execute(tables).await.unwrap();
    let work = async |statements: Vec<String>| {
        let client = house.client().await;
        for statement in statements {
            // Who meets too many others is told to try again.
            while let Err(error) = client.batch_execute(&statement).await {
                assert_eq!(
                    error.code(),
                    Some(&SqlState::T_R_SERIALIZATION_FAILURE),
                    "{error:?}: {statement}"
                );
            }
        }
    };
    let inserts = (100..140).map(|id| format!("INSERT INTO t VALUES ({id}, 0, 'p{}')", id % 3)).collect();
    let updates = (0..12).map(|_| "UPDATE t SET n = n + 1 WHERE id <= 10".to_owned()).collect();
    let deletes = (21..=30).map(|id| format!("DELETE FROM t WHERE id = {id}")).collect();
    let merges = ["OPTIMIZE t", "OPTIMIZE t ZORDER BY (id, n)", "OPTIMIZE t WHERE part = 'p1'"];
    let merges = merges.iter().cycle().take(24).map(ToString::to_string).collect();
    tokio::join!(work(inserts), work(updates), work(deletes), work(merges));
    let said = "SELECT count(*), count(DISTINCT id), sum(n), min(n) FILTER (WHERE id <= 10), \
                count(*) FILTER (WHERE id BETWEEN 21 AND 30), count(*) FILTER (WHERE id >= 100) FROM t";
    assert_eq!(ask(&client, said).await, ["60|60|120|12|0|40"]);
    ask(&client, "OPTIMIZE t").await;
    assert_eq!(ask(&client, said).await, ["60|60|120|12|0|40"]);
    assert_eq!(ask(&client, "SELECT files FROM system.tables WHERE name = 't'").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_programs_read_our_tables_and_we_read_theirs() {
    let root = Root::new();
    let server = root.serve();
    let port = server.port.to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/delta.py");
    let (house, theirs) = (root.inside("."), root.beside("theirs"));
    let run = move || {
        let arguments = [port.as_str(), house.to_str().unwrap(), theirs.to_str().unwrap()];
        run_python(&script, &arguments, &[("PGPASSWORD", PASSWORD)])
    };
    let said = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(said.ends_with("all checks passed\n"), "{said}");
    assert!(server.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_says_what_works() {
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/maintenance.md"))
        .unwrap();
    let blocks: Vec<&str> =
        guide.split("\n```sql\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 4);
    let house = House::open().await;
    for block in blocks {
        for statement in block.split(';').filter(|statement| !statement.trim().is_empty()) {
            house.run(statement).await;
        }
    }
}
