//! `row_to_json(t)`: the columns of a relation, which only the plan knows.

use arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use voxhouse_engine::{Error, ErrorKind};

use super::catalog::call;
use crate::query::inputs::input_schema;

/// Puts names and columns in the place of `t.*` in calls of `__json_row` and its kin.
pub fn expand(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan.transform_up_with_subqueries(in_node)?.data)
}

fn in_node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = input_schema(&plan)?;
    let names = NamePreserver::new(&plan);
    let expanded = plan.map_expressions(|expression| {
        let name = names.save(&expression);
        let expanded = expression.transform_up(|part| of_call(part, &schema))?;
        Ok(expanded.update_data(|expression| name.restore(expression)))
    })?;
    expanded.map_data(LogicalPlan::recompute_schema)
}

fn of_call(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(ScalarFunction { func, args }) = &part else { return Ok(Transformed::no(part)) };
    #[expect(deprecated, reason = "the planner still makes it of t.* in a call")]
    let [Expr::Wildcard { qualifier: Some(relation), .. }] = args.as_slice() else {
        return Ok(Transformed::no(part));
    };
    if let Some(column) = column_called(relation, schema) {
        let whole = match func.name() {
            "__json_row_element" => "__json_element",
            "__jsonb_row_element" => "__jsonb_element",
            name if name.starts_with("__jsonb") => "to_jsonb",
            _ => "to_json",
        };
        return Ok(call(whole, vec![column]).map_or(Transformed::no(part), Transformed::yes));
    }
    let columns: Vec<Expr> = schema
        .iter()
        .filter(|(found, _)| found.is_some_and(|found| found.resolved_eq(relation)))
        .flat_map(|(found, field)| [lit(field.name().clone()), column(found, field)])
        .collect();
    if columns.is_empty() {
        let message = format!("missing FROM-clause entry for table \"{}\"", relation.table());
        return Err(Error::new(ErrorKind::UndefinedTable, message).into());
    }
    Ok(Transformed::yes(func.call(columns)))
}

/// A column of the relation's name is meant before the relation.
fn column_called(relation: &TableReference, schema: &DFSchema) -> Option<Expr> {
    let mut found = schema.iter().filter(|(_, field)| field.name() == relation.table());
    let (qualifier, field) = found.next()?;
    Some(column(qualifier, field))
}

fn column(qualifier: Option<&TableReference>, field: &FieldRef) -> Expr {
    Expr::Column(Column::new(qualifier.cloned(), field.name()))
}
