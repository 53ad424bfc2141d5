//! Ages, and times and intervals from their parts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, IntervalMonthDayNanoArray, TimestampMicrosecondArray};
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
    TimestampMicrosecondType,
};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};
use datafusion::logical_expr::ScalarUDF;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::kernel::Kernel;
use crate::query::zone::clock_type;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let justified = |name, run| Kernel { name, takes: vec![INTERVAL], gives: INTERVAL, run };
    let mut interval_parts = vec![DataType::Int32; 6];
    interval_parts.push(DataType::Float64);
    let mut time_parts = vec![DataType::Int32; 5];
    time_parts.push(DataType::Float64);
    [
        Kernel { name: "age_between", takes: vec![clock_type(), clock_type()], gives: INTERVAL, run: ages },
        Kernel { name: "make_interval", takes: interval_parts, gives: INTERVAL, run: make_intervals },
        Kernel { name: "make_timestamp", takes: time_parts, gives: clock_type(), run: make_timestamps },
        justified("justify_days", |columns| each_interval(columns, justify_days)),
        justified("justify_hours", |columns| each_interval(columns, justify_hours)),
        justified("justify_interval", |columns| each_interval(columns, justify_interval)),
    ]
    .map(Kernel::function)
    .into_iter()
}

fn each_interval(
    columns: &[ArrayRef],
    change: fn(IntervalMonthDayNano) -> Option<IntervalMonthDayNano>,
) -> Result<ArrayRef> {
    let [values] = columns else { return Err(wrong_arguments()) };
    let changed = values
        .as_primitive::<IntervalMonthDayNanoType>()
        .iter()
        .map(|value| value.map(|value| change(value).ok_or_else(out_of_range)).transpose())
        .collect::<Result<IntervalMonthDayNanoArray>>()?;
    Ok(Arc::new(changed))
}

fn wrong_arguments() -> Error {
    Error::internal("a function of times has other arguments than its signature says")
}

fn out_of_range() -> Error {
    Error::new(ErrorKind::DatetimeOutOfRange, "interval out of range")
}

/// 30 days are a month; months and days get one sign.
fn justify_days(value: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
    let (months, days) = carried(value.months, value.days, 30)?;
    Some(IntervalMonthDayNano::new(months, days, value.nanoseconds))
}

/// 24 hours are a day.
fn justify_hours(value: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
    const DAY: i64 = MICROS_PER_DAY * 1_000;
    let whole = i32::try_from(value.nanoseconds / DAY).ok()?;
    let (mut days, mut nanos) = (value.days.checked_add(whole)?, value.nanoseconds % DAY);
    if days > 0 && nanos < 0 {
        (days, nanos) = (days - 1, nanos + DAY);
    } else if days < 0 && nanos > 0 {
        (days, nanos) = (days + 1, nanos - DAY);
    }
    Some(IntervalMonthDayNano::new(value.months, days, nanos))
}

fn justify_interval(value: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
    let mut value = justify_days(justify_hours(value)?)?;
    // What is left below a month may still have another sign than the months.
    let is_positive = value.months > 0 && (value.days < 0 || (value.days == 0 && value.nanoseconds < 0));
    let is_negative = value.months < 0 && (value.days > 0 || (value.days == 0 && value.nanoseconds > 0));
    if is_positive {
        (value.months, value.days) = (value.months - 1, value.days + 30);
    } else if is_negative {
        (value.months, value.days) = (value.months + 1, value.days - 30);
    }
    justify_hours(value)
}

fn carried(large: i32, small: i32, size: i32) -> Option<(i32, i32)> {
    let (mut large, mut small) = (large.checked_add(small / size)?, small % size);
    if large > 0 && small < 0 {
        (large, small) = (large - 1, small + size);
    } else if large < 0 && small > 0 {
        (large, small) = (large + 1, small - size);
    }
    Some((large, small))
}

fn ages(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let [later, earlier] = columns else { return Err(wrong_arguments()) };
    let clocks = |column: &ArrayRef| column.as_primitive::<TimestampMicrosecondType>().clone();
    let (later, earlier) = (clocks(later), clocks(earlier));
    let ages = later.iter().zip(&earlier).map(|(later, earlier)| {
        let (Some(later), Some(earlier)) = (later, earlier) else { return Ok(None) };
        let (Some(later), Some(earlier)) = (clock(later), clock(earlier)) else { return Err(out_of_range()) };
        Ok(Some(age(later, earlier)))
    });
    Ok(Arc::new(ages.collect::<Result<IntervalMonthDayNanoArray>>()?))
}

fn clock(micros: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

/// The difference field by field. A missing day is borrowed from the earlier time's month, a negative age is the
/// negative of the age the other way round.
fn age(later: NaiveDateTime, earlier: NaiveDateTime) -> IntervalMonthDayNano {
    if later < earlier {
        let age = age(earlier, later);
        return IntervalMonthDayNano::new(-age.months, -age.days, -age.nanoseconds);
    }
    let of_day = |time: NaiveDateTime| {
        i64::from(time.num_seconds_from_midnight()) * MICROS_PER_SECOND + i64::from(time.nanosecond() / 1_000)
    };
    let months_of = |time: NaiveDateTime| time.year() * 12 + time.month0() as i32;
    let mut months = months_of(later) - months_of(earlier);
    let mut days = later.day() as i32 - earlier.day() as i32;
    let mut micros = of_day(later) - of_day(earlier);
    if micros < 0 {
        (micros, days) = (micros + MICROS_PER_DAY, days - 1);
    }
    if days < 0 {
        (days, months) = (days + days_of_month(earlier), months - 1);
    }
    IntervalMonthDayNano::new(months, days, micros * 1_000)
}

fn days_of_month(time: NaiveDateTime) -> i32 {
    i32::from(time.date().num_days_in_month())
}

/// Years, months, weeks, days, hours, minutes and seconds.
fn make_intervals(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let [whole @ .., seconds] = columns else { return Err(wrong_arguments()) };
    let whole: Vec<_> = whole.iter().map(|column| column.as_primitive::<Int32Type>()).collect();
    let seconds = seconds.as_primitive::<Float64Type>();
    let intervals = (0..seconds.len()).map(|row| {
        if seconds.is_null(row) || whole.iter().any(|column| column.is_null(row)) {
            return Ok(None);
        }
        let part = |place: usize| whole.get(place).map_or(0, |column| i64::from(column.value(row)));
        let months = part(0) * 12 + part(1);
        let days = part(2) * 7 + part(3);
        let micros = (seconds.value(row) * 1e6).round();
        let micros = (micros.abs() < 9e15).then_some(micros as i64);
        let minutes = (part(4) * 60 + part(5)) * 60 * MICROS_PER_SECOND;
        let nanos = micros.and_then(|micros| micros.checked_add(minutes)?.checked_mul(1_000));
        let (Ok(months), Ok(days), Some(nanos)) = (i32::try_from(months), i32::try_from(days), nanos) else {
            return Err(out_of_range());
        };
        Ok(Some(IntervalMonthDayNano::new(months, days, nanos)))
    });
    Ok(Arc::new(intervals.collect::<Result<IntervalMonthDayNanoArray>>()?))
}

/// Year, month, day, hour, minute and second.
fn make_timestamps(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let [year, month, day, hour, minute, second] = columns else { return Err(wrong_arguments()) };
    let whole: Vec<_> =
        [year, month, day, hour, minute].map(|column| column.as_primitive::<Int32Type>()).to_vec();
    let second = second.as_primitive::<Float64Type>();
    let times = (0..second.len()).map(|row| {
        if second.is_null(row) || whole.iter().any(|column| column.is_null(row)) {
            return Ok(None);
        }
        let part = |place: usize| whole.get(place).map_or(0, |column| column.value(row));
        timestamp(part(0), [part(1), part(2), part(3), part(4)], second.value(row)).map(Some)
    });
    Ok(Arc::new(times.collect::<Result<TimestampMicrosecondArray>>()?))
}

fn timestamp(year: i32, [month, day, hour, minute]: [i32; 4], second: f64) -> Result<i64> {
    let refused =
        |field: &str| Error::new(ErrorKind::DatetimeOutOfRange, format!("{field} field value out of range"));
    let unsigned = |part: i32| u32::try_from(part).ok();
    // A negative year is one before Christ; there is no year 0.
    let year = if year < 0 { year + 1 } else { year };
    let date = unsigned(month)
        .zip(unsigned(day))
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(year, month, day))
        .ok_or_else(|| refused("date"))?;
    let micros = (second * 1e6).round();
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60e6).contains(&micros);
    if !is_time {
        return Err(refused("time"));
    }
    let midnight = date.and_hms_opt(0, 0, 0).ok_or_else(|| refused("date"))?.and_utc().timestamp_micros();
    let minutes = i64::from(hour) * 60 + i64::from(minute);
    Ok(midnight + minutes * 60 * MICROS_PER_SECOND + micros as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn ages_are_those_of_postgres() {
        let day =
            |months, days, hours: i64| IntervalMonthDayNano::new(months, days, hours * 3_600_000_000_000);
        assert_eq!(age(at("2026-03-01T00:00:00"), at("2025-01-15T00:00:00")), day(13, 17, 0));
        assert_eq!(age(at("2025-01-15T00:00:00"), at("2026-03-01T00:00:00")), day(-13, -17, 0));
        assert_eq!(age(at("2024-03-31T00:00:00"), at("2024-02-29T12:00:00")), day(1, 1, 12));
        assert_eq!(age(at("2024-03-01T00:00:00"), at("2024-01-31T00:00:00")), day(1, 1, 0));
        assert_eq!(age(at("2024-03-01T00:00:00"), at("2024-03-01T00:00:00")), day(0, 0, 0));
    }

    #[test]
    fn justified_intervals_have_one_sign() {
        const HOUR: i64 = 3_600_000_000_000;
        let justified = justify_interval(IntervalMonthDayNano::new(1, 0, -HOUR)).unwrap();
        assert_eq!(justified, IntervalMonthDayNano::new(0, 29, 23 * HOUR));
        let days = justify_days(IntervalMonthDayNano::new(0, 35, 0)).unwrap();
        assert_eq!(days, IntervalMonthDayNano::new(1, 5, 0));
        let hours = justify_hours(IntervalMonthDayNano::new(0, 0, 27 * HOUR)).unwrap();
        assert_eq!(hours, IntervalMonthDayNano::new(0, 1, 3 * HOUR));
    }

    #[test]
    fn there_is_no_thirtieth_of_february() {
        assert!(timestamp(2026, [2, 30, 0, 0], 0.0).is_err());
        assert!(timestamp(2026, [2, 28, 24, 0], 0.0).is_err());
        assert!(timestamp(2026, [2, 28, 0, 0], f64::NAN).is_err());
    }
}
