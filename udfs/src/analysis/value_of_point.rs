//! `value_of_point`: what one more point of a score goes along with in money.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::effect::{self, CONF_HIGH, CONF_LOW, ESTIMATE, P_VALUE, STATISTIC, STD_ERROR};
use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::hash;
use crate::inference::causal::point_value;
use crate::inference::rows::Rows;
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "value_of_point",
        arguments: "relation, amount, score [, customer, points, customers, cost, conf]",
        description: "What one more point of a score goes along with in money a customer, by regression of the amount \
                      on the score: estimate and interval, and what that makes for so many points over so many \
                      customers, 1 and 1 unless given. customer names a column whose equal values are one customer's \
                      answers. With a cost, break_even_points is how many points pay for it. conf is the confidence \
                      level, 0.95 unless given. It is an association: a programme's own effect is measured by did.",
        example: "SELECT round(estimate, 4) AS estimate, round(value, 2) AS value, round(break_even_points, 4) AS break_even_points, n_obs \
                  FROM value_of_point('SELECT * FROM (VALUES (100, 2), (130, 5), (150, 8), (180, 9), (110, 3)) AS t(spent, score)', \
                  'spent', 'score', customers => 1000, cost => 5000)",
        example_result: "10.2688|10268.82|0.4869|5",
        ..REPORT
    },
    parameters: &[
        required("amount", Takes::Number),
        required("score", Takes::Number),
        optional("customer", Takes::Text),
        optional("points", Takes::Setting),
        optional("customers", Takes::Setting),
        optional("cost", Takes::Setting),
        optional("conf", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ESTIMATE,
    STD_ERROR,
    STATISTIC,
    P_VALUE,
    CONF_LOW,
    CONF_HIGH,
    ("value", Type::Double),
    ("value_low", Type::Double),
    ("value_high", Type::Double),
    ("break_even_points", Type::Double),
    ("break_even_low", Type::Double),
    ("break_even_high", Type::Double),
    ("r_squared", Type::Double),
    ("n_obs", Type::Bigint),
    ("customers_n", Type::Bigint),
];

/// Points, customers and cost.
fn factors(call: &Call) -> Result<(f64, f64, Option<f64>), Error> {
    let cost = call.number("cost", f64::NAN, 0.0, 1e18)?;
    Ok((
        call.number("points", 1.0, -1e9, 1e9)?,
        call.number("customers", 1.0, 1e-9, 1e12)?,
        (!cost.is_nan()).then_some(cost),
    ))
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    factors(call)?;
    Ok(Gathered::start(call, table))
}

fn table(call: &Call, gathered: &Gathered) -> Result<Vec<Row>, Error> {
    let (Some(amounts), Some(scores)) = (gathered.number("amount"), gathered.number("score")) else {
        return Err(Error::internal("the value of a point without its columns"));
    };
    let customers = gathered.text("customer");
    let mut rows = Rows::new(1, 2);
    for row in 0..gathered.rows() {
        let key = match customers {
            Some(texts) => hash::of_text(&texts.names[texts.codes[row] as usize]),
            None => row as u64,
        };
        rows.update(&[key], &[amounts[row], scores[row]])?;
    }
    let (points, customers, cost) = factors(call)?;
    let Some(found) = point_value::point_value(&rows, points, customers, call.confidence()?)? else {
        return Err(Error::invalid_argument("the score does not vary, so a point has no value")
            .with_hint("It takes rows with different scores."));
    };
    let break_even = cost.map(|cost| found.break_even(cost, customers)).transpose()?;
    let mut row = effect::cells(&found.slope);
    row.push(ScalarValue::from(found.value.estimate));
    row.push(ScalarValue::from(found.value.errors.map(|errors| errors.conf_low)));
    row.push(ScalarValue::from(found.value.errors.map(|errors| errors.conf_high)));
    row.push(ScalarValue::from(break_even.and_then(|points| points.points)));
    row.push(ScalarValue::from(break_even.and_then(|points| points.conf_low)));
    row.push(ScalarValue::from(break_even.and_then(|points| points.conf_high)));
    row.push(ScalarValue::from(found.r_squared));
    row.push(ScalarValue::from(found.n as i64));
    row.push(ScalarValue::from(found.clusters as i64));
    Ok(vec![row])
}
