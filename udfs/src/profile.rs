//! `profile`: what the columns of a relation hold, one row a column.
//!
//! The relation is read once, by as many cores as there are. Counts, NULLs, extremes and means are exact. The number of
//! distinct values is exact up to 10,000 and estimated beyond (HyperLogLog, standard error 0.8 %); quantiles are exact
//! up to 4,096 values and approximate beyond (a ranking error well below 1 %); counts of frequent values are exact where
//! a column has at most 1,024 distinct ones, and lower bounds beyond (Misra and Gries). Personal data is looked for in up
//! to 1,000 values of each column of texts or whole numbers.

mod column;
mod distinct;
mod frequent;
mod quantiles;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use serde_json::Value;
use voxhouse_engine::Error;

use self::column::Profile;
use crate::entry::{Definition, Entry, Implementation};
use crate::report::{Column, Shape, Type, aggregate_name, answer_list, answer_type, constant};

const SECTION: &str = "Statistics";

const PROFILE: Definition = Definition {
    name: "profile",
    arguments: "relation",
    returns: "table",
    volatility: Volatility::Immutable,
    description: "What the columns of a relation hold, one row each, in one pass: rows, NULLs, distinct values (estimated beyond 10,000, \
                  then distinct_exact is false), extremes as text; of numbers the mean and quantiles; the five most frequent values with \
                  their counts as JSON; and the kinds of personal data that a sample of up to 1,000 values shows. It may be \
                  written system.profile(…).",
    example: "SELECT column_name, data_type, rows, nulls, distinct_values, min_value, max_value, p50, top_values, suspected_pii FROM \
              profile('SELECT * FROM (VALUES (1, ''13800138000''), (2, NULL), (2, ''13800138000'')) AS t(id, phone)')",
    example_result: "id|integer|3|0|2|1|2|2|[{\"value\":\"2\",\"count\":2},{\"value\":\"1\",\"count\":1}]|\n\
                     phone|text|3|1|1|13800138000|13800138000||[{\"value\":\"13800138000\",\"count\":2}]|phone",
};

const COLUMNS: &[Column] = &[
    ("column_name", Type::Text),
    ("data_type", Type::Text),
    ("rows", Type::Bigint),
    ("nulls", Type::Bigint),
    ("distinct_values", Type::Bigint),
    ("distinct_exact", Type::Boolean),
    ("min_value", Type::Text),
    ("max_value", Type::Text),
    ("mean", Type::Double),
    ("p05", Type::Double),
    ("p25", Type::Double),
    ("p50", Type::Double),
    ("p75", Type::Double),
    ("p95", Type::Double),
    ("top_values", Type::Text),
    ("suspected_pii", Type::Text),
];

pub(crate) fn entries() -> Vec<Entry> {
    let shape = Shape {
        name: PROFILE.name,
        parameters: &[],
        columns: COLUMNS.iter().map(|(name, kind)| (*name, kind.arrow())).collect(),
    };
    let function = ProfileFunction {
        name: aggregate_name(PROFILE.name),
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: PROFILE.documentation(SECTION),
    };
    vec![PROFILE.entry(Implementation::Report(Arc::new(shape), Arc::new(AggregateUDF::from(function))))]
}

/// `__profile('[["id", "integer"], …]', id, …)`: the names and types of the columns as they are told, and the columns.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ProfileFunction {
    name: String,
    signature: Signature,
    documentation: Documentation,
}

impl AggregateUDFImpl for ProfileFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(answer_type(COLUMNS))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let Some((description, columns)) = args.exprs.split_first() else {
            return Err(Error::internal("a profile is called without its description").into());
        };
        let told = told(&constant(description.as_ref())?)?;
        if told.len() != columns.len() {
            return Err(Error::internal("a profile is called with other columns than it says").into());
        }
        let profiles = columns
            .iter()
            .map(|column| -> Result<Profile> { Ok(Profile::of(&column.data_type(args.schema)?)) });
        Ok(Box::new(Profiles { told, profiles: profiles.collect::<Result<_>>()? }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "profile"), DataType::Binary, false))])
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Name and type of each column.
fn told(description: &str) -> Result<Vec<(String, String)>, Error> {
    serde_json::from_str(description)
        .map_err(|_| Error::internal("a profile is called without its description"))
}

#[derive(Debug)]
struct Profiles {
    told: Vec<(String, String)>,
    profiles: Vec<Profile>,
}

impl Accumulator for Profiles {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for (profile, column) in self.profiles.iter_mut().zip(values.iter().skip(1)) {
            profile.update(column)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states.first().and_then(|states| states.as_binary_opt::<i32>());
        for state in states.into_iter().flatten().flatten() {
            let saved: Vec<Value> = serde_json::from_slice(state).map_err(|_| damaged())?;
            for (profile, saved) in self.profiles.iter_mut().zip(&saved) {
                profile.merge(saved).ok_or_else(damaged)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let saved = Value::Array(self.profiles.iter().map(Profile::save).collect());
        Ok(vec![ScalarValue::Binary(Some(saved.to_string().into_bytes()))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let rows = self.told.iter().zip(&self.profiles).map(|((name, data_type), profile)| {
            let mut row = vec![ScalarValue::from(name.as_str()), ScalarValue::from(data_type.as_str())];
            row.extend(profile.answer());
            row
        });
        answer_list(COLUMNS, rows.collect())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.profiles.iter().map(Profile::size).sum::<usize>()
    }
}

fn damaged() -> Error {
    Error::internal("the state of a profile is damaged")
}
