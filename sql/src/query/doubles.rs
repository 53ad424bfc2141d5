//! Casts of numerics to doubles: each becomes the double nearest to it.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::table::rounding::nearest;

use super::conversion::to_double;

/// Runs when types have been settled, so that casts which nobody wrote are among them.
pub fn rewrite(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::Cast(Cast { expr, field }) = part else { return Ok(Transformed::no(part)) };
    let is_numeric = *field.data_type() == DataType::Float64
        && expr.get_type(schema).is_ok_and(|given| given.is_decimal());
    Ok(match *expr {
        Expr::Literal(ScalarValue::Decimal128(value, _, scale), metadata) if is_numeric => {
            let double = ScalarValue::Float64(value.map(|value| nearest(value, scale)));
            Transformed::yes(Expr::Literal(double, metadata))
        }
        expr if is_numeric => Transformed::yes(to_double(expr)),
        expr => Transformed::no(Expr::Cast(Cast { expr: Box::new(expr), field })),
    })
}
