//! Intervals to text. What needs a date, such as the name of a month, is refused.

use std::fmt::Write;

use arrow::datatypes::IntervalMonthDayNano;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::write::ordinal;
use super::{Field, Item, Letters, Part};

/// Hours, minutes and so on of an interval; all of them have its sign.
struct Spans {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    seconds: i64,
    micros: i64,
}

impl Spans {
    fn new(value: IntervalMonthDayNano) -> Self {
        let micros = value.nanoseconds / 1_000;
        Self {
            years: i64::from(value.months) / 12,
            months: i64::from(value.months) % 12,
            days: value.days.into(),
            hours: micros / 3_600_000_000,
            minutes: micros / 60_000_000 % 60,
            seconds: micros / 1_000_000 % 60,
            micros: micros % 1_000_000,
        }
    }

    /// The days of all of it, with months of 30.
    fn days_of_all(&self) -> i64 {
        (self.years * 12 + self.months) * 30 + self.days
    }
}

/// # Errors
/// Invalid datetime, for fields that only dates have.
pub(super) fn to_text(items: &[Item], value: IntervalMonthDayNano) -> Result<String> {
    let spans = Spans::new(value);
    let mut text = String::new();
    for item in items {
        match item {
            Item::Text(letters) => text.push_str(letters),
            Item::Field(field) => put(field, &spans, &mut text)?,
        }
    }
    Ok(text)
}

fn put(field: &Field, spans: &Spans, text: &mut String) -> Result<()> {
    let start = text.len();
    let signed = |value: i64, width: usize| (value, width + usize::from(value < 0));
    let (value, width) = match field.name {
        Part::HalfDay { dotted } => {
            let is_afternoon = spans.hours % 24 >= 12;
            let half = match (is_afternoon, dotted) {
                (false, false) => "AM",
                (false, true) => "A.M.",
                (true, false) => "PM",
                (true, true) => "P.M.",
            };
            text.push_str(&if field.letters == Letters::Lower {
                half.to_lowercase()
            } else {
                half.to_owned()
            });
            return Ok(());
        }
        Part::YearWithComma => {
            let _ = write!(text, "{},{:03}", spans.years / 1000, spans.years % 1000);
            return Ok(());
        }
        Part::Year(4) | Part::IsoYear(4) => signed(spans.years, 4),
        Part::Year(digits) | Part::IsoYear(digits) => {
            signed(spans.years % 10_i64.pow(digits.into()), digits.into())
        }
        Part::Century => signed(spans.years / 100, 2),
        Part::Quarter if spans.months == 0 => return Ok(()),
        Part::Quarter => ((spans.months - 1) / 3 + 1, 1),
        Part::Month => signed(spans.months, 2),
        Part::Day => (spans.days, 2),
        Part::DayOfYear => (spans.days_of_all(), 3),
        Part::WeekOfYear => ((spans.days_of_all() - 1) / 7 + 1, 2),
        Part::WeekOfMonth => ((spans.days - 1) / 7 + 1, 1),
        Part::Hour24 => signed(spans.hours, 2),
        Part::Hour12 => match spans.hours % 12 {
            0 => (12, if spans.hours < 0 { 3 } else { 2 }),
            hours => (hours, if spans.hours < 0 { 3 } else { 2 }),
        },
        Part::Minute => signed(spans.minutes, 2),
        Part::Second => signed(spans.seconds, 2),
        Part::SecondOfDay => (spans.hours * 3600 + spans.minutes * 60 + spans.seconds, 0),
        Part::Fraction(digits) => (spans.micros / 10_i64.pow(6 - u32::from(digits)), digits.into()),
        Part::RomanMonth => {
            put_roman_month(field, spans, text);
            return Ok(());
        }
        _ => {
            let message = "invalid format specification for an interval value";
            return Err(Error::new(ErrorKind::InvalidDatetime, message)
                .with_hint("Intervals are not tied to specific calendar dates."));
        }
    };
    let width = if field.fills { width } else { 0 };
    // Writing to a string cannot fail.
    let _ = write!(text, "{value:0width$}");
    if let Some(letters) = field.ordinal {
        let suffix = ordinal(&text[start..]);
        text.push_str(&if letters == Letters::Upper { suffix.to_uppercase() } else { suffix.to_owned() });
    }
    Ok(())
}

/// Months are counted from the end of the year where they are negative.
fn put_roman_month(field: &Field, spans: &Spans, text: &mut String) {
    if spans.months == 0 && spans.years == 0 {
        return;
    }
    let month = match spans.months {
        0 if spans.years < 0 => 1,
        0 => 12,
        months if months < 0 => months + 13,
        months => months,
    };
    let place = usize::try_from(month - 1).unwrap_or_default();
    super::write::put_roman(field, place, text);
}
