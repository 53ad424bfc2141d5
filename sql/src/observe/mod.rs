//! What can be seen of a running server: its statements, its connections, and what they cost.
//!
//! The wire tells an [`Observer`] of every statement that it runs and every connection that comes and goes.
//! `system.queries`, the statement log and the metrics are views of that. Nothing here changes what a statement does,
//! and nothing is kept across a restart.

pub mod counters;
mod exposition;
pub mod http;
mod process;
pub mod queries;
pub mod scrape;
pub mod spans;
pub mod watch;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use counters::Counters;
use queries::Queries;

/// What one process sees of itself.
#[derive(Debug, Default)]
pub struct Observer {
    pub queries: Queries,
    pub counters: Counters,
    /// What `log_min_duration_statement` is when a session begins; nothing: its own default.
    log_threshold: OnceLock<String>,
    ends: AtomicBool,
}

impl Observer {
    /// Milliseconds, for sessions to come. The first call counts.
    pub fn set_log_threshold(&self, milliseconds: i32) {
        let _ = self.log_threshold.set(milliseconds.to_string());
    }

    pub fn log_threshold(&self) -> Option<&str> {
        self.log_threshold.get().map(String::as_str)
    }

    /// The server takes no more connections.
    pub fn end(&self) {
        self.ends.store(true, Relaxed);
    }

    pub fn is_ending(&self) -> bool {
        self.ends.load(Relaxed)
    }
}
