//! Functions of numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Float64Type, Int32Type};
use datafusion::logical_expr::ScalarUDF;
use voxhouse_engine::{Error, Result};

use super::kernel::Kernel;

pub(super) fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let takes = vec![DataType::Float64, DataType::Float64, DataType::Float64, DataType::Int32];
    let buckets = Kernel { name: "width_bucket", takes, gives: DataType::Int32, run: width_buckets };
    [buckets.function()].into_iter()
}

fn width_buckets(columns: &[ArrayRef]) -> Result<ArrayRef> {
    let [bounds @ .., counts] = columns else {
        return Err(Error::internal("width_bucket takes four arguments"));
    };
    let bounds: Vec<_> = bounds.iter().map(|column| column.as_primitive::<Float64Type>()).collect();
    let counts = counts.as_primitive::<Int32Type>();
    let buckets = (0..counts.len()).map(|row| {
        if counts.is_null(row) || bounds.iter().any(|column| column.is_null(row)) {
            return Ok(None);
        }
        let bound = |place: usize| bounds.get(place).map_or(f64::NAN, |column| column.value(row));
        width_bucket(bound(0), bound(1), bound(2), counts.value(row)).map(Some)
    });
    Ok(Arc::new(buckets.collect::<Result<Int32Array>>()?))
}

/// Which of `count` equal parts of the range a number lies in; 0 below it, `count` + 1 above. A range may fall.
fn width_bucket(value: f64, low: f64, high: f64, count: i32) -> Result<i32> {
    if count <= 0 {
        return Err(Error::invalid_argument("count must be greater than zero"));
    }
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return Err(Error::invalid_argument("operand, lower bound, and upper bound cannot be NaN"));
    }
    if !low.is_finite() || !high.is_finite() {
        return Err(Error::invalid_argument("lower and upper bounds must be finite"));
    }
    if low == high {
        return Err(Error::invalid_argument("lower bound cannot equal upper bound"));
    }
    let (value, low, high) = if low < high { (value, low, high) } else { (-value, -low, -high) };
    if value < low {
        return Ok(0);
    }
    if value >= high {
        return count.checked_add(1).ok_or_else(|| Error::invalid_argument("count is too large"));
    }
    Ok((f64::from(count) * ((value - low) / (high - low))) as i32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_counted_from_one() {
        let bucket = |value| width_bucket(value, 0.0, 10.0, 5).unwrap();
        assert_eq!([bucket(-1.0), bucket(0.0), bucket(5.0), bucket(9.99), bucket(10.0)], [0, 1, 3, 5, 6]);
        assert_eq!(width_bucket(9.0, 10.0, 0.0, 5).unwrap(), 1);
        assert!(width_bucket(1.0, 2.0, 2.0, 5).is_err());
        assert!(width_bucket(1.0, 0.0, 2.0, 0).is_err());
    }
}
