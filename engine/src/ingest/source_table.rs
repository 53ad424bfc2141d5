//! The relation `source`: a file as a query reads it, with the number of each row.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;
use futures::stream::BoxStream;
use parking_lot::Mutex;

use super::Progress;
use crate::error::{Error, ErrorKind, Result};
use crate::planning::ROW_COLUMN;
use crate::source::{BadRow, OpenFile, SourceBatch, Split};
use crate::table::load::refuse_flood;

/// A file smaller than this is read by one task, and so becomes one data file.
const SMALL_FILE_BYTES: u64 = 8 << 20;

/// The columns of a file and [`ROW_COLUMN`].
pub(super) fn numbered_schema(file: &Schema) -> Result<SchemaRef> {
    if file.index_of(ROW_COLUMN).is_ok() {
        return Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("column name \"{ROW_COLUMN}\" is reserved"),
        ));
    }
    let mut fields: Vec<_> = file.fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(ROW_COLUMN, DataType::UInt64, false)));
    Ok(Arc::new(Schema::new(fields)))
}

/// Rows of a file with their numbers.
pub(super) fn numbered(schema: &SchemaRef, source: &SourceBatch) -> Result<RecordBatch> {
    let mut columns: Vec<ArrayRef> = source.batch.columns().to_vec();
    columns.push(Arc::new(UInt64Array::from(source.row_numbers.clone())));
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The file, and how many rows were read of it so far, good or bad.
pub(super) fn counted(file: OpenFile) -> (OpenFile, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    let count = |inner| Arc::new(CountedSplit { inner, read: Arc::clone(&read) }) as Arc<dyn Split>;
    let splits = file.splits.into_iter().map(count).collect();
    (OpenFile { splits, ..file }, read)
}

#[derive(Debug)]
struct CountedSplit {
    inner: Arc<dyn Split>,
    read: Arc<AtomicU64>,
}

impl Split for CountedSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let read = Arc::clone(&self.read);
        let count = move |batch: &Result<SourceBatch>| {
            if let Ok(batch) = batch {
                let rows = batch.row_numbers.len() + batch.bad_rows.len();
                read.fetch_add(rows as u64, Ordering::Relaxed);
            }
        };
        self.inner.read().inspect(count).boxed()
    }
}

/// A file that streams, split by split, to as many tasks as the session has cores.
pub(super) struct SourceTable {
    schema: SchemaRef,
    splits: Vec<Arc<dyn Split>>,
    bytes: u64,
    bad_rows: Arc<Mutex<Vec<BadRow>>>,
    progress: Arc<dyn Progress>,
}

impl fmt::Debug for SourceTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceTable").field("splits", &self.splits).finish_non_exhaustive()
    }
}

impl SourceTable {
    pub(super) fn new(file: &OpenFile, bytes: u64, progress: Arc<dyn Progress>) -> Result<Self> {
        let schema = numbered_schema(&file.schema)?;
        Ok(Self { schema, splits: file.splits.clone(), bytes, bad_rows: Arc::default(), progress })
    }

    /// Whether one task reads it.
    pub(super) fn is_small(&self) -> bool {
        self.bytes < SMALL_FILE_BYTES
    }

    /// The rows that the format could not read, so far.
    pub(super) fn take_bad_rows(&self) -> Vec<BadRow> {
        std::mem::take(&mut self.bad_rows.lock())
    }
}

#[async_trait]
impl TableProvider for SourceTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let tasks = if self.is_small() { 1 } else { state.config().target_partitions().max(1) };
        let shared = Arc::new(Shared {
            schema: Arc::clone(&self.schema),
            splits: self.splits.clone(),
            queue: Mutex::default(),
            bad_rows: Arc::clone(&self.bad_rows),
            progress: Arc::clone(&self.progress),
        });
        let partition = || Arc::new(Partition(Arc::clone(&shared))) as Arc<dyn PartitionStream>;
        let partitions = (0..tasks).map(|_| partition()).collect();
        let schema = Arc::clone(&self.schema);
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, projection, [], false, limit)?))
    }
}

/// One scan of a file by several tasks.
struct Shared {
    schema: SchemaRef,
    splits: Vec<Arc<dyn Split>>,
    queue: Mutex<Queue>,
    bad_rows: Arc<Mutex<Vec<BadRow>>>,
    progress: Arc<dyn Progress>,
}

/// `None` once it has ended.
type Reading = Arc<tokio::sync::Mutex<Option<BoxStream<'static, Result<SourceBatch>>>>>;

#[derive(Default)]
struct Queue {
    next: usize,
    open: Vec<Reading>,
}

impl Shared {
    /// A split of one's own; when none is left, that of another task: reading it takes turns, while what is
    /// done with the rows goes on side by side.
    fn claim(&self) -> Option<Reading> {
        let mut queue = self.queue.lock();
        let Some(split) = self.splits.get(queue.next) else { return queue.open.last().cloned() };
        queue.next += 1;
        let reading: Reading = Arc::new(tokio::sync::Mutex::new(Some(split.read())));
        queue.open.push(Arc::clone(&reading));
        Some(reading)
    }

    fn close(&self, ended: &Reading) {
        self.queue.lock().open.retain(|open| !Arc::ptr_eq(open, ended));
    }

    async fn next(&self, current: &mut Option<Reading>) -> Result<Option<RecordBatch>> {
        loop {
            let Some(reading) = current.take().or_else(|| self.claim()) else { return Ok(None) };
            let next = {
                let mut turn = reading.lock().await;
                let next = match turn.as_mut() {
                    Some(rows) => rows.next().await,
                    None => None,
                };
                if !matches!(next, Some(Ok(_))) {
                    *turn = None;
                }
                next
            };
            match next {
                Some(Ok(source)) => {
                    *current = Some(reading);
                    return self.accept(source).map(Some);
                }
                Some(Err(error)) => {
                    self.close(&reading);
                    return Err(error);
                }
                None => self.close(&reading),
            }
        }
    }

    fn accept(&self, source: SourceBatch) -> Result<RecordBatch> {
        self.progress.rows(source.row_numbers.len() as u64);
        let SourceBatch { batch, row_numbers, bad_rows } = source;
        if !bad_rows.is_empty() {
            let mut all = self.bad_rows.lock();
            all.extend(bad_rows);
            refuse_flood(all.len())?;
        }
        let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
        columns.push(Arc::new(UInt64Array::from(row_numbers)));
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

struct Partition(Arc<Shared>);

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file")
    }
}

impl PartitionStream for Partition {
    fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let start = (Arc::clone(&self.0), None);
        let batches = futures::stream::try_unfold(start, |(shared, mut current)| async move {
            let next = shared.next(&mut current).await.map_err(DataFusionError::from)?;
            Ok(next.map(|batch| (batch, (shared, current))))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.0.schema), batches))
    }
}

/// A relation of a few rows that can be exchanged, so that one plan is run over many of them.
#[derive(Debug)]
pub(super) struct SlotTable {
    slot: Arc<Slot>,
}

#[derive(Debug)]
pub(super) struct Slot {
    schema: SchemaRef,
    rows: Mutex<RecordBatch>,
}

impl Slot {
    pub(super) fn set(&self, rows: RecordBatch) {
        *self.rows.lock() = rows;
    }
}

impl SlotTable {
    pub(super) fn new(schema: SchemaRef) -> Self {
        let rows = Mutex::new(RecordBatch::new_empty(Arc::clone(&schema)));
        Self { slot: Arc::new(Slot { schema, rows }) }
    }

    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }
}

#[async_trait]
impl TableProvider for SlotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.slot.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let partition = Arc::new(SlotPartition(Arc::clone(&self.slot))) as Arc<dyn PartitionStream>;
        let schema = Arc::clone(&self.slot.schema);
        Ok(Arc::new(StreamingTableExec::try_new(schema, vec![partition], projection, [], false, limit)?))
    }
}

#[derive(Debug)]
struct SlotPartition(Arc<Slot>);

impl PartitionStream for SlotPartition {
    fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.0.rows.lock().clone();
        let once = futures::stream::once(async move { Ok(rows) });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.0.schema), once))
    }
}
