//! Dates as people write them, `5.1.24 3:05 PM`, in the form that SQL reads: `2024-01-05 15:05:00`.
//!
//! A template has PostgreSQL's patterns: `YYYY YY MM DD HH24 HH12 HH MI SS MS AM MON MONTH TZ`; everything
//! else stands for itself, and blanks for any number of blanks. Leading zeros may be missing unless digits
//! follow without a mark between. `serial` is the day count of spreadsheets.

use voxhouse_engine::{Error, Result};

use crate::files::calendar::{self, EXCEL_EPOCH_DAYS, days_of_month};

/// One way of writing a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DateForm {
    /// Days since 1899-12-30, with the time as their fraction.
    Serial,
    Template(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Part(Part),
    Mark(char),
    Blank,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    HalfDay,
    Zone,
}

/// In the order in which they are looked for: longer ones first.
const PATTERNS: [(&str, Part); 14] = [
    ("YYYY", Part::Year),
    ("YY", Part::ShortYear),
    ("MONTH", Part::MonthName),
    ("MON", Part::MonthName),
    ("MM", Part::Month),
    ("MI", Part::Minute),
    ("MS", Part::Millisecond),
    ("DD", Part::Day),
    ("HH24", Part::Hour),
    ("HH12", Part::Hour),
    ("HH", Part::Hour),
    ("SS", Part::Second),
    ("AM", Part::HalfDay),
    ("TZ", Part::Zone),
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

impl DateForm {
    /// The forms of an option, with `|` between them.
    pub(super) fn list(text: &str) -> Result<Vec<Self>> {
        text.split('|').map(|one| Self::new(one.trim())).collect()
    }

    fn new(template: &str) -> Result<Self> {
        if template.eq_ignore_ascii_case("serial") {
            return Ok(Self::Serial);
        }
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some(letter) = rest.chars().next() {
            let pattern = PATTERNS.iter().find(|(pattern, _)| {
                rest.get(..pattern.len()).is_some_and(|head| head.eq_ignore_ascii_case(pattern))
            });
            let length = match pattern {
                Some((pattern, part)) => {
                    pieces.push(Piece::Part(*part));
                    pattern.len()
                }
                None => {
                    pieces.push(if letter.is_whitespace() { Piece::Blank } else { Piece::Mark(letter) });
                    letter.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        let has = |parts: &[Part]| parts.iter().any(|part| pieces.contains(&Piece::Part(*part)));
        if has(&[Part::Year, Part::ShortYear]) && has(&[Part::Month, Part::MonthName]) && has(&[Part::Day]) {
            return Ok(Self::Template(pieces));
        }
        Err(Error::invalid_argument(format!("date format \"{template}\" has no year, month and day"))
            .with_hint("Write for example DD.MM.YYYY HH24:MI, or serial for the numbers of a spreadsheet."))
    }

    /// The date in SQL's form; none if `text` is not a date of this form, or there is no such day.
    pub(super) fn iso(&self, text: &str) -> Option<String> {
        match self {
            Self::Serial => serial(text.trim()),
            Self::Template(pieces) => {
                let mut found = Found::default();
                let mut rest = text.trim();
                let is_number =
                    |piece: Option<&Piece>| matches!(piece, Some(Piece::Part(part)) if part.digits() > 0);
                for (index, piece) in pieces.iter().enumerate() {
                    let before = index.checked_sub(1).and_then(|before| pieces.get(before));
                    let tight = is_number(before) || is_number(pieces.get(index + 1));
                    rest = found.take(piece, rest, tight)?;
                }
                if rest.trim().is_empty() { found.iso() } else { None }
            }
        }
    }
}

impl Part {
    /// The most digits it has; 0 for words.
    fn digits(self) -> usize {
        match self {
            Self::Year => 4,
            Self::Millisecond => 3,
            Self::MonthName | Self::HalfDay | Self::Zone => 0,
            _ => 2,
        }
    }
}

fn serial(text: &str) -> Option<String> {
    let days: f64 = text.parse().ok()?;
    if !(0.0..3_000_000.0).contains(&days) {
        return None;
    }
    let seconds = (days * 86_400.0).round() as i64;
    let date = calendar::date(EXCEL_EPOCH_DAYS + seconds / 86_400)?;
    match seconds % 86_400 {
        0 => Some(date),
        rest => Some(format!("{date} {}", calendar::time(rest * 1000))),
    }
}

/// The parts of one date.
#[derive(Debug, Default)]
struct Found<'a> {
    year: u32,
    month: u32,
    day: u32,
    hour: Option<u32>,
    minute: u32,
    second: u32,
    milli: u32,
    afternoon: Option<bool>,
    zone: &'a str,
}

impl<'a> Found<'a> {
    /// What follows the piece; `tight` says that digits of another part stand beside it.
    fn take(&mut self, piece: &Piece, text: &'a str, tight: bool) -> Option<&'a str> {
        let part = match piece {
            Piece::Blank => return Some(text.trim_start()),
            Piece::Mark(mark) => return text.strip_prefix(*mark),
            Piece::Part(part) => *part,
        };
        match part {
            Part::MonthName => self.month_name(text),
            Part::HalfDay => self.half_day(text),
            Part::Zone => {
                self.zone = text.trim();
                is_zone(self.zone).then_some("")
            }
            _ => {
                let (value, digits, rest) = number(text, part.digits(), tight || part == Part::Year)?;
                self.put(part, value, digits);
                Some(rest)
            }
        }
    }

    fn put(&mut self, part: Part, value: u32, digits: u32) {
        match part {
            Part::Year => self.year = value,
            Part::ShortYear => self.year = if value < 70 { 2000 + value } else { 1900 + value },
            Part::Month => self.month = value,
            Part::Day => self.day = value,
            Part::Hour => self.hour = Some(value),
            Part::Minute => self.minute = value,
            Part::Second => self.second = value,
            Part::Millisecond => self.milli = value * 10_u32.pow(3 - digits.min(3)),
            Part::MonthName | Part::HalfDay | Part::Zone => {}
        }
    }

    fn month_name(&mut self, text: &'a str) -> Option<&'a str> {
        let end = text.find(|letter: char| !letter.is_alphabetic()).unwrap_or(text.len());
        let word = text[..end].to_lowercase();
        let index = MONTHS.iter().position(|name| word.len() >= 3 && name.starts_with(&word))?;
        self.month = index as u32 + 1;
        Some(text[end..].strip_prefix('.').unwrap_or(&text[end..]))
    }

    fn half_day(&mut self, text: &'a str) -> Option<&'a str> {
        for (word, afternoon) in [("AM", false), ("PM", true), ("上午", false), ("下午", true)] {
            if text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) {
                self.afternoon = Some(afternoon);
                return Some(&text[word.len()..]);
            }
        }
        None
    }

    fn iso(&self) -> Option<String> {
        let valid = (1..=9999).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=days_of_month(self.year, self.month)).contains(&self.day)
            && self.minute < 60
            && self.second < 60;
        let date = format!("{:04}-{:02}-{:02}", self.year, self.month, self.day);
        let Some(hour) = self.hour else { return valid.then_some(date) };
        let hour = match self.afternoon {
            Some(_) if !(1..=12).contains(&hour) => return None,
            Some(afternoon) => hour % 12 + if afternoon { 12 } else { 0 },
            None => hour,
        };
        let seconds = (hour * 60 + self.minute) * 60 + self.second;
        let time = calendar::time(i64::from(seconds) * 1000 + i64::from(self.milli));
        (valid && hour < 24).then(|| format!("{date} {time}{}", self.zone))
    }
}

/// `Z`, `+08`, `+0800` or `+08:00`.
fn is_zone(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(['+', '-']) else { return text == "Z" };
    matches!(digits.len(), 2 | 4 | 5)
        && digits
            .bytes()
            .enumerate()
            .all(|(index, byte)| byte.is_ascii_digit() || (byte == b':' && index == 2 && digits.len() == 5))
}

/// A number of `most` digits, or of fewer if it need not be `exact`; with the count of its digits.
fn number(text: &str, most: usize, exact: bool) -> Option<(u32, u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count == 0 || (exact && count != most) {
        return None;
    }
    Some((text[..count].parse().ok()?, count as u32, &text[count..]))
}

#[cfg(test)]
mod tests {
    use super::DateForm;

    #[test]
    fn dates_of_many_hands() {
        for (template, text, expected) in [
            ("DD.MM.YYYY", "05.01.2024", Some("2024-01-05")),
            ("DD.MM.YYYY", " 5.1.2024 ", Some("2024-01-05")),
            ("DD.MM.YYYY", "31.02.2024", None),
            ("DD.MM.YYYY", "29.02.2024", Some("2024-02-29")),
            ("DD.MM.YYYY", "29.02.2023", None),
            ("DD.MM.YYYY", "5.1.24", None),
            ("DD.MM.YYYY", "5.1.2024 x", None),
            ("MM/DD/YY HH12:MI AM", "1/5/24 3:05 PM", Some("2024-01-05 15:05:00")),
            ("MM/DD/YY HH12:MI AM", "1/5/24 12:00 am", Some("2024-01-05 00:00:00")),
            ("MM/DD/YY HH12:MI AM", "1/5/24 13:00 pm", None),
            ("YYYYMMDD", "20240105", Some("2024-01-05")),
            ("YYYYMMDD", "2024015", None),
            ("YYYYMMDDHH24MISS", "20240105070809", Some("2024-01-05 07:08:09")),
            ("YYYY年MM月DD日", "2024年1月5日", Some("2024-01-05")),
            ("YYYY/MM/DD AMHH:MI", "2024/1/5 下午3:05", Some("2024-01-05 15:05:00")),
            ("DD-Mon-YYYY", "5-Jan-2024", Some("2024-01-05")),
            ("DD-Mon-YYYY", "5-Ja-2024", None),
            ("Month DD, YYYY", "September 5, 2024", Some("2024-09-05")),
            ("YYYY-MM-DD HH24:MI:SS.MS", "2024-01-05 07:08:09.5", Some("2024-01-05 07:08:09.500")),
            ("YYYY-MM-DDTHH24:MI:SSTZ", "2024-01-05T07:08:09+08:00", Some("2024-01-05 07:08:09+08:00")),
            ("YYYY-MM-DD HH24:MI", "2024-01-05 24:00", None),
            ("DD.MM.YY", "1.1.70", Some("1970-01-01")),
            ("serial", "45296", Some("2024-01-05")),
            ("serial", "45296.5", Some("2024-01-05 12:00:00")),
            ("serial", "-1", None),
            ("serial", "NaN", None),
        ] {
            let forms = DateForm::list(template).unwrap();
            assert_eq!(forms[0].iso(text).as_deref(), expected, "{template}: {text}");
        }
        assert_eq!(DateForm::list("DD.MM.YYYY | YYYY-MM-DD").unwrap().len(), 2);
        for template in ["", "MM/YYYY", "HH24:MI"] {
            assert_eq!(DateForm::list(template).unwrap_err().sqlstate(), "22023");
        }
    }
}
