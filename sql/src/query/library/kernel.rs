//! A scalar function made of a signature, a type, and a kernel over whole columns.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::can_cast_types;
use arrow::datatypes::DataType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

/// The columns have the types of the signature, and one length.
pub(super) type Run = fn(&[ArrayRef]) -> Result<ArrayRef>;

#[derive(Debug)]
pub(super) struct Kernel {
    pub name: &'static str,
    pub takes: Vec<DataType>,
    pub gives: DataType,
    pub run: Run,
}

impl Kernel {
    pub(super) fn function(self) -> Arc<ScalarUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::from(Function { kernel: self, signature }))
    }
}

#[derive(Debug)]
struct Function {
    kernel: Kernel,
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        (self.kernel.name, &self.kernel.takes) == (other.kernel.name, &other.kernel.takes)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kernel.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.kernel.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.kernel.gives.clone())
    }

    /// Numbers are cast to numbers, texts and instants to times.
    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let takes = &self.kernel.takes;
        let fits = given.len() == takes.len()
            && given.iter().zip(takes).all(|(given, takes)| is_taken_as(given, takes));
        if !fits {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            let message = format!("function {}({}) does not exist", self.kernel.name, given.join(", "));
            return Err(Error::new(ErrorKind::UndefinedFunction, message)
                .with_hint("No function matches the given name and argument types. You might need to add explicit type casts.")
                .into());
        }
        Ok(takes.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        on_columns(args, self.kernel.run)
    }
}

/// PostgreSQL never takes a number for a time.
fn is_taken_as(given: &DataType, takes: &DataType) -> bool {
    given.is_numeric() <= takes.is_numeric() && can_cast_types(given, takes)
}

/// Runs a kernel; over constants, once.
pub(super) fn on_columns(
    args: ScalarFunctionArgs,
    run: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> DataFusionResult<ColumnarValue> {
    let is_constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
    let rows = if is_constant { 1 } else { args.number_rows };
    let columns: Vec<ArrayRef> =
        args.args.iter().map(|argument| argument.to_array(rows)).collect::<DataFusionResult<_>>()?;
    let answer = run(&columns)?;
    Ok(match is_constant && !args.args.is_empty() {
        true => ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?),
        false => ColumnarValue::Array(answer),
    })
}
