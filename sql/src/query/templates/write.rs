//! Times to text.

use std::fmt::Write;

use chrono::{Datelike, NaiveDateTime, Timelike};

use super::{DAYS, Field, Item, Letters, MONTHS, Part};

/// Names of months and days are as wide as the longest of them.
const NAME_WIDTH: usize = 9;

/// The Julian day of the day before the first of the Common Era.
const JULIAN_OFFSET: i32 = 1_721_425;

/// The zone that a time is told in; of a time without one, nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Zone {
    pub(super) abbreviation: String,
    pub(super) offset_seconds: i32,
}

pub(super) fn to_text(items: &[Item], time: NaiveDateTime, zone: &Zone) -> String {
    let mut text = String::new();
    for item in items {
        match item {
            Item::Text(letters) => text.push_str(letters),
            Item::Field(field) => field.put(time, zone, &mut text),
        }
    }
    text
}

impl Field {
    fn put(&self, time: NaiveDateTime, zone: &Zone, text: &mut String) {
        let start = text.len();
        match self.name {
            Part::MonthName => self.put_name(MONTHS[time.month0() as usize], NAME_WIDTH, text),
            Part::MonthShort => self.put_name(&MONTHS[time.month0() as usize][..3], 0, text),
            Part::DayName => self.put_name(DAYS[days_from_monday(time)], NAME_WIDTH, text),
            Part::DayShort => self.put_name(&DAYS[days_from_monday(time)][..3], 0, text),
            Part::HalfDay { dotted } => {
                let half = match (time.hour() < 12, dotted) {
                    (true, false) => "AM",
                    (true, true) => "A.M.",
                    (false, false) => "PM",
                    (false, true) => "P.M.",
                };
                self.put_word(half, text);
            }
            Part::Era { dotted } => {
                let era = match (time.year() > 0, dotted) {
                    (true, false) => "AD",
                    (true, true) => "A.D.",
                    (false, false) => "BC",
                    (false, true) => "B.C.",
                };
                self.put_word(era, text);
            }
            Part::YearWithComma => {
                let year = shown_year(time.year());
                // Writing to a string cannot fail, here and below.
                let _ = write!(text, "{},{:03}", year / 1000, year % 1000);
            }
            Part::RomanMonth => put_roman(self, time.month0() as usize, text),
            Part::ZoneName | Part::ZoneOffset | Part::ZoneHours | Part::ZoneMinutes => {
                self.put_zone(zone, text);
            }
            name => {
                let (value, width) = number(name, time);
                let width = if self.fills { width } else { 0 };
                let _ = write!(text, "{value:0width$}");
            }
        }
        if let Some(letters) = self.ordinal {
            let suffix = ordinal(&text[start..]);
            text.push_str(&if letters == Letters::Upper { suffix.to_uppercase() } else { suffix.to_owned() });
        }
    }

    fn put_zone(&self, zone: &Zone, text: &mut String) {
        let seconds = zone.offset_seconds;
        let sign = if seconds < 0 { '-' } else { '+' };
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
        let width = if self.fills { 2 } else { 1 };
        let _ = match self.name {
            Part::ZoneHours => write!(text, "{sign}{hours:02}"),
            Part::ZoneMinutes => write!(text, "{minutes:02}"),
            Part::ZoneOffset if minutes > 0 => write!(text, "{sign}{hours:0width$}:{minutes:02}"),
            Part::ZoneOffset => write!(text, "{sign}{hours:0width$}"),
            _ if self.letters == Letters::Lower => write!(text, "{}", zone.abbreviation.to_lowercase()),
            _ => write!(text, "{}", zone.abbreviation),
        };
    }

    fn put_name(&self, name: &str, width: usize, text: &mut String) {
        let width = if self.fills { width } else { 0 };
        let _ = match self.letters {
            Letters::Upper => write!(text, "{:width$}", name.to_uppercase()),
            Letters::Lower => write!(text, "{:width$}", name.to_lowercase()),
            Letters::Capitalized => write!(text, "{name:width$}"),
        };
    }

    fn put_word(&self, word: &str, text: &mut String) {
        match self.letters {
            Letters::Lower => text.push_str(&word.to_lowercase()),
            Letters::Upper | Letters::Capitalized => text.push_str(word),
        }
    }
}

/// The value of a field of digits, and how many digits it has at least.
fn number(name: Part, time: NaiveDateTime) -> (i64, usize) {
    let week = time.iso_week();
    let year_digits = |year: i32, digits: u8| match digits {
        4 => (i64::from(shown_year(year)), 4),
        digits => (i64::from(shown_year(year) % 10_i32.pow(digits.into())), usize::from(digits)),
    };
    match name {
        Part::Year(digits) => year_digits(time.year(), digits),
        Part::IsoYear(digits) => year_digits(week.year(), digits),
        Part::Century => {
            let year = time.year();
            match year > 0 {
                true => (((year - 1) / 100 + 1).into(), 2),
                // The sign is not one of the digits.
                false => ((year / 100 - 1).into(), 3),
            }
        }
        Part::Quarter => ((time.month0() / 3 + 1).into(), 1),
        Part::Month => (time.month().into(), 2),
        Part::Day => (time.day().into(), 2),
        Part::DayOfYear => (time.ordinal().into(), 3),
        Part::IsoDayOfYear => {
            (i64::from((week.week() - 1) * 7) + i64::from(time.weekday().number_from_monday()), 3)
        }
        Part::DayOfWeek => (time.weekday().number_from_sunday().into(), 1),
        Part::IsoDayOfWeek => (time.weekday().number_from_monday().into(), 1),
        Part::WeekOfYear => ((time.ordinal0() / 7 + 1).into(), 2),
        Part::WeekOfMonth => ((time.day0() / 7 + 1).into(), 1),
        Part::IsoWeek => (week.week().into(), 2),
        Part::JulianDay => ((time.num_days_from_ce() + JULIAN_OFFSET).into(), 0),
        Part::Hour24 => (time.hour().into(), 2),
        Part::Hour12 => (time.hour12().1.into(), 2),
        Part::Minute => (time.minute().into(), 2),
        Part::Second => (time.second().into(), 2),
        Part::SecondOfDay => (time.num_seconds_from_midnight().into(), 0),
        Part::Fraction(digits) => {
            let micros = i64::from(time.nanosecond() / 1000);
            (micros / 10_i64.pow(6 - u32::from(digits)), digits.into())
        }
        // Words, which are not numbers.
        Part::MonthName
        | Part::MonthShort
        | Part::DayName
        | Part::DayShort
        | Part::HalfDay { .. }
        | Part::Era { .. }
        | Part::RomanMonth
        | Part::ZoneName
        | Part::ZoneOffset
        | Part::ZoneHours
        | Part::ZoneMinutes
        | Part::YearWithComma => (0, 0),
    }
}

const ROMAN_MONTHS: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// A month, counted from 0, as a Roman number as wide as the longest.
pub(super) fn put_roman(field: &Field, month: usize, text: &mut String) {
    let month = ROMAN_MONTHS.get(month).copied().unwrap_or_default();
    let width = if field.fills { 4 } else { 0 };
    let _ = match field.letters {
        Letters::Lower => write!(text, "{:width$}", month.to_lowercase()),
        Letters::Upper | Letters::Capitalized => write!(text, "{month:width$}"),
    };
}

/// The year 0 is 1 BC.
fn shown_year(year: i32) -> i32 {
    if year > 0 { year } else { 1 - year }
}

fn days_from_monday(time: NaiveDateTime) -> usize {
    time.weekday().num_days_from_monday() as usize
}

pub(super) fn ordinal(digits: &str) -> &'static str {
    let tail = |count: usize| digits.get(digits.len().saturating_sub(count)..).unwrap_or(digits);
    if matches!(tail(2), "11" | "12" | "13") {
        return "th";
    }
    match tail(1) {
        "1" => "st",
        "2" => "nd",
        "3" => "rd",
        _ => "th",
    }
}
