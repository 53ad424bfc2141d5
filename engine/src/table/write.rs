//! Writing record batches as the data files of a table, before anything is committed.

use std::num::NonZeroU64;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use deltalake_core::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake_core::kernel::{Action, Add};
use deltalake_core::table::config::TablePropertiesExt as _;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::DeltaTable;
use super::options::TableOptions;
use super::snapshot::TableSnapshot;
use crate::error::Result;

const ROW_GROUP_ROWS: usize = 512 * 1024;
/// How often a bloom filter says that a value may be there when it is not.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;
/// Rows handed to the Parquet encoder at a time.
const WRITE_ROWS: usize = 16 * 1024;

/// Writes the files of one statement or one batch of a pipe. Nothing is visible until the actions are
/// committed; files of a writer that was dropped are rubbish that VACUUM removes.
pub struct TableWriter {
    inner: DeltaWriter,
    schema: SchemaRef,
    rows: u64,
}

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    pub adds: Vec<Action>,
    pub rows: u64,
}

impl Written {
    /// The data files.
    pub fn files(&self) -> Vec<Add> {
        let files = self.adds.iter().filter_map(|action| match action {
            Action::Add(add) => Some(add.clone()),
            _ => None,
        });
        files.collect()
    }

    pub fn extend(&mut self, other: Written) {
        self.adds.extend(other.adds);
        self.rows += other.rows;
    }
}

impl TableWriter {
    /// `schema` is the storage schema; batches given to [`write`](Self::write) have it.
    pub fn new(table: &DeltaTable, snapshot: &TableSnapshot, schema: SchemaRef) -> Result<Self> {
        let options = snapshot.options();
        let config = WriterConfig::new(
            Arc::clone(&schema),
            snapshot.partition_columns().to_vec(),
            Some(writer_properties(&options)?),
            NonZeroU64::new(options.target_file_bytes),
            Some(WRITE_ROWS),
            snapshot.state().table_config().num_indexed_cols(),
            None,
        );
        Ok(Self { inner: DeltaWriter::new(table.log_store().object_store(None), config), schema, rows: 0 })
    }

    pub async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        // Field metadata and nullability may differ from the declared schema; the types do not.
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
        self.rows += batch.num_rows() as u64;
        Ok(self.inner.write(&batch).await?)
    }

    pub async fn finish(self) -> Result<Written> {
        let adds = self.inner.close().await?;
        Ok(Written { adds: adds.into_iter().map(Action::Add).collect(), rows: self.rows })
    }

    /// Gives up: uploads in progress are aborted.
    pub async fn abort(self) {
        if let Err(error) = self.inner.abort().await {
            tracing::warn!(%error, "aborting unfinished data files");
        }
    }
}

/// Minimum and maximum of each page, and bloom filters for the columns that the table names.
fn writer_properties(options: &TableOptions) -> Result<WriterProperties> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_created_by(format!("voxhouse {}", env!("CARGO_PKG_VERSION")));
    for column in &options.bloom_columns {
        let path = ColumnPath::new(vec![column.clone()]);
        properties = properties
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_fpp(path, BLOOM_FALSE_POSITIVES);
    }
    Ok(properties.build())
}
