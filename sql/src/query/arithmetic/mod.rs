//! Arithmetic as PostgreSQL does it: a result that its type cannot hold is an error, and so is a division by zero.
//! DataFusion wraps integers around and makes infinities.

mod function;
mod guard;
#[cfg(test)]
mod tests;

use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::doubles;
use super::inputs::input_schema;
use function::Operation;

/// Puts functions that look at their results in the places of operators. Runs when types have been settled, and
/// leaves each expression's type and name as they were.
#[derive(Debug)]
pub struct CheckedArithmetic;

impl AnalyzerRule for CheckedArithmetic {
    fn name(&self) -> &str {
        "checked_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan.transform_up_with_subqueries(in_node)?.data)
    }
}

fn in_node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = input_schema(&plan)?;
    let names = NamePreserver::new(&plan);
    let is_filter = matches!(plan, LogicalPlan::Filter(_));
    plan.map_expressions(|expression| {
        let name = names.save(&expression);
        let guarded = expression.transform_up(|part| guard::branches(part, &schema))?;
        let guarded = guarded.transform_data(|expression| match is_filter {
            true => guard::conditions(expression, &schema),
            false => Ok(Transformed::no(expression)),
        })?;
        let checked = guarded.transform_data(|expression| {
            expression.transform_up(|part| {
                doubles::rewrite(part, &schema)?.transform_data(|part| checked(part, &schema))
            })
        })?;
        Ok(checked.update_data(|expression| name.restore(expression)))
    })
}

fn checked(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &part else { return Ok(Transformed::no(part)) };
    let Some(operation) = Operation::of(*op) else { return Ok(Transformed::no(part)) };
    // What cannot be told, such as a column of an outer query, is left alone.
    let (Ok(one), Ok(other)) = (left.get_type(schema), right.get_type(schema)) else {
        return Ok(Transformed::no(part));
    };
    if one != other || !operation.is_checked(&one) {
        return Ok(Transformed::no(part));
    }
    let Expr::BinaryExpr(BinaryExpr { left, right, .. }) = part else { return Ok(Transformed::no(part)) };
    let call = ScalarFunction::new_udf(function::of(operation), vec![*left, *right]);
    Ok(Transformed::yes(Expr::ScalarFunction(call)))
}
