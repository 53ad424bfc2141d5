//! `sum` and `avg` of intervals, which DataFusion does not have. Months, days and time are added up apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit, UInt64Type,
};
use datafusion::error::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::catalog::SqlType;
use voxhouse_engine::{Error, ErrorKind};

use super::intervals::times;

pub const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

pub fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

/// PostgreSQL's error for an argument that a function does not take.
pub fn not_for(function: &str, given: &DataType) -> Error {
    let name = SqlType::from_arrow(given).map_or_else(|_| given.to_string(), |known| known.to_string());
    Error::new(ErrorKind::UndefinedFunction, format!("function {function}({name}) does not exist")).with_hint(
        "No function matches the given name and argument types. You might need to add explicit type casts.",
    )
}

/// `sum`, of intervals too.
pub fn sum() -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::from(Totals { signature, of_numbers: Sum::new() }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Totals {
    signature: Signature,
    of_numbers: Sum,
}

fn sums_intervals(fields: &[FieldRef]) -> bool {
    fields.first().is_some_and(|field| is_interval(field.data_type()))
}

impl AggregateUDFImpl for Totals {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [given] = given else {
            return Err(Error::new(ErrorKind::UndefinedFunction, "function sum takes one argument").into());
        };
        let taken = match given {
            DataType::Dictionary(_, values) => values.as_ref(),
            other => other,
        };
        Ok(vec![match taken {
            DataType::Null => DataType::Int64,
            interval if is_interval(interval) => INTERVAL,
            decimal if decimal.is_decimal() => decimal.clone(),
            integer if integer.is_signed_integer() => DataType::Int64,
            integer if integer.is_unsigned_integer() => DataType::UInt64,
            float if float.is_floating() => DataType::Float64,
            other => return Err(not_for("sum", other).into()),
        }])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [interval] if is_interval(interval) => Ok(INTERVAL),
            _ => self.of_numbers.return_type(given),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match sums_intervals(args.expr_fields) {
            true if args.is_distinct => {
                Err(Error::not_supported("sum(DISTINCT interval) is not supported").into())
            }
            true => Ok(Box::new(Total::default())),
            false => self.of_numbers.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        match sums_intervals(args.input_fields) {
            true => Ok(Total::state_fields(args.name)),
            false => self.of_numbers.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !sums_intervals(args.expr_fields) && self.of_numbers.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.of_numbers.create_groups_accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match sums_intervals(args.expr_fields) {
            true => self.accumulator(args),
            false => self.of_numbers.create_sliding_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The parts of a sum of intervals.
#[derive(Debug, Default)]
pub struct Total {
    months: i64,
    days: i64,
    nanoseconds: i128,
    count: u64,
    /// Whether it is asked for the mean.
    is_mean: bool,
}

impl Total {
    pub fn mean() -> Self {
        Self { is_mean: true, ..Self::default() }
    }

    pub fn state_fields(name: &str) -> Vec<FieldRef> {
        let named = |part: &str, data_type| Arc::new(Field::new(format!("{name}[{part}]"), data_type, true));
        vec![
            named("months", DataType::Int64),
            named("days", DataType::Int64),
            named("nanoseconds", DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)),
            named("count", DataType::UInt64),
        ]
    }

    fn add(&mut self, values: &ArrayRef, sign: i8) -> Result<()> {
        let values = cast(values, &INTERVAL)?;
        for value in values.as_primitive::<IntervalMonthDayNanoType>().iter().flatten() {
            self.months += i64::from(value.months) * i64::from(sign);
            self.days += i64::from(value.days) * i64::from(sign);
            self.nanoseconds += i128::from(value.nanoseconds) * i128::from(sign);
        }
        let counted = (values.len() - values.null_count()) as u64;
        self.count = if sign > 0 { self.count + counted } else { self.count - counted };
        Ok(())
    }

    fn value(&self) -> Result<Option<IntervalMonthDayNano>> {
        if self.count == 0 {
            return Ok(None);
        }
        let too_long = || Error::new(ErrorKind::DatetimeOutOfRange, "interval out of range");
        let months = i32::try_from(self.months).map_err(|_| too_long())?;
        let days = i32::try_from(self.days).map_err(|_| too_long())?;
        let nanoseconds = i64::try_from(self.nanoseconds).map_err(|_| too_long())?;
        let sum = IntervalMonthDayNano::new(months, days, nanoseconds);
        Ok(Some(if self.is_mean { times(sum, 1.0 / self.count as f64)? } else { sum }))
    }
}

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], 1)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0], -1)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::IntervalMonthDayNano(self.value()?))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            ScalarValue::Int64(Some(self.months)),
            ScalarValue::Int64(Some(self.days)),
            ScalarValue::Decimal128(Some(self.nanoseconds), DECIMAL128_MAX_PRECISION, 0),
            ScalarValue::UInt64(Some(self.count)),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.months += states[0].as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
        self.days += states[1].as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
        self.nanoseconds += states[2].as_primitive::<Decimal128Type>().iter().flatten().sum::<i128>();
        self.count += states[3].as_primitive::<UInt64Type>().iter().flatten().sum::<u64>();
        Ok(())
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
