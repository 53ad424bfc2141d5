//! Casts to `numeric` without precision and scale, which keep the digits that there are: DataFusion's exact numbers have
//! one scale a column, so the cast has that of what it casts.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use voxhouse_engine::catalog::types::TYPE_KEY;

pub fn rewrite(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::Cast(Cast { expr, field }) = part else { return Ok(Transformed::no(part)) };
    let is_unbounded = field.metadata().get(TYPE_KEY).is_some_and(|name| name == "numeric");
    let given = if is_unbounded { expr.get_type(schema).ok() } else { None };
    Ok(match given {
        Some(given) if given.is_decimal() => Transformed::yes(*expr),
        Some(given) if given.is_integer() => Transformed::yes(cast(*expr, DataType::Decimal128(20, 0))),
        _ => Transformed::no(Expr::Cast(Cast { expr, field })),
    })
}
