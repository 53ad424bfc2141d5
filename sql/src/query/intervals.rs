//! Intervals as PostgreSQL computes with them: a difference of timestamps counts days, an interval times a number hands
//! fractions of months and days down, and intervals compare by their length, a month of 30 days and a day of 24 hours.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, IntervalMonthDayNanoArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Float64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::planner::RawBinaryExpr;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility, cast as cast_expr,
};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::BinaryOperator;
use voxhouse_engine::{Error, ErrorKind};

use super::totals::{INTERVAL, is_interval};

const DAY_MICROS: i64 = 86_400_000_000;
const DAY_NANOS: i128 = 86_400_000_000_000;
const DAYS_A_MONTH: i128 = 30;

const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// The operators that DataFusion computes otherwise or not at all. `None`: not one of them.
pub fn operator(raw: &RawBinaryExpr, schema: &DFSchema) -> Result<Option<Expr>> {
    use BinaryOperator::{Divide, Minus, Multiply, Plus};
    if !matches!(raw.op, Plus | Minus | Multiply | Divide) {
        return Ok(None);
    }
    let (Ok(left), Ok(right)) = (raw.left.get_type(schema), raw.right.get_type(schema)) else {
        return Ok(None);
    };
    let is_number = |data_type: &DataType| data_type.is_numeric();
    let call = |function: &LazyLock<Arc<ScalarUDF>>, one: &Expr, other: &Expr| {
        Some(function.call(vec![one.clone(), other.clone()]))
    };
    Ok(match (&raw.op, &left, &right) {
        (Minus, DataType::Timestamp(..), DataType::Timestamp(..)) => call(&DIFFERENCE, &raw.left, &raw.right),
        (Minus, DataType::Timestamp(..), DataType::Date32)
        | (Minus, DataType::Date32, DataType::Timestamp(..)) => call(&DIFFERENCE, &raw.left, &raw.right),
        (Plus | Minus, DataType::Date32, other) if is_interval(other) => {
            let midnight = cast_expr(raw.left.clone(), TIMESTAMP);
            let operator = if raw.op == Plus { Operator::Plus } else { Operator::Minus };
            Some(Expr::BinaryExpr(BinaryExpr::new(Box::new(midnight), operator, Box::new(raw.right.clone()))))
        }
        (Plus, other, DataType::Date32) if is_interval(other) => {
            let midnight = cast_expr(raw.right.clone(), TIMESTAMP);
            let sum = BinaryExpr::new(Box::new(midnight), Operator::Plus, Box::new(raw.left.clone()));
            Some(Expr::BinaryExpr(sum))
        }
        (Multiply, one, other) if is_interval(one) && is_number(other) => {
            call(&PRODUCT, &raw.left, &raw.right)
        }
        (Multiply, one, other) if is_number(one) && is_interval(other) => {
            call(&PRODUCT_OF, &raw.left, &raw.right)
        }
        (Divide, one, other) if is_interval(one) && is_number(other) => {
            call(&QUOTIENT, &raw.left, &raw.right)
        }
        _ => None,
    })
}

/// Comparisons of intervals, as comparisons of their lengths.
pub fn compare_lengths(part: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let concerns = |expr: &Expr| expr.get_type(schema).is_ok_and(|data_type| is_interval(&data_type));
    let length = |expr: Box<Expr>| Box::new(LENGTH.call(vec![*expr]));
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if compares(op) && concerns(&left) && concerns(&right) =>
        {
            Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(length(left), op, length(right)))))
        }
        Expr::Between(Between { expr, negated, low, high })
            if concerns(&expr) && concerns(&low) && concerns(&high) =>
        {
            let (expr, low, high) = (length(expr), length(low), length(high));
            Ok(Transformed::yes(Expr::Between(Between { expr, negated, low, high })))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// What a key of ORDER BY sorts by.
pub fn sort_key(key: Expr, schema: &DFSchema) -> Expr {
    match key.get_type(schema) {
        Ok(data_type) if is_interval(&data_type) => LENGTH.call(vec![key]),
        _ => key,
    }
}

static DIFFERENCE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::Difference));
static PRODUCT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::Product));
static PRODUCT_OF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::ProductOf));
static QUOTIENT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::Quotient));
static LENGTH: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::Length));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Difference,
    Product,
    /// With the number in front.
    ProductOf,
    Quotient,
    Length,
}

fn function(operation: Operation) -> Arc<ScalarUDF> {
    let arguments = if operation == Operation::Length { 1 } else { 2 };
    let signature = Signature::any(arguments, Volatility::Immutable);
    Arc::new(ScalarUDF::from(OfIntervals { operation, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfIntervals {
    operation: Operation,
    signature: Signature,
}

impl ScalarUDFImpl for OfIntervals {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Difference => "timestamp_mi",
            Operation::Product => "interval_mul",
            Operation::ProductOf => "mul_d_interval",
            Operation::Quotient => "interval_div",
            Operation::Length => "interval_length",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.operation {
            Operation::Length => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
            _ => INTERVAL,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let are_scalars = args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if are_scalars { 1 } else { args.number_rows };
        let columns: Vec<ArrayRef> =
            args.args.into_iter().map(|value| value.into_array(rows)).collect::<Result<_>>()?;
        let result = self.compute(&columns)?;
        match are_scalars {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)),
            false => Ok(ColumnarValue::Array(result)),
        }
    }
}

impl OfIntervals {
    fn compute(&self, columns: &[ArrayRef]) -> Result<ArrayRef> {
        let first = columns.first().ok_or_else(|| Error::internal("an operator without operands"))?;
        let second = columns.last().ok_or_else(|| Error::internal("an operator without operands"))?;
        Ok(match self.operation {
            Operation::Difference => Arc::new(difference(first, second)?),
            Operation::Product => Arc::new(scaled(first, second, Ok)?),
            Operation::ProductOf => Arc::new(scaled(second, first, Ok)?),
            Operation::Quotient => Arc::new(scaled(first, second, |number| match number {
                0.0 => Err(Error::new(ErrorKind::DivisionByZero, "division by zero").into()),
                number => Ok(1.0 / number),
            })?),
            Operation::Length => Arc::new(lengths(first)?),
        })
    }
}

/// The microseconds of timestamps of any unit, and of dates at midnight.
fn micros(times: &ArrayRef) -> Result<ArrayRef> {
    let zone = match times.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    Ok(cast(times, &DataType::Timestamp(TimeUnit::Microsecond, zone))?)
}

fn difference(left: &ArrayRef, right: &ArrayRef) -> Result<IntervalMonthDayNanoArray> {
    let (left, right) = (micros(left)?, micros(right)?);
    let left = left.as_primitive::<TimestampMicrosecondType>();
    let right = right.as_primitive::<TimestampMicrosecondType>();
    let differences = left.iter().zip(right).map(|pair| {
        let (Some(one), Some(other)) = pair else { return Ok(None) };
        let between = one.checked_sub(other).ok_or_else(out_of_range)?;
        let days = i32::try_from(between / DAY_MICROS).map_err(|_| out_of_range())?;
        Ok(Some(IntervalMonthDayNano::new(0, days, between % DAY_MICROS * 1_000)))
    });
    differences.collect()
}

fn intervals(values: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(values, &INTERVAL)?)
}

fn scaled(
    values: &ArrayRef,
    numbers: &ArrayRef,
    factor: impl Fn(f64) -> Result<f64>,
) -> Result<IntervalMonthDayNanoArray> {
    let (values, numbers) = (intervals(values)?, cast(numbers, &DataType::Float64)?);
    let values = values.as_primitive::<IntervalMonthDayNanoType>();
    let products = values.iter().zip(numbers.as_primitive::<Float64Type>()).map(|pair| {
        let (Some(value), Some(number)) = pair else { return Ok(None) };
        times(value, factor(number)?).map(Some)
    });
    products.collect()
}

/// A fraction of a month becomes days, a fraction of a day becomes time; nothing is handed up.
pub fn times(value: IntervalMonthDayNano, factor: f64) -> Result<IntervalMonthDayNano> {
    let months = f64::from(value.months) * factor;
    let days = f64::from(value.days) * factor;
    if !months.is_finite() || !days.is_finite() {
        return Err(out_of_range());
    }
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    let month_days = rounded((months - months.trunc()) * DAYS_A_MONTH as f64);
    let seconds = rounded((days - days.trunc() + month_days - month_days.trunc()) * 86_400.0);
    let whole_days = days.trunc() + month_days.trunc();
    let micros = (value.nanoseconds as f64 / 1e3).mul_add(factor, seconds * 1e6).round();
    if months.abs() > f64::from(i32::MAX) || whole_days.abs() > f64::from(i32::MAX) || micros.abs() > 9.2e15 {
        return Err(out_of_range());
    }
    Ok(IntervalMonthDayNano::new(months.trunc() as i32, whole_days as i32, micros as i64 * 1_000))
}

fn lengths(values: &ArrayRef) -> Result<Decimal128Array> {
    let values = intervals(values)?;
    let values = values.as_primitive::<IntervalMonthDayNanoType>();
    let lengths: Decimal128Array = values.iter().map(|value| value.map(length)).collect();
    Ok(lengths.with_precision_and_scale(DECIMAL128_MAX_PRECISION, 0)?)
}

fn length(value: IntervalMonthDayNano) -> i128 {
    let days = i128::from(value.months) * DAYS_A_MONTH + i128::from(value.days);
    days * DAY_NANOS + i128::from(value.nanoseconds)
}

fn out_of_range() -> datafusion::error::DataFusionError {
    Error::new(ErrorKind::DatetimeOutOfRange, "interval out of range").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(months: i32, days: i32, seconds: f64) -> IntervalMonthDayNano {
        IntervalMonthDayNano::new(months, days, (seconds * 1e9) as i64)
    }

    /// The products are those of PostgreSQL 15.
    #[test]
    fn fractions_are_handed_down() {
        let product = |value, factor| times(value, factor).unwrap();
        assert_eq!(product(interval(0, 0, 3_600.0), 2.5), interval(0, 0, 9_000.0));
        assert_eq!(product(interval(1, 0, 0.0), 0.5), interval(0, 15, 0.0));
        assert_eq!(product(interval(1, 1, 0.0), 1.5), interval(1, 16, 43_200.0));
        assert_eq!(product(interval(0, 1, 0.0), 0.1), interval(0, 0, 8_640.0));
        assert_eq!(product(interval(0, 1, 0.0), -2.0), interval(0, -2, 0.0));
        assert!(times(interval(0, 1, 0.0), 1e300).is_err());
    }

    #[test]
    fn intervals_compare_by_length() {
        assert!(length(interval(0, 0, 129_600.0)) > length(interval(0, 1, 0.0)));
        assert_eq!(length(interval(1, 0, 0.0)), length(interval(0, 30, 0.0)));
        assert!(length(interval(0, -1, 0.0)) < length(interval(0, 0, -3_600.0)));
    }
}
