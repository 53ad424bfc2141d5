//! Relations that have the same values in some columns each time they are read within a statement.

use std::collections::HashSet;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprSchemable, Join, LogicalPlan, Projection, Union,
};

use super::references::subquery_of;

/// Aggregates of which the order of rows decides nothing.
const EXACT: &[&str] = &["bool_and", "bool_or", "count", "max", "min"];
/// Those of which it decides nothing unless they are of floats.
const EXACT_OF_EXACT: &[&str] = &["avg", "sum"];

/// Whether `columns` of `plan` are the same at each reading. A LIMIT may choose other rows, a volatile function answers
/// otherwise, and a sum of floats depends on the order of rows.
pub(super) fn is_repeatable(plan: &LogicalPlan, columns: &[Column]) -> Result<bool> {
    if !computes_the_same(plan)? {
        return Ok(false);
    }
    match plan {
        LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_) | LogicalPlan::Values(_) => Ok(true),
        LogicalPlan::SubqueryAlias(alias) => {
            let below = at_same_places(columns, &alias.schema, alias.input.schema());
            is_repeatable(&alias.input, &below)
        }
        LogicalPlan::Subquery(subquery) => is_repeatable(&subquery.subquery, columns),
        LogicalPlan::Projection(projection) => {
            is_repeatable(&projection.input, &columns_below(projection, columns))
        }
        LogicalPlan::Filter(filter) => {
            is_repeatable(&filter.input, &with_columns_of(columns, [&filter.predicate]))
        }
        LogicalPlan::Sort(sort) if sort.fetch.is_none() => is_repeatable(&sort.input, columns),
        LogicalPlan::Distinct(Distinct::All(input)) => is_repeatable(input, columns),
        LogicalPlan::Join(join) => is_repeatable_join(join, columns),
        LogicalPlan::Union(union) => is_repeatable_union(union, columns),
        LogicalPlan::Unnest(unnest) => is_repeatable(&unnest.input, &unnest.input.schema().columns()),
        LogicalPlan::Window(window) => {
            let schema = window.input.schema();
            Ok(columns.iter().all(|column| schema.has_column(column))
                && is_repeatable(&window.input, columns)?)
        }
        LogicalPlan::Aggregate(aggregate) => is_repeatable_aggregate(aggregate, columns),
        _ => Ok(false),
    }
}

/// Whether a node's own expressions give the same again.
fn computes_the_same(plan: &LogicalPlan) -> Result<bool> {
    let mut is_same = true;
    plan.apply_expressions(|expr| {
        is_same &= !expr.is_volatile();
        expr.apply(|part| {
            if let Some(subquery) = subquery_of(part) {
                let inner = &subquery.subquery;
                is_same &= is_repeatable(inner, &inner.schema().columns())?;
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(is_same)
}

fn with_columns_of<'a>(columns: &[Column], exprs: impl IntoIterator<Item = &'a Expr>) -> Vec<Column> {
    let read: HashSet<&Column> = exprs.into_iter().flat_map(|expr| expr.column_refs()).collect();
    columns.iter().chain(read).cloned().collect()
}

fn at_same_places(columns: &[Column], schema: &DFSchema, below: &DFSchema) -> Vec<Column> {
    let all = below.columns();
    let places = columns.iter().filter_map(|column| schema.maybe_index_of_column(column));
    places.filter_map(|place| all.get(place).cloned()).collect()
}

fn columns_below(projection: &Projection, columns: &[Column]) -> Vec<Column> {
    let places = columns.iter().filter_map(|column| projection.schema.maybe_index_of_column(column));
    with_columns_of(&[], places.filter_map(|place| projection.expr.get(place)))
}

fn is_repeatable_join(join: &Join, columns: &[Column]) -> Result<bool> {
    let keys = join.on.iter().flat_map(|(left, right)| [left, right]);
    let needed = with_columns_of(columns, keys.chain(&join.filter));
    for side in [&join.left, &join.right] {
        let of_side: Vec<Column> =
            needed.iter().filter(|column| side.schema().has_column(column)).cloned().collect();
        if !is_repeatable(side, &of_side)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_repeatable_union(union: &Union, columns: &[Column]) -> Result<bool> {
    for input in &union.inputs {
        if !is_repeatable(input, &at_same_places(columns, &union.schema, input.schema()))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_repeatable_aggregate(aggregate: &Aggregate, columns: &[Column]) -> Result<bool> {
    let groups = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let places = columns.iter().filter_map(|column| aggregate.schema.maybe_index_of_column(column));
    let wanted = places.filter_map(|place| aggregate.aggr_expr.get(place.checked_sub(groups)?));
    let wanted: Vec<&Expr> = wanted.collect();
    for expr in &wanted {
        if expr.exists(|part| Ok(depends_on_order(part, aggregate.input.schema())))? {
            return Ok(false);
        }
    }
    let read = with_columns_of(&[], aggregate.group_expr.iter().chain(wanted));
    is_repeatable(&aggregate.input, &read)
}

fn depends_on_order(part: &Expr, schema: &DFSchema) -> bool {
    let Expr::AggregateFunction(call) = part else { return false };
    let is_of_floats = || {
        let mut types = call.params.args.iter().map(|argument| argument.get_type(schema));
        types.any(|known| known.is_ok_and(|known| known.is_floating()))
    };
    let name = call.func.name();
    !(EXACT.contains(&name) || EXACT_OF_EXACT.contains(&name) && !is_of_floats())
}
