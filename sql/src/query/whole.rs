//! Whole numbers of fractions: a cast to an integer rounds, and `floor` and `ceil` of a numeric have no digits behind the
//! point.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, TryCast};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    cast,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::table::rounding::{to_whole, whole_type};

static ROUND: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(Whole { signature: Signature::any(1, Volatility::Immutable) }))
});

pub fn rewrite(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_fraction =
        |expr: &Expr| expr.get_type(schema).is_ok_and(|found| found.is_floating() || found.is_decimal());
    match part {
        Expr::Cast(Cast { expr, field }) if field.data_type().is_integer() && is_fraction(&expr) => {
            let expr = Box::new(ROUND.call(vec![*expr]));
            Ok(Transformed::yes(Expr::Cast(Cast { expr, field })))
        }
        Expr::TryCast(TryCast { expr, field }) if field.data_type().is_integer() && is_fraction(&expr) => {
            let expr = Box::new(ROUND.call(vec![*expr]));
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

#[derive(Debug, PartialEq, Eq, Hash)]
struct Whole {
    signature: Signature,
}

impl ScalarUDFImpl for Whole {
    fn name(&self) -> &str {
        "__whole"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let [given] = take_function_args(self.name(), arguments)?;
        Ok(whole_type(given))
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
            ColumnarValue::Array(values) => ColumnarValue::Array(to_whole(&values)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&to_whole(&value.to_array()?)?, 0)?)
            }
        })
    }
}
