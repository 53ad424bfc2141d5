//! A report as DataFusion runs it: an aggregate over the relation.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type, Schema, TimeUnit};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Documentation, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

use super::answer::{self, Column};
use super::call::{Call, Parameter, Takes};
use super::{Shape, aggregate_name};
use crate::entry::{Definition, Entry, Implementation};
use crate::knowledge::{Taught, UNTAUGHT};

/// A row of an answer.
pub(crate) type Row = Vec<ScalarValue>;

/// What a report remembers of the rows. The answer depends neither on their order nor on how they are split
/// between kernels that are merged.
pub(crate) trait Kernel: Debug + Send + Sync {
    fn update(&mut self, values: &Values) -> Result<(), Error>;
    /// Takes in what another kernel of the same call has [saved](Kernel::save).
    fn merge(&mut self, state: &[u8]) -> Result<(), Error>;
    fn save(&self) -> Vec<u8>;
    fn answer(&mut self) -> Result<Vec<Row>, Error>;
    /// Bytes on the heap.
    fn size(&self) -> usize;
}

/// A report, as data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    pub(crate) definition: Definition,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) columns: &'static [Column],
    pub(crate) start: fn(&Call) -> Result<Box<dyn Kernel>, Error>,
}

pub(crate) fn entry(report: Report, section: &'static str) -> Entry {
    let shape = Shape {
        name: report.definition.name,
        parameters: report.parameters,
        columns: report.columns.iter().map(|(name, kind)| (*name, kind.arrow())).collect(),
    };
    let function = ReportFunction {
        name: aggregate_name(report.definition.name),
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: report.definition.documentation(section),
        report,
        taught: Arc::clone(&UNTAUGHT),
    };
    let aggregate = Arc::new(AggregateUDF::from(function));
    report.definition.entry(Implementation::Report(Arc::new(shape), aggregate))
}

/// A report as the sessions of a warehouse call it.
pub(crate) fn knowing(function: Arc<AggregateUDF>, taught: &Arc<Taught>) -> Arc<AggregateUDF> {
    match function.inner().downcast_ref::<ReportFunction>() {
        Some(own) => {
            Arc::new(AggregateUDF::from(ReportFunction { taught: Arc::clone(taught), ..own.clone() }))
        }
        None => function,
    }
}

#[derive(Debug, Clone)]
struct ReportFunction {
    name: String,
    signature: Signature,
    documentation: Documentation,
    report: Report,
    taught: Arc<Taught>,
}

impl PartialEq for ReportFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ReportFunction {}

impl Hash for ReportFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for ReportFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What a column is read as follows from its type alone: numbers as double precision, the others as text
    /// or as microseconds. Whether that is what the parameter takes is seen when the aggregate starts.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.iter().map(read_as).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(answer::data_type(self.report.columns))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let Some((description, columns)) = args.exprs.split_first() else {
            return Err(Error::internal("a report is called without its description").into());
        };
        let call =
            Call::parse(self.report.parameters, &constant(description.as_ref())?, self.taught.knowledge())?;
        for ((takes, label), column) in call.columns().zip(columns) {
            let found = column.data_type(args.schema)?;
            fits(self.report.definition.name, takes, &label, &found)?;
        }
        let takes = call.columns().map(|(takes, _)| takes).collect();
        let kernel = (self.report.start)(&call)?;
        let lenient = call.answers_nothing();
        Ok(Box::new(ReportAccumulator { kernel, takes, columns: self.report.columns, lenient }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "report"), DataType::Binary, false))])
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

fn read_as(found: &DataType) -> DataType {
    match found {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            DataType::Timestamp(TimeUnit::Microsecond, None)
        }
        DataType::Boolean | DataType::Null => DataType::Float64,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, values) => read_as(values),
        number if number.is_numeric() => DataType::Float64,
        _ => DataType::Utf8,
    }
}

fn fits(function: &str, takes: Takes, label: &str, found: &DataType) -> Result<(), Error> {
    let expected = match takes {
        Takes::Number | Takes::NumberOrNull | Takes::Numbers if *found != DataType::Float64 => "a number",
        Takes::Time if !matches!(found, DataType::Timestamp(..)) => "a timestamp",
        Takes::Bytes if *found != DataType::Binary => "stored moments",
        _ => return Ok(()),
    };
    let is = match found {
        DataType::Float64 => "a number",
        DataType::Timestamp(..) => "a timestamp",
        DataType::Binary => "binary",
        _ => "text",
    };
    let hint = match takes {
        Takes::Bytes => "It is a column of what moments(…) or merge_moments(…) returns.".to_owned(),
        Takes::Time => format!("Cast it: {function}(…, '({label})::timestamp')."),
        _ => format!("Cast it: {function}(…, '({label})::double precision')."),
    };
    let message = format!("{label} of {function} must be {expected}, but is {is}");
    Err(Error::new(ErrorKind::DatatypeMismatch, message).with_hint(hint))
}

pub(crate) fn constant(expr: &dyn PhysicalExpr) -> Result<String> {
    let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match expr.evaluate(&nothing) {
        Ok(ColumnarValue::Scalar(value)) => match value.try_as_str() {
            Some(Some(text)) => Ok(text.to_owned()),
            _ => Err(Error::internal("a report is called without its description").into()),
        },
        _ => Err(Error::internal("a report is called without its description").into()),
    }
}

/// The columns of a call over some rows, in the order of [`Call::columns`].
#[derive(Debug)]
pub(crate) struct Values {
    columns: Vec<Read>,
    pub(crate) rows: usize,
}

#[derive(Debug)]
enum Read {
    Number(Float64Array),
    Text(StringArray),
    Time(Int64Array),
    Bytes(BinaryArray),
}

impl Values {
    fn new(takes: &[Takes], arrays: &[ArrayRef]) -> Result<Self> {
        let rows = arrays.first().map_or(0, |array| array.len());
        let columns = takes.iter().zip(arrays).map(|(takes, array)| read(*takes, array));
        Ok(Self { columns: columns.collect::<Result<_>>()?, rows })
    }

    /// The numbers of column `place`.
    pub(crate) fn number(&self, place: usize) -> Result<&Float64Array, Error> {
        match self.columns.get(place) {
            Some(Read::Number(numbers)) => Ok(numbers),
            _ => Err(Error::internal("a report reads a number where there is none")),
        }
    }

    pub(crate) fn numbers(&self, places: std::ops::Range<usize>) -> Result<Vec<&Float64Array>, Error> {
        places.map(|place| self.number(place)).collect()
    }

    pub(crate) fn text(&self, place: usize) -> Result<&StringArray, Error> {
        match self.columns.get(place) {
            Some(Read::Text(texts)) => Ok(texts),
            _ => Err(Error::internal("a report reads text where there is none")),
        }
    }

    pub(crate) fn bytes(&self, place: usize) -> Result<&BinaryArray, Error> {
        match self.columns.get(place) {
            Some(Read::Bytes(bytes)) => Ok(bytes),
            _ => Err(Error::internal("a report reads bytes where there are none")),
        }
    }

    /// Microseconds since 1970.
    pub(crate) fn time(&self, place: usize) -> Result<&Int64Array, Error> {
        match self.columns.get(place) {
            Some(Read::Time(times)) => Ok(times),
            _ => Err(Error::internal("a report reads a time where there is none")),
        }
    }
}

fn read(takes: Takes, array: &ArrayRef) -> Result<Read> {
    let cast = |to: &DataType| arrow::compute::cast(array, to);
    Ok(match takes {
        Takes::Number | Takes::NumberOrNull | Takes::Numbers => {
            Read::Number(cast(&DataType::Float64)?.as_primitive::<Float64Type>().clone())
        }
        Takes::Time => Read::Time(cast(&DataType::Int64)?.as_primitive::<Int64Type>().clone()),
        Takes::Bytes => Read::Bytes(cast(&DataType::Binary)?.as_binary::<i32>().clone()),
        _ => Read::Text(cast(&DataType::Utf8)?.as_string::<i32>().clone()),
    })
}

#[derive(Debug)]
struct ReportAccumulator {
    kernel: Box<dyn Kernel>,
    takes: Vec<Takes>,
    columns: &'static [Column],
    /// Whether a question without an answer is answered by no rows.
    lenient: bool,
}

impl Accumulator for ReportAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let columns = values.get(1..).unwrap_or_default();
        Ok(self.kernel.update(&Values::new(&self.takes, columns)?)?)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states.first().and_then(|states| states.as_binary_opt::<i32>());
        for state in states.into_iter().flatten().flatten() {
            self.kernel.merge(state)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.kernel.save()))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.kernel.answer() {
            Err(error) if self.lenient && error.kind() == ErrorKind::InvalidArgument => {
                answer::list(self.columns, Vec::new())
            }
            rows => answer::list(self.columns, rows?),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.kernel.size()
    }
}
