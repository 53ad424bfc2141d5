//! `e_value`: how strong a hidden cause would have to be to explain an effect away (VanderWeele and Ding 2017).

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;

use crate::entry::{Definition, Entry};
use crate::inference::causal::e_value::{self, Measure};
use crate::scalar::{self, Columns, number, text};

const E_VALUE: Definition = Definition {
    name: "e_value",
    arguments: "effect [, measure]",
    returns: "double precision",
    volatility: Volatility::Immutable,
    description: "How strongly, as a risk ratio, something unmeasured would have to go along with both the treatment and the \
                  outcome to explain an effect away. measure says what the effect is: rr, a risk ratio (the default), or an \
                  odds ratio, hr a hazard ratio, d a difference of means in standard deviations.",
    example: "SELECT round(e_value(2), 6), round(e_value(0.5), 6), round(e_value(1.25), 6)",
    example_result: "3.414214|3.414214|1.809017",
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![scalar::entry(E_VALUE, &[number(), text()], 1, DataType::Float64, "Statistics", run)]
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let effects = columns.number(0)?;
    let measures = if columns.has(1) { Some(columns.text(1)?) } else { None };
    let mut values = Float64Builder::new();
    for row in 0..columns.rows() {
        let measure = match &measures {
            Some(measures) => measures.get(row),
            None => Some("rr"),
        };
        let value = match (effects.get(row), measure) {
            (Some(effect), Some(measure)) => {
                let measure = Measure::parse(measure).map_err(voxhouse_engine::Error::from)?;
                Some(e_value::e_value(effect, measure).map_err(voxhouse_engine::Error::from)?)
            }
            _ => None,
        };
        values.append_option(value);
    }
    Ok(Arc::new(values.finish()))
}
