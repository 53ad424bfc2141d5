//! Aggregates over what one customer did, in order: `window_funnel`, `funnel_times`, `retention`,
//! `sequence_match`, `sequence_count`, `sequence_times`.
//!
//! A row counts by the conditions it meets; a condition that is NULL is not met, a row whose time is NULL is
//! left out. Rows are ordered by time, and rows of the same time by the conditions they meet, so that no answer
//! depends on how rows arrive. Rules and differences from ClickHouse's functions of these names are told in
//! [`crate::journey`].

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListBuilder, RecordBatch};
use arrow::array::{BooleanBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, Schema, TimeUnit, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Documentation, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

use crate::entry::{Definition, Entry, Implementation};
use crate::journey::event::Event;
use crate::journey::funnel::{Funnel, FunnelState, Modes};
use crate::journey::pattern::Pattern;
use crate::journey::retention::Retention;
use crate::journey::sequence::SequenceState;

const SECTION: &str = "Customer journey";

/// The rows of one customer that the examples read.
macro_rules! example {
    ($call:literal) => {
        concat!(
            "SELECT ",
            $call,
            " FROM (VALUES (timestamp '2026-01-01 10:00:00', 'view'), (timestamp '2026-01-01 10:05:00', 'cart'), \
             (timestamp '2026-01-01 10:20:00', 'view'), (timestamp '2026-01-01 12:00:00', 'pay')) AS e(t, step)"
        )
    };
}

const WINDOW_FUNNEL: Definition = Definition {
    name: "window_funnel",
    arguments: "occurred_at, window_length [, modes], condition, …",
    returns: "integer",
    volatility: Volatility::Immutable,
    description: "How many of the conditions a customer meets one after another within a time from the first: 0 to the \
                  number of conditions. modes is a text with any of strict_increase, strict_order, \
                  strict_deduplication and restart, separated by commas.",
    example: example!("window_funnel(t, interval '1 hour', step = 'view', step = 'cart', step = 'pay')"),
    example_result: "2",
};

const FUNNEL_TIMES: Definition = Definition {
    name: "funnel_times",
    returns: "timestamp[]",
    description: "When the chain that gets furthest in the window took its steps, as many times as window_funnel counts; \
                  of several such chains the one that completes first. modes is as there.",
    example: example!("funnel_times(t, interval '1 hour', step = 'view', step = 'cart', step = 'pay')"),
    example_result: "[2026-01-01T10:00:00, 2026-01-01T10:05:00]",
    ..WINDOW_FUNNEL
};

const RETENTION: Definition = Definition {
    name: "retention",
    arguments: "condition, …",
    returns: "boolean[]",
    description: "Which of the conditions a customer meets who met the first one; all false otherwise.",
    example: example!("retention(step = 'view', step = 'pay', step = 'call')"),
    example_result: "[true, true, false]",
    ..WINDOW_FUNNEL
};

const SEQUENCE_MATCH: Definition = Definition {
    name: "sequence_match",
    arguments: "pattern, occurred_at, condition, …",
    returns: "boolean",
    description: "Whether a customer's rows follow a pattern: (?1) is a row that meets the first condition, . any row, .* any \
                  number of rows, and (?t<=3600) says how many seconds lie between two.",
    example: example!(
        "sequence_match('(?1)(?t<=3600)(?2).*(?3)', t, step = 'view', step = 'cart', step = 'pay')"
    ),
    example_result: "true",
    ..WINDOW_FUNNEL
};

const SEQUENCE_COUNT: Definition = Definition {
    name: "sequence_count",
    returns: "bigint",
    description: "How many times a customer's rows follow a pattern, one after another without sharing rows.",
    example: example!("sequence_count('(?1)(?2)', t, step = 'view', step = 'cart' OR step = 'pay')"),
    example_result: "2",
    ..SEQUENCE_MATCH
};

const SEQUENCE_TIMES: Definition = Definition {
    name: "sequence_times",
    returns: "timestamp[]",
    description: "When the rows that first follow a pattern happened; empty where none do.",
    example: example!("sequence_times('(?1).*(?2)', t, step = 'cart', step = 'pay')"),
    example_result: "[2026-01-01T10:05:00, 2026-01-01T12:00:00]",
    ..SEQUENCE_MATCH
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        entry(WINDOW_FUNNEL, Asks::Level),
        entry(FUNNEL_TIMES, Asks::FunnelTimes),
        entry(RETENTION, Asks::Retention),
        entry(SEQUENCE_MATCH, Asks::Match),
        entry(SEQUENCE_COUNT, Asks::Count),
        entry(SEQUENCE_TIMES, Asks::MatchTimes),
    ]
}

fn entry(definition: Definition, asks: Asks) -> Entry {
    let function = SequenceFunction {
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: definition.documentation(SECTION),
        definition,
        asks,
    };
    definition.entry(Implementation::Aggregate(Arc::new(AggregateUDF::from(function))))
}

/// What a function asks of a customer's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Level,
    FunnelTimes,
    Retention,
    Match,
    Count,
    MatchTimes,
}

impl Asks {
    /// How many arguments stand before the conditions; a text behind them is the modes of a funnel.
    fn leading(self) -> usize {
        match self {
            Asks::Retention => 0,
            _ => 2,
        }
    }

    fn is_funnel(self) -> bool {
        matches!(self, Asks::Level | Asks::FunnelTimes)
    }

    fn returns(self) -> DataType {
        let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
        match self {
            Asks::Level => DataType::Int32,
            Asks::Count => DataType::Int64,
            Asks::Match => DataType::Boolean,
            Asks::Retention => list(DataType::Boolean),
            Asks::FunnelTimes | Asks::MatchTimes => list(DataType::Timestamp(TimeUnit::Microsecond, None)),
        }
    }
}

#[derive(Debug)]
struct SequenceFunction {
    definition: Definition,
    signature: Signature,
    documentation: Documentation,
    asks: Asks,
}

impl PartialEq for SequenceFunction {
    fn eq(&self, other: &Self) -> bool {
        self.asks == other.asks
    }
}

impl Eq for SequenceFunction {}

impl Hash for SequenceFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
    }
}

fn is_text(found: &DataType) -> bool {
    matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

impl SequenceFunction {
    fn misfit(&self) -> Error {
        let message = format!("function {} does not exist with these arguments", self.definition.name);
        Error::new(ErrorKind::UndefinedFunction, message)
            .with_hint(format!("It is called as {}({}).", self.definition.name, self.definition.arguments))
    }

    /// What the argument at `place` is read as; `None` if `found` does not fit.
    fn reads(&self, place: usize, found: &DataType) -> Option<DataType> {
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        let is_time = matches!(found, DataType::Timestamp(..) | DataType::Date32);
        match (self.asks, place) {
            (Asks::Retention, _) => {}
            (Asks::Match | Asks::Count | Asks::MatchTimes, 0) => {
                return is_text(found).then_some(DataType::Utf8);
            }
            (Asks::Match | Asks::Count | Asks::MatchTimes, 1) | (_, 0) => return is_time.then_some(time),
            (_, 1) if matches!(found, DataType::Interval(_) | DataType::Duration(_)) => {
                return Some(DataType::Interval(IntervalUnit::MonthDayNano));
            }
            (_, 1) => return found.is_numeric().then_some(DataType::Float64),
            (_, 2) if is_text(found) => return Some(DataType::Utf8),
            _ => {}
        }
        matches!(found, DataType::Boolean | DataType::Null).then_some(DataType::Boolean)
    }
}

impl AggregateUDFImpl for SequenceFunction {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let read = types
            .iter()
            .enumerate()
            .map(|(place, found)| self.reads(place, found))
            .collect::<Option<Vec<_>>>();
        match read {
            Some(read) if read.last() == Some(&DataType::Boolean) => Ok(read),
            _ => Err(self.misfit().into()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.asks.returns())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            let message = format!("DISTINCT is not supported by function {}", self.definition.name);
            return Err(Error::not_supported(message).into());
        }
        let leading = self.asks.leading();
        let has_modes = self.asks.is_funnel()
            && args.exprs.get(leading).map(|expr| expr.data_type(args.schema)).transpose()?
                == Some(DataType::Utf8);
        let first_condition = leading + usize::from(has_modes);
        let conditions = args.exprs.len().saturating_sub(first_condition);
        let rows = match self.asks {
            Asks::Retention => Rows::Retention(Retention::default()),
            Asks::Level | Asks::FunnelTimes => {
                let modes = if has_modes {
                    constant_text(args.exprs[leading].as_ref(), "modes")?
                } else {
                    String::new()
                };
                let window =
                    microseconds(constant(args.exprs[1].as_ref(), "window_length")?, "window_length")?;
                let modes = Modes::parse(&modes).map_err(Error::from)?;
                let funnel = Funnel::new(conditions, window, modes).map_err(Error::from)?;
                Rows::Funnel(funnel, FunnelState::default())
            }
            Asks::Match | Asks::Count | Asks::MatchTimes => {
                let pattern = constant_text(args.exprs[0].as_ref(), "pattern")?;
                let pattern = Pattern::parse(&pattern, conditions).map_err(Error::from)?;
                Rows::Sequence(pattern, SequenceState::default())
            }
        };
        let time = match self.asks {
            Asks::Retention => None,
            asks => Some(usize::from(!asks.is_funnel())),
        };
        Ok(Box::new(SequenceAccumulator { asks: self.asks, time, first_condition, conditions, rows }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "rows"), DataType::Binary, false))])
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The value of an argument that is the same for all rows.
pub(crate) fn constant(expr: &dyn PhysicalExpr, what: &str) -> Result<ScalarValue> {
    let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match expr.evaluate(&nothing) {
        Ok(ColumnarValue::Scalar(value)) if !value.is_null() => Ok(value),
        Ok(ColumnarValue::Scalar(_)) => {
            Err(Error::invalid_argument(format!("{what} must not be NULL")).into())
        }
        _ => Err(Error::invalid_argument(format!("{what} must be a constant")).into()),
    }
}

fn constant_text(expr: &dyn PhysicalExpr, what: &str) -> Result<String> {
    let value = constant(expr, what)?;
    Ok(value.try_as_str().flatten().unwrap_or_default().to_owned())
}

/// A length of time in microseconds: an interval, or a number of seconds.
pub(crate) fn microseconds(length: ScalarValue, what: &str) -> Result<i64> {
    match length {
        ScalarValue::IntervalMonthDayNano(Some(interval)) if interval.months == 0 => {
            let days = i64::from(interval.days) * 86_400_000_000;
            Ok(days.saturating_add(interval.nanoseconds / 1000))
        }
        ScalarValue::IntervalMonthDayNano(_) => {
            Err(Error::invalid_argument(format!("{what} must not have months"))
                .with_hint("Months differ in length: write days.")
                .into())
        }
        ScalarValue::Float64(Some(seconds)) if seconds.abs() < 9e12 => Ok((seconds * 1e6).round() as i64),
        _ => Err(Error::invalid_argument(format!("{what} is out of range")).into()),
    }
}

/// What is remembered of a customer, and what is asked of it.
#[derive(Debug)]
enum Rows {
    Funnel(Funnel, FunnelState),
    Sequence(Pattern, SequenceState),
    Retention(Retention),
}

#[derive(Debug)]
struct SequenceAccumulator {
    asks: Asks,
    time: Option<usize>,
    first_condition: usize,
    conditions: usize,
    rows: Rows,
}

impl SequenceAccumulator {
    fn times(&mut self) -> Vec<i64> {
        match &mut self.rows {
            Rows::Funnel(funnel, state) => state.times(funnel),
            Rows::Sequence(pattern, state) => state.times(pattern),
            Rows::Retention(_) => Vec::new(),
        }
    }
}

impl Accumulator for SequenceAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let conditions: Vec<&BooleanArray> =
            values.iter().skip(self.first_condition).filter_map(|array| array.as_boolean_opt()).collect();
        let times =
            self.time.and_then(|time| values.get(time)?.as_primitive_opt::<TimestampMicrosecondType>());
        for row in 0..values.first().map_or(0, |array| array.len()) {
            let met = |(place, condition): (usize, &&BooleanArray)| {
                u64::from(condition.is_valid(row) && condition.value(row)) << place.min(63)
            };
            let conditions = conditions.iter().enumerate().map(met).fold(0, |all, one| all | one);
            let time = match times {
                Some(times) if times.is_null(row) => continue,
                Some(times) => times.value(row),
                None => 0,
            };
            let event = Event { time, sequence: 0, conditions };
            match &mut self.rows {
                Rows::Funnel(funnel, state) => state.update(funnel, event),
                Rows::Sequence(_, state) => state.update(event),
                Rows::Retention(state) => state.update(conditions),
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states.first().and_then(|states| states.as_binary_opt::<i32>());
        for bytes in states.into_iter().flatten().flatten() {
            match &mut self.rows {
                Rows::Funnel(_, state) => state.merge(&FunnelState::from_bytes(bytes).map_err(Error::from)?),
                Rows::Sequence(_, state) => {
                    state.merge(&SequenceState::from_bytes(bytes).map_err(Error::from)?)
                }
                Rows::Retention(state) => state.merge(&Retention::from_bytes(bytes).map_err(Error::from)?),
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let bytes = match &self.rows {
            Rows::Funnel(_, state) => state.to_bytes(),
            Rows::Sequence(_, state) => state.to_bytes(),
            Rows::Retention(state) => state.to_bytes().to_vec(),
        };
        Ok(vec![ScalarValue::Binary(Some(bytes))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if matches!(self.asks, Asks::FunnelTimes | Asks::MatchTimes) {
            let mut lists = ListBuilder::new(TimestampMicrosecondBuilder::new());
            lists.append_value(self.times().into_iter().map(Some));
            return ScalarValue::try_from_array(&lists.finish(), 0);
        }
        Ok(match &mut self.rows {
            Rows::Funnel(funnel, state) => ScalarValue::Int32(Some(state.level(funnel) as i32)),
            Rows::Sequence(pattern, state) if self.asks == Asks::Count => {
                ScalarValue::Int64(Some(i64::try_from(state.count(pattern)).unwrap_or(i64::MAX)))
            }
            Rows::Sequence(pattern, state) => ScalarValue::Boolean(Some(state.matches(pattern))),
            Rows::Retention(state) => {
                let mut lists = ListBuilder::new(BooleanBuilder::new());
                let answers = state.answers(self.conditions).map_err(Error::from)?;
                lists.append_value(answers.into_iter().map(Some));
                ScalarValue::try_from_array(&lists.finish(), 0)?
            }
        })
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + match &self.rows {
                Rows::Funnel(_, state) => state.size(),
                Rows::Sequence(_, state) => state.size(),
                Rows::Retention(state) => state.size(),
            }
    }
}
