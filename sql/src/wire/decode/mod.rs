//! Bound parameters to scalar values, from text and from binary.
//!
//! A value is read as the Postgres type that the client declared, or that the server told it, and then cast to
//! the Arrow type that the plan wants.

mod datetime;
mod interval;
mod literal;
mod number;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use arrow::datatypes::{DataType, IntervalMonthDayNano};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind, Result};

use datetime::{Bad, Zone, local_offset, parse_clock, parse_date, parse_timestamp};
use interval::parse_interval;
use literal::{parse_bool, parse_bytea, uuid_text};
use number::{Refusal, common_decimal, parse_decimal};
use voxhouse_engine::json;
use voxhouse_engine::table::array_text::elements as parse_array;

pub(super) use literal::parse_uuid;
pub(crate) use voxhouse_engine::table::array_text::elements as text_array_elements;

use super::encode::{MICROS_PER_DAY, PG_EPOCH_DAYS};
use super::frontend::utf8;
use super::style::TextStyle;
use super::types::{Format, UTC, array_element, from_oid, oid, sql_name};

/// A binary value that is longer than its type.
pub(super) const LEFT_OVER: &str = "incorrect binary data format";

/// What a parameter is to become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter<'a> {
    pub(super) type_oid: u32,
    pub(super) target: &'a DataType,
    pub(super) style: TextStyle,
}

/// A value from its text, as PostgreSQL's input function of the type reads it.
pub(crate) fn read_text(type_oid: u32, text: &str, style: TextStyle) -> Result<ScalarValue> {
    let target = from_oid(type_oid).unwrap_or(DataType::Utf8);
    Parameter { type_oid, target: &target, style }.text(text)
}

impl Parameter<'_> {
    pub(super) fn decode(self, bytes: Option<&[u8]>, format: Format) -> Result<ScalarValue> {
        let Some(bytes) = bytes else { return null(self.target) };
        let value = match format {
            Format::Text => self.text(utf8(bytes)?)?,
            Format::Binary => self.binary(bytes)?,
        };
        // Of a parameter whose type nobody knows, the target is Null: it stays text.
        let found = value.data_type();
        if *self.target == DataType::Null || found == *self.target || is_exact(&found, self.target) {
            return Ok(value);
        }
        Ok(value.cast_to(self.target)?)
    }

    fn text(self, text: &str) -> Result<ScalarValue> {
        if let Some(element) = array_element(self.type_oid) {
            let elements = parse_array(text).ok_or_else(|| invalid(self.type_oid, text))?;
            return self.list(element, elements.into_iter(), |parameter, element| parameter.text(&element));
        }
        let trimmed = text.trim();
        let invalid = || invalid(self.type_oid, text);
        Ok(match self.type_oid {
            oid::BOOL => ScalarValue::Boolean(Some(parse_bool(trimmed).ok_or_else(invalid)?)),
            oid::INT2 => ScalarValue::Int16(Some(whole(trimmed, self.type_oid)?)),
            oid::INT4 => ScalarValue::Int32(Some(whole(trimmed, self.type_oid)?)),
            oid::INT8 => ScalarValue::Int64(Some(whole(trimmed, self.type_oid)?)),
            oid::OID | oid::XID | oid::CID => ScalarValue::UInt32(Some(whole(trimmed, self.type_oid)?)),
            oid::FLOAT4 => ScalarValue::Float32(Some(float(trimmed, f32::is_infinite, 0.0, self.type_oid)?)),
            oid::FLOAT8 => ScalarValue::Float64(Some(float(trimmed, f64::is_infinite, 0.0, self.type_oid)?)),
            oid::NUMERIC => self.numeric(trimmed)?,
            oid::BYTEA => ScalarValue::Binary(Some(parse_bytea(text)?)),
            oid::DATE => ScalarValue::Date32(Some(
                parse_date(trimmed, self.style).map_err(|bad| datetime(self, text, bad))?,
            )),
            oid::TIME => {
                let micros = parse_clock(trimmed, self.style).map_err(|bad| datetime(self, text, bad))?;
                ScalarValue::Time64Microsecond(Some(micros))
            }
            oid::TIMESTAMP | oid::TIMESTAMPTZ => self.timestamp(trimmed)?,
            oid::INTERVAL => {
                let interval = parse_interval(trimmed, self.style.intervals)
                    .ok_or_else(|| datetime(self, text, Bad::Syntax))?;
                ScalarValue::IntervalMonthDayNano(Some(interval))
            }
            oid::UUID => ScalarValue::Utf8(Some(uuid_text(&parse_uuid(trimmed).ok_or_else(invalid)?))),
            oid::JSON | oid::JSONB => json_text(text, self.type_oid)?,
            _ => ScalarValue::Utf8(Some(text.to_owned())),
        })
    }

    fn binary(self, bytes: &[u8]) -> Result<ScalarValue> {
        if array_element(self.type_oid).is_some() {
            return self.binary_list(bytes);
        }
        let mut rest = Bytes(bytes);
        let value = match self.type_oid {
            oid::BOOL => ScalarValue::Boolean(Some(rest.take::<1>()? != [0])),
            oid::INT2 => ScalarValue::Int16(Some(i16::from_be_bytes(rest.take()?))),
            oid::INT4 => ScalarValue::Int32(Some(rest.i32()?)),
            oid::INT8 => ScalarValue::Int64(Some(rest.i64()?)),
            oid::OID | oid::XID | oid::CID => ScalarValue::UInt32(Some(u32::from_be_bytes(rest.take()?))),
            oid::FLOAT4 => ScalarValue::Float32(Some(f32::from_be_bytes(rest.take()?))),
            oid::FLOAT8 => ScalarValue::Float64(Some(f64::from_be_bytes(rest.take()?))),
            oid::NUMERIC => self.numeric(&binary_numeric(&mut rest)?)?,
            oid::BYTEA => ScalarValue::Binary(Some(rest.all().to_vec())),
            oid::DATE => {
                let days =
                    rest.i32()?.checked_add(PG_EPOCH_DAYS).filter(|&days| days > i32::MIN + PG_EPOCH_DAYS);
                ScalarValue::Date32(Some(days.ok_or_else(|| out_of_range("date"))?))
            }
            oid::TIME => ScalarValue::Time64Microsecond(Some(rest.i64()?)),
            oid::TIMESTAMP | oid::TIMESTAMPTZ => {
                let epoch = i64::from(PG_EPOCH_DAYS) * MICROS_PER_DAY;
                let micros = Some(rest.i64()?).filter(|&micros| micros != i64::MIN);
                let micros = micros.and_then(|micros| micros.checked_add(epoch));
                self.instant(micros.ok_or_else(|| out_of_range("timestamp"))?)
            }
            oid::INTERVAL => binary_interval(&mut rest)?,
            oid::UUID => ScalarValue::Utf8(Some(uuid_text(&rest.take::<16>()?))),
            oid::JSON => json_text(utf8(rest.all())?, oid::JSON)?,
            oid::JSONB => match rest.take::<1>()? {
                [1] => json_text(utf8(rest.all())?, oid::JSONB)?,
                [version] => {
                    return Err(Error::new(
                        ErrorKind::ProtocolViolation,
                        format!("unsupported jsonb version number {version}"),
                    ));
                }
            },
            _ => ScalarValue::Utf8(Some(utf8(rest.all())?.to_owned())),
        };
        rest.finish()?;
        Ok(value)
    }

    /// Dimensions, a flag for NULLs, element type, length and lower bound, elements behind their lengths.
    fn binary_list(self, bytes: &[u8]) -> Result<ScalarValue> {
        let mut rest = Bytes(bytes);
        let (dimensions, _has_nulls, element) = (rest.i32()?, rest.i32()?, rest.i32()? as u32);
        let mut elements = Vec::new();
        match dimensions {
            0 => (),
            1 => {
                let (count, _lower_bound) = (rest.i32()?, rest.i32()?);
                for _ in 0..count {
                    let length = rest.i32()?;
                    elements.push(if length == -1 { None } else { Some(rest.slice(length)?) });
                }
            }
            _ => {
                return Err(Error::not_supported(
                    "array parameters of more than one dimension are not supported",
                ));
            }
        }
        rest.finish()?;
        self.list(element, elements.into_iter(), |parameter, element| parameter.binary(element))
    }

    fn list<T>(
        self,
        element: u32,
        elements: impl Iterator<Item = Option<T>>,
        decode: impl Fn(Parameter<'_>, T) -> Result<ScalarValue>,
    ) -> Result<ScalarValue> {
        let target = match self.target {
            DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
                field.data_type().clone()
            }
            _ => from_oid(element).unwrap_or(DataType::Utf8),
        };
        let parameter = Parameter { type_oid: element, target: &target, style: self.style };
        let values = elements
            .map(|element| element.map(|element| decode(parameter, element)).transpose())
            .collect::<Result<Vec<_>>>()?;
        // Decimals keep their digits, so the widest decides.
        let types: Vec<_> = values.iter().flatten().map(ScalarValue::data_type).collect();
        let target = match target.is_decimal() && !types.is_empty() {
            true => common_decimal(types.iter()).unwrap_or(target),
            false => target,
        };
        let values = values
            .into_iter()
            .map(|value| value.map_or_else(|| null(&target), |value| Ok(value.cast_to(&target)?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(ScalarValue::List(ScalarValue::new_list(&values, &target, true)))
    }

    /// With every digit, whatever precision and scale were planned for: a comparison or a sum must not see a
    /// rounded value, and a column rounds what is written to it.
    fn numeric(self, text: &str) -> Result<ScalarValue> {
        if matches!(self.target, DataType::Float32 | DataType::Float64) {
            return Ok(ScalarValue::Float64(Some(text.parse().map_err(|_| invalid(oid::NUMERIC, text))?)));
        }
        parse_decimal(text).map_err(|refusal| match refusal {
            Refusal::Syntax => invalid(oid::NUMERIC, text),
            Refusal::Range => Error::new(
                ErrorKind::NumericOutOfRange,
                format!("value \"{text}\" is out of range for type numeric"),
            ),
        })
    }

    /// An offset behind a `timestamp` is read over, as PostgreSQL does; a `timestamptz` without one is in the
    /// session's zone.
    fn timestamp(self, text: &str) -> Result<ScalarValue> {
        let bad = || datetime(self, text, Bad::Field);
        let (local, offset) = parse_timestamp(text, self.style).map_err(|bad| datetime(self, text, bad))?;
        let is_instant = self.type_oid == oid::TIMESTAMPTZ;
        let seconds = match offset {
            _ if !is_instant => 0,
            Some(Zone::Offset(seconds)) => seconds,
            Some(Zone::Named(zone)) => local_offset(zone, local).ok_or_else(bad)?,
            None => local_offset(self.style.zone, local).ok_or_else(bad)?,
        };
        let micros = local.and_utc().timestamp_micros().checked_sub(i64::from(seconds) * 1_000_000);
        Ok(self.instant(micros.ok_or_else(|| out_of_range("timestamp"))?))
    }

    fn instant(self, micros: i64) -> ScalarValue {
        let zone = (self.type_oid == oid::TIMESTAMPTZ).then(|| UTC.into());
        ScalarValue::TimestampMicrosecond(Some(micros), zone)
    }
}

/// Decimals of any width and scale stand for each other: the plan makes them agree.
fn is_exact(found: &DataType, target: &DataType) -> bool {
    match (found, target) {
        (DataType::List(found), DataType::List(target)) => is_exact(found.data_type(), target.data_type()),
        _ => found.is_decimal() && target.is_decimal(),
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk::<N>().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*chunk)
    }

    fn i16(&mut self) -> Result<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn slice(&mut self, length: i32) -> Result<&'a [u8]> {
        let length = usize::try_from(length).map_err(|_| too_short())?;
        let (slice, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        self.0 = rest;
        Ok(slice)
    }

    fn all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn finish(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::new(ErrorKind::InvalidBinary, LEFT_OVER)) }
    }
}

/// To text, from which both decimals and floats are made: `-12.0450`.
fn binary_numeric(rest: &mut Bytes<'_>) -> Result<String> {
    let (count, weight, sign, scale) = (rest.i16()?, rest.i16()?, rest.i16()? as u16, rest.i16()?);
    match sign {
        0xC000 => return Ok("NaN".into()),
        0xD000 => return Ok("Infinity".into()),
        0xF000 => return Ok("-Infinity".into()),
        0x0000 | 0x4000 => (),
        _ => return Err(malformed("invalid sign in external \"numeric\" value")),
    }
    let mut groups = Vec::new();
    for _ in 0..count {
        match rest.i16()? {
            group @ 0..10_000 => groups.push(group),
            _ => return Err(malformed("invalid digit in external \"numeric\" value")),
        }
    }
    let group = |at: i32| usize::try_from(at).ok().and_then(|at| groups.get(at)).copied().unwrap_or(0);
    let weight = i32::from(weight);
    let mut text = String::from(if sign == 0x4000 { "-0" } else { "0" });
    for at in 0..=weight {
        text.push_str(&format!("{:04}", group(at)));
    }
    if scale > 0 {
        text.push('.');
        let start = text.len();
        let mut at = weight + 1;
        while text.len() - start < scale as usize {
            text.push_str(&format!("{:04}", group(at)));
            at += 1;
        }
        text.truncate(start + scale as usize);
    }
    Ok(text)
}

fn binary_interval(rest: &mut Bytes<'_>) -> Result<ScalarValue> {
    let (micros, days, months) = (rest.i64()?, rest.i32()?, rest.i32()?);
    let nanoseconds = micros.checked_mul(1_000).ok_or_else(|| out_of_range("interval"))?;
    Ok(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(months, days, nanoseconds))))
}

/// As it is written, or normal.
fn json_text(text: &str, type_oid: u32) -> Result<ScalarValue> {
    let read = match type_oid {
        oid::JSONB => json::normal(text)?,
        _ => json::check(text).map(|()| text.to_owned())?,
    };
    Ok(ScalarValue::Utf8(Some(read)))
}

fn null(target: &DataType) -> Result<ScalarValue> {
    Ok(ScalarValue::try_from(target)?)
}

/// `T` also decides the range.
fn whole<T: FromStr>(text: &str, type_oid: u32) -> Result<T> {
    text.parse().map_err(|_| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let name = sql_name(type_oid);
            Error::new(
                ErrorKind::NumericOutOfRange,
                format!("value \"{text}\" is out of range for type {name}"),
            )
        } else {
            invalid(type_oid, text)
        }
    })
}

fn invalid(type_oid: u32, text: &str) -> Error {
    let name = match array_element(type_oid) {
        Some(_) => return Error::new(ErrorKind::InvalidText, format!("malformed array literal: \"{text}\"")),
        None => sql_name(type_oid),
    };
    Error::new(ErrorKind::InvalidText, format!("invalid input syntax for type {name}: \"{text}\""))
}

fn datetime(parameter: Parameter<'_>, text: &str, bad: Bad) -> Error {
    match bad {
        Bad::Syntax => {
            // Without "without time zone".
            let name = match parameter.type_oid {
                oid::TIME => "time",
                oid::TIMESTAMP => "timestamp",
                other => sql_name(other),
            };
            let message = format!("invalid input syntax for type {name}: \"{text}\"");
            Error::new(ErrorKind::InvalidDatetime, message)
        }
        Bad::Field => Error::new(
            ErrorKind::DatetimeOutOfRange,
            format!("date/time field value out of range: \"{text}\""),
        ),
        Bad::Order => datetime(parameter, text, Bad::Field)
            .with_hint("Perhaps you need a different \"datestyle\" setting."),
        Bad::Offset => Error::new(
            ErrorKind::ZoneOffsetOutOfRange,
            format!("time zone displacement out of range: \"{text}\""),
        ),
        Bad::Infinite => datetime(parameter, text, Bad::Field)
            .with_detail("Infinite dates and times are not supported.")
            .with_hint("NULL can stand for a time that never comes."),
        Bad::Zone(name) => Error::invalid_argument(format!("time zone \"{name}\" not recognized")),
    }
}

/// A number that becomes infinite or zero only because the type cannot hold it is out of range.
fn float<T: FromStr + Copy + PartialEq>(
    text: &str,
    is_infinite: fn(T) -> bool,
    zero: T,
    type_oid: u32,
) -> Result<T> {
    let value: T = text.parse().map_err(|_| invalid(type_oid, text))?;
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_nothing = value == zero && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if has_digits && (is_infinite(value) || is_nothing) {
        let message = format!("\"{text}\" is out of range for type {}", sql_name(type_oid));
        return Err(Error::new(ErrorKind::NumericOutOfRange, message));
    }
    Ok(value)
}

fn out_of_range(what: &str) -> Error {
    Error::new(ErrorKind::NumericOutOfRange, format!("{what} out of range"))
}

fn too_short() -> Error {
    Error::new(ErrorKind::ProtocolViolation, "insufficient data left in message")
}

fn malformed(message: &str) -> Error {
    Error::new(ErrorKind::InvalidBinary, message)
}
