//! Calendar periods: days, weeks from Monday, months, quarters and years of the proleptic Gregorian calendar.
//!
//! Periods are numbered from the one that holds 1970-01-01, which is number 0. Times are local times as
//! microseconds; a caller with a time zone shifts them first. Years and months come from days by counting in
//! eras of 400 years, 146,097 days, that begin in March, so that the leap day is the last of its year.

use super::Invalid;

const DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Period {
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "day" => Ok(Period::Day),
            "week" => Ok(Period::Week),
            "month" => Ok(Period::Month),
            "quarter" => Ok(Period::Quarter),
            "year" => Ok(Period::Year),
            other => Err(Invalid::new(format!("period \"{other}\" does not exist"))
                .with_hint("The periods are day, week, month, quarter and year.")),
        }
    }

    /// The number of the period that holds `time`.
    pub(crate) fn number(self, time: i64) -> i64 {
        let day = time.div_euclid(DAY);
        match self {
            Period::Day => day,
            // 1970-01-01 is a Thursday.
            Period::Week => (day + 3).div_euclid(7),
            Period::Month => month_of(day),
            Period::Quarter => month_of(day).div_euclid(3),
            Period::Year => month_of(day).div_euclid(12),
        }
    }

    /// The first microsecond of a period; held at the ends of the range of times.
    pub(crate) fn start(self, number: i64) -> i64 {
        let day = match self {
            Period::Day => number,
            Period::Week => number.saturating_mul(7).saturating_sub(3),
            Period::Month => first_day(number),
            Period::Quarter => first_day(number.saturating_mul(3)),
            Period::Year => first_day(number.saturating_mul(12)),
        };
        day.saturating_mul(DAY)
    }
}

const ERA_YEARS: i64 = 400;
const ERA_DAYS: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Months since January 1970 of a day since 1970-01-01.
fn month_of(day: i64) -> i64 {
    let shifted = day + EPOCH;
    let (era, day) = (shifted.div_euclid(ERA_DAYS), shifted.rem_euclid(ERA_DAYS));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // Months from March: 31, 30, 31, 30, 31 days and again.
    let month = (5 * day_of_year + 2) / 153;
    (era * ERA_YEARS + year - 1970) * 12 + month + 2
}

/// The first day, since 1970-01-01, of a month since January 1970.
fn first_day(month: i64) -> i64 {
    let bound = i64::MAX / DAY / 28;
    let from_march = month.clamp(-bound, bound) + 1970 * 12 - 2;
    let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
    let (era, year) = (year.div_euclid(ERA_YEARS), year.rem_euclid(ERA_YEARS));
    let day_of_year = (153 * month + 2) / 5;
    era * ERA_DAYS + 365 * year + year / 4 - year / 100 + day_of_year - EPOCH
}

#[cfg(test)]
mod tests;
