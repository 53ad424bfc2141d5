//! `drivers`: what an outcome such as a score hangs on, and how much each driver accounts for.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::linear_regression::read_moments;
use super::{
    Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, borrowed, optional, required,
};
use crate::regression::Invalid;
use crate::regression::batch::Batch;
use crate::regression::drivers::{self, Driver, Method};
use crate::regression::moments::Moments;
use crate::regression::resample::{BlockedMoments, MOST_DRAWS, row_keys};
use crate::report::{Gathered, Row, Streaming, Type};

/// Draws of the bootstrap where the call does not say.
const DRAWS: u64 = 1000;

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "drivers",
        arguments: "relation, outcome, predictors [, method, weight, conf, bootstrap, seed]",
        description: "How much each of several drivers accounts for in an outcome, the most important first; the \
                      importances add up to r_squared. method is relative_weights (Johnson, the default), shapley \
                      (LMG, which is general dominance, up to 15 drivers), correlation, logistic (relative weights \
                      for an outcome of 0 and 1), or ordinal (for an outcome of a few ordered levels; r_squared is \
                      McKelvey and Zavoina's). weight names a column of weights. The interval of an importance is from bootstrap \
                      draws, 1000 unless given, from seed; bootstrap => 0 leaves it out and reads the rows once. \
                      conf is the confidence level, 0.95 unless given.",
        example: "SELECT driver, round(importance, 4) AS importance, direction FROM drivers('SELECT 2 * (g % 7) - g % 5 AS score, \
                  g % 7 AS speed, g % 5 AS price FROM generate_series(1, 105) AS g', 'score', ARRAY['speed', 'price'], bootstrap => 0)",
        example_result: "speed|0.8889|positive\nprice|0.1111|negative",
        ..REPORT
    },
    parameters: PARAMETERS,
    columns: COLUMNS,
    start,
}];

const PARAMETERS: &[Parameter] = &[
    required("outcome", Takes::Number),
    required("predictors", Takes::Numbers),
    optional("method", Takes::Setting),
    optional("weight", Takes::Number),
    optional("conf", Takes::Setting),
    optional("bootstrap", Takes::Setting),
    optional("seed", Takes::Setting),
];

pub(super) const COLUMNS: &[Column] = &[
    ("driver", Type::Text),
    ("n_obs", Type::Bigint),
    ("importance", Type::Double),
    ("share", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("direction", Type::Text),
    ("correlation", Type::Double),
    ("estimate", Type::Double),
    ("std_error", Type::Double),
    ("p_value", Type::Double),
    ("vif", Type::Double),
    ("r_squared", Type::Double),
];

const METHODS: [(&str, Method); 6] = [
    ("relative_weights", Method::RelativeWeights),
    ("johnson", Method::RelativeWeights),
    ("shapley", Method::Shapley),
    ("lmg", Method::Shapley),
    ("dominance", Method::Shapley),
    ("correlation", Method::Correlation),
];

/// The regression behind the importances.
#[derive(Debug, Clone, Copy)]
pub(super) enum Model {
    Linear(Method),
    Logistic,
    Ordinal,
}

pub(super) fn model(call: &Call) -> Result<Model, Error> {
    let [logistic, ordinal] = [("logistic", Model::Logistic), ("ordinal", Model::Ordinal)];
    let linear = METHODS.map(|(name, method)| (name, Model::Linear(method)));
    call.choice("method", &[&linear[..], &[logistic, ordinal]].concat())
}

fn draws(call: &Call) -> Result<u64, Error> {
    call.whole("bootstrap", DRAWS, 0, MOST_DRAWS as u64)
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    call.whole("seed", 0, 0, u64::MAX)?;
    let method = match model(call)? {
        Model::Linear(method) => method,
        Model::Logistic | Model::Ordinal if call.has("weight") => {
            return Err(Error::not_supported("logistic and ordinal drivers do not take weights"));
        }
        Model::Logistic => {
            return Ok(Gathered::start(call, |call, rows| of_rows(call, rows, drivers::logistic_drivers)));
        }
        Model::Ordinal => {
            return Ok(Gathered::start(call, |call, rows| of_rows(call, rows, drivers::ordinal_drivers)));
        }
    };
    if method != Method::Correlation && draws(call)? > 0 {
        return Ok(Gathered::start(call, with_intervals));
    }
    let width = call.labels("predictors").len() + 1;
    Ok(Streaming::start(call, Moments::new(width), read_moments, in_one_pass))
}

fn in_one_pass(call: &Call, moments: &mut Moments) -> Result<Vec<Row>, Error> {
    let method = call.choice("method", &METHODS)?;
    Ok(table(&drivers::drivers(moments, &borrowed(&call.labels("predictors")), method)?))
}

fn with_intervals(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let labels = call.labels("predictors");
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    let batch = Batch { columns: &columns, weights: rows.number("weight"), valid: None };
    let mut blocks = BlockedMoments::new(columns.len());
    for keys in row_keys(&[batch]) {
        blocks.update(&batch, &keys)?;
    }
    let method = call.choice("method", &METHODS)?;
    let (draws, seed) = (draws(call)? as usize, call.whole("seed", 0, 0, u64::MAX)?);
    let names = borrowed(&labels);
    Ok(table(&drivers::drivers_with_interval(&blocks, &names, method, draws, seed, call.confidence()?)?))
}

/// Drivers of a model that is fitted to the rows, not to their moments.
type OfRows = fn(&[Batch], &[&str]) -> Result<Vec<Driver>, Invalid>;

fn of_rows(call: &Call, rows: &Gathered, drivers: OfRows) -> Result<Vec<Row>, Error> {
    let labels = call.labels("predictors");
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    Ok(table(&drivers(&[Batch::new(&columns)], &borrowed(&labels))?))
}

pub(super) fn table(drivers: &[Driver]) -> Vec<Row> {
    let row = |driver: &Driver| {
        vec![
            ScalarValue::from(driver.driver.as_str()),
            ScalarValue::from(driver.n_obs as i64),
            ScalarValue::from(driver.importance),
            ScalarValue::from(driver.share),
            ScalarValue::from(driver.conf_low),
            ScalarValue::from(driver.conf_high),
            ScalarValue::from(driver.direction.as_str()),
            ScalarValue::from(driver.correlation),
            ScalarValue::from(driver.estimate),
            ScalarValue::from(driver.std_error),
            ScalarValue::from(driver.p_value),
            ScalarValue::from(driver.vif),
            ScalarValue::from(driver.r_squared),
        ]
    };
    drivers.iter().map(row).collect()
}
