//! A store that throttles, fails, hangs, breaks off, refuses, forgets to answer, or is gone: loads go on by themselves
//! or fail with 58030 and a hint, nothing is lost or doubled, and statements can be cancelled all the while.

use std::time::{Duration, Instant};

use tokio_postgres::{Client, NoTls};

use crate::process::{Root, ServerProcess};
use crate::server::ask;

const ROWS: usize = 300;

/// A server with a pipe, and files for it.
struct Loading {
    root: Root,
    server: ServerProcess,
    client: Client,
    files: usize,
}

impl Loading {
    async fn start(arguments: &[&str]) -> Self {
        let root = Root::on_s3();
        let server = root.serve_with(arguments);
        let client = server.client().await;
        client
            .batch_execute(
                "CREATE TABLE t (id bigint NOT NULL, file_no int NOT NULL, text text); \
                 CREATE PIPE p FROM 'landing/p/' INTO t FORMAT csv",
            )
            .await
            .unwrap();
        Self { root, server, client, files: 0 }
    }

    fn drop_files(&mut self, count: usize) {
        for _ in 0..count {
            self.files += 1;
            let file = self.files;
            let rows = (0..ROWS).map(|row| format!("{},{file},第 {row} 行\n", file * 1_000 + row));
            let content = format!("id,file_no,text\nbad,{file},x\n{}", rows.collect::<String>());
            self.root.drop_file(&format!("landing/p/{file:03}.csv"), content.as_bytes());
        }
    }

    /// The error of a run that must fail: SQLSTATE, message, hint.
    async fn failure(&self, sql: &str) -> (String, String, String) {
        let Err(error) = self.client.simple_query(sql).await else { panic!("it did not fail: {sql}") };
        let error =
            error.as_db_error().unwrap_or_else(|| panic!("not the server's error: {error:?}")).clone();
        let hint = error.hint().unwrap_or_default().to_owned();
        (error.code().code().to_owned(), error.message().to_owned(), hint)
    }

    /// Every row and every reject is there once, by number.
    async fn assert_exactly_once(&self, case: &str) {
        let (files, rows) = (self.files, self.files * ROWS);
        let counts = "SELECT count(*), count(DISTINCT id), count(DISTINCT file_no) FROM t";
        assert_eq!(ask(&self.client, counts).await, [format!("{rows}|{rows}|{files}")], "{case}");
        let rejects = "SELECT count(*), count(DISTINCT file) FROM system.rejects";
        assert_eq!(ask(&self.client, rejects).await, [format!("{files}|{files}")], "{case}");
        let loads = "SELECT count(*), sum(rows), sum(rejected) FROM system.loads WHERE state = 'loaded'";
        assert_eq!(ask(&self.client, loads).await, [format!("{files}|{rows}|{files}")], "{case}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_goes_through_what_passes() {
    let mut loading = Loading::start(&["--store-request-timeout", "2s"]).await;
    for faults in [
        &["fault 15 0 * / 503:SlowDown"][..],
        &["fault 10 3 * / 500:InternalError"],
        &["fault 4 2 * / 429:TooManyRequests"],
        &["fault 10 5 * / reset"],
        // The file itself, its listing, and the log break off.
        &[
            "fault 3 0 GET .csv cut-body",
            "fault 2 0 GET list-type cut-body",
            "fault 2 0 GET _delta_log cut-body",
        ],
        &["fault 1 0 GET .csv hang", "fault 1 0 PUT .parquet hang", "fault 1 0 GET list-type hang"],
        // The commits of the table, of the rejects and of the loads: stored, or never heard of, or stored later.
        &["fault 6 0 PUT _delta_log/0 lose-answer"],
        &["fault 6 0 PUT .parquet lose-answer"],
        &["fault 3 0 PUT _delta_log/0 delay:1"],
        &["fault 3 0 PUT _delta_log/0 hang"],
        &["fault 3 0 PUT _delta_log/0 409:ConditionalRequestConflict"],
    ] {
        loading.drop_files(2);
        let struck = loading.root.s3().count("struck");
        for fault in faults {
            loading.root.s3().tell(fault);
        }
        let started = Instant::now();
        assert_eq!(
            ask(&loading.client, "CALL system.run_pipe('p')").await,
            [format!("2|0|0|{}|2", 2 * ROWS)],
            "{faults:?}"
        );
        let struck = loading.root.s3().count("struck") - struck;
        eprintln!("{faults:?}: struck {struck} times, {:?}", started.elapsed());
        assert!(struck > 0, "{faults:?}");
        loading.root.s3().tell("clear");
        loading.assert_exactly_once(&format!("{faults:?}")).await;
    }
    let said = loading.root.says("check", &[]);
    assert!(said.ends_with("0 faults\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_waits_for_a_store_that_comes_back() {
    let mut loading = Loading::start(&[]).await;
    for moment_ms in [0, 30, 80, 150, 300] {
        loading.drop_files(3);
        let run = ask(&loading.client, "CALL system.run_pipe('p')");
        let outage = async {
            tokio::time::sleep(Duration::from_millis(moment_ms)).await;
            loading.root.s3().tell("power off");
            tokio::time::sleep(Duration::from_secs(3)).await;
            loading.root.s3().tell("power on");
        };
        let (report, ()) = tokio::join!(run, outage);
        assert_eq!(report, [format!("3|0|0|{}|3", 3 * ROWS)], "after {moment_ms} ms");
        loading.assert_exactly_once(&format!("after {moment_ms} ms")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_cannot_wait_fails_with_a_hint_and_goes_on_later() {
    let limits =
        ["--store-retry-timeout", "1s", "--store-request-timeout", "1s", "--store-connect-timeout", "1s"];
    let mut loading = Loading::start(&limits).await;
    for (fault, message) in [
        ("403:ExpiredToken", "credentials for the object store have expired (ExpiredToken)"),
        ("503:SlowDown", "object store asks to slow down (SlowDown)"),
        ("500:InternalError", "object store failed with status 500"),
        ("hang", "object store did not answer in time"),
        ("reset", "connection to the object store broke"),
        ("power off", "object store cannot be reached"),
    ] {
        // From the first request on; and from one on that may be any of the run's.
        for after in [0, 9, 17, 23, 31, 45] {
            loading.drop_files(2);
            if fault == "power off" {
                loading.root.s3().tell(fault);
            } else {
                loading.root.s3().tell(&format!("fault 100000 {after} * / {fault}"));
            }
            let started = Instant::now();
            let run = loading.client.simple_query("CALL system.run_pipe('p')").await;
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{fault} after {after}: {:?}",
                started.elapsed()
            );
            if after == 0 {
                assert!(run.is_err(), "{fault}");
                let (sqlstate, told, hint) = loading.failure("CALL system.run_pipe('p')").await;
                assert_eq!((sqlstate.as_str(), told.as_str()), ("58030", message), "{fault}");
                assert!(!hint.is_empty(), "{fault}");
            } else if let Err(error) = run {
                let error = error.as_db_error().unwrap_or_else(|| panic!("{fault} after {after}: {error:?}"));
                assert_eq!(error.code().code(), "58030", "{fault} after {after}: {error}");
                assert!(error.hint().is_some(), "{fault} after {after}: {error}");
            }
            loading.root.s3().tell("clear");
            loading.root.s3().tell("power on");
            ask(&loading.client, "CALL system.run_pipe('p')").await;
            loading.assert_exactly_once(&format!("{fault} after {after}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_whose_commit_was_not_answered_counts_once() {
    let loading = Loading::start(&["--store-request-timeout", "2s"]).await;
    let client = &loading.client;
    let mut rows = 0;
    for fault in
        ["lose-answer", "delay:1", "hang", "500:InternalError", "reset", "409:ConditionalRequestConflict"]
    {
        for times in [1, 3] {
            loading.root.s3().tell(&format!("fault {times} 0 PUT /t/_delta_log/0 {fault}"));
            let struck = loading.root.s3().count("struck");
            ask(client, &format!("INSERT INTO t VALUES ({rows}, 0, '{fault}')")).await;
            rows += 1;
            assert!(loading.root.s3().count("struck") > struck, "{fault}");
            loading.root.s3().tell("clear");
            // What is still on its way arrives.
            tokio::time::sleep(Duration::from_millis(if fault.starts_with("delay") { 1_500 } else { 0 }))
                .await;
            let counts = "SELECT count(*), count(DISTINCT id) FROM t";
            assert_eq!(ask(client, counts).await, [format!("{rows}|{rows}")], "{fault} × {times}");
        }
    }
    // A definition, too: made once, and dropped once.
    for (number, fault) in ["lose-answer", "delay:1", "hang"].iter().enumerate() {
        loading.root.s3().tell(&format!("fault 2 0 PUT _delta_log/0 {fault}"));
        ask(client, &format!("CREATE TABLE made_{number} (id int)")).await;
        loading.root.s3().tell("clear");
        ask(client, &format!("INSERT INTO made_{number} VALUES (1)")).await;
        loading.root.s3().tell(&format!("fault 2 0 PUT _delta_log/0 {fault}"));
        ask(client, &format!("DROP TABLE made_{number}")).await;
        loading.root.s3().tell("clear");
        let there = format!("SELECT count(*) FROM pg_class WHERE relname = 'made_{number}'");
        assert_eq!(ask(client, &there).await, ["0"], "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_cancelled_while_the_store_hangs() {
    let mut loading = Loading::start(&[]).await;
    loading.drop_files(1);
    ask(&loading.client, "CREATE TABLE other AS SELECT 1 AS id").await;
    for sql in [
        "SELECT count(*) FROM other",
        "INSERT INTO other VALUES (2)",
        "CALL system.run_pipe('p')",
        "CREATE TABLE more (id int)",
    ] {
        loading.root.s3().tell("fault 100000 0 * / hang");
        let token = loading.client.cancel_token();
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            token.cancel_query(NoTls).await.unwrap();
            Instant::now()
        };
        let (failure, cancelled_at) = tokio::join!(loading.failure(sql), cancel);
        assert_eq!(failure.0, "57014", "{sql}: {failure:?}");
        assert!(cancelled_at.elapsed() < Duration::from_secs(2), "{sql}: {:?}", cancelled_at.elapsed());
        loading.root.s3().tell("clear");
    }
    loading.root.s3().tell("fault 100000 0 * / hang");
    ask(&loading.client, "SET statement_timeout = '700ms'").await;
    let started = Instant::now();
    assert_eq!(loading.failure("SELECT count(*) FROM other").await.0, "57014");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    loading.root.s3().tell("clear");
    ask(&loading.client, "SET statement_timeout = 0").await;
    ask(&loading.client, "CALL system.run_pipe('p')").await;
    loading.assert_exactly_once("after cancels").await;
    // A stop in such a moment does not wait for the store either.
    loading.root.s3().tell("fault 100000 0 * / hang");
    let started = Instant::now();
    let Loading { server, root, client, .. } = loading;
    drop(client);
    assert!(server.terminate().success());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    drop(root);
}
