//! `sum` of reals is a real. It is added up in doubles.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, Projection, WindowFunctionDefinition, cast,
};

/// Puts the sums that a node computes in their type.
pub fn shorten_sums(plan: LogicalPlan) -> Result<LogicalPlan> {
    let (computed, schema) = match &plan {
        LogicalPlan::Aggregate(aggregate) => (&aggregate.aggr_expr, aggregate.input.schema()),
        LogicalPlan::Window(window) => (&window.window_expr, window.input.schema()),
        _ => return Ok(plan),
    };
    let before = plan.schema().fields().len() - computed.len();
    let shortened: Vec<bool> = computed.iter().map(|expr| is_sum_of_reals(expr, schema)).collect();
    if !shortened.contains(&true) {
        return Ok(plan);
    }
    let columns = plan.schema().columns().into_iter().enumerate().map(|(place, column)| {
        let computed = place.checked_sub(before).and_then(|place| shortened.get(place));
        if computed != Some(&true) {
            return Expr::Column(column);
        }
        let (relation, name) = (column.relation.clone(), column.name.clone());
        cast(Expr::Column(column), DataType::Float32).alias_qualified(relation, name)
    });
    let columns = columns.collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?))
}

fn is_sum_of_reals(expr: &Expr, schema: &DFSchema) -> bool {
    let (name, arguments) = match expr {
        Expr::Alias(alias) => return is_sum_of_reals(&alias.expr, schema),
        Expr::AggregateFunction(call) => (call.func.name(), &call.params.args),
        Expr::WindowFunction(call) => match &call.fun {
            WindowFunctionDefinition::AggregateUDF(function) => (function.name(), &call.params.args),
            WindowFunctionDefinition::WindowUDF(_) => return false,
        },
        _ => return false,
    };
    let is_real = |argument: &Expr| matches!(argument.get_type(schema), Ok(DataType::Float32));
    name == "sum" && arguments.first().is_some_and(is_real)
}
