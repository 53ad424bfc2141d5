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
use crate::regression::robust::{self, ClusterScores, Correction, ResidualProducts};
use crate::regression::term::Term;
use crate::report::{Coded, Gathered, Row, Streaming, Type, Values, state};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "linear_regression",
        arguments: "relation, outcome, predictors [, weight, cluster, errors, conf]",
        description: "Linear regression of an outcome on predictors by least squares: one row a term, with its \
                      standard error, test and interval. weight names a column of weights; cluster a column \
                      whose equal values may hang together, such as the customer of several answers, or an array of \
                      two such columns; errors is classic (the default), robust (HC1), hc0, hc1, hc2 or hc3; conf is \
                      the confidence level, 0.95 unless given.",
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
    optional("cluster", Takes::Texts),
    optional("errors", Takes::Setting),
    optional("conf", Takes::Setting),
];

pub(super) const COLUMNS: &[Column] = &[
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

/// `None` is classic.
fn correction(call: &Call) -> Result<Option<Correction>, Error> {
    call.choice(
        "errors",
        &[
            ("classic", None),
            ("robust", Some(Correction::Hc1)),
            ("hc0", Some(Correction::Hc0)),
            ("hc1", Some(Correction::Hc1)),
            ("hc2", Some(Correction::Hc2)),
            ("hc3", Some(Correction::Hc3)),
        ],
    )
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    let robust = correction(call)?.is_some();
    let width = call.labels("predictors").len() + 1;
    match (call.labels("cluster").len(), robust) {
        (1.., true) => Err(Error::invalid_argument("errors of clusters are robust already")
            .with_hint("Leave out errors => 'robust', or the cluster.")),
        (1, false) => {
            Ok(Streaming::start(call, ClusteredMoments::new(width), read_clustered, |call, state| {
                Ok(table(&state.fit(&borrowed(&call.labels("predictors")), call.confidence()?)?))
            }))
        }
        (2, false) => Ok(Gathered::start(call, two_way_errors)),
        (3.., false) => Err(Error::invalid_argument("errors are clustered by one or two columns")),
        (0, true) => Ok(Gathered::start(call, robust_errors)),
        (0, false) => Ok(Streaming::start(call, Moments::new(width), read_moments, |call, state| {
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
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    let batch = Batch { columns: &columns, weights: rows.number("weight"), valid: None };
    let mut fit = fit_of(call, &batch)?;
    let mut residuals = ResidualProducts::new(&fit, correction(call)?.unwrap_or(Correction::Hc1));
    residuals.update(&fit, &batch)?;
    fit.terms = residuals.terms(&fit, call.confidence()?)?;
    Ok(table(&fit))
}

fn two_way_errors(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let [one, other] = rows.texts("cluster")[..] else {
        return Err(Error::internal("errors clustered by two columns without them"));
    };
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    let batch = Batch { columns: &columns, weights: rows.number("weight"), valid: None };
    let mut fit = fit_of(call, &batch)?;
    let codes = |texts: &Coded| texts.codes.iter().map(|code| u64::from(*code)).collect::<Vec<_>>();
    let (one, other) = (codes(one), codes(other));
    let both: Vec<u64> = one.iter().zip(&other).map(|(one, other)| one << 32 | other).collect();
    let scores = |clusters: &[u64]| -> Result<ClusterScores, Error> {
        let mut scores = ClusterScores::new(&fit);
        scores.update(&fit, &batch, clusters)?;
        Ok(scores)
    };
    let (one, other, both) = (scores(&one)?, scores(&other)?, scores(&both)?);
    fit.terms = robust::two_way_terms(&fit, [&one, &other, &both], call.confidence()?)?;
    Ok(table(&fit))
}

fn fit_of(call: &Call, batch: &Batch) -> Result<LinearFit, Error> {
    let mut moments = Moments::new(batch.columns.len());
    moments.update(batch)?;
    Ok(linear::fit(&moments, &borrowed(&call.labels("predictors")), call.confidence()?)?)
}

pub(super) fn table(fit: &LinearFit) -> Vec<Row> {
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
