//! VACUUM of tables, and how much of the past it must leave.

use chrono::Duration;

use super::{Kind, Maintenance};
use crate::catalog::{Author, Table};
use crate::error::{Error, Result};
use crate::table::maintenance::Removal;
use crate::table::rewrite::upkeep_info;

/// Statements that run now, here or elsewhere, may read files that left their table a moment ago.
pub const SAFE_RETENTION: Duration = Duration::hours(24);

/// `VACUUM (RETAIN '7 days', DRY RUN, FORCE)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vacuum {
    /// `None`: as the table says, a week by default.
    pub retention: Option<Duration>,
    /// Says what it would do.
    pub dry_run: bool,
    /// Allows a retention that takes files from under running queries.
    pub force: bool,
}

impl Vacuum {
    pub fn check(&self) -> Result<()> {
        match self.retention {
            Some(retention) if retention < SAFE_RETENTION && !self.force && !self.dry_run => {
                Err(Error::invalid_argument("a retention of less than 24 hours is not safe")
                    .with_detail(
                        "Queries that run now may still read files that left the table a moment ago.",
                    )
                    .with_hint("VACUUM (RETAIN '…', FORCE) does it if you know that nobody reads the table."))
            }
            _ => Ok(()),
        }
    }
}

impl Maintenance {
    /// Returns the number of files that were, or would be, removed.
    pub async fn vacuum(&self, table: &Table, vacuum: &Vacuum, author: &Author) -> Result<usize> {
        vacuum.check()?;
        let delta = self.warehouse.delta(table)?;
        let Vacuum { retention, dry_run, .. } = *vacuum;
        if dry_run {
            return delta.vacuum_with(Removal { retention, dry_run, info: None }).await;
        }
        // Log entries that are going to be removed may be all that tells of a load.
        self.ingestion.settle().await?;
        let running = self.journal.begin(table, Kind::Vacuum, &author.role);
        let info = upkeep_info(Kind::Vacuum.as_str(), &author.role, &author.statement, running.started_ms);
        match delta.vacuum_with(Removal { retention, dry_run, info: Some(info) }).await {
            Ok(removed) => {
                running.end_in_log();
                Ok(removed)
            }
            Err(error) => {
                running.failed(&error);
                Err(error)
            }
        }
    }
}
