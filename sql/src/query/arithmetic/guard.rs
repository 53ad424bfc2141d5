//! `WHERE b <> 0 AND a / b > 1`: the second condition is looked at only where the first holds. PostgreSQL tests the
//! conditions of a row one after the other; DataFusion may compute all of them for all rows, and then fails on a row
//! that the first would have kept out. What may fail becomes `CASE WHEN b <> 0 THEN a / b END`.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Case, Cast};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, lit};

use crate::query::exact;

/// Puts what may fail behind the conditions that stand before it. The predicate is one of a filter, where NULL is no
/// better than false.
pub(super) fn conditions(predicate: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !can_fail(&predicate, schema) {
        return Ok(Transformed::no(predicate));
    }
    let mut safe: Vec<Expr> = Vec::new();
    let mut guarded = Vec::new();
    let mut changed = false;
    for part in split_conjunction_owned(predicate) {
        if !can_fail(&part, schema) {
            safe.push(part.clone());
            guarded.push(part);
            continue;
        }
        match conjunction(safe.iter().cloned()) {
            Some(before) => {
                let part = behind(&before, part, schema)?;
                changed |= part.transformed;
                guarded.push(part.data);
            }
            None => guarded.push(part),
        }
    }
    let whole = conjunction(guarded).unwrap_or_else(|| lit(true));
    Ok(if changed { Transformed::yes(whole) } else { Transformed::no(whole) })
}

/// The same for `CASE WHEN b <> 0 THEN a / b > 1 END`, which the optimizer would write with AND and OR.
pub(super) fn branches(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_boolean = |expression: &Expr| matches!(expression.get_type(schema), Ok(DataType::Boolean));
    match expression {
        Expr::Case(Case { expr: None, when_then_expr, else_expr })
            if when_then_expr.iter().all(|(_, then)| is_boolean(then)) =>
        {
            let mut changed = false;
            let guarded = when_then_expr.into_iter().map(|(when, then)| {
                let then = behind(&when, *then, schema)?;
                changed |= then.transformed;
                Ok((when, Box::new(then.data)))
            });
            let when_then_expr = guarded.collect::<Result<Vec<_>>>()?;
            let whole = Expr::Case(Case { expr: None, when_then_expr, else_expr });
            Ok(if changed { Transformed::yes(whole) } else { Transformed::no(whole) })
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The expression, with each part that may fail computed where the condition holds, and NULL elsewhere.
fn behind(condition: &Expr, expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    expression.transform_up(|part| {
        if !fails_itself(&part, schema) {
            return Ok(Transformed::no(part));
        }
        let when_then_expr = vec![(Box::new(condition.clone()), Box::new(part))];
        Ok(Transformed::yes(Expr::Case(Case { expr: None, when_then_expr, else_expr: None })))
    })
}

/// Whether the value of some row can make it fail.
fn can_fail(expression: &Expr, schema: &DFSchema) -> bool {
    expression.exists(|part| Ok(fails_itself(part, schema))).unwrap_or(false)
}

/// A division, or text that need be no number.
fn fails_itself(part: &Expr, schema: &DFSchema) -> bool {
    let is_literal = |expression: &Expr| matches!(expression, Expr::Literal(..));
    match part {
        Expr::BinaryExpr(BinaryExpr { op: Operator::Divide | Operator::Modulo, right, .. }) => {
            !is_literal(right)
        }
        Expr::ScalarFunction(call) if call.func.name() == exact::DIVIDE => {
            !call.args.last().is_some_and(is_literal)
        }
        Expr::Cast(Cast { expr, field }) => {
            let is_from_text = expr.get_type(schema).is_ok_and(|given| given.is_string());
            is_from_text && !is_literal(expr) && !field.data_type().is_string()
        }
        _ => false,
    }
}
