//! Tables that another program writes: where they lie, what columns they have, and how they are read.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast};
use futures::FutureExt;
use object_store::path::Path;
use url::Url;

use super::DeltaTable;
use super::snapshot::TableSnapshot;
use crate::catalog::{Column, SqlType, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::Storage;

/// A handle on the table at a URL, or in a folder under the root. Reads nothing.
pub fn open(storage: &Storage, from: &str) -> Result<DeltaTable> {
    if !from.contains("://") {
        return DeltaTable::at(storage, from.trim_matches('/'));
    }
    let invalid = || {
        Error::invalid_argument("the location of a table must be the URL of its folder")
            .with_hint("Write it as s3://bucket/folder or file:///folder/table.")
    };
    let mut parent = Url::parse(from).map_err(|_| invalid())?;
    let path = parent.path().trim_end_matches('/').to_owned();
    let (folder, name) = path.rsplit_once('/').ok_or_else(invalid)?;
    let name = Path::from_url_path(name).map_err(|_| invalid())?;
    if name.as_ref().is_empty() {
        return Err(invalid());
    }
    if let Ok(local) = parent.to_file_path()
        && !local.is_dir()
    {
        return Err(missing(from));
    }
    parent.set_path(&format!("{folder}/"));
    DeltaTable::at(&storage.elsewhere(parent.as_str())?, name.as_ref())
}

fn missing(from: &str) -> Error {
    Error::new(ErrorKind::UndefinedTable, "there is no Delta table at this location").with_detail(format!(
        "\"{}\" holds no log.",
        from.rsplit('/').find(|part| !part.is_empty()).unwrap_or(from)
    ))
}

impl DeltaTable {
    /// The columns of another program's table, and those that it is partitioned by.
    pub async fn external_columns(&self) -> Result<(Vec<Column>, Vec<String>)> {
        if !self.exists().await? {
            return Err(missing(self.location()));
        }
        let snapshot = self.snapshot().await?;
        let schema = snapshot.schema();
        let columns = schema.fields().iter().map(|field| {
            let mut column = Column::new(field.name(), SqlType::from_field(field)?);
            column.not_null = !field.is_nullable();
            Ok(column)
        });
        Ok((columns.collect::<Result<_>>()?, snapshot.partition_columns().to_vec()))
    }

    /// Reads a version that only the Delta library knows how to read: rows marked as deleted, columns under other
    /// names.
    pub async fn foreign_provider(
        &self,
        table: &Table,
        snapshot: &TableSnapshot,
        state: &SessionState,
    ) -> Result<Arc<dyn TableProvider>> {
        let mut delta = deltalake_core::DeltaTable::new(self.log_store().clone());
        delta.load_version(snapshot.version()).boxed().await?;
        delta.update_datafusion_session(state)?;
        let provider = delta.table_provider().with_session(Arc::new(state.clone())).await?;
        let schema = table.query_schema();
        let columns = schema.fields().iter().map(|field| {
            let column = Expr::Column(datafusion::common::Column::from_name(field.name()));
            cast(column, field.data_type().clone()).alias(field.name())
        });
        let columns: Vec<Expr> = columns.collect();
        let plan = LogicalPlanBuilder::scan(&table.name.name, provider_as_source(provider), None)?;
        Ok(Arc::new(ViewTable::new(plan.project(columns)?.build()?, None)))
    }
}
