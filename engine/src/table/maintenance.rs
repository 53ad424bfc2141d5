//! Removing files that no kept version needs.

use chrono::Duration;
use deltalake_core::operations::vacuum::VacuumMode;

use super::DeltaTable;
use crate::error::Result;

impl DeltaTable {
    /// Deletes data files that left the table longer than `retention` ago, and files that no commit ever
    /// named. `None` keeps the table's own retention, a week by default. Returns the number of files.
    pub async fn vacuum(&self, retention: Option<Duration>) -> Result<usize> {
        let mut vacuum = self.delta().await?.vacuum().with_mode(VacuumMode::Full);
        if let Some(retention) = retention {
            vacuum = vacuum.with_retention_period(retention).with_enforce_retention_duration(false);
        }
        let (_, metrics) = vacuum.await?;
        Ok(metrics.files_deleted.len())
    }

    /// The table as delta-rs's own operations want it.
    pub async fn delta(&self) -> Result<deltalake_core::DeltaTable> {
        let mut table = deltalake_core::DeltaTable::new(self.log_store().clone());
        table.load().await?;
        Ok(table)
    }
}
