//! Casts of numerics to doubles: each becomes the double nearest to it.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::table::rounding::{nearest, to_double};

static DOUBLE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(Double { signature: Signature::any(1, Volatility::Immutable) }))
});

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
        expr if is_numeric => Transformed::yes(DOUBLE.call(vec![expr])),
        expr => Transformed::no(Expr::Cast(Cast { expr: Box::new(expr), field })),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Double {
    signature: Signature,
}

impl ScalarUDFImpl for Double {
    fn name(&self) -> &str {
        "__double"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    /// EXPLAIN shows what was written.
    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        let [given] = take_function_args(self.name(), arguments)?;
        Ok(given.to_string())
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let [given] = take_function_args(self.name(), arguments)?;
        Ok(given.schema_name().to_string())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [given] = take_function_args(self.name(), args.args)?;
        Ok(match given {
            ColumnarValue::Array(values) => ColumnarValue::Array(to_double(&values)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&to_double(&value.to_array()?)?, 0)?)
            }
        })
    }
}
