//! Calls of `profile('x.feedback')` as the query that computes them. The function looks at every column, so the
//! relation is planned first to know them.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SessionState;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Query, Statement, TableFactor, Visit, VisitMut,
    Visitor, VisitorMut,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use voxhouse_engine::catalog::SqlType;
use voxhouse_engine::{Error, ErrorKind, Result};
use voxhouse_udfs::aggregate_name;

use super::catalog::Relations;
use super::context::{plan_in, sql_statement};
use super::names::fold;
use super::pipe::parse_query;
use super::reports;
use crate::dialect::build::{self, call, text};

const NAME: &str = "profile";
/// May stand before the name.
const SCHEMA: &str = "system";

/// Rewrites a statement in place. One without such calls stays the same.
pub(super) fn expand<'a>(
    statement: &'a mut Statement,
    state: &'a SessionState,
    relations: &'a Arc<Relations>,
) -> BoxFuture<'a, Result<()>> {
    async move {
        let mut finder = Finder { found: Vec::new() };
        if let ControlFlow::Break(error) = Visit::visit(&*statement, &mut finder) {
            return Err(error);
        }
        let mut queries = VecDeque::with_capacity(finder.found.len());
        for relation in finder.found {
            let everything = parse_query(&format!("SELECT * FROM {relation}"))?;
            let everything = sql_statement(Statement::Query(Box::new(everything)));
            let plan = plan_in(state, relations, everything).await?;
            queries.push_back(query(relation, Arc::clone(plan.schema().inner()))?);
        }
        let _ = VisitMut::visit(statement, &mut Replacer { queries });
        Ok(())
    }
    .boxed()
}

fn is_profile(name: &ObjectName) -> bool {
    let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(fold)).collect();
    match parts.unwrap_or_default().as_slice() {
        [name] => name == NAME,
        [schema, name] => schema == SCHEMA && name == NAME,
        _ => false,
    }
}

struct Finder {
    found: Vec<TableFactor>,
}

impl Visitor for Finder {
    type Break = Error;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { name, args: Some(arguments), .. } = factor
            && is_profile(name)
        {
            match relation_of(&arguments.args) {
                Ok(relation) => self.found.push(relation),
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }
}

fn relation_of(arguments: &[FunctionArg]) -> Result<TableFactor> {
    let value = match arguments {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))] => Some(value),
        [FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. }] if fold(name) == "relation" => {
            Some(value)
        }
        _ => None,
    };
    value.and_then(|value| reports::relation_in(value.clone()).transpose()).unwrap_or_else(|| {
        Err(Error::new(ErrorKind::UndefinedFunction, "function profile does not exist with these arguments")
            .with_hint("It is called as profile('relation')."))
    })
}

/// Puts the queries in the places of the calls, in the order in which they were found.
struct Replacer {
    queries: VecDeque<Query>,
}

impl VisitorMut for Replacer {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(_), alias, .. } = factor
            && is_profile(name)
            && let Some(query) = self.queries.pop_front()
        {
            let alias = alias.take().unwrap_or_else(|| build::alias(Ident::new(NAME)));
            *factor = build::derived(query, alias);
        }
        ControlFlow::Continue(())
    }
}

/// The call over a relation with these columns.
fn query(relation: TableFactor, columns: SchemaRef) -> Result<Query> {
    let mut told = Vec::with_capacity(columns.fields().len());
    let mut arguments = Vec::with_capacity(columns.fields().len());
    for field in columns.fields() {
        let data_type = SqlType::from_field(field)
            .map_or_else(|_| field.data_type().to_string().to_lowercase(), |known| known.to_string());
        told.push((field.name().clone(), data_type));
        arguments.push(Expr::Identifier(Ident::with_quote('"', field.name())));
    }
    let description = serde_json::to_string(&told)?;
    let arguments = std::iter::once(text(&description)).chain(arguments).collect();
    reports::rows_of(NAME, call(&aggregate_name(NAME), arguments), relation)
}
