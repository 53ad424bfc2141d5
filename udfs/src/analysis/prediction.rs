//! `roc_auc` and `calibration`: how good predicted probabilities are.

use arrow::array::Array;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::regression::calibration::{self, Binning, CalibrationBin};
use crate::regression::roc::ScoredOutcomes;
use crate::report::{Row, Streaming, Type, Values, state};

const ROC_AUC: Definition = Definition {
    name: "roc_auc",
    arguments: "relation, outcome, predicted [, weight, conf]",
    description: "Area under the ROC curve: the probability that a row with outcome 1 was predicted higher than one with outcome 0 \
                  (ties count half), with DeLong's interval. weight names a column of weights; conf is the confidence level, \
                  0.95 unless given.",
    example: "SELECT auc, n_obs, positives FROM roc_auc('SELECT * FROM (VALUES (0, 0.1), (0, 0.4), (1, 0.35), (1, 0.8)) AS t(churned, \
              predicted)', 'churned', 'predicted')",
    example_result: "0.75|4|2",
    ..REPORT
};

const CALIBRATION: Definition = Definition {
    name: "calibration",
    arguments: "relation, outcome, predicted [, weight, bins, binning, conf]",
    description: "Predicted against observed: rows by bins of the predicted probability, with the mean prediction, the observed \
                  share and its interval, the expected calibration error and the Brier score over all. weight names a column of \
                  weights; bins is their number, 10 unless given; binning is width (equally wide, the default) or count (equally \
                  full); conf is the confidence level, 0.95 unless given.",
    example: "SELECT bin, n_obs, round(mean_predicted, 2) AS mean_predicted, observed, round(brier, 4) AS brier FROM calibration('SELECT * \
              FROM (VALUES (0, 0.1), (0, 0.4), (1, 0.35), (1, 0.8)) AS t(churned, predicted)', 'churned', 'predicted', bins => 2)",
    example_result: "1|3|0.28|0.3333333333333333|0.1581\n2|1|0.8|1|0.1581",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report {
        definition: ROC_AUC,
        parameters: &[OUTCOME, PREDICTED, WEIGHT, CONF],
        columns: AUC_COLUMNS,
        start: start_auc,
    },
    Report {
        definition: CALIBRATION,
        parameters: &[
            OUTCOME,
            PREDICTED,
            WEIGHT,
            optional("bins", Takes::Setting),
            optional("binning", Takes::Setting),
            CONF,
        ],
        columns: CALIBRATION_COLUMNS,
        start: start_calibration,
    },
];

const OUTCOME: Parameter = required("outcome", Takes::Number);
const PREDICTED: Parameter = required("predicted", Takes::Number);
const WEIGHT: Parameter = optional("weight", Takes::Number);
const CONF: Parameter = optional("conf", Takes::Setting);

const AUC_COLUMNS: &[Column] = &[
    ("auc", Type::Double),
    ("std_error", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("n_obs", Type::Bigint),
    ("positives", Type::Double),
];

const CALIBRATION_COLUMNS: &[Column] = &[
    ("bin", Type::Bigint),
    ("low", Type::Double),
    ("high", Type::Double),
    ("n_obs", Type::Bigint),
    ("mean_predicted", Type::Double),
    ("observed", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("brier", Type::Double),
    ("calibration_error", Type::Double),
];

state!(ScoredOutcomes, own, other => {
    own.merge(&other);
    Ok(())
});

fn bins(call: &Call) -> Result<(usize, Binning), Error> {
    let binning = call.choice("binning", &[("width", Binning::Width), ("count", Binning::Count)])?;
    Ok((call.whole("bins", 10, 1, 1000)? as usize, binning))
}

fn start_auc(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Streaming::start(call, ScoredOutcomes::new(), read, |call, scored| {
        let found = scored.auc(call.confidence()?)?;
        Ok(vec![vec![
            ScalarValue::from(found.auc),
            ScalarValue::from(found.std_error),
            ScalarValue::from(found.conf_low),
            ScalarValue::from(found.conf_high),
            ScalarValue::from(found.n_obs as i64),
            ScalarValue::from(found.positives),
        ]])
    }))
}

fn start_calibration(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    bins(call)?;
    Ok(Streaming::start(call, ScoredOutcomes::new(), read, table))
}

fn read(call: &Call, values: &Values, scored: &mut ScoredOutcomes) -> Result<(), Error> {
    let outcomes = values.number(call.places("outcome").start)?;
    let predicted = values.number(call.places("predicted").start)?;
    let weights = if call.has("weight") { Some(values.number(call.places("weight").start)?) } else { None };
    let mut columns: [Vec<f64>; 3] = Default::default();
    for row in 0..values.rows {
        if outcomes.is_valid(row)
            && predicted.is_valid(row)
            && weights.is_none_or(|weights| weights.is_valid(row))
        {
            columns[0].push(outcomes.value(row));
            columns[1].push(predicted.value(row));
            columns[2].push(weights.map_or(1.0, |weights| weights.value(row)));
        }
    }
    let [outcomes, predicted, weighed] = &columns;
    Ok(scored.update(outcomes, predicted, weights.map(|_| weighed.as_slice()))?)
}

fn table(call: &Call, scored: &mut ScoredOutcomes) -> Result<Vec<Row>, Error> {
    let (count, binning) = bins(call)?;
    let found = calibration::calibration(scored, count, binning, call.confidence()?)?;
    let row = |bin: &CalibrationBin| {
        vec![
            ScalarValue::from(i64::from(bin.bin)),
            ScalarValue::from(bin.low),
            ScalarValue::from(bin.high),
            ScalarValue::from(bin.n_obs as i64),
            ScalarValue::from(bin.mean_predicted),
            ScalarValue::from(bin.observed),
            ScalarValue::from(bin.conf_low),
            ScalarValue::from(bin.conf_high),
            ScalarValue::from(found.brier),
            ScalarValue::from(found.ece),
        ]
    };
    Ok(found.bins.iter().map(row).collect())
}
