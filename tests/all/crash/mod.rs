//! The process dies by SIGKILL at random moments, again and again, on files and on S3. Whoever looks, at whatever
//! moment, finds every change whole or not at all; in the end everything is there exactly once, without a step by hand.
//!
//! `VOXHOUSE_KILLS` is the number of kills of each test, `VOXHOUSE_SEED` repeats a run.

mod append;
mod definitions;
mod modes;
mod upkeep;

use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::process::{Root, ServerProcess};

/// Kills of a test, unless the environment says otherwise.
const KILLS: u64 = 10;

/// When to kill, and how often.
struct Dice {
    dice: ChaCha8Rng,
    kills: u64,
}

impl Dice {
    fn new(usual_kills: u64) -> Self {
        let kills = number("VOXHOUSE_KILLS").unwrap_or(usual_kills);
        let seed = number("VOXHOUSE_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
        eprintln!("VOXHOUSE_SEED={seed} VOXHOUSE_KILLS={kills}");
        Self { dice: ChaCha8Rng::seed_from_u64(seed), kills }
    }

    /// Most often while something that usually takes so long is under way.
    fn moment(&mut self, usual: Duration) -> Duration {
        let longest = usual.as_micros() as u64 * 13 / 10;
        Duration::from_micros(self.dice.random_range(0..=longest))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.dice.random_range(0..limit)
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

/// A session that goes through statements until there are none left or its server dies; one that lost a race is tried
/// again. Returns how many were answered.
fn work(client: Client, statements: Vec<String>) -> JoinHandle<usize> {
    tokio::spawn(async move {
        let mut done = 0;
        while let Some(statement) = statements.get(done) {
            match client.simple_query(statement).await {
                Ok(_) => done += 1,
                Err(error) if error.as_db_error().is_none() => break,
                Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {}
                Err(error) => panic!("{error:?}: {statement}"),
            }
        }
        done
    })
}

/// A session that asks for the same until its server dies. What is refused is asked again.
fn keep_asking(client: Client, statement: &'static str) {
    tokio::spawn(async move {
        let is_alive = async || match client.simple_query(statement).await {
            Ok(_) => true,
            Err(error) => error.as_db_error().is_some(),
        };
        while is_alive().await {}
    });
}

/// A server dies while it starts and finishes what the one before left.
async fn kill_recovery(root: &Root, dice: &mut Dice, usual: Duration) {
    let mut server = root.serve();
    tokio::time::sleep(dice.moment(usual)).await;
    server.kill();
}

/// How long something takes that nobody disturbs.
async fn timed(work: impl Future<Output = ()>) -> Duration {
    let started = Instant::now();
    work.await;
    started.elapsed()
}

/// Nothing that the catalog names is missing or cut.
fn assert_no_faults(root: &Root, server: ServerProcess) {
    drop(server);
    let said = root.says("check", &[]);
    assert!(said.ends_with("0 faults\n"), "{said}");
}
