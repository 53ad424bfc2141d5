//! Text to times.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{DAYS, Field, Item, MONTHS, Part, without};

/// What has been read so far.
#[derive(Default)]
struct Parts {
    year: Option<i32>,
    is_before_christ: bool,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    julian_day: Option<u32>,
    hour: u32,
    is_afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micros: u32,
}

/// # Errors
/// Invalid datetime, if the text is not as the template says; out of range, if there is no such time.
pub(super) fn from_text(items: &[Item], text: &str) -> Result<NaiveDateTime> {
    let mut parts = Parts::default();
    let mut rest = text;
    for (place, item) in items.iter().enumerate() {
        match item {
            Item::Text(letters) => rest = skip(letters, rest),
            Item::Field(field) => {
                refuse_unreadable(*field)?;
                rest = rest.trim_start();
                if rest.is_empty() {
                    break;
                }
                let is_packed = matches!(items.get(place + 1), Some(Item::Field(_)));
                rest = parts.read(*field, rest, is_packed)?;
            }
        }
    }
    parts.check_hour()?;
    parts.finish().ok_or_else(|| out_of_range(text))
}

fn refuse_unreadable(field: Field) -> Result<()> {
    use Part::{RomanMonth, ZoneHours, ZoneMinutes, ZoneName, ZoneOffset};
    match field.name {
        ZoneName | ZoneOffset | ZoneHours | ZoneMinutes | RomanMonth => {
            let name = written(field);
            Err(Error::not_supported(format!("formatting field \"{name}\" is only supported in to_char")))
        }
        _ => Ok(()),
    }
}

fn out_of_range(text: &str) -> Error {
    let message = format!("date/time field value out of range: \"{text}\"");
    Error::new(ErrorKind::DatetimeOutOfRange, message)
}

/// Separators match any others, and as many as there are; letters take the place of as many letters.
fn skip<'a>(template: &str, mut rest: &'a str) -> &'a str {
    let is_separator = |letter: char| letter.is_whitespace() || letter.is_ascii_punctuation();
    if template.chars().all(is_separator) {
        let signed = rest.trim_start_matches(char::is_whitespace);
        return signed.trim_start_matches(|letter: char| is_separator(letter) && letter != '+');
    }
    for _ in template.chars() {
        let mut letters = rest.chars();
        letters.next();
        rest = letters.as_str();
    }
    rest
}

impl Parts {
    /// Reads one field; what is left of the text.
    fn read<'a>(&mut self, field: Field, text: &'a str, is_packed: bool) -> Result<&'a str> {
        let widest = match field.name {
            Part::Year(4) | Part::IsoYear(4) => 4,
            Part::DayOfYear | Part::Year(3) => 3,
            Part::Fraction(digits) => usize::from(digits),
            Part::JulianDay => 7,
            Part::SecondOfDay => 5,
            Part::Quarter | Part::DayOfWeek | Part::IsoDayOfWeek | Part::WeekOfMonth | Part::Year(1) => 1,
            _ => 2,
        };
        let is_bounded = is_packed || matches!(field.name, Part::Fraction(_));
        let number = || number(field, text, if is_bounded { widest } else { usize::MAX }, widest);
        let rest = match field.name {
            Part::MonthName => {
                let (month, rest) = word(field, text, &MONTHS, usize::MAX)?;
                self.month = Some(month as u32 + 1);
                rest
            }
            Part::MonthShort => {
                let (month, rest) = word(field, text, &MONTHS, 3)?;
                self.month = Some(month as u32 + 1);
                rest
            }
            // PostgreSQL reads over what says nothing of the date.
            Part::DayName => word(field, text, &DAYS, usize::MAX)?.1,
            Part::DayShort => word(field, text, &DAYS, 3)?.1,
            Part::HalfDay { dotted } => {
                let words = if dotted { ["A.M.", "P.M."] } else { ["AM", "PM"] };
                let (half, rest) = word(field, text, &words, usize::MAX)?;
                self.is_afternoon = Some(half == 1);
                rest
            }
            Part::Era { dotted } => {
                let words = if dotted { ["A.D.", "B.C."] } else { ["AD", "BC"] };
                let (era, rest) = word(field, text, &words, usize::MAX)?;
                self.is_before_christ = era == 1;
                rest
            }
            Part::Fraction(digits) => {
                let (value, rest) = number()?;
                let written = (text.len() - rest.len()) as u32;
                self.micros = value * 10_u32.pow(6 - written.min(u32::from(digits)));
                rest
            }
            Part::Year(digits) => {
                let (value, rest) = number()?;
                let written = text.len() - rest.len();
                self.year = i32::try_from(value).ok().map(|year| full_year(year, digits, written));
                rest
            }
            name => {
                let (value, rest) = number()?;
                match name {
                    Part::Month => self.month = Some(value),
                    Part::Day => self.day = Some(value),
                    Part::DayOfYear => self.day_of_year = Some(value),
                    Part::JulianDay => self.julian_day = Some(value),
                    Part::Hour24 => self.hour = value,
                    Part::Hour12 => {
                        self.hour = value;
                        self.is_afternoon = self.is_afternoon.or(Some(false));
                    }
                    Part::Minute => self.minute = value,
                    Part::Second => self.second = value,
                    Part::SecondOfDay => {
                        (self.hour, self.minute, self.second) = (value / 3600, value / 60 % 60, value % 60)
                    }
                    Part::Quarter | Part::DayOfWeek | Part::IsoDayOfWeek => {}
                    _ => {
                        return Err(Error::not_supported("reading weeks and centuries is not supported")
                            .with_hint("Use YYYY, MM and DD, or YYYY and DDD."));
                    }
                }
                rest
            }
        };
        Ok(rest)
    }

    fn check_hour(&self) -> Result<()> {
        if self.is_afternoon.is_none() || (1..=12).contains(&self.hour) {
            return Ok(());
        }
        let message = format!("hour \"{}\" is invalid for the 12-hour clock", self.hour);
        Err(Error::new(ErrorKind::InvalidDatetime, message)
            .with_hint("Use the 24-hour clock, or give an hour between 1 and 12."))
    }

    fn finish(self) -> Option<NaiveDateTime> {
        let year = match (self.year, self.is_before_christ) {
            (Some(year), true) => 1 - year,
            (Some(year), false) => year,
            (None, _) => 0,
        };
        let date = match (self.julian_day, self.day_of_year) {
            (Some(julian), _) => {
                let first = NaiveDate::from_ymd_opt(-4713, 11, 24)?;
                first.checked_add_days(Days::new(julian.into()))?
            }
            (None, Some(day)) if self.month.is_none() => NaiveDate::from_yo_opt(year, day)?,
            _ => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let hour = match self.is_afternoon {
            None => self.hour,
            Some(is_afternoon) => self.hour % 12 + if is_afternoon { 12 } else { 0 },
        };
        let time = NaiveTime::from_hms_micro_opt(hour, self.minute, self.second, self.micros)?;
        Some(date.and_time(time))
    }
}

/// Two digits are years from 1970 to 2069; fewer digits than the template has are taken for all of the year.
fn full_year(year: i32, digits: u8, written: usize) -> i32 {
    match (digits, written) {
        (4, 3..) | (_, 4..) => year,
        (_, 3) => year + if year < 520 { 2000 } else { 1000 },
        _ if year < 70 => year + 2000,
        _ if year < 100 => year + 1900,
        _ => year,
    }
}

/// At most so many digits; an error shows as many letters as the field usually has.
fn number(field: Field, text: &str, widest: usize, usual: usize) -> Result<(u32, &str)> {
    let end = text.bytes().take(widest).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at(end);
    match digits.parse() {
        Ok(value) => Ok((value, rest)),
        Err(_) => {
            let wrong: String = text.chars().take(usual).collect();
            Err(invalid(field, &wrong).with_detail("Value must be an integer."))
        }
    }
}

/// Which of some words the text begins with.
fn word<'a>(field: Field, text: &'a str, words: &[&str], length: usize) -> Result<(usize, &'a str)> {
    let found = words.iter().enumerate().find_map(|(place, word)| {
        let word = &word[..word.len().min(length)];
        Some((place, without(text, word)?))
    });
    found.ok_or_else(|| {
        let wrong: String = text.chars().take_while(|letter| !letter.is_whitespace()).take(9).collect();
        invalid(field, &wrong)
            .with_detail("The given value did not match any of the allowed values for this field.")
    })
}

/// The field as templates write it.
fn written(field: Field) -> &'static str {
    super::FIELDS.iter().find(|(_, name)| *name == field.name).map_or("", |(word, _)| word)
}

fn invalid(field: Field, wrong: &str) -> Error {
    let name = written(field);
    Error::new(ErrorKind::InvalidDatetime, format!("invalid value \"{wrong}\" for \"{name}\""))
}
