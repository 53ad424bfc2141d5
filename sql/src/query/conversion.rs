//! Functions that numbers go through on their way into another type, where Arrow's casts would cut or miss.

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::table::rounding;

static WHOLE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Kind::Whole));
static DOUBLE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Kind::Double));

/// The expression rounded to whole numbers.
pub fn to_whole(expression: Expr) -> Expr {
    WHOLE.call(vec![expression])
}

/// The doubles nearest to a numeric expression.
pub fn to_double(expression: Expr) -> Expr {
    DOUBLE.call(vec![expression])
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Whole,
    Double,
}

fn function(kind: Kind) -> Arc<ScalarUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(ScalarUDF::from(Conversion { kind, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Conversion {
    kind: Kind,
    signature: Signature,
}

impl Conversion {
    fn convert(&self, values: &ArrayRef) -> voxhouse_engine::Result<ArrayRef> {
        match self.kind {
            Kind::Whole => rounding::to_whole(values),
            Kind::Double => rounding::to_double(values),
        }
    }
}

impl ScalarUDFImpl for Conversion {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Whole => "__whole",
            Kind::Double => "__double",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let [given] = take_function_args(self.name(), arguments)?;
        Ok(match self.kind {
            Kind::Whole => rounding::whole_type(given),
            Kind::Double => DataType::Float64,
        })
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
            ColumnarValue::Array(values) => ColumnarValue::Array(self.convert(&values)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&self.convert(&value.to_array()?)?, 0)?)
            }
        })
    }
}
