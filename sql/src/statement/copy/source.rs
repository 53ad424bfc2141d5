//! The rows that a client sends, as a relation that can be read once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;
use tokio::sync::Mutex;
use voxhouse_engine::planning::ROW_COLUMN;
use voxhouse_engine::{Error, ErrorKind};

/// Every task takes the next batch when it has written the last one, so a small COPY makes one data file and a
/// large one keeps all cores busy.
pub(super) struct ClientRows {
    schema: SchemaRef,
    rows: Rows,
    is_read: AtomicBool,
}

/// `None`: they have ended.
type Rows = Arc<Mutex<Option<SendableRecordBatchStream>>>;

impl ClientRows {
    /// The last column tells the number of each row's line.
    pub(super) fn new(rows: SendableRecordBatchStream) -> Self {
        let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
        if let Some(last) = fields.last_mut() {
            *last = Arc::new(last.as_ref().clone().with_name(ROW_COLUMN));
        }
        Self {
            schema: Arc::new(Schema::new(fields)),
            rows: Arc::new(Mutex::new(Some(rows))),
            is_read: AtomicBool::new(false),
        }
    }

    /// For planning before there are any.
    pub(super) fn none(columns: &Schema) -> Self {
        let number = Arc::new(Field::new(ROW_COLUMN, DataType::UInt64, false));
        let fields: Vec<_> = columns.fields().iter().cloned().chain([number]).collect();
        Self { schema: Arc::new(Schema::new(fields)), rows: Arc::default(), is_read: AtomicBool::new(false) }
    }
}

impl fmt::Debug for ClientRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRows").finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for ClientRows {
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
        if self.is_read.swap(true, Ordering::Relaxed) {
            // A second reading would find nothing, which is not what the client has sent.
            let message = "could not serialize access: the rows of a COPY can be read only once";
            return Err(Error::new(ErrorKind::SerializationFailure, message).into());
        }
        let tasks = state.config().target_partitions().max(1);
        let part = || Part { schema: Arc::clone(&self.schema), rows: Arc::clone(&self.rows) };
        let parts = (0..tasks).map(|_| Arc::new(part()) as Arc<dyn PartitionStream>).collect();
        let schema = Arc::clone(&self.schema);
        Ok(Arc::new(StreamingTableExec::try_new(schema, parts, projection, [], false, limit)?))
    }
}

struct Part {
    schema: SchemaRef,
    rows: Rows,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client")
    }
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let start = (Arc::clone(&self.rows), Arc::clone(&self.schema));
        let batches = futures::stream::try_unfold(start, |(rows, schema)| async move {
            let mut turn = rows.lock().await;
            let next = match turn.as_mut() {
                Some(stream) => stream.next().await.transpose(),
                None => Ok(None),
            };
            if !matches!(next, Ok(Some(_))) {
                *turn = None;
            }
            drop(turn);
            let Some(batch) = next? else { return Ok(None) };
            let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())?;
            Ok(Some((batch, (rows, schema))))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
