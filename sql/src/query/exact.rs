//! Division of exact numbers. PostgreSQL gives a quotient at least sixteen significant digits and rounds the last;
//! DataFusion gives it four more than the dividend has and cuts off the rest.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use arrow::compute::cast;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, i256};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::common::utils::take_function_args;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, cast as cast_expr,
};
use voxhouse_engine::{Error, ErrorKind};

/// Digits behind the point of quotients and averages, unless the numbers have more.
pub const SCALE: i8 = 16;

/// Digits before the point that a product keeps room for; with less it is computed in 256 bits.
const WHOLE_DIGITS: i8 = 20;

pub const DIVIDE: &str = "numeric_div";

static FUNCTION: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(Divide { signature: Signature::any(2, Volatility::Immutable) }))
});

/// Puts exact division in the place of the operator, and makes room for products.
pub fn rewrite(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &part else { return Ok(Transformed::no(part)) };
    let (Ok(one), Ok(other)) = (left.get_type(schema), right.get_type(schema)) else {
        return Ok(Transformed::no(part));
    };
    match op {
        Operator::Divide if is_exact_division(&one, &other) => {
            let Expr::BinaryExpr(BinaryExpr { left, right, .. }) = part else {
                return Ok(Transformed::no(part));
            };
            let call = ScalarFunction::new_udf(Arc::clone(&FUNCTION), vec![*left, *right]);
            Ok(Transformed::yes(Expr::ScalarFunction(call)))
        }
        Operator::Multiply => match (wide(&one, &other), wide(&other, &one)) {
            (Some(left_type), Some(right_type)) => {
                let (left, right) = (left.as_ref().clone(), right.as_ref().clone());
                let (left, right) = (cast_expr(left, left_type), cast_expr(right, right_type));
                let product = BinaryExpr::new(Box::new(left), Operator::Multiply, Box::new(right));
                Ok(Transformed::yes(Expr::BinaryExpr(product)))
            }
            _ => Ok(Transformed::no(part)),
        },
        _ => Ok(Transformed::no(part)),
    }
}

fn is_exact_division(left: &DataType, right: &DataType) -> bool {
    let narrow = |data_type: &DataType| {
        matches!(data_type, DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..))
    };
    (narrow(left) && (narrow(right) || right.is_integer())) || (left.is_integer() && narrow(right))
}

/// The type of a factor whose product with another would have no room for large numbers.
fn wide(factor: &DataType, other: &DataType) -> Option<DataType> {
    let (DataType::Decimal128(precision, scale), DataType::Decimal128(_, other)) = (factor, other) else {
        return None;
    };
    let room = DECIMAL128_MAX_PRECISION as i8 - (scale + other);
    (room < WHOLE_DIGITS).then_some(DataType::Decimal256(*precision, *scale))
}

/// The quotient of two numbers of these scales, rounded half away from zero.
///
/// # Errors
/// Division by zero; numeric out of range, for more than 38 digits.
pub fn divided(left: i128, left_scale: i8, right: i128, right_scale: i8, scale: i8) -> Result<i128> {
    if right == 0 {
        return Err(Error::new(ErrorKind::DivisionByZero, "division by zero").into());
    }
    let shift = i16::from(scale) - i16::from(left_scale) + i16::from(right_scale);
    let quotient = match ten_to(shift).and_then(|factor| left.checked_mul(factor)) {
        Some(dividend) => {
            let (quotient, rest) = (dividend / right, dividend % right);
            let is_half = rest.unsigned_abs() >= right.unsigned_abs() - rest.unsigned_abs();
            let away = if (left < 0) == (right < 0) { 1 } else { -1 };
            quotient + if is_half && rest != 0 { away } else { 0 }
        }
        None => wide_quotient(left, right, shift).ok_or_else(out_of_range)?,
    };
    if quotient.unsigned_abs() >= 10_u128.pow(u32::from(DECIMAL128_MAX_PRECISION)) {
        return Err(out_of_range());
    }
    Ok(quotient)
}

fn ten_to(power: i16) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(power).ok()?)
}

fn wide_quotient(left: i128, right: i128, shift: i16) -> Option<i128> {
    let factor = i256::from_i128(10).checked_pow(u32::try_from(shift).ok()?)?;
    let dividend = i256::from_i128(left).checked_mul(factor)?;
    let divisor = i256::from_i128(right);
    let (quotient, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
    let is_half = rest.wrapping_abs() >= divisor.wrapping_abs().wrapping_sub(rest.wrapping_abs());
    let away = if (left < 0) == (right < 0) { i256::ONE } else { i256::MINUS_ONE };
    let rounded = if is_half && rest != i256::ZERO { quotient.checked_add(away)? } else { quotient };
    rounded.to_i128()
}

fn out_of_range() -> DataFusionError {
    Error::new(ErrorKind::NumericOutOfRange, "value out of range: the quotient has more than 38 digits")
        .into()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Divide {
    signature: Signature,
}

fn scale_of(data_type: &DataType) -> i8 {
    match data_type {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            *scale
        }
        _ => 0,
    }
}

impl ScalarUDFImpl for Divide {
    fn name(&self) -> &str {
        DIVIDE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let [left, right] = take_function_args(DIVIDE, arguments)?;
        let scale = SCALE.max(scale_of(left)).max(scale_of(right));
        Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale))
    }

    /// EXPLAIN shows what was written.
    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        let [left, right] = take_function_args(DIVIDE, arguments)?;
        Ok(format!("{left} / {right}"))
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let [left, right] = take_function_args(DIVIDE, arguments)?;
        Ok(format!("{} / {}", left.schema_name(), right.schema_name()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = take_function_args(DIVIDE, args.args)?;
        let scale = scale_of(args.return_field.data_type());
        let both_scalar = matches!((&left, &right), (ColumnarValue::Scalar(_), ColumnarValue::Scalar(_)));
        let rows = if both_scalar { 1 } else { args.number_rows };
        let (left, right) = (exact(&left.into_array(rows)?)?, exact(&right.into_array(rows)?)?);
        let quotients = left.iter().zip(right.iter()).map(|(one, other)| {
            let (Some(one), Some(other)) = (one, other) else { return Ok(None) };
            divided(one, left.scale(), other, right.scale(), scale).map(Some)
        });
        let quotients = quotients.collect::<Result<Decimal128Array>>()?;
        let quotients: ArrayRef = Arc::new(quotients.with_data_type(args.return_field.data_type().clone()));
        match both_scalar {
            true => {
                Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&quotients, 0)?))
            }
            false => Ok(ColumnarValue::Array(quotients)),
        }
    }
}

fn exact(values: &ArrayRef) -> Result<Decimal128Array> {
    let wanted = match values.data_type() {
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal128(..) => return Ok(values.as_primitive::<Decimal128Type>().clone()),
        _ => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
    };
    Ok(cast(values, &wanted)?.as_primitive::<Decimal128Type>().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_are_rounded_half_away_from_zero() {
        let quotient = |left, right, scale| divided(left, 0, right, 0, scale).unwrap();
        assert_eq!(quotient(5, 3, 16), 16_666_666_666_666_667);
        assert_eq!(quotient(-5, 3, 16), -16_666_666_666_666_667);
        assert_eq!(quotient(1, 2, 0), 1);
        assert_eq!(quotient(-1, 2, 0), -1);
        assert_eq!(quotient(1, -3, 0), 0);
        assert_eq!(quotient(6, 3, 2), 200);
        assert_eq!(divided(100, 2, 3, 0, 16).unwrap(), 3_333_333_333_333_333);
        assert_eq!(divided(1, 0, 300, 2, 16).unwrap(), 3_333_333_333_333_333);
    }

    #[test]
    fn large_dividends_are_exact() {
        let dividend = 12_345_678_901_234_567_890_123_i128;
        assert_eq!(divided(dividend, 0, 1_000, 0, 16).unwrap(), dividend * 10_i128.pow(13));
        assert_eq!(divided(dividend, 0, 7, 0, 2).unwrap(), 176_366_841_446_208_112_716_043);
        assert!(divided(i128::MAX, 0, 1, 0, 16).is_err());
        assert!(divided(1, 0, 0, 0, 16).is_err());
    }
}
