//! Rows of the warehouse's tables as text, as identity resolution reads them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;

use crate::catalog::{CatalogSnapshot, QualifiedName};
use crate::error::Result;
use crate::transaction::Snapshots;

pub struct Reader<'a> {
    pub snapshots: &'a Snapshots,
    pub catalog: &'a CatalogSnapshot,
    pub state: &'a SessionState,
}

impl Reader<'_> {
    /// Calls `visit` with the named columns of each row as text. A table or a column that is not there reads
    /// as no rows and as NULL.
    pub async fn each_row(
        &self,
        name: &QualifiedName,
        columns: &[&str],
        mut visit: impl FnMut(&[Option<&str>]),
    ) -> Result<()> {
        let Ok(table) = self.catalog.table(name) else { return Ok(()) };
        let scan = self.snapshots.scan(table).await?;
        let schema = table.query_schema();
        let present: Vec<Option<usize>> = columns.iter().map(|column| schema.index_of(column).ok()).collect();
        let projection: Vec<usize> = present.iter().flatten().copied().collect();
        if projection.is_empty() {
            return Ok(());
        }
        let source = provider_as_source(Arc::new(scan));
        let plan = LogicalPlanBuilder::scan(&name.name, source, Some(projection))?.build()?;
        let physical = self.state.create_physical_plan(&plan).await?;
        let mut stream = execute_stream(physical, self.state.task_ctx())?;
        while let Some(batch) = stream.try_next().await? {
            let texts = batch
                .columns()
                .iter()
                .map(|column| Ok(arrow::compute::cast(column, &DataType::Utf8)?))
                .collect::<Result<Vec<ArrayRef>>>()?;
            let mut read = texts.iter().map(|column| column.as_string::<i32>());
            let readers: Vec<Option<&StringArray>> =
                present.iter().map(|column| column.and_then(|_| read.next())).collect();
            let mut values = vec![None; columns.len()];
            for row in 0..batch.num_rows() {
                for (value, reader) in values.iter_mut().zip(&readers) {
                    *value = reader.filter(|reader| reader.is_valid(row)).map(|reader| reader.value(row));
                }
                visit(&values);
            }
        }
        Ok(())
    }
}
