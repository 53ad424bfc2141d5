//! `logistic_regression` and `ordinal_regression`: odds of an outcome of two or of several ordered values.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::linear_regression::cells;
use super::{
    Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, borrowed, optional, required,
};
use crate::regression::batch::Batch;
use crate::regression::logistic::{self, LogisticOptions};
use crate::regression::ordinal;
use crate::report::{Gathered, Row, Type};

const LOGISTIC: Definition = Definition {
    name: "logistic_regression",
    arguments: "relation, outcome, predictors [, weight, firth, conf]",
    description: "Logistic regression of an outcome of 0 and 1 on predictors: one row a term; odds_ratio is exp \
                  of the estimate. weight names a column of weights. firth => true applies Firth's correction, \
                  which has an answer where a predictor tells the outcomes apart without fail; conf is the \
                  confidence level, 0.95 unless given. r_squared is McFadden's.",
    example: "SELECT term, round(estimate, 4) AS estimate, round(odds_ratio, 4) AS odds_ratio, n_obs, events FROM \
              logistic_regression('SELECT * FROM (VALUES (1, 0), (2, 0), (3, 1), (4, 0), (5, 1), (6, 1)) AS t(late, churned)', \
              'churned', ARRAY['late'])",
    example_result: "(intercept)|-4.2491|0.0143|6|3\nlate|1.214|3.367|6|3",
    ..REPORT
};

const ORDINAL: Definition = Definition {
    name: "ordinal_regression",
    arguments: "relation, outcome, predictors [, conf]",
    description: "Proportional-odds regression of an ordered outcome, such as a score, on predictors: one row a \
                  predictor, then one a threshold between neighbouring values. conf is the confidence level, \
                  0.95 unless given. r_squared is McFadden's.",
    example: "SELECT term, estimate > 0 AS raises, n_obs FROM ordinal_regression('SELECT g AS x, (g * 7 % 5 + g) / 4 AS y \
              FROM generate_series(1, 20) AS g', 'y', ARRAY['x']) LIMIT 1",
    example_result: "x|t|20",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report {
        definition: LOGISTIC,
        parameters: LOGISTIC_PARAMETERS,
        columns: LOGISTIC_COLUMNS,
        start: start_logistic,
    },
    Report {
        definition: ORDINAL,
        parameters: ORDINAL_PARAMETERS,
        columns: ORDINAL_COLUMNS,
        start: start_ordinal,
    },
];

const LOGISTIC_PARAMETERS: &[Parameter] = &[
    required("outcome", Takes::Number),
    required("predictors", Takes::Numbers),
    optional("weight", Takes::Number),
    optional("firth", Takes::Setting),
    optional("conf", Takes::Setting),
];

const ORDINAL_PARAMETERS: &[Parameter] = &[
    required("outcome", Takes::Number),
    required("predictors", Takes::Numbers),
    optional("conf", Takes::Setting),
];

const LOGISTIC_COLUMNS: &[Column] = &[
    ("term", Type::Text),
    ("estimate", Type::Double),
    ("std_error", Type::Double),
    ("statistic", Type::Double),
    ("p_value", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("vif", Type::Double),
    ("odds_ratio", Type::Double),
    ("n_obs", Type::Bigint),
    ("events", Type::Bigint),
    ("r_squared", Type::Double),
];

const ORDINAL_COLUMNS: &[Column] = &[
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
];

fn start_logistic(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    options(call)?;
    Ok(Gathered::start(call, logistic_table))
}

fn start_ordinal(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Gathered::start(call, ordinal_table))
}

fn options(call: &Call) -> Result<LogisticOptions, Error> {
    Ok(LogisticOptions { conf: call.confidence()?, firth: call.flag("firth")? })
}

fn logistic_table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let labels = call.labels("predictors");
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    let batch = Batch { columns: &columns, weights: rows.number("weight"), valid: None };
    let fit = logistic::fit(&[batch], &borrowed(&labels), &options(call)?)?;
    let row = |term| {
        let mut row: Row = cells(term);
        row.push(ScalarValue::from(term.estimate.exp()));
        row.push(ScalarValue::from(fit.n_obs as i64));
        row.push(ScalarValue::from(fit.events as i64));
        row.push(ScalarValue::from(fit.r_squared));
        row
    };
    Ok(fit.terms.iter().map(row).collect())
}

fn ordinal_table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let labels = call.labels("predictors");
    let columns = [rows.numbers("outcome"), rows.numbers("predictors")].concat();
    let fit = ordinal::fit(&[Batch::new(&columns)], &borrowed(&labels), call.confidence()?)?;
    let row = |term| {
        let mut row: Row = cells(term);
        row.push(ScalarValue::from(fit.n_obs as i64));
        row.push(ScalarValue::from(fit.r_squared));
        row
    };
    Ok(fit.terms.iter().map(row).collect())
}
