//! The templates as SQL functions. Instants reach them as the wall clock of the session's zone.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{Item, parse, read, write};
use crate::query::zone::clock_type;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Char,
    /// `to_timestamp(text, template)`, before the session's zone makes an instant of it.
    Clock,
    Date,
}

pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    [Kind::Char, Kind::Clock, Kind::Date].into_iter().map(|kind| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::from(TemplateFunction { kind, signature }))
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TemplateFunction {
    kind: Kind,
    signature: Signature,
}

impl ScalarUDFImpl for TemplateFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Char => "to_char",
            Kind::Clock => "to_clock",
            Kind::Date => "to_date",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> DataFusionResult<DataType> {
        if given.first().is_some_and(DataType::is_numeric) {
            return Err(Error::not_supported("to_char of a number is not supported")
                .with_hint("Cast a rounded number to text: round(x, 2)::text.")
                .into());
        }
        Ok(match self.kind {
            Kind::Char => DataType::Utf8,
            Kind::Clock => clock_type(),
            Kind::Date => DataType::Date32,
        })
    }

    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let [value, template] = take_function_args(self.name(), given)?;
        let is_text = |given: &DataType| given.is_string() || given.is_null();
        let value = match (self.kind, value) {
            // The zone is taken off before the call, or is UTC.
            (Kind::Char, DataType::Timestamp(_, Some(_))) => {
                Some(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))
            }
            (Kind::Char, DataType::Timestamp(_, None) | DataType::Date32 | DataType::Null) => {
                Some(clock_type())
            }
            // Told of when the type of the answer is asked for: what fails here is "no such function".
            (Kind::Char, given) if given.is_numeric() => Some(given.clone()),
            (Kind::Clock | Kind::Date, given) if is_text(given) => Some(DataType::Utf8),
            _ => None,
        };
        match value {
            Some(value) if is_text(template) => Ok(vec![value, DataType::Utf8]),
            _ => Err(Error::new(
                ErrorKind::UndefinedFunction,
                format!("function {}({}, {}) does not exist", self.name(), given[0], given[1]),
            )
            .into()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let is_scalar = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let [value, template] = take_function_args(self.name(), args.args)?;
        let answer = self.call(&value.into_array(rows)?, &template.into_array(rows)?)?;
        Ok(match is_scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?),
            false => ColumnarValue::Array(answer),
        })
    }
}

impl TemplateFunction {
    fn call(&self, values: &ArrayRef, templates: &ArrayRef) -> Result<ArrayRef> {
        let mut known = Templates::default();
        let templates = templates.as_string::<i32>();
        if self.kind == Kind::Char {
            let times = cast(values, &clock_type())?;
            let times = times.as_primitive::<TimestampMicrosecondType>();
            let texts = times.iter().zip(templates).map(|pair| {
                let (Some(micros), Some(template)) = pair else { return Ok(None) };
                let time = DateTime::from_timestamp_micros(micros)
                    .ok_or_else(|| Error::new(ErrorKind::DatetimeOutOfRange, "timestamp out of range"))?;
                Ok(Some(write::to_text(known.get(template)?, time.naive_utc())))
            });
            return Ok(Arc::new(texts.collect::<Result<StringArray>>()?));
        }
        let mut read = |pair: (Option<&str>, Option<&str>)| -> Result<Option<NaiveDateTime>> {
            let (Some(text), Some(template)) = pair else { return Ok(None) };
            read::from_text(known.get(template)?, text).map(Some)
        };
        let pairs = values.as_string::<i32>().iter().zip(templates);
        Ok(match self.kind {
            Kind::Date => {
                let days = pairs.map(|pair| {
                    let date = read(pair)?.map(|time| time.date());
                    Ok(date.map(arrow::datatypes::Date32Type::from_naive_date))
                });
                Arc::new(days.collect::<Result<Date32Array>>()?)
            }
            _ => {
                let micros = pairs.map(|pair| Ok(read(pair)?.map(|time| time.and_utc().timestamp_micros())));
                Arc::new(micros.collect::<Result<TimestampMicrosecondArray>>()?)
            }
        })
    }
}

/// Templates that were parsed; most calls have one.
#[derive(Default)]
struct Templates(HashMap<String, Vec<Item>>);

impl Templates {
    fn get(&mut self, template: &str) -> Result<&[Item]> {
        if !self.0.contains_key(template) {
            self.0.insert(template.to_owned(), parse(template)?);
        }
        Ok(self.0.get(template).map_or(&[], Vec::as_slice))
    }
}
