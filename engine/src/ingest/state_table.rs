//! A Delta table of the system's own: rows that serialise, appended in small commits.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::json::ReaderBuilder;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::engine::arrow_conversion::{TryFromArrow as _, TryIntoKernel as _};
use deltalake_core::kernel::{Action, MetadataExt as _, StructField, StructType};
use deltalake_core::operations::optimize::OptimizeType;
use deltalake_core::protocol::DeltaOperation;
use serde::Serialize;
use tokio::sync::OnceCell;

use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;
use crate::table::scan::TableScan;
use crate::table::write::{TableWriter, Written};
use crate::table::{Application, CommitInfo, DeltaTable};
use crate::warehouse::Warehouse;

/// More files than this are rewritten as few: each small commit leaves one.
const FILES_BEFORE_COMPACTION: usize = 128;

pub(super) struct StateTable {
    storage: Storage,
    delta: Arc<DeltaTable>,
    location: &'static str,
    schema: SchemaRef,
    made: OnceCell<()>,
}

impl StateTable {
    pub(super) fn new(warehouse: &Warehouse, location: &'static str, schema: Schema) -> Result<Self> {
        let delta = warehouse.delta_at(location)?;
        let storage = warehouse.storage().clone();
        Ok(Self { storage, delta, location, schema: Arc::new(schema), made: OnceCell::new() })
    }

    /// The table, made if it is not there. Two processes may do so at once.
    pub(super) async fn delta(&self) -> Result<&Arc<DeltaTable>> {
        self.made.get_or_try_init(|| self.make()).await?;
        Ok(&self.delta)
    }

    async fn make(&self) -> Result<()> {
        let name = self.location.rsplit('/').next().unwrap_or(self.location);
        match self.delta.create(&self.schema, &[], name).await {
            Err(error) if error.kind() == ErrorKind::DuplicateTable => self.widen().await,
            other => other,
        }
    }

    /// Brings the log of a table that an older release made up to the columns of this one. Of several processes
    /// one does it.
    async fn widen(&self) -> Result<()> {
        let snapshot = self.delta.snapshot().await?;
        let known = snapshot.schema();
        let new = self.schema.fields().iter().filter(|field| known.index_of(field.name()).is_err());
        let fields: Vec<StructField> =
            new.map(|field| StructField::try_from_arrow(field.as_ref())).collect::<Result<_, _>>()?;
        if fields.is_empty() {
            return Ok(());
        }
        let schema: StructType = self.schema.as_ref().try_into_kernel()?;
        let metadata = snapshot.metadata().clone().with_schema(&schema).map_err(DeltaTableError::from)?;
        let operation = DeltaOperation::AddColumn { fields };
        let actions = vec![Action::Metadata(metadata)];
        match self.delta.replace(&snapshot, actions, operation, CommitInfo::default()).await {
            Err(error) if error.kind() != ErrorKind::SerializationFailure => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    pub(super) fn location(&self) -> &'static str {
        self.location
    }

    pub(super) fn to_batch<T: Serialize>(&self, rows: &[T]) -> Result<RecordBatch> {
        let mut decoder = ReaderBuilder::new(Arc::clone(&self.schema)).build_decoder()?;
        decoder.serialize(rows)?;
        Ok(decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(&self.schema))))
    }

    pub(super) async fn writer(&self) -> Result<TableWriter> {
        let delta = self.delta().await?;
        let base = delta.snapshot().await?;
        TableWriter::new(delta, &base, Arc::clone(&self.schema))
    }

    async fn write<T: Serialize>(&self, rows: &[T]) -> Result<Written> {
        let mut writer = self.writer().await?;
        writer.write(&self.to_batch(rows)?).await?;
        writer.finish().await
    }

    /// Adds rows; with an application, once.
    pub(super) async fn append<T: Serialize>(
        &self,
        rows: &[T],
        application: Option<Application>,
    ) -> Result<()> {
        let written = self.write(rows).await?;
        self.commit(written.adds, application).await
    }

    /// Adds files that were written before.
    pub(super) async fn commit(&self, adds: Vec<Action>, application: Option<Application>) -> Result<()> {
        let info = CommitInfo { application, ..CommitInfo::default() };
        self.delta().await?.append(adds, info).await?;
        Ok(())
    }

    pub(super) async fn scan(&self) -> Result<TableScan> {
        let snapshot = self.delta().await?.snapshot().await?;
        TableScan::new(&self.storage, self.location, snapshot, self.query_schema())
    }

    /// Strings as queries see them.
    fn query_schema(&self) -> SchemaRef {
        let seen = |field: &Arc<Field>| match field.data_type() {
            DataType::Utf8 => Field::clone(field).with_data_type(DataType::Utf8View),
            _ => Field::clone(field),
        };
        Arc::new(Schema::new(self.schema.fields().iter().map(seen).collect::<Vec<_>>()))
    }

    /// Rewrites many small files as few. Losing a race for it loses nothing.
    pub(super) async fn compact(&self) -> Result<()> {
        let delta = self.delta().await?;
        if delta.snapshot().await?.files()?.len() <= FILES_BEFORE_COMPACTION {
            return Ok(());
        }
        let compacted = delta.delta().await?.optimize().with_type(OptimizeType::Compact).await;
        if let Err(error) = compacted.map_err(Error::from) {
            tracing::info!(table = self.location, %error, "compacting a table of the system");
        }
        Ok(())
    }
}
