//! Columns of record batches, built a value at a time from what a client sends.
//!
//! What a column needs is decided once. A value in its usual form is read in place; any other goes the way of a
//! bound parameter, so that COPY and a parameter understand the same and fail alike.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder,
    new_empty_array,
};
use arrow::datatypes::*;
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::json;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::values::{self, NotDecimal};
use crate::wire::decode::Parameter;
use crate::wire::frontend::utf8;
use crate::wire::style::TextStyle;
use crate::wire::types::{Format, PgType, oid};

pub(super) trait Column: Send + Sync {
    fn text(&mut self, value: &str) -> Result<()>;
    fn binary(&mut self, value: &[u8]) -> Result<()>;
    fn null(&mut self);
    /// What has been gathered; the column is then empty.
    fn finish(&mut self) -> Result<ArrayRef>;
}

/// # Errors
/// Not supported, if the wire cannot carry the type.
pub(super) fn column(field: &Field, style: TextStyle) -> Result<Box<dyn Column>> {
    let pg = PgType::of_field(field)?;
    let slow = Slow { type_oid: pg.oid, target: field.data_type().clone(), style };
    let is_utc = style.zone == Tz::UTC;
    Ok(match field.data_type() {
        DataType::Boolean => Box::new(Booleans { builder: BooleanBuilder::new(), slow }),
        DataType::Int16 => whole::<Int16Type, 2>(slow, i16::from_be_bytes),
        DataType::Int32 => whole::<Int32Type, 4>(slow, i32::from_be_bytes),
        DataType::Int64 => whole::<Int64Type, 8>(slow, i64::from_be_bytes),
        DataType::Float32 => primitive::<Float32Type>(slow, values::float, |bytes| {
            bytes.try_into().ok().map(f32::from_be_bytes)
        }),
        DataType::Float64 => primitive::<Float64Type>(slow, values::float, |bytes| {
            bytes.try_into().ok().map(f64::from_be_bytes)
        }),
        &DataType::Decimal128(precision, scale) => {
            let builder = PrimitiveBuilder::new().with_data_type(field.data_type().clone());
            Box::new(Decimals { builder, precision, scale, slow })
        }
        DataType::Date32 => {
            primitive::<Date32Type>(slow, |text| values::date(text.as_bytes()), values::binary_date)
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => primitive::<TimestampMicrosecondType>(
            slow,
            |text| values::timestamp(text.as_bytes()),
            values::binary_timestamp,
        ),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => primitive::<TimestampMicrosecondType>(
            slow,
            move |text| values::instant(text.as_bytes(), is_utc),
            values::binary_timestamp,
        ),
        DataType::Utf8 => Box::new(Strings { builder: StringBuilder::new(), rule: Rule::new(pg), slow }),
        DataType::Binary => Box::new(Bytes { builder: BinaryBuilder::new(), slow }),
        _ => Box::new(Scalars { values: Vec::new(), slow }),
    })
}

/// The way of a bound parameter.
struct Slow {
    type_oid: u32,
    target: DataType,
    style: TextStyle,
}

impl Slow {
    fn decode(&self, value: &[u8], format: Format) -> Result<ScalarValue> {
        let Self { type_oid, target, style } = self;
        let read = Parameter { type_oid: *type_oid, target, style: *style }.decode(Some(value), format)?;
        if read.data_type() == *target { Ok(read) } else { Ok(read.cast_to(target)?) }
    }

    /// From binary, of whatever precision and scale it has.
    fn exact(&self, value: &[u8]) -> Result<ScalarValue> {
        let Self { type_oid, target, style } = self;
        Parameter { type_oid: *type_oid, target, style: *style }.decode(Some(value), Format::Binary)
    }

    fn primitive<T: ArrowPrimitiveType>(&self, value: &[u8], format: Format) -> Result<T::Native> {
        let array = self.decode(value, format)?.to_array()?;
        match array.as_primitive_opt::<T>() {
            Some(array) => Ok(array.value(0)),
            None => Err(Error::internal(format!("a value of {} for {}", array.data_type(), self.target))),
        }
    }
}

struct Primitive<T: ArrowPrimitiveType, R, B> {
    builder: PrimitiveBuilder<T>,
    text: R,
    binary: B,
    slow: Slow,
}

fn primitive<T: ArrowPrimitiveType>(
    slow: Slow,
    text: impl Fn(&str) -> Option<T::Native> + Send + Sync + 'static,
    binary: impl Fn(&[u8]) -> Option<T::Native> + Send + Sync + 'static,
) -> Box<dyn Column> {
    let builder = PrimitiveBuilder::<T>::new().with_data_type(slow.target.clone());
    Box::new(Primitive { builder, text, binary, slow })
}

fn whole<T: ArrowPrimitiveType, const N: usize>(
    slow: Slow,
    from_bytes: impl Fn([u8; N]) -> T::Native + Send + Sync + 'static,
) -> Box<dyn Column>
where
    T::Native: TryFrom<i64>,
{
    primitive::<T>(
        slow,
        |text| values::integer(text.as_bytes()).and_then(|value| T::Native::try_from(value).ok()),
        move |bytes| bytes.try_into().ok().map(&from_bytes),
    )
}

impl<T, R, B> Column for Primitive<T, R, B>
where
    T: ArrowPrimitiveType,
    R: Fn(&str) -> Option<T::Native> + Send + Sync,
    B: Fn(&[u8]) -> Option<T::Native> + Send + Sync,
{
    fn text(&mut self, value: &str) -> Result<()> {
        let read = match (self.text)(value) {
            Some(read) => read,
            None => self.slow.primitive::<T>(value.as_bytes(), Format::Text)?,
        };
        self.builder.append_value(read);
        Ok(())
    }

    fn binary(&mut self, value: &[u8]) -> Result<()> {
        let read = match (self.binary)(value) {
            Some(read) => read,
            None => self.slow.primitive::<T>(value, Format::Binary)?,
        };
        self.builder.append_value(read);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct Decimals {
    builder: PrimitiveBuilder<Decimal128Type>,
    precision: u8,
    scale: i8,
    slow: Slow,
}

impl Decimals {
    fn read(&self, text: &str) -> Result<i128> {
        let Self { precision, scale, .. } = self;
        values::any_decimal(text, *precision, *scale).map_err(|why| match why {
            NotDecimal::Syntax if is_no_number(text) => Error::new(
                ErrorKind::NumericOutOfRange,
                format!("a column of type numeric({precision},{scale}) cannot hold {}", text.trim()),
            ),
            NotDecimal::Syntax => Error::new(
                ErrorKind::InvalidText,
                format!("invalid input syntax for type numeric: \"{text}\""),
            ),
            NotDecimal::TooLarge => {
                Error::new(ErrorKind::NumericOutOfRange, "numeric field overflow").with_detail(format!(
                    "A field with precision {precision}, scale {scale} must round to an absolute value less than {}.",
                    match i32::from(*precision) - i32::from(*scale) {
                        0 => "1".to_owned(),
                        digits => format!("10^{digits}"),
                    }
                ))
            }
        })
    }
}

/// What PostgreSQL's numeric can hold and a decimal cannot.
fn is_no_number(text: &str) -> bool {
    let word = text.trim().trim_start_matches(['-', '+']).to_ascii_lowercase();
    matches!(word.as_str(), "nan" | "inf" | "infinity")
}

impl Column for Decimals {
    fn text(&mut self, value: &str) -> Result<()> {
        let read = match values::decimal(value.as_bytes(), self.precision, self.scale) {
            Some(read) => read,
            None => self.read(value)?,
        };
        self.builder.append_value(read);
        Ok(())
    }

    fn binary(&mut self, value: &[u8]) -> Result<()> {
        let read = match values::binary_decimal(value, self.precision, self.scale) {
            Some(read) => read,
            None => match self.slow.exact(value)? {
                ScalarValue::Decimal128(Some(digits), _, scale) => {
                    self.read(&format!("{digits}e{}", -i32::from(scale)))?
                }
                ScalarValue::Decimal256(Some(digits), _, scale) => {
                    self.read(&format!("{digits}e{}", -i32::from(scale)))?
                }
                other => return Err(Error::internal(format!("{} is not a decimal", other.data_type()))),
            },
        };
        self.builder.append_value(read);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct Booleans {
    builder: BooleanBuilder,
    slow: Slow,
}

impl Booleans {
    fn slowly(&mut self, value: &[u8], format: Format) -> Result<bool> {
        match self.slow.decode(value, format)? {
            ScalarValue::Boolean(Some(read)) => Ok(read),
            other => Err(Error::internal(format!("{} is not a boolean", other.data_type()))),
        }
    }
}

impl Column for Booleans {
    fn text(&mut self, value: &str) -> Result<()> {
        let read = match values::boolean(value.as_bytes()) {
            Some(read) => read,
            None => self.slowly(value.as_bytes(), Format::Text)?,
        };
        self.builder.append_value(read);
        Ok(())
    }

    fn binary(&mut self, value: &[u8]) -> Result<()> {
        let read = self.slowly(value, Format::Binary)?;
        self.builder.append_value(read);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

/// What a text must satisfy, by its type.
enum Rule {
    None,
    /// At most so many characters; `character varying` or `character`.
    Length(usize, &'static str),
    Json,
    Jsonb,
    /// Written in one way whatever way it was read.
    Uuid,
}

impl Rule {
    fn new(pg: PgType) -> Self {
        // The modifier counts four bytes of a header that was there once.
        let length = usize::try_from(pg.modifier - 4);
        match (pg.oid, length) {
            (oid::VARCHAR, Ok(length)) => Rule::Length(length, "character varying"),
            (oid::BPCHAR, Ok(length)) => Rule::Length(length, "character"),
            (oid::JSON, _) => Rule::Json,
            (oid::JSONB, _) => Rule::Jsonb,
            (oid::UUID, _) => Rule::Uuid,
            _ => Rule::None,
        }
    }
}

struct Strings {
    builder: StringBuilder,
    rule: Rule,
    slow: Slow,
}

impl Strings {
    fn push(&mut self, value: &str) -> Result<()> {
        match self.rule {
            Rule::None | Rule::Uuid => self.builder.append_value(value),
            Rule::Length(length, name) => self.builder.append_value(within(value, length, name)?),
            Rule::Json => {
                json::check(value)?;
                self.builder.append_value(value);
            }
            Rule::Jsonb => self.builder.append_value(json::normal(value)?),
        }
        Ok(())
    }

    fn slowly(&mut self, value: &[u8], format: Format) -> Result<()> {
        match self.slow.decode(value, format)? {
            ScalarValue::Utf8(Some(text)) => self.push(&text),
            other => Err(Error::internal(format!("{} is not a text", other.data_type()))),
        }
    }
}

/// Blanks beyond the length are cut off, as in PostgreSQL.
fn within<'a>(value: &'a str, length: usize, name: &str) -> Result<&'a str> {
    if value.len() <= length {
        return Ok(value);
    }
    match value.char_indices().nth(length) {
        None => Ok(value),
        Some((end, _)) if value[end..].bytes().all(|byte| byte == b' ') => Ok(&value[..end]),
        Some(_) => {
            Err(Error::new(ErrorKind::StringTooLong, format!("value too long for type {name}({length})")))
        }
    }
}

impl Column for Strings {
    fn text(&mut self, value: &str) -> Result<()> {
        match self.rule {
            Rule::Uuid => self.slowly(value.as_bytes(), Format::Text),
            _ => self.push(value),
        }
    }

    fn binary(&mut self, value: &[u8]) -> Result<()> {
        match self.rule {
            Rule::None | Rule::Length(..) => self.push(utf8(value)?),
            Rule::Json | Rule::Jsonb | Rule::Uuid => self.slowly(value, Format::Binary),
        }
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct Bytes {
    builder: BinaryBuilder,
    slow: Slow,
}

impl Column for Bytes {
    fn text(&mut self, value: &str) -> Result<()> {
        match self.slow.decode(value.as_bytes(), Format::Text)? {
            ScalarValue::Binary(Some(bytes)) => self.builder.append_value(bytes),
            other => return Err(Error::internal(format!("{} is not bytea", other.data_type()))),
        }
        Ok(())
    }

    fn binary(&mut self, value: &[u8]) -> Result<()> {
        self.builder.append_value(value);
        Ok(())
    }

    fn null(&mut self) {
        self.builder.append_null();
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

/// Types that are too rare to be fast: arrays, times, intervals.
struct Scalars {
    values: Vec<Option<ScalarValue>>,
    slow: Slow,
}

impl Column for Scalars {
    fn text(&mut self, value: &str) -> Result<()> {
        self.values.push(Some(self.slow.decode(value.as_bytes(), Format::Text)?));
        Ok(())
    }

    fn binary(&mut self, value: &[u8]) -> Result<()> {
        self.values.push(Some(self.slow.decode(value, Format::Binary)?));
        Ok(())
    }

    fn null(&mut self) {
        self.values.push(None);
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        if self.values.is_empty() {
            return Ok(new_empty_array(&self.slow.target));
        }
        let null = ScalarValue::try_from(&self.slow.target)?;
        let values = std::mem::take(&mut self.values);
        let values = values.into_iter().map(|value| value.unwrap_or_else(|| null.clone()));
        Ok(ScalarValue::iter_to_array(values)?)
    }
}
