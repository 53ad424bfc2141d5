//! `to_timestamp(seconds)`: the instant so many seconds after 1970 began.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::wire::types::UTC;

/// 294277-01-01, the first day that PostgreSQL has no instants on.
const END_SECONDS: f64 = 9_224_318_016_000.0;
/// 4714-11-24 BC, the first that it has.
const START_SECONDS: f64 = -210_866_803_200.0;

pub(super) fn instant() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Epoch { signature: Signature::any(1, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Epoch {
    signature: Signature,
}

impl ScalarUDFImpl for Epoch {
    fn name(&self) -> &str {
        "__epoch_instant"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let is_scalar = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let [seconds] = take_function_args(self.name(), args.args)?;
        let seconds = cast(&seconds.into_array(rows)?, &DataType::Float64)?;
        let instants =
            seconds.as_primitive::<Float64Type>().iter().map(|seconds| seconds.map(micros).transpose());
        let instants: TimestampMicrosecondArray = instants.collect::<Result<_>>()?;
        let instants: ArrayRef = Arc::new(instants.with_timezone(UTC));
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&instants, 0)?),
            false => ColumnarValue::Array(instants),
        })
    }
}

fn micros(seconds: f64) -> Result<i64> {
    match (START_SECONDS..END_SECONDS).contains(&seconds) {
        true => Ok((seconds * 1e6).round_ties_even() as i64),
        false => {
            let message = format!("timestamp out of range: \"{seconds}\"");
            Err(Error::new(ErrorKind::DatetimeOutOfRange, message))
        }
    }
}
