//! Values of a block: bytes in, values out, each step checked against the end.

use super::schema::{Kind, Schema, Unit};
use crate::files::MAX_FIELD_BYTES;
use crate::files::calendar;

/// How deep a value may contain values of its own type.
const MAX_DEPTH: usize = 64;

/// Why a block cannot be read; a phrase for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    Corrupt(&'static str),
    TooLarge,
}

type Result<T> = std::result::Result<T, Problem>;

/// The bytes of a block that are not read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Problem::Corrupt("a value is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn long(&mut self) -> Result<i64> {
        let mut value: u64 = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first().ok_or(Problem::Corrupt("a value is cut off"))?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(Problem::Corrupt("a number is too long"))
    }

    pub(super) fn int(&mut self) -> Result<i32> {
        i32::try_from(self.long()?).map_err(|_| Problem::Corrupt("a number is too large for its type"))
    }

    pub(super) fn float(&mut self) -> Result<f32> {
        let bytes = self.take(4)?.first_chunk().copied().ok_or(Problem::Corrupt("a value is cut off"))?;
        Ok(f32::from_le_bytes(bytes))
    }

    pub(super) fn double(&mut self) -> Result<f64> {
        let bytes = self.take(8)?.first_chunk().copied().ok_or(Problem::Corrupt("a value is cut off"))?;
        Ok(f64::from_le_bytes(bytes))
    }

    pub(super) fn boolean(&mut self) -> Result<bool> {
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Problem::Corrupt("a value is neither true nor false")),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| Problem::Corrupt("a length is negative"))?;
        if length > MAX_FIELD_BYTES && length <= self.0.len() {
            return Err(Problem::TooLarge);
        }
        self.take(length)
    }

    pub(super) fn string(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Problem::Corrupt("a string is not UTF-8"))
    }

    /// The branch of a union.
    pub(super) fn branch<'k>(&mut self, branches: &'k [Kind]) -> Result<&'k Kind> {
        let index = usize::try_from(self.long()?).ok();
        index.and_then(|index| branches.get(index)).ok_or(Problem::Corrupt("a union has no such branch"))
    }

    pub(super) fn symbol<'k>(&mut self, symbols: &'k [String]) -> Result<&'k str> {
        let index = usize::try_from(self.long()?).ok();
        let symbol = index.and_then(|index| symbols.get(index));
        symbol.map(String::as_str).ok_or(Problem::Corrupt("an enum has no such symbol"))
    }

    /// The unscaled number of a decimal.
    pub(super) fn unscaled(&mut self, fixed: Option<usize>) -> Result<i128> {
        let bytes = match fixed {
            Some(size) => self.take(size)?,
            None => self.bytes()?,
        };
        let negative = bytes.first().is_some_and(|first| *first >= 0x80);
        let fill = if negative { 0xFF } else { 0 };
        let extra = bytes.len().saturating_sub(16);
        let (front, back) = bytes.split_at(extra);
        let mut wide = [fill; 16];
        let start = 16 - back.len();
        wide.iter_mut().skip(start).zip(back).for_each(|(to, from)| *to = *from);
        let value = i128::from_be_bytes(wide);
        if front.iter().any(|byte| *byte != fill) || (value < 0) != negative {
            return Err(Problem::Corrupt("a decimal is too large for its type"));
        }
        Ok(value)
    }
}

/// A value as JSON text, behind what `json` holds already.
pub(super) fn append_json(
    cursor: &mut Cursor<'_>,
    kind: &Kind,
    schema: &Schema,
    depth: usize,
    json: &mut String,
) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Problem::Corrupt("a value is nested too deep"));
    }
    if json.len() > MAX_FIELD_BYTES {
        return Err(Problem::TooLarge);
    }
    match kind {
        Kind::Null => json.push_str("null"),
        Kind::Boolean => json.push_str(if cursor.boolean()? { "true" } else { "false" }),
        Kind::Int => json.push_str(&cursor.int()?.to_string()),
        Kind::Long => json.push_str(&cursor.long()?.to_string()),
        Kind::Float => push_number(json, cursor.float()?.to_string()),
        Kind::Double => push_number(json, cursor.double()?.to_string()),
        Kind::String => push_string(json, cursor.string()?),
        Kind::Bytes => push_string(json, &hex(cursor.bytes()?)),
        Kind::Fixed(size) => push_string(json, &hex(cursor.take(*size)?)),
        Kind::Enum(symbols) => push_string(json, cursor.symbol(symbols)?),
        Kind::Union(branches) => {
            let branch = cursor.branch(branches)?;
            append_json(cursor, branch, schema, depth + 1, json)?;
        }
        Kind::Array(item) => append_items(cursor, item, schema, depth, json, false)?,
        Kind::Map(value) => append_items(cursor, value, schema, depth, json, true)?,
        Kind::Record(record) => append_record(cursor, *record, schema, depth, json)?,
        Kind::Date => push_moment(json, calendar::date(i64::from(cursor.int()?)))?,
        Kind::TimeMillis => {
            push_string(json, &calendar::time(i64::from(cursor.int()?).rem_euclid(86_400_000)))
        }
        Kind::TimeMicros => {
            let micros = cursor.long()?.rem_euclid(86_400_000_000);
            push_string(json, &fraction(calendar::time(micros / 1_000_000 * 1000), micros % 1_000_000, 6));
        }
        Kind::Timestamp { unit, local } => push_moment(json, moment(cursor.long()?, *unit, *local))?,
        Kind::Decimal { fixed, scale, .. } => {
            json.push_str(&decimal(cursor.unscaled(*fixed)?, usize::from(scale.unsigned_abs())));
        }
    }
    Ok(())
}

fn append_record(
    cursor: &mut Cursor<'_>,
    record: usize,
    schema: &Schema,
    depth: usize,
    json: &mut String,
) -> Result<()> {
    json.push('{');
    let fields = schema.records.get(record).map(Vec::as_slice).unwrap_or_default();
    for (index, (name, kind)) in fields.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        push_string(json, name);
        json.push(':');
        append_json(cursor, kind, schema, depth + 1, json)?;
    }
    json.push('}');
    Ok(())
}

/// Arrays and maps come in runs, each with its count, up to one of zero.
fn append_items(
    cursor: &mut Cursor<'_>,
    kind: &Kind,
    schema: &Schema,
    depth: usize,
    json: &mut String,
    keyed: bool,
) -> Result<()> {
    json.push(if keyed { '{' } else { '[' });
    let mut first = true;
    loop {
        let count = cursor.long()?;
        if count == 0 {
            break;
        }
        if count < 0 {
            // The bytes of the run, for those who skip it.
            cursor.long()?;
        }
        for _ in 0..count.unsigned_abs() {
            if !std::mem::take(&mut first) {
                json.push(',');
            }
            if keyed {
                push_string(json, cursor.string()?);
                json.push(':');
            }
            append_json(cursor, kind, schema, depth + 1, json)?;
        }
    }
    json.push(if keyed { '}' } else { ']' });
    Ok(())
}

fn push_string(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::String(text.to_owned()).to_string());
}

/// JSON has no number for what is none, and for the infinities.
fn push_number(json: &mut String, text: String) {
    match text.as_str() {
        "NaN" => json.push_str("\"NaN\""),
        "inf" => json.push_str("\"Infinity\""),
        "-inf" => json.push_str("\"-Infinity\""),
        number => json.push_str(number),
    }
}

fn push_moment(json: &mut String, text: Option<String>) -> Result<()> {
    push_string(json, &text.ok_or(Problem::Corrupt("a date is outside of the calendar"))?);
    Ok(())
}

fn moment(value: i64, unit: Unit, local: bool) -> Option<String> {
    let (per_second, digits) = match unit {
        Unit::Millis => (1_000, 3),
        Unit::Micros => (1_000_000, 6),
        Unit::Nanos => (1_000_000_000, 9),
    };
    let seconds = value.div_euclid(per_second);
    let text = calendar::moment(seconds.checked_mul(1000)?)?;
    let text = fraction(text.trim_end_matches('Z').to_owned(), value.rem_euclid(per_second), digits);
    Some(if local { text } else { text + "Z" })
}

fn fraction(text: String, value: i64, digits: usize) -> String {
    if value == 0 { text } else { format!("{text}.{value:0digits$}") }
}

fn decimal(unscaled: i128, scale: usize) -> String {
    let sign = if unscaled < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Bytes as PostgreSQL writes them.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
