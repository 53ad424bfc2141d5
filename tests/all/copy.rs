//! COPY against what PostgreSQL 15 answers, its transactions and limits, and psql's `\copy`.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, TryStreamExt};
use serde_json::{Value, json};
use tokio_postgres::{Client, NoTls};

use crate::clients::{psql, repository};
use crate::process::both;
use crate::server::{House, PASSWORD, ask, refusal};

async fn copy_in(client: &Client, sql: &str, data: &[u8]) -> Result<u64, tokio_postgres::Error> {
    let mut sink = pin!(client.copy_in::<_, Bytes>(sql).await?);
    // A server that has had enough is told from one that hung up by the answer at the end.
    let _ = sink.send(Bytes::copy_from_slice(data)).await;
    sink.finish().await
}

async fn copy_out(client: &Client, sql: &str) -> Vec<u8> {
    let rows = client.copy_out(sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    rows.try_collect::<Vec<Bytes>>().await.unwrap().concat()
}

async fn copy_out_text(client: &Client, sql: &str) -> String {
    String::from_utf8(copy_out(client, sql).await).unwrap()
}

async fn answer(client: &Client, case: &Value) -> Value {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let data: Vec<u8> = text("data").chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    let sql = format!("COPY t {} FROM STDIN {}", text("list"), text("options"));
    match copy_in(client, &sql, &data).await {
        Ok(rows) => json!({"rows": rows, "content": copy_out_text(client, "COPY t TO STDOUT").await}),
        Err(error) => {
            let error = error.as_db_error().unwrap_or_else(|| panic!("{error:?}: {case}"));
            let mut told = json!({"sqlstate": error.code().code(), "message": error.message()});
            for (key, value) in [("context", error.where_()), ("hint", error.hint())] {
                if let Some(value) = value {
                    told[key] = value.into();
                }
            }
            json!({"error": told})
        }
    }
}

/// `python/copy_cases.py` has put PostgreSQL's answers into the file. Where another one is meant, the case says
/// so and why.
#[tokio::test(flavor = "multi_thread")]
async fn data_and_options_mean_what_they_mean_to_postgres() {
    let house = House::open().await;
    let mut client = house.client().await;
    let cases = std::fs::read_to_string(repository("tests/copy/cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let mut columns = String::new();
    let mut wrong = Vec::new();
    for case in &cases {
        if case["columns"] == columns.as_str() {
            client.batch_execute("TRUNCATE t").await.unwrap();
        } else {
            columns = case["columns"].as_str().unwrap().to_owned();
            client.batch_execute("DROP TABLE IF EXISTS t").await.unwrap();
            client.batch_execute(&format!("CREATE TABLE t ({columns})")).await.unwrap();
        }
        let expected = if case["ours"].is_null() { &case["expected"] } else { &case["ours"] };
        let told = answer(&client, case).await;
        if !told["error"].is_null() {
            // This client sends its CopyFail and a Sync even for a COPY that was refused, and then loses count.
            client = house.client().await;
        }
        if told != *expected {
            wrong.push(format!(
                "{} {} {:?}\n  expected {expected}\n  told     {told}",
                case["columns"], case["options"], case["data"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_one_commit_or_nothing() {
    let house = House::open().await;
    let client = house.client().await;
    client
        .batch_execute(
            "CREATE TABLE t (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'none', n int CHECK (n > 0))",
        )
        .await
        .unwrap();
    let many: String = (0..50_000).map(|id| format!("{id}\tname {id}\t{}\n", id + 1)).collect();
    assert_eq!(copy_in(&client, "COPY t FROM STDIN", many.as_bytes()).await.unwrap(), 50_000);
    for (line, sqlstate, context) in [
        ("99999\tx\n", "22P04", "COPY t, line 50001: \"99999\tx\""),
        ("99999\tx\tnine\n", "22P02", "COPY t, line 50001, column n: \"nine\""),
        ("99999\t\\N\t1\n", "23502", "COPY t, line 50001: \"99999\t\\N\t1\""),
        ("99999\tx\t0\n", "23514", "COPY t, line 50001: \"99999\tx\t0\""),
        ("100000\tx\t1\n", "23505", "COPY t, line 50001"),
        ("7\tx\t1\n", "23505", "COPY t, line 50001"),
    ] {
        let rows: String = (100_000..150_000).map(|id| format!("{id}\tname {id}\t1\n")).collect();
        let error = copy_in(&client, "COPY t FROM STDIN", (rows + line).as_bytes()).await.unwrap_err();
        let error = error.as_db_error().unwrap();
        assert_eq!((error.code().code(), error.where_()), (sqlstate, Some(context)));
        assert_eq!(ask(&client, "SELECT count(*), sum(n) FROM t").await, ["50000|1250025000"]);
    }
    // Defaults fill the columns that are not listed.
    assert_eq!(copy_in(&client, "COPY t (n, id) FROM STDIN", b"5\t60000\n").await.unwrap(), 1);
    assert_eq!(ask(&client, "SELECT * FROM t WHERE id = 60000").await, ["60000|none|5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_given_up_leaves_nothing() {
    let house = House::open().await;
    let client = house.client().await;
    client.batch_execute("CREATE TABLE t (id bigint, name text)").await.unwrap();
    let rows: Bytes = (0..100_000).map(|id| format!("{id}\tname {id}\n")).collect::<String>().into();
    {
        // A sink that is dropped sends CopyFail.
        let mut sink = pin!(client.copy_in::<_, Bytes>("COPY t FROM STDIN").await.unwrap());
        sink.send(rows.clone()).await.unwrap();
    }
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["0"]);
    let mut sink = pin!(client.copy_in::<_, Bytes>("COPY t FROM STDIN").await.unwrap());
    sink.send(rows.clone()).await.unwrap();
    sink.flush().await.unwrap();
    let token = client.cancel_token();
    let cancel = async {
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            token.cancel_query(NoTls).await.unwrap();
        }
    };
    let ended = async {
        // The answer is read when something is sent.
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if sink.send(Bytes::from_static(b"1\tx\n")).await.is_err() {
                break;
            }
            if sink.flush().await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = ended => {}
        () = cancel => {}
        () = tokio::time::sleep(Duration::from_secs(3)) => {}
    }
    let error = sink.finish().await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("57014"), "{error:?}");
    // A cancel that came late may hit this one.
    let _ = client.simple_query("SELECT 1").await;
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["0"]);
    // A connection that goes away in the middle.
    let other = house.client().await;
    let mut sink = Box::pin(other.copy_in::<_, Bytes>("COPY t FROM STDIN").await.unwrap());
    sink.send(rows).await.unwrap();
    sink.flush().await.unwrap();
    drop(other);
    drop(sink);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_tables_and_columns_are_copied_out() {
    let house = House::open().await;
    let client = house.client().await;
    client
        .batch_execute(
            "CREATE TABLE t (id int, name text, amount numeric(18,2)); \
             INSERT INTO t VALUES (1, 'a,b', 1.5), (2, NULL, NULL), (3, 'it''s \"x\"', -0.05); \
             CREATE VIEW v AS SELECT id FROM t",
        )
        .await
        .unwrap();
    let query = "COPY (SELECT * FROM t ORDER BY id) TO STDOUT";
    assert_eq!(copy_out_text(&client, query).await, "1\ta,b\t1.50\n2\t\\N\t\\N\n3\tit's \"x\"\t-0.05\n");
    for (options, expected) in [
        ("CSV HEADER", "id,name,amount\n1,\"a,b\",1.50\n2,,\n3,\"it's \"\"x\"\"\",-0.05\n"),
        (
            "WITH (FORMAT csv, FORCE_QUOTE *)",
            "\"1\",\"a,b\",\"1.50\"\n\"2\",,\n\"3\",\"it's \"\"x\"\"\",\"-0.05\"\n",
        ),
        (
            "(FORMAT csv, FORCE_QUOTE (amount), DELIMITER ';', NULL 'x')",
            "1;a,b;\"1.50\"\n2;x;x\n3;\"it's \"\"x\"\"\";\"-0.05\"\n",
        ),
        ("DELIMITER ',' NULL ''", "1,a\\,b,1.50\n2,,\n3,it's \"x\",-0.05\n"),
    ] {
        assert_eq!(copy_out_text(&client, &format!("{query} {options}")).await, expected, "{options}");
    }
    assert_eq!(
        copy_out_text(&client, "COPY public.t (name, \"id\") TO STDOUT (HEADER)").await.lines().next(),
        Some("name\tid")
    );
    assert_eq!(
        copy_out_text(
            &client,
            "COPY (SELECT 1 AS \"A b\", 'x,' AS \"c,d\" WHERE false) TO STDOUT CSV HEADER"
        )
        .await,
        "A b,\"c,d\"\n"
    );
    assert_eq!(copy_out_text(&client, "COPY (VALUES (1, true)) TO STDOUT").await, "1\tt\n");
    for (sql, sqlstate) in [
        ("COPY v TO STDOUT", "42809"),
        ("COPY v FROM STDIN", "0A000"),
        ("COPY absent TO STDOUT", "42P01"),
        ("COPY absent FROM STDIN", "42P01"),
        ("COPY t (absent) TO STDOUT", "42703"),
        ("COPY t (id, absent) FROM STDIN", "42703"),
        ("COPY t (id, id) FROM STDIN", "42701"),
        ("COPY t TO '/tmp/t.csv'", "42501"),
        ("COPY t FROM '/etc/passwd'", "42501"),
        ("COPY t FROM PROGRAM 'id'", "42501"),
        ("COPY (SELECT 1) TO PROGRAM 'cat > /tmp/x'", "42501"),
        ("COPY (SELECT $1) TO STDOUT", "42704"),
        ("COPY (SELECT 1) FROM STDIN", "42601"),
        ("COPY t TO STDOUT WHERE id = 1", "42601"),
        ("COPY t FROM STDIN WHERE id IN (SELECT 1)", "0A000"),
        ("COPY t FROM STDIN WHERE absent = 1", "42703"),
        ("COPY (DELETE FROM t) TO STDOUT", "0A000"),
        ("COPY t", "42601"),
    ] {
        assert_eq!(refusal(&client, sql).await.0, sqlstate, "{sql}");
    }
    // What goes wrong with a row is told behind the rows before it.
    let rows = client.copy_out("COPY (SELECT 1 / (id - 2) FROM t ORDER BY id) TO STDOUT").await.unwrap();
    let error = rows.try_collect::<Vec<Bytes>>().await.unwrap_err();
    assert_eq!(error.code().map(|code| code.code()), Some("22012"));
    assert_eq!(ask(&client, "SELECT count(*) FROM t").await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_goes_out_and_in_again() {
    let house = House::open().await;
    let client = house.client().await;
    let columns = "id bigint, ok boolean, n integer, s smallint, f real, d double precision, amount numeric(20,4), t text, \
                   v varchar(10), b bytea, day date, at timestamp, instant timestamptz, u uuid, words text[], numbers bigint[], j json";
    client.batch_execute(&format!("CREATE TABLE a ({columns}); CREATE TABLE b ({columns})")).await.unwrap();
    client
        .batch_execute(
            "INSERT INTO a VALUES (1, true, -5, 7, 1.5, 0.1, 12345.6789, 'it''s \\ 好评', 'short', '\\x00ff', '2026-01-31', \
             '2026-01-31 08:30:00.5', '2026-01-31 08:30:00+08', '123e4567-e89b-12d3-a456-426614174000', \
             ARRAY['a', NULL, 'b c'], ARRAY[1, 2], '{\"a\": [1, null]}'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        )
        .await
        .unwrap();
    for options in ["(FORMAT binary)", "(FORMAT csv, HEADER)", ""] {
        let data = copy_out(&client, &format!("COPY a TO STDOUT {options}")).await;
        assert_eq!(copy_in(&client, &format!("COPY b FROM STDIN {options}"), &data).await.unwrap(), 2);
        let (a, b) = (
            ask(&client, "SELECT * FROM a ORDER BY id").await,
            ask(&client, "SELECT * FROM b ORDER BY id").await,
        );
        assert_eq!(a, b, "{options}");
        assert!(a[0].starts_with("1|t|-5|7|1.5|0.1|12345.6789|it's \\ 好评|short|"), "{}", a[0]);
        client.batch_execute("TRUNCATE b").await.unwrap();
    }
}

/// The commands one after the other, on one connection.
async fn psql_runs(house: &House, commands: &[&str]) -> String {
    let port = house.port;
    let commands: Vec<String> = commands.iter().map(|command| (*command).to_owned()).collect();
    let output = tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = commands.iter().flat_map(|command| ["-c", command]).collect();
        psql(port, PASSWORD, &arguments)
    });
    both(&output.await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_copies_files_both_ways() {
    let house = House::open().await;
    house.run("CREATE TABLE t (id int, name text)").await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
    write("plain.tsv", "1\tone\n2\t\\N");
    write("marked.tsv", "3\tthree\n\\.\nrubbish that nobody reads\n");
    write("windows.csv", "id,name\r\n4,\"four\r\nlines\"\r\n5,\r\n");
    write("bad.tsv", "6\tsix\nseven\tx\n");
    let said = psql_runs(
        &house,
        &[
            &format!("\\copy t from '{}'", path("plain.tsv")),
            &format!("\\copy t from '{}'", path("marked.tsv")),
            &format!("\\copy t from '{}' with csv header", path("windows.csv")),
            &format!(
                "\\copy (select * from t order by id) to '{}' with (format csv, header)",
                path("out.csv")
            ),
            &format!("\\copy t (name) to '{}'", path("names.tsv")),
            "COPY (SELECT id FROM t ORDER BY id) TO STDOUT; SELECT 'after'",
        ],
    )
    .await;
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "COPY 2", "COPY 1", "COPY 2", "COPY 5", "COPY 5", "1", "2", "3", "4", "5", "?column?", "after",
            "(1 row)"
        ]
    );
    let out = std::fs::read_to_string(Path::new(&path("out.csv"))).unwrap();
    assert_eq!(out, "id,name\n1,one\n2,\n3,three\n4,\"four\r\nlines\"\n5,\n");
    assert_eq!(std::fs::read_to_string(path("names.tsv")).unwrap().lines().count(), 5);
    let said = psql_runs(&house, &[&format!("\\copy t from '{}'", path("bad.tsv"))]).await;
    assert!(said.contains("ERROR:  invalid input syntax for type integer: \"seven\""), "{said}");
    assert!(said.contains("CONTEXT:  COPY t, line 2, column id: \"seven\""), "{said}");
    let said = psql_runs(&house, &["COPY t FROM '/etc/passwd'"]).await;
    assert!(said.contains("HINT:") && said.contains("\\copy"), "{said}");
    assert_eq!(house.run("SELECT count(*), sum(id) FROM t").await, ["5|15"]);
}
