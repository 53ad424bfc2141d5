//! `moments` and `merge_moments`: sufficient statistics of columns as a value that a table can store.
//!
//! A materialised view of `moments(…)` by day and segment answers any later regression over days and segments from a
//! few hundred bytes a group, however many rows there were: `moments_regression`, `moments_drivers`. Merging is exact
//! up to rounding, whatever the order and the splits. A row with a NULL, a NaN or an infinity is left out.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

use crate::entry::{Definition, Entry, Implementation};
use crate::regression::batch::Batch;
use crate::regression::named::NamedMoments;

const MOMENTS: Definition = Definition {
    name: "moments",
    arguments: "names, x, …",
    returns: "bytea",
    volatility: Volatility::Immutable,
    description: "Count, means and co-moments of columns, as a value to be stored: moments_regression and moments_drivers answer from it \
                  as from the rows. names is a text that names the columns, x, … are the columns. A row with a NULL is left out.",
    example: "SELECT moments('score, speed', score, speed) IS NOT NULL FROM (VALUES (9, 8), (3, 2), (7, 7)) AS t(score, speed)",
    example_result: "true",
};

const MERGE_MOMENTS: Definition = Definition {
    name: "merge_moments",
    arguments: "moments, …",
    description: "The moments of all rows of which there are moments: of the days of a month, of the segments of a market. They must be \
                  of the same columns.",
    example: "SELECT merge_moments(m) IS NOT NULL FROM (SELECT day, moments('score, speed', score, speed) AS m FROM \
              (VALUES (1, 9, 8), (1, 3, 2), (2, 7, 7)) AS t(day, score, speed) GROUP BY day) AS days",
    ..MOMENTS
};

pub(crate) fn entries() -> Vec<Entry> {
    [(MOMENTS, false), (MERGE_MOMENTS, true)].map(|(definition, merges)| entry(definition, merges)).into()
}

fn entry(definition: Definition, merges: bool) -> Entry {
    let function = StoredMoments {
        definition,
        merges,
        signature: Signature::user_defined(definition.volatility),
        documentation: definition.documentation("Statistics"),
    };
    definition.entry(Implementation::Aggregate(Arc::new(AggregateUDF::from(function))))
}

#[derive(Debug)]
struct StoredMoments {
    definition: Definition,
    /// Whether the argument is moments already.
    merges: bool,
    signature: Signature,
    documentation: Documentation,
}

impl PartialEq for StoredMoments {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl Eq for StoredMoments {}

impl Hash for StoredMoments {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

impl AggregateUDFImpl for StoredMoments {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What does not fit is told when the aggregate starts.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let read_as = |found: &DataType| match found {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
            number if number.is_numeric() || matches!(number, DataType::Boolean) => DataType::Float64,
            DataType::Null if self.merges => DataType::Binary,
            DataType::Null => DataType::Float64,
            _ => DataType::Utf8,
        };
        Ok(types.iter().map(read_as).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            let message = format!("DISTINCT is not supported by function {}", self.definition.name);
            return Err(Error::not_supported(message).into());
        }
        let types = args.exprs.iter().map(|expr| expr.data_type(args.schema)).collect::<Result<Vec<_>>>()?;
        let fits = match types.as_slice() {
            [only] if self.merges => *only == DataType::Binary,
            [DataType::Utf8, columns @ ..] if !self.merges && !columns.is_empty() => {
                columns.iter().all(|column| *column == DataType::Float64)
            }
            _ => false,
        };
        if fits {
            return Ok(Box::new(Merging { held: None, merges: self.merges }));
        }
        let message = format!("function {} does not exist with these arguments", self.definition.name);
        let hint = match self.merges {
            true => "It is called as merge_moments(m), m being what moments(…) returned.",
            false => {
                "It is called as moments('score, speed', score, speed): a text of names, and as many numbers."
            }
        };
        Err(Error::new(ErrorKind::UndefinedFunction, message).with_hint(hint).into())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "moments"), DataType::Binary, true))])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Moments of the rows so far; `None` before the first.
#[derive(Debug)]
struct Merging {
    held: Option<NamedMoments>,
    merges: bool,
}

impl Merging {
    fn add_rows(&mut self, names: &ArrayRef, columns: &[ArrayRef]) -> Result<()> {
        let names = arrow::compute::cast(names, &DataType::Utf8)?;
        let Some(list) = names.as_string::<i32>().iter().flatten().next() else { return Ok(()) };
        if self.held.is_none() {
            self.held = Some(NamedMoments::new(list).map_err(Error::from)?);
        }
        let Some(held) = &mut self.held else { return Ok(()) };
        if held.names().len() != columns.len() {
            let (names, columns) = (held.names().len(), columns.len());
            let message = format!("moments have {names} names for {columns} columns");
            return Err(Error::invalid_argument(message)
                .with_hint("Name each column, as in moments('score, speed', score, speed).")
                .into());
        }
        let columns: Vec<&Float64Array> =
            columns.iter().filter_map(|column| column.as_primitive_opt::<Float64Type>()).collect();
        let valid: Option<Vec<bool>> = columns
            .iter()
            .any(|column| column.null_count() > 0)
            .then(|| (0..names.len()).map(|row| columns.iter().all(|column| column.is_valid(row))).collect());
        let slices: Vec<&[f64]> = columns.iter().map(|column| column.values().as_ref()).collect();
        held.moments
            .update(&Batch { columns: &slices, weights: None, valid: valid.as_deref() })
            .map_err(|invalid| Error::from(invalid).into())
    }

    fn add_stored(&mut self, stored: &BinaryArray) -> Result<()> {
        for bytes in stored.iter().flatten() {
            let stored = NamedMoments::from_bytes(bytes).map_err(Error::from)?;
            match &mut self.held {
                Some(held) => held.merge(&stored).map_err(Error::from)?,
                None => self.held = Some(stored),
            }
        }
        Ok(())
    }

    fn value(&self) -> ScalarValue {
        ScalarValue::Binary(self.held.as_ref().map(NamedMoments::to_bytes))
    }
}

impl Accumulator for Merging {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values {
            [stored] if self.merges => self.add_stored(stored.as_binary::<i32>()),
            [names, columns @ ..] => self.add_rows(names, columns),
            [] => Ok(()),
        }
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        states.iter().try_for_each(|states| self.add_stored(states.as_binary::<i32>()))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.held.as_ref().map_or(0, NamedMoments::size)
    }
}
