//! `extract(field FROM time)`, exact, and `date_part('field', time)`, the same as a float. DataFusion gives whole numbers
//! for most fields, and so cuts seconds off.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array};
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, Int32Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    IntervalUnit, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::utils::take_function_args;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::kernel::on_columns;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

static EXTRACT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(Parts::new(Form::Extract).into()));

pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    [Arc::clone(&EXTRACT), Arc::new(Parts::new(Form::DatePart).into())].into_iter()
}

/// `extract(field FROM time)`: `arguments` are the field, a literal, and the time.
pub fn extract(arguments: Vec<Expr>) -> Expr {
    EXTRACT.call(arguments)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    Extract,
    DatePart,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Parts {
    form: Form,
    signature: Signature,
}

impl Parts {
    fn new(form: Form) -> Self {
        Self { form, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// How a part is computed, and the digits behind its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// One that Arrow has.
    Whole(DatePart),
    /// ISO's day of the week, from 1.
    IsoDay,
    Decade,
    Century,
    Millennium,
    Julian,
    /// Of the minute, in seconds, thousandths or millionths.
    Second,
    Millisecond,
    Microsecond,
    Epoch,
}

impl Part {
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" | "years" | "y" => Self::Whole(DatePart::Year),
            "isoyear" => Self::Whole(DatePart::YearISO),
            "quarter" => Self::Whole(DatePart::Quarter),
            "month" | "months" | "mon" => Self::Whole(DatePart::Month),
            "week" | "weeks" => Self::Whole(DatePart::WeekISO),
            "day" | "days" | "d" => Self::Whole(DatePart::Day),
            "dow" => Self::Whole(DatePart::DayOfWeekSunday0),
            "isodow" => Self::IsoDay,
            "doy" => Self::Whole(DatePart::DayOfYear),
            "hour" | "hours" | "h" => Self::Whole(DatePart::Hour),
            "minute" | "minutes" | "min" => Self::Whole(DatePart::Minute),
            "second" | "seconds" | "sec" | "s" => Self::Second,
            "millisecond" | "milliseconds" | "msec" | "ms" => Self::Millisecond,
            "microsecond" | "microseconds" | "usec" | "us" => Self::Microsecond,
            "decade" | "decades" => Self::Decade,
            "century" | "centuries" => Self::Century,
            "millennium" | "millennia" => Self::Millennium,
            "julian" => Self::Julian,
            "epoch" => Self::Epoch,
            _ => return None,
        })
    }

    fn scale(self, time: &DataType) -> i8 {
        match self {
            Self::Second => 6,
            Self::Millisecond => 3,
            Self::Epoch if *time != DataType::Date32 => 6,
            _ => 0,
        }
    }

    /// Whether a time of this type has the part.
    fn is_of(self, time: &DataType) -> bool {
        let is_of_day = match self {
            Self::Whole(part) => matches!(part, DatePart::Hour | DatePart::Minute),
            Self::Second | Self::Millisecond | Self::Microsecond => true,
            _ => false,
        };
        match time {
            DataType::Date32 => !is_of_day,
            DataType::Time64(_) => is_of_day || self == Self::Epoch,
            DataType::Interval(_) => {
                is_of_day
                    || matches!(
                        self,
                        Self::Epoch
                            | Self::Decade
                            | Self::Century
                            | Self::Millennium
                            | Self::Whole(
                                DatePart::Year | DatePart::Quarter | DatePart::Month | DatePart::Day
                            )
                    )
            }
            _ => true,
        }
    }
}

/// The layout in which a time is looked at.
fn settled(given: &DataType) -> Option<DataType> {
    Some(match given {
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Interval(_) | DataType::Duration(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        // A text is an instant, as PostgreSQL prefers it.
        DataType::Null => DataType::Timestamp(TimeUnit::Microsecond, None),
        text if text.is_string() => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => return None,
    })
}

fn literal_part(value: Option<&ScalarValue>, time: &DataType) -> Result<Option<Part>> {
    let Some(Some(name)) = value.and_then(ScalarValue::try_as_str) else { return Ok(None) };
    checked(name, time).map(Some)
}

fn checked(name: &str, time: &DataType) -> Result<Part> {
    let type_name = || {
        voxhouse_engine::catalog::SqlType::from_arrow(time)
            .map_or_else(|_| "interval".to_owned(), |known| known.to_string())
    };
    let Some(part) = Part::named(name) else {
        return Err(Error::invalid_argument(format!(
            "unit \"{name}\" not recognized for type {}",
            type_name()
        )));
    };
    let name = name.to_ascii_lowercase();
    match part.is_of(time) {
        true => Ok(part),
        false => Err(Error::not_supported(format!("unit \"{name}\" not supported for type {}", type_name()))),
    }
}

impl ScalarUDFImpl for Parts {
    fn name(&self) -> &str {
        match self.form {
            Form::Extract => "extract",
            Form::DatePart => "date_part",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match self.form {
            Form::Extract => DataType::Decimal128(20, 6),
            Form::DatePart => DataType::Float64,
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let [_, time] = take_function_args(self.name(), args.arg_fields)?;
        let part = literal_part(args.scalar_arguments.first().copied().flatten(), time.data_type())?;
        let gives = match (self.form, part) {
            (Form::DatePart, _) => DataType::Float64,
            (Form::Extract, Some(part)) => DataType::Decimal128(20, part.scale(time.data_type())),
            (Form::Extract, None) => DataType::Decimal128(20, 6),
        };
        Ok(Arc::new(Field::new(self.name(), gives, true)))
    }

    fn coerce_types(&self, given: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let [_, time] = take_function_args(self.name(), given)?;
        let settled = settled(time).ok_or_else(|| {
            Error::new(
                ErrorKind::UndefinedFunction,
                format!("function pg_catalog.{}(unknown, {time}) does not exist", self.name()),
            )
            .with_hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            )
        })?;
        Ok(vec![DataType::Utf8, settled])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let gives = args.return_field.data_type().clone();
        on_columns(args, |columns| {
            let [names, times] = columns else {
                return Err(Error::internal("a part of a time is taken of a name and a time"));
            };
            let parts = of_columns(names, times)?;
            Ok(cast(&parts, &gives)?)
        })
    }
}

/// The parts as exact numbers. One name for all rows is the usual case.
fn of_columns(names: &ArrayRef, times: &ArrayRef) -> Result<ArrayRef> {
    let names = names.as_string::<i32>();
    let first = names.iter().next().flatten();
    if names.iter().all(|name| name == first) {
        return match first {
            Some(name) => of_times(checked(name, times.data_type())?, times),
            None => Ok(Arc::new(Float64Array::new_null(times.len()))),
        };
    }
    let values = (0..times.len()).map(|row| {
        if names.is_null(row) {
            return Ok(None);
        }
        let part = of_times(checked(names.value(row), times.data_type())?, &times.slice(row, 1))?;
        let value = cast(&part, &DataType::Float64)?;
        Ok(value.as_primitive::<Float64Type>().iter().next().flatten())
    });
    Ok(Arc::new(values.collect::<Result<Float64Array>>()?))
}

fn of_times(part: Part, times: &ArrayRef) -> Result<ArrayRef> {
    match part {
        Part::Whole(part @ (DatePart::Year | DatePart::YearISO)) if !is_interval(times) => {
            mapped(part, times, historical)
        }
        Part::Whole(part) => of_arrow(part, times),
        Part::IsoDay => mapped(DatePart::DayOfWeekMonday0, times, |day| day + 1),
        Part::Decade => mapped(DatePart::Year, times, |year| year.div_euclid(10)),
        Part::Century => mapped(DatePart::Year, times, |year| numbered(year, 100)),
        Part::Millennium => mapped(DatePart::Year, times, |year| numbered(year, 1_000)),
        Part::Julian => julian(times),
        Part::Second => of_minute(times, 6),
        Part::Millisecond => of_minute(times, 3),
        Part::Microsecond => of_minute(times, 0),
        Part::Epoch => epoch(times),
    }
}

fn is_interval(times: &ArrayRef) -> bool {
    matches!(times.data_type(), DataType::Interval(_))
}

/// An interval has months beyond its years, and hours without end.
fn of_arrow(part: DatePart, times: &ArrayRef) -> Result<ArrayRef> {
    if !is_interval(times) {
        return Ok(date_part(times, part)?);
    }
    Ok(of_intervals(times, |value| match part {
        DatePart::Year => i64::from(value.months / 12),
        DatePart::Quarter => i64::from(value.months % 12 / 3 + 1),
        DatePart::Month => i64::from(value.months % 12),
        DatePart::Day => i64::from(value.days),
        DatePart::Hour => value.nanoseconds / (3_600 * 1_000 * MICROS_PER_SECOND),
        _ => value.nanoseconds / (60 * 1_000 * MICROS_PER_SECOND) % 60,
    }))
}

fn of_intervals(times: &ArrayRef, of: impl Fn(IntervalMonthDayNano) -> i64) -> ArrayRef {
    let values = times.as_primitive::<IntervalMonthDayNanoType>();
    Arc::new(values.iter().map(|value| value.map(&of)).collect::<Int64Array>())
}

fn mapped(part: DatePart, times: &ArrayRef, change: impl Fn(i32) -> i32) -> Result<ArrayRef> {
    let values = cast(&of_arrow(part, times)?, &DataType::Int32)?;
    Ok(Arc::new(values.as_primitive::<Int32Type>().unary::<_, Int32Type>(change)))
}

/// There is no year 0: before 1 is 1 BC.
fn historical(year: i32) -> i32 {
    if year > 0 { year } else { year - 1 }
}

/// The first century is of the years 1 to 100; the one before is −1.
fn numbered(year: i32, size: i32) -> i32 {
    if year > 0 { (year - 1) / size + 1 } else { year / size - 1 }
}

/// Days since noon of 24 November 4714 BC; a time of day is a fraction.
fn julian(times: &ArrayRef) -> Result<ArrayRef> {
    const EPOCH: i64 = 2_440_588;
    if *times.data_type() == DataType::Date32 {
        let days = cast(times, &DataType::Int32)?;
        return Ok(Arc::new(
            days.as_primitive::<Int32Type>().unary::<_, Int32Type>(|day| day.saturating_add(EPOCH as i32)),
        ));
    }
    let micros = times.as_primitive::<TimestampMicrosecondType>();
    let days = micros.iter().map(|micros| {
        micros.map(|micros| {
            micros.div_euclid(MICROS_PER_DAY) as f64
                + EPOCH as f64
                + micros.rem_euclid(MICROS_PER_DAY) as f64 / MICROS_PER_DAY as f64
        })
    });
    Ok(Arc::new(days.collect::<Float64Array>()))
}

/// The millionths of a second since the full minute, with the point `scale` digits from the right.
fn of_minute(times: &ArrayRef, scale: i8) -> Result<ArrayRef> {
    const MINUTE: i64 = 60 * MICROS_PER_SECOND;
    let micros: Int64Array = match times.data_type() {
        DataType::Interval(_) => times
            .as_primitive::<IntervalMonthDayNanoType>()
            .iter()
            .map(|value| value.map(|value| value.nanoseconds / 1_000 % MINUTE))
            .collect(),
        _ => {
            whole_micros(times)?.iter().map(|micros| micros.map(|micros| micros.rem_euclid(MINUTE))).collect()
        }
    };
    decimals(&micros, scale)
}

fn whole_micros(times: &ArrayRef) -> Result<Int64Array> {
    let whole = cast(times, &DataType::Int64)?;
    Ok(whole.as_primitive::<arrow::datatypes::Int64Type>().clone())
}

fn decimals(values: &Int64Array, scale: i8) -> Result<ArrayRef> {
    let values: Decimal128Array = values.iter().map(|value| value.map(i128::from)).collect();
    Ok(Arc::new(values.with_precision_and_scale(20, scale)?))
}

/// Seconds since 1970, or in all; a year counts as 365.25 days there, a month beyond years as 30.
fn epoch(times: &ArrayRef) -> Result<ArrayRef> {
    match times.data_type() {
        DataType::Date32 => {
            let days = cast(times, &DataType::Int32)?;
            let seconds: Int64Array = days
                .as_primitive::<Int32Type>()
                .iter()
                .map(|day| day.map(|day| i64::from(day) * 86_400))
                .collect();
            Ok(Arc::new(seconds))
        }
        DataType::Interval(_) => {
            let micros = of_intervals(times, |value| {
                let years = i64::from(value.months / 12) * (MICROS_PER_DAY / 4 * 1_461);
                let months = i64::from(value.months % 12) * 30 * MICROS_PER_DAY;
                let days = i64::from(value.days) * MICROS_PER_DAY;
                years.saturating_add(months).saturating_add(days).saturating_add(value.nanoseconds / 1_000)
            });
            decimals(micros.as_primitive(), 6)
        }
        _ => decimals(&whole_micros(times)?, 6),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{IntervalMonthDayNanoArray, TimestampMicrosecondArray};

    use super::*;

    fn text(part: &str, times: ArrayRef) -> String {
        let part = of_times(checked(part, times.data_type()).unwrap(), &times).unwrap();
        arrow::util::display::array_value_to_string(&part, 0).unwrap()
    }

    #[test]
    fn fractions_of_seconds_stay() {
        // 2026-01-01 11:00:01.5
        let time = || Arc::new(TimestampMicrosecondArray::from(vec![1_767_265_201_500_000])) as ArrayRef;
        assert_eq!(text("second", time()), "1.500000");
        assert_eq!(text("milliseconds", time()), "1500.000");
        assert_eq!(text("microseconds", time()), "1500000");
        assert_eq!(text("epoch", time()), "1767265201.500000");
        assert_eq!(text("hour", time()), "11");
        assert_eq!(text("isodow", time()), "4");
        assert_eq!(text("century", time()), "21");
    }

    #[test]
    fn intervals_have_parts_of_their_own() {
        let value = IntervalMonthDayNano::new(14, 3, 90_061_500_000_000);
        let interval = || Arc::new(IntervalMonthDayNanoArray::from(vec![value])) as ArrayRef;
        assert_eq!(text("year", interval()), "1");
        assert_eq!(text("month", interval()), "2");
        assert_eq!(text("hour", interval()), "25");
        assert_eq!(text("minute", interval()), "1");
        assert_eq!(text("second", interval()), "1.500000");
        assert_eq!(text("epoch", interval()), "37090861.500000");
        assert!(checked("dow", &DataType::Interval(IntervalUnit::MonthDayNano)).is_err());
    }

    #[test]
    fn there_is_no_year_zero() {
        assert_eq!(
            [numbered(2000, 100), numbered(2001, 100), numbered(1, 100), numbered(-99, 100)],
            [20, 21, 1, -1]
        );
    }
}
