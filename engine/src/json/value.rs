//! Values of `jsonb`: keys once and in order, numbers as numerics.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write;

use crate::error::{Error, ErrorKind, Result};

use super::scan::{Kind, Scanner, decoded};

#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    /// In digits, without an exponent.
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    /// In the order of [`key_order`], each key once.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// Shorter keys come first.
pub fn key_order(one: &str, other: &str) -> Ordering {
    (one.len(), one).cmp(&(other.len(), other))
}

/// The text as `jsonb` shows it.
pub fn normal(text: &str) -> Result<String> {
    Ok(Value::read(text)?.to_text())
}

impl<'a> Value<'a> {
    /// # Errors
    /// Invalid text, if it is no JSON; out of range, for numbers that numeric cannot hold.
    pub fn read(text: &'a str) -> Result<Self> {
        let mut scanner = Scanner::new(text);
        let value = Self::next(&mut scanner)?;
        scanner.finish()?;
        Ok(value)
    }

    fn next(scanner: &mut Scanner<'a>) -> Result<Self> {
        match scanner.peek() {
            Some(b'[') => {
                let mut elements = Vec::new();
                scanner.array(|scanner| {
                    elements.push(Self::next(scanner)?);
                    Ok(())
                })?;
                Ok(Self::Array(elements))
            }
            Some(b'{') => {
                let mut members = Vec::new();
                scanner.object(|scanner, key| {
                    members.push((decoded(key)?, Self::next(scanner)?));
                    Ok(())
                })?;
                Ok(Self::object(members))
            }
            _ => Self::scalar(scanner.scalar()?),
        }
    }

    fn scalar(token: &'a str) -> Result<Self> {
        Ok(match token {
            "null" => Self::Null,
            "true" => Self::Boolean(true),
            "false" => Self::Boolean(false),
            _ if token.starts_with('"') => Self::String(decoded(token)?),
            _ => Self::Number(number(token)?),
        })
    }

    /// Of members in any order, of which the last of a key counts.
    pub fn object(mut members: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        if !members.is_sorted_by(|one, other| key_order(&one.0, &other.0).is_lt()) {
            members.reverse();
            members.sort_by(|one, other| key_order(&one.0, &other.0));
            members.dedup_by(|one, other| one.0 == other.0);
        }
        Self::Object(members)
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Boolean(_) => Kind::Boolean,
            Self::Number(_) => Kind::Number,
            Self::String(_) => Kind::String,
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
        }
    }

    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.put(&mut text);
        text
    }

    pub fn put(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::String(text) => put_quoted(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (place, element) in elements.iter().enumerate() {
                    out.push_str(if place > 0 { ", " } else { "" });
                    element.put(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    out.push_str(if place > 0 { ", " } else { "" });
                    put_quoted(key, out);
                    out.push_str(": ");
                    value.put(out);
                }
                out.push('}');
            }
        }
    }

    /// As `jsonb_pretty` shows it.
    pub fn put_pretty(&self, level: usize, out: &mut String) {
        let line = |level: usize, out: &mut String| {
            out.push('\n');
            out.extend(std::iter::repeat_n("    ", level));
        };
        match self {
            Self::Array(elements) => {
                out.push('[');
                for (place, element) in elements.iter().enumerate() {
                    out.push_str(if place > 0 { "," } else { "" });
                    line(level + 1, out);
                    element.put_pretty(level + 1, out);
                }
                line(level, out);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    out.push_str(if place > 0 { "," } else { "" });
                    line(level + 1, out);
                    put_quoted(key, out);
                    out.push_str(": ");
                    value.put_pretty(level + 1, out);
                }
                line(level, out);
                out.push('}');
            }
            scalar => scalar.put(out),
        }
    }

    pub fn member(&self, wanted: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let found = members.binary_search_by(|(key, _)| key_order(key, wanted)).ok()?;
        members.get(found).map(|(_, value)| value)
    }

    /// `jsonb`'s order: null, strings, numbers, booleans, arrays, objects; of the latter, by how many they hold first.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => compare_numbers(one, other),
            (Self::String(one), Self::String(other)) => one.cmp(other),
            (Self::Array(one), Self::Array(other)) => one.len().cmp(&other.len()).then_with(|| {
                let pairs = one.iter().zip(other);
                pairs.fold(Ordering::Equal, |found, (one, other)| found.then_with(|| one.compare(other)))
            }),
            (Self::Object(one), Self::Object(other)) => one.len().cmp(&other.len()).then_with(|| {
                one.iter().zip(other).fold(
                    Ordering::Equal,
                    |found, ((key, value), (other_key, other_value))| {
                        found.then_with(|| key.cmp(other_key)).then_with(|| value.compare(other_value))
                    },
                )
            }),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            // A quirk that PostgreSQL keeps: an array without elements comes before everything.
            Self::Array(elements) if elements.is_empty() => 0,
            Self::Null => 1,
            Self::String(_) => 2,
            Self::Number(_) => 3,
            Self::Boolean(_) => 4,
            Self::Array(_) => 5,
            Self::Object(_) => 6,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.compare(other).is_eq()
    }

    /// `@>`
    pub fn contains(&self, part: &Self) -> bool {
        match (self, part) {
            // An array contains what is no array or object as if that were in one.
            (Self::Array(elements), scalar) if scalar.kind().is_scalar() => {
                elements.iter().any(|element| element.is(scalar))
            }
            _ => self.contains_deep(part),
        }
    }

    fn contains_deep(&self, part: &Self) -> bool {
        match (self, part) {
            (Self::Object(_), Self::Object(members)) => members
                .iter()
                .all(|(key, value)| self.member(key).is_some_and(|found| found.contains_deep(value))),
            (Self::Array(elements), Self::Array(parts)) => {
                parts.iter().all(|part| elements.iter().any(|element| element.contains_deep(part)))
            }
            (one, other) => one.kind() == other.kind() && one.kind().is_scalar() && one.is(other),
        }
    }

    /// `?`: a key of an object, a string in an array, or a string.
    pub fn has(&self, wanted: &str) -> bool {
        let is_wanted = |value: &Self| matches!(value, Self::String(text) if text == wanted);
        match self {
            Self::Object(_) => self.member(wanted).is_some(),
            Self::Array(elements) => elements.iter().any(is_wanted),
            other => is_wanted(other),
        }
    }
}

/// A string in quotes, with the escapes that PostgreSQL writes.
pub fn put_quoted(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|letter: char| letter < ' ' || letter == '"' || letter == '\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing to a string cannot fail.
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

/// The digits that numeric may have before the point, and behind it.
const LIMITS: (i64, i64) = (131_072, 16_383);

/// A number as numeric writes it: no exponent, no minus before zero.
fn number(token: &str) -> Result<Cow<'_, str>> {
    let is_plain = !token.contains(['e', 'E']);
    if is_plain && token.len() < LIMITS.1 as usize && !token.starts_with("-0") {
        return Ok(Cow::Borrowed(token));
    }
    let (sign, unsigned) = match token.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", token),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let exponent: i64 = exponent.parse().map_err(|_| overflow())?;
    let point = whole.len() as i64 + exponent;
    let scale = (fraction.len() as i64 - exponent).max(0);
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    if point > LIMITS.0 && !is_zero || scale > LIMITS.1 || exponent.abs() > LIMITS.0 {
        return Err(overflow());
    }
    let mut whole: String = match usize::try_from(point) {
        Ok(point) if point > digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
        Ok(point) => digits[..point].to_owned(),
        Err(_) => String::new(),
    };
    let bare = whole.trim_start_matches('0').to_owned();
    whole = if bare.is_empty() { "0".to_owned() } else { bare };
    let sign = if is_zero { "" } else { sign };
    if scale == 0 {
        return Ok(Cow::Owned(format!("{sign}{whole}")));
    }
    let fraction = match usize::try_from(point) {
        Ok(point) => digits[point.min(digits.len())..].to_owned(),
        Err(_) => format!("{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
    };
    Ok(Cow::Owned(format!("{sign}{whole}.{fraction}")))
}

fn overflow() -> Error {
    Error::new(ErrorKind::NumericOutOfRange, "value overflows numeric format")
}

fn compare_numbers(one: &str, other: &str) -> Ordering {
    let parts = |text: &str| {
        let unsigned = text.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let is_negative = text.starts_with('-') && !(whole.is_empty() && fraction.is_empty());
        (is_negative, whole.len(), whole, fraction)
    };
    let (one, other) = (parts(one), parts(other));
    let size = || (one.1, &one.2, &one.3).cmp(&(other.1, &other.2, &other.3));
    match (one.0, other.0) {
        (false, false) => size(),
        (true, true) => size().reverse(),
        (negative, _) => {
            if negative {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
    }
}
