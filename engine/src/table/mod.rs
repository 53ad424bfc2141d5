//! One Delta table: its log, its snapshots and its commits.
//!
//! [`DeltaTable`] is the process's handle. Commits of one table queue up behind one lock, so that writers of
//! this process never race each other; writers of other processes are met by retrying with jitter.

mod applications;
pub mod array_text;
mod assignment;
pub mod changes;
pub mod compaction;
pub mod contract;
pub(crate) mod definition;
pub mod expectations;
pub mod external;
mod keys;
pub mod load;
pub mod maintenance;
pub mod options;
pub mod rewrite;
pub mod rounding;
pub mod scan;
pub mod snapshot;
pub mod tally;
mod verdict;
pub mod write;
pub mod zorder;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake_core::kernel::{Action, StructField, StructType, Transaction};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use futures::FutureExt;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use crate::storage::failure::explain_text;
use applications::Applications;
use changes::{Changes, Depends};
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
    looked: Looked,
    applications: Applications,
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
            looked: Looked::default(),
            applications: Applications::default(),
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
        self.create_with(schema, partition_by, name, &BTreeMap::new()).await
    }

    /// Writes version 0, with properties of the table beside our own.
    pub async fn create_with(
        &self,
        schema: &SchemaRef,
        partition_by: &[String],
        name: &str,
        properties: &BTreeMap<String, String>,
    ) -> Result<()> {
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
        let deadline = Instant::now() + self.storage.patience();
        for attempt in 1.. {
            let created = CreateBuilder::new()
                .with_log_store(Arc::clone(&self.log_store))
                .with_table_name(name)
                .with_columns(columns.clone())
                .with_partition_columns(partition_by)
                .with_save_mode(SaveMode::ErrorIfExists)
                // Expired log entries are removed by VACUUM, not behind a reader's back.
                .with_configuration([("delta.enableExpiredLogCleanup", Some("false"))])
                .with_configuration(properties.iter().map(|(key, value)| (key, Some(value))))
                .with_raise_if_key_not_exists(false)
                .await;
            let Err(error) = created else { return Ok(()) };
            // Whose log it is that is there does not matter: the caller goes elsewhere.
            match self.exists().await {
                Ok(true) => return Err(self.already_there()),
                // A request that was not answered may still arrive; it finds the place taken by the next one.
                _ if is_failure_of_the_store(&error) && Instant::now() < deadline => {
                    tokio::time::sleep(jitter(attempt)).await;
                }
                _ => return Err(error.into()),
            }
        }
        Err(Error::internal("there are no more attempts"))
    }

    fn already_there(&self) -> Error {
        Error::new(ErrorKind::DuplicateTable, format!("a table log exists already at \"{}\"", self.location))
    }

    /// The snapshot that this process has read last, without a look at the store.
    pub fn known_snapshot(&self) -> Option<Arc<TableSnapshot>> {
        self.latest.read().clone()
    }

    /// The newest snapshot. One look at the log when the cached one is current.
    pub async fn snapshot(&self) -> Result<Arc<TableSnapshot>> {
        let cached = self.latest.read().clone().filter(|_| !self.looked.is_long_ago());
        self.looked.now();
        let Some(cached) = cached else {
            let state = DeltaTableState::try_new(self.log_store.as_ref(), None).boxed().await?;
            return self.remember(state);
        };
        if self.log_store.read_commit_entry(cached.version() + 1).await?.is_none() {
            return Ok(cached);
        }
        let mut state = cached.state().clone();
        state.update(self.log_store.as_ref(), None).boxed().await?;
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
        match DeltaTableState::try_new(self.log_store.as_ref(), Some(version)).boxed().await {
            Ok(state) => Ok(Arc::new(TableSnapshot::new(state)?)),
            Err(error) if crate::error::find_store(&error).is_some_and(|store| !is_missing(store)) => {
                Err(error.into())
            }
            Err(error) => {
                Err(Error::invalid_argument(format!("table version {version} can no longer be read"))
                    .with_hint("VACUUM removes log entries that are older than a month.")
                    .with_source(error))
            }
        }
    }

    /// The table as it was at a moment: the last version committed at or before it.
    ///
    /// Versions are looked at by halves. One whose log entry is gone is older than any that is there.
    pub async fn snapshot_at(&self, moment: DateTime<Utc>) -> Result<Arc<TableSnapshot>> {
        let latest = self.snapshot().await?;
        let is_after = async |version: u64| -> Result<bool> {
            Ok(self.committed_at(version).await?.is_some_and(|at| at > moment))
        };
        if !is_after(latest.version()).await? {
            return Ok(latest);
        }
        // All versions below `low` are before the moment, that at `high` is after it.
        let (mut low, mut high) = (0, latest.version());
        while low < high {
            let middle = low + (high - low) / 2;
            match is_after(middle).await? {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        match low.checked_sub(1) {
            Some(version) => self.snapshot_at_version(version).await,
            None => Err(Error::invalid_argument(format!("the table did not exist at {moment}"))),
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
        self.append_if(adds, info, |_| true).await
    }

    async fn append_if(
        &self,
        adds: Vec<Action>,
        info: CommitInfo,
        holds: impl Fn(&TableSnapshot) -> bool + Send,
    ) -> Result<CommitOutcome> {
        let operation = DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
        let _turn = self.commit_queue.lock().await;
        let mut attempt = 0;
        loop {
            let base = self.snapshot().await?;
            if let Some(applied) = self.applied(&base, info.application.as_ref()).await? {
                return Ok(applied);
            }
            if !holds(&base) {
                return Err(changes::disturbed("The table was altered meanwhile."));
            }
            match self.commit_once(&base, adds.clone(), operation.clone(), &info).await {
                Ok(version) => return Ok(CommitOutcome::Committed { version }),
                Err(error) => self.pause_or_give_up(&mut attempt, error).await?,
            }
        }
    }

    /// Adds files whose rows were written for `base`: in order whatever others commit, unless a column has become wider
    /// since, which is [`ErrorKind::SerializationFailure`].
    pub async fn append_to(
        &self,
        base: &TableSnapshot,
        adds: Vec<Action>,
        info: CommitInfo,
    ) -> Result<CommitOutcome> {
        self.append_if(adds, info, |latest| definition::has_types_of(latest, base)).await
    }

    /// Commits what was computed from `base`: it holds only if no row has changed since, and none of the files that
    /// it takes away was rewritten. A lost race is [`ErrorKind::SerializationFailure`]; the caller computes again.
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
        let lost = match self.commit_once(base, actions.clone(), operation.clone(), &info).await {
            Ok(version) => return Ok(CommitOutcome::Committed { version }),
            Err(error) if error.kind() == ErrorKind::SerializationFailure => error,
            Err(error) => return Err(error),
        };
        let latest = self.snapshot().await?;
        if !self.is_only_rearranged(base, &latest, &removed_paths(&actions)).await? {
            return Err(lost);
        }
        let version = self.commit_once(&latest, actions, operation, &info).await?;
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
            let is_rearranged = changes.depends == Depends::OnTable
                && self.is_only_rearranged(base, &latest, &changes.removed).await?;
            if !is_rearranged {
                changes.require_undisturbed(base, &latest)?;
            }
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
        self.applications.version(self.log_store.as_ref(), base, id).await
    }

    /// One commit at exactly `base + 1`, or [`ErrorKind::SerializationFailure`].
    ///
    /// A store that fails may have taken the commit all the same, or take it later: the request is still on its
    /// way. Only when the place in the log is taken is it known by whom, so the same commit is tried until then.
    async fn commit_once(
        &self,
        base: &TableSnapshot,
        actions: Vec<Action>,
        operation: DeltaOperation,
        info: &CommitInfo,
    ) -> Result<u64> {
        let mark = uuid::Uuid::new_v4().to_string();
        let version = base.version() + 1;
        let deadline = Instant::now() + self.storage.patience();
        let mut attempt = 0;
        loop {
            let error = match self.put_commit(base, actions.clone(), operation.clone(), info, &mark).await {
                Ok(version) => return Ok(version),
                Err(error) => error,
            };
            attempt += 1;
            match self.taken_by(version, &mark).await {
                Ok(Some(Taker::Us)) => {
                    tracing::warn!(table = %self.location, version, %error, "committed, in spite of");
                    *self.latest.write() = None;
                    return Ok(version);
                }
                Ok(Some(Taker::Another)) => return Err(lost_race(error)),
                Ok(None) | Err(_) if !is_of_the_store(&error) => return Err(error.into()),
                Ok(None) | Err(_) if attempt > 1 && Instant::now() > deadline => {
                    return Err(self.outcome_unknown(error));
                }
                Ok(None) | Err(_) => tokio::time::sleep(jitter(attempt)).await,
            }
        }
    }

    async fn put_commit(
        &self,
        base: &TableSnapshot,
        actions: Vec<Action>,
        operation: DeltaOperation,
        info: &CommitInfo,
        mark: &str,
    ) -> Result<u64, DeltaTableError> {
        let mut metadata = info.metadata.clone();
        metadata.insert(COMMIT_MARK.to_owned(), mark.into());
        let mut properties = CommitProperties::default().with_max_retries(0).with_metadata(metadata);
        if let Some(application) = &info.application {
            properties = properties
                .with_application_transaction(Transaction::new(&application.id, application.version));
        }
        let table: &dyn TableReference = base.state();
        let finished = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(table), Arc::clone(&self.log_store), operation)
            .await?;
        let version = finished.version();
        self.applications.committed(base.version(), info.application.as_ref());
        // The snapshot of the commit saves the next reader a look at the log; failing to build it loses nothing.
        if let Err(error) = self.remember(finished.snapshot()) {
            tracing::warn!(table = %self.location, %error, "snapshot after commit");
        }
        Ok(version)
    }

    /// Whose commit a version is, if it is there.
    async fn taken_by(&self, version: u64, mark: &str) -> Result<Option<Taker>> {
        let Some(bytes) = self.log_store.read_commit_entry(version).await? else { return Ok(None) };
        let actions = deltalake_core::logstore::get_actions(version, &bytes)?;
        let is_ours = actions.iter().any(|action| match action {
            Action::CommitInfo(info) => info.info.get(COMMIT_MARK).and_then(Value::as_str) == Some(mark),
            _ => false,
        });
        Ok(Some(if is_ours { Taker::Us } else { Taker::Another }))
    }

    fn outcome_unknown(&self, error: DeltaTableError) -> Error {
        let cause = Error::from(error);
        Error::new(
            ErrorKind::OutcomeUnknown,
            format!("object store did not say whether it took the commit on \"{}\"", self.location),
        )
        .with_detail(format!("The last answer was: {cause}."))
        .with_hint(
            "Look whether the change is there before you run the statement again; loads of files find out by themselves.",
        )
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

/// When somebody last looked for the next entry of a log.
///
/// That it is not there means that there is nothing newer only as long as entries are not removed before everybody
/// has seen them. They are kept for weeks; who has not looked for a day reads anew.
#[derive(Debug)]
pub(crate) struct Looked(Mutex<Instant>);

impl Default for Looked {
    fn default() -> Self {
        Self(Mutex::new(Instant::now()))
    }
}

impl Looked {
    pub(crate) fn now(&self) {
        *self.0.lock() = Instant::now();
    }

    pub(crate) fn is_long_ago(&self) -> bool {
        self.0.lock().elapsed() > Duration::from_secs(24 * 3600)
    }
}

/// A pause that grows with the attempt and differs between processes.
pub fn jitter(attempt: u32) -> Duration {
    let ceiling = 10u64 << attempt.min(6);
    Duration::from_millis(rand::random_range(ceiling / 2..=ceiling))
}

fn is_failure_of_the_store(error: &DeltaTableError) -> bool {
    crate::error::find_store(error).is_some() || explain_text(&error.to_string()).is_some()
}

fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { .. })
}

/// Whose commit it is that took a version.
enum Taker {
    Us,
    Another,
}

/// Whether an attempt to commit failed for the store's sake, or for that of another commit, rather than for its own.
fn is_of_the_store(error: &DeltaTableError) -> bool {
    use deltalake_core::kernel::transaction::TransactionError as Lost;
    match error {
        DeltaTableError::VersionAlreadyExists(_) => true,
        DeltaTableError::Transaction { source } => matches!(
            source,
            Lost::MaxCommitAttempts(_) | Lost::VersionAlreadyExists(_) | Lost::ObjectStore { .. }
        ),
        other => is_failure_of_the_store(other),
    }
}

/// The files that a commit takes away, as a snapshot names them.
fn removed_paths(actions: &[Action]) -> HashSet<String> {
    let paths = actions.iter().filter_map(|action| match action {
        Action::Remove(remove) => Some(snapshot::log_path(&remove.path).to_string()),
        _ => None,
    });
    paths.collect()
}

fn lost_race(error: DeltaTableError) -> Error {
    Error::new(ErrorKind::SerializationFailure, "could not serialize access due to a concurrent commit")
        .with_hint("Run the statement again.")
        .with_source(error)
}
