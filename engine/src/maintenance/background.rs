//! What happens by itself: merging files of tables that this process reads or writes, and removing log entries that
//! have outlived their retention. One table at a time, on one core. Checkpoints are written by the commits themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::optimize::Job;
use super::{Kind, Maintenance};
use crate::catalog::access::BOOTSTRAP_ROLE;
use crate::catalog::{Author, Table};
use crate::error::Result;
use crate::table::compaction::{Bin, Choice, FEWEST_FILES, bins};
use crate::table::rewrite::Swapped;
use crate::table::snapshot::TableSnapshot;

/// How often tables are looked at. A look costs no request to the store.
const TICK: Duration = Duration::from_secs(5);
/// A table that has not changed for so long gets rid of its last small files.
const REST: Duration = Duration::from_secs(60);
/// How often the log of a table is looked through for entries that can go, and how long after the start first.
const LOG_CLEANUP: Duration = Duration::from_secs(24 * 3600);
const FIRST_LOG_CLEANUP: Duration = Duration::from_secs(600);

/// When a table was seen to change last.
struct Seen {
    version: u64,
    changed: Instant,
    is_at_rest: bool,
    log_cleaned: Instant,
}

/// What this process has seen of tables, by location.
#[derive(Default)]
pub(super) struct Sight(HashMap<String, Seen>);

impl Sight {
    /// What is to be done now about a table at this version.
    fn look(&mut self, table: &Table, version: u64, now: Instant) -> Option<Choice> {
        let seen = self.0.entry(table.location.clone()).or_insert_with(|| Seen {
            version: u64::MAX,
            changed: now,
            is_at_rest: false,
            log_cleaned: now.checked_sub(LOG_CLEANUP - FIRST_LOG_CLEANUP).unwrap_or(now),
        });
        if seen.version != version {
            *seen = Seen { version, changed: now, is_at_rest: false, log_cleaned: seen.log_cleaned };
            return Some(Choice::Tiers);
        }
        if seen.is_at_rest || now.duration_since(seen.changed) < REST {
            return None;
        }
        seen.is_at_rest = true;
        Some(Choice::Small)
    }

    /// Whether it is time to clean the log of a table that was looked at.
    fn is_log_due(&mut self, table: &Table, now: Instant) -> bool {
        match self.0.get_mut(&table.location) {
            Some(seen) if now.duration_since(seen.log_cleaned) >= LOG_CLEANUP => {
                seen.log_cleaned = now;
                true
            }
            _ => false,
        }
    }
}

impl Maintenance {
    /// Runs until it is dropped. Files that were not committed by then are left to VACUUM.
    pub async fn run_background(self: Arc<Self>) {
        let mut sight = Sight::default();
        loop {
            tokio::time::sleep(TICK).await;
            self.tend(&mut sight).await;
        }
    }

    async fn tend(&self, sight: &mut Sight) {
        let catalog = self.warehouse.known_catalog();
        for table in catalog.tables() {
            if table.external.is_some() {
                continue;
            }
            let Some(snapshot) = self.warehouse.known_snapshot(table) else { continue };
            if let Some(choice) = sight.look(table, snapshot.version(), Instant::now())
                && let Err(error) = self.compact(table, &snapshot, choice).await
            {
                tracing::warn!(table = %table.name, %error, "compaction");
            }
            if sight.is_log_due(table, Instant::now())
                && let Err(error) = self.clean_log(table).await
            {
                tracing::warn!(table = %table.name, %error, "cleaning the log");
            }
        }
    }

    /// Merges files of a table if there is reason to.
    pub(super) async fn compact(
        &self,
        table: &Table,
        known: &TableSnapshot,
        choice: Choice,
    ) -> Result<Swapped> {
        if worthwhile(known, choice)?.is_empty() {
            return Ok(Swapped::default());
        }
        let turn = self.turn(&table.location);
        // Who holds it does the same.
        let Ok(_turn) = turn.try_lock() else { return Ok(Swapped::default()) };
        let delta = self.warehouse.delta(table)?;
        let base = delta.snapshot().await?;
        let chosen = worthwhile(&base, choice)?;
        if chosen.is_empty() {
            return Ok(Swapped::default());
        }
        let author = Author { role: BOOTSTRAP_ROLE.to_owned(), statement: String::new() };
        let running = self.journal.begin(table, Kind::Compaction, &author.role);
        let mut state = self.planner.session_state();
        state.config_mut().options_mut().execution.target_partitions = 1;
        let job = Job {
            delta: &delta,
            base,
            table,
            zorder: &[],
            kind: Kind::Compaction,
            author: &author,
            started_ms: running.started_ms,
            state,
            writers: 1,
        };
        match self.run(&job, chosen).await {
            Ok(swapped) => {
                running.end_in_log();
                tracing::info!(table = %table.name, ?swapped, "compacted");
                Ok(swapped)
            }
            Err(error) => {
                running.failed(&error);
                Err(error)
            }
        }
    }

    async fn clean_log(&self, table: &Table) -> Result<()> {
        // Log entries that are going to be removed may be all that tells of a load.
        self.ingestion.settle().await?;
        let delta = self.warehouse.delta(table)?;
        let running = self.journal.begin(table, Kind::LogCleanup, BOOTSTRAP_ROLE);
        match delta.clean_log().await {
            Ok(0) => running.end_in_log(),
            Ok(removed) => running.removed(removed as u64),
            Err(error) => {
                running.failed(&error);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// What the background merges of a table.
fn worthwhile(snapshot: &TableSnapshot, choice: Choice) -> Result<Vec<Bin>> {
    let options = snapshot.options();
    if !options.compaction {
        return Ok(Vec::new());
    }
    let mut chosen = bins(snapshot.files()?.iter(), options.target_file_bytes, choice);
    chosen.retain(|bin| bin.files.len() >= FEWEST_FILES);
    Ok(chosen)
}
