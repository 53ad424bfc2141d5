//! PostgreSQL types of result columns that Arrow's types do not tell: a plan hands on the names beside them (`oid`,
//! `uuid`, `varchar(20)`) through columns and casts, and loses them in CASE, in aggregates and in subqueries.

use datafusion::common::DFSchema;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, LogicalPlan};
use voxhouse_engine::catalog::types::TYPE_KEY;

/// The name of the type of a column of a plan that has not been optimized, if it has one.
pub fn of_column(plan: &LogicalPlan, index: usize) -> Option<String> {
    let field = plan.schema().fields().get(index)?;
    if let Some(name) = field.metadata().get(TYPE_KEY) {
        return Some(name.clone());
    }
    match plan {
        LogicalPlan::Projection(node) => of_expression(node.expr.get(index)?, &node.input),
        LogicalPlan::SubqueryAlias(node) => of_column(&node.input, index),
        LogicalPlan::Filter(node) => of_column(&node.input, index),
        LogicalPlan::Sort(node) => of_column(&node.input, index),
        LogicalPlan::Limit(node) => of_column(&node.input, index),
        LogicalPlan::Distinct(Distinct::All(input)) => of_column(input, index),
        LogicalPlan::Distinct(Distinct::On(node)) => of_expression(node.select_expr.get(index)?, &node.input),
        LogicalPlan::Aggregate(node) => {
            let mut columns = node.group_expr.iter().chain(&node.aggr_expr);
            of_expression(columns.nth(index)?, &node.input)
        }
        LogicalPlan::Window(node) => {
            let inner = node.input.schema().fields().len();
            match index.checked_sub(inner) {
                None => of_column(&node.input, index),
                Some(place) => of_expression(node.window_expr.get(place)?, &node.input),
            }
        }
        LogicalPlan::Join(node) => {
            let left = node.left.schema().fields().len();
            match index.checked_sub(left) {
                None => of_column(&node.left, index),
                Some(place) => of_column(&node.right, place),
            }
        }
        LogicalPlan::RecursiveQuery(node) => of_column(&node.static_term, index),
        LogicalPlan::Union(node) => {
            let mut names = node.inputs.iter().map(|input| of_column(input, index));
            let first = names.next()??;
            names.all(|name| name.as_ref() == Some(&first)).then_some(first)
        }
        _ => None,
    }
}

fn of_expression(expression: &Expr, input: &LogicalPlan) -> Option<String> {
    if let Ok((_, field)) = expression.to_field(input.schema().as_ref() as &DFSchema)
        && let Some(name) = field.metadata().get(TYPE_KEY)
    {
        return Some(name.clone());
    }
    match expression {
        Expr::Alias(alias) => of_expression(&alias.expr, input),
        Expr::Column(column) => of_column(input, input.schema().maybe_index_of_column(column)?),
        Expr::ScalarSubquery(subquery) => of_column(&subquery.subquery, 0),
        Expr::Case(case) => {
            let results = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
            of_all(results.chain(case.else_expr.as_deref()), input)
        }
        Expr::ScalarFunction(call)
            if matches!(call.func.name(), "coalesce" | "nullif" | "greatest" | "least") =>
        {
            of_all(call.args.iter(), input)
        }
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            let argument = of_expression(params.args.first()?, input);
            match func.name() {
                "first_value" | "last_value" | "any_value" | "nth_value" => argument.map(unbounded),
                // Of a varchar they are those of text.
                "min" | "max" => argument.map(unbounded).filter(|name| name != "character varying"),
                "array_agg" => argument.map(|name| format!("{}[]", unbounded(name))),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A function gives no length, and neither precision nor scale.
fn unbounded(mut name: String) -> String {
    if let Some(bound) = name.find('(') {
        name.truncate(bound);
    }
    name
}

/// The type that all have but those that are NULL.
fn of_all<'a>(expressions: impl Iterator<Item = &'a Expr>, input: &LogicalPlan) -> Option<String> {
    let is_null = |expression: &Expr| matches!(expression, Expr::Literal(value, _) if value.is_null());
    let mut names = expressions.filter(|one| !is_null(one)).map(|one| of_expression(one, input));
    let first = names.next()??;
    names.all(|name| name.as_ref() == Some(&first)).then_some(first)
}
