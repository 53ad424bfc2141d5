//! Text of dates, times, zones and intervals.

use std::str::FromStr;

use chrono::{
    Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Timelike,
};
use chrono_tz::Tz;

/// Why a text is not a date or a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bad {
    Syntax,
    /// The parts are numbers, but there is no such day or time of day.
    Field,
    /// A zone that nobody knows.
    Zone(String),
}

pub(super) enum Zone {
    Offset(i32),
    Named(Tz),
}

/// Days since 1970-01-01.
pub(super) fn parse_date(text: &str) -> Result<i32, Bad> {
    if is_epoch(text) {
        return Ok(0);
    }
    let (text, before_christ) = strip_era(text);
    // A time behind the date is read over.
    let date = text.split(['T', ' ']).next().ok_or(Bad::Syntax)?;
    Ok(date_of(date, before_christ)?.signed_duration_since(NaiveDate::default()).num_days() as i32)
}

fn is_epoch(text: &str) -> bool {
    text.eq_ignore_ascii_case("epoch")
}

fn date_of(text: &str, before_christ: bool) -> Result<NaiveDate, Bad> {
    let (year, month, day) = match text.split(['-', '/', '.']).collect::<Vec<_>>()[..] {
        [year, month, day] if year.len() >= 3 => (year, month, day),
        // The setting DateStyle is ISO, MDY.
        [month, day, year] if year.len() == 4 => (year, month, day),
        [plain] if plain.len() == 8 && plain.is_ascii() => (&plain[..4], &plain[4..6], &plain[6..]),
        _ => return Err(Bad::Syntax),
    };
    let (Some(year), Some(month), Some(day)) =
        (whole_number::<i32>(year), whole_number(month), whole_number(day))
    else {
        return Err(Bad::Syntax);
    };
    // There is no year 0: before 1 is 1 BC.
    let year = if before_christ { 1 - year } else { year };
    NaiveDate::from_ymd_opt(year, month, day).filter(|_| year != 0 || before_christ).ok_or(Bad::Field)
}

pub(super) fn whole_number<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn strip_era(text: &str) -> (&str, bool) {
    match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text.strip_suffix(" AD").unwrap_or(text), false),
    }
}

pub(super) fn parse_time(text: &str) -> Result<NaiveTime, Bad> {
    let (hour, minute, second, micros) = clock_parts(text).ok_or(Bad::Syntax)?;
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros).ok_or(Bad::Field)
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

/// `2024-03-09 10:11:12.5+08`, `2024-03-09T10:11:12Z`, `2024-03-09`, `… Asia/Shanghai`.
pub(super) fn parse_timestamp(text: &str) -> Result<(NaiveDateTime, Option<Zone>), Bad> {
    if is_epoch(text) {
        return Ok((NaiveDateTime::default(), Some(Zone::Offset(0))));
    }
    let (text, before_christ) = strip_era(text);
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let date = date_of(date, before_christ)?;
    let clock = clock.trim();
    let end = clock.find(|letter: char| !matches!(letter, '0'..='9' | ':' | '.')).unwrap_or(clock.len());
    let (time, zone) = clock.split_at(end);
    let time = if time.is_empty() { NaiveTime::MIN } else { parse_time(time)? };
    let zone = match zone.trim() {
        "" => None,
        zone => Some(parse_zone(zone)?),
    };
    Ok((date.and_time(time), zone))
}

fn parse_zone(text: &str) -> Result<Zone, Bad> {
    let is_offset = text.starts_with(['+', '-']);
    let is_name = text.starts_with(|letter: char| letter.is_ascii_alphabetic());
    match text {
        _ if is_offset => parse_offset(text).map(Zone::Offset).ok_or(Bad::Syntax),
        _ if text.eq_ignore_ascii_case("z") => Ok(Zone::Offset(0)),
        name if is_name && name.contains('/') => {
            named_zone(name).map(Zone::Named).ok_or_else(|| Bad::Zone(name.to_ascii_lowercase()))
        }
        name => named_zone(name).map(Zone::Named).ok_or(Bad::Syntax),
    }
}

/// Zones are written in any case.
fn named_zone(name: &str) -> Option<Tz> {
    name.parse().ok().or_else(|| {
        chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied()
    })
}

/// Seconds east of Greenwich.
fn parse_offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        (_, digits) => (-1, digits),
    };
    let digits: String = digits.chars().filter(|&letter| letter != ':').collect();
    let part = |range: std::ops::Range<usize>| match digits.get(range) {
        Some(part) => whole_number::<i32>(part),
        None => Some(0),
    };
    let hours = if digits.len() == 1 { whole_number(&digits)? } else { part(0..2)? };
    if digits.is_empty() || digits.len() > 6 || hours > 15 {
        return None;
    }
    Some(sign * (hours * 3_600 + part(2..4)? * 60 + part(4..6)?))
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
