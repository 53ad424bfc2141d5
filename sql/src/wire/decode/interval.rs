//! Text of intervals: `1 year 2 mons -3 days +04:05:06.5`, `1.5 hours ago`, `1 02:03:04`, `P1Y2M3DT4H`.

use arrow::datatypes::IntervalMonthDayNano;

use super::datetime::{parse_time, time_micros, whole_number};
use crate::wire::style::IntervalStyle;

const SECOND: i64 = 1_000_000_000;
const DAYS_OF_MONTH: f64 = 30.0;
const NANOS_OF_DAY: f64 = 86_400e9;

/// `None`: not an interval. In the style of the SQL standard, one minus in front is that of all fields.
pub(super) fn parse_interval(text: &str, style: IntervalStyle) -> Option<IntervalMonthDayNano> {
    let (is_of_all, unsigned) = match text.strip_prefix('-') {
        Some(rest) if style == IntervalStyle::SqlStandard => (!has_sign(rest), rest),
        _ => (false, text),
    };
    if is_of_all {
        let size = parse_interval(unsigned, IntervalStyle::Postgres)?;
        let sum = Sum { months: size.months, days: size.days, nanos: size.nanoseconds };
        return sum.negative();
    }
    let text = text.strip_prefix('@').unwrap_or(text).trim();
    if let Some(parts) = text.strip_prefix('P') {
        return parse_iso(parts);
    }
    let (text, is_ago) = match text.strip_suffix(" ago") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut sum = Sum::default();
    let mut words = text.split_ascii_whitespace().peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        if word.contains(':') {
            sum.nanos = sum.nanos.checked_add(parse_span(word)?)?;
            continue;
        }
        if let Some(months) = years_and_months(word) {
            sum.add_months(months)?;
            continue;
        }
        let end = word.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(word.len());
        let (number, unit) = word.split_at(end);
        let unit = match unit {
            // `1 02:03:04`: a number before a time of day counts days.
            "" if words.peek().is_some_and(|next| next.contains(':')) => "day",
            "" => words.next().unwrap_or("second"),
            unit => unit,
        };
        sum.add(number, interval_unit(&unit.to_ascii_lowercase())?)?;
    }
    if is_ago { sum.negative() } else { Some(sum.value()) }
}

/// Whether a field has a sign of its own.
fn has_sign(text: &str) -> bool {
    text.split_ascii_whitespace().any(|word| word.starts_with(['-', '+']))
}

/// The months of `1-2`, one year and two months.
fn years_and_months(word: &str) -> Option<i64> {
    let (sign, digits) = match word.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        ("+", digits) => (1, digits),
        _ => (1, word),
    };
    let (years, months) = digits.split_once('-')?;
    let (years, months) = (whole_number::<i64>(years)?, whole_number::<i64>(months)?);
    if months > 11 { None } else { years.checked_mul(12)?.checked_add(months)?.checked_mul(sign) }
}

/// ISO 8601 with designators, behind its `P`.
fn parse_iso(text: &str) -> Option<IntervalMonthDayNano> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let mut sum = Sum::default();
    let mut any = false;
    for (parts, is_time) in [(date, false), (time, true)] {
        let mut rest = parts;
        while !rest.is_empty() {
            let end = rest.find(|letter: char| letter.is_ascii_alphabetic())?;
            let unit = match (rest.get(end..=end)?, is_time) {
                ("Y", false) => Unit::Months(12),
                ("M", false) => Unit::Months(1),
                ("W", false) => Unit::Days(7),
                ("D", false) => Unit::Days(1),
                ("H", true) => Unit::Nanos(3_600 * SECOND),
                ("M", true) => Unit::Nanos(60 * SECOND),
                ("S", true) => Unit::Nanos(SECOND),
                _ => return None,
            };
            sum.add(rest.get(..end)?, unit)?;
            rest = rest.get(end + 1..)?;
            any = true;
        }
    }
    any.then(|| sum.value())
}

#[derive(Clone, Copy)]
enum Unit {
    Months(i32),
    Days(i32),
    Nanos(i64),
}

#[derive(Default)]
struct Sum {
    months: i32,
    days: i32,
    nanos: i64,
}

impl Sum {
    fn value(&self) -> IntervalMonthDayNano {
        IntervalMonthDayNano::new(self.months, self.days, self.nanos)
    }

    fn negative(&self) -> Option<IntervalMonthDayNano> {
        Some(IntervalMonthDayNano::new(
            self.months.checked_neg()?,
            self.days.checked_neg()?,
            self.nanos.checked_neg()?,
        ))
    }

    /// A fraction goes on to the smaller units: half a month is 15 days, half a day 12 hours.
    fn add(&mut self, number: &str, unit: Unit) -> Option<()> {
        match (number.parse::<i64>(), unit) {
            (Ok(count), Unit::Months(each)) => self.add_months(count.checked_mul(each.into())?),
            (Ok(count), Unit::Days(each)) => self.add_days(count.checked_mul(each.into())?),
            (Ok(count), Unit::Nanos(each)) => self.add_nanos(count.checked_mul(each)?),
            (Err(_), _) => self.add_fraction(fraction(number)?, unit),
        }
    }

    fn add_fraction(&mut self, number: f64, unit: Unit) -> Option<()> {
        match unit {
            Unit::Months(each) => {
                let months = number * f64::from(each);
                self.add_months(bounded(months.trunc())?)?;
                self.add_fraction(months.fract() * DAYS_OF_MONTH, Unit::Days(1))
            }
            Unit::Days(each) => {
                let days = number * f64::from(each);
                self.add_days(bounded(days.trunc())?)?;
                self.add_nanos(bounded((days.fract() * NANOS_OF_DAY / 1e3).round() * 1e3)?)
            }
            Unit::Nanos(each) => self.add_nanos(bounded((number * each as f64 / 1e3).round() * 1e3)?),
        }
    }

    fn add_months(&mut self, more: i64) -> Option<()> {
        self.months = self.months.checked_add(i32::try_from(more).ok()?)?;
        Some(())
    }

    fn add_days(&mut self, more: i64) -> Option<()> {
        self.days = self.days.checked_add(i32::try_from(more).ok()?)?;
        Some(())
    }

    fn add_nanos(&mut self, more: i64) -> Option<()> {
        self.nanos = self.nanos.checked_add(more)?;
        Some(())
    }
}

/// A decimal fraction, and nothing else that a float may be.
fn fraction(number: &str) -> Option<f64> {
    let is_decimal = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    number.parse::<f64>().ok().filter(|_| is_decimal)
}

/// Beyond 2^63 there is no such interval.
fn bounded(number: f64) -> Option<i64> {
    (number.abs() < 9.2e18).then_some(number as i64)
}

fn interval_unit(name: &str) -> Option<Unit> {
    Some(match name {
        "millennium" | "millennia" => Unit::Months(12_000),
        "century" | "centuries" | "c" => Unit::Months(1_200),
        "decade" | "decades" => Unit::Months(120),
        "year" | "years" | "yr" | "yrs" | "y" => Unit::Months(12),
        "month" | "months" | "mon" | "mons" => Unit::Months(1),
        "week" | "weeks" | "w" => Unit::Days(7),
        "day" | "days" | "d" => Unit::Days(1),
        "hour" | "hours" | "hr" | "hrs" | "h" => Unit::Nanos(3_600 * SECOND),
        "minute" | "minutes" | "min" | "mins" | "m" => Unit::Nanos(60 * SECOND),
        "second" | "seconds" | "sec" | "secs" | "s" => Unit::Nanos(SECOND),
        "millisecond" | "milliseconds" | "msec" | "ms" => Unit::Nanos(1_000_000),
        "microsecond" | "microseconds" | "usec" | "us" => Unit::Nanos(1_000),
        _ => return None,
    })
}

/// `-25:00:01.5` in nanoseconds: hours may exceed 23.
fn parse_span(word: &str) -> Option<i64> {
    let (sign, digits) = match word.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        ("+", digits) => (1, digits),
        _ => (1, word),
    };
    let (hours, rest) = digits.split_once(':')?;
    let within_hour = time_micros(parse_time(&format!("00:{rest}"))?);
    let hours = whole_number::<i64>(hours)?.checked_mul(3_600 * SECOND)?;
    hours.checked_add(within_hour * 1_000)?.checked_mul(sign)
}
