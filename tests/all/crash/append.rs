//! Loads that add rows. In the end every row is there exactly once, every reject exactly once, and `system.loads`
//! agrees.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::{Dice, KILLS, assert_no_faults, kill_recovery};
use crate::process::{Root, ServerProcess};
use crate::server::ask;

const GOOD_ROWS: usize = 117;
const BAD_ROWS: usize = 3;
const FILES_A_ROUND: usize = 2;

/// Rows with numbers that no other file has, some of them bad.
fn content(file: usize) -> String {
    let mut lines = vec!["id,file_no,text".to_owned()];
    for row in 0..GOOD_ROWS + BAD_ROWS {
        let id = if row % 40 == 20 { format!("bad-{row}") } else { (file * 1_000 + row).to_string() };
        lines.push(format!("{id},{file},配送很快 {row}"));
    }
    lines.join("\n") + "\n"
}

fn name(file: usize) -> String {
    format!("{file:05}.csv")
}

/// No row twice, no file in part: holds at every moment.
async fn assert_whole(client: &Client, when: &str) {
    let sql = format!(
        "SELECT file_no, count(*), count(DISTINCT id) FROM crash.rows GROUP BY file_no \
         HAVING count(*) <> {GOOD_ROWS} OR count(DISTINCT id) <> {GOOD_ROWS}"
    );
    assert_eq!(ask(client, &sql).await, Vec::<String>::new(), "{when}");
}

struct Crashes {
    root: Root,
    dice: Dice,
    files: usize,
    /// What a run takes that nobody disturbs.
    usual: Duration,
    /// What a push takes, start of the process included.
    usual_push: Duration,
}

impl Crashes {
    fn drop_files(&mut self) {
        for _ in 0..FILES_A_ROUND {
            self.files += 1;
            self.root
                .drop_file(&format!("landing/crash/{}", name(self.files)), content(self.files).as_bytes());
        }
    }

    /// A server dies while it runs the pipe.
    async fn kill_server(&mut self, round: u64) {
        self.drop_files();
        let mut server = self.root.serve();
        let client = server.client().await;
        assert_whole(&client, &format!("round {round}")).await;
        let other = server.client().await;
        // Files are merged all the while.
        tokio::spawn(async move { while other.simple_query("OPTIMIZE crash.rows").await.is_ok() {} });
        let running = tokio::spawn(async move { client.simple_query("CALL system.run_pipe('crash')").await });
        let moment = self.dice.moment(self.usual);
        tokio::time::sleep(moment).await;
        server.kill();
        let finished = running.await.unwrap().is_ok();
        eprintln!("round {round}: server killed after {moment:?}, finished: {finished}");
    }

    /// `voxhouse load` dies while it copies and loads; the one who pushes tries again.
    async fn kill_push(&mut self, round: u64) {
        let mut load = self.push();
        let mut child = load.spawn().unwrap();
        let moment = self.dice.moment(self.usual_push);
        tokio::time::sleep(moment).await;
        let _ = child.kill();
        let status = child.wait().unwrap();
        eprintln!("round {round}: push killed after {moment:?}, finished: {}", status.success());
        if !status.success() {
            assert!(load.status().unwrap().success());
        }
    }

    /// A command that pushes one more file.
    fn push(&mut self) -> Command {
        self.files += 1;
        let file = self.root.beside(&name(self.files));
        std::fs::write(&file, content(self.files)).unwrap();
        let mut command = self.root.command("load");
        command.arg(&file).args(["--pipe", "crash"]).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    async fn assert_exactly_once(&self, server: &ServerProcess) {
        let client = server.client().await;
        ask(&client, "CALL system.run_pipe('crash')").await;
        assert_whole(&client, "at the end").await;
        let files = self.files;
        let count = "SELECT count(*), count(DISTINCT id), count(DISTINCT file_no) FROM crash.rows";
        let rows = files * GOOD_ROWS;
        assert_eq!(ask(&client, count).await, [format!("{rows}|{rows}|{files}")]);
        let rejects = "SELECT count(*), count(DISTINCT file || ':' || row_number), count(DISTINCT file) \
                       FROM system.rejects WHERE sqlstate = '22P02'";
        let rejected = files * BAD_ROWS;
        assert_eq!(ask(&client, rejects).await, [format!("{rejected}|{rejected}|{files}")]);
        assert_eq!(ask(&client, "SELECT count(*) FROM system.rejects").await, [rejected.to_string()]);
        let loads = format!(
            "SELECT count(*), count(DISTINCT file) FROM system.loads \
             WHERE state = 'loaded' AND rows = {GOOD_ROWS} AND rejected = {BAD_ROWS}"
        );
        assert_eq!(ask(&client, &loads).await, [format!("{files}|{files}")]);
        // A file that was pushed a second time may have been skipped; nothing else may be there.
        let others = "SELECT file, state, error FROM system.loads WHERE state NOT IN ('loaded', 'skipped')";
        assert_eq!(ask(&client, others).await, Vec::<String>::new());
        assert_eq!(ask(&client, "CALL system.run_pipe('crash')").await, ["0|0|0|0|0"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_from_files_that_is_killed_at_any_moment_counts_every_row_once() {
    run(Root::new(), 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_on_s3_that_is_killed_at_any_moment_counts_every_row_once() {
    run(Root::on_s3(), KILLS).await;
}

async fn run(root: Root, usual_kills: u64) {
    let (usual, usual_push) = (Duration::ZERO, Duration::ZERO);
    let mut crashes = Crashes { root, dice: Dice::new(usual_kills), files: 0, usual, usual_push };
    {
        let server = crashes.root.serve();
        let client = server.client().await;
        client
            .batch_execute(
                "CREATE SCHEMA crash; \
                 CREATE TABLE crash.rows (id bigint NOT NULL, file_no int NOT NULL, text text); \
                 CREATE PIPE crash FROM 'landing/crash/' INTO crash.rows FORMAT csv",
            )
            .await
            .unwrap();
        crashes.drop_files();
        ask(&client, "CALL system.run_pipe('crash')").await;
        assert!(server.terminate().success());
    }
    {
        // The servers that die have just been started, too.
        let server = crashes.root.serve();
        let client = server.client().await;
        crashes.drop_files();
        let started = Instant::now();
        ask(&client, "CALL system.run_pipe('crash')").await;
        crashes.usual = started.elapsed();
        assert!(server.terminate().success());
        let started = Instant::now();
        assert!(crashes.push().status().unwrap().success());
        crashes.usual_push = started.elapsed();
        eprintln!("a run takes {:?}, a push {:?}", crashes.usual, crashes.usual_push);
    }
    for round in 1..=crashes.dice.kills {
        match round % 5 {
            0 => crashes.kill_push(round).await,
            3 => kill_recovery(&crashes.root, &mut crashes.dice, crashes.usual).await,
            _ => crashes.kill_server(round).await,
        }
    }
    let server = crashes.root.serve();
    crashes.assert_exactly_once(&server).await;
    assert_no_faults(&crashes.root, server);
}
