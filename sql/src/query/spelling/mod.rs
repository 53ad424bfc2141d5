//! What PostgreSQL's users write and DataFusion plans only in another spelling. Works on the syntax tree.

mod aggregates;
mod digits;
mod escape;
mod exists;
mod fetch;
mod headings;
mod lateral;
mod latest;
mod membership;
mod order;
mod outputs;
pub mod records;
mod rows;
pub mod scalars;
mod sets;
mod synonyms;
pub mod today;
mod using;

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Select, SelectItem,
    Statement, TableFactor, UnaryOperator, VisitMut, VisitorMut,
};
use voxhouse_engine::Error;

use crate::dialect::build::call;

pub use outputs::{name_outputs, outputs_collide};

/// The functions that rewritten statements call.
pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    [escape::like_escape(), rows::row_key(), sets::regexp_split_to_array()].into_iter()
}

/// Rewrites a statement in place. One that needs nothing stays the same.
pub fn rewrite(statement: &mut Statement) -> Result<(), Error> {
    match statement.visit(&mut Rewriter { negations: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriter {
    /// How many NOTs are around.
    negations: usize,
}

fn negates(expr: &Expr) -> bool {
    matches!(expr, Expr::UnaryOp { op: UnaryOperator::Not, .. })
}

impl VisitorMut for Rewriter {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        fetch::as_limit(query);
        if let Err(error) = using::settle(query) {
            return ControlFlow::Break(error);
        }
        order::keep_apart(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        exists::count_instead(select);
        membership::count_instead(select);
        sets::in_output(select);
        aggregates::tell_apart(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        headings::of_derived(factor);
        lateral::as_table(factor);
        match sets::in_from(factor).and_then(|()| lateral::by_row(factor)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        self.negations += usize::from(negates(expr));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        self.negations -= usize::from(negates(expr));
        digits::write_out(expr);
        rows::count_keys(expr);
        latest::as_aggregate(expr);
        if self.negations == 0 {
            membership::of_rows(expr);
        }
        let rewritten = escape::rewrite(expr)
            .and_then(|()| synonyms::rewrite(expr))
            .and_then(|()| synonyms::plain_interval(expr));
        match rewritten {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The expressions of the select list.
fn outputs(select: &mut Select) -> impl Iterator<Item = &mut Expr> {
    select.projection.iter_mut().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    })
}

/// The name of a function without a schema, or in `pg_catalog`.
fn name_of(function: &Function) -> Option<String> {
    let parts: Vec<&Ident> = function.name.0.iter().map(|part| part.as_ident()).collect::<Option<_>>()?;
    match parts.as_slice() {
        [name] => Some(super::names::fold(name)),
        [schema, name] if super::names::fold(schema) == "pg_catalog" => Some(super::names::fold(name)),
        _ => None,
    }
}

/// The arguments of a plain call; `None` with names, wildcards or subqueries among them.
fn plain_arguments(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
    if !list.args.iter().all(plain) {
        return None;
    }
    let arguments = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument),
        _ => None,
    });
    Some(arguments.collect())
}
