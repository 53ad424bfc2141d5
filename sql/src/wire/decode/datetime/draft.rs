//! What the fields of a text mean together.
//!
//! A number means what is still missing: year, month or day in the order of `DateStyle`, then a time of day without
//! its colons. Rules and errors are those of PostgreSQL's `DecodeDateTime`.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use super::fields::{Field, Kind};
use super::words::{Word, word};
use super::{Bad, Zone, digits_of, named_zone, parse_offset};
use crate::wire::style::{DateOrder, TextStyle};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The day number of 1970-01-01 in the count of astronomers.
const JULIAN_EPOCH: i64 = 2_440_588;

/// What is known so far.
pub(super) struct Draft {
    style: TextStyle,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    /// A date that no parts are known of.
    date: Option<NaiveDate>,
    /// Microseconds since midnight.
    clock: Option<i64>,
    zone: Option<Zone>,
    /// Whether the year has at most two digits, and is one of 1970 to 2069.
    short_year: bool,
    month_by_name: bool,
    before_christ: bool,
    /// Whether it is `pm`.
    half: Option<bool>,
    expects: Option<Expected>,
    is_epoch: bool,
}

/// What the field behind a mark must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Time,
    JulianDay,
}

/// A part is told once.
fn put<T>(place: &mut Option<T>, value: T) -> Result<(), Bad> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Bad::Syntax),
    }
}

impl Draft {
    pub(super) fn new(style: TextStyle) -> Self {
        Self {
            style,
            year: None,
            month: None,
            day: None,
            day_of_year: None,
            date: None,
            clock: None,
            zone: None,
            short_year: false,
            month_by_name: false,
            before_christ: false,
            half: None,
            expects: None,
            is_epoch: false,
        }
    }

    pub(super) fn read(mut self, fields: &[Field]) -> Result<Self, Bad> {
        for (place, field) in fields.iter().enumerate() {
            match field.kind {
                Kind::Date => self.separated(&field.text)?,
                Kind::Time => self.time(&field.text)?,
                Kind::Offset => put(&mut self.zone, Zone::Offset(parse_offset(&field.text)?))?,
                Kind::Number => self.bare_number(&field.text)?,
                Kind::Word | Kind::Signed => self.word(&field.text, fields.get(place + 1))?,
            }
        }
        Ok(self)
    }

    /// For a time of day: there is no date to be told, so that numbers are times.
    pub(super) fn read_clock(mut self, fields: &[Field]) -> Result<Self, Bad> {
        let has_date = fields.len() > 1 && fields[0].kind == Kind::Date;
        if !has_date {
            self.date = Some(NaiveDate::default());
        }
        self.read(fields)
    }

    fn has_date(&self) -> bool {
        self.date.is_some() || (self.year.is_some() && self.month.is_some() && self.day.is_some())
    }

    fn has_no_date(&self) -> bool {
        self.date.is_none() && self.year.is_none() && self.month.is_none() && self.day.is_none()
    }

    /// A date, or behind one the name of a zone or a time with an offset.
    fn separated(&mut self, text: &str) -> Result<(), Bad> {
        let knows_day = self.date.is_some() || (self.month.is_some() && self.day.is_some());
        if self.expects.is_none() && !knows_day {
            return self.date_in_parts(text);
        }
        if self.expects.is_none() && !text.starts_with(|first: char| first.is_ascii_digit()) {
            let zone = named_zone(text).ok_or_else(|| Bad::Zone(text.to_owned()))?;
            return put(&mut self.zone, zone);
        }
        if !matches!(self.expects.take(), None | Some(Expected::Time)) || self.clock.is_some() {
            return Err(Bad::Syntax);
        }
        let (clock, offset) = text.split_at(text.find('-').ok_or(Bad::Syntax)?);
        put(&mut self.zone, Zone::Offset(parse_offset(offset)?))?;
        self.run_together(clock)
    }

    /// `2026-03-05`, `5/mar/2026`
    fn date_in_parts(&mut self, text: &str) -> Result<(), Bad> {
        if self.clock.is_some() || !text.ends_with(|last: char| last.is_ascii_alphanumeric()) {
            return Err(Bad::Syntax);
        }
        let parts = parts(text);
        let is_word = |part: &&str| part.starts_with(|first: char| first.is_ascii_alphabetic());
        let mut by_name = false;
        for name in parts.iter().copied().filter(|part| is_word(part)) {
            match word(name) {
                Some(Word::Month(month)) => put(&mut self.month, month)?,
                Some(Word::Filler) => continue,
                _ => return Err(Bad::Syntax),
            }
            by_name = true;
        }
        for number in parts.into_iter().filter(|part| !is_word(part)) {
            self.number(number, by_name)?;
        }
        if self.has_date() || self.day_of_year.is_some() { Ok(()) } else { Err(Bad::Syntax) }
    }

    fn bare_number(&mut self, text: &str) -> Result<(), Bad> {
        let point = text.find('.');
        match self.expects.take() {
            Some(Expected::Time) => return self.clock_without_colons(text),
            Some(Expected::JulianDay) => return self.julian_day(text),
            None => {}
        }
        match point {
            Some(_) if self.has_no_date() => self.date_in_parts(text),
            Some(point) if point > 2 => self.run_together(text),
            None if text.len() >= 6 && (self.has_no_date() || self.clock.is_none()) => {
                self.run_together(text)
            }
            _ => self.number(text, self.month_by_name),
        }
    }

    /// One part of a date, of which the others tell which; behind a whole date, a time.
    fn number(&mut self, text: &str, month_by_name: bool) -> Result<(), Bad> {
        if self.has_date() {
            return self.run_together(text);
        }
        if let Some((whole, _)) = text.split_once('.') {
            return if whole.len() > 2 { self.clock_without_colons(text) } else { Err(Bad::Syntax) };
        }
        let value = digits_of(text)?;
        if self.day_of_year.is_some() {
            return self.run_together(text);
        }
        let is_day_of_year = text.len() == 3 && (1..=366).contains(&value);
        let leads = text.len() >= 3 || self.style.order == DateOrder::YearMonthDay;
        match (self.year, self.month, self.day) {
            (Some(_), None, None) if is_day_of_year => return put(&mut self.day_of_year, value),
            (None, None, None) if leads => return self.put_year(value, text),
            (None, None, None) if self.style.order == DateOrder::DayMonthYear => self.day = Some(value),
            (None, None, None) | (Some(_), None, None) | (None, None, Some(_)) => self.month = Some(value),
            (None, Some(_), None) if month_by_name && leads => return self.put_year(value, text),
            (Some(year), Some(_), None) if month_by_name && text.len() >= 3 && self.short_year => {
                // What was taken for the year is the day.
                self.day = Some(year);
                self.year = None;
                return self.put_year(value, text);
            }
            (_, Some(_), None) => self.day = Some(value),
            (None, Some(_), Some(_)) => return self.put_year(value, text),
            _ => return Err(Bad::Syntax),
        }
        Ok(())
    }

    fn put_year(&mut self, value: i64, text: &str) -> Result<(), Bad> {
        self.short_year = text.len() <= 2;
        put(&mut self.year, value)
    }

    /// `20260305` where the date is missing, else `1430` or `143000.5`.
    fn run_together(&mut self, text: &str) -> Result<(), Bad> {
        if text.contains('.') || self.has_date() || self.day_of_year.is_some() || text.len() < 6 {
            return self.clock_without_colons(text);
        }
        let (year, month_and_day) = text.split_at(text.len() - 4);
        put(&mut self.day, digits_of(&month_and_day[2..])?)?;
        put(&mut self.month, digits_of(&month_and_day[..2])?)?;
        self.short_year = year.len() == 2;
        put(&mut self.year, digits_of(year)?)
    }

    fn clock_without_colons(&mut self, text: &str) -> Result<(), Bad> {
        let (digits, fraction) = text.split_once('.').unwrap_or((text, ""));
        let second = match digits.len() {
            6 => digits_of(&digits[4..])?,
            4 => 0,
            _ => return Err(Bad::Syntax),
        };
        let clock = of_parts(digits_of(&digits[..2])?, digits_of(&digits[2..4])?, second, fraction)?;
        put(&mut self.clock, clock)
    }

    /// `14:30`, `14:30:00.5`; `30:15.5` are minutes and seconds.
    fn time(&mut self, text: &str) -> Result<(), Bad> {
        if !matches!(self.expects.take(), None | Some(Expected::Time)) {
            return Err(Bad::Syntax);
        }
        put(&mut self.clock, clock_of(text)?)
    }

    fn julian_day(&mut self, text: &str) -> Result<(), Bad> {
        let days = digits_of(text)? - JULIAN_EPOCH;
        let date = Duration::try_days(days).and_then(|days| NaiveDate::default().checked_add_signed(days));
        put(&mut self.date, date.ok_or(Bad::Field)?)
    }

    fn word(&mut self, text: &str, next: Option<&Field>) -> Result<(), Bad> {
        let Some(word) = word(text) else {
            return put(&mut self.zone, named_zone(text).ok_or(Bad::Syntax)?);
        };
        match word {
            Word::Month(month) => self.month_name(month)?,
            Word::Weekday | Word::Filler => {}
            Word::Am => put(&mut self.half, false)?,
            Word::Pm => put(&mut self.half, true)?,
            Word::BeforeChrist => self.before_christ = true,
            Word::TimeFollows => {
                let is_time =
                    next.is_some_and(|next| matches!(next.kind, Kind::Number | Kind::Time | Kind::Date));
                if !is_time || !(self.has_date() || self.day_of_year.is_some()) {
                    return Err(Bad::Syntax);
                }
                self.expects = Some(Expected::Time);
            }
            Word::JulianDay => self.expects = Some(Expected::JulianDay),
            Word::AllBalls => {
                put(&mut self.clock, 0)?;
                put(&mut self.zone, Zone::Offset(0))?;
            }
            Word::Now => self.now()?,
            Word::Day(days) => {
                let day = Utc::now().with_timezone(&self.style.zone).date_naive() + Duration::days(days);
                put(&mut self.date, day)?;
            }
            Word::Epoch => self.is_epoch = true,
            Word::Infinity => return Err(Bad::Infinite),
        }
        Ok(())
    }

    fn month_name(&mut self, month: i64) -> Result<(), Bad> {
        if let (Some(number @ 1..=31), None, false) = (self.month, self.day, self.month_by_name) {
            // The number in front was the day.
            self.day = Some(number);
            self.month = None;
        }
        self.month_by_name = true;
        put(&mut self.month, month)
    }

    fn now(&mut self) -> Result<(), Bad> {
        let now = Utc::now().with_timezone(&self.style.zone).naive_local();
        put(&mut self.date, now.date())?;
        put(&mut self.clock, micros_of(now.time()))?;
        put(&mut self.zone, Zone::Named(self.style.zone))
    }

    /// The local time, and the zone if one was told.
    pub(super) fn finish(self) -> Result<(NaiveDateTime, Option<Zone>), Bad> {
        if self.is_epoch {
            return Ok((NaiveDateTime::default(), Some(Zone::Offset(0))));
        }
        let date = self.whole_date()?.ok_or(Bad::Syntax)?;
        let clock = self.whole_clock()?.unwrap_or(0);
        let local = date.and_time(NaiveTime::MIN).checked_add_signed(Duration::microseconds(clock));
        Ok((local.ok_or(Bad::Field)?, self.zone))
    }

    /// Microseconds since midnight.
    pub(super) fn finish_clock(self) -> Result<i64, Bad> {
        self.whole_date()?;
        // Arrow's day ends before 24:00.
        self.whole_clock()?
            .ok_or(Bad::Syntax)
            .and_then(|clock| if clock < DAY { Ok(clock) } else { Err(Bad::Field) })
    }

    fn whole_date(&self) -> Result<Option<NaiveDate>, Bad> {
        if self.date.is_some() {
            return if self.year.or(self.month).or(self.day).is_some() {
                Err(Bad::Syntax)
            } else {
                Ok(self.date)
            };
        }
        let year = self.year.map(|year| self.whole_year(year)).transpose()?;
        if self.month.is_some_and(|month| !(1..=12).contains(&month))
            || self.day.is_some_and(|day| !(1..=31).contains(&day))
        {
            return Err(Bad::Order);
        }
        let part = |part: i64| u32::try_from(part).map_err(|_| Bad::Field);
        let date = match (year, self.month, self.day, self.day_of_year) {
            (Some(year), None, None, Some(day)) => NaiveDate::from_ymd_opt(year, 1, 1)
                .and_then(|first| first.checked_add_signed(Duration::days(day - 1))),
            (Some(year), Some(month), Some(day), None) => {
                NaiveDate::from_ymd_opt(year, part(month)?, part(day)?)
            }
            _ => return Ok(None),
        };
        date.ok_or(Bad::Field).map(Some)
    }

    /// There is no year 0: before 1 is 1 BC, which is 0 here.
    fn whole_year(&self, year: i64) -> Result<i32, Bad> {
        let year = match (self.before_christ, self.short_year) {
            (true, _) if year > 0 => 1 - year,
            (false, true) if year < 70 => year + 2_000,
            (false, true) => year + 1_900,
            (false, false) if year > 0 => year,
            _ => return Err(Bad::Field),
        };
        i32::try_from(year).map_err(|_| Bad::Field)
    }

    fn whole_clock(&self) -> Result<Option<i64>, Bad> {
        let Some(clock) = self.clock else {
            return if self.half.is_some() { Err(Bad::Syntax) } else { Ok(None) };
        };
        let (noon, hour) = (DAY / 2, clock / (3_600 * SECOND));
        Ok(Some(match self.half {
            Some(_) if hour > 12 => return Err(Bad::Field),
            Some(false) if hour == 12 => clock - noon,
            Some(true) if hour < 12 => clock + noon,
            _ => clock,
        }))
    }
}

/// Letters and digits, cut where one follows the other and at everything else.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|letter: char| !letter.is_ascii_alphanumeric());
        let Some(first) = rest.chars().next() else { return parts };
        let end = rest.find(|letter: char| {
            !letter.is_ascii_alphanumeric() || letter.is_ascii_digit() != first.is_ascii_digit()
        });
        let (part, behind) = rest.split_at(end.unwrap_or(rest.len()));
        parts.push(part);
        rest = behind;
    }
}

fn micros_of(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * SECOND + i64::from(time.nanosecond()) / 1_000
}

/// The microseconds of `14:30:00.5`.
fn clock_of(text: &str) -> Result<i64, Bad> {
    // PostgreSQL reads a missing number as zero.
    let number = |text: &str| if text.is_empty() { Ok(0) } else { digits_of(text) };
    let parts: Vec<&str> = text.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [minute, second] if second.contains('.') => ("0", minute, second),
        [hour, minute] => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return Err(Bad::Syntax),
    };
    let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
    of_parts(number(hour)?, number(minute)?, number(second)?, fraction)
}

/// Up to 24:00, and with leap seconds, which are the first of the next minute.
fn of_parts(hour: i64, minute: i64, second: i64, fraction: &str) -> Result<i64, Bad> {
    if minute > 59 || second > 60 || hour > 24 {
        return Err(Bad::Field);
    }
    let micros = ((hour * 60 + minute) * 60 + second) * SECOND + fraction_micros(fraction)?;
    if micros > DAY { Err(Bad::Field) } else { Ok(micros) }
}

/// Digits behind the point, rounded.
fn fraction_micros(digits: &str) -> Result<i64, Bad> {
    if digits.is_empty() {
        return Ok(0);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Bad::Syntax);
    }
    let seconds: f64 = format!("0.{digits}").parse().map_err(|_| Bad::Syntax)?;
    Ok((seconds * 1e6).round_ties_even() as i64)
}

/// As days since 1970.
pub(super) fn days_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}
