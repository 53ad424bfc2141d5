//! Text of numbers of any precision.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, i256};
use datafusion::scalar::ScalarValue;

/// Why a text is not a number that a decimal can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Syntax,
    /// More digits than the widest decimal has; or not a number at all, which no decimal can be.
    Range,
}

/// Beyond this exponent no decimal holds the value, whatever its digits.
const LARGEST_EXPONENT: i64 = 1_000;

/// A decimal of exactly the digits of the text: `-1.50` has three, two of them behind the point.
pub(super) fn parse_decimal(text: &str) -> Result<ScalarValue, Refusal> {
    let lower = text.to_ascii_lowercase();
    let unsigned = lower.strip_prefix(['+', '-']).unwrap_or(&lower);
    if matches!(unsigned, "nan" | "inf" | "infinity") {
        return Err(Refusal::Range);
    }
    let (mantissa, exponent) = match unsigned.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Syntax);
    }
    if exponent.abs() > LARGEST_EXPONENT {
        return Err(Refusal::Range);
    }
    let mut scale = fraction.len() as i64 - exponent;
    if scale < 0 {
        digits.push_str(&"0".repeat(scale.unsigned_abs() as usize));
        scale = 0;
    }
    let significant = digits.trim_start_matches('0');
    let precision = (significant.len() as i64).max(scale).max(1);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let value = format!("{sign}{}", if significant.is_empty() { "0" } else { significant });
    let (precision, scale) = match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision), Ok(scale)) => (precision, scale),
        _ => return Err(Refusal::Range),
    };
    if precision <= DECIMAL128_MAX_PRECISION {
        let value = value.parse().map_err(|_| Refusal::Range)?;
        return Ok(ScalarValue::Decimal128(Some(value), precision, scale));
    }
    match i256::from_string(&value) {
        Some(value) if precision <= DECIMAL256_MAX_PRECISION => {
            Ok(ScalarValue::Decimal256(Some(value), precision, scale))
        }
        _ => Err(Refusal::Range),
    }
}

fn parse_exponent(text: &str) -> Result<i64, Refusal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::Syntax);
    }
    text.parse().map_err(|_| Refusal::Range)
}

/// The narrowest decimal that holds all of these; `None` if there is none, or one of them is no decimal.
pub(super) fn common_decimal<'a>(types: impl Iterator<Item = &'a DataType>) -> Option<DataType> {
    let (mut whole, mut scale) = (0, 0);
    for data_type in types {
        let (DataType::Decimal128(digits, behind) | DataType::Decimal256(digits, behind)) = data_type else {
            return None;
        };
        whole = whole.max(i16::from(*digits) - i16::from(*behind));
        scale = scale.max(*behind);
    }
    let precision = u8::try_from((whole + i16::from(scale)).max(1)).ok()?;
    match precision {
        _ if precision <= DECIMAL128_MAX_PRECISION => Some(DataType::Decimal128(precision, scale)),
        _ if precision <= DECIMAL256_MAX_PRECISION => Some(DataType::Decimal256(precision, scale)),
        _ => None,
    }
}
