//! `avg` of exact numbers: the sum is exact, and the mean is rounded at its last digit. DataFusion cuts it off there.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, ListArray, PrimitiveArray,
    UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Field, FieldRef,
    Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::cast::{as_list_array, as_uint64_array};
use datafusion::error::Result;
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

use super::exact::{SCALE, divided};
use super::totals::{INTERVAL, Total, is_interval, not_for};

/// The function, in the place of DataFusion's.
pub fn average() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Average {
        signature: Signature::user_defined(Volatility::Immutable),
        of_others: Avg::new(),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Average {
    signature: Signature,
    /// Floats.
    of_others: Avg,
}

/// The scale of numbers that a sum of 128 bits can hold.
pub(super) fn exact_scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            Some(*scale)
        }
        integer if integer.is_integer() => Some(0),
        _ => None,
    }
}

pub(super) fn mean_scale(scale: i8) -> i8 {
    scale.max(SCALE)
}

impl AggregateUDFImpl for Average {
    fn name(&self) -> &str {
        "avg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [given] = given else {
            return Err(Error::new(ErrorKind::UndefinedFunction, "function avg takes one argument").into());
        };
        let taken = match given {
            DataType::Dictionary(_, values) => values.as_ref(),
            other => other,
        };
        Ok(vec![match taken {
            DataType::Float16 | DataType::Float32 | DataType::Null => DataType::Float64,
            DataType::Float64 | DataType::Decimal256(..) => taken.clone(),
            interval if is_interval(interval) => INTERVAL,
            exact if exact_scale(exact).is_some() => exact.clone(),
            other => return Err(not_for("avg", other).into()),
        }])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        if given.first().is_some_and(is_interval) {
            return Ok(INTERVAL);
        }
        match given.first().and_then(exact_scale) {
            Some(scale) => Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, mean_scale(scale))),
            None => self.of_others.return_type(given),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match exact_scale(args.expr_fields[0].data_type()) {
            Some(scale) if args.is_distinct => Ok(Box::new(DistinctMean { values: HashSet::new(), scale })),
            Some(scale) => Ok(Box::new(Mean { sum: 0, count: 0, scale })),
            None if is_interval(args.expr_fields[0].data_type()) && !args.is_distinct => {
                Ok(Box::new(Total::mean()))
            }
            None => self.of_others.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if is_interval(args.input_fields[0].data_type()) {
            return Ok(Total::state_fields(args.name));
        }
        let Some(scale) = exact_scale(args.input_fields[0].data_type()) else {
            return self.of_others.state_fields(args);
        };
        let sum = DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale);
        let named = |part: &str, data_type: DataType| {
            Arc::new(Field::new(format!("{}[{part}]", args.name), data_type, true))
        };
        if args.is_distinct {
            return Ok(vec![named("values", DataType::new_list(sum, true))]);
        }
        Ok(vec![named("count", DataType::UInt64), named("sum", sum)])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match exact_scale(args.expr_fields[0].data_type()) {
            Some(_) => !args.is_distinct,
            None if is_interval(args.expr_fields[0].data_type()) => false,
            None => self.of_others.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match exact_scale(args.expr_fields[0].data_type()) {
            Some(scale) => Ok(Box::new(Means { sums: Vec::new(), counts: Vec::new(), scale })),
            None => self.of_others.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match exact_scale(args.expr_fields[0].data_type()) {
            Some(_) => self.accumulator(args),
            None if is_interval(args.expr_fields[0].data_type()) => self.accumulator(args),
            None => self.of_others.create_sliding_accumulator(args),
        }
    }
}

/// Calls a function of primitive arrays with an array of exact numbers.
macro_rules! for_exact {
    ($values:expr, $call:ident ( $($argument:expr),* )) => {
        match $values.data_type() {
            DataType::Int8 => $call($values.as_primitive::<Int8Type>(), $($argument),*),
            DataType::Int16 => $call($values.as_primitive::<Int16Type>(), $($argument),*),
            DataType::Int32 => $call($values.as_primitive::<Int32Type>(), $($argument),*),
            DataType::Int64 => $call($values.as_primitive::<Int64Type>(), $($argument),*),
            DataType::UInt8 => $call($values.as_primitive::<UInt8Type>(), $($argument),*),
            DataType::UInt16 => $call($values.as_primitive::<UInt16Type>(), $($argument),*),
            DataType::UInt32 => $call($values.as_primitive::<UInt32Type>(), $($argument),*),
            DataType::UInt64 => $call($values.as_primitive::<UInt64Type>(), $($argument),*),
            DataType::Decimal32(..) => $call($values.as_primitive::<Decimal32Type>(), $($argument),*),
            DataType::Decimal64(..) => $call($values.as_primitive::<Decimal64Type>(), $($argument),*),
            DataType::Decimal128(..) => $call($values.as_primitive::<Decimal128Type>(), $($argument),*),
            other => Err(Error::internal(format!("an exact average of {other}")).into()),
        }
    };
}

fn overflow() -> datafusion::error::DataFusionError {
    Error::new(ErrorKind::NumericOutOfRange, "value out of range: the sum has more than 38 digits").into()
}

fn add(sum: &mut i128, value: i128) -> Result<()> {
    *sum = sum.checked_add(value).ok_or_else(overflow)?;
    Ok(())
}

fn sum_of<T>(values: &PrimitiveArray<T>) -> Result<i128>
where
    T: ArrowPrimitiveType<Native: Into<i128>>,
{
    let mut sum = 0;
    if values.null_count() == 0 {
        values.values().iter().try_for_each(|value| add(&mut sum, (*value).into()))?;
    } else {
        values.iter().flatten().try_for_each(|value| add(&mut sum, value.into()))?;
    }
    Ok(sum)
}

fn mean(sum: i128, count: u64, scale: i8) -> Result<Option<i128>> {
    if count == 0 {
        return Ok(None);
    }
    divided(sum, scale, i128::from(count), 0, mean_scale(scale)).map(Some)
}

fn mean_type(scale: i8) -> DataType {
    DataType::Decimal128(DECIMAL128_MAX_PRECISION, mean_scale(scale))
}

#[derive(Debug)]
struct Mean {
    sum: i128,
    count: u64,
    scale: i8,
}

impl Accumulator for Mean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = &values[0];
        add(&mut self.sum, for_exact!(values, sum_of())?)?;
        self.count += (values.len() - values.null_count()) as u64;
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = &values[0];
        add(&mut self.sum, -for_exact!(values, sum_of())?)?;
        self.count -= (values.len() - values.null_count()) as u64;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mean = mean(self.sum, self.count, self.scale)?;
        Ok(ScalarValue::Decimal128(mean, DECIMAL128_MAX_PRECISION, mean_scale(self.scale)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![
            ScalarValue::UInt64(Some(self.count)),
            ScalarValue::Decimal128(Some(self.sum), DECIMAL128_MAX_PRECISION, self.scale),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.count += as_uint64_array(&states[0])?.iter().flatten().sum::<u64>();
        add(&mut self.sum, sum_of(states[1].as_primitive::<Decimal128Type>())?)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The mean of the values that differ.
#[derive(Debug)]
struct DistinctMean {
    values: HashSet<i128>,
    scale: i8,
}

fn remember<T>(array: &PrimitiveArray<T>, values: &mut HashSet<i128>) -> Result<()>
where
    T: ArrowPrimitiveType<Native: Into<i128>>,
{
    values.extend(array.iter().flatten().map(Into::into));
    Ok(())
}

impl Accumulator for DistinctMean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for_exact!(values[0], remember(&mut self.values))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut sum = 0;
        self.values.iter().try_for_each(|value| add(&mut sum, *value))?;
        let mean = mean(sum, self.values.len() as u64, self.scale)?;
        Ok(ScalarValue::Decimal128(mean, DECIMAL128_MAX_PRECISION, mean_scale(self.scale)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Decimal128Array = self.values.iter().copied().collect();
        let values = values.with_data_type(DataType::Decimal128(DECIMAL128_MAX_PRECISION, self.scale));
        let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths([values.len()]);
        let list = ListArray::try_new(item, offsets, Arc::new(values), None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in as_list_array(&states[0])?.iter().flatten() {
            remember(values.as_primitive::<Decimal128Type>(), &mut self.values)?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * 2 * size_of::<i128>()
    }
}

/// The means of groups.
#[derive(Debug)]
struct Means {
    sums: Vec<i128>,
    counts: Vec<u64>,
    scale: i8,
}

fn add_to_groups<T>(
    values: &PrimitiveArray<T>,
    groups: &[usize],
    filter: Option<&BooleanArray>,
    means: &mut Means,
) -> Result<()>
where
    T: ArrowPrimitiveType<Native: Into<i128>>,
{
    let mut take = |row: usize, group: usize| {
        means.counts[group] += 1;
        add(&mut means.sums[group], values.value(row).into())
    };
    if filter.is_none() && values.null_count() == 0 {
        return groups.iter().enumerate().try_for_each(|(row, group)| take(row, *group));
    }
    for (row, group) in groups.iter().enumerate() {
        if values.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
            take(row, *group)?;
        }
    }
    Ok(())
}

fn widened<T>(values: &PrimitiveArray<T>) -> Result<Vec<i128>>
where
    T: ArrowPrimitiveType<Native: Into<i128>>,
{
    Ok(values.iter().map(|value| value.map_or(0, Into::into)).collect())
}

/// Exact numbers, with 0 for NULL.
pub(super) fn exact_values(values: &ArrayRef) -> Result<Vec<i128>> {
    for_exact!(values, widened())
}

impl Means {
    fn make_room(&mut self, groups: usize) {
        self.sums.resize(groups, 0);
        self.counts.resize(groups, 0);
    }

    fn as_state(&self, counts: Vec<u64>, sums: Vec<i128>) -> Vec<ArrayRef> {
        let sum_type = DataType::Decimal128(DECIMAL128_MAX_PRECISION, self.scale);
        vec![
            Arc::new(UInt64Array::from(counts)),
            Arc::new(Decimal128Array::from(sums).with_data_type(sum_type)),
        ]
    }
}

impl GroupsAccumulator for Means {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.make_room(total);
        let values = &values[0];
        for_exact!(values, add_to_groups(groups, filter, self))
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (sums, counts) = (emit.take_needed(&mut self.sums), emit.take_needed(&mut self.counts));
        let means = sums.into_iter().zip(counts).map(|(sum, count)| mean(sum, count, self.scale));
        let means = means.collect::<Result<Decimal128Array>>()?;
        Ok(Arc::new(means.with_data_type(mean_type(self.scale))))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (sums, counts) = (emit.take_needed(&mut self.sums), emit.take_needed(&mut self.counts));
        Ok(self.as_state(counts, sums))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.make_room(total);
        let counts = as_uint64_array(&states[0])?;
        let sums = states[1].as_primitive::<Decimal128Type>();
        for (row, group) in groups.iter().enumerate() {
            self.counts[*group] += counts.value(row);
            add(&mut self.sums[*group], sums.value(row))?;
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = &values[0];
        let mut sums = for_exact!(values, widened())?;
        let taken = |row: usize| {
            values.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
        };
        let counts: Vec<u64> = (0..values.len()).map(|row| u64::from(taken(row))).collect();
        sums.iter_mut().zip(&counts).filter(|(_, count)| **count == 0).for_each(|(sum, _)| *sum = 0);
        Ok(self.as_state(counts, sums))
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.counts.capacity() * size_of::<u64>()
    }
}
