//! Text of dates, times and zones, in every form that PostgreSQL reads.

mod draft;
mod fields;
mod words;

use std::str::FromStr;

use chrono::{Datelike, Duration, LocalResult, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike};
use chrono_tz::Tz;

use crate::session::settings::zone;
use crate::wire::style::TextStyle;
use draft::{Draft, days_of};

/// Why a text is not a date or a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bad {
    Syntax,
    /// The parts are numbers, but there is no such day or time of day.
    Field,
    /// There is no such month or day, and perhaps there would be in another order.
    Order,
    /// An offset that no zone has.
    Offset,
    /// A zone that nobody knows.
    Zone(String),
    /// Arrow has no infinite times.
    Infinite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Seconds east of Greenwich.
    Offset(i32),
    Named(Tz),
}

/// Days since 1970-01-01. A time behind the date is read over.
pub(super) fn parse_date(text: &str, style: TextStyle) -> Result<i32, Bad> {
    let (local, _) = Draft::new(style).read(&fields::split(text)?)?.finish()?;
    Ok(days_of(local.date()))
}

/// Microseconds since midnight. A zone is read over.
pub(super) fn parse_clock(text: &str, style: TextStyle) -> Result<i64, Bad> {
    Draft::new(style).read_clock(&fields::split(text)?)?.finish_clock()
}

/// A local time, and its zone if it has one.
pub(super) fn parse_timestamp(text: &str, style: TextStyle) -> Result<(NaiveDateTime, Option<Zone>), Bad> {
    Draft::new(style).read(&fields::split(text)?)?.finish()
}

pub(super) fn whole_number<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Digits only; too many of them are no part of a date.
fn digits_of(text: &str) -> Result<i64, Bad> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Bad::Syntax);
    }
    text.parse::<i32>().map(i64::from).map_err(|_| Bad::Field)
}

/// A time of day within an interval.
pub(super) fn parse_time(text: &str) -> Option<NaiveTime> {
    let (hour, minute, second, micros) = clock_parts(text)?;
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

fn clock_parts(text: &str) -> Option<(u32, u32, u32, u32)> {
    let mut parts = text.splitn(3, ':');
    let (hour, minute) = (whole_number(parts.next()?)?, whole_number(parts.next()?)?);
    let (second, fraction) = match parts.next() {
        None => ("0", ""),
        Some(second) => second.split_once('.').unwrap_or((second, "")),
    };
    let digits = fraction.get(..fraction.len().min(6))?;
    let micros = if digits.is_empty() { 0 } else { whole_number::<u32>(&format!("{digits:0<6}"))? };
    Some((hour, minute, whole_number(second)?, micros))
}

pub(super) fn time_micros(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond()) / 1_000
}

/// Abbreviations such as `pst` are offsets, whatever the season.
fn named_zone(text: &str) -> Option<Zone> {
    if text == "z" { Some(Zone::Offset(0)) } else { zone::of_expression(text).map(Zone::Named) }
}

/// Seconds east of Greenwich, of `+08`, `-0530`, `+5:30:00`.
fn parse_offset(text: &str) -> Result<i32, Bad> {
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("+", digits)) => (1, digits),
        Some((_, digits)) => (-1, digits),
        None => return Err(Bad::Syntax),
    };
    let parts = digits.split(':').map(digits_of).collect::<Result<Vec<_>, _>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [run_together] if digits.len() > 2 => (run_together / 100, run_together % 100, 0),
        [hours] => (hours, 0, 0),
        [hours, minutes] => (hours, minutes, 0),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return Err(Bad::Syntax),
    };
    if hours > 15 || minutes > 59 || seconds > 59 {
        return Err(Bad::Offset);
    }
    i32::try_from((hours * 60 + minutes) * 60 + seconds)
        .map(|seconds| sign * seconds)
        .map_err(|_| Bad::Offset)
}

/// In a gap of the clock, PostgreSQL takes the offset before it; of two instants, the standard time.
pub(super) fn local_offset(zone: Tz, local: NaiveDateTime) -> Option<i32> {
    let seconds = |offset: <Tz as TimeZone>::Offset| offset.fix().local_minus_utc();
    match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) => Some(seconds(offset)),
        LocalResult::Ambiguous(first, second) => Some(seconds(first).min(seconds(second))),
        LocalResult::None => {
            let before =
                local.checked_sub_signed(Duration::days(1)).filter(|before| before.year() > -262_000)?;
            zone.offset_from_local_datetime(&before).earliest().map(seconds)
        }
    }
}
