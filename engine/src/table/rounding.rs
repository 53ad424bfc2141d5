//! Numbers of one kind as those of another. A fraction that goes into an integer is rounded as in PostgreSQL, a float to the
//! even neighbour and a numeric away from zero, where Arrow would cut it off; and a numeric becomes the double nearest to it,
//! where Arrow's division can miss that by one.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type};

use crate::error::Result;

/// Of another type than a float or a numeric, the values stay as they are.
pub fn to_whole(values: &ArrayRef) -> Result<ArrayRef> {
    Ok(match values.data_type() {
        DataType::Float32 => {
            Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::round_ties_even))
        }
        DataType::Float64 => {
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round_ties_even))
        }
        numeric if numeric.is_decimal() => cast(values, &whole_type(numeric))?,
        _ => Arc::clone(values),
    })
}

/// The doubles nearest to numerics.
pub fn to_double(values: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Decimal128(_, scale) = values.data_type() else {
        let texts = cast(values, &DataType::Utf8)?;
        return Ok(cast(&texts, &DataType::Float64)?);
    };
    let scale = *scale;
    let doubles =
        values.as_primitive::<Decimal128Type>().unary::<_, Float64Type>(|value| nearest(value, scale));
    Ok(Arc::new(doubles))
}

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// `value` divided by ten to the power of `scale`.
pub fn nearest(value: i128, scale: i8) -> f64 {
    const EXACT: i128 = 1 << f64::MANTISSA_DIGITS;
    let power = usize::try_from(scale).ok().and_then(|scale| EXACT_POWERS.get(scale));
    match power {
        // Both are exact, so the division rounds once.
        Some(power) if (-EXACT..=EXACT).contains(&value) => value as f64 / power,
        _ => format!("{value}e{}", -i16::from(scale)).parse().unwrap_or(f64::NAN),
    }
}

/// The type of whole numbers of these.
pub fn whole_type(data_type: &DataType) -> DataType {
    match data_type {
        // One digit more: 9.9 becomes 10.
        DataType::Decimal128(precision, scale) if *scale > 0 => {
            DataType::Decimal128((precision + 1).saturating_sub(*scale as u8).clamp(1, 38), 0)
        }
        DataType::Decimal256(precision, scale) if *scale > 0 => {
            DataType::Decimal256((precision + 1).saturating_sub(*scale as u8).clamp(1, 76), 0)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Float64Array};

    use super::*;

    #[test]
    fn numerics_become_the_nearest_doubles() {
        for text in
            ["0.30000000000000004", "0.1", "-123456789.123456789", "1234567890123456.7", "0.000000000000001"]
        {
            let (whole, fraction) = text.split_once('.').unwrap();
            let value: i128 = format!("{whole}{fraction}").parse().unwrap();
            assert_eq!(nearest(value, fraction.len() as i8), text.parse::<f64>().unwrap(), "{text}");
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour_or_away_from_zero() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.5, 1.5, 2.5, -2.5]));
        let whole = to_whole(&floats).unwrap();
        assert_eq!(whole.as_primitive::<Float64Type>().values().to_vec(), [0.0, 2.0, 2.0, -2.0]);
        let numerics = Decimal128Array::from(vec![5, 15, 25, -25]).with_precision_and_scale(2, 1).unwrap();
        let whole = cast(&to_whole(&(Arc::new(numerics) as ArrayRef)).unwrap(), &DataType::Float64).unwrap();
        assert_eq!(whole.as_primitive::<Float64Type>().values().to_vec(), [1.0, 2.0, 3.0, -3.0]);
    }
}
