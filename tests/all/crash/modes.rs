//! Loads that change what is there: upserts, change feeds and replaced partitions.
//!
//! The test knows what the table holds after each file, or after each delivery where one is loaded as a whole. Whatever
//! a reader finds is one of these states, and never an older one than the last reader found.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{Dice, KILLS, assert_no_faults, keep_asking, kill_recovery, timed};
use crate::process::{Root, ServerProcess};
use crate::server::ask;

on_each_store! {
    Root::new(), Root::on_s3();
    an_upsert_keeps_the_newest_row_of_each_key,
    a_change_feed_is_followed_to_its_end,
    a_partition_is_that_of_one_delivery,
}

async fn an_upsert_keeps_the_newest_row_of_each_key(root: Root) {
    run(root, &UPSERT).await;
}

async fn a_change_feed_is_followed_to_its_end(root: Root) {
    run(root, &CHANGE_FEED).await;
}

async fn a_partition_is_that_of_one_delivery(root: Root) {
    run(root, &PARTITIONS).await;
}

/// What the table holds: by its key, the number of the row that counts.
type Truth = BTreeMap<u64, u64>;

/// A file, and what the table holds once it is loaded. `None`: the next file is loaded with it.
struct Delivered {
    name: String,
    content: String,
    truth: Option<Truth>,
}

struct Mode {
    table: &'static str,
    pipe: &'static str,
    read: &'static str,
    line: fn(u64, u64) -> String,
    deliver: fn(&Truth, u64, &mut Dice) -> Vec<Delivered>,
    /// Rows of each file that are rejected.
    bad_rows: usize,
    /// Whether a delivery must be loaded before the next one comes.
    one_by_one: bool,
}

const UPSERT: Mode = Mode {
    table: "CREATE TABLE crash.t (key bigint PRIMARY KEY, n bigint, text text) CLUSTER BY (key)",
    pipe: "FORMAT csv MODE upsert NEWEST BY n",
    read: "SELECT key, n FROM crash.t ORDER BY key",
    line: |key, n| format!("{key}|{n}"),
    deliver: upserts,
    bad_rows: 1,
    one_by_one: false,
};

const CHANGE_FEED: Mode = Mode {
    table: "CREATE TABLE crash.t (key bigint PRIMARY KEY, n bigint)",
    pipe: "FORMAT ndjson MODE change feed",
    read: "SELECT key, n FROM crash.t ORDER BY key",
    line: |key, n| format!("{key}|{n}"),
    deliver: events,
    bad_rows: 1,
    one_by_one: false,
};

const PARTITIONS: Mode = Mode {
    table: "CREATE TABLE crash.t (day int, article int, delivery int) PARTITION BY (day)",
    pipe: "FORMAT csv MODE replace partition",
    read: "SELECT day, min(delivery), max(delivery), count(*), count(DISTINCT article) FROM crash.t \
           GROUP BY day ORDER BY day",
    line: |day, delivery| format!("{day}|{delivery}|{delivery}|{0}|{0}", 2 * ARTICLES),
    deliver: partitions,
    bad_rows: 0,
    one_by_one: true,
};

const ROWS: u64 = 40;
const KEYS: u64 = 120;
const DAYS: u64 = 5;
const ARTICLES: u64 = 25;

/// Two files, a third of whose rows are older than some that were delivered before, and one is none.
fn upserts(truth: &Truth, delivery: u64, dice: &mut Dice) -> Vec<Delivered> {
    let mut truth = truth.clone();
    let files = (delivery * 2..delivery * 2 + 2).map(|file| {
        let mut content = "key,n,text\nnone,0,x\n".to_owned();
        for row in 0..ROWS {
            let late = if dice.below(3) == 0 { 3_000 } else { 0 };
            let (key, n) = (dice.below(KEYS), 10_000 + file * 1_000 + row - late);
            let newest = truth.entry(key).or_insert(n);
            *newest = n.max(*newest);
            let _ = writeln!(content, "{key},{n},配送 {n}");
        }
        Delivered { name: format!("{file:05}.csv"), content, truth: Some(truth.clone()) }
    });
    files.collect()
}

/// Two files of events in their order; a truncation in each, which cannot be followed.
fn events(truth: &Truth, delivery: u64, dice: &mut Dice) -> Vec<Delivered> {
    let mut truth = truth.clone();
    let files = (delivery * 2..delivery * 2 + 2).map(|file| {
        let first = file * ROWS;
        let mut content = String::new();
        for n in first..first + ROWS - 1 {
            let (key, deletes) = (dice.below(KEYS), dice.below(3) == 0);
            let row = format!("{{\"key\":{key},\"n\":{n}}}");
            let (op, before, after) = match truth.contains_key(&key) {
                true if deletes => ("d", format!("{{\"key\":{key}}}"), "null".to_owned()),
                true => ("u", "null".to_owned(), row),
                false => ("c", "null".to_owned(), row),
            };
            match op {
                "d" => truth.remove(&key),
                _ => truth.insert(key, n),
            };
            let _ = writeln!(
                content,
                "{{\"op\":\"{op}\",\"before\":{before},\"after\":{after},\"source\":{{\"lsn\":{n}}},\"ts_ms\":{n}}}"
            );
        }
        let last = first + ROWS - 1;
        let _ =
            writeln!(content, "{{\"op\":\"t\",\"source\":{{\"lsn\":{last}}},\"ts_ms\":{last}}}");
        Delivered { name: format!("shop.t+0+{first:010}.ndjson"), content, truth: Some(truth.clone()) }
    });
    files.collect()
}

/// Two files for each of two days.
fn partitions(truth: &Truth, delivery: u64, dice: &mut Dice) -> Vec<Delivered> {
    let mut truth = truth.clone();
    let day = dice.below(DAYS);
    let mut files = Vec::new();
    for day in [day, (day + 1) % DAYS] {
        truth.insert(day, delivery);
        for part in 0..2 {
            let mut content = "day,article,delivery\n".to_owned();
            for article in part * ARTICLES..(part + 1) * ARTICLES {
                let _ = writeln!(content, "{day},{article},{delivery}");
            }
            files.push(Delivered { name: format!("{delivery:05}-{day}-{part}.csv"), content, truth: None });
        }
    }
    if let Some(last) = files.last_mut() {
        last.truth = Some(truth);
    }
    files
}

struct Crashes<'a> {
    root: Root,
    mode: &'a Mode,
    dice: Dice,
    deliveries: u64,
    files: usize,
    /// What the table held and will hold, oldest first.
    truths: Vec<Truth>,
    /// The newest of them that a reader has found.
    seen: usize,
    usual: Duration,
}

impl Crashes<'_> {
    fn deliver(&mut self) {
        self.deliveries += 1;
        let last = self.truths.last().cloned().unwrap_or_default();
        for file in (self.mode.deliver)(&last, self.deliveries, &mut self.dice) {
            self.root.drop_file(&format!("landing/crash/{}", file.name), file.content.as_bytes());
            self.files += 1;
            self.truths.extend(file.truth);
        }
    }

    async fn assert_whole(&mut self, client: &Client, when: &str) {
        let found = ask(client, self.mode.read).await;
        let is_found = |truth: &Truth| {
            truth.iter().map(|(key, number)| (self.mode.line)(*key, *number)).eq(found.iter().cloned())
        };
        match self.truths[self.seen..].iter().rposition(is_found) {
            Some(place) => self.seen += place,
            None => panic!("{when}: after state {} of {} came {found:?}", self.seen, self.truths.len()),
        }
    }

    /// A server dies while it runs the pipe; now and then beside another that does not.
    async fn kill_server(&mut self, round: u64) {
        let mut server = self.root.serve();
        let client = server.client().await;
        self.assert_whole(&client, &format!("round {round}")).await;
        if self.mode.one_by_one {
            run_pipe(&client).await;
        }
        let survivor = if round.is_multiple_of(4) { Some(self.root.serve()) } else { None };
        self.deliver();
        keep_asking(server.client().await, "OPTIMIZE crash.t");
        let beside = match &survivor {
            Some(survivor) => {
                let client = survivor.client().await;
                Some(tokio::spawn(async move { run_pipe(&client).await }))
            }
            None => None,
        };
        let running = tokio::spawn(async move { client.simple_query(RUN).await.is_ok() });
        let moment = self.dice.moment(self.usual);
        tokio::time::sleep(moment).await;
        server.kill();
        let finished = running.await.unwrap();
        eprintln!("round {round}: killed after {moment:?}, finished: {finished}");
        if let Some(beside) = beside {
            beside.await.unwrap();
        }
    }

    async fn assert_exactly_once(&mut self, server: &ServerProcess) {
        let client = server.client().await;
        run_pipe(&client).await;
        self.assert_whole(&client, "at the end").await;
        assert_eq!(self.seen, self.truths.len() - 1, "the last files are not loaded");
        let files = self.files;
        let loaded = "SELECT count(*), count(DISTINCT file) FROM system.loads WHERE state = 'loaded'";
        assert_eq!(ask(&client, loaded).await, [format!("{files}|{files}")]);
        let others = "SELECT file, state, error FROM system.loads WHERE state <> 'loaded'";
        assert_eq!(ask(&client, others).await, Vec::<String>::new());
        let rejects = "SELECT count(*), count(DISTINCT file || ':' || row_number) FROM system.rejects";
        let rejected = files * self.mode.bad_rows;
        assert_eq!(ask(&client, rejects).await, [format!("{rejected}|{rejected}")]);
        assert_eq!(ask(&client, "SELECT offset_gaps FROM system.pipes").await, ["NULL"]);
        assert_eq!(ask(&client, RUN).await, ["0|0|0|0|0"]);
    }
}

const RUN: &str = "CALL system.run_pipe('crash')";

/// Runs the pipe to its end, however often others are quicker.
async fn run_pipe(client: &Client) {
    while let Err(error) = client.simple_query(RUN).await {
        assert_eq!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE), "{error:?}");
    }
}

async fn run(root: Root, mode: &Mode) {
    let dice = Dice::new(KILLS);
    let truths = vec![Truth::new()];
    let usual = Duration::ZERO;
    let mut crashes = Crashes { root, mode, dice, deliveries: 0, files: 0, truths, seen: 0, usual };
    {
        let server = crashes.root.serve();
        let client = server.client().await;
        let pipe = format!("CREATE PIPE crash FROM 'landing/crash/' INTO crash.t {}", mode.pipe);
        client.batch_execute(&format!("CREATE SCHEMA crash; {}; {pipe}", mode.table)).await.unwrap();
        for _ in 0..2 {
            crashes.deliver();
            crashes.usual = timed(run_pipe(&client)).await;
            crashes.assert_whole(&client, "at the start").await;
        }
        eprintln!("a run takes {:?}", crashes.usual);
        assert!(server.terminate().success());
    }
    for round in 1..=crashes.dice.kills {
        match round % 5 {
            3 => kill_recovery(&crashes.root, &mut crashes.dice, crashes.usual).await,
            _ => crashes.kill_server(round).await,
        }
    }
    let server = crashes.root.serve();
    crashes.assert_exactly_once(&server).await;
    assert_no_faults(&crashes.root, server);
}
