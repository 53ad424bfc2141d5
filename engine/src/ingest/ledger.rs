//! `_system/loads`: what became of every file, as events; and what this process remembers of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::json::LineDelimitedWriter;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::execution::{SessionState, context::SessionContext};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{AggregateUDF, Expr, ExprFunctionExt, col, lit};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parking_lot::RwLock;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::Identity;
use super::history::{Fate, History, Standing, Summary};
use super::job::Job;
use super::state_table::StateTable;
use crate::catalog::Oid;
use crate::error::{Error, ErrorKind, Result};
use crate::table::{Application, Looked};
use crate::warehouse::Warehouse;

/// Where it lies under the root.
pub const LOCATION: &str = "_system/loads";

/// Small files are read this many at a time.
const READ_AHEAD: usize = 16;

/// Who loads into what. A table that is dropped and made again is another target, and its files are new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    /// 0: files that were pushed.
    pipe_oid: i64,
    target_oid: i64,
}

impl Key {
    pub(super) fn new(pipe: Option<Oid>, target: Oid) -> Self {
        Self { pipe_oid: pipe.map_or(0, i64::from), target_oid: i64::from(target) }
    }

    pub(super) fn pipe(self) -> Option<Oid> {
        Oid::try_from(self.pipe_oid).ok().filter(|oid| *oid != 0)
    }

    pub(super) fn target(self) -> Option<Oid> {
        Oid::try_from(self.target_oid).ok()
    }

    /// The application id of its transactions, in every log.
    pub(super) fn application(self) -> String {
        match self.pipe() {
            Some(pipe) => format!("pipe/{pipe}/{}", self.target_oid),
            None => format!("load/{}", self.target_oid),
        }
    }

    /// The transaction of a batch.
    pub(super) fn at(self, batch: i64) -> Application {
        Application { id: self.application(), version: batch }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// For people to see, and for [`super::Ingestion::recover`] to find; it decides nothing.
    Started,
    Loaded,
    Failed,
    /// Failed as often as the pipe allows; not tried again until it is replayed.
    Dead,
    Skipped,
    /// Not of a file: those since [`Event::identity`]'s moment are to be loaded again.
    Replay,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) pipe_oid: i64,
    pub(super) target_oid: i64,
    pub(super) pipe: String,
    pub(super) target: String,
    /// The batch in which the file was tried.
    pub(super) batch: i64,
    pub(super) file: String,
    #[serde(flatten)]
    pub(super) identity: Identity,
    /// A digest of the pipe's and the table's definition: a file that failed is tried again under another.
    pub(super) definition: String,
    pub(super) state: State,
    /// Whether a file that failed is tried again in any case.
    pub(super) retry: bool,
    pub(super) rows: Option<i64>,
    pub(super) rejected: Option<i64>,
    /// Read from the file, whatever became of them.
    #[serde(default)]
    pub(super) records: Option<i64>,
    /// The table version that holds the rows.
    pub(super) version: Option<i64>,
    pub(super) started_at: DateTime<Utc>,
    pub(super) finished_at: Option<DateTime<Utc>>,
    pub(super) sqlstate: Option<String>,
    pub(super) error: Option<String>,
    pub(super) recorded_at: DateTime<Utc>,
}

impl Event {
    fn key(&self) -> Key {
        Key { pipe_oid: self.pipe_oid, target_oid: self.target_oid }
    }

    /// A file begins now.
    pub(super) fn started(job: &Job, batch: i64, file: &str, identity: Identity) -> Self {
        Self {
            pipe: job.name.clone(),
            batch,
            file: file.to_owned(),
            definition: job.definition.clone(),
            state: State::Started,
            finished_at: None,
            ..Self::of(job.key, &job.table.name.to_string(), identity)
        }
    }

    /// Files since a moment are to be loaded again.
    pub(super) fn replay(key: Key, pipe: &str, target: &str, from: DateTime<Utc>) -> Self {
        Self { pipe: pipe.to_owned(), ..Self::of(key, target, Identity::at(from)) }
    }

    fn of(key: Key, target: &str, identity: Identity) -> Self {
        let now = Utc::now();
        Self {
            pipe_oid: key.pipe_oid,
            target_oid: key.target_oid,
            pipe: String::new(),
            target: target.to_owned(),
            batch: 0,
            file: String::new(),
            identity,
            definition: String::new(),
            state: State::Replay,
            retry: false,
            rows: None,
            rejected: None,
            records: None,
            version: None,
            started_at: now,
            finished_at: Some(now),
            sqlstate: None,
            error: None,
            recorded_at: now,
        }
    }

    /// The event of a file that ends so.
    pub(super) fn failed(mut self, error: &Error) -> Self {
        self.state = State::Failed;
        self.retry = is_transient(error.kind());
        self.sqlstate = Some(error.sqlstate().to_owned());
        self.error = Some(told(error));
        self.ended()
    }

    /// The last failure that a pipe allows.
    pub(super) fn dead(mut self, tries: u32) -> Self {
        self.state = State::Dead;
        self.retry = false;
        let reason = self.error.take().unwrap_or_default();
        self.error = Some(format!("{reason}. It was tried {tries} times"));
        self
    }

    pub(super) fn ended(mut self) -> Self {
        let now = Utc::now();
        self.finished_at = Some(now);
        self.recorded_at = now;
        self
    }
}

/// An error in one line: message, detail and hint.
pub(super) fn told(error: &Error) -> String {
    let mut text = error.message().to_owned();
    for more in [error.detail(), error.hint()].into_iter().flatten() {
        text.push_str(". ");
        text.push_str(more.trim_end_matches('.'));
    }
    text
}

/// Whether the same file may load later though neither it nor the pipe changes.
fn is_transient(kind: ErrorKind) -> bool {
    use ErrorKind::*;
    matches!(
        kind,
        StorageIo
            | OutcomeUnknown
            | Cancelled
            | ShuttingDown
            | OutOfMemory
            | DiskFull
            | TooManyConnections
            | SerializationFailure
            | ForeignSystem
            | UndefinedTable
            | UndefinedSchema
            | UndefinedFunction
            | UndefinedObject
            | InsufficientPrivilege
    )
}

#[derive(Debug, Default)]
struct Memory {
    /// The version of the table up to which it is read.
    version: Option<u64>,
    histories: HashMap<Key, History>,
}

impl Memory {
    fn add(&mut self, mut events: Vec<Event>, version: u64) {
        events.sort_by_key(|event| event.recorded_at);
        for event in events {
            self.histories.entry(event.key()).or_default().apply(event);
        }
        self.version = Some(version);
    }
}

pub(super) struct Ledger {
    table: StateTable,
    memory: RwLock<Memory>,
    refreshing: tokio::sync::Mutex<()>,
    looked: Looked,
}

impl Ledger {
    pub(super) fn new(warehouse: &Warehouse) -> Result<Self> {
        let table = StateTable::new(warehouse, LOCATION, schema())?;
        Ok(Self {
            table,
            memory: RwLock::default(),
            refreshing: tokio::sync::Mutex::new(()),
            looked: Looked::default(),
        })
    }

    /// Reads what was committed since the last time, here or elsewhere.
    pub(super) async fn refresh(&self) -> Result<()> {
        let _turn = self.refreshing.lock().await;
        let known = self.memory.read().version.filter(|_| !self.looked.is_long_ago());
        self.looked.now();
        if let Some(known) = known {
            match self.read_on(known).await {
                Ok(()) => return Ok(()),
                // A file may have been compacted and removed before it was read here.
                Err(error) => tracing::info!(%error, "reading the record of loads again from the start"),
            }
        }
        self.read_all().await
    }

    /// Forgets everything and reads it again.
    pub(super) async fn reload(&self) -> Result<()> {
        let _turn = self.refreshing.lock().await;
        self.read_all().await
    }

    async fn read_all(&self) -> Result<()> {
        let snapshot = self.table.delta().await?.snapshot().await?;
        let files = snapshot.files()?.iter().map(|file| file.path.clone()).collect();
        let events = self.read(files).await?;
        let mut memory = Memory::default();
        memory.add(events, snapshot.version());
        *self.memory.write() = memory;
        Ok(())
    }

    async fn read_on(&self, known: u64) -> Result<()> {
        let delta = self.table.delta().await?;
        let mut next = known + 1;
        while let Some(entry) = delta.log_store().read_commit_entry(next).await? {
            let events = self.read(added_paths(&entry)?).await?;
            self.memory.write().add(events, next);
            next += 1;
        }
        Ok(())
    }

    async fn read(&self, paths: Vec<Path>) -> Result<Vec<Event>> {
        let store = self.table.storage().store();
        let folder = self.table.storage().path(self.table.location());
        let mut files = futures::stream::iter(paths)
            .map(|path| {
                let location = path.parts().fold(folder.clone(), |path, part| path.join(part));
                let store = Arc::clone(&store);
                async move { store.get(&location).await?.bytes().await }
            })
            .buffered(READ_AHEAD);
        let mut events = Vec::new();
        while let Some(bytes) = files.try_next().await? {
            for batch in ParquetRecordBatchReaderBuilder::try_new(bytes)?.build()? {
                events.extend(from_batch(&batch?)?);
            }
        }
        Ok(events)
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.memory.read().histories.keys().copied().collect();
        keys.sort_unstable();
        keys
    }

    pub(super) fn finished(&self, key: Key) -> i64 {
        self.memory.read().histories.get(&key).map_or(0, |history| history.finished)
    }

    pub(super) fn summary(&self, key: Key) -> Summary {
        self.memory.read().histories.get(&key).map(History::summary).unwrap_or_default()
    }

    /// How many files a replay since a moment concerns.
    pub(super) fn files_since(&self, key: Key, moment: DateTime<Utc>) -> u64 {
        let memory = self.memory.read();
        let files = memory.histories.get(&key).into_iter().flat_map(|history| history.files.values());
        files.filter(|versions| versions.iter().any(|seen| seen.identity.modified_at() >= moment)).count()
            as u64
    }

    /// How often this object has failed.
    pub(super) fn tries(&self, key: Key, file: &str, object: &Identity) -> u32 {
        let memory = self.memory.read();
        let versions = memory.histories.get(&key).and_then(|history| history.files.get(file));
        let same = versions.into_iter().flatten().filter(|seen| seen.identity.is_same_object(object));
        same.map(|seen| seen.tries).max().unwrap_or(0)
    }

    /// Files that were begun and of which nothing was heard since.
    pub(super) fn begun(&self, key: Key) -> Vec<Event> {
        let memory = self.memory.read();
        memory.histories.get(&key).into_iter().flat_map(|history| history.begun.values().cloned()).collect()
    }

    /// How an object stands that was listed but not read.
    pub(super) fn standing(&self, key: Key, file: &str, object: &Identity, definition: &str) -> Standing {
        let memory = self.memory.read();
        memory.histories.get(&key).map_or(Standing::New, |history| history.standing(file, object, definition))
    }

    /// Whether this content was loaded from a file of this name.
    pub(super) fn has_version(&self, key: Key, file: &str, identity: &Identity) -> bool {
        let memory = self.memory.read();
        let versions = memory.histories.get(&key).and_then(|history| history.files.get(file));
        versions
            .into_iter()
            .flatten()
            .any(|seen| matches!(seen.fate, Fate::Loaded) && seen.identity.is_same_content(identity))
    }

    /// The name of the file from which this content was loaded.
    pub(super) fn loaded_as(&self, key: Key, content: &str) -> Option<String> {
        self.memory.read().histories.get(&key)?.contents.get(content).cloned()
    }

    /// Whether this failure of this object is recorded already.
    pub(super) fn is_old_news(&self, event: &Event) -> bool {
        let memory = self.memory.read();
        let versions = memory.histories.get(&event.key()).and_then(|history| history.files.get(&event.file));
        versions.into_iter().flatten().any(|seen| {
            seen.identity.is_same_object(&event.identity)
                && matches!(&seen.fate, Fate::Failed { definition, error, .. }
                    if *error == event.error && *definition == event.definition)
        })
    }

    /// Records what concerns no commit of the target: begun, failed and skipped files.
    pub(super) async fn record(&self, events: Vec<Event>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.table.append(&events, None).await?;
        self.refresh().await
    }

    /// Records the outcome of a batch, once.
    pub(super) async fn finish(
        &self,
        mut events: Vec<Event>,
        version: u64,
        batch: Application,
    ) -> Result<()> {
        for event in &mut events {
            event.version =
                (event.state == State::Loaded).then(|| i64::try_from(version).unwrap_or(i64::MAX));
        }
        self.table.append(&events, Some(batch)).await?;
        self.refresh().await
    }

    pub(super) async fn record_interrupted(&self, begun: Vec<Event>) -> Result<()> {
        let error = Error::new(ErrorKind::Cancelled, "the load was interrupted before it was committed")
            .with_hint("Load the file again; what was committed is not doubled.");
        self.record(begun.into_iter().map(|event| event.failed(&error)).collect()).await
    }

    pub(super) async fn compact(&self) -> Result<()> {
        self.table.compact().await
    }

    /// Every event.
    pub(super) async fn events(&self) -> Result<Arc<dyn TableProvider>> {
        Ok(Arc::new(self.table.scan().await?))
    }

    /// The fate of each file in each batch. A beginning is shown while nothing else is known of the object, nor
    /// anything later of the file.
    pub(super) async fn provider(&self, state: SessionState) -> Result<Arc<dyn TableProvider>> {
        let file = ["pipe_oid", "target_oid", "file"];
        let object = ["pipe_oid", "target_oid", "file", "size", "etag", "modified_at"];
        let newest = over(max_udaf(), "recorded_at", &file)?.alias("newest_at");
        // The last state in the alphabet is the least of them all only if there is no other.
        let least = over(min_udaf(), "state", &object)?.alias("least_state");
        let still_open = col("recorded_at").eq(col("newest_at")).and(col("least_state").eq(lit("started")));
        let shown = [
            "pipe",
            "target",
            "file",
            "size",
            "etag",
            "rows",
            "rejected",
            "version",
            "started_at",
            "finished_at",
            "state",
            "sqlstate",
            "error",
            "batch",
            "records",
        ];
        let events = SessionContext::new_with_state(state).read_table(Arc::new(self.table.scan().await?))?;
        let loads = events
            .window(vec![newest])?
            .window(vec![least])?
            .filter(col("state").not_eq(lit("started")).or(still_open))?
            .filter(col("state").not_eq(lit("replay")))?
            .select_columns(&shown)?;
        Ok(loads.into_view())
    }
}

fn over(function: Arc<AggregateUDF>, column: &str, partition: &[&str]) -> Result<Expr> {
    let partition = partition.iter().map(|name| col(*name)).collect();
    Ok(Expr::from(WindowFunction::new(function, vec![col(column)])).partition_by(partition).build()?)
}

fn schema() -> Schema {
    let required = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let at = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Schema::new(vec![
        required("pipe_oid", DataType::Int64),
        required("target_oid", DataType::Int64),
        required("pipe", DataType::Utf8),
        required("target", DataType::Utf8),
        required("batch", DataType::Int64),
        required("file", DataType::Utf8),
        required("size", DataType::Int64),
        text("etag"),
        required("modified_at", at()),
        text("content_hash"),
        required("definition", DataType::Utf8),
        required("state", DataType::Utf8),
        required("retry", DataType::Boolean),
        number("rows"),
        number("rejected"),
        number("version"),
        required("started_at", at()),
        Field::new("finished_at", at(), true),
        text("sqlstate"),
        text("error"),
        required("recorded_at", at()),
        number("records"),
    ])
}

fn from_batch(batch: &RecordBatch) -> Result<Vec<Event>> {
    let mut lines = Vec::new();
    let mut writer = LineDelimitedWriter::new(&mut lines);
    writer.write(batch)?;
    writer.finish()?;
    let events = serde_json::Deserializer::from_slice(&lines).into_iter::<Event>();
    events
        .map(|event| {
            event.map_err(|error| {
                Error::new(ErrorKind::DataCorrupted, "the record of loads is corrupt")
                    .with_detail(error.to_string())
            })
        })
        .collect()
}

/// New rows of a log entry; what a compaction rewrote is known.
fn added_paths(entry: &[u8]) -> Result<Vec<Path>> {
    let mut paths = HashSet::new();
    for action in serde_json::Deserializer::from_slice(entry).into_iter::<Value>() {
        let action = action?;
        let Some(add) = action.get("add") else { continue };
        if add.get("dataChange").and_then(Value::as_bool) == Some(true)
            && let Some(path) = add.get("path").and_then(Value::as_str)
        {
            // The log has paths percent-encoded, as URLs.
            paths.insert(Path::from_url_path(path).map_err(object_store::Error::from)?);
        }
    }
    Ok(paths.into_iter().collect())
}
