//! `rank_correlation`: do two columns rise together, whatever the shape.

use arrow::array::Array;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::regression::rank::Pairs;
use crate::report::{Row, Streaming, Type, Values, state};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "rank_correlation",
        arguments: "relation, y, x [, method, conf]",
        description: "Correlation of the ranks of two columns, from -1 to 1, with its test and interval. method is spearman (the \
                      default) or kendall (tau-b); conf is the confidence level, 0.95 unless given.",
        example: "SELECT round(estimate, 4) AS estimate, round(p_value, 4) AS p_value, n_obs FROM rank_correlation('SELECT * FROM (VALUES \
                  (1, 2), (2, 1), (3, 4), (4, 3), (5, 5)) AS t(x, y)', 'y', 'x')",
        example_result: "0.8|0.1041|5",
        ..REPORT
    },
    parameters: &[
        required("y", Takes::Number),
        required("x", Takes::Number),
        optional("method", Takes::Setting),
        optional("conf", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("estimate", Type::Double),
    ("statistic", Type::Double),
    ("p_value", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("n_obs", Type::Bigint),
];

state!(Pairs, own, other => {
    own.merge(&other);
    Ok(())
});

/// Whether it is Kendall's.
fn is_kendall(call: &Call) -> Result<bool, Error> {
    call.choice("method", &[("spearman", false), ("kendall", true)])
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    is_kendall(call)?;
    Ok(Streaming::start(call, Pairs::new(), read, table))
}

fn read(call: &Call, values: &Values, pairs: &mut Pairs) -> Result<(), Error> {
    let y = values.number(call.places("y").start)?;
    let x = values.number(call.places("x").start)?;
    let both = (0..values.rows).filter(|row| y.is_valid(*row) && x.is_valid(*row));
    let (ys, xs): (Vec<f64>, Vec<f64>) = both.map(|row| (y.value(row), x.value(row))).unzip();
    Ok(pairs.update(&ys, &xs)?)
}

fn table(call: &Call, pairs: &mut Pairs) -> Result<Vec<Row>, Error> {
    let conf = call.confidence()?;
    let found = if is_kendall(call)? { pairs.kendall(conf)? } else { pairs.spearman(conf)? };
    Ok(vec![vec![
        ScalarValue::from(found.estimate),
        ScalarValue::from(found.statistic),
        ScalarValue::from(found.p_value),
        ScalarValue::from(found.conf_low),
        ScalarValue::from(found.conf_high),
        ScalarValue::from(found.n_obs as i64),
    ]])
}
