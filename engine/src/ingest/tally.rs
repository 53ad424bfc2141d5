//! What the runs of this process have loaded since it started, by pipe: for monitoring. The whole history, of all
//! processes, is `system.loads`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use super::RunReport;
use super::ledger::told;
use crate::error::Result;

/// Beyond so many names nothing new is counted: pipes come and go, and their names with them.
const MAX_NAMES: usize = 1_000;

/// What was loaded under one name.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub runs: u64,
    /// Runs that ended with an error of the pipe itself, its target or the warehouse.
    pub failed_runs: u64,
    pub files_loaded: u64,
    pub files_failed: u64,
    pub files_skipped: u64,
    pub rows: u64,
    pub rejected: u64,
    pub bytes: u64,
    /// When a run last ended.
    pub last_run_at: Option<DateTime<Utc>>,
    /// Why the last run ended, if with an error.
    pub last_error: Option<String>,
    /// When a run last ended without an error.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Of the last batch: for how long its oldest file had lain there when its rows were in the table.
    pub lag: Option<TimeDelta>,
}

/// By the name of the pipe, or `load:` and the table for files that were pushed.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<String, Loaded>>);

impl Tally {
    pub(super) fn add(&self, name: &str, outcome: &Result<RunReport>) {
        let mut names = self.0.lock();
        if names.len() >= MAX_NAMES && !names.contains_key(name) {
            return;
        }
        let loaded = names.entry(name.to_owned()).or_default();
        loaded.runs += 1;
        loaded.last_run_at = Some(Utc::now());
        loaded.last_error = outcome.as_ref().err().map(told);
        match outcome {
            Ok(report) => {
                loaded.add(report);
                loaded.last_success_at = Some(Utc::now());
            }
            Err(_) => loaded.failed_runs += 1,
        }
    }

    pub(super) fn read(&self) -> Vec<(String, Loaded)> {
        self.0.lock().iter().map(|(name, loaded)| (name.clone(), loaded.clone())).collect()
    }
}

impl Loaded {
    fn add(&mut self, report: &RunReport) {
        self.files_loaded += report.files_loaded;
        self.files_failed += report.files_failed;
        self.files_skipped += report.files_skipped;
        self.rows += report.rows;
        self.rejected += report.rejected;
        self.bytes += report.bytes;
        self.lag = report.lag.or(self.lag);
    }
}
