//! `train_model`: a regression as one row that a table can store, with how good it is.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, borrowed, optional, required};
use crate::regression::batch::Batch;
use crate::regression::calibration::{self, Binning};
use crate::regression::linear;
use crate::regression::logistic::{self, LogisticOptions};
use crate::regression::model::{Kind, Model};
use crate::regression::moments::Moments;
use crate::regression::roc::ScoredOutcomes;
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "train_model",
        arguments: "relation, outcome, predictors [, method, weight]",
        description: "A regression as one row to be stored: the model, which predict takes, and how well it fits the rows that it was \
                      made of. method is logistic, for an outcome of 0 and 1 (the default), firth (the same with Firth's \
                      correction) or linear; weight names a column of weights. r_squared is McFadden's of a logistic model; auc, \
                      brier and calibration_error are of its probabilities; rmse is the residual standard deviation of a linear \
                      one. CALL roi.train stores such a row in roi.models.",
        example: "SELECT kind, n_obs, events, round(auc, 4) AS auc, round(predict(model, 4), 4) AS predicted FROM train_model('SELECT * FROM \
                  (VALUES (1, 0), (2, 0), (3, 1), (4, 0), (5, 1), (6, 1)) AS t(late, churned)', 'churned', ARRAY['late'])",
        example_result: "logistic|6|3|0.8889|0.6473",
        ..REPORT
    },
    parameters: &[
        required("outcome", Takes::Number),
        required("predictors", Takes::Numbers),
        optional("method", Takes::Setting),
        optional("weight", Takes::Number),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("kind", Type::Text),
    ("outcome", Type::Text),
    ("predictors", Type::Text),
    ("model", Type::Text),
    ("n_obs", Type::Bigint),
    ("events", Type::Bigint),
    ("r_squared", Type::Double),
    ("auc", Type::Double),
    ("auc_low", Type::Double),
    ("auc_high", Type::Double),
    ("brier", Type::Double),
    ("calibration_error", Type::Double),
    ("rmse", Type::Double),
];

#[derive(Debug, Clone, Copy)]
enum Method {
    Logistic,
    Firth,
    Linear,
}

fn method(call: &Call) -> Result<Method, Error> {
    let methods = [("logistic", Method::Logistic), ("firth", Method::Firth), ("linear", Method::Linear)];
    call.choice("method", &methods)
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    method(call)?;
    Ok(Gathered::start(call, trained))
}

fn trained(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    let batch = Batch { columns: &columns, weights: rows.number("weight"), valid: None };
    let row = match method(call)? {
        Method::Linear => linear_model(call, &batch)?,
        Method::Logistic => logistic_model(call, &batch, false)?,
        Method::Firth => logistic_model(call, &batch, true)?,
    };
    Ok(vec![row])
}

fn linear_model(call: &Call, batch: &Batch) -> Result<Row, Error> {
    let mut moments = Moments::new(batch.columns.len());
    moments.update(batch)?;
    let fit = linear::fit(&moments, &borrowed(&call.labels("predictors")), 0.95)?;
    let mut row = beginning(call, &Model::new(Kind::Linear, &outcome(call), &fit.terms));
    row.push(ScalarValue::from(fit.n_obs as i64));
    row.push(ScalarValue::Int64(None));
    row.push(ScalarValue::from(fit.r_squared));
    row.extend([ScalarValue::Float64(None), ScalarValue::Float64(None), ScalarValue::Float64(None)]);
    row.extend([ScalarValue::Float64(None), ScalarValue::Float64(None), ScalarValue::from(fit.sigma)]);
    Ok(row)
}

fn logistic_model(call: &Call, batch: &Batch, firth: bool) -> Result<Row, Error> {
    let options = LogisticOptions { firth, ..LogisticOptions::default() };
    let fit = logistic::fit(&[*batch], &borrowed(&call.labels("predictors")), &options)?;
    let model = Model::new(Kind::Logistic, &outcome(call), &fit.terms);
    let [outcomes, predictors @ ..] = batch.columns else {
        return Err(Error::internal("a model without its columns"));
    };
    let predicted: Vec<f64> =
        (0..outcomes.len()).map(|row| model.predict(predictors.iter().map(|column| column[row]))).collect();
    let mut scored = ScoredOutcomes::new();
    scored.update(outcomes, &predicted, batch.weights)?;
    let auc = scored.auc(0.95)?;
    let calibration = calibration::calibration(&scored, 10, Binning::Width, 0.95)?;
    let mut row = beginning(call, &model);
    row.push(ScalarValue::from(fit.n_obs as i64));
    row.push(ScalarValue::from(fit.events as i64));
    row.push(ScalarValue::from(fit.r_squared));
    row.push(ScalarValue::from(auc.auc));
    row.push(ScalarValue::from(auc.conf_low));
    row.push(ScalarValue::from(auc.conf_high));
    row.push(ScalarValue::from(calibration.brier));
    row.push(ScalarValue::from(calibration.ece));
    row.push(ScalarValue::Float64(None));
    Ok(row)
}

fn outcome(call: &Call) -> String {
    call.labels("outcome").join(", ")
}

/// The columns from `kind` to `model`.
fn beginning(call: &Call, model: &Model) -> Row {
    vec![
        ScalarValue::from(model.kind.as_str()),
        ScalarValue::from(model.outcome.as_str()),
        ScalarValue::from(call.labels("predictors").join(", ").as_str()),
        ScalarValue::from(model.to_json().as_str()),
    ]
}
