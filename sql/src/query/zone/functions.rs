//! The functions that need a zone. All but `timezone` are put into plans by [`super::rule`], never by users.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, IntervalMonthDayNanoType, IntervalUnit, TimeUnit, TimestampMicrosecondType,
};
use chrono_tz::Tz;
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::local::{self, Unit};
use crate::query::style::style_of;
use crate::session::settings::zone;
use crate::wire::style::TextStyle;
use crate::wire::{read_date, read_time};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// `timezone(zone, timestamp)`: `AT TIME ZONE`, both ways.
    Timezone,
    /// (instant, zone) → wall clock.
    Local,
    /// (wall clock, zone) → instant.
    Instant,
    /// (unit, instant, zone) → instant.
    Truncate,
    /// (instant, interval, zone) → instant.
    Add,
    /// (text, zone) → instant.
    ReadInstant,
    /// (text) → wall clock.
    ReadClock,
    /// (text) → date.
    ReadDate,
}

const KINDS: [Kind; 8] = [
    Kind::Timezone,
    Kind::Local,
    Kind::Instant,
    Kind::Truncate,
    Kind::Add,
    Kind::ReadInstant,
    Kind::ReadClock,
    Kind::ReadDate,
];

static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> =
    LazyLock::new(|| KINDS.into_iter().map(|kind| Arc::new(ZoneFunction::new(kind).into())).collect());

pub(super) fn function(kind: Kind) -> Arc<ScalarUDF> {
    Arc::clone(&FUNCTIONS[kind as usize])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ZoneFunction {
    kind: Kind,
    signature: Signature,
}

impl ZoneFunction {
    fn new(kind: Kind) -> Self {
        let signature = match kind {
            Kind::Timezone => Signature::user_defined(Volatility::Immutable),
            Kind::ReadClock | Kind::ReadDate => Signature::any(1, Volatility::Immutable),
            Kind::Truncate | Kind::Add => Signature::any(3, Volatility::Immutable),
            _ => Signature::any(2, Volatility::Immutable),
        };
        Self { kind, signature }
    }
}

pub(in crate::query) fn clock_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

pub(super) fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

impl ScalarUDFImpl for ZoneFunction {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Timezone => "timezone",
            Kind::Local => "zone_local",
            Kind::Instant => "zone_instant",
            Kind::Truncate => "zone_trunc",
            Kind::Add => "zone_add",
            Kind::ReadInstant => "zone_read",
            Kind::ReadClock => "timestamp_read",
            Kind::ReadDate => "date_read",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match self.kind {
            Kind::Timezone => match arguments.get(1) {
                Some(DataType::Timestamp(_, None)) => instant_type(),
                _ => clock_type(),
            },
            Kind::Local | Kind::ReadClock => clock_type(),
            Kind::ReadInstant | Kind::Instant | Kind::Truncate | Kind::Add => instant_type(),
            Kind::ReadDate => DataType::Date32,
        })
    }

    /// A date and a text without a type are instants, as PostgreSQL prefers them.
    fn coerce_types(&self, arguments: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let given = |names: String| {
            Error::new(ErrorKind::UndefinedFunction, format!("function timezone({names}) does not exist")).with_hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            )
        };
        let [zone, time] = take_function_args("timezone", arguments)?;
        let zone = match zone {
            DataType::Interval(_) => DataType::Interval(IntervalUnit::MonthDayNano),
            other if other.is_string() || other.is_null() => DataType::Utf8,
            other => return Err(given(format!("{}, …", type_name(other))).into()),
        };
        let time = match time {
            DataType::Timestamp(_, None) => clock_type(),
            DataType::Timestamp(_, Some(_)) | DataType::Date32 | DataType::Null => instant_type(),
            other if other.is_string() => instant_type(),
            other => return Err(given(format!("text, {}", type_name(other))).into()),
        };
        Ok(vec![zone, time])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let scalar = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let columns =
            args.args.iter().map(|argument| argument.to_array(rows)).collect::<DataFusionResult<Vec<_>>>()?;
        let answer = self.call(&columns, style_of(&args.config_options))?;
        Ok(match scalar {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?),
            false => ColumnarValue::Array(answer),
        })
    }
}

fn type_name(data_type: &DataType) -> String {
    voxhouse_engine::catalog::SqlType::from_arrow(data_type)
        .map_or_else(|_| "unknown".to_owned(), |known| known.to_string())
}

impl ZoneFunction {
    fn call(&self, columns: &[ArrayRef], style: TextStyle) -> Result<ArrayRef> {
        match (self.kind, columns) {
            (Kind::Timezone, [zone, time]) => match time.data_type() {
                DataType::Timestamp(_, None) => by_zone(time, zone, local::to_instant, true),
                _ => by_zone(time, zone, local::to_local, false),
            },
            (Kind::Local, [time, zone]) => by_zone(time, zone, local::to_local, false),
            (Kind::Instant, [time, zone]) => by_zone(time, zone, local::to_instant, true),
            (Kind::Truncate, [unit, time, zone]) => truncate(unit, time, zone),
            (Kind::Add, [time, interval, zone]) => add(time, interval, zone),
            (Kind::ReadInstant, [text, zone]) => {
                let mut zones = Zones::new(zone)?;
                let found = read(text, |row, text| match zones.get(row)? {
                    Some(zone) => read_time(text, TextStyle { zone, ..style }, true).map(Some),
                    None => Ok(None),
                })?;
                Ok(times(found, true))
            }
            (Kind::ReadClock, [text]) => {
                Ok(times(read(text, |_, text| read_time(text, style, false).map(Some))?, false))
            }
            (Kind::ReadDate, [text]) => {
                Ok(Arc::new(Date32Array::from(read(text, |_, text| read_date(text, style).map(Some))?)))
            }
            _ => Err(Error::internal("a function of zones has other arguments than it was given")),
        }
    }
}

fn out_of_range() -> Error {
    Error::new(ErrorKind::DatetimeOutOfRange, "timestamp out of range")
}

/// One value for each time that is not NULL.
fn each<T>(time: &ArrayRef, mut of: impl FnMut(usize, i64) -> Result<Option<T>>) -> Result<Vec<Option<T>>> {
    let zone = match time.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let time = cast(time, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    let time = time.as_primitive::<TimestampMicrosecondType>();
    time.iter()
        .enumerate()
        .map(|(row, time)| match time {
            Some(time) => of(row, time),
            None => Ok(None),
        })
        .collect()
}

fn times(values: Vec<Option<i64>>, instants: bool) -> ArrayRef {
    let array = TimestampMicrosecondArray::from(values);
    Arc::new(if instants { array.with_timezone("UTC") } else { array })
}

/// What each text says.
fn read<T>(text: &ArrayRef, mut of: impl FnMut(usize, &str) -> Result<Option<T>>) -> Result<Vec<Option<T>>> {
    let text = cast(text, &DataType::Utf8)?;
    let found = text.as_string::<i32>().iter().enumerate().map(|(row, text)| match text {
        Some(text) => of(row, text),
        None => Ok(None),
    });
    found.collect()
}

fn by_zone(
    time: &ArrayRef,
    zone: &ArrayRef,
    of: fn(i64, Tz) -> Option<i64>,
    instants: bool,
) -> Result<ArrayRef> {
    let mut zones = Zones::new(zone)?;
    let found = each(time, |row, time| match zones.get(row)? {
        Some(zone) => of(time, zone).map(Some).ok_or_else(out_of_range),
        None => Ok(None),
    })?;
    Ok(times(found, instants))
}

fn truncate(unit: &ArrayRef, time: &ArrayRef, zone: &ArrayRef) -> Result<ArrayRef> {
    let unit = cast(unit, &DataType::Utf8)?;
    let units = unit.as_string::<i32>();
    let mut zones = Zones::new(zone)?;
    let mut known: Option<(String, Unit)> = None;
    let found = each(time, |row, instant| {
        if units.is_null(row) {
            return Ok(None);
        }
        let name = units.value(row);
        let unit = match &known {
            Some((known, unit)) if known == name => *unit,
            _ => {
                let unit = Unit::parse(name).ok_or_else(|| {
                    Error::invalid_argument(format!(
                        "unit \"{name}\" not recognized for type timestamp with time zone"
                    ))
                })?;
                known = Some((name.to_owned(), unit));
                unit
            }
        };
        let Some(zone) = zones.get(row)? else { return Ok(None) };
        local::truncate(unit, instant, zone).map(Some).ok_or_else(out_of_range)
    })?;
    Ok(times(found, true))
}

fn add(time: &ArrayRef, interval: &ArrayRef, zone: &ArrayRef) -> Result<ArrayRef> {
    let interval = cast(interval, &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let intervals = interval.as_primitive::<IntervalMonthDayNanoType>();
    let mut zones = Zones::new(zone)?;
    let found = each(time, |row, instant| {
        if intervals.is_null(row) {
            return Ok(None);
        }
        let Some(zone) = zones.get(row)? else { return Ok(None) };
        let step = intervals.value(row);
        let sum = local::add(instant, step.months, step.days, step.nanoseconds, zone);
        sum.map(Some).ok_or_else(out_of_range)
    })?;
    Ok(times(found, true))
}

/// The zones of a column of names, or of intervals east of Greenwich; nearly always the same one.
struct Zones {
    names: ArrayRef,
    latest: Option<(String, Tz)>,
}

impl Zones {
    fn new(zone: &ArrayRef) -> Result<Self> {
        let names = match zone.data_type() {
            DataType::Interval(_) => hours_east(zone)?,
            _ => cast(zone, &DataType::Utf8)?,
        };
        Ok(Self { names, latest: None })
    }

    fn get(&mut self, row: usize) -> Result<Option<Tz>> {
        let names = self.names.as_string::<i32>();
        if names.is_null(row) {
            return Ok(None);
        }
        let name = names.value(row);
        if let Some((latest, zone)) = &self.latest
            && latest == name
        {
            return Ok(Some(*zone));
        }
        let zone = zone::of_expression(name)
            .ok_or_else(|| Error::invalid_argument(format!("time zone \"{name}\" not recognized")))?;
        self.latest = Some((name.to_owned(), zone));
        Ok(Some(zone))
    }
}

/// Zones of intervals, as POSIX names them: hours west.
fn hours_east(zone: &ArrayRef) -> Result<ArrayRef> {
    let intervals = zone.as_primitive::<IntervalMonthDayNanoType>();
    let names = intervals.iter().map(|interval| {
        interval.map(|interval| {
            let minutes = -interval.nanoseconds / 60_000_000_000;
            format!("<>{:+03}:{:02}", minutes / 60, (minutes % 60).abs())
        })
    });
    Ok(Arc::new(names.collect::<StringArray>()))
}
