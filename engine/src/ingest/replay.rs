//! Loading rejected rows again, once what was wrong with the rule or the mapping is mended.
//!
//! The rows that one file left behind in one batch are a file of their own, whose name tells which: so the ledger knows
//! it, it is loaded as any file is, by a batch of its pipe, and it counts once however often it is tried. That it was
//! loaded is what marks its rows as replayed. Rows that are rejected again come back to the rejects.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use datafusion::common::JoinType;
use datafusion::execution::SessionState;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{Expr, Operator, binary_expr, cast, col, lit, when};
use datafusion::prelude::{DataFrame, SessionContext};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};
use serde_json::{Map, Value};

use super::files::SourceFile;
use super::job::Job;
use super::ledger::Ledger;
use super::rejects::{RejectTable, UNREADABLE_ROW};
use super::run::Scope;
use super::status::paused;
use super::{Ingestion, Push, RunReport};
use crate::catalog::access::{Access, Secured, denied};
use crate::catalog::acl::Privilege;
use crate::catalog::{CatalogSnapshot, QualifiedName};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};

/// What the names of files of rejected rows begin with.
const FOLDER: &str = "rejects/";

/// One call holds no more rows than these in memory.
const MAX_ROWS: usize = 1_000_000;

/// Rows of one record batch.
const BATCH_ROWS: usize = 8_192;

/// Which rejected rows are loaded again.
#[derive(Debug, Clone)]
pub enum Replay {
    OfPipe(String),
    IntoTable(QualifiedName),
}

/// What became of them.
#[derive(Debug, Clone, Default)]
pub struct ReplayReport {
    pub run: RunReport,
    /// Rows that no format could read, rows of which no source row is known, and those of a change feed: they stay.
    pub unreadable: u64,
}

impl Ingestion {
    /// Loads rejected rows again that have not been replayed, on behalf of a role.
    pub async fn replay_rejects(
        &self,
        role: &str,
        replay: &Replay,
        since: Option<DateTime<Utc>>,
    ) -> Result<ReplayReport> {
        let catalog = self.warehouse.catalog().await?;
        let condition = match replay {
            Replay::OfPipe(pipe) if is_change_feed(&catalog, pipe) => return Err(of_change_feed(pipe)),
            Replay::OfPipe(pipe) => col("pipe").eq(lit(&catalog.pipe(pipe)?.name)),
            Replay::IntoTable(table) => col("target").eq(lit(catalog.table(table)?.name.to_string())),
        };
        // What a dead process has replayed must be known as replayed.
        self.settle().await?;
        let (left, unreadable) = self.left_behind(condition, since).await?;
        let mut report = ReplayReport { unreadable, ..ReplayReport::default() };
        for (origin, rows) in left {
            if is_change_feed(&catalog, &origin.pipe) {
                report.unreadable += rows.iter().map(|file| file.rows.len() as u64).sum::<u64>();
                continue;
            }
            let job = self.replay_job(&catalog, role, &origin, rows)?;
            report.run.merge(self.run(&job, Scope::All, None).await?);
        }
        Ok(report)
    }

    /// The rows to load, by where they come from; and how many cannot be.
    async fn left_behind(
        &self,
        condition: Expr,
        since: Option<DateTime<Utc>>,
    ) -> Result<(BTreeMap<Origin, Vec<RawFile>>, u64)> {
        let provider = self.rejects_provider().await?;
        let context = SessionContext::new_with_state(self.planner.session_state());
        let mut rows = context.read_table(provider)?.filter(condition.and(col("replayed_at").is_null()))?;
        if let Some(since) = since {
            rows = rows.filter(col("rejected_at").gt_eq(lit(
                datafusion::scalar::ScalarValue::TimestampMicrosecond(
                    Some(since.timestamp_micros()),
                    Some("UTC".into()),
                ),
            )))?;
        }
        let mut found = Found::default();
        let mut batches = rows.execute_stream().await?;
        while let Some(batch) = batches.try_next().await? {
            found.add(&batch)?;
        }
        Ok((found.files.into_iter().fold(BTreeMap::new(), by_origin), found.unreadable))
    }

    /// A pipe's rows go through its query; those of a push, or of a pipe that is gone, straight into the table.
    fn replay_job(
        &self,
        catalog: &CatalogSnapshot,
        role: &str,
        origin: &Origin,
        files: Vec<RawFile>,
    ) -> Result<Job> {
        let warehouse = &self.warehouse;
        let into = origin.target.split_once('.').map(|(schema, name)| QualifiedName::new(schema, name));
        let into = into.ok_or_else(|| Error::internal("a reject without a table"))?;
        let pipe = catalog.pipe(&origin.pipe).ok().filter(|pipe| pipe.into == into);
        let job = match pipe {
            Some(pipe) if !Access::of(catalog, role).may(&Secured::pipe(pipe), Privilege::Usage) => {
                return Err(denied("pipe", &pipe.name));
            }
            Some(pipe) if pipe.paused => return Err(paused(&pipe.name)),
            Some(pipe) => Job::of_pipe(warehouse, catalog, pipe)?,
            None => {
                let (store, options) = (warehouse.storage().store(), FormatOptions::new());
                let push = Push { store, files: Vec::new(), into, format: None, options };
                Job::of_push(warehouse, catalog, role, push)?
            }
        };
        let sources =
            files.iter().map(|file| SourceFile { name: file.name.clone(), meta: file.meta() }).collect();
        let files = files.into_iter().map(|file| (file.meta().location, Arc::new(file))).collect();
        Ok(job.over_rejects(sources, Arc::new(RawRows { files })))
    }
}

fn is_change_feed(catalog: &CatalogSnapshot, pipe: &str) -> bool {
    catalog.pipe(pipe).is_ok_and(|pipe| pipe.mode.is_change_feed())
}

/// A rejected row does not tell whether its event brought it or took it away, nor which came after it.
fn of_change_feed(pipe: &str) -> Error {
    Error::not_supported(format!("rejected rows of change feed \"{pipe}\" cannot be replayed"))
        .with_detail("A row alone does not tell what its event did, and later events may have changed it.")
        .with_hint("ALTER PIPE … REPLAY loads its files again.")
}

/// Adds `replayed_at` to the rejects.
pub(super) async fn with_replays(
    state: SessionState,
    rejects: &RejectTable,
    ledger: &Ledger,
) -> Result<Arc<dyn TableProvider>> {
    let context = SessionContext::new_with_state(state);
    let replays = context
        .read_table(ledger.events().await?)?
        .filter(col("state").eq(lit("loaded")).and(col("file").like(lit(format!("{FOLDER}%")))))?
        .aggregate(vec![col("file").alias("replay")], vec![min(col("recorded_at")).alias("loaded_at")])?;
    let rejects = context.read_table(rejects.provider().await?)?;
    let columns: Vec<Expr> = rejects.schema().fields().iter().map(|field| col(field.name())).collect();
    let named = rejects.with_column("replay_name", name_of_row())?;
    let joined = named.join(replays, JoinType::Left, &["replay_name"], &["replay"], None)?;
    let is_readable = col("row_number")
        .is_not_null()
        .and(col("raw").like(lit("{%")))
        .and(col("sqlstate").not_eq(lit(UNREADABLE_ROW)));
    let replayed_at = when(is_readable, col("loaded_at")).end()?.alias("replayed_at");
    let shown: DataFrame = joined.select(columns.into_iter().chain([replayed_at]).collect::<Vec<_>>())?;
    Ok(shown.into_view())
}

/// The same text as [`name_of`].
fn name_of_row() -> Expr {
    let text = |expr: Expr| cast(expr, DataType::Utf8);
    let parts = [
        lit(FOLDER),
        text(col("batch")),
        lit("-"),
        text(cast(col("rejected_at"), DataType::Int64)),
        lit("/"),
        text(col("file")),
    ];
    parts
        .into_iter()
        .reduce(|left, right| binary_expr(left, Operator::StringConcat, right))
        .unwrap_or(lit(""))
}

/// All rows that one file left behind at one time.
fn name_of(batch: i64, rejected_at_micros: i64, file: &str) -> String {
    format!("{FOLDER}{batch}-{rejected_at_micros}/{file}")
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Origin {
    pipe: String,
    target: String,
}

fn by_origin(
    mut all: BTreeMap<Origin, Vec<RawFile>>,
    ((origin, name), (rejected_at, mut rows)): ((Origin, String), (i64, Vec<RawRow>)),
) -> BTreeMap<Origin, Vec<RawFile>> {
    // In the order of their file, and each once: a query that makes several rows of one may have lost several.
    rows.sort_by_key(|row| row.number);
    rows.dedup_by_key(|row| row.number);
    all.entry(origin).or_default().push(RawFile { name, rejected_at, rows });
    all
}

/// Rejected rows, in files, as they are read.
#[derive(Default)]
struct Found {
    files: BTreeMap<(Origin, String), (i64, Vec<RawRow>)>,
    rows: usize,
    unreadable: u64,
}

impl Found {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let text = |name: &str| -> Result<ArrayRef> {
            let column =
                batch.column_by_name(name).ok_or_else(|| Error::internal("a reject lacks a column"))?;
            Ok(arrow::compute::cast(column, &DataType::Utf8)?)
        };
        let number = |name: &str| -> Result<ArrayRef> {
            let column =
                batch.column_by_name(name).ok_or_else(|| Error::internal("a reject lacks a column"))?;
            Ok(arrow::compute::cast(column, &DataType::Int64)?)
        };
        let (pipes, targets, files, raws) = (text("pipe")?, text("target")?, text("file")?, text("raw")?);
        let states = text("sqlstate")?;
        let (batches, numbers, times) = (number("batch")?, number("row_number")?, number("rejected_at")?);
        let texts = |column: &ArrayRef, row: usize| column.as_string::<i32>().value(row).to_owned();
        for row in 0..batch.num_rows() {
            let is_known = numbers.is_valid(row)
                && raws.is_valid(row)
                && states.as_string::<i32>().value(row) != UNREADABLE_ROW;
            let raw =
                is_known.then(|| serde_json::from_str(raws.as_string::<i32>().value(row)).ok()).flatten();
            let Some(Value::Object(values)) = raw else {
                self.unreadable += 1;
                continue;
            };
            self.rows += 1;
            if self.rows > MAX_ROWS {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("more than {MAX_ROWS} rejected rows are to be replayed"),
                )
                .with_hint("Replay those of one pipe, or the newest with since => '…'."));
            }
            let integer = |column: &ArrayRef| column.as_primitive::<Int64Type>().value(row);
            let origin = Origin { pipe: texts(&pipes, row), target: texts(&targets, row) };
            let name = name_of(integer(&batches), integer(&times), &texts(&files, row));
            let file = self.files.entry((origin, name)).or_insert_with(|| (integer(&times), Vec::new()));
            file.1.push(RawRow { number: integer(&numbers).max(0) as u64, values });
        }
        Ok(())
    }
}

#[derive(Debug)]
struct RawRow {
    /// In the file that it came from.
    number: u64,
    values: Map<String, Value>,
}

#[derive(Debug)]
struct RawFile {
    name: String,
    rejected_at: i64,
    rows: Vec<RawRow>,
}

impl RawFile {
    /// The same in every process: what was left behind does not change.
    fn meta(&self) -> ObjectMeta {
        ObjectMeta {
            location: Path::from(self.name.as_str()),
            last_modified: DateTime::from_timestamp_micros(self.rejected_at).unwrap_or_default(),
            size: self.rows.len() as u64,
            e_tag: Some(self.name.clone()),
            version: None,
        }
    }

    /// Every column is text, as those of a CSV file.
    fn schema(&self) -> SchemaRef {
        let names: BTreeSet<&String> = self.rows.iter().flat_map(|row| row.values.keys()).collect();
        let fields: Vec<Field> =
            names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        Arc::new(Schema::new(fields))
    }
}

/// Rejected rows as a file format.
#[derive(Debug)]
struct RawRows {
    files: HashMap<Path, Arc<RawFile>>,
}

#[async_trait]
impl FileFormat for RawRows {
    fn name(&self) -> &'static str {
        "rejects"
    }

    fn claims(&self, _file_name: &str) -> bool {
        false
    }

    fn check_options(&self, _options: &FormatOptions) -> Result<()> {
        Ok(())
    }

    async fn open(
        &self,
        _store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        _options: &FormatOptions,
    ) -> Result<OpenFile> {
        let found = self.files.get(&file.location);
        let rows = Arc::clone(found.ok_or_else(|| Error::internal("a file of rejects is missing"))?);
        let (schema, row_count) = (rows.schema(), Some(rows.rows.len() as u64));
        let split = RawSplit { schema: Arc::clone(&schema), file: rows };
        Ok(OpenFile { schema, splits: vec![Arc::new(split)], row_count })
    }
}

#[derive(Debug)]
struct RawSplit {
    schema: SchemaRef,
    file: Arc<RawFile>,
}

impl Split for RawSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let (schema, file) = (Arc::clone(&self.schema), Arc::clone(&self.file));
        let starts = (0..file.rows.len()).step_by(BATCH_ROWS);
        futures::stream::iter(starts)
            .map(move |start| {
                let end = file.rows.len().min(start + BATCH_ROWS);
                batch_of(&schema, &file.rows[start..end])
            })
            .boxed()
    }
}

fn batch_of(schema: &SchemaRef, rows: &[RawRow]) -> Result<SourceBatch> {
    let column = |field: &Arc<Field>| {
        let values = rows.iter().map(|row| row.values.get(field.name()).and_then(text_of));
        Arc::new(values.collect::<StringArray>()) as ArrayRef
    };
    let columns = schema.fields().iter().map(column).collect();
    let batch = RecordBatch::try_new(Arc::clone(schema), columns)?;
    Ok(SourceBatch { batch, row_numbers: rows.iter().map(|row| row.number).collect(), bad_rows: Vec::new() })
}

/// A value as a file of text would have it.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
