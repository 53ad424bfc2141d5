//! Whole numbers of fractions: a cast to an integer rounds, and `floor` and `ceil` of a numeric have no digits behind the
//! point.

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
        other => Ok(Transformed::no(other)),
    }
}
