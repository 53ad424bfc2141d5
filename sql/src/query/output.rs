//! PostgreSQL's output functions: the text that a value becomes where a query casts it, in the styles of the session.
//!
//! Put into plans by [`super::zone::SessionZone`]. What Arrow writes as PostgreSQL does, such as integers, stays a
//! cast; so does a boolean, which is `true` in a cast and `t` in a result.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, StringBuilder};
use arrow::datatypes::{DataType, Field};
use bytes::BytesMut;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::style::style_of;
use crate::wire::Texts;
use crate::wire::style::TextStyle;

static OUTPUT: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(Output { signature: Signature::any(1, Volatility::Stable) })));

/// Whether the text of such values is not what a cast makes of them. Not of bytes: functions of texts, such as `length`,
/// take them by a cast that nobody wrote.
pub fn shows(data_type: &DataType) -> bool {
    use DataType::{
        Date32, Date64, Duration, FixedSizeList, Interval, LargeList, List, Struct, Time32, Time64, Timestamp,
    };
    data_type.is_floating()
        || matches!(
            data_type,
            Date32
                | Date64
                | Time32(_)
                | Time64(_)
                | Timestamp(..)
                | Interval(_)
                | Duration(_)
                | List(_)
                | LargeList(_)
                | FixedSizeList(..)
                | Struct(_)
        )
}

pub fn to_text(value: Expr) -> Expr {
    OUTPUT.call(vec![value])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Output {
    signature: Signature,
}

impl ScalarUDFImpl for Output {
    fn name(&self) -> &str {
        "textout"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let style = style_of(&args.config_options);
        let [value] = take_function_args(self.name(), args.args)?;
        let [field] = take_function_args(self.name(), args.arg_fields)?;
        Ok(match value {
            ColumnarValue::Array(values) => ColumnarValue::Array(texts(&values, &field, style)?),
            ColumnarValue::Scalar(value) => {
                let texts = texts(&value.to_array()?, &field, style)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?)
            }
        })
    }
}

fn texts(values: &ArrayRef, field: &Field, style: TextStyle) -> Result<ArrayRef> {
    let shown = Texts::new(values, field, style)?;
    let nulls = values.logical_nulls();
    let mut texts = StringBuilder::with_capacity(values.len(), values.len() * 16);
    let mut text = BytesMut::new();
    for row in 0..values.len() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            texts.append_null();
            continue;
        }
        text.clear();
        shown.put(row, &mut text)?;
        let text = std::str::from_utf8(&text)
            .map_err(|_| Error::new(ErrorKind::InvalidEncoding, "a value is no text in UTF-8"))?;
        texts.append_value(text);
    }
    Ok(Arc::new(texts.finish()))
}
