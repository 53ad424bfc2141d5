//! OPTIMIZE: merging the small files of a table, or laying all of its rows along a curve.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::SessionState;
use datafusion::physical_plan::PhysicalExpr;
use futures::StreamExt;
use futures::future::BoxFuture;

use super::{Kind, Maintenance};
use crate::catalog::{Author, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::table::DeltaTable;
use crate::table::compaction::{Bin, Choice, bins};
use crate::table::rewrite::{Order, Rewritten, Swapped, upkeep_info};
use crate::table::snapshot::{DataFile, TableSnapshot, partition_scalar};

/// How often files that another writer took away are looked for anew.
const ROUNDS: u32 = 4;
/// What is rewritten between two commits: as much is lost if the process dies.
const COMMIT_BYTES: u64 = 1 << 30;
const COMMIT_FILES: usize = 10_000;
/// Files written at a time for a statement; the background writes one.
const STATEMENT_WRITERS: usize = 2;

/// `OPTIMIZE table [WHERE filter] [ZORDER BY (…)]`.
pub struct Optimize<'a> {
    pub table: &'a Table,
    /// SQL text over the columns that the table is partitioned by.
    pub filter: Option<&'a str>,
    pub zorder: &'a [String],
    pub author: &'a Author,
}

/// The whole table, before and after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OptimizeReport {
    pub files_before: u64,
    pub files_after: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub version: u64,
    pub swapped: Swapped,
}

/// Files to rewrite, and how.
pub(super) struct Job<'a> {
    pub(super) delta: &'a DeltaTable,
    pub(super) base: Arc<TableSnapshot>,
    pub(super) table: &'a Table,
    pub(super) zorder: &'a [String],
    pub(super) kind: Kind,
    pub(super) author: &'a Author,
    pub(super) started_ms: i64,
    pub(super) state: SessionState,
    pub(super) writers: usize,
}

impl Maintenance {
    /// Beside loads and other changes: what these have taken away meanwhile is left out.
    pub async fn optimize(&self, request: &Optimize<'_>) -> Result<OptimizeReport> {
        let turn = self.turn(&request.table.location);
        let _turn = turn.lock().await;
        let kind = if request.zorder.is_empty() { Kind::Optimize } else { Kind::ZOrder };
        let running = self.journal.begin(request.table, kind, &request.author.role);
        match self.optimize_now(request, kind, running.started_ms).await {
            Ok(report) => {
                running.end_in_log();
                Ok(report)
            }
            Err(error) => {
                running.failed(&error);
                Err(error)
            }
        }
    }

    async fn optimize_now(
        &self,
        request: &Optimize<'_>,
        kind: Kind,
        started_ms: i64,
    ) -> Result<OptimizeReport> {
        let delta = self.warehouse.delta(request.table)?;
        let first = delta.snapshot().await?;
        check_columns(request, &first)?;
        let (files_before, bytes_before) = size(&first)?;
        let mut swapped = Swapped::default();
        for round in 0..ROUNDS {
            let base = if round == 0 { Arc::clone(&first) } else { delta.snapshot().await? };
            let chosen = self.chosen(request, &base)?;
            let job = Job {
                delta: &delta,
                base,
                table: request.table,
                zorder: request.zorder,
                kind,
                author: request.author,
                started_ms,
                state: self.planner.session_state(),
                writers: STATEMENT_WRITERS,
            };
            let done = self.run(&job, chosen).await?;
            swapped.add(done);
            // Along a curve everything would be written again.
            if done.abandoned == 0 || kind == Kind::ZOrder {
                break;
            }
            swapped.abandoned = 0;
        }
        let last = delta.snapshot().await?;
        let (files_after, bytes_after) = size(&last)?;
        let version = last.version();
        Ok(OptimizeReport { files_before, files_after, bytes_before, bytes_after, version, swapped })
    }

    fn chosen(&self, request: &Optimize<'_>, base: &TableSnapshot) -> Result<Vec<Bin>> {
        let files = base.files()?;
        let choice = if request.zorder.is_empty() { Choice::Small } else { Choice::Everything };
        let target = base.options().target_file_bytes;
        let Some(filter) = request.filter else { return Ok(bins(files.iter(), target, choice)) };
        let filter = self.partition_filter(filter, base)?;
        let mut wanted = Vec::new();
        for file in files.iter() {
            if filter.accepts(file)? {
                wanted.push(file);
            }
        }
        Ok(bins(wanted, target, choice))
    }

    fn partition_filter(&self, filter: &str, base: &TableSnapshot) -> Result<PartitionFilter> {
        let schema = base.schema();
        let fields = base.partition_columns().iter().map(|name| schema.field_with_name(name).cloned());
        let schema = Schema::new(fields.collect::<std::result::Result<Vec<_>, _>>()?);
        let df_schema = DFSchema::try_from(schema.clone())?;
        let expression = self.planner.plan_expression(filter, &df_schema).map_err(only_partitions)?;
        let predicate = self.planner.session_state().create_physical_expr(expression, &df_schema)?;
        if predicate.data_type(&schema)? != DataType::Boolean {
            let message = "argument of WHERE must be type boolean";
            return Err(Error::new(ErrorKind::DatatypeMismatch, message));
        }
        Ok(PartitionFilter { schema, predicate })
    }

    /// Rewrites and commits, some files at a time.
    pub(super) async fn run(&self, job: &Job<'_>, chosen: Vec<Bin>) -> Result<Swapped> {
        let each: Vec<BoxFuture<'_, Result<Rewritten>>> =
            chosen.into_iter().map(|bin| rewrite(job, bin.files)).collect();
        let mut rewrites = futures::stream::iter(each).buffer_unordered(job.writers);
        let mut swapped = Swapped::default();
        let mut waiting: Vec<Rewritten> = Vec::new();
        while let Some(rewritten) = rewrites.next().await {
            match rewritten {
                Ok(rewritten) => waiting.push(rewritten),
                Err(error) => {
                    job.delta.discard(&waiting).await;
                    return Err(error);
                }
            }
            let bytes: u64 = waiting.iter().map(|rewritten| rewritten.removed_bytes).sum();
            let files: usize = waiting.iter().map(|rewritten| rewritten.removed.len()).sum();
            if bytes >= COMMIT_BYTES || files >= COMMIT_FILES {
                swapped.add(self.commit(job, std::mem::take(&mut waiting)).await?);
            }
        }
        if !waiting.is_empty() {
            swapped.add(self.commit(job, waiting).await?);
        }
        Ok(swapped)
    }

    async fn commit(&self, job: &Job<'_>, rewrites: Vec<Rewritten>) -> Result<Swapped> {
        let catalog = self.warehouse.catalog().await?;
        if !catalog.tables().any(|table| table.location == job.table.location) {
            job.delta.discard(&rewrites).await;
            return Err(Error::new(
                ErrorKind::UndefinedTable,
                format!("relation \"{}\" was dropped meanwhile", job.table.name.name),
            ));
        }
        let Author { role, statement } = job.author;
        let info = upkeep_info(job.kind.as_str(), role, statement, job.started_ms);
        job.delta.swap(&job.base, rewrites, info).await
    }
}

fn rewrite<'a>(job: &'a Job<'a>, files: HashSet<String>) -> BoxFuture<'a, Result<Rewritten>> {
    Box::pin(async move {
        let order = match job.zorder {
            [] => Order::Columns(job.table.cluster_by.clone()),
            columns => {
                let curve = job.delta.curve(&job.base, &files, columns, &job.state).await?;
                Order::Curve(Arc::new(curve))
            }
        };
        job.delta.rewrite(&job.base, &files, &order, &job.state).await
    })
}

fn size(snapshot: &TableSnapshot) -> Result<(u64, u64)> {
    let files = snapshot.files()?;
    Ok((files.len() as u64, files.iter().map(|file| file.size).sum()))
}

fn check_columns(request: &Optimize<'_>, base: &TableSnapshot) -> Result<()> {
    for (place, name) in request.zorder.iter().enumerate() {
        if base.schema().index_of(name).is_err() {
            let message =
                format!("column \"{name}\" of relation \"{}\" does not exist", request.table.name.name);
            return Err(Error::new(ErrorKind::UndefinedColumn, message));
        }
        if base.partition_columns().contains(name) {
            return Err(Error::invalid_argument(format!(
                "ZORDER BY cannot use column \"{name}\", which the table is partitioned by"
            )));
        }
        if request.zorder[..place].contains(name) {
            let message = format!("column \"{name}\" specified more than once");
            return Err(Error::new(ErrorKind::DuplicateColumn, message));
        }
    }
    Ok(())
}

fn only_partitions(error: Error) -> Error {
    match error.kind() {
        ErrorKind::UndefinedColumn | ErrorKind::UndefinedTable => {
            error.with_hint("OPTIMIZE … WHERE chooses partitions, by the columns of PARTITION BY.")
        }
        _ => error,
    }
}

/// Says of a partition whether it is meant.
struct PartitionFilter {
    schema: Schema,
    predicate: Arc<dyn PhysicalExpr>,
}

impl PartitionFilter {
    fn accepts(&self, file: &DataFile) -> Result<bool> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for field in self.schema.fields() {
            let text = file.partition_values.get(field.name()).and_then(Option::as_deref);
            let value: ScalarValue = partition_scalar(text, field.data_type())?;
            columns.push(value.to_array()?);
        }
        if columns.is_empty() {
            // A condition without columns; all partitions are alike.
            let row = arrow::array::RecordBatchOptions::new().with_row_count(Some(1));
            let batch = RecordBatch::try_new_with_options(Arc::new(self.schema.clone()), columns, &row)?;
            return self.is_true(&batch);
        }
        self.is_true(&RecordBatch::try_new(Arc::new(self.schema.clone()), columns)?)
    }

    fn is_true(&self, batch: &RecordBatch) -> Result<bool> {
        let value = self.predicate.evaluate(batch)?.into_array(1)?;
        Ok(value.as_boolean().iter().next().flatten() == Some(true))
    }
}
