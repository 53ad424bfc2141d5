//! The two schemas, as DataFusion asks for them.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, Session, TableProvider};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::catalog::Oid;

use super::definition::{self, Definition};
use super::{PG_CATALOG, Visible, relations};

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

impl CatalogTable {
    /// The relations that a condition names, where rows tell of relations: a warehouse may have many columns.
    fn relations_in(&self, filter: &Expr) -> Option<Vec<Oid>> {
        let key = match (self.definition.schema, self.definition.name) {
            (PG_CATALOG, "pg_attribute") => "attrelid",
            (PG_CATALOG, "pg_attrdef") => "adrelid",
            (PG_CATALOG, "pg_class") => "oid",
            _ => return None,
        };
        let is_key = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == key);
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_key(left) => {
                Some(vec![number(right)?])
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if is_key(right) => {
                Some(vec![number(left)?])
            }
            Expr::InList(list) if !list.negated && is_key(&list.expr) => {
                list.list.iter().map(number).collect()
            }
            _ => None,
        }
    }
}

/// An object identifier that stands in a condition.
fn number(expr: &Expr) -> Option<Oid> {
    let Expr::Literal(value, _) = expr else { return None };
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(Some(number))) => Oid::try_from(number).ok(),
        _ => None,
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

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let is_read = |filter: &&Expr| match self.relations_in(filter) {
            Some(_) => TableProviderFilterPushDown::Inexact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(is_read).collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let places: Vec<usize> = match projection {
            Some(places) => places.clone(),
            None => (0..self.definition.columns.len()).collect(),
        };
        let only = filters.iter().find_map(|filter| self.relations_in(filter));
        let wanted = self.definition.project(&places, only)?;
        let batch = relations::rows(&wanted, &self.visible)?;
        let plan = MemorySourceConfig::try_new_exec(&[vec![batch]], Arc::clone(&wanted.arrow), None)?;
        Ok(plan)
    }
}
