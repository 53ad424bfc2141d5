//! Streams of rows into data files, through a table's contract.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{SchemaRef, UInt64Type};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, execute_stream_partitioned};
use futures::TryStreamExt;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::DeltaTable;
use super::contract::{Contract, Violation};
use super::snapshot::TableSnapshot;
use super::write::{TableWriter, Written};
use crate::catalog::Table;
use crate::error::{Error, Result};

/// What becomes of a row that breaks the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnViolation {
    /// The statement fails with the first one.
    Fail,
    /// The row is set aside; the others go in.
    Reject,
}

/// A row set aside: its number in the file, when known.
#[derive(Debug, Clone)]
pub struct RejectedRow {
    pub row_number: Option<u64>,
    pub error: Error,
}

#[derive(Debug, Default)]
pub struct Loaded {
    pub written: Written,
    pub rejected: Vec<RejectedRow>,
}

/// More rejects than this fail the load: the mapping is wrong, not the rows.
const MAX_REJECTED_ROWS: usize = 100_000;

/// Where each column of the table comes from in the rows of a plan.
#[derive(Debug, Clone)]
pub struct ColumnMapping {
    /// By position in the table; `None` reads as NULL.
    sources: Vec<Option<usize>>,
    /// The column that tells a row's number.
    row_number: Option<usize>,
}

impl ColumnMapping {
    /// Matches columns by name. A column of the rows that the table lacks is an error.
    pub fn by_name(table: &Table, rows: &SchemaRef, row_column: Option<&str>) -> Result<Self> {
        let row_number = row_column.and_then(|name| rows.index_of(name).ok());
        for (index, field) in rows.fields().iter().enumerate() {
            if Some(index) != row_number && table.column(field.name()).is_none() {
                return Err(Error::new(
                    crate::ErrorKind::UndefinedColumn,
                    format!("column \"{}\" of relation \"{}\" does not exist", field.name(), table.name.name),
                )
                .with_hint(format!(
                    "The columns are {}.",
                    table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
                )));
            }
        }
        let sources = table.columns.iter().map(|column| rows.index_of(&column.name).ok()).collect();
        Ok(Self { sources, row_number })
    }

    /// The number in the file of a row of a batch, if the rows tell it.
    pub(crate) fn number_of(&self, batch: &RecordBatch, row: usize) -> Option<u64> {
        self.row_number.map(|column| row_number(batch, column, row))
    }

    pub(crate) fn columns(&self, batch: &RecordBatch, contract: &Contract) -> Vec<ArrayRef> {
        self.sources
            .iter()
            .zip(contract.schema().fields())
            .map(|(source, field)| match source {
                Some(index) => Arc::clone(batch.column(*index)),
                None => new_null_array(field.data_type(), batch.num_rows()),
            })
            .collect()
    }
}

/// Rows of a statement that are wanted in memory, too; they count against the memory of all statements.
pub struct TakenRows(Mutex<(MemoryReservation, Vec<RecordBatch>)>);

impl TakenRows {
    pub fn new(state: &SessionState) -> Self {
        let pool = &state.runtime_env().memory_pool;
        let reservation = MemoryConsumer::new("rows to return").register(pool);
        Self(Mutex::new((reservation, Vec::new())))
    }

    pub fn add(&self, batch: RecordBatch) -> Result<()> {
        let (reservation, batches) = &mut *self.0.lock();
        reservation.try_grow(batch.get_array_memory_size())?;
        batches.push(batch);
        Ok(())
    }

    pub fn batches(&self) -> Vec<RecordBatch> {
        self.0.lock().1.clone()
    }

    /// The rows for somebody who gives them away at once; they no longer count.
    pub fn into_batches(self) -> Vec<RecordBatch> {
        self.0.into_inner().1
    }
}

/// Where rows go: a table at the version they are checked against, and its contract.
#[derive(Clone)]
pub struct Destination {
    pub delta: Arc<DeltaTable>,
    pub base: Arc<TableSnapshot>,
    pub contract: Arc<Contract>,
    /// Keeps the rows that are written, in their order.
    pub taken: Option<Arc<TakenRows>>,
}

/// Runs a plan and writes its rows as data files of `table`, on as many cores as the plan has partitions.
/// Nothing is committed. Files of a load that fails are left to VACUUM.
pub async fn write_plan(
    destination: &Destination,
    table: &Table,
    state: &SessionState,
    plan: LogicalPlan,
    row_column: Option<&str>,
    on_violation: OnViolation,
) -> Result<Loaded> {
    let mapping = ColumnMapping::by_name(table, plan.schema().inner(), row_column)?;
    // Who sees the rows expects them in the order in which they were given.
    let plan = if destination.taken.is_some() { plan } else { sorted(plan, &table.cluster_by)? };
    let physical = state.create_physical_plan(&plan).await?;
    write_physical(destination, state, physical, mapping, on_violation).await
}

/// Sorts by the cluster key, so that files and row groups cover narrow ranges of it.
pub(crate) fn sorted(plan: LogicalPlan, cluster_by: &[String]) -> Result<LogicalPlan> {
    let known: Vec<_> = cluster_by
        .iter()
        .filter(|name| plan.schema().has_column_with_unqualified_name(name))
        .map(|name| col(datafusion::common::Column::from_name(name)).sort(true, false))
        .collect();
    if known.is_empty() {
        return Ok(plan);
    }
    Ok(LogicalPlanBuilder::from(plan).sort(known)?.build()?)
}

async fn write_physical(
    destination: &Destination,
    state: &SessionState,
    physical: Arc<dyn ExecutionPlan>,
    mapping: ColumnMapping,
    on_violation: OnViolation,
) -> Result<Loaded> {
    tracing::debug!(partitions = physical.output_partitioning().partition_count(), "writing a plan");
    let mut writers = JoinSet::new();
    for rows in execute_stream_partitioned(physical, state.task_ctx())? {
        let (to, mapping) = (destination.clone(), mapping.clone());
        writers.spawn(async move { write_stream(&to, rows, &mapping, on_violation).await });
    }
    let mut loaded = Loaded::default();
    while let Some(finished) = writers.join_next().await {
        // Dropping the set on an error stops the other writers.
        let part = finished.map_err(|error| Error::internal(format!("a writer stopped: {error}")))??;
        loaded.written.extend(part.written);
        loaded.rejected.extend(part.rejected);
        refuse_flood(loaded.rejected.len())?;
    }
    Ok(loaded)
}

async fn write_stream(
    to: &Destination,
    mut rows: SendableRecordBatchStream,
    mapping: &ColumnMapping,
    on_violation: OnViolation,
) -> Result<Loaded> {
    let contract = &to.contract;
    let mut writer = TableWriter::new(&to.delta, &to.base, Arc::clone(contract.schema()))?;
    let mut rejected = Vec::new();
    let outcome = async {
        while let Some(batch) = rows.try_next().await? {
            let written =
                write_batch(&mut writer, contract, &batch, mapping, on_violation, &mut rejected).await?;
            if let Some(taken) = &to.taken {
                taken.add(written)?;
            }
        }
        Ok(())
    }
    .await;
    match outcome {
        Ok(()) => Ok(Loaded { written: writer.finish().await?, rejected }),
        Err(error) => {
            writer.abort().await;
            Err(error)
        }
    }
}

/// Checks some rows, writes the good ones, and returns these.
pub(crate) async fn write_batch(
    writer: &mut TableWriter,
    contract: &Contract,
    batch: &RecordBatch,
    mapping: &ColumnMapping,
    on_violation: OnViolation,
    rejected: &mut Vec<RejectedRow>,
) -> Result<RecordBatch> {
    let checked = contract.check(&mapping.columns(batch, contract), batch.num_rows()).await?;
    let numbered = |violation: Violation| match mapping.row_number {
        Some(column) => violation.error.with_row(row_number(batch, column, violation.row)),
        None => violation.error,
    };
    if on_violation == OnViolation::Reject
        && let Some(violation) = checked.fatal
    {
        return Err(numbered(violation));
    }
    for violation in checked.violations {
        if on_violation == OnViolation::Fail {
            return Err(numbered(violation));
        }
        let row_number = mapping.row_number.map(|column| row_number(batch, column, violation.row));
        rejected.push(RejectedRow { row_number, error: violation.error });
    }
    refuse_flood(rejected.len())?;
    writer.write(&checked.good).await?;
    Ok(checked.good)
}

/// The number in the file of a row of a batch.
pub(crate) fn row_number(batch: &RecordBatch, column: usize, row: usize) -> u64 {
    batch.column(column).as_primitive::<UInt64Type>().value(row)
}

pub(crate) fn refuse_flood(rejected: usize) -> Result<()> {
    if rejected <= MAX_REJECTED_ROWS {
        return Ok(());
    }
    Err(Error::new(
        crate::ErrorKind::LimitExceeded,
        format!("more than {MAX_REJECTED_ROWS} rows were rejected"),
    )
    .with_hint("Mend the pipe's query or the table's contract; the file is loaded again at the next run."))
}
