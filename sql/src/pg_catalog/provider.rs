//! The two schemas, as DataFusion asks for them.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, Session, TableProvider};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::definition::{self, Definition};
use super::{Visible, relations};

/// The relations of `schema`, which is [`PG_CATALOG`](super::PG_CATALOG) or
/// [`INFORMATION_SCHEMA`](super::INFORMATION_SCHEMA), over what the statement sees.
pub fn schema_provider(visible: Arc<Visible>, schema: &str) -> Arc<dyn SchemaProvider> {
    Arc::new(CatalogSchema { visible, schema: schema.to_owned() })
}

struct CatalogSchema {
    visible: Arc<Visible>,
    schema: String,
}

impl fmt::Debug for CatalogSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogSchema").field("schema", &self.schema).finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for CatalogSchema {
    fn table_names(&self) -> Vec<String> {
        let of_schema = definition::all().iter().filter(|one| one.schema == self.schema);
        of_schema.map(|one| one.name.to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let function = || definition::find_function(&self.schema, name).filter(|_| name.ends_with("()"));
        Ok(definition::find(&self.schema, name).or_else(function).map(|definition| {
            let visible = Arc::clone(&self.visible);
            Arc::new(CatalogTable { definition, visible }) as Arc<dyn TableProvider>
        }))
    }

    fn table_exist(&self, name: &str) -> bool {
        definition::find(&self.schema, name).is_some()
    }
}

/// A relation whose rows are built by the scan, so that the planner knows how many there are.
struct CatalogTable {
    definition: &'static Definition,
    visible: Arc<Visible>,
}

impl fmt::Debug for CatalogTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogTable").field("name", &self.definition.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for CatalogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.definition.arrow)
    }

    fn table_type(&self) -> TableType {
        if self.definition.kind == 'v' { TableType::View } else { TableType::Base }
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let places: Vec<usize> = match projection {
            Some(places) => places.clone(),
            None => (0..self.definition.columns.len()).collect(),
        };
        let wanted = self.definition.project(&places)?;
        let batch = relations::rows(&wanted, &self.visible)?;
        let plan = MemorySourceConfig::try_new_exec(&[vec![batch]], Arc::clone(&wanted.arrow), None)?;
        Ok(plan)
    }
}
