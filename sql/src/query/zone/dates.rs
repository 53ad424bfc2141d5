//! `date_trunc('month', day)`: PostgreSQL takes a date for an instant there, midnight in the session's zone.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};

use super::functions::instant_type;

pub(in crate::query) fn truncate_instants(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::ScalarFunction(mut call) = part else { return Ok(Transformed::no(part)) };
    let is_date = |time: &Expr| matches!(time.get_type(schema), Ok(DataType::Date32 | DataType::Date64));
    let changed = match call.args.as_mut_slice() {
        [_, time] if call.func.name() == "date_trunc" && is_date(time) => {
            *time = cast(std::mem::take(time), instant_type());
            true
        }
        _ => false,
    };
    Ok(Transformed::new_transformed(Expr::ScalarFunction(call), changed))
}
