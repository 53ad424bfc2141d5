//! Rows of a batch between their files and the commit: in memory while they are few, beyond that in data files that
//! no commit names yet. So many small files become few data files, and a large one never fills the memory.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::execute_stream;
use deltalake_core::kernel::{Action, Add};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;

use crate::error::Result;
use crate::table::DeltaTable;
use crate::table::load::sorted;
use crate::table::scan::TableScan;
use crate::table::snapshot::{TableSnapshot, added_path};
use crate::table::write::TableWriter;

/// Rows of one stream that are kept in memory.
const STREAM_BYTES: usize = 48 << 20;

/// Rows of a batch that are kept in memory.
const BATCH_BYTES: usize = 128 << 20;

/// Where data files are written, and what their rows look like.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) target: Arc<DeltaTable>,
    pub(super) base: Arc<TableSnapshot>,
    pub(super) schema: SchemaRef,
}

impl Place {
    fn writer(&self) -> Result<TableWriter> {
        TableWriter::new(&self.target, &self.base, Arc::clone(&self.schema))
    }
}

/// The rows of one stream.
pub(super) struct Spool {
    place: Place,
    reservation: MemoryReservation,
    held: Vec<RecordBatch>,
    writer: Option<TableWriter>,
}

impl Spool {
    pub(super) fn new(place: Place, state: &SessionState) -> Self {
        let pool = &state.runtime_env().memory_pool;
        let reservation = MemoryConsumer::new("rows to load").register(pool);
        Self { place, reservation, held: Vec::new(), writer: None }
    }

    /// Columns in the order of the place's schema.
    pub(super) async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.place.schema), batch.columns().to_vec())?;
        if let Some(writer) = &mut self.writer {
            return writer.write(&batch).await;
        }
        let bytes = batch.get_array_memory_size();
        self.held.push(batch);
        let fits = self.reservation.size() + bytes <= STREAM_BYTES;
        if fits && self.reservation.try_grow(bytes).is_ok() {
            return Ok(());
        }
        let mut writer = self.place.writer()?;
        for held in std::mem::take(&mut self.held) {
            writer.write(&held).await?;
        }
        self.writer = Some(writer);
        self.reservation.free();
        Ok(())
    }

    pub(super) async fn finish(self) -> Result<Spooled> {
        let adds = match self.writer {
            Some(writer) => only_adds(writer.finish().await?.adds),
            None => Vec::new(),
        };
        Ok(Spooled { held: self.held, reservations: vec![self.reservation], adds })
    }

    /// Gives up.
    pub(super) async fn abort(self) {
        if let Some(writer) = self.writer {
            writer.abort().await;
        }
    }
}

/// Rows that wait for the commit.
#[derive(Default)]
pub(super) struct Spooled {
    held: Vec<RecordBatch>,
    /// For `held`.
    reservations: Vec<MemoryReservation>,
    adds: Vec<Add>,
}

impl Spooled {
    pub(super) fn extend(&mut self, other: Spooled) {
        self.held.extend(other.held);
        self.reservations.extend(other.reservations);
        self.adds.extend(other.adds);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.adds.is_empty()
    }

    /// Whether more rows are in memory than should be.
    pub(super) fn is_heavy(&self) -> bool {
        self.reservations.iter().map(MemoryReservation::size).sum::<usize>() > BATCH_BYTES
    }

    /// Writes what is in memory as data files, sorted by the cluster key.
    pub(super) async fn pour(
        &mut self,
        place: &Place,
        state: &SessionState,
        cluster_by: &[String],
    ) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            let rows = MemTable::try_new(Arc::clone(&place.schema), vec![held])?;
            let plan = LogicalPlanBuilder::scan("held", provider_as_source(Arc::new(rows)), None)?.build()?;
            let plan = sorted(plan, cluster_by)?;
            self.adds.extend(write(place, state, plan).await?);
        }
        self.reservations.clear();
        Ok(())
    }

    /// The data files, when nothing is left in memory.
    pub(super) fn into_adds(self) -> Vec<Add> {
        self.adds
    }

    /// A plan that reads the rows, in no order.
    pub(super) fn plan(&self, place: &Place) -> Result<LogicalPlan> {
        let rows = MemTable::try_new(Arc::clone(&place.schema), vec![self.held.clone()])?;
        let held = LogicalPlanBuilder::scan("held", provider_as_source(Arc::new(rows)), None)?;
        if self.adds.is_empty() {
            return Ok(held.build()?);
        }
        let others = place.base.files()?.iter().map(|file| file.path.to_string()).collect();
        let staged = Arc::new(place.base.with_changes(&others, &self.adds)?);
        let storage = place.target.storage();
        let scan = TableScan::new(storage, place.target.location(), staged, Arc::clone(&place.schema))?;
        let staged = LogicalPlanBuilder::scan("staged", provider_as_source(Arc::new(scan)), None)?.build()?;
        Ok(held.union(staged)?.build()?)
    }

    /// Removes the files, which no commit will name. What stays is found by VACUUM.
    pub(super) async fn discard(self, place: &Place) {
        let storage = place.target.storage();
        for add in self.adds {
            let folder = storage.path(place.target.location());
            let path = added_path(&add).parts().fold(folder, |path, part| path.join(part));
            if let Err(error) = storage.store().delete(&path).await {
                tracing::debug!(%path, %error, "removing a file that was staged");
            }
        }
    }
}

/// The rows of a plan as data files.
pub(super) async fn write(place: &Place, state: &SessionState, plan: LogicalPlan) -> Result<Vec<Add>> {
    let physical = state.create_physical_plan(&plan).await?;
    let mut rows = execute_stream(physical, state.task_ctx())?;
    let mut writer = place.writer()?;
    loop {
        let written = match rows.try_next().await {
            Ok(Some(batch)) => writer.write(&batch).await,
            Ok(None) => return Ok(only_adds(writer.finish().await?.adds)),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            writer.abort().await;
            return Err(error);
        }
    }
}

fn only_adds(actions: Vec<Action>) -> Vec<Add> {
    let adds = actions.into_iter().filter_map(|action| match action {
        Action::Add(add) => Some(add),
        _ => None,
    });
    adds.collect()
}
