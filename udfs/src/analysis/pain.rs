//! `journey_pain`: at which stage a better experience would win most.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::journey::pain::{self, Estimate, Outcome, PainPoint, Share, Stage};
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "journey_pain",
        arguments: "relation, stage, reached, dropped, with_hits, with_n, without_hits, without_n, customers [, score, score_n, outcome, conf]",
        description: "Stages of a journey by what mending them would be worth: the share of all customers that reach the stage \
                      (volume), the drop rate there, the impact on an outcome (its share among customers without the pain minus \
                      that among customers with it), and the product of the three (priority), each with its interval. reached and \
                      dropped count customers, with_hits of with_n customers with the pain had the outcome, without_hits of \
                      without_n without it; customers is the number of all. score and score_n name columns with the mean score and \
                      its number of answers; outcome is wanted (the default) or unwanted; conf is the confidence level, 0.95 unless \
                      given.",
        example: "SELECT rank, stage, volume, drop_rate, round(impact, 4) AS impact, round(priority, 4) AS priority, round(lost, 2) AS lost FROM \
                  journey_pain('SELECT * FROM (VALUES (''pay'', 400, 100, 10, 100, 240, 300)) AS t(stage, reached, dropped, with_hits, \
                  with_n, without_hits, without_n)', 'stage', 'reached', 'dropped', 'with_hits', 'with_n', 'without_hits', 'without_n', 1000)",
        example_result: "1|pay|0.4|0.25|0.7|0.07|70",
        ..REPORT
    },
    parameters: &[
        required("stage", Takes::Text),
        required("reached", Takes::Number),
        required("dropped", Takes::Number),
        required("with_hits", Takes::Number),
        required("with_n", Takes::Number),
        required("without_hits", Takes::Number),
        required("without_n", Takes::Number),
        required("customers", Takes::Setting),
        optional("score", Takes::NumberOrNull),
        optional("score_n", Takes::NumberOrNull),
        optional("outcome", Takes::Setting),
        optional("conf", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("rank", Type::Bigint),
    ("stage", Type::Text),
    ("volume", Type::Double),
    ("drop_rate", Type::Double),
    ("drop_low", Type::Double),
    ("drop_high", Type::Double),
    ("impact", Type::Double),
    ("impact_low", Type::Double),
    ("impact_high", Type::Double),
    ("priority", Type::Double),
    ("priority_low", Type::Double),
    ("priority_high", Type::Double),
    ("lost", Type::Double),
    ("score", Type::Double),
    ("score_n", Type::Bigint),
    ("score_gap", Type::Double),
];

fn settings(call: &Call) -> Result<(u64, Outcome), Error> {
    let outcome = call.choice("outcome", &[("wanted", Outcome::Wanted), ("unwanted", Outcome::Unwanted)])?;
    Ok((call.whole("customers", 0, 1, 1 << 52)?, outcome))
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    settings(call)?;
    Ok(Gathered::start(call, table))
}

fn count(value: f64, what: &str) -> Result<u64, Error> {
    if value >= 0.0 && value.fract() == 0.0 && value < 9e15 {
        return Ok(value as u64);
    }
    Err(Error::invalid_argument(format!("{what} is {value} where a number of customers is expected")))
}

fn table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let Some(names) = rows.text("stage") else { return Err(Error::internal("stages without names")) };
    let column = |name: &str, row: usize| {
        let values = rows.number(name).ok_or_else(|| Error::internal("a stage without its numbers"))?;
        count(values[row], name)
    };
    let mut stages = Vec::with_capacity(rows.rows());
    for row in 0..rows.rows() {
        let score = rows.number("score").map(|scores| scores[row]).filter(|score| score.is_finite());
        let score_n = rows.number("score_n").map(|counts| counts[row]).filter(|n| n.is_finite());
        stages.push(Stage {
            stage: names.names[names.codes[row] as usize].clone(),
            reached: column("reached", row)?,
            dropped: column("dropped", row)?,
            score: score
                .zip(score_n)
                .map(|(score, n)| Ok::<_, Error>((score, count(n, "score_n")?)))
                .transpose()?,
            with: Share { hits: column("with_hits", row)?, n: column("with_n", row)? },
            without: Share { hits: column("without_hits", row)?, n: column("without_n", row)? },
        });
    }
    let (customers, outcome) = settings(call)?;
    Ok(pain::rank(&stages, customers, outcome, call.confidence()?)?.iter().map(row).collect())
}

fn row(point: &PainPoint) -> Row {
    let mut row = vec![
        ScalarValue::from(point.rank as i64),
        ScalarValue::from(point.stage.as_str()),
        ScalarValue::from(point.volume),
    ];
    for estimate in [&point.drop_rate, &point.impact, &point.priority] {
        let of = |read: fn(&Estimate) -> f64| ScalarValue::from(estimate.as_ref().map(read));
        row.push(of(|estimate| estimate.estimate));
        row.push(of(|estimate| estimate.conf_low));
        row.push(of(|estimate| estimate.conf_high));
    }
    row.push(ScalarValue::from(point.lost));
    row.push(ScalarValue::from(point.score));
    row.push(ScalarValue::from(point.score_n as i64));
    row.push(ScalarValue::from(point.score_gap));
    row
}
