//! The plan of a pipe's query, with each row traced to its place in the file.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, SelectItem, SetExpr, Statement as SqlStatement, TableFactor, TableWithJoins,
};
use voxhouse_engine::catalog::QualifiedName;
use voxhouse_engine::planning::{PipePlan, ROW_COLUMN, SOURCE_RELATION};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::context::{QueryContext, SEARCH_PATH_SCHEMA};
use super::names::fold;
use crate::dialect::{self, StatementKind};

impl QueryContext {
    /// Plans `query` over the relation `source`.
    pub async fn plan_pipe(&self, query: Option<&str>, source: Arc<dyn TableProvider>) -> Result<PipePlan> {
        let overrides: HashMap<QualifiedName, Arc<dyn TableProvider>> =
            [(QualifiedName::new(SEARCH_PATH_SCHEMA, SOURCE_RELATION), source)].into();
        let query = parse_query(query.unwrap_or("SELECT * FROM source"))?;
        if let Some(traced) = traced(&query) {
            match self.plan_query_with(&traced, overrides.clone()).await {
                Ok(planned) => return Ok(PipePlan { plan: planned.plan, traces_rows: true }),
                // An aggregate refuses the extra column; anything else fails again below, with its own words.
                Err(error) if matches!(error.kind(), ErrorKind::GroupingError | ErrorKind::Syntax) => {}
                Err(error) => return Err(error),
            }
        }
        let planned = self.plan_query_with(&query, overrides).await?;
        Ok(PipePlan { plan: planned.plan, traces_rows: false })
    }
}

/// The query in a pipe's text.
pub fn parse_query(text: &str) -> Result<Query> {
    match dialect::parse(text)?.pop().map(|statement| statement.kind) {
        Some(StatementKind::Sql(statement)) => match *statement {
            SqlStatement::Query(query) => Ok(*query),
            _ => Err(Error::syntax("a pipe's query must be a SELECT")),
        },
        _ => Err(Error::syntax("a pipe's query must be a SELECT")),
    }
}

/// The query with the row number of `source` as its last column; `None` if rows lose their origin in it.
fn traced(query: &Query) -> Option<Query> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    if select.distinct.is_some() || select.having.is_some() {
        return None;
    }
    let alias = select.from.iter().find_map(source_alias)?;
    // `SELECT *` brings the column along by itself.
    let everything = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)));
    let mut traced = query.clone();
    if let (SetExpr::Select(select), false) = (traced.body.as_mut(), everything) {
        let column = Expr::CompoundIdentifier(vec![Ident::with_quote('"', alias), Ident::new(ROW_COLUMN)]);
        select.projection.push(SelectItem::ExprWithAlias { expr: column, alias: Ident::new(ROW_COLUMN) });
    }
    Some(traced)
}

/// How the query names `source`, if the table is it or a join of it.
fn source_alias(table: &TableWithJoins) -> Option<String> {
    std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation)).find_map(|factor| {
        let TableFactor::Table { name, alias, .. } = factor else { return None };
        let [part] = name.0.as_slice() else { return None };
        if fold(part.as_ident()?) != SOURCE_RELATION {
            return None;
        }
        Some(alias.as_ref().map_or_else(|| SOURCE_RELATION.to_owned(), |alias| fold(&alias.name)))
    })
}
