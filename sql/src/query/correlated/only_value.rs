//! The value of the only row: what a subquery without an aggregate is worth. A second row is an error.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, ErrorKind};

const NAME: &str = "__only_value";

pub(super) fn only_value(expr: Expr) -> Expr {
    let function = OnlyValue { signature: Signature::any(1, Volatility::Immutable) };
    let function = Arc::new(AggregateUDF::from(function));
    Expr::AggregateFunction(AggregateFunction::new_udf(function, vec![expr], false, None, Vec::new(), None))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OnlyValue {
    signature: Signature,
}

impl AggregateUDFImpl for OnlyValue {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> DataFusionResult<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field(&self, given: &[FieldRef]) -> DataFusionResult<FieldRef> {
        let given = given.first().map(|field| field.as_ref().clone());
        let field = given.unwrap_or_else(|| Field::new(NAME, DataType::Null, true));
        Ok(Arc::new(field.with_name(NAME).with_nullable(true)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> DataFusionResult<Vec<FieldRef>> {
        let value = Field::new("value", args.return_field.data_type().clone(), true);
        Ok(vec![Arc::new(value), Arc::new(Field::new("found", DataType::Boolean, false))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> DataFusionResult<Box<dyn Accumulator>> {
        let nothing = ScalarValue::try_new_null(args.return_field.data_type())?;
        Ok(Box::new(Only { value: nothing, found: false }))
    }
}

#[derive(Debug)]
struct Only {
    value: ScalarValue,
    found: bool,
}

impl Only {
    fn take(&mut self, values: &ArrayRef, row: usize) -> DataFusionResult<()> {
        if self.found {
            return Err(Error::new(
                ErrorKind::CardinalityViolation,
                "more than one row returned by a subquery used as an expression",
            )
            .into());
        }
        self.found = true;
        self.value = ScalarValue::try_from_array(values, row)?;
        self.value.compact();
        Ok(())
    }
}

impl Accumulator for Only {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> DataFusionResult<()> {
        let [values] = columns else { return Ok(()) };
        (0..values.len().min(2)).try_for_each(|row| self.take(values, row))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DataFusionResult<()> {
        let [values, found] = states else {
            return Err(Error::internal("the state of an only value has two columns").into());
        };
        let found = found.as_boolean();
        (0..values.len()).filter(|row| found.value(*row)).try_for_each(|row| self.take(values, row))
    }

    fn state(&mut self) -> DataFusionResult<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), ScalarValue::Boolean(Some(self.found))])
    }

    fn evaluate(&mut self) -> DataFusionResult<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size() - size_of_val(&self.value)
    }
}
