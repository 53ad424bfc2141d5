//! The templates as SQL functions. Instants reach them as the wall clock of the session's zone.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDateTime, Offset};
use chrono_tz::{OffsetName, Tz};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::write::Zone;
use super::{Item, epoch, intervals, numbers, parse, read, write};
use crate::query::totals::INTERVAL;
use crate::query::zone::clock_type;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Char,
    /// `to_timestamp(text, template)`, before the session's zone makes an instant of it.
    Clock,
    Date,
}

pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let of_times = [Kind::Char, Kind::Clock, Kind::Date].into_iter().map(|kind| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::from(TemplateFunction { kind, signature }))
    });
    of_times.chain([numbers::functions::to_number(), epoch::instant()])
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

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match self.kind {
            Kind::Char => DataType::Utf8,
            Kind::Clock => clock_type(),
            Kind::Date => DataType::Date32,
        })
    }

    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        // The session's zone, with the instant that the clock was made of.
        if let (Kind::Char, [clock, template, instant, zone]) = (self.kind, given) {
            return Ok(vec![clock.clone(), template.clone(), instant.clone(), zone.clone()]);
        }
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
            (Kind::Char, DataType::Interval(_) | DataType::Duration(_)) => Some(INTERVAL),
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
        let columns: Vec<ArrayRef> =
            args.args.into_iter().map(|column| column.into_array(rows)).collect::<DataFusionResult<_>>()?;
        let answer = match columns.as_slice() {
            [clock, template, instant, zone] => in_zone(clock, template, instant, zone)?,
            [value, template] => self.call(value, template)?,
            _ => return Err(Error::internal("a template was called without a value").into()),
        };
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
            return match values.data_type() {
                DataType::Interval(_) => interval_texts(values, templates),
                number if number.is_numeric() => numbers::functions::texts(values, templates),
                DataType::Timestamp(_, Some(_)) => clock_texts(values, templates, |_| Ok(utc())),
                _ => clock_texts(values, templates, |_| Ok(Zone::default())),
            };
        }
        let mut read = |pair: (Option<&str>, Option<&str>)| -> Result<Option<NaiveDateTime>> {
            let (Some(text), Some(template)) = pair else { return Ok(None) };
            read::from_text(known.get(template), text).map(Some)
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

fn utc() -> Zone {
    Zone { abbreviation: "UTC".to_owned(), offset_seconds: 0 }
}

fn clock_texts(
    values: &ArrayRef,
    templates: &StringArray,
    zone: impl Fn(usize) -> Result<Zone>,
) -> Result<ArrayRef> {
    let mut known = Templates::default();
    let times = cast(values, &clock_type())?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let texts = times.iter().zip(templates).enumerate().map(|(row, pair)| {
        let (Some(micros), Some(template)) = pair else { return Ok(None) };
        let time = DateTime::from_timestamp_micros(micros)
            .ok_or_else(|| Error::new(ErrorKind::DatetimeOutOfRange, "timestamp out of range"))?;
        Ok(Some(write::to_text(known.get(template), time.naive_utc(), &zone(row)?)))
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

/// A clock, the instant that it shows, and the name of the zone in which it does.
fn in_zone(
    clock: &ArrayRef,
    templates: &ArrayRef,
    instants: &ArrayRef,
    zones: &ArrayRef,
) -> Result<ArrayRef> {
    let (templates, zones) = (cast(templates, &DataType::Utf8)?, cast(zones, &DataType::Utf8)?);
    let instants = cast(&cast(instants, &clock_type())?, &DataType::Int64)?;
    let (instants, zones) = (instants.as_primitive::<Int64Type>(), zones.as_string::<i32>());
    clock_texts(clock, templates.as_string::<i32>(), |row| {
        if instants.is_null(row) || zones.is_null(row) {
            return Ok(Zone::default());
        }
        let zone: Tz = zones.value(row).parse().unwrap_or(Tz::UTC);
        let instant = DateTime::from_timestamp_micros(instants.value(row))
            .ok_or_else(|| Error::new(ErrorKind::DatetimeOutOfRange, "timestamp out of range"))?;
        let local = instant.with_timezone(&zone);
        let abbreviation = local.offset().abbreviation().unwrap_or_default().to_owned();
        Ok(Zone { abbreviation, offset_seconds: local.offset().fix().local_minus_utc() })
    })
}

fn interval_texts(values: &ArrayRef, templates: &StringArray) -> Result<ArrayRef> {
    let mut known = Templates::default();
    let values = cast(values, &INTERVAL)?;
    let values = values.as_primitive::<IntervalMonthDayNanoType>();
    let texts = values.iter().zip(templates).map(|pair| {
        let (Some(value), Some(template)) = pair else { return Ok(None) };
        intervals::to_text(known.get(template), value).map(Some)
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

/// Templates that were parsed; most calls have one.
#[derive(Default)]
struct Templates(HashMap<String, Vec<Item>>);

impl Templates {
    fn get(&mut self, template: &str) -> &[Item] {
        if !self.0.contains_key(template) {
            self.0.insert(template.to_owned(), parse(template));
        }
        self.0.get(template).map_or(&[], Vec::as_slice)
    }
}
