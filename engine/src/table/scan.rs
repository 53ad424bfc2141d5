//! Reading a snapshot in a query: a plain Parquet scan with partition values and file statistics.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectMeta;
use object_store::path::Path;
use parquet::arrow::RowNumber;

use super::snapshot::{DataFile, TableSnapshot, partition_scalar};
use crate::error::Result;
use crate::storage::Storage;

/// The names of the columns that tell a row's place, when a scan is asked for them: its data file, and its number
/// in it from 0.
pub const FILE_COLUMN: &str = "__file";
pub const ROW_COLUMN: &str = "__row";

/// Bytes read at once from the end of a Parquet file: enough for most footers.
const FOOTER_HINT: usize = 512 * 1024;

/// A table at one version, as DataFusion reads it.
#[derive(Debug, Clone)]
pub struct TableScan {
    storage: Storage,
    /// Where the table lies, as a full path in the store.
    folder: Path,
    snapshot: Arc<TableSnapshot>,
    files: Arc<Vec<DataFile>>,
    /// Columns in the user's order, and those of a row's place if asked for.
    schema: SchemaRef,
    partition_columns: Vec<String>,
    with_places: bool,
    statistics: Statistics,
}

impl TableScan {
    /// `schema` is what queries see: the columns of the catalog, strings as views. A column that old files
    /// lack reads as NULL.
    pub fn new(
        storage: &Storage,
        location: &str,
        snapshot: Arc<TableSnapshot>,
        schema: SchemaRef,
    ) -> Result<Self> {
        let files = snapshot.files()?;
        let partition_columns = snapshot.partition_columns().to_vec();
        let statistics = table_statistics(&files, &schema);
        Ok(Self {
            storage: storage.clone(),
            folder: storage.path(location),
            snapshot,
            files,
            schema,
            partition_columns,
            with_places: false,
            statistics,
        })
    }

    /// Adds [`FILE_COLUMN`], the path of each row's file under the table's folder, and [`ROW_COLUMN`].
    #[must_use]
    pub fn with_places(mut self) -> Self {
        let mut fields: Vec<_> = self.schema.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(FILE_COLUMN, DataType::Utf8, false)));
        fields.push(row_field());
        self.schema = Arc::new(Schema::new(fields));
        self.with_places = true;
        self.statistics = Statistics::new_unknown(&self.schema);
        self
    }

    /// Reads only these files, by path.
    #[must_use]
    pub fn only_files(mut self, keep: &std::collections::HashSet<String>) -> Self {
        let kept = self.files.iter().filter(|file| keep.contains(file.path.as_ref())).cloned().collect();
        self.files = Arc::new(kept);
        self.statistics = table_statistics(&self.files, &self.schema);
        self
    }

    pub(crate) fn files(&self) -> &[DataFile] {
        &self.files
    }

    pub fn version(&self) -> u64 {
        self.snapshot.version()
    }

    pub fn snapshot(&self) -> &Arc<TableSnapshot> {
        &self.snapshot
    }

    fn is_partition_column(&self, name: &str) -> bool {
        name == FILE_COLUMN && self.with_places || self.partition_columns.iter().any(|column| column == name)
    }

    fn is_row_column(&self, name: &str) -> bool {
        name == ROW_COLUMN && self.with_places
    }

    /// DataFusion wants file columns first, then partition columns, and last what its reader makes up.
    fn scan_schema(&self) -> TableSchema {
        let (made_up, stored): (Vec<_>, Vec<_>) =
            self.schema.fields().iter().cloned().partition(|field| self.is_row_column(field.name()));
        let (partition, file): (Vec<_>, Vec<_>) =
            stored.into_iter().partition(|field| self.is_partition_column(field.name()));
        TableSchema::builder(Arc::new(Schema::new(file)))
            .with_table_partition_cols(partition)
            .with_virtual_columns(made_up)
            .build()
    }

    /// The filters that the reader can apply: it numbers rows after it has filtered them.
    fn readable<'a>(&self, filters: &'a [Expr]) -> impl Iterator<Item = &'a Expr> {
        let with_places = self.with_places;
        filters.iter().filter(move |filter| {
            !with_places || filter.column_refs().iter().all(|column| column.name != ROW_COLUMN)
        })
    }

    fn partitioned_file(&self, file: &DataFile, scan: &TableSchema) -> Result<PartitionedFile> {
        let values = scan.table_partition_cols().iter().map(|field| {
            if field.name() == FILE_COLUMN {
                return Ok(ScalarValue::from(file.path.to_string()));
            }
            let text = file.partition_values.get(field.name()).and_then(Option::as_deref);
            partition_scalar(text, field.data_type())
        });
        let location = file.path.parts().fold(self.folder.clone(), |path, part| path.join(part));
        let mut partitioned = PartitionedFile::new_from_meta(ObjectMeta {
            location,
            last_modified: chrono::DateTime::from_timestamp_millis(file.modified_at_ms).unwrap_or_default(),
            size: file.size,
            e_tag: None,
            version: None,
        });
        partitioned.partition_values = values.collect::<Result<_>>()?;
        // Set directly: the builder would claim that no partition value is ever NULL.
        partitioned.statistics = Some(Arc::new(file.statistics(scan.table_schema())));
        Ok(partitioned)
    }

    /// The files that may hold rows for which the filter is true.
    fn prune(&self, predicate: Option<&Arc<dyn PhysicalExpr>>, schema: &SchemaRef) -> Vec<DataFile> {
        let Some(pruning) = predicate.and_then(|filter| {
            PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).build(Arc::clone(filter))
        }) else {
            return self.files.to_vec();
        };
        let statistics = self.files.iter().map(|file| Arc::new(file.bounds(schema))).collect();
        match pruning.prune(&PrunableStatistics::new(statistics, Arc::clone(schema))) {
            Ok(keep) => {
                self.files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file.clone()).collect()
            }
            // Without an answer every file is read: slower, never wrong.
            Err(_) => self.files.to_vec(),
        }
    }

    fn parquet_source(
        &self,
        state: &dyn Session,
        scan: TableSchema,
        predicate: Option<Arc<dyn PhysicalExpr>>,
    ) -> ParquetSource {
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let reader = CachedParquetFileReaderFactory::new(self.storage.store(), cache);
        let source = ParquetSource::new(scan)
            .with_table_parquet_options(state.table_options().parquet.clone())
            .with_metadata_size_hint(FOOTER_HINT)
            .with_parquet_file_reader_factory(Arc::new(reader));
        // Otherwise the planner hands the filter above the scan to the reader, and this one would be applied twice.
        let is_handed_on = state.config_options().execution.parquet.pushdown_filters;
        match predicate {
            Some(predicate) if !is_handed_on => source.with_predicate(predicate).with_pushdown_filters(true),
            _ => source,
        }
    }
}

#[async_trait]
impl TableProvider for TableScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.statistics.clone())
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        // A filter chooses files, row groups and pages; DataFusion repeats it above the scan.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let scan = self.scan_schema();
        let scan_schema = Arc::clone(scan.table_schema());
        let wanted: Vec<usize> = match projection {
            Some(indices) => indices.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let mut indices = Vec::with_capacity(wanted.len());
        for index in &wanted {
            indices.push(scan_schema.index_of(self.schema.field(*index).name())?);
        }
        let predicate = match conjunction(self.readable(filters).cloned()) {
            Some(filter) => {
                let df_schema = DFSchema::try_from(Arc::clone(&scan_schema))?;
                Some(state.create_physical_expr(filter, &df_schema)?)
            }
            None => None,
        };
        let files = self.prune(predicate.as_ref(), &scan_schema);
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(self.schema.project(&wanted)?))));
        }
        let mut group = Vec::with_capacity(files.len());
        for file in &files {
            group.push(self.partitioned_file(file, &scan)?);
        }
        let groups = FileGroup::new(group).split_files(state.config().target_partitions().max(1));
        let statistics = table_statistics(&files, &scan_schema);
        // With a filter the counts describe the files, not the answer.
        let statistics = if filters.is_empty() { statistics } else { statistics.to_inexact() };
        let config = FileScanConfigBuilder::new(
            Storage::object_store_url(),
            Arc::new(self.parquet_source(state, scan, predicate)),
        )
        .with_file_groups(groups)
        .with_statistics(statistics)
        .with_projection_indices(Some(indices))?
        .with_limit(limit)
        .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Numbered by the Parquet reader.
fn row_field() -> Arc<Field> {
    Arc::new(Field::new(ROW_COLUMN, DataType::Int64, false).with_extension_type(RowNumber))
}

fn table_statistics(files: &[DataFile], schema: &SchemaRef) -> Statistics {
    let each: Vec<Statistics> = files.iter().map(|file| file.statistics(schema)).collect();
    match Statistics::try_merge_iter(&each, schema) {
        Ok(merged) if !each.is_empty() => merged,
        _ => {
            let mut none = Statistics::new_unknown(schema);
            if each.is_empty() {
                none.num_rows = datafusion::common::stats::Precision::Exact(0);
            }
            none
        }
    }
}
