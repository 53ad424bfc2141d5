//! Queries over the table that a statement changes.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr, UnaryOperator, Value};
use voxhouse_engine::Result;
use voxhouse_engine::catalog::{QualifiedName, Table};
use voxhouse_engine::dml::places::AFFECTED_COLUMN;
use voxhouse_engine::table::scan::{FILE_COLUMN, ROW_COLUMN};

use crate::query::QueryContext;
use crate::query::pipe::parse_query;

/// What queries call the table that is changed, so that a subquery over the table itself sees all of it.
pub const TARGET: &str = "__target";

pub fn target_override(scan: Arc<dyn TableProvider>) -> HashMap<QualifiedName, Arc<dyn TableProvider>> {
    [(QualifiedName::new(TARGET, TARGET), scan)].into()
}

/// Rows in memory that queries read like those of a table: with its columns and their types.
pub fn in_memory(table: &Table, rows: &[RecordBatch]) -> Result<Arc<dyn TableProvider>> {
    let schema = table.query_schema();
    let batches = rows.iter().map(|batch| {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| arrow::compute::cast(column, field.data_type()));
        let columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&schema), columns)
    });
    let batches = batches.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(Arc::new(MemTable::try_new(schema, vec![batches])?))
}

/// The table that a statement changes, under the name that the statement gives it.
pub struct Target<'a> {
    pub context: &'a QueryContext,
    pub table: &'a Table,
    pub alias: String,
}

impl Target<'_> {
    pub fn column(&self, name: &str) -> (Expr, String) {
        let parts = vec![Ident::with_quote('"', &self.alias), Ident::with_quote('"', name)];
        (Expr::CompoundIdentifier(parts), name.to_owned())
    }

    /// `SELECT columns FROM table AS alias WHERE condition`
    pub fn select(&self, columns: Vec<(Expr, String)>, condition: Option<Expr>) -> Result<Query> {
        let named = columns
            .into_iter()
            .map(|(expr, name)| SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) });
        self.select_items(named.collect(), condition)
    }

    pub fn select_items(&self, items: Vec<SelectItem>, condition: Option<Expr>) -> Result<Query> {
        let alias = Ident::with_quote('"', &self.alias);
        let mut query = parse_query(&format!("SELECT 1 FROM {TARGET}.{TARGET} AS {alias}"))?;
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.projection = items;
            select.selection = condition;
        }
        Ok(query)
    }

    /// The rows of the table and of other relations, side by side.
    pub fn beside(&self, others: &str, condition: &Expr) -> Result<Query> {
        let alias = Ident::with_quote('"', &self.alias);
        parse_query(&format!("SELECT 1 FROM {TARGET}.{TARGET} AS {alias}, {others} WHERE {condition}"))
    }

    /// Whether the role may read what the new values and the condition name.
    pub async fn check(&self, values: Vec<Expr>, condition: &Expr) -> Result<()> {
        let mut values: Vec<(Expr, String)> =
            values.into_iter().enumerate().map(|(place, value)| (value, format!("__{place}"))).collect();
        values.push((Expr::value(Value::Null), "__nothing".to_owned()));
        let query = self.select(values, Some(condition.clone()))?;
        self.context
            .check_change(self.table, QualifiedName::new(TARGET, TARGET), &query, HashMap::new())
            .await
    }

    /// The places of the rows for which the condition holds.
    pub fn affected(&self, condition: &Expr) -> Result<Query> {
        let columns = [FILE_COLUMN, ROW_COLUMN].map(|name| self.column(name));
        self.select(columns.to_vec(), Some(condition.clone()))
    }

    /// Whether a row is one of those found, or not one.
    pub fn is_affected(&self, wanted: bool) -> Expr {
        let (mark, _) = self.column(AFFECTED_COLUMN);
        if wanted { mark } else { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(mark) } }
    }

    /// Plans queries in which the target is read through `scan`; all of them see the same version of every
    /// other relation.
    pub async fn plan(&self, queries: &[Query], scan: Arc<dyn TableProvider>) -> Result<Vec<LogicalPlan>> {
        self.context.plan_queries_with(queries, target_override(scan)).await
    }
}
