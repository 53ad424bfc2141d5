//! `mode() WITHIN GROUP (ORDER BY x)` and `percentile_disc(p) WITHIN GROUP (ORDER BY x)`, as plain aggregates of `x`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

pub(super) fn aggregates() -> impl Iterator<Item = Arc<AggregateUDF>> {
    [Form::Mode, Form::Percentile].into_iter().map(|form| {
        let arguments = if form == Form::Mode { 1 } else { 2 };
        let signature = Signature::any(arguments, Volatility::Immutable);
        Arc::new(AggregateUDF::from(Ordered { form, signature }))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// `mode_of(x)`
    Mode,
    /// `percentile_disc_of(x, fraction)`
    Percentile,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Ordered {
    form: Form,
    signature: Signature,
}

impl AggregateUDFImpl for Ordered {
    fn name(&self) -> &str {
        match self.form {
            Form::Mode => "mode_of",
            Form::Percentile => "percentile_disc_of",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> DataFusionResult<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DataFusionResult<Vec<FieldRef>> {
        let values = args.return_field.data_type().clone();
        let list = |name: &str, item| Arc::new(Field::new(name, DataType::new_list(item, true), true));
        let fraction = Arc::new(Field::new("fraction", DataType::Float64, true));
        Ok(vec![list("values", values), list("counts", DataType::UInt64), fraction])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DataFusionResult<Box<dyn Accumulator>> {
        Ok(Box::new(Counts {
            form: self.form,
            data_type: args.return_field.data_type().clone(),
            counts: BTreeMap::new(),
            bytes: 0,
            fraction: None,
        }))
    }
}

/// How often each value was seen.
#[derive(Debug)]
struct Counts {
    form: Form,
    data_type: DataType,
    counts: BTreeMap<Key, u64>,
    bytes: usize,
    fraction: Option<f64>,
}

/// Values of one type have an order; NaN is above the numbers.
#[derive(Debug, PartialEq, Eq)]
struct Key(ScalarValue);

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.partial_cmp(&other.0).unwrap_or(std::cmp::Ordering::Equal)
    }
}

impl Counts {
    fn add(&mut self, values: &ArrayRef, count: impl Fn(usize) -> u64) -> DataFusionResult<()> {
        for row in 0..values.len() {
            if values.is_null(row) {
                continue;
            }
            let value = ScalarValue::try_from_array(values, row)?;
            let size = value.size();
            let seen = self.counts.entry(Key(value)).or_insert_with(|| {
                self.bytes += size + size_of::<(Key, u64)>();
                0
            });
            *seen += count(row);
        }
        Ok(())
    }

    fn take_fraction(&mut self, fractions: &ArrayRef) -> DataFusionResult<()> {
        if self.fraction.is_some() || fractions.is_empty() {
            return Ok(());
        }
        let fraction = ScalarValue::try_from_array(fractions, 0)?.cast_to(&DataType::Float64)?;
        let ScalarValue::Float64(fraction) = fraction else { return Ok(()) };
        if fraction.is_some_and(|fraction| !(0.0..=1.0).contains(&fraction)) {
            let fraction = fraction.unwrap_or_default();
            let message = format!("percentile value {fraction} is not between 0 and 1");
            return Err(Error::new(ErrorKind::NumericOutOfRange, message).into());
        }
        self.fraction = fraction;
        Ok(())
    }

    /// Of equally frequent values, the first in order.
    fn mode(&self) -> Option<&Key> {
        let highest = self.counts.values().max()?;
        self.counts.iter().find(|(_, count)| *count == highest).map(|(key, _)| key)
    }

    /// The first value whose share of the rows up to it reaches the fraction.
    fn percentile(&self) -> Option<&Key> {
        let fraction = self.fraction?;
        let rows: u64 = self.counts.values().sum();
        let wanted = ((fraction * rows as f64).ceil() as u64).max(1);
        let mut seen = 0;
        self.counts
            .iter()
            .find(|(_, count)| {
                seen += **count;
                seen >= wanted
            })
            .map(|(key, _)| key)
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> DataFusionResult<()> {
        let [values, rest @ ..] = columns else { return Ok(()) };
        if let [fractions, ..] = rest {
            self.take_fraction(fractions)?;
        }
        self.add(values, |_| 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        use arrow::array::AsArray;
        let [values, counts, fractions] = states else {
            return Err(Error::internal("the state of an ordered aggregate has three columns").into());
        };
        let (values, counts) = (values.as_list::<i32>(), counts.as_list::<i32>());
        for row in 0..values.len() {
            let found = counts.value(row);
            let found = found.as_primitive::<arrow::datatypes::UInt64Type>();
            self.add(&values.value(row), |place| found.value(place))?;
            if !fractions.is_null(row) {
                self.take_fraction(&fractions.slice(row, 1))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        let values = match self.counts.is_empty() {
            true => arrow::array::new_empty_array(&self.data_type),
            false => ScalarValue::iter_to_array(self.counts.keys().map(|key| key.0.clone()))?,
        };
        let counts: arrow::array::UInt64Array = self.counts.values().copied().collect();
        let list = |values: ArrayRef| SingleRowListArrayBuilder::new(values).build_list_scalar();
        Ok(vec![list(values), list(Arc::new(counts)), ScalarValue::Float64(self.fraction)])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        let found = match self.form {
            Form::Mode => self.mode(),
            Form::Percentile => self.percentile(),
        };
        match found {
            Some(key) => Ok(key.0.clone()),
            None => ScalarValue::try_from(&self.data_type),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Array};

    use super::*;

    fn counted(form: Form, values: &[i32], fraction: f64) -> Counts {
        let mut counts =
            Counts { form, data_type: DataType::Int32, counts: BTreeMap::new(), bytes: 0, fraction: None };
        let fractions = Arc::new(Float64Array::from(vec![fraction; values.len()])) as ArrayRef;
        counts.update_batch(&[Arc::new(Int32Array::from(values.to_vec())) as ArrayRef, fractions]).unwrap();
        counts
    }

    #[test]
    fn the_mode_is_the_first_of_the_most_frequent() {
        assert_eq!(counted(Form::Mode, &[3, 1, 3, 1, 2], 0.5).evaluate().unwrap(), ScalarValue::from(1));
    }

    #[test]
    fn a_discrete_percentile_is_one_of_the_values() {
        let percentile = |fraction| counted(Form::Percentile, &[4, 1, 3, 2], fraction).evaluate().unwrap();
        assert_eq!(
            [percentile(0.0), percentile(0.5), percentile(0.51), percentile(1.0)],
            [1, 2, 3, 4].map(ScalarValue::from)
        );
        let empty = counted(Form::Percentile, &[], 0.5).evaluate().unwrap();
        assert_eq!(empty, ScalarValue::Int32(None));
    }

    #[test]
    fn states_merge() {
        let (mut one, mut other) =
            (counted(Form::Percentile, &[1, 2], 0.5), counted(Form::Percentile, &[3, 3, 3], 0.5));
        let state: Vec<ArrayRef> =
            other.state().unwrap().iter().map(|value| value.to_array().unwrap()).collect();
        one.merge_batch(&state).unwrap();
        assert_eq!(one.evaluate().unwrap(), ScalarValue::from(3));
    }
}
