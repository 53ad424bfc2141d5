//! `only_value`: the value that all rows of a group share, such as the currency in which amounts may be added.
//!
//! NULLs are left out; a group without a value gives NULL. Two values are an error that names both.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry, Implementation};
use crate::scalar::{signature, text};

/// With more values than this nothing is counted any more: they cannot all go again.
const MOST_VALUES: usize = 1000;

const ONLY_VALUE: Definition = Definition {
    name: "only_value",
    arguments: "value",
    returns: "text",
    volatility: Volatility::Immutable,
    description: "The value that all rows share, NULL aside. Two values are an error that names both: beside sum(amount), \
                  only_value(currency) refuses to add amounts of two currencies, beside avg(score) only_value(scale) two scales.",
    example: "SELECT only_value(currency), sum(amount) FROM (VALUES ('CNY', 10), ('CNY', 5), (NULL, 0)) AS t(currency, amount)",
    example_result: "CNY|15",
};

pub(crate) fn entries() -> Vec<Entry> {
    let function = OnlyValue {
        signature: signature(&ONLY_VALUE, &[text()], 0),
        documentation: ONLY_VALUE.documentation("Customer experience scores"),
    };
    vec![ONLY_VALUE.entry(Implementation::Aggregate(Arc::new(AggregateUDF::from(function))))]
}

#[derive(Debug)]
struct OnlyValue {
    signature: Signature,
    documentation: Documentation,
}

impl PartialEq for OnlyValue {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for OnlyValue {}

impl Hash for OnlyValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ONLY_VALUE.name.hash(state);
    }
}

impl AggregateUDFImpl for OnlyValue {
    fn name(&self) -> &str {
        ONLY_VALUE.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return Err(Error::not_supported("DISTINCT is not supported by function only_value").into());
        }
        Ok(Box::new(Counts::default()))
    }

    /// Two of the values: more are not needed to know that there is not one.
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |part| Arc::new(Field::new(format_state_name(args.name, part), DataType::Utf8, true));
        Ok(vec![field("first"), field("second")])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// How many rows have each value.
#[derive(Debug, Default)]
struct Counts {
    rows: BTreeMap<String, u64>,
}

impl Counts {
    fn add(&mut self, values: &ArrayRef) -> Result<()> {
        let values = cast(values, &DataType::Utf8)?;
        let values: &StringArray = values.as_string();
        for value in values.iter().flatten() {
            match self.rows.get_mut(value) {
                Some(rows) => *rows += 1,
                None => {
                    self.rows.insert(value.to_owned(), 1);
                }
            }
            if self.rows.len() > MOST_VALUES {
                return Err(self.several().into());
            }
        }
        Ok(())
    }

    fn several(&self) -> Error {
        let named: Vec<String> = self.rows.keys().take(2).map(|value| format!("\"{value}\"")).collect();
        Error::invalid_argument(format!("rows have {} where one value is expected", named.join(" and ")))
            .with_hint("Group by it, or leave out the rows of the other.")
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        values.iter().try_for_each(|values| self.add(values))
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for values in values {
            let values = cast(values, &DataType::Utf8)?;
            for value in values.as_string::<i32>().iter().flatten() {
                if let Some(rows) = self.rows.get_mut(value) {
                    *rows -= 1;
                    if *rows == 0 {
                        self.rows.remove(value);
                    }
                }
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut values = self.rows.keys();
        Ok((0..2).map(|_| ScalarValue::Utf8(values.next().cloned())).collect())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.rows.len() > 1 {
            return Err(self.several().into());
        }
        Ok(ScalarValue::Utf8(self.rows.keys().next().cloned()))
    }

    fn size(&self) -> usize {
        let held: usize = self.rows.keys().map(|value| value.len() + 64).sum();
        size_of_val(self) + held
    }
}
