//! `linear_regression`: least squares over all rows, one row a term.

use arrow::array::{Array, Float64Array};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{
    Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, borrowed, optional, required,
};
use crate::regression::batch::Batch;
use crate::regression::clustered::ClusteredMoments;
use crate::regression::linear::{self, LinearFit};
use crate::regression::moments::Moments;
use crate::regression::robust::ResidualProducts;
use crate::regression::term::Term;
use crate::report::{Gathered, Row, Streaming, Type, Values, state};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "linear_regression",
        arguments: "relation, outcome, predictors [, weight, cluster, errors, conf]",
        description: "Linear regression of an outcome on predictors by least squares: one row a term, with its \
                      standard error, test and interval. weight names a column of weights; cluster a column \
                      whose equal values may hang together, such as the customer of several answers; errors is \
                      classic (the default) or robust (HC1); conf is the confidence level, 0.95 unless given.",
        example: "SELECT term, round(estimate, 6) AS estimate, round(p_value, 4) AS p_value, n_obs FROM \
                  linear_regression('SELECT * FROM (VALUES (1, 2.1), (2, 3.9), (3, 6.2), (4, 7.8), (5, 10.1)) AS t(x, y)', \
                  'y', ARRAY['x'])",
        example_result: "(intercept)|0.05|0.817|5\nx|1.99|0.0001|5",
        ..REPORT
    },
    parameters: PARAMETERS,
    columns: COLUMNS,
    start,
}];

const PARAMETERS: &[Parameter] = &[
    required("outcome", Takes::Number),
    required("predictors", Takes::Numbers),
    optional("weight", Takes::Number),
    optional("cluster", Takes::Text),
    optional("errors", Takes::Setting),
    optional("conf", Takes::Setting),
];

const COLUMNS: &[Column] = &[
    ("term", Type::Text),
    ("estimate", Type::Double),
    ("std_error", Type::Double),
    ("statistic", Type::Double),
    ("p_value", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("vif", Type::Double),
    ("n_obs", Type::Bigint),
    ("r_squared", Type::Double),
    ("adj_r_squared", Type::Double),
];

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    let robust = call.choice("errors", &[("classic", false), ("robust", true)])?;
    let width = call.labels("predictors").len() + 1;
    match (call.has("cluster"), robust) {
        (true, true) => Err(Error::invalid_argument("errors of clusters are robust already")
            .with_hint("Leave out errors => 'robust', or the cluster.")),
        (true, false) => {
            Ok(Streaming::start(call, ClusteredMoments::new(width), read_clustered, |call, state| {
                Ok(table(&state.fit(&borrowed(&call.labels("predictors")), call.confidence()?)?))
            }))
        }
        (false, true) => Ok(Gathered::start(call, robust_errors)),
        (false, false) => Ok(Streaming::start(call, Moments::new(width), read_moments, |call, state| {
            Ok(table(&linear::fit(state, &borrowed(&call.labels("predictors")), call.confidence()?)?))
        })),
    }
}

state!(Moments, own, other => Ok(own.merge(&other)?));
state!(ClusteredMoments, own, other => Ok(own.merge(&other)?));

/// Outcome first, then the predictors.
fn columns<'a>(call: &Call, values: &'a Values) -> Result<Vec<&'a Float64Array>, Error> {
    let mut columns = values.numbers(call.places("outcome"))?;
    columns.extend(values.numbers(call.places("predictors"))?);
    Ok(columns)
}

/// Adds the complete rows of `values` to moments of the outcome and the predictors.
pub(super) fn read_moments(call: &Call, values: &Values, moments: &mut Moments) -> Result<(), Error> {
    with_batch(call, values, |batch| Ok(moments.update(batch)?))
}

fn read_clustered(call: &Call, values: &Values, moments: &mut ClusteredMoments) -> Result<(), Error> {
    let texts = values.text(call.places("cluster").start)?;
    let clusters: Vec<u64> = texts.iter().map(|text| text.map_or(0, crate::hash::of_text)).collect();
    with_batch(call, values, |batch| Ok(moments.update(batch, &clusters)?))
}

fn with_batch(
    call: &Call,
    values: &Values,
    take: impl FnOnce(&Batch) -> Result<(), Error>,
) -> Result<(), Error> {
    let columns = columns(call, values)?;
    let weights = match call.has("weight") {
        true => Some(values.number(call.places("weight").start)?),
        false => None,
    };
    let clusters = match call.has("cluster") {
        true => Some(values.text(call.places("cluster").start)?),
        false => None,
    };
    let all: Vec<&Float64Array> = columns.iter().copied().chain(weights).collect();
    let has_nulls = all.iter().any(|column| column.null_count() > 0)
        || clusters.is_some_and(|clusters| clusters.null_count() > 0);
    // NaN and infinity are left out by the moments.
    let valid: Option<Vec<bool>> = has_nulls.then(|| {
        let is_valid = |row| {
            all.iter().all(|column| column.is_valid(row)) && clusters.is_none_or(|texts| texts.is_valid(row))
        };
        (0..values.rows).map(is_valid).collect()
    });
    let slices: Vec<&[f64]> = columns.iter().map(|column| column.values().as_ref()).collect();
    take(&Batch {
        columns: &slices,
        weights: weights.map(|weights| weights.values().as_ref()),
        valid: valid.as_deref(),
    })
}

fn robust_errors(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let labels = call.labels("predictors");
    let names = borrowed(&labels);
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    let batch = Batch { columns: &columns, weights: rows.number("weight"), valid: None };
    let mut moments = Moments::new(columns.len());
    moments.update(&batch)?;
    let mut fit = linear::fit(&moments, &names, call.confidence()?)?;
    let mut residuals = ResidualProducts::new(&fit);
    residuals.update(&fit, &batch)?;
    fit.terms = residuals.terms(&fit, call.confidence()?)?;
    Ok(table(&fit))
}

fn table(fit: &LinearFit) -> Vec<Row> {
    let row = |term: &Term| {
        let mut row = cells(term);
        row.push(ScalarValue::from(fit.n_obs as i64));
        row.push(ScalarValue::from(fit.r_squared));
        row.push(ScalarValue::from(fit.adj_r_squared));
        row
    };
    fit.terms.iter().map(row).collect()
}

/// The columns from `term` to `vif`.
pub(super) fn cells(term: &Term) -> Row {
    vec![
        ScalarValue::from(term.term.as_str()),
        ScalarValue::from(term.estimate),
        ScalarValue::from(term.std_error),
        ScalarValue::from(term.statistic),
        ScalarValue::from(term.p_value),
        ScalarValue::from(term.conf_low),
        ScalarValue::from(term.conf_high),
        ScalarValue::from(term.vif),
    ]
}
