//! Tests that cross crates, in one binary.
//!
//! `slt/` holds SQL with its answers, run through three doors; the modules below hold what SQL files cannot say:
//! clients, files, crashes, several processes. A tool that is missing is a failure that tells what to install.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

/// The same tests on each kind of store: each takes what one of the two expressions makes.
macro_rules! on_each_store {
    ($on_files:expr, $on_s3:expr; $($test:ident),+ $(,)?) => {
        mod on_files {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() { super::$test($on_files).await })+
        }
        mod on_s3 {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() { super::$test($on_s3).await })+
        }
    };
}

mod access;
mod clients;
mod connection;
mod copy;
mod postgres;
mod postgres_text;
mod process;
mod s3_server;
mod server;

mod certificates;
mod crash;
mod demo;
mod drivers;
mod evolution;
mod examples;
mod exposition;
mod hostile;
mod identity;
mod loading;
mod maintenance;
mod notifications;
mod observability;
mod oracle;
mod pipes;
mod prepared;
mod processes;
mod psql;
mod psql_compared;
mod psycopg;
mod quality;
mod quality_modes;
mod reports;
mod s3;
mod s3_faults;
mod sessions;
mod sql_files;
mod templates;
mod text;
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
