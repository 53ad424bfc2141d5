//! `pg_sleep`.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{DataType, Float64Type};
use async_trait::async_trait;
use datafusion::error::Result;
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use voxhouse_engine::Error;

/// A function that waits without holding a thread, so that a cancelled statement ends at once.
pub fn pg_sleep() -> Arc<ScalarUDF> {
    let signature = Signature::exact(vec![DataType::Float64], Volatility::Volatile);
    Arc::new(AsyncScalarUDF::new(Arc::new(Sleep { signature })).into_scalar_udf())
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sleep {
    signature: Signature,
}

impl ScalarUDFImpl for Sleep {
    fn name(&self) -> &str {
        "pg_sleep"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(Error::not_supported("pg_sleep() is not supported here").into())
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Sleep {
    /// Each row waits its time.
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let seconds = ColumnarValue::values_to_arrays(&args.args)?.remove(0);
        let mut done = Vec::with_capacity(args.number_rows);
        let seconds = seconds.as_primitive::<Float64Type>();
        for row in 0..args.number_rows {
            let seconds = seconds.iter().nth(row.min(seconds.len().saturating_sub(1))).flatten();
            if let Some(seconds) = seconds {
                let wait = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
                tokio::time::sleep(wait).await;
            }
            done.push(seconds.map(|_| ""));
        }
        Ok(ColumnarValue::Array(Arc::new(StringArray::from(done))))
    }
}
