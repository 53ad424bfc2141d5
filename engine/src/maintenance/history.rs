//! What was done to tables, as their logs tell it: rewrites and vacuums by whichever program, and checkpoints.
//!
//! A log entry never changes, so what was read of it is kept; a look costs one listing of each log and the entries that
//! are new. Of a long log only the newest entries are read.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use deltalake_core::kernel::{Action as LogAction, CommitInfo};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};
use parking_lot::Mutex;
use serde_json::Value;

use crate::catalog::{CatalogSnapshot, Table};
use crate::error::Result;
use crate::table::DeltaTable;
use crate::table::rewrite::{KIND_KEY, STARTED_KEY};
use crate::warehouse::Warehouse;

/// A version, and what its entry says was done, if it tells.
type ToldAt = (u64, Option<LogAction>);

/// Entries of one log that are looked at.
const MOST_ENTRIES: u64 = 10_000;
const READ_AHEAD: usize = 16;
const TABLES_AT_ONCE: usize = 8;

/// A row of `system.maintenance`.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) kind: String,
    pub(super) state: &'static str,
    pub(super) started_ms: Option<i64>,
    pub(super) finished_ms: Option<i64>,
    pub(super) files_in: Option<u64>,
    pub(super) files_out: Option<u64>,
    pub(super) bytes_in: Option<u64>,
    pub(super) bytes_out: Option<u64>,
    pub(super) version: Option<u64>,
    pub(super) role: Option<String>,
    pub(super) error: Option<String>,
}

impl Action {
    pub(super) fn new(kind: &str, state: &'static str) -> Self {
        Self {
            schema: String::new(),
            table: String::new(),
            kind: kind.to_owned(),
            state,
            started_ms: None,
            finished_ms: None,
            files_in: None,
            files_out: None,
            bytes_in: None,
            bytes_out: None,
            version: None,
            role: None,
            error: None,
        }
    }
}

/// What is known of one log.
#[derive(Default, Clone)]
struct Known {
    /// Entries below this version were read.
    next: u64,
    actions: Vec<Action>,
}

#[derive(Default)]
pub(super) struct History {
    /// By location.
    known: Mutex<HashMap<String, Known>>,
}

impl History {
    pub(super) async fn actions(
        &self,
        warehouse: &Warehouse,
        catalog: &CatalogSnapshot,
    ) -> Result<Vec<Action>> {
        let is_ours = |table: &&Table| !table.name.is_temporary() && table.external.is_none();
        let tables: Vec<Table> = catalog.tables().filter(is_ours).cloned().collect();
        self.known.lock().retain(|location, _| tables.iter().any(|table| table.location == *location));
        let each: Vec<BoxFuture<'_, Result<Vec<Action>>>> =
            tables.into_iter().map(|table| self.named(warehouse, table)).collect();
        let each: Vec<Vec<Action>> =
            futures::stream::iter(each).buffered(TABLES_AT_ONCE).try_collect().await?;
        Ok(each.concat())
    }

    fn named<'a>(&'a self, warehouse: &'a Warehouse, table: Table) -> BoxFuture<'a, Result<Vec<Action>>> {
        Box::pin(async move {
            let delta = warehouse.delta(&table)?;
            let mut actions = self.of_table(&delta).await?;
            for action in &mut actions {
                action.schema.clone_from(&table.name.schema);
                action.table.clone_from(&table.name.name);
            }
            Ok(actions)
        })
    }

    async fn of_table(&self, delta: &DeltaTable) -> Result<Vec<Action>> {
        let folder = delta.storage().path(&format!("{}/_delta_log", delta.location()));
        let entries: Vec<ObjectMeta> = delta.storage().store().list(Some(&folder)).try_collect().await?;
        let named: Vec<(Entry, &ObjectMeta)> =
            entries.iter().filter_map(|meta| Some((Entry::of(meta.location.filename()?)?, meta))).collect();
        let mut versions: Vec<u64> = named
            .iter()
            .filter_map(|(entry, _)| match entry {
                Entry::Commit(version) => Some(*version),
                Entry::Checkpoint(_) => None,
            })
            .collect();
        versions.sort_unstable();
        let mut actions = self.commits(delta, &versions).await?;
        actions.extend(named.iter().filter_map(|(entry, meta)| match entry {
            Entry::Checkpoint(version) => Some(checkpoint(*version, meta)),
            Entry::Commit(_) => None,
        }));
        Ok(actions)
    }

    async fn commits(&self, delta: &DeltaTable, versions: &[u64]) -> Result<Vec<Action>> {
        let mut known = self.known.lock().get(delta.location()).cloned().unwrap_or_default();
        let newest = versions.last().copied().unwrap_or_default();
        let from = known.next.max(newest.saturating_sub(MOST_ENTRIES));
        let unread: Vec<u64> = versions.iter().copied().filter(|version| *version >= from).collect();
        let entries: Vec<BoxFuture<'_, Result<ToldAt>>> =
            unread.into_iter().map(|version| entry(delta, version)).collect();
        let mut read = futures::stream::iter(entries).buffered(READ_AHEAD);
        while let Some((version, action)) = read.try_next().await? {
            if let Some(LogAction::CommitInfo(info)) = action {
                note(&mut known.actions, version, &info);
            }
            known.next = version + 1;
        }
        drop(read);
        self.known.lock().insert(delta.location().to_owned(), known.clone());
        Ok(known.actions)
    }
}

/// What a log entry says of its commit.
fn entry(delta: &DeltaTable, version: u64) -> BoxFuture<'_, Result<(u64, Option<LogAction>)>> {
    Box::pin(async move {
        let bytes = delta.log_store().read_commit_entry(version).await?.unwrap_or_default();
        // The lines of its files may be many.
        let info = bytes.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"{\"commitInfo\""));
        Ok((version, info.and_then(|line| serde_json::from_slice(line).ok())))
    })
}

enum Entry {
    Commit(u64),
    Checkpoint(u64),
}

impl Entry {
    fn of(name: &str) -> Option<Self> {
        let (digits, rest) = name.split_at_checked(20)?;
        let version = digits.parse().ok()?;
        match rest {
            ".json" => Some(Self::Commit(version)),
            _ if rest.starts_with(".checkpoint") => Some(Self::Checkpoint(version)),
            _ => None,
        }
    }
}

fn checkpoint(version: u64, meta: &ObjectMeta) -> Action {
    Action {
        finished_ms: Some(meta.last_modified.timestamp_millis()),
        files_out: Some(1),
        bytes_out: Some(meta.size),
        version: Some(version),
        ..Action::new("checkpoint", "done")
    }
}

/// Adds what a commit did to the table's files without changing its rows.
fn note(actions: &mut Vec<Action>, version: u64, info: &CommitInfo) {
    let metric =
        |name: &str| info.info.get("operationMetrics").and_then(|metrics| number(metrics.get(name)?));
    let text = |name: &str| info.info.get(name).and_then(Value::as_str).map(str::to_owned);
    let base = |kind: &str, state| Action {
        started_ms: info.info.get(STARTED_KEY).and_then(Value::as_i64),
        finished_ms: info.timestamp,
        version: Some(version),
        role: text("role"),
        ..Action::new(kind, state)
    };
    match info.operation.as_deref() {
        Some("OPTIMIZE") => actions.push(Action {
            files_in: metric("numFilesRemoved").or_else(|| metric("numRemovedFiles")),
            files_out: metric("numFilesAdded").or_else(|| metric("numAddedFiles")),
            bytes_in: metric("numRemovedBytes"),
            bytes_out: metric("numAddedBytes"),
            ..base(text(KIND_KEY).as_deref().unwrap_or_else(|| kind_of(info)), "done")
        }),
        Some("VACUUM START") => actions.push(Action {
            started_ms: info.timestamp,
            finished_ms: None,
            files_in: metric("numFilesToDelete"),
            bytes_in: metric("sizeOfDataToDelete"),
            ..base("vacuum", "interrupted")
        }),
        Some("VACUUM END") => {
            let started = actions.iter_mut().rev().find(|action| action.kind == "vacuum");
            if let Some(action) = started.filter(|action| action.state == "interrupted") {
                action.state = "done";
                action.finished_ms = info.timestamp;
                action.version = Some(version);
                action.files_in = metric("numDeletedFiles").or(action.files_in);
                action.files_out = Some(0);
            }
        }
        _ => {}
    }
}

/// What another program's OPTIMIZE was.
fn kind_of(info: &CommitInfo) -> &'static str {
    let order = info.operation_parameters.as_ref().and_then(|parameters| parameters.get("zOrderBy"));
    match order {
        Some(Value::String(columns)) if columns != "[]" => "zorder",
        _ => "optimize",
    }
}

/// Some programs write numbers as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

pub(super) fn schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let count = |name: &str| Field::new(name, DataType::Int64, true);
    let at =
        |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    Arc::new(Schema::new(vec![
        text("schema_name"),
        text("table_name"),
        text("kind"),
        text("state"),
        at("started_at"),
        at("finished_at"),
        count("files_in"),
        count("files_out"),
        count("bytes_in"),
        count("bytes_out"),
        count("version"),
        text("role"),
        text("error"),
    ]))
}

pub(super) fn batch(mut actions: Vec<Action>) -> Result<RecordBatch> {
    actions.sort_by_key(|action| action.started_ms.or(action.finished_ms));
    let required = |value: fn(&Action) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(actions.iter().map(value)))
    };
    let text = |value: fn(&Action) -> Option<&str>| -> ArrayRef {
        Arc::new(StringArray::from_iter(actions.iter().map(value)))
    };
    let at = |value: fn(&Action) -> Option<i64>| -> ArrayRef {
        let micros = actions.iter().map(|action| value(action).map(|at| at.saturating_mul(1_000)));
        Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
    };
    let count = |value: fn(&Action) -> Option<u64>| -> ArrayRef {
        let counts = actions.iter().map(|action| value(action).and_then(|count| i64::try_from(count).ok()));
        Arc::new(Int64Array::from_iter(counts))
    };
    let columns = vec![
        required(|action| &action.schema),
        required(|action| &action.table),
        required(|action| &action.kind),
        required(|action| action.state),
        at(|action| action.started_ms),
        at(|action| action.finished_ms),
        count(|action| action.files_in),
        count(|action| action.files_out),
        count(|action| action.bytes_in),
        count(|action| action.bytes_out),
        count(|action| action.version),
        text(|action| action.role.as_deref()),
        text(|action| action.error.as_deref()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
