//! Functions of JSON as statements write them: sets in FROM and in the select list, aggregates, and rows.

mod aggregates;
mod records;
mod sets;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Select, Statement,
    TableFactor, Value, VisitMut, VisitorMut,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::query::names::fold;

/// Rewrites a statement in place. Whether there are rows of whole relations in it, which the plan has to expand.
///
/// # Errors
/// Not supported, for functions of SQL/JSON paths; syntax errors and types that cannot be told.
pub fn rewrite(statement: &mut Statement) -> Result<bool> {
    let mut rewriter = Rewriter { scopes: Vec::new(), has_rows: false };
    match statement.visit(&mut rewriter) {
        ControlFlow::Continue(()) => Ok(rewriter.has_rows),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriter {
    /// The relations of the FROM clauses around, innermost last.
    scopes: Vec<Vec<Ident>>,
    has_rows: bool,
}

fn flow(result: Result<()>) -> ControlFlow<Error> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

impl VisitorMut for Rewriter {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        sets::name_elements(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.scopes.push(relations(select));
        sets::in_output(select);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<Error> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        flow(records::in_from(factor).map(|()| sets::in_from(factor)))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let Some(name) = plain_name(function) else { return ControlFlow::Continue(()) };
        if name.starts_with("jsonb_path_") {
            let error = Error::not_supported(format!("{name} is not supported"));
            return ControlFlow::Break(error.with_hint("Write -> or #> for the steps of a path."));
        }
        let relations = self.scopes.last().map(Vec::as_slice).unwrap_or_default();
        let rows = records::Rows { relations };
        if let Err(error) = refuse_unknown(&name, function) {
            return ControlFlow::Break(error);
        }
        if let Some(new) =
            aggregates::rewritten(&name, function, &rows).or_else(|| rows.rewritten(&name, function))
        {
            self.has_rows = self.has_rows || has_wildcard(&new);
            *expr = new;
        }
        ControlFlow::Continue(())
    }
}

/// Names and aliases of the tables and subqueries in FROM.
fn relations(select: &Select) -> Vec<Ident> {
    let factors = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    let name = |factor: &TableFactor| match factor {
        TableFactor::Table { name, alias, args: None, .. } => match alias {
            Some(alias) => Some(alias.name.clone()),
            None => name.0.last().and_then(|part| part.as_ident()).cloned(),
        },
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| alias.name.clone()),
        function => sets::alias_of_rows(function),
    };
    factors.filter_map(name).collect()
}

fn plain_name(function: &Function) -> Option<String> {
    let parts: Vec<&Ident> = function.name.0.iter().map(|part| part.as_ident()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [name] => Some(fold(name)),
        [schema, name] if fold(schema) == "pg_catalog" => Some(fold(name)),
        _ => None,
    }
}

fn arguments(function: &Function) -> &[FunctionArg] {
    match &function.args {
        FunctionArguments::List(list) => &list.args,
        _ => &[],
    }
}

fn expression(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// `to_json('text')`: of what type the value is, is not said.
fn refuse_unknown(name: &str, function: &Function) -> Result<()> {
    let is_unknown = |argument: &FunctionArg| {
        let Some(Expr::Value(value)) = expression(argument) else { return false };
        matches!(value.value, Value::SingleQuotedString(_) | Value::Null)
    };
    if matches!(name, "to_json" | "to_jsonb") && arguments(function).first().is_some_and(is_unknown) {
        let message = "could not determine polymorphic type because input has type unknown";
        return Err(Error::new(ErrorKind::DatatypeMismatch, message));
    }
    Ok(())
}

fn has_wildcard(expr: &Expr) -> bool {
    use datafusion::sql::sqlparser::ast::{Visit, Visitor};
    struct Wildcards;
    impl Visitor for Wildcards {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
            let is_wildcard = |argument: &FunctionArg| {
                matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)))
            };
            match arguments(function).iter().any(is_wildcard) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Wildcards).is_break()
}
