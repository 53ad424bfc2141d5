//! `to_char` of columns of numbers, and `to_number`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type, Int64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{Number, Template, from_text, scale_of, to_text};

/// Digits that a real and a double always keep.
const KEPT: (usize, usize) = (6, 15);

/// Templates that were read; most calls have one.
#[derive(Default)]
struct Templates(HashMap<String, Template>);

impl Templates {
    fn get(&mut self, text: &str) -> Result<&Template> {
        if !self.0.contains_key(text) {
            self.0.insert(text.to_owned(), Template::parse(text)?);
        }
        self.0.get(text).ok_or_else(|| Error::internal("a template was not kept"))
    }
}

/// Numbers of any type by their templates.
pub(crate) fn texts(values: &ArrayRef, templates: &StringArray) -> Result<ArrayRef> {
    let mut known = Templates::default();
    let number = numbers(values)?;
    let texts = (0..values.len()).map(|row| {
        if values.is_null(row) || templates.is_null(row) {
            return Ok(None);
        }
        to_text(known.get(templates.value(row))?, &number(row)).map(Some)
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

fn numbers(values: &ArrayRef) -> Result<Box<dyn Fn(usize) -> Number>> {
    Ok(match values.data_type() {
        DataType::Float32 | DataType::Float16 => {
            let floats = cast(values, &DataType::Float32)?.as_primitive::<Float32Type>().clone();
            Box::new(move |row| Number::Float(floats.value(row).into(), KEPT.0))
        }
        DataType::Float64 => {
            let doubles = values.as_primitive::<Float64Type>().clone();
            Box::new(move |row| Number::Float(doubles.value(row), KEPT.1))
        }
        whole if whole.is_integer() && *whole != DataType::UInt64 => {
            let wholes = cast(values, &DataType::Int64)?.as_primitive::<Int64Type>().clone();
            Box::new(move |row| Number::Whole(wholes.value(row)))
        }
        _ => {
            let options = FormatOptions::default();
            let shown = ArrayFormatter::try_new(values.as_ref(), &options)?;
            let texts: Vec<String> = (0..values.len()).map(|row| shown.value(row).to_string()).collect();
            Box::new(move |row| Number::Exact(texts.get(row).cloned().unwrap_or_default()))
        }
    })
}

/// `to_number(text, template)`
pub(crate) fn to_number() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(ToNumber { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToNumber {
    signature: Signature,
}

/// Digits behind the point where the template is not known before.
const SCALE: i8 = 10;

impl ScalarUDFImpl for ToNumber {
    fn name(&self) -> &str {
        "to_number"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Decimal128(38, SCALE))
    }

    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let is_text = |given: &DataType| given.is_string() || given.is_null();
        match given {
            [text, template] if is_text(text) && is_text(template) => Ok(vec![DataType::Utf8; 2]),
            _ => Err(Error::new(
                ErrorKind::UndefinedFunction,
                "function to_number takes a text and a template",
            )
            .into()),
        }
    }

    /// The number of digits is what the template has; of a literal, what was read.
    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let literal = |place: usize| {
            let value = args.scalar_arguments.get(place).copied().flatten();
            value.and_then(|value| value.try_as_str()).flatten()
        };
        let scale = match (literal(0), literal(1)) {
            (text, Some(template)) => {
                let template = Template::parse(template)?;
                let read = text.and_then(|text| from_text(&template, text).ok());
                let behind = read.map(|read| read.split_once('.').map_or(0, |(_, fraction)| fraction.len()));
                i8::try_from(behind.unwrap_or_else(|| scale_of(&template))).unwrap_or(SCALE).min(37)
            }
            _ => SCALE,
        };
        Ok(Arc::new(Field::new(self.name(), DataType::Decimal128(38, scale), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let is_scalar = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let target = args.return_field.data_type().clone();
        let [texts, templates] = take_function_args(self.name(), args.args)?;
        let (texts, templates) = (texts.into_array(rows)?, templates.into_array(rows)?);
        let mut known = Templates::default();
        let numbers = texts.as_string::<i32>().iter().zip(templates.as_string::<i32>()).map(|pair| {
            let (Some(text), Some(template)) = pair else { return Ok(None) };
            if template.is_empty() {
                return Ok(None);
            }
            from_text(known.get(template)?, text).map(Some)
        });
        let numbers: StringArray = numbers.collect::<Result<_>>()?;
        let numbers = cast(&(Arc::new(numbers) as ArrayRef), &target)?;
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&numbers, 0)?),
            false => ColumnarValue::Array(numbers),
        })
    }
}
