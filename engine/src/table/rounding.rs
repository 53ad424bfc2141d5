//! Numbers made whole, as PostgreSQL does where a fraction goes into an integer: a float rounds to the even neighbour, a
//! numeric away from zero. Arrow would cut the fraction off.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type};

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

/// The type of such numbers.
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
    fn halves_go_to_the_even_neighbour_or_away_from_zero() {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.5, 1.5, 2.5, -2.5]));
        let whole = to_whole(&floats).unwrap();
        assert_eq!(whole.as_primitive::<Float64Type>().values().to_vec(), [0.0, 2.0, 2.0, -2.0]);
        let numerics = Decimal128Array::from(vec![5, 15, 25, -25]).with_precision_and_scale(2, 1).unwrap();
        let whole = cast(&to_whole(&(Arc::new(numerics) as ArrayRef)).unwrap(), &DataType::Float64).unwrap();
        assert_eq!(whole.as_primitive::<Float64Type>().values().to_vec(), [1.0, 2.0, 3.0, -3.0]);
    }
}
