//! `variance`, `stddev` and their kin of exact numbers: exact numbers, as `avg` is. From the count, the sum and the sum of
//! squares, which are exact: (n Σx² − (Σx)²) / n(n − 1).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Decimal256Array, UInt64Array};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Decimal256Type, Field, FieldRef,
    UInt64Type, i256,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion::functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

use super::average::{exact_scale, exact_values, mean_scale};

/// The functions, in the places of DataFusion's, which stay for floats.
pub fn functions() -> impl Iterator<Item = Arc<AggregateUDF>> {
    let forms = [
        (Form { of_sample: true, root: false }, var_samp_udaf()),
        (Form { of_sample: false, root: false }, var_pop_udaf()),
        (Form { of_sample: true, root: true }, stddev_udaf()),
        (Form { of_sample: false, root: true }, stddev_pop_udaf()),
    ];
    forms.into_iter().map(|(form, of_floats)| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(Spread { form, of_floats, signature }))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Form {
    /// Of a sample, or of the whole.
    of_sample: bool,
    /// The standard deviation.
    root: bool,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Spread {
    form: Form,
    of_floats: Arc<AggregateUDF>,
    signature: Signature,
}

fn scale_of(fields: &[FieldRef]) -> Option<i8> {
    fields.first().and_then(|field| exact_scale(field.data_type()))
}

impl AggregateUDFImpl for Spread {
    fn name(&self) -> &str {
        self.of_floats.name()
    }

    fn aliases(&self) -> &[String] {
        self.of_floats.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let taken = match given {
            [DataType::Dictionary(_, values)] => values.as_ref(),
            [other] => other,
            _ => {
                let message = format!("function {} takes one argument", self.name());
                return Err(Error::new(ErrorKind::UndefinedFunction, message).into());
            }
        };
        match taken {
            exact if exact_scale(exact).is_some() => Ok(vec![exact.clone()]),
            number if number.is_numeric() || number.is_null() => Ok(vec![DataType::Float64]),
            other => Err(super::totals::not_for(self.name(), other).into()),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match given.first().and_then(exact_scale) {
            Some(scale) => value_type(scale),
            None => DataType::Float64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if scale_of(args.input_fields).is_none() {
            return self.of_floats.state_fields(args);
        }
        let named = |part: &str, data_type: DataType| {
            Arc::new(Field::new(format!("{}[{part}]", args.name), data_type, true))
        };
        Ok(vec![named("count", DataType::UInt64), named("sum", SUM), named("squares", SUM)])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match scale_of(args.expr_fields) {
            Some(_) if args.is_distinct => Err(Error::not_supported(format!(
                "{}(DISTINCT …) of exact numbers is not supported",
                self.name()
            ))
            .with_hint("Cast the argument to double precision.")
            .into()),
            Some(scale) => Ok(Box::new(One { form: self.form, scale, moments: Moments::default() })),
            None => self.of_floats.accumulator(args),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match scale_of(args.expr_fields) {
            Some(_) => self.accumulator(args),
            None => self.of_floats.create_sliding_accumulator(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match scale_of(args.expr_fields) {
            Some(_) => !args.is_distinct,
            None => self.of_floats.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match scale_of(args.expr_fields) {
            Some(scale) => Ok(Box::new(Groups { form: self.form, scale, moments: Vec::new() })),
            None => self.of_floats.create_groups_accumulator(args),
        }
    }
}

/// Sums without a point.
const SUM: DataType = DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0);

fn value_type(scale: i8) -> DataType {
    DataType::Decimal128(DECIMAL128_MAX_PRECISION, mean_scale(scale))
}

fn overflow() -> DataFusionError {
    Error::new(ErrorKind::NumericOutOfRange, "value out of range: the sum of squares has more than 76 digits")
        .with_hint("Cast the argument to double precision.")
        .into()
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Moments {
    count: u64,
    sum: i256,
    squares: i256,
}

impl Moments {
    fn of(value: i128) -> Result<Self> {
        let value = i256::from_i128(value);
        let square = value.checked_mul(value).ok_or_else(overflow)?;
        Ok(Self { count: 1, sum: value, squares: square })
    }

    fn add(&mut self, other: Self) -> Result<()> {
        self.count += other.count;
        self.sum = self.sum.checked_add(other.sum).ok_or_else(overflow)?;
        self.squares = self.squares.checked_add(other.squares).ok_or_else(overflow)?;
        Ok(())
    }

    fn remove(&mut self, other: Self) -> Result<()> {
        self.count -= other.count;
        self.sum = self.sum.checked_sub(other.sum).ok_or_else(overflow)?;
        self.squares = self.squares.checked_sub(other.squares).ok_or_else(overflow)?;
        Ok(())
    }

    /// The value of numbers of `scale`, as a number of the scale of their mean.
    fn value(self, form: Form, scale: i8) -> Result<Option<i128>> {
        if self.count < 1 + u64::from(form.of_sample) {
            return Ok(None);
        }
        let count = i256::from_i128(i128::from(self.count));
        let others = if form.of_sample { count - i256::ONE } else { count };
        let above = || count.checked_mul(self.squares)?.checked_sub(self.sum.checked_mul(self.sum)?);
        let (above, below) = (above().ok_or_else(overflow)?, count * others);
        let digits = u32::from(mean_scale(scale).unsigned_abs());
        let has = 2 * u32::from(scale.unsigned_abs());
        let value = match form.root {
            true => quotient(above, below, 2 * digits, has).and_then(root),
            false => quotient(above, below, digits, has),
        };
        value.and_then(i256::to_i128).map(Some).ok_or_else(overflow)
    }
}

fn power_of_ten(exponent: u32) -> Option<i256> {
    i256::from_i128(10).checked_pow(exponent)
}

/// `above / below`, where `above` has `has` digits behind the point, with `wanted` digits, rounded.
fn quotient(above: i256, below: i256, wanted: u32, has: u32) -> Option<i256> {
    if wanted < has {
        return rounded(above, below.checked_mul(power_of_ten(has - wanted)?)?);
    }
    let factor = power_of_ten(wanted - has)?;
    let (whole, rest) = (above.checked_div(below)?, above.checked_rem(below)?);
    whole.checked_mul(factor)?.checked_add(rounded(rest.checked_mul(factor)?, below)?)
}

fn rounded(above: i256, below: i256) -> Option<i256> {
    let (whole, rest) = (above.checked_div(below)?, above.checked_rem(below)?);
    match rest >= below - rest {
        true => whole.checked_add(i256::ONE),
        false => Some(whole),
    }
}

/// The square root, rounded, by Newton's method from above.
fn root(square: i256) -> Option<i256> {
    if square <= i256::ZERO {
        return Some(i256::ZERO);
    }
    let bits = 256 - square.leading_zeros();
    let shift = u8::try_from(bits.div_ceil(2)).ok()?;
    let mut root = i256::ONE << shift;
    loop {
        let next = (root + square.checked_div(root)?) >> 1;
        if next >= root {
            break;
        }
        root = next;
    }
    // Half way to the next is r² + r.
    let is_beyond_half = square - root * root > root;
    Some(if is_beyond_half { root + i256::ONE } else { root })
}

#[derive(Debug)]
struct One {
    form: Form,
    scale: i8,
    moments: Moments,
}

/// The moments of each value that is not NULL.
fn each_of(values: &ArrayRef) -> Result<impl Iterator<Item = (usize, Result<Moments>)> + '_> {
    let exact = exact_values(values)?;
    Ok(exact
        .into_iter()
        .enumerate()
        .filter(|(row, _)| values.is_valid(*row))
        .map(|(row, value)| (row, Moments::of(value))))
}

fn states_of(states: &[ArrayRef]) -> Result<impl Iterator<Item = Moments> + '_> {
    let [counts, sums, squares] = states else {
        return Err(Error::internal("the state of a variance has three columns").into());
    };
    let counts = counts.as_primitive::<UInt64Type>().values().iter();
    let sums = sums.as_primitive::<Decimal256Type>().values().iter();
    let squares = squares.as_primitive::<Decimal256Type>().values().iter();
    Ok(counts.zip(sums).zip(squares).map(|((count, sum), squares)| Moments {
        count: *count,
        sum: *sum,
        squares: *squares,
    }))
}

fn as_states(moments: &[Moments]) -> Result<Vec<ArrayRef>> {
    let sums = |of: fn(&Moments) -> i256| -> Result<ArrayRef> {
        let sums = Decimal256Array::from_iter_values(moments.iter().map(of));
        Ok(Arc::new(sums.with_precision_and_scale(DECIMAL256_MAX_PRECISION, 0)?))
    };
    let counts = UInt64Array::from_iter_values(moments.iter().map(|moments| moments.count));
    Ok(vec![Arc::new(counts), sums(|moments| moments.sum)?, sums(|moments| moments.squares)?])
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        each_of(values)?.try_for_each(|(_, value)| self.moments.add(value?))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some(values) = values.first() else { return Ok(()) };
        each_of(values)?.try_for_each(|(_, value)| self.moments.remove(value?))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = self.moments.value(self.form, self.scale)?;
        Ok(ScalarValue::Decimal128(value, DECIMAL128_MAX_PRECISION, mean_scale(self.scale)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        as_states(&[self.moments])?.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        states_of(states)?.try_for_each(|state| self.moments.add(state))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

#[derive(Debug)]
struct Groups {
    form: Form,
    scale: i8,
    moments: Vec<Moments>,
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.moments.resize(total, Moments::default());
        let Some(values) = values.first() else { return Ok(()) };
        for (row, value) in each_of(values)?.filter(|(row, _)| passes(filter, *row)) {
            self.moments[groups[row]].add(value?)?;
        }
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let moments = emit.take_needed(&mut self.moments);
        let values = moments.into_iter().map(|moments| moments.value(self.form, self.scale));
        let values = values.collect::<Result<Decimal128Array>>()?;
        Ok(Arc::new(values.with_data_type(value_type(self.scale))))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        as_states(&emit.take_needed(&mut self.moments))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.moments.resize(total, Moments::default());
        groups.iter().zip(states_of(states)?).try_for_each(|(group, state)| self.moments[*group].add(state))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let Some(values) = values.first() else { return Ok(Vec::new()) };
        let mut moments = vec![Moments::default(); values.len()];
        for (row, value) in each_of(values)?.filter(|(row, _)| passes(filter, *row)) {
            moments[row] = value?;
        }
        as_states(&moments)
    }

    fn size(&self) -> usize {
        self.moments.capacity() * size_of::<Moments>()
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, Moments, i256, root};

    #[test]
    fn variances_are_exact() {
        let mut moments = Moments::default();
        [100, 250, 400].into_iter().for_each(|value| moments.add(Moments::of(value).unwrap()).unwrap());
        let form = |of_sample, root| Form { of_sample, root };
        assert_eq!(moments.value(form(true, false), 2).unwrap(), Some(22_500_000_000_000_000));
        assert_eq!(moments.value(form(false, false), 2).unwrap(), Some(15_000_000_000_000_000));
        assert_eq!(moments.value(form(true, true), 2).unwrap(), Some(15_000_000_000_000_000));
        assert_eq!(Moments::of(7).unwrap().value(form(true, true), 0).unwrap(), None);
        assert_eq!(Moments::of(7).unwrap().value(form(false, true), 0).unwrap(), Some(0));
    }

    #[test]
    fn roots_are_rounded() {
        let of = |square: i128| root(i256::from_i128(square)).and_then(i256::to_i128);
        assert_eq!([0, 1, 2, 3, 6, 7, 99, 1 << 100].map(of), [0, 1, 1, 2, 2, 3, 10, 1 << 50].map(Some));
    }
}
