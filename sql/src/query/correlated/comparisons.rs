//! EXISTS, IN, ANY and ALL as values: CASE over subqueries of one value each, with PostgreSQL's answers for NULL and for
//! no rows.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ExprSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison, SetQuantifier};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Expr, ExprFunctionExt, ExprSchemable, Filter, LogicalPlan, Operator, Projection,
    lit, when,
};

use super::references::subquery;

/// `(SELECT count(*) > 0 FROM …)`
pub(super) fn exists(exists: &Exists) -> Result<Expr> {
    let found = some(&exists.subquery.subquery, None)?;
    Ok(if exists.negated { Expr::Not(Box::new(found)) } else { found })
}

/// `a IN (SELECT b …)`: true if there is such a row, unknown if one has NULL, or `a` is NULL and there are rows.
pub(super) fn member(given: &InSubquery, around: &DFSchema) -> Result<Expr> {
    let plan = &given.subquery.subquery;
    let Some(member) = first_column(plan) else { return Ok(Expr::InSubquery(given.clone())) };
    let found = member.clone().eq(as_outer(given.expr.as_ref().clone(), around)?);
    let has_null = some(plan, Some(member.is_null()))?;
    let unknown = given.expr.as_ref().clone().is_null().or(has_null);
    let case = when(some(plan, Some(found))?, lit(true))
        .when(some(plan, None)?.and(unknown), unknown_value())
        .otherwise(lit(false))?;
    Ok(if given.negated { Expr::Not(Box::new(case)) } else { case })
}

/// `a > ALL (SELECT b …)` and its kin.
pub(super) fn compared(given: &SetComparison, around: &DFSchema) -> Result<Expr> {
    let plan = &given.subquery.subquery;
    let Some(other) = first_column(plan) else { return Ok(Expr::SetComparison(given.clone())) };
    match extreme(given.op, &given.quantifier) {
        Some(extreme) if !other.get_type(plan.schema())?.is_nested() => with_extreme(given, other, extreme),
        _ => by_counting(given, as_outer(given.expr.as_ref().clone(), around)?, other),
    }
}

/// `a = ANY (…)` and `a <> ALL (…)` ask for membership.
pub(super) fn as_membership(given: &SetComparison) -> Option<InSubquery> {
    let negated = match (given.op, &given.quantifier) {
        (Operator::Eq, SetQuantifier::Any) => false,
        (Operator::NotEq, SetQuantifier::All) => true,
        _ => return None,
    };
    Some(InSubquery::new(given.expr.clone(), given.subquery.clone(), negated))
}

fn unknown_value() -> Expr {
    lit(ScalarValue::Boolean(None))
}

fn first_column(plan: &LogicalPlan) -> Option<Expr> {
    plan.schema().columns().into_iter().next().map(Expr::Column)
}

/// What reads a row, as a subquery reads it.
fn as_outer(expr: Expr, around: &DFSchema) -> Result<Expr> {
    let outer = expr.transform_down(|part| match part {
        Expr::Column(column) => {
            let field = Arc::clone(around.field_from_column(&column)?);
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(outer.data)
}

/// Whether `plan` has a row for which `condition` holds.
fn some(plan: &Arc<LogicalPlan>, condition: Option<Expr>) -> Result<Expr> {
    let input = match condition {
        Some(condition) => Arc::new(LogicalPlan::Filter(Filter::try_new(condition, Arc::clone(plan))?)),
        None => Arc::clone(plan),
    };
    value_of(input, vec![count(lit(1_i64))], |columns| match columns {
        [rows] => Ok(rows.clone().gt(lit(0_i64))),
        _ => Ok(unknown_value()),
    })
}

/// One aggregate of `plan`.
fn only_of(plan: &Arc<LogicalPlan>, aggregate: Expr) -> Result<Expr> {
    value_of(Arc::clone(plan), vec![aggregate], |columns| {
        Ok(columns.first().cloned().unwrap_or_else(unknown_value))
    })
}

/// A subquery of one value: what `value` makes of the aggregates of `input`.
fn value_of(
    input: Arc<LogicalPlan>,
    aggregates: Vec<Expr>,
    value: impl FnOnce(&[Expr]) -> Result<Expr>,
) -> Result<Expr> {
    let total = Aggregate::try_new(input, Vec::new(), aggregates)?;
    let columns: Vec<Column> = total.schema.columns();
    let columns: Vec<Expr> = columns.into_iter().map(Expr::Column).collect();
    let output = value(&columns)?.alias("value");
    let projected = Projection::try_new(vec![output], Arc::new(LogicalPlan::Aggregate(total)))?;
    Ok(Expr::ScalarSubquery(subquery(LogicalPlan::Projection(projected))))
}

/// The aggregate whose value decides for all rows.
fn extreme(op: Operator, quantifier: &SetQuantifier) -> Option<fn(Expr) -> Expr> {
    use Operator::{Gt, GtEq, Lt, LtEq};
    match (op, quantifier) {
        (Gt | GtEq, SetQuantifier::All) | (Lt | LtEq, SetQuantifier::Any) => Some(max),
        (Gt | GtEq, SetQuantifier::Any) | (Lt | LtEq, SetQuantifier::All) => Some(min),
        _ => None,
    }
}

fn with_extreme(given: &SetComparison, other: Expr, extreme: fn(Expr) -> Expr) -> Result<Expr> {
    let plan = &given.subquery.subquery;
    let is_all = matches!(given.quantifier, SetQuantifier::All);
    let extreme = only_of(plan, extreme(other.clone()))?;
    let holds = binary(given.expr.as_ref().clone(), given.op, extreme);
    let decides = if is_all { Expr::Not(Box::new(holds)) } else { holds };
    let unknown = given.expr.as_ref().clone().is_null().or(some(plan, Some(other.is_null()))?);
    when(Expr::Not(Box::new(some(plan, None)?)), lit(is_all))
        .when(decides, lit(!is_all))
        .when(unknown, unknown_value())
        .otherwise(lit(is_all))
}

fn by_counting(given: &SetComparison, value: Expr, other: Expr) -> Result<Expr> {
    let is_all = matches!(given.quantifier, SetQuantifier::All);
    let holds = binary(value, given.op, other);
    let decides = if is_all { Expr::Not(Box::new(holds.clone())) } else { holds.clone() };
    let deciding = count(lit(1_i64)).filter(decides).build()?;
    let unknown = count(lit(1_i64)).filter(holds.is_null()).build()?;
    value_of(Arc::clone(&given.subquery.subquery), vec![deciding, unknown], |columns| {
        let [deciding, unknown] = columns else { return Ok(unknown_value()) };
        when(deciding.clone().gt(lit(0_i64)), lit(!is_all))
            .when(unknown.clone().gt(lit(0_i64)), unknown_value())
            .otherwise(lit(is_all))
    })
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}
