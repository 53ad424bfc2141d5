//! `sessionize`: the visits of one customer, numbered, as a window function.
//!
//! A new session begins with the first row and with every row more than the gap after the one before. Rows of the
//! same time are in one session; a row without a time is in none and parts none. Rows must come in the order of
//! their times; state is one time and one number, so rows stream through.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, PrimitiveArray};
use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit, TimestampMicrosecondType};
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

use crate::entry::{Definition, Entry, Implementation};
use crate::journey::session::Sessions;
use crate::sequences::{constant, microseconds};

const SECTION: &str = "Customer journey";

const SESSIONIZE: Definition = Definition {
    name: "sessionize",
    arguments: "occurred_at, gap",
    returns: "bigint",
    volatility: Volatility::Immutable,
    description: "The number of the visit a row belongs to, from 1 on: a row more than the gap after the one before begins \
                  a new one. It is called with OVER (PARTITION BY the customer ORDER BY the same time); a row without a \
                  time is in no visit.",
    example: "SELECT t, sessionize(t, interval '30 minutes') OVER (ORDER BY t) AS visit FROM \
              (VALUES (timestamp '2026-01-01 10:00:00'), (timestamp '2026-01-01 10:30:00'), \
              (timestamp '2026-01-01 11:00:01')) AS e(t)",
    example_result: "2026-01-01T10:00:00|1\n2026-01-01T10:30:00|1\n2026-01-01T11:00:01|2",
};

pub(crate) fn entries() -> Vec<Entry> {
    let function = Sessionize {
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: SESSIONIZE.documentation(SECTION),
    };
    vec![SESSIONIZE.entry(Implementation::Window(Arc::new(WindowUDF::from(function))))]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sessionize {
    signature: Signature,
    documentation: Documentation,
}

impl WindowUDFImpl for Sessionize {
    fn name(&self) -> &str {
        SESSIONIZE.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let gap = match types {
            [DataType::Timestamp(..) | DataType::Date32 | DataType::Null, gap] => gap,
            _ => return Err(misfit().into()),
        };
        let gap = match gap {
            DataType::Interval(_) | DataType::Duration(_) => DataType::Interval(IntervalUnit::MonthDayNano),
            number if number.is_numeric() => DataType::Float64,
            _ => return Err(misfit().into()),
        };
        Ok(vec![DataType::Timestamp(TimeUnit::Microsecond, None), gap])
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, true)))
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let gap = args.input_exprs().get(1).ok_or_else(misfit)?;
        let gap = microseconds(constant(gap.as_ref(), "gap")?, "gap")?;
        Ok(Box::new(Visits(Sessions::new(gap).map_err(Error::from)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::None
    }
}

fn misfit() -> Error {
    let message = format!("function {} does not exist with these arguments", SESSIONIZE.name);
    Error::new(ErrorKind::UndefinedFunction, message).with_hint(
        "It is called as sessionize(occurred_at, interval '30 minutes') OVER (PARTITION BY … ORDER BY …).",
    )
}

#[derive(Debug)]
struct Visits(Sessions);

impl Visits {
    fn number(
        &mut self,
        times: &PrimitiveArray<TimestampMicrosecondType>,
        row: usize,
    ) -> Result<Option<i64>> {
        if times.is_null(row) {
            return Ok(None);
        }
        let number = self.0.number(times.value(row)).map_err(Error::from)?;
        Ok(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

fn times(values: &[ArrayRef]) -> Result<&PrimitiveArray<TimestampMicrosecondType>> {
    let times = values.first().and_then(|times| times.as_primitive_opt());
    Ok(times.ok_or_else(|| Error::internal("sessionize is given no times"))?)
}

impl PartitionEvaluator for Visits {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let times = times(values)?;
        let numbers: Int64Array = (0..rows).map(|row| self.number(times, row)).collect::<Result<_>>()?;
        Ok(Arc::new(numbers))
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(self.number(times(values)?, range.start)?))
    }

    fn supports_bounded_execution(&self) -> bool {
        true
    }

    fn is_causal(&self) -> bool {
        true
    }
}
