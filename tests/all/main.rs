//! Tests that cross crates, in one binary.
//!
//! `slt/` holds SQL with its answers, run through three doors; the modules below hold what SQL files cannot say:
//! clients, files, crashes, several processes. A tool that is missing is a failure that tells what to install.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod clients;
mod connection;
mod postgres_text;
mod process;
mod server;

mod crash;
mod demo;
mod examples;
mod loading;
mod processes;
mod psql;
mod psycopg;
mod sql_files;
mod transactions;
mod wire;

use std::time::{Duration, Instant};

/// Longer than anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Polls until there is an answer.
async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
