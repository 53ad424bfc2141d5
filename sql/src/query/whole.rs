//! Digits behind the point: a cast to an integer rounds, `floor` and `ceil` of a numeric have none, `round` and `trunc` as
//! many as are asked for.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, TryCast};
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use voxhouse_engine::table::rounding::whole_type;

use super::conversion::to_whole;

pub fn rewrite(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_fraction =
        |expr: &Expr| expr.get_type(schema).is_ok_and(|found| found.is_floating() || found.is_decimal());
    match part {
        Expr::Cast(Cast { expr, field }) if field.data_type().is_integer() && is_fraction(&expr) => {
            let expr = Box::new(to_whole(*expr));
            Ok(Transformed::yes(Expr::Cast(Cast { expr, field })))
        }
        Expr::TryCast(TryCast { expr, field }) if field.data_type().is_integer() && is_fraction(&expr) => {
            let expr = Box::new(to_whole(*expr));
            Ok(Transformed::yes(Expr::TryCast(TryCast { expr, field })))
        }
        Expr::ScalarFunction(call) if matches!(call.func.name(), "floor" | "ceil") => {
            let given = call.args.first().and_then(|given| given.get_type(schema).ok());
            let whole = Expr::ScalarFunction(call);
            Ok(match given.filter(DataType::is_decimal).map(|given| (whole_type(&given), given)) {
                Some((wanted, given)) if wanted != given => Transformed::yes(cast(whole, wanted)),
                _ => Transformed::no(whole),
            })
        }
        // As many digits as are asked for.
        Expr::ScalarFunction(call) if matches!(call.func.name(), "trunc" | "round") => {
            let given = call.args.first().and_then(|given| given.get_type(schema).ok());
            let digits = match call.args.get(1) {
                None => Some(0),
                Some(Expr::Literal(digits, _)) => digits.to_string().parse::<i8>().ok(),
                Some(_) => None,
            };
            let whole = Expr::ScalarFunction(call);
            Ok(match (given, digits) {
                (Some(DataType::Decimal128(precision, scale)), Some(digits))
                    if (0..scale).contains(&digits) =>
                {
                    Transformed::yes(cast(whole, DataType::Decimal128(precision, digits)))
                }
                _ => Transformed::no(whole),
            })
        }
        other => Ok(Transformed::no(other)),
    }
}
