//! Instants and wall clocks, in microseconds since 1970: the arithmetic of `timestamp with time zone`.
//!
//! As in PostgreSQL, a wall clock in the gap of spring is read with the offset before it, and one that comes twice
//! in autumn means the later of the two, in standard time. `None`: out of range.

use chrono::LocalResult;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

const SECOND: i64 = 1_000_000;

/// Seconds east of Greenwich at an instant.
pub(super) fn offset(instant: i64, zone: Tz) -> Option<i32> {
    let utc = DateTime::from_timestamp_micros(instant)?.naive_utc();
    Some(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}

pub(super) fn to_local(instant: i64, zone: Tz) -> Option<i64> {
    instant.checked_add(i64::from(offset(instant, zone)?) * SECOND)
}

pub(super) fn to_instant(local: i64, zone: Tz) -> Option<i64> {
    instant_of(clock(local)?, zone)
}

fn clock(local: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(local)?.naive_utc())
}

fn micros(clock: NaiveDateTime) -> i64 {
    clock.and_utc().timestamp_micros()
}

fn instant_of(clock: NaiveDateTime, zone: Tz) -> Option<i64> {
    let seconds = |offset: <Tz as TimeZone>::Offset| i64::from(offset.fix().local_minus_utc());
    let offset = match zone.offset_from_local_datetime(&clock) {
        LocalResult::Single(offset) => seconds(offset),
        LocalResult::Ambiguous(first, second) => seconds(first).min(seconds(second)),
        LocalResult::None => {
            let before = clock.checked_sub_days(Days::new(1))?;
            seconds(zone.offset_from_local_datetime(&before).earliest()?)
        }
    };
    micros(clock).checked_sub(offset * SECOND)
}

/// Months and days go by the calendar of the zone, the rest by the clock.
pub(super) fn add(instant: i64, months: i32, days: i32, nanos: i64, zone: Tz) -> Option<i64> {
    let mut instant = instant;
    if months != 0 || days != 0 {
        let mut local = clock(to_local(instant, zone)?)?;
        local = match u32::try_from(months) {
            Ok(months) => local.checked_add_months(Months::new(months))?,
            Err(_) => local.checked_sub_months(Months::new(months.unsigned_abs()))?,
        };
        local = match u64::try_from(days) {
            Ok(days) => local.checked_add_days(Days::new(days))?,
            Err(_) => local.checked_sub_days(Days::new(u64::from(days.unsigned_abs())))?,
        };
        instant = instant_of(local, zone)?;
    }
    instant.checked_add(nanos.div_euclid(1_000))
}

/// The units of `date_trunc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
}

impl Unit {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "microseconds" | "microsecond" | "us" | "usec" => Self::Microsecond,
            "milliseconds" | "millisecond" | "ms" | "msec" => Self::Millisecond,
            "second" | "seconds" | "sec" | "secs" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "mins" | "m" => Self::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Self::Hour,
            "day" | "days" | "d" => Self::Day,
            "week" | "weeks" | "w" => Self::Week,
            "month" | "months" | "mon" | "mons" => Self::Month,
            "quarter" | "qtr" => Self::Quarter,
            "year" | "years" | "yr" | "yrs" | "y" => Self::Year,
            "decade" | "decades" | "dec" | "decs" => Self::Decade,
            "century" | "centuries" | "c" | "cent" => Self::Century,
            "millennium" | "millennia" | "mil" | "mils" => Self::Millennium,
            _ => return None,
        })
    }

    /// The length of a unit that is no longer than an hour.
    fn short(self) -> Option<i64> {
        Some(match self {
            Self::Microsecond => 1,
            Self::Millisecond => 1_000,
            Self::Second => SECOND,
            Self::Minute => 60 * SECOND,
            Self::Hour => 3_600 * SECOND,
            _ => return None,
        })
    }
}

pub(super) fn truncate(unit: Unit, instant: i64, zone: Tz) -> Option<i64> {
    let local = to_local(instant, zone)?;
    if let Some(length) = unit.short() {
        // The offset stays: an hour that comes twice is two hours.
        return Some(instant - local.rem_euclid(length));
    }
    let date = clock(local)?.date();
    let year = date.year();
    // There is no year 0: a century begins with its year 1.
    let first_of = |years: i32| (year - 1).div_euclid(years) * years + 1;
    let start = match unit {
        Unit::Week => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into()))?,
        Unit::Month => NaiveDate::from_ymd_opt(year, date.month(), 1)?,
        Unit::Quarter => NaiveDate::from_ymd_opt(year, (date.month() - 1) / 3 * 3 + 1, 1)?,
        Unit::Year => NaiveDate::from_ymd_opt(year, 1, 1)?,
        Unit::Decade => NaiveDate::from_ymd_opt(year.div_euclid(10) * 10, 1, 1)?,
        Unit::Century => NaiveDate::from_ymd_opt(first_of(100), 1, 1)?,
        Unit::Millennium => NaiveDate::from_ymd_opt(first_of(1_000), 1, 1)?,
        _ => date,
    };
    instant_of(start.and_time(NaiveTime::MIN), zone)
}

#[cfg(test)]
mod tests {
    use chrono::FixedOffset;

    use super::*;

    const NEW_YORK: Tz = Tz::America__New_York;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    fn text(local: i64, offset_seconds: Option<i32>) -> Option<String> {
        Some(format!("{}{}", clock(local)?.format("%F %T%.f"), FixedOffset::east_opt(offset_seconds?)?))
    }

    fn in_new_york(instant: Option<i64>) -> String {
        let instant = instant.unwrap();
        text(to_local(instant, NEW_YORK).unwrap(), offset(instant, NEW_YORK)).unwrap()
    }

    /// The answers are those of PostgreSQL 15.
    #[test]
    fn a_day_is_a_day_of_the_calendar() {
        let noon = at("2026-03-07T12:00:00-05:00");
        assert_eq!(in_new_york(add(noon, 0, 1, 0, NEW_YORK)), "2026-03-08 12:00:00-04:00");
        assert_eq!(in_new_york(add(noon, 0, 0, 86_400_000_000_000, NEW_YORK)), "2026-03-08 13:00:00-04:00");
        // The wall clock of the next day is skipped.
        let early = at("2026-03-07T02:30:00-05:00");
        assert_eq!(in_new_york(add(early, 0, 1, 0, NEW_YORK)), "2026-03-08 03:30:00-04:00");
        let last = at("2026-01-31T23:00:00-05:00");
        assert_eq!(in_new_york(add(last, 1, 0, 0, NEW_YORK)), "2026-02-28 23:00:00-05:00");
        assert_eq!(in_new_york(add(last, -11, -1, 1_500, NEW_YORK)), "2025-02-27 23:00:00.000001-05:00");
    }

    #[test]
    fn truncation_goes_by_the_wall_clock() {
        let unit = |name: &str, instant: &str| {
            in_new_york(truncate(Unit::parse(name).unwrap(), at(instant), NEW_YORK))
        };
        assert_eq!(unit("day", "2026-03-08T16:00:00Z"), "2026-03-08 00:00:00-05:00");
        assert_eq!(unit("hour", "2026-11-01T01:30:00-04:00"), "2026-11-01 01:00:00-04:00");
        assert_eq!(unit("hour", "2026-11-01T01:30:00-05:00"), "2026-11-01 01:00:00-05:00");
        assert_eq!(unit("week", "2026-11-01T01:30:00-04:00"), "2026-10-26 00:00:00-04:00");
        assert_eq!(unit("quarter", "2026-11-01T01:30:00-04:00"), "2026-10-01 00:00:00-04:00");
        assert_eq!(unit("century", "2026-11-01T01:30:00-04:00"), "2001-01-01 00:00:00-05:00");
        assert_eq!(unit("decade", "2026-11-01T01:30:00-04:00"), "2020-01-01 00:00:00-05:00");
        assert_eq!(unit("ms", "2026-11-01T01:30:00.123456-04:00"), "2026-11-01 01:30:00.123-04:00");
        assert_eq!(Unit::parse("fortnight"), None);
    }

    #[test]
    fn a_wall_clock_that_is_skipped_or_comes_twice() {
        let local =
            |text: &str| NaiveDateTime::parse_from_str(text, "%F %T").unwrap().and_utc().timestamp_micros();
        assert_eq!(
            in_new_york(to_instant(local("2026-03-08 02:30:00"), NEW_YORK)),
            "2026-03-08 03:30:00-04:00"
        );
        assert_eq!(
            in_new_york(to_instant(local("2026-11-01 01:30:00"), NEW_YORK)),
            "2026-11-01 01:30:00-05:00"
        );
        assert_eq!(to_local(i64::MAX, NEW_YORK), None);
        assert_eq!(text(local("2026-07-01 00:00:00"), Some(-12_600)).unwrap(), "2026-07-01 00:00:00-03:30");
    }
}
