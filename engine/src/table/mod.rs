//! One Delta table: its log, its snapshots and its commits.
//!
//! [`DeltaTable`] is the process's handle. Commits of one table queue up behind one lock, so that writers of
//! this process never race each other; writers of other processes are met by retrying with jitter.

pub mod changes;
pub mod contract;
pub mod load;
pub mod maintenance;
pub mod scan;
pub mod snapshot;
pub mod write;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake_core::kernel::{Action, StructField, StructType, Transaction};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use parking_lot::RwLock;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use changes::Changes;
use snapshot::TableSnapshot;

/// How often a commit that lost a race is tried again before the caller sees 40001.
const COMMIT_ATTEMPTS: u32 = 12;

/// Names the entry in a commit's metadata by which its writer knows it again.
const COMMIT_MARK: &str = "voxhouse.commit";

/// What a commit says beside its files.
#[derive(Debug, Clone, Default)]
pub struct CommitInfo {
    /// Makes the commit happen once: a later commit with the same id and a version that is not higher is
    /// refused with [`CommitOutcome::AlreadyApplied`].
    pub application: Option<Application>,
    /// Kept in the log: row counts, the statement, the role.
    pub metadata: HashMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    pub id: String,
    pub version: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    Committed {
        version: u64,
    },
    /// The log holds this application version already.
    AlreadyApplied {
        version: u64,
    },
}

impl CommitOutcome {
    pub fn version(self) -> u64 {
        match self {
            CommitOutcome::Committed { version } | CommitOutcome::AlreadyApplied { version } => version,
        }
    }
}

/// The handle of one table.
pub struct DeltaTable {
    location: String,
    storage: Storage,
    log_store: LogStoreRef,
    latest: RwLock<Option<Arc<TableSnapshot>>>,
    commit_queue: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for DeltaTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeltaTable").field("location", &self.location).finish()
    }
}

impl DeltaTable {
    /// A handle on what lies, or will lie, at `location` under the root. Reads nothing.
    pub fn at(storage: &Storage, location: &str) -> Result<Self> {
        Ok(Self {
            location: location.to_owned(),
            storage: storage.clone(),
            log_store: storage.log_store(location)?,
            latest: RwLock::new(None),
            commit_queue: tokio::sync::Mutex::new(()),
        })
    }

    pub fn location(&self) -> &str {
        &self.location
    }

    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub fn log_store(&self) -> &LogStoreRef {
        &self.log_store
    }

    pub async fn exists(&self) -> Result<bool> {
        Ok(self.log_store.is_delta_table_location().await?)
    }

    /// Writes version 0. [`ErrorKind::DuplicateTable`] if a log is there already.
    pub async fn create(&self, schema: &SchemaRef, partition_by: &[String], name: &str) -> Result<()> {
        if self.exists().await? {
            return Err(self.already_there());
        }
        let columns: StructType =
            schema.as_ref().try_into_kernel().map_err(|error: arrow::error::ArrowError| {
                Error::not_supported(format!(
                    "table \"{name}\" has a column type that cannot be stored: {error}"
                ))
            })?;
        let columns: Vec<StructField> = columns.fields().cloned().collect();
        let created = CreateBuilder::new()
            .with_log_store(Arc::clone(&self.log_store))
            .with_table_name(name)
            .with_columns(columns)
            .with_partition_columns(partition_by)
            .with_save_mode(SaveMode::ErrorIfExists)
            // Expired log entries are removed by VACUUM, not behind a reader's back.
            .with_configuration([("delta.enableExpiredLogCleanup", Some("false"))])
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(_) if self.exists().await? => Err(self.already_there()),
            Err(error) => Err(error.into()),
        }
    }

    fn already_there(&self) -> Error {
        Error::new(ErrorKind::DuplicateTable, format!("a table log exists already at \"{}\"", self.location))
    }

    /// The newest snapshot. One look at the log when the cached one is current.
    pub async fn snapshot(&self) -> Result<Arc<TableSnapshot>> {
        let cached = self.latest.read().clone();
        let Some(cached) = cached else {
            let state = DeltaTableState::try_new(self.log_store.as_ref(), None).await?;
            return self.remember(state);
        };
        if self.log_store.read_commit_entry(cached.version() + 1).await?.is_none() {
            return Ok(cached);
        }
        let mut state = cached.state().clone();
        state.update(self.log_store.as_ref(), None).await?;
        self.remember(state)
    }

    /// Keeps the newer of the cached and the given state.
    fn remember(&self, state: DeltaTableState) -> Result<Arc<TableSnapshot>> {
        let mut latest = self.latest.write();
        if let Some(cached) = latest.as_ref()
            && cached.version() >= state.version()
        {
            return Ok(Arc::clone(cached));
        }
        let fresh = Arc::new(TableSnapshot::new(state)?);
        *latest = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    pub async fn snapshot_at_version(&self, version: u64) -> Result<Arc<TableSnapshot>> {
        let latest = self.snapshot().await?;
        if version == latest.version() {
            return Ok(latest);
        }
        if version > latest.version() {
            return Err(Error::invalid_argument(format!("table version {version} does not exist"))
                .with_detail(format!("The newest version is {}.", latest.version())));
        }
        let state =
            DeltaTableState::try_new(self.log_store.as_ref(), Some(version)).await.map_err(|error| {
                Error::invalid_argument(format!("table version {version} can no longer be read"))
                    .with_hint("Old versions end when VACUUM removes their files.")
                    .with_source(error)
            })?;
        Ok(Arc::new(TableSnapshot::new(state)?))
    }

    /// The table as it was at a moment: the last version committed at or before it.
    pub async fn snapshot_at(&self, moment: DateTime<Utc>) -> Result<Arc<TableSnapshot>> {
        let latest = self.snapshot().await?;
        let mut version = latest.version();
        loop {
            let committed_at = self.committed_at(version).await?;
            if committed_at.is_some_and(|at| at <= moment) {
                return self.snapshot_at_version(version).await;
            }
            if version == 0 {
                return Err(Error::invalid_argument(format!("the table did not exist at {moment}")));
            }
            version -= 1;
        }
    }

    /// The newest version whose moment of commit was there for `seen`, as a transaction that began then reads it.
    /// What the log does not date, or no longer, is old.
    pub async fn snapshot_seen(
        &self,
        seen: impl Fn(DateTime<Utc>) -> bool + Send + Sync,
    ) -> Result<Arc<TableSnapshot>> {
        let latest = self.snapshot().await?;
        let dated = latest.committed_at.get_or_try_init(|| self.committed_at(latest.version())).await?;
        if (*dated).is_none_or(&seen) {
            return Ok(latest);
        }
        for version in (0..latest.version()).rev() {
            if self.committed_at(version).await?.is_none_or(&seen) {
                return self.snapshot_at_version(version).await;
            }
        }
        // A table of the catalog that was read has been there: the clock of who made it is ahead.
        Ok(latest)
    }

    async fn committed_at(&self, version: u64) -> Result<Option<DateTime<Utc>>> {
        let Some(bytes) = self.log_store.read_commit_entry(version).await? else { return Ok(None) };
        let actions = deltalake_core::logstore::get_actions(version, &bytes)?;
        Ok(actions.iter().find_map(|action| match action {
            Action::CommitInfo(info) => info.timestamp.and_then(DateTime::from_timestamp_millis),
            _ => None,
        }))
    }

    /// Adds files that depend on nothing read: a retry after a lost race is always right.
    pub async fn append(&self, adds: Vec<Action>, info: CommitInfo) -> Result<CommitOutcome> {
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        let _turn = self.commit_queue.lock().await;
        let mut attempt = 0;
        loop {
            let base = self.snapshot().await?;
            if let Some(applied) = self.applied(&base, info.application.as_ref()).await? {
                return Ok(applied);
            }
            match self.commit_once(&base, adds.clone(), operation.clone(), &info).await {
                Ok(version) => return Ok(CommitOutcome::Committed { version }),
                Err(error) => self.pause_or_give_up(&mut attempt, error).await?,
            }
        }
    }

    /// Commits what was computed from `base`: it holds only if nothing it read has changed since. A lost race
    /// is [`ErrorKind::SerializationFailure`]; the caller computes again.
    pub async fn replace(
        &self,
        base: &TableSnapshot,
        actions: Vec<Action>,
        operation: DeltaOperation,
        info: CommitInfo,
    ) -> Result<CommitOutcome> {
        let _turn = self.commit_queue.lock().await;
        if let Some(applied) = self.applied(base, info.application.as_ref()).await? {
            return Ok(applied);
        }
        let version = self.commit_once(base, actions, operation, &info).await?;
        Ok(CommitOutcome::Committed { version })
    }

    /// Commits what a transaction worked out from `base` long ago. Other commits since then are in order as long
    /// as they have left alone what this one depends on; else [`ErrorKind::SerializationFailure`].
    pub async fn commit_changes(
        &self,
        base: &TableSnapshot,
        changes: &Changes,
        info: CommitInfo,
    ) -> Result<CommitOutcome> {
        let _turn = self.commit_queue.lock().await;
        let mut attempt = 0;
        loop {
            let latest = self.snapshot().await?;
            changes.require_undisturbed(base, &latest)?;
            let mut actions = latest.remove_actions(&changes.removed);
            actions.extend(changes.added.iter().cloned().map(Action::Add));
            match self.commit_once(&latest, actions, changes.operation.clone(), &info).await {
                Ok(version) => return Ok(CommitOutcome::Committed { version }),
                Err(error) => self.pause_or_give_up(&mut attempt, error).await?,
            }
        }
    }

    async fn applied(
        &self,
        base: &TableSnapshot,
        application: Option<&Application>,
    ) -> Result<Option<CommitOutcome>> {
        let Some(application) = application else { return Ok(None) };
        let stored = self.application_version(base, &application.id).await?;
        Ok(stored
            .filter(|stored| *stored >= application.version)
            .map(|_| CommitOutcome::AlreadyApplied { version: base.version() }))
    }

    /// The last version that an application committed.
    pub async fn application_version(&self, base: &TableSnapshot, id: &str) -> Result<Option<i64>> {
        Ok(base.state().transaction_version(self.log_store.as_ref(), id).await?)
    }

    /// One commit at exactly `base + 1`, or [`ErrorKind::SerializationFailure`].
    async fn commit_once(
        &self,
        base: &TableSnapshot,
        actions: Vec<Action>,
        operation: DeltaOperation,
        info: &CommitInfo,
    ) -> Result<u64> {
        let mark = uuid::Uuid::new_v4().to_string();
        let mut metadata = info.metadata.clone();
        metadata.insert(COMMIT_MARK.to_owned(), mark.clone().into());
        let mut properties = CommitProperties::default().with_max_retries(0).with_metadata(metadata);
        if let Some(application) = &info.application {
            properties = properties
                .with_application_transaction(Transaction::new(&application.id, application.version));
        }
        let table: &dyn TableReference = base.state();
        let finished = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(table), Arc::clone(&self.log_store), operation)
            .await;
        let finished = match finished {
            Ok(finished) => finished,
            Err(error) => return self.after_failure(base.version() + 1, &mark, error).await,
        };
        let version = finished.version();
        // The snapshot of the commit saves the next reader a look at the log; failing to build it loses nothing.
        if let Err(error) = self.remember(finished.snapshot()) {
            tracing::warn!(table = %self.location, %error, "snapshot after commit");
        }
        Ok(version)
    }

    /// A commit can have happened though it was reported as failed: the answer to the put was lost, or what
    /// follows a commit went wrong. The mark in the log tells.
    async fn after_failure(
        &self,
        version: u64,
        mark: &str,
        error: deltalake_core::DeltaTableError,
    ) -> Result<u64> {
        let Some(bytes) = self.log_store.read_commit_entry(version).await? else {
            return Err(lost_race(error));
        };
        let actions = deltalake_core::logstore::get_actions(version, &bytes)?;
        let is_ours = actions.iter().any(|action| match action {
            Action::CommitInfo(info) => info.info.get(COMMIT_MARK).and_then(Value::as_str) == Some(mark),
            _ => false,
        });
        if !is_ours {
            return Err(lost_race(error));
        }
        tracing::warn!(table = %self.location, version, %error, "committed, in spite of");
        *self.latest.write() = None;
        Ok(version)
    }

    async fn pause_or_give_up(&self, attempt: &mut u32, error: Error) -> Result<()> {
        *attempt += 1;
        if error.kind() != ErrorKind::SerializationFailure || *attempt >= COMMIT_ATTEMPTS {
            return Err(error);
        }
        tokio::time::sleep(jitter(*attempt)).await;
        Ok(())
    }
}

/// A pause that grows with the attempt and differs between processes.
pub fn jitter(attempt: u32) -> Duration {
    let ceiling = 10u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(ceiling / 2..=ceiling))
}

fn lost_race(error: deltalake_core::DeltaTableError) -> Error {
    use deltalake_core::DeltaTableError as Delta;
    use deltalake_core::kernel::transaction::TransactionError as Lost;
    match error {
        Delta::Transaction {
            source: Lost::MaxCommitAttempts(_) | Lost::CommitConflict(_) | Lost::VersionAlreadyExists(_),
        } => Error::new(
            ErrorKind::SerializationFailure,
            "could not serialize access due to a concurrent commit",
        )
        .with_hint("Run the statement again."),
        // Whatever else it calls itself, nobody else's commit was in the way: it may have happened, or still happen.
        other => {
            let error = Error::from(other);
            match error.kind() {
                ErrorKind::SerializationFailure => {
                    Error::new(ErrorKind::StorageIo, error.message().to_owned()).with_source(error)
                }
                _ => error,
            }
        }
    }
}
