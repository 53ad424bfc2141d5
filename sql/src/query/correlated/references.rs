//! What a plan reads of the row around it.

use std::collections::HashMap;

use arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Subquery};

/// Outer columns, and the columns that stand in their places.
pub(super) type Places = HashMap<Column, (Column, FieldRef)>;

/// The subquery that an expression is.
pub(super) fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

fn subquery_in(expr: &mut Expr) -> Option<&mut Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

pub(super) fn has_subquery(expr: &Expr) -> Result<bool> {
    expr.exists(|part| Ok(subquery_of(part).is_some()))
}

/// Whether the right side runs for each row of the left. The planner leaves no mark where only a subquery of the right
/// side reads the left.
pub(super) fn is_lateral(join: &Join) -> Result<bool> {
    let read = outer_columns(&join.right)?;
    Ok(is_marked(&join.right) || read.iter().any(|(column, _)| join.left.schema().has_column(column)))
}

fn is_marked(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Subquery(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_marked(&alias.input),
        LogicalPlan::Projection(projection) => is_marked(&projection.input),
        _ => false,
    }
}

/// Whether there is a subquery anywhere in a plan.
pub(super) fn has_subqueries(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| {
        let mut found = matches!(node, LogicalPlan::Subquery(_));
        node.apply_expressions(|expr| {
            found |= has_subquery(expr)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(found)
    })
}

pub(super) fn subquery(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: plan.into(), outer_ref_columns, spans: Default::default() }
}

/// The outer columns that `plan` reads, in its own expressions and in subqueries that look past their own input.
pub(super) fn outer_columns(plan: &LogicalPlan) -> Result<Vec<(Column, FieldRef)>> {
    let around = merge_schema(&plan.inputs());
    let mut found = Vec::new();
    plan.apply_expressions(|expr| {
        found.extend(outer_columns_of(expr, &around)?);
        Ok(TreeNodeRecursion::Continue)
    })?;
    match plan {
        LogicalPlan::Join(Join { left, right, .. }) => {
            found.extend(outer_columns(left)?);
            let read = outer_columns(right)?;
            found.extend(read.into_iter().filter(|(column, _)| !left.schema().has_column(column)));
        }
        _ => {
            for input in plan.inputs() {
                found.extend(outer_columns(input)?);
            }
        }
    }
    let mut distinct: Vec<(Column, FieldRef)> = Vec::new();
    for (column, field) in found {
        if !distinct.iter().any(|(known, _)| *known == column) {
            distinct.push((column, field));
        }
    }
    Ok(distinct)
}

/// Those of an expression over `around`.
pub(super) fn outer_columns_of(expr: &Expr, around: &DFSchema) -> Result<Vec<(Column, FieldRef)>> {
    let mut found = Vec::new();
    expr.apply(|part| {
        if let Expr::OuterReferenceColumn(field, column) = part {
            found.push((column.clone(), FieldRef::clone(field)));
        }
        if let Some(subquery) = subquery_of(part) {
            let read = outer_columns(&subquery.subquery)?;
            found.extend(read.into_iter().filter(|(column, _)| !around.has_column(column)));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

pub(super) fn reads_outer(plan: &LogicalPlan) -> Result<bool> {
    Ok(!outer_columns(plan)?.is_empty())
}

/// An expression over `around`, with columns of its own input in the places of outer ones.
pub(super) fn as_own(expr: Expr, places: &Places, around: &DFSchema) -> Result<Expr> {
    replaced(expr, places, around, &|column, _| Expr::Column(column))
}

/// A subquery that reads other columns of the row around it.
pub(super) fn redirected(plan: LogicalPlan, places: &Places) -> Result<LogicalPlan> {
    let around = merge_schema(&plan.inputs());
    let left = match &plan {
        LogicalPlan::Join(join) => Some(join.left.schema().clone()),
        _ => None,
    };
    let mut is_first = true;
    let plan = plan.map_children(|child| {
        let is_right = !std::mem::take(&mut is_first);
        let redirected = match left.as_ref().filter(|_| is_right) {
            Some(left) => redirected(child, &without(places, left))?,
            None => redirected(child, places)?,
        };
        Ok(Transformed::yes(redirected))
    })?;
    let names = NamePreserver::new(&plan.data);
    let plan = plan.data.map_expressions(|expr| {
        let name = names.save(&expr);
        let expr =
            replaced(expr, places, &around, &|column, field| Expr::OuterReferenceColumn(field, column))?;
        Ok(Transformed::yes(name.restore(expr)))
    })?;
    match plan.data {
        LogicalPlan::Subquery(inner) => {
            Ok(LogicalPlan::Subquery(subquery(LogicalPlan::clone(&inner.subquery))))
        }
        plan => plan.recompute_schema(),
    }
}

pub(super) fn without(places: &Places, nearer: &DFSchema) -> Places {
    let kept = places.iter().filter(|(column, _)| !nearer.has_column(column));
    kept.map(|(column, place)| (column.clone(), place.clone())).collect()
}

fn replaced(
    expr: Expr,
    places: &Places,
    around: &DFSchema,
    place: &dyn Fn(Column, FieldRef) -> Expr,
) -> Result<Expr> {
    let replaced = expr.transform_down(|mut part| {
        if let Expr::OuterReferenceColumn(_, column) = &part
            && let Some((column, field)) = places.get(column)
        {
            return Ok(Transformed::yes(place(column.clone(), FieldRef::clone(field))));
        }
        let Some(inner) = subquery_in(&mut part) else { return Ok(Transformed::no(part)) };
        let plan = LogicalPlan::clone(&inner.subquery);
        *inner = subquery(redirected(plan, &without(places, around))?);
        Ok(Transformed::yes(part))
    })?;
    Ok(replaced.data)
}
