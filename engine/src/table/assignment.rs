//! Values as they come, as the values of a column.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;

use super::array_text;
use super::rounding::{to_double, to_whole};
use crate::catalog::{Column, SqlType};
use crate::error::{Error, ErrorKind, Result};

/// PostgreSQL's assignment: what fits is converted, what does not becomes NULL here and an error above.
pub(super) fn assignment_cast(column: &Column, values: &ArrayRef, target: &DataType) -> Result<ArrayRef> {
    if values.data_type() == target {
        return Ok(Arc::clone(values));
    }
    let assignable = match (values.data_type(), target) {
        (DataType::Boolean, DataType::Utf8) => true,
        (DataType::Boolean, target) if target.is_numeric() => false,
        (source, DataType::Boolean) if source.is_numeric() => false,
        (source, DataType::Date32 | DataType::Timestamp(_, _)) if source.is_numeric() => false,
        (DataType::Date32 | DataType::Timestamp(_, _), target) if target.is_numeric() => false,
        (source, target) => arrow::compute::can_cast_types(source, target),
    };
    if !assignable {
        let source = SqlType::from_arrow(values.data_type())
            .map_or_else(|_| values.data_type().to_string(), |known| known.to_string());
        return Err(Error::new(
            ErrorKind::DatatypeMismatch,
            format!(
                "column \"{}\" is of type {} but expression is of type {source}",
                column.name, column.data_type
            ),
        )
        .with_hint("You will need to rewrite or cast the expression."));
    }
    let values = match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if *target == DataType::Binary => {
            return bytes_of_text(values);
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if target.is_numeric() => trimmed(values)?,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if let DataType::List(item) = target => {
            return array_text::lists(values, item);
        }
        given if given.is_decimal() && *target == DataType::Float64 => return to_double(values),
        given if target.is_integer() && (given.is_floating() || given.is_decimal()) => to_whole(values)?,
        _ => Arc::clone(values),
    };
    Ok(cast_with_options(&values, target, &CastOptions { safe: true, ..CastOptions::default() })?)
}

/// Texts of bytea; NULL for what is not one.
fn bytes_of_text(values: &ArrayRef) -> Result<ArrayRef> {
    let texts = arrow::compute::cast(values, &DataType::Utf8)?;
    let bytes = texts.as_string::<i32>().iter().map(|text| text.and_then(bytea));
    Ok(Arc::new(bytes.collect::<BinaryArray>()))
}

/// PostgreSQL's input of bytea: `\x00ff`, or text in which `\\` is a backslash and `\377` a byte.
fn bytea(text: &str) -> Option<Vec<u8>> {
    if let Some(hexadecimal) = text.strip_prefix("\\x") {
        let digits: Vec<u32> =
            hexadecimal.chars().map(|letter| letter.to_digit(16)).collect::<Option<_>>()?;
        let pairs = digits.chunks_exact(2);
        let whole = pairs.remainder().is_empty();
        return whole.then(|| pairs.map(|pair| (pair[0] * 16 + pair[1]) as u8).collect());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                after
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                after
            }
            (b'\\', _) => return None,
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    Some(bytes)
}

/// PostgreSQL reads numbers with blanks around them.
fn trimmed(values: &ArrayRef) -> Result<ArrayRef> {
    let texts = arrow::compute::cast(values, &DataType::Utf8)?;
    let texts = texts.as_string::<i32>();
    if texts.iter().flatten().all(|text| text.trim().len() == text.len()) {
        return Ok(Arc::new(texts.clone()));
    }
    Ok(Arc::new(texts.iter().map(|text| text.map(str::trim)).collect::<StringArray>()))
}

pub(super) fn bad_value(column: &Column, value: &str, source: &DataType) -> Error {
    let shown: String = value.chars().take(100).collect();
    if matches!(source, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        let kind = match column.data_type {
            SqlType::Date | SqlType::Timestamp | SqlType::TimestampTz => ErrorKind::InvalidDatetime,
            _ => ErrorKind::InvalidText,
        };
        return Error::new(
            kind,
            format!(
                "column \"{}\": invalid input syntax for type {}: \"{shown}\"",
                column.name, column.data_type
            ),
        );
    }
    Error::new(
        ErrorKind::NumericOutOfRange,
        format!("column \"{}\": {shown} is out of range for type {}", column.name, column.data_type),
    )
}
