//! The operators as functions of two numbers of one type.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Datum, PrimitiveArray};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use datafusion::common::utils::take_function_args;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr_common::datum::apply;
use voxhouse_engine::{Error, ErrorKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

const OPERATIONS: [Operation; 4] =
    [Operation::Add, Operation::Subtract, Operation::Multiply, Operation::Divide];

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
    let signature = Signature::any(2, Volatility::Immutable);
    let functions = OPERATIONS.map(|operation| Checked { operation, signature: signature.clone() });
    functions.into_iter().map(|function| Arc::new(function.into())).collect()
});

pub(super) fn of(operation: Operation) -> Arc<ScalarUDF> {
    Arc::clone(&FUNCTIONS[operation as usize])
}

impl Operation {
    pub(super) fn of(operator: Operator) -> Option<Self> {
        Some(match operator {
            Operator::Plus => Operation::Add,
            Operator::Minus => Operation::Subtract,
            Operator::Multiply => Operation::Multiply,
            Operator::Divide => Operation::Divide,
            _ => return None,
        })
    }

    /// Whether DataFusion lets something pass; it divides integers as it should, and computes decimals with care.
    pub(super) fn is_checked(self, data_type: &DataType) -> bool {
        match data_type {
            DataType::Float32 | DataType::Float64 => true,
            other => other.is_integer() && self != Operation::Divide,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Operation::Add => "+",
            Operation::Subtract => "-",
            Operation::Multiply => "*",
            Operation::Divide => "/",
        }
    }

    fn compute(self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
        match self {
            Operation::Add => numeric::add(left, right),
            Operation::Subtract => numeric::sub(left, right),
            Operation::Multiply => numeric::mul(left, right),
            Operation::Divide => numeric::div(left, right),
        }
    }

    /// What is wrong with a result, if anything is.
    pub(super) fn fault(self, left: f64, right: f64, result: f64) -> Option<Error> {
        let overflows = result.is_infinite() && !left.is_infinite() && !right.is_infinite();
        match self {
            Operation::Divide if right == 0.0 && !left.is_nan() => {
                Some(Error::new(ErrorKind::DivisionByZero, "division by zero"))
            }
            _ if overflows => Some(out_of_range("value out of range: overflow")),
            Operation::Multiply if result == 0.0 && left != 0.0 && right != 0.0 => {
                Some(out_of_range("value out of range: underflow"))
            }
            Operation::Divide if result == 0.0 && left != 0.0 && !right.is_infinite() => {
                Some(out_of_range("value out of range: underflow"))
            }
            _ => None,
        }
    }
}

fn out_of_range(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::NumericOutOfRange, message)
}

fn name_of(integer: &DataType) -> &'static str {
    match integer {
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        _ => "bigint",
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    operation: Operation,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Add => "checked_add",
            Operation::Subtract => "checked_subtract",
            Operation::Multiply => "checked_multiply",
            Operation::Divide => "checked_divide",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> DataFusionResult<DataType> {
        let [left, _] = take_function_args(self.name(), arguments)?;
        Ok(left.clone())
    }

    /// EXPLAIN shows what was written.
    fn display_name(&self, arguments: &[Expr]) -> DataFusionResult<String> {
        let [left, right] = take_function_args(self.name(), arguments)?;
        Ok(format!("{left} {} {right}", self.operation.sign()))
    }

    fn schema_name(&self, arguments: &[Expr]) -> DataFusionResult<String> {
        let [left, right] = take_function_args(self.name(), arguments)?;
        Ok(format!("{} {} {}", left.schema_name(), self.operation.sign(), right.schema_name()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let [left, right] = take_function_args(self.name(), args.args)?;
        apply(&left, &right, |left, right| self.call(left, right))
    }
}

impl Checked {
    fn call(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
        let result = self.operation.compute(left, right);
        let data_type = left.get().0.data_type();
        let fault = match (&result, data_type) {
            (Ok(result), DataType::Float64) => self.float_fault::<Float64Type>(left, right, result),
            (Ok(result), DataType::Float32) => self.float_fault::<Float32Type>(left, right, result),
            (Err(ArrowError::ArithmeticOverflow(_)), _) => {
                Some(out_of_range(format!("{} out of range", name_of(data_type))))
            }
            _ => None,
        };
        match fault {
            Some(error) => Err(ArrowError::ExternalError(Box::new(DataFusionError::from(error)))),
            None => result,
        }
    }

    fn float_fault<T>(&self, left: &dyn Datum, right: &dyn Datum, result: &ArrayRef) -> Option<Error>
    where
        T: ArrowPrimitiveType<Native: Into<f64>>,
    {
        let result = result.as_primitive::<T>();
        let values = result.values();
        // Hardly ever is there one to look at more closely.
        let is_suspect = |value: &T::Native| {
            let value: f64 = (*value).into();
            !value.is_finite() || value == 0.0
        };
        if !values.iter().any(is_suspect) {
            return None;
        }
        let operand = |datum: &dyn Datum| {
            let (array, is_scalar) = datum.get();
            (array.as_primitive::<T>().clone(), is_scalar)
        };
        let (left, right) = (operand(left), operand(right));
        let at = |(array, is_scalar): &(PrimitiveArray<T>, bool), row: usize| {
            array.value(if *is_scalar { 0 } else { row }).into()
        };
        (0..result.len())
            .filter(|&row| result.is_valid(row) && is_suspect(&values[row]))
            .find_map(|row| self.operation.fault(at(&left, row), at(&right, row), values[row].into()))
    }
}
