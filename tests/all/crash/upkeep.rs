//! Files that are merged, in the background and by OPTIMIZE, and removed by VACUUM, beside statements that add and change
//! rows.

use std::time::Duration;

use tokio_postgres::Client;

use super::{Dice, KILLS, assert_no_faults, keep_asking, kill_recovery, work};
use crate::process::Root;
use crate::server::ask;

on_each_store! {
    Root::new(), Root::on_s3();
    rows_stay_while_files_are_merged_and_removed,
}

const ROWS: usize = 10;
/// More than the background leaves alone.
const FILES: usize = 12;
/// The background looks for what to do so long after a start.
const FIRST_LOOK: Duration = Duration::from_millis(4_800);
const A_WHILE: Duration = Duration::from_millis(1_200);

/// A statement that adds rows which no other adds.
fn insert(batch: usize) -> String {
    let first = batch * ROWS;
    format!(
        "INSERT INTO crash.t SELECT i, {batch}, 0, repeat('配送', 20) || i \
         FROM generate_series({first}, {}) AS s(i)",
        first + ROWS - 1
    )
}

const UPDATE: &str = "UPDATE crash.t SET n = n + 1 WHERE batch = 0";

struct Crashes {
    root: Root,
    dice: Dice,
    batches: usize,
    updates: usize,
}

impl Crashes {
    /// Every statement counted once or, if its answer never came, perhaps not at all.
    async fn assert_whole(&mut self, client: &Client, when: &str) {
        let broken = format!(
            "SELECT batch, count(*), count(DISTINCT id), min(id), max(id), count(DISTINCT n) FROM crash.t \
             WHERE text LIKE '配送%' GROUP BY batch \
             HAVING count(*) <> {ROWS} OR count(DISTINCT id) <> {ROWS} OR min(id) <> batch * {ROWS} \
             OR count(DISTINCT n) <> 1"
        );
        assert_eq!(ask(client, &broken).await, Vec::<String>::new(), "{when}");
        let found = ask(client, "SELECT count(DISTINCT batch), max(batch) + 1 FROM crash.t").await;
        let updates: usize =
            ask(client, "SELECT max(n) FROM crash.t WHERE batch = 0").await[0].parse().unwrap();
        let may_be = |count: usize| format!("{count}|{count}");
        let one_more = found == [may_be(self.batches + 1)];
        assert!(one_more || found == [may_be(self.batches)], "{when}: {found:?} after {}", self.batches);
        assert!(
            (self.updates..=self.updates + 1).contains(&updates),
            "{when}: {updates}, not {}",
            self.updates
        );
        self.batches += usize::from(one_more);
        self.updates = updates;
    }

    async fn add_files(&mut self, client: &Client, files: usize) {
        for _ in 0..files {
            ask(client, &insert(self.batches)).await;
            self.batches += 1;
        }
    }

    /// A server dies while a statement of upkeep runs beside others.
    async fn kill_statement(&mut self, round: u64, statement: &'static str) {
        let mut server = self.root.serve();
        let client = server.client().await;
        self.assert_whole(&client, &format!("round {round}")).await;
        let inserts = (self.batches..self.batches + 500).map(insert).collect();
        let inserted = work(client, inserts);
        let updated = work(server.client().await, vec![UPDATE.to_owned(); 500]);
        keep_asking(server.client().await, statement);
        let moment = self.dice.moment(A_WHILE);
        tokio::time::sleep(moment).await;
        server.kill();
        let (inserted, updated) = (inserted.await.unwrap(), updated.await.unwrap());
        eprintln!("round {round}: killed after {moment:?}, {inserted} inserts and {updated} updates");
        self.batches += inserted;
        self.updates += updated;
    }

    /// A server dies while the background merges files.
    async fn kill_background(&mut self, round: u64) {
        let mut server = self.root.serve();
        let started = tokio::time::Instant::now();
        let client = server.client().await;
        self.assert_whole(&client, &format!("round {round}")).await;
        self.add_files(&client, FILES).await;
        let moment = self.dice.moment(A_WHILE / 3);
        tokio::time::sleep_until(started + FIRST_LOOK + moment).await;
        server.kill();
        eprintln!("round {round}: killed {moment:?} after the background began to look");
    }

    /// A server dies while it removes every file that is not needed.
    async fn kill_vacuum(&mut self, round: u64) {
        let mut server = self.root.serve();
        let client = server.client().await;
        self.assert_whole(&client, &format!("round {round}")).await;
        keep_asking(client, "VACUUM (RETAIN '0 hours', FORCE) crash.t");
        let moment = self.dice.moment(A_WHILE / 3);
        tokio::time::sleep(moment).await;
        server.kill();
        eprintln!("round {round}: killed VACUUM after {moment:?}");
    }
}

async fn rows_stay_while_files_are_merged_and_removed(root: Root) {
    let mut crashes = Crashes { root, dice: Dice::new(KILLS), batches: 0, updates: 0 };
    {
        let server = crashes.root.serve();
        let client = server.client().await;
        let table = "CREATE SCHEMA crash; CREATE TABLE crash.t (id bigint, batch int, n int, text text) \
                     CLUSTER BY (id)";
        client.batch_execute(table).await.unwrap();
        crashes.add_files(&client, FILES).await;
        assert!(server.terminate().success());
    }
    for round in 1..=crashes.dice.kills {
        match round % 5 {
            1 => crashes.kill_statement(round, "OPTIMIZE crash.t").await,
            2 => crashes.kill_background(round).await,
            3 => crashes.kill_vacuum(round).await,
            4 => crashes.kill_statement(round, "OPTIMIZE crash.t ZORDER BY (id, n)").await,
            _ => kill_recovery(&crashes.root, &mut crashes.dice, A_WHILE).await,
        }
    }
    let server = crashes.root.serve();
    let client = server.client().await;
    crashes.assert_whole(&client, "at the end").await;
    ask(&client, "OPTIMIZE crash.t").await;
    ask(&client, "VACUUM (RETAIN '0 hours', FORCE) crash.t").await;
    crashes.assert_whole(&client, "after VACUUM").await;
    assert_eq!(ask(&client, "SELECT files FROM system.tables WHERE name = 't'").await, ["1"]);
    let open = "SELECT kind FROM system.maintenance WHERE state = 'running'";
    assert_eq!(ask(&client, open).await, Vec::<String>::new());
    assert_no_faults(&crashes.root, server);
}
