//! Removing files that no kept version needs, and the log entries of versions that nobody can read any more.

use std::collections::HashSet;

use chrono::Duration;
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::kernel::{Action, MetadataExt as _};
use deltalake_core::operations::vacuum::VacuumMode;
use deltalake_core::protocol::DeltaOperation;
use futures::FutureExt;

use super::options::Property;
use super::{CommitInfo, DeltaTable};
use crate::error::Result;

/// Data files that no commit has named may belong to a statement or a load that has not committed yet.
const STAGED_HOURS: i64 = 24;

/// What is removed.
#[derive(Debug, Clone, Default)]
pub struct Removal {
    /// For how long files that left the table are kept; `None`: as the table says, a week by default.
    pub retention: Option<Duration>,
    /// Counts, and removes nothing.
    pub dry_run: bool,
    /// What the log keeps of it.
    pub info: Option<CommitInfo>,
}

impl DeltaTable {
    /// Deletes data files that left the table longer than `retention` ago, and files that no commit ever named,
    /// but for those of the last day. `None` keeps the table's own retention, a week by default. Log entries go
    /// by the table's own retention, a month, whatever that of its files. Returns the number of files.
    pub async fn vacuum(&self, retention: Option<Duration>) -> Result<usize> {
        self.vacuum_with(Removal { retention, ..Removal::default() }).await
    }

    /// The same, or a count of what it would remove.
    pub async fn vacuum_with(&self, removal: Removal) -> Result<usize> {
        let staged = Duration::hours(STAGED_HOURS);
        let retention = removal.retention;
        let mut removed = HashSet::new();
        if retention.is_some_and(|retention| retention < staged) {
            removed.extend(self.remove_files(VacuumMode::Lite, &removal).await?);
        }
        let kept = retention.map(|retention| retention.max(staged));
        let removal = Removal { retention: kept, ..removal };
        removed.extend(self.remove_files(VacuumMode::Full, &removal).await?);
        let entries = if removal.dry_run { 0 } else { self.clean_log().await? };
        Ok(removed.len() + entries)
    }

    /// Removes log entries that are older than the table's retention of them and that no kept version needs.
    pub async fn clean_log(&self) -> Result<usize> {
        Ok(deltalake_core::checkpoints::cleanup_metadata(&self.delta().await?, None).boxed().await?)
    }

    async fn remove_files(&self, mode: VacuumMode, removal: &Removal) -> Result<Vec<String>> {
        let mut vacuum = self.delta().await?.vacuum().with_mode(mode).with_dry_run(removal.dry_run);
        if let Some(retention) = removal.retention {
            vacuum = vacuum.with_retention_period(retention).with_enforce_retention_duration(false);
        }
        if let Some(info) = &removal.info {
            let properties = CommitProperties::default().with_metadata(info.metadata.clone());
            vacuum = vacuum.with_commit_properties(properties);
        }
        let (_, metrics) = vacuum.await?;
        Ok(metrics.files_deleted)
    }

    /// Changes properties of the table, in one commit; none if nothing changes.
    pub async fn set_properties(&self, changes: &[Property]) -> Result<()> {
        let mut attempt = 0;
        loop {
            let base = self.snapshot().await?;
            let mut metadata = base.metadata().clone();
            for (key, value) in changes {
                let changed = match value {
                    Some(value) => metadata.add_config_key(key.clone(), value.clone()),
                    None => metadata.remove_config_key(key),
                };
                metadata = changed.map_err(deltalake_core::DeltaTableError::from)?;
            }
            if metadata == *base.metadata() {
                return Ok(());
            }
            let set = changes.iter().map(|(key, value)| (key.clone(), value.clone().unwrap_or_default()));
            let operation = DeltaOperation::SetTableProperties { properties: set.collect() };
            let actions = vec![Action::Metadata(metadata)];
            match self.replace(&base, actions, operation, CommitInfo::default()).await {
                Ok(_) => return Ok(()),
                Err(error) => self.pause_or_give_up(&mut attempt, error).await?,
            }
        }
    }

    /// The table as delta-rs's own operations want it.
    pub async fn delta(&self) -> Result<deltalake_core::DeltaTable> {
        let mut table = deltalake_core::DeltaTable::new(self.log_store().clone());
        table.load().boxed().await?;
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::time::SystemTime;

    use arrow::array::{Int64Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
    use object_store::ObjectStoreExt;

    use super::*;
    use crate::storage::{Storage, StoreOptions};
    use crate::table::write::{TableWriter, Written};
    use crate::table::{Application, CommitInfo, CommitOutcome};

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)]))
    }

    async fn staged(table: &DeltaTable) -> Written {
        let base = table.snapshot().await.unwrap();
        let mut writer = TableWriter::new(table, &base, schema()).unwrap();
        let column = Arc::new(Int64Array::from(vec![1, 2, 3]));
        writer.write(&RecordBatch::try_new(schema(), vec![column]).unwrap()).await.unwrap();
        writer.finish().await.unwrap()
    }

    async fn table_in_memory() -> DeltaTable {
        let table = DeltaTable::at(&Storage::in_memory().unwrap(), "s/t").unwrap();
        table.create(&schema(), &[], "t").await.unwrap();
        table
    }

    async fn is_whole(table: &DeltaTable) -> bool {
        let snapshot = table.snapshot().await.unwrap();
        for file in snapshot.files().unwrap().iter() {
            let path = table.storage().path(&format!("{}/{}", table.location(), file.path));
            if table.storage().store().head(&path).await.is_err() {
                return false;
            }
        }
        true
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_that_are_staged_survive_the_shortest_retention() {
        let table = table_in_memory().await;
        let first = staged(&table).await;
        table.append(first.adds, CommitInfo::default()).await.unwrap();
        let loading = staged(&table).await;
        assert_eq!(table.vacuum(Some(Duration::zero())).await.unwrap(), 0);
        table.append(loading.adds, CommitInfo::default()).await.unwrap();
        assert!(is_whole(&table).await);
        assert_eq!(table.snapshot().await.unwrap().row_count().unwrap(), Some(6));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_application_is_known_without_reading_the_log_again() {
        let table = table_in_memory().await;
        let other = DeltaTable::at(table.storage(), "s/t").unwrap();
        let at = |version| CommitInfo {
            application: Some(Application { id: "a".into(), version }),
            metadata: HashMap::new(),
        };
        for version in 1..=3 {
            let outcome = table.append(vec![], at(version)).await.unwrap();
            assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
        }
        // Another handle commits, and commits without an application come between.
        other.append(vec![], CommitInfo::default()).await.unwrap();
        other.append(vec![], at(7)).await.unwrap();
        for (version, known) in [(7, true), (5, true), (8, false), (8, true)] {
            let outcome = table.append(vec![], at(version)).await.unwrap();
            assert_eq!(matches!(outcome, CommitOutcome::AlreadyApplied { .. }), known, "{version}");
        }
        for handle in [&table, &other] {
            let base = handle.snapshot().await.unwrap();
            assert_eq!(handle.application_version(&base, "a").await.unwrap(), Some(8));
            assert_eq!(handle.application_version(&base, "b").await.unwrap(), None);
        }
        // An older snapshot does not see it.
        let old = table.snapshot_at_version(2).await.unwrap();
        assert_eq!(table.application_version(&old, "a").await.unwrap(), Some(2));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn log_entries_older_than_a_month_go_and_the_table_stays() {
        let folder = std::env::temp_dir().join(format!("voxhouse-log-{}", uuid::Uuid::new_v4()));
        let storage = Storage::open(folder.to_str().unwrap(), &StoreOptions::default()).unwrap();
        let table = DeltaTable::at(&storage, "s/t").unwrap();
        table.create(&schema(), &[], "t").await.unwrap();
        for _ in 0..3 {
            let written = staged(&table).await;
            table.append(written.adds, CommitInfo::default()).await.unwrap();
        }
        for _ in 3..130 {
            table.append(vec![], CommitInfo::default()).await.unwrap();
        }
        let log = folder.join("s/t/_delta_log");
        let entries = || {
            let names = std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
            names.retain(|name| name.len() == 25 && name.ends_with(".json"));
            names.sort();
            names
        };
        assert_eq!(entries().len(), 131);
        table.vacuum(Some(Duration::zero())).await.unwrap();
        assert_eq!(entries().len(), 131, "they are of today");
        let long_ago = SystemTime::now() - std::time::Duration::from_secs(40 * 24 * 3600);
        for version in 0..=120 {
            let file =
                std::fs::File::options().append(true).open(log.join(format!("{version:020}.json"))).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        assert!(table.vacuum(None).await.unwrap() > 0);
        let left = entries();
        assert!(left.len() < 60 && left.last().unwrap().contains("130"), "{left:?}");
        // Who has it open reads on; who opens it now reads the same.
        for handle in [table, DeltaTable::at(&storage, "s/t").unwrap()] {
            assert_eq!(handle.snapshot().await.unwrap().row_count().unwrap(), Some(9));
            assert!(is_whole(&handle).await);
            handle.append(vec![], CommitInfo::default()).await.unwrap();
            let gone = handle.snapshot_at_version(5).await.unwrap_err();
            assert_eq!(gone.message(), "table version 5 can no longer be read");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
