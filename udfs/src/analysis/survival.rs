//! `kaplan_meier`, `log_rank` and `cox_regression`: how long customers stay, and what makes them leave.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::hash;
use crate::inference::rows::Rows;
use crate::inference::survival::cox::{self, Errors};
use crate::inference::survival::{Durations, kaplan_meier, log_rank};
use crate::report::{Gathered, Row, Type};

const KAPLAN_MEIER: Definition = Definition {
    name: "kaplan_meier",
    arguments: "relation, duration, event [, group_by, conf]",
    description: "Share of customers that stay beyond each duration (Kaplan-Meier, Greenwood errors, log-log \
                  intervals). event is 1 for those that left after duration and 0 for those last seen then. \
                  group_by names a column with a curve for each value; conf is the confidence level, 0.95 unless \
                  given. median is the duration at which half have left.",
    example: "SELECT time, at_risk, events, round(survival, 4) AS survival FROM kaplan_meier('SELECT * FROM (VALUES (5, 1), (8, 0), \
              (12, 1), (12, 1), (20, 0)) AS t(months, churned)', 'months', 'churned')",
    example_result: "5|5|1|0.8\n8|4|0|0.8\n12|3|2|0.2667\n20|1|0|0.2667",
    ..REPORT
};

const LOG_RANK: Definition = Definition {
    name: "log_rank",
    arguments: "relation, duration, event, group_by",
    description: "Whether groups differ in how long they stay (log-rank test): one row a group, with those that \
                  left and those expected to if all groups left alike.",
    example: "SELECT group_name, n, observed, round(expected, 4) AS expected, round(p_value, 4) AS p_value FROM log_rank('SELECT * FROM \
              (VALUES (5, 1, ''a''), (8, 0, ''a''), (12, 1, ''b''), (14, 1, ''b''), (20, 0, ''b'')) AS t(months, churned, plan)', \
              'months', 'churned', 'plan')",
    example_result: "a|2|1|0.4|0.2207\nb|3|2|2.6|0.2207",
    ..REPORT
};

const COX: Definition = Definition {
    name: "cox_regression",
    arguments: "relation, duration, event, predictors [, cluster, robust, conf]",
    description: "Cox's proportional hazards regression with Efron's ties: one row a predictor; hazard_ratio is how \
                  many times as fast customers leave for one unit more. cluster names a column whose equal values \
                  may hang together; robust => true gives errors that do not trust the model; conf is the \
                  confidence level, 0.95 unless given. proportional_p_value tests that a predictor's effect is the same at \
                  all durations (below 0.05 it is not); concordance is how often the higher risk left first.",
    example: "SELECT term, n_obs, events, round(hazard_ratio, 3) AS hazard_ratio FROM cox_regression('SELECT * FROM (VALUES (5, 1, 1), \
              (8, 1, 0), (12, 1, 1), (14, 0, 0), (20, 1, 0), (3, 1, 1)) AS t(months, churned, complained)', 'months', 'churned', \
              ARRAY['complained'])",
    example_result: "complained|6|5|5.408",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report { definition: KAPLAN_MEIER, parameters: CURVE_PARAMETERS, columns: CURVE, start: start_curve },
    Report { definition: LOG_RANK, parameters: TEST_PARAMETERS, columns: TEST, start: start_test },
    Report { definition: COX, parameters: COX_PARAMETERS, columns: COX_COLUMNS, start: start_cox },
];

const CURVE_PARAMETERS: &[Parameter] = &[
    required("duration", Takes::Number),
    required("event", Takes::Number),
    optional("group_by", Takes::Text),
    optional("conf", Takes::Setting),
];

const CURVE: &[Column] = &[
    ("group_name", Type::Text),
    ("time", Type::Double),
    ("at_risk", Type::Bigint),
    ("events", Type::Bigint),
    ("censored", Type::Bigint),
    ("survival", Type::Double),
    ("std_error", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("median", Type::Double),
    ("median_low", Type::Double),
    ("median_high", Type::Double),
];

const TEST_PARAMETERS: &[Parameter] = &[
    required("duration", Takes::Number),
    required("event", Takes::Number),
    required("group_by", Takes::Text),
];

const TEST: &[Column] = &[
    ("group_name", Type::Text),
    ("n", Type::Bigint),
    ("observed", Type::Bigint),
    ("expected", Type::Double),
    ("statistic", Type::Double),
    ("degrees_of_freedom", Type::Double),
    ("p_value", Type::Double),
];

const COX_PARAMETERS: &[Parameter] = &[
    required("duration", Takes::Number),
    required("event", Takes::Number),
    required("predictors", Takes::Numbers),
    optional("cluster", Takes::Text),
    optional("robust", Takes::Setting),
    optional("conf", Takes::Setting),
];

const COX_COLUMNS: &[Column] = &[
    ("term", Type::Text),
    ("estimate", Type::Double),
    ("std_error", Type::Double),
    ("statistic", Type::Double),
    ("p_value", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("hazard_ratio", Type::Double),
    ("hazard_ratio_low", Type::Double),
    ("hazard_ratio_high", Type::Double),
    ("n_obs", Type::Bigint),
    ("events", Type::Bigint),
    ("proportional_p_value", Type::Double),
    ("concordance", Type::Double),
];

fn start_curve(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Gathered::start(call, curves))
}

fn start_test(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    Ok(Gathered::start(call, test))
}

fn start_cox(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    call.flag("robust")?;
    Ok(Gathered::start(call, hazards))
}

/// The durations of each group, by name; one group without a name where the call has none.
fn durations(rows: &Gathered) -> Result<Vec<(Option<String>, Durations)>, Error> {
    let (Some(times), Some(events)) = (rows.number("duration"), rows.number("event")) else {
        return Err(Error::internal("survival without its columns"));
    };
    let (names, codes) = match rows.text("group_by") {
        Some(groups) => {
            let (names, codes) = groups.in_order();
            (names.into_iter().map(|name| Some(name.to_owned())).collect(), codes)
        }
        None => (vec![None], vec![0; times.len()]),
    };
    let mut groups: Vec<(Option<String>, Durations)> =
        names.into_iter().map(|name| (name, Durations::default())).collect();
    for ((time, event), code) in times.iter().zip(events).zip(codes) {
        groups[code as usize].1.update(*time, flag(*event)?)?;
    }
    Ok(groups)
}

fn flag(event: f64) -> Result<bool, Error> {
    match event {
        0.0 => Ok(false),
        1.0 => Ok(true),
        other => Err(Error::invalid_argument(format!("event is {other} where 0 or 1 is expected"))
            .with_hint("Write a condition as the event: 'ended_at IS NOT NULL'.")),
    }
}

fn curves(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let mut answer = Vec::new();
    for (name, mut durations) in durations(rows)? {
        let curve = kaplan_meier::curve(&mut durations, call.confidence()?)?;
        answer.extend(curve.points.iter().map(|point| {
            vec![
                ScalarValue::from(name.clone()),
                ScalarValue::from(point.time),
                ScalarValue::from(point.at_risk as i64),
                ScalarValue::from(point.events as i64),
                ScalarValue::from(point.censored as i64),
                ScalarValue::from(point.survival),
                ScalarValue::from(point.std_error),
                ScalarValue::from(point.conf_low),
                ScalarValue::from(point.conf_high),
                ScalarValue::from(curve.median),
                ScalarValue::from(curve.median_low),
                ScalarValue::from(curve.median_high),
            ]
        }));
    }
    Ok(answer)
}

fn test(_: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (names, mut groups): (Vec<_>, Vec<_>) = durations(rows)?.into_iter().unzip();
    let Some(found) = log_rank::test(&mut groups)? else {
        return Err(Error::invalid_argument("log-rank test needs two groups of which somebody left"));
    };
    let row = |(name, group): (Option<String>, &log_rank::Group)| {
        vec![
            ScalarValue::from(name),
            ScalarValue::from(group.n as i64),
            ScalarValue::from(group.observed as i64),
            ScalarValue::from(group.expected),
            ScalarValue::from(found.statistic),
            ScalarValue::from(found.freedom),
            ScalarValue::from(found.p_value),
        ]
    };
    Ok(names.into_iter().zip(&found.groups).map(row).collect())
}

fn hazards(call: &Call, gathered: &Gathered) -> Result<Vec<Row>, Error> {
    let columns =
        [gathered.numbers("duration"), gathered.numbers("event"), gathered.numbers("predictors")].concat();
    let clusters: Vec<u64> = match gathered.text("cluster") {
        Some(texts) => {
            let keys: Vec<u64> = texts.names.iter().map(|name| hash::of_text(name)).collect();
            texts.codes.iter().map(|code| keys[*code as usize]).collect()
        }
        None => vec![0; gathered.rows()],
    };
    let mut rows = Rows::new(1, columns.len());
    let mut values = vec![0.0; columns.len()];
    for (row, cluster) in clusters.iter().enumerate() {
        values.iter_mut().zip(&columns).for_each(|(value, column)| *value = column[row]);
        rows.update(&[*cluster], &values)?;
    }
    let errors = match (call.has("cluster"), call.flag("robust")?) {
        (true, _) => Errors::Clustered,
        (false, true) => Errors::Robust,
        (false, false) => Errors::Model,
    };
    let fitted = cox::fit(&rows)?;
    let model = fitted.model(errors, call.confidence()?)?;
    let (proportional, concordance) = (fitted.proportionality(), fitted.concordance());
    let row = |(place, (name, term)): (usize, (String, &cox::Term))| {
        vec![
            ScalarValue::from(name.as_str()),
            ScalarValue::from(term.estimate),
            ScalarValue::from(term.std_error),
            ScalarValue::from(term.statistic),
            ScalarValue::from(term.p_value),
            ScalarValue::from(term.conf_low),
            ScalarValue::from(term.conf_high),
            ScalarValue::from(term.hazard_ratio),
            ScalarValue::from(term.hazard_ratio_low),
            ScalarValue::from(term.hazard_ratio_high),
            ScalarValue::from(model.n as i64),
            ScalarValue::from(model.events as i64),
            ScalarValue::from(proportional.as_ref().and_then(|tests| Some(tests.get(place)?.p_value))),
            ScalarValue::from(concordance),
        ]
    };
    Ok(call.labels("predictors").into_iter().zip(&model.terms).enumerate().map(row).collect())
}
