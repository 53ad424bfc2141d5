//! The Arrow shell of every aggregate function whose state is a handful of numbers.
//!
//! A family writes a [`Kernel`] and, for each of its functions, how a result is read from it. The shell
//! brings grouping, partial aggregation, sliding windows and the `conf` argument. Rows with a NULL are
//! skipped. State travels as `N` double precision columns; counts are exact up to 2^53.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Schema};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Documentation, EmitTo, GroupsAccumulator,
    Signature,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry, Implementation};
use crate::scalar::{number, signature};

/// The confidence level where `conf` is not given.
const DEFAULT_CONF: f64 = 0.95;

/// What a family of aggregates remembers of its rows. Merging is associative and commutative, and removing a
/// row undoes adding it, both up to rounding.
pub(crate) trait Kernel<const N: usize>: Copy + Default + Debug + Send + Sync + 'static {
    /// Names of the numbers in [`Kernel::save`].
    const STATE: [&'static str; N];
    /// How many arguments a call must have. They are read by row.
    const COLUMNS: usize;
    /// What the arguments are that a call may leave out; they are read by row, too, and come last.
    const OPTIONAL: &'static [f64] = &[];

    fn add(&mut self, row: &[f64]) -> Result<(), Error>;
    fn remove(&mut self, row: &[f64]) -> Result<(), Error>;
    fn merge(&mut self, other: &Self) -> Result<(), Error>;
    fn save(&self) -> [f64; N];
    fn load(state: [f64; N]) -> Self;
}

const MAX_COLUMNS: usize = 6;

/// How a result is read from a kernel; `None` is NULL.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output<K> {
    Value(fn(&K) -> Option<f64>),
    Count(fn(&K) -> i64),
    /// One end of an interval. A `conf` argument may stand behind those that a call must have.
    Bound(fn(&K, f64) -> Option<f64>),
}

impl<K> Output<K> {
    /// How many arguments are the same for all rows.
    fn constants(&self) -> usize {
        usize::from(matches!(self, Output::Bound(_)))
    }
}

/// An aggregate function, as data.
#[derive(Debug)]
struct AggregateFunction<K, const N: usize> {
    definition: Definition,
    signature: Signature,
    documentation: Documentation,
    output: Output<K>,
}

pub(crate) fn entry<K: Kernel<N>, const N: usize>(
    definition: Definition,
    section: &'static str,
    output: Output<K>,
) -> Entry {
    let optional = output.constants() + K::OPTIONAL.len();
    let arguments = vec![number(); K::COLUMNS + optional];
    let function = AggregateFunction::<K, N> {
        signature: signature(&definition, &arguments, optional),
        documentation: definition.documentation(section),
        definition,
        output,
    };
    definition.entry(Implementation::Aggregate(Arc::new(AggregateUDF::from(function))))
}

impl<K, const N: usize> PartialEq for AggregateFunction<K, N> {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
    }
}

impl<K, const N: usize> Eq for AggregateFunction<K, N> {}

impl<K, const N: usize> Hash for AggregateFunction<K, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

impl<K: Kernel<N>, const N: usize> AggregateFunction<K, N> {
    fn reader(&self, args: &AccumulatorArgs) -> Result<Reader<K>> {
        if args.is_distinct {
            let message = format!("DISTINCT is not supported by function {}", self.definition.name);
            return Err(Error::not_supported(message).into());
        }
        let conf = match args.exprs.get(K::COLUMNS).filter(|_| self.output.constants() > 0) {
            Some(expr) => constant(expr.as_ref())?,
            None => Some(DEFAULT_CONF),
        };
        if let Some(conf) = conf
            && !(conf > 0.0 && conf < 1.0)
        {
            return Err(Error::invalid_argument(format!("confidence level {conf} is not between 0 and 1"))
                .with_hint("Write 95 percent as 0.95.")
                .into());
        }
        Ok(Reader { output: self.output, conf })
    }
}

/// The value of an argument that is the same for all rows; `None` is NULL.
fn constant(expr: &dyn PhysicalExpr) -> Result<Option<f64>> {
    // A column is not found in a batch without columns.
    let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match expr.evaluate(&nothing) {
        Ok(ColumnarValue::Scalar(ScalarValue::Float64(conf))) => Ok(conf),
        _ => Err(Error::invalid_argument("confidence level must be a constant").into()),
    }
}

impl<K: Kernel<N>, const N: usize> AggregateUDFImpl for AggregateFunction<K, N> {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.output {
            Output::Count(_) => DataType::Int64,
            Output::Value(_) | Output::Bound(_) => DataType::Float64,
        })
    }

    fn is_nullable(&self) -> bool {
        !matches!(self.output, Output::Count(_))
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.output {
            Output::Count(_) => Ok(ScalarValue::Int64(Some(0))),
            Output::Value(_) | Output::Bound(_) => ScalarValue::try_from(data_type),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single::<K, N> { kernel: K::default(), reader: self.reader(&args)? }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |part| Arc::new(Field::new(format_state_name(args.name, part), DataType::Float64, false));
        Ok(K::STATE.into_iter().map(field).collect())
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::<K, N> { kernels: Vec::new(), reader: self.reader(&args)? }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// An [`Output`] with its confidence level, NULL if that was NULL.
#[derive(Debug, Clone, Copy)]
struct Reader<K> {
    output: Output<K>,
    conf: Option<f64>,
}

impl<K> Reader<K> {
    fn double(&self, kernel: &K) -> Option<f64> {
        match self.output {
            Output::Value(read) => read(kernel),
            Output::Bound(read) => self.conf.and_then(|conf| read(kernel, conf)),
            Output::Count(_) => None,
        }
    }

    fn scalar(&self, kernel: &K) -> ScalarValue {
        match self.output {
            Output::Count(read) => ScalarValue::Int64(Some(read(kernel))),
            Output::Value(_) | Output::Bound(_) => ScalarValue::Float64(self.double(kernel)),
        }
    }

    fn array(&self, kernels: &[K]) -> ArrayRef {
        match self.output {
            Output::Count(read) => Arc::new(Int64Array::from_iter_values(kernels.iter().map(read))),
            Output::Value(_) | Output::Bound(_) => {
                Arc::new(kernels.iter().map(|kernel| self.double(kernel)).collect::<Float64Array>())
            }
        }
    }
}

/// The state of one group.
#[derive(Debug)]
struct Single<K, const N: usize> {
    kernel: K,
    reader: Reader<K>,
}

impl<K: Kernel<N>, const N: usize> Accumulator for Single<K, N> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let kernel = &mut self.kernel;
        for_each_row::<K, N>(values, self.reader.output.constants(), |_, row| kernel.add(row))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let kernel = &mut self.kernel;
        for_each_row::<K, N>(values, self.reader.output.constants(), |_, row| kernel.remove(row))
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.reader.scalar(&self.kernel))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.kernel.save().into_iter().map(ScalarValue::from).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let kernel = &mut self.kernel;
        for_each_state::<K, N>(states, |_, other| kernel.merge(&other))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The states of many groups, by group index.
struct Groups<K, const N: usize> {
    kernels: Vec<K>,
    reader: Reader<K>,
}

impl<K: Kernel<N>, const N: usize> GroupsAccumulator for Groups<K, N> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.kernels.resize(total_num_groups, K::default());
        for_each_row::<K, N>(values, self.reader.output.constants(), |index, row| {
            if passes(opt_filter, index) { self.kernels[group_indices[index]].add(row) } else { Ok(()) }
        })
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.kernels.resize(total_num_groups, K::default());
        for_each_state::<K, N>(values, |index, other| self.kernels[group_indices[index]].merge(&other))
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(self.reader.array(&emit_to.take_needed(&mut self.kernels)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(save_all(&emit_to.take_needed(&mut self.kernels)))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut kernels = vec![K::default(); values.first().map_or(0, |column| column.len())];
        for_each_row::<K, N>(values, self.reader.output.constants(), |index, row| {
            if passes(opt_filter, index) { kernels[index].add(row) } else { Ok(()) }
        })?;
        Ok(save_all(&kernels))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kernels.capacity() * size_of::<K>()
    }
}

fn passes(filter: Option<&BooleanArray>, index: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(index) && filter.value(index))
}

fn save_all<K: Kernel<N>, const N: usize>(kernels: &[K]) -> Vec<ArrayRef> {
    let states: Vec<[f64; N]> = kernels.iter().map(Kernel::save).collect();
    (0..N)
        .map(|part| {
            Arc::new(Float64Array::from_iter_values(states.iter().map(|state| state[part]))) as ArrayRef
        })
        .collect()
}

/// Calls `visit` with the index and the numbers of each row that has no NULL. Behind the arguments that a call must
/// have there are `constants` that are not read by row.
fn for_each_row<K: Kernel<N>, const N: usize>(
    values: &[ArrayRef],
    constants: usize,
    mut visit: impl FnMut(usize, &[f64]) -> Result<(), Error>,
) -> Result<()> {
    const { assert!(K::COLUMNS + K::OPTIONAL.len() <= MAX_COLUMNS) };
    let required = values.get(..K::COLUMNS).unwrap_or_default();
    let optional = values.get(K::COLUMNS + constants..).unwrap_or_default();
    let columns = [doubles(required)?, doubles(optional)?].concat();
    let rows = columns.first().map_or(0, |column| column.len());
    let mut row = [0.0; MAX_COLUMNS];
    row[K::COLUMNS..][..K::OPTIONAL.len()].copy_from_slice(K::OPTIONAL);
    for index in 0..rows {
        if columns.iter().any(|column| column.is_null(index)) {
            continue;
        }
        for (cell, column) in row.iter_mut().zip(&columns) {
            *cell = column.value(index);
        }
        visit(index, &row[..K::COLUMNS + K::OPTIONAL.len()])?;
    }
    Ok(())
}

fn for_each_state<K: Kernel<N>, const N: usize>(
    states: &[ArrayRef],
    mut visit: impl FnMut(usize, K) -> Result<(), Error>,
) -> Result<()> {
    let columns = doubles(states.get(..N).unwrap_or_default())?;
    let rows = columns.first().map_or(0, |column| column.len());
    for index in 0..rows {
        visit(index, K::load(std::array::from_fn(|part| columns[part].value(index))))?;
    }
    Ok(())
}

fn doubles(arrays: &[ArrayRef]) -> Result<Vec<&Float64Array>> {
    arrays
        .iter()
        .map(|array| {
            array
                .as_primitive_opt::<Float64Type>()
                .ok_or_else(|| Error::internal("a numeric argument arrives uncast").into())
        })
        .collect()
}
