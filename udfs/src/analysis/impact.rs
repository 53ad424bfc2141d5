//! `metric_impact` and `explain_change`: what a topic costs a score, and what moved a score.

use arrow::array::Array;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, borrowed, optional, required};
use crate::regression::change::{PeriodScores, SegmentChange};
use crate::regression::impact::{TopicContribution, TopicImpact, TopicScores};
use crate::regression::scores::Metric;
use crate::report::{Row, Streaming, Type, Values, state};

const IMPACT: Definition = Definition {
    name: "metric_impact",
    arguments: "relation, score, topics [, metric, weight, conf]",
    description: "What each of several topics, columns of true and false, costs a score: the score of all answers minus that of the \
                  answers without the topic, with its interval and a p-value corrected for the number of topics. Since \
                  topics overlap these do not add up; contribution is the topic's Shapley value, and those add up to the \
                  gap between all answers and the answers without any topic. metric is nps (the default) or mean; weight \
                  names a column of weights; conf is the confidence level, 0.95 unless given.",
    example: "SELECT topic, n_obs, round(metric_with, 4) AS metric_with, round(metric_without, 4) AS metric_without, round(impact, 4) AS \
              impact FROM metric_impact('SELECT CASE WHEN g <= 20 THEN 3 WHEN g <= 25 THEN 8 WHEN g <= 30 THEN 9 WHEN g <= 40 THEN 3 \
              WHEN g <= 75 THEN 8 ELSE 9 END AS score, g <= 30 AS late FROM generate_series(1, 150) AS s(g)', 'score', ARRAY['late'])",
    example_result: "late|30|-50|54.1667|-20.8333",
    ..REPORT
};

const CHANGE: Definition = Definition {
    name: "explain_change",
    arguments: "relation, score, segment, after [, metric, weight, conf]",
    description: "What moved a score between two periods: for each segment the part that comes from its growing or shrinking \
                  (mix_effect) and the part from its own score (rate_effect); over all segments both add up to the change \
                  exactly. after is true or 1 for the later period. metric is nps (the default) or mean; weight names a \
                  column of weights; conf is the confidence level, 0.95 unless given.",
    example: "SELECT segment, round(mix_effect, 4) AS mix_effect, round(rate_effect, 4) AS rate_effect, round(effect, 4) AS effect, change FROM explain_change('SELECT * FROM (VALUES (4, ''app'', false), \
              (4, ''app'', false), (2, ''shop'', false), (2, ''shop'', false), (5, ''app'', true), (2, ''shop'', true), (2, ''shop'', \
              true), (1, ''shop'', true)) AS t(score, channel, later)', 'score', 'channel', 'later', metric => 'mean')",
    example_result: "app|-0.4375|0.375|-0.0625|-0.5\nshop|-0.2292|-0.2083|-0.4375|-0.5",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report {
        definition: IMPACT,
        parameters: &[
            required("score", Takes::Number),
            required("topics", Takes::Numbers),
            optional("metric", Takes::Setting),
            optional("weight", Takes::Number),
            optional("conf", Takes::Setting),
        ],
        columns: IMPACT_COLUMNS,
        start: start_impact,
    },
    Report {
        definition: CHANGE,
        parameters: &[
            required("score", Takes::Number),
            required("segment", Takes::Text),
            required("after", Takes::Number),
            optional("metric", Takes::Setting),
            optional("weight", Takes::Number),
            optional("conf", Takes::Setting),
        ],
        columns: CHANGE_COLUMNS,
        start: start_change,
    },
];

const IMPACT_COLUMNS: &[Column] = &[
    ("topic", Type::Text),
    ("n_obs", Type::Bigint),
    ("share", Type::Double),
    ("metric_with", Type::Double),
    ("metric_without", Type::Double),
    ("impact", Type::Double),
    ("std_error", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("p_value", Type::Double),
    ("p_adjusted", Type::Double),
    ("contribution", Type::Double),
    ("contribution_share", Type::Double),
    ("metric", Type::Double),
    ("metric_without_topics", Type::Double),
];

const CHANGE_COLUMNS: &[Column] = &[
    ("segment", Type::Text),
    ("n_before", Type::Bigint),
    ("n_after", Type::Bigint),
    ("share_before", Type::Double),
    ("share_after", Type::Double),
    ("metric_before", Type::Double),
    ("metric_after", Type::Double),
    ("mix_effect", Type::Double),
    ("rate_effect", Type::Double),
    ("effect", Type::Double),
    ("std_error", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("p_value", Type::Double),
    ("p_adjusted", Type::Double),
    ("change", Type::Double),
    ("change_low", Type::Double),
    ("change_high", Type::Double),
];

state!(TopicScores, own, other => Ok(own.merge(&other)?));
state!(PeriodScores, own, other => Ok(own.merge(&other)?));

fn metric(call: &Call) -> Result<Metric, Error> {
    call.choice("metric", &[("nps", Metric::Nps), ("mean", Metric::Mean)])
}

fn start_impact(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    let state = TopicScores::new(metric(call)?, call.labels("topics").len())?;
    Ok(Streaming::start(call, state, read_topics, impacts))
}

fn start_change(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Streaming::start(call, PeriodScores::new(metric(call)?), read_periods, changes))
}

/// A column as the kernels take it; NaN, which they leave out, where it is NULL.
fn doubles(values: &Values, place: usize) -> Result<Vec<f64>, Error> {
    Ok(values.number(place)?.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// NULL is false.
fn flags(values: &Values, place: usize) -> Result<Vec<bool>, Error> {
    Ok(values.number(place)?.iter().map(|flag| flag.is_some_and(|flag| flag != 0.0)).collect())
}

fn weights(call: &Call, values: &Values) -> Result<Option<Vec<f64>>, Error> {
    match call.has("weight") {
        // An answer without a weight weighs nothing.
        true => {
            let weights = values.number(call.places("weight").start)?;
            Ok(Some(weights.iter().map(|weight| weight.unwrap_or(0.0)).collect()))
        }
        false => Ok(None),
    }
}

fn read_topics(call: &Call, values: &Values, state: &mut TopicScores) -> Result<(), Error> {
    let scores = doubles(values, call.places("score").start)?;
    let topics = call.places("topics").map(|place| flags(values, place)).collect::<Result<Vec<_>, _>>()?;
    let topics: Vec<&[bool]> = topics.iter().map(Vec::as_slice).collect();
    Ok(state.update(&scores, &topics, weights(call, values)?.as_deref())?)
}

fn read_periods(call: &Call, values: &Values, state: &mut PeriodScores) -> Result<(), Error> {
    let mut scores = doubles(values, call.places("score").start)?;
    let segments = values.text(call.places("segment").start)?;
    let after = values.number(call.places("after").start)?;
    for (row, score) in scores.iter_mut().enumerate() {
        if segments.is_null(row) || after.is_null(row) {
            *score = f64::NAN;
        }
    }
    let segments: Vec<&str> = segments.iter().map(Option::unwrap_or_default).collect();
    let after = flags(values, call.places("after").start)?;
    Ok(state.update(&scores, &segments, &after, weights(call, values)?.as_deref())?)
}

fn impacts(call: &Call, state: &mut TopicScores) -> Result<Vec<Row>, Error> {
    let labels = call.labels("topics");
    let names = borrowed(&labels);
    let impacts = state.impacts(&names, call.confidence()?)?;
    let contributions = state.contributions(&names)?;
    let row = |(impact, contribution): (&TopicImpact, &TopicContribution)| {
        vec![
            ScalarValue::from(impact.topic.as_str()),
            ScalarValue::from(impact.n_obs as i64),
            ScalarValue::from(impact.share),
            ScalarValue::from(impact.metric_with),
            ScalarValue::from(impact.metric_without),
            ScalarValue::from(impact.impact),
            ScalarValue::from(impact.std_error),
            ScalarValue::from(impact.conf_low),
            ScalarValue::from(impact.conf_high),
            ScalarValue::from(impact.p_value),
            ScalarValue::from(impact.p_adjusted),
            ScalarValue::from(contribution.contribution),
            ScalarValue::from(contribution.share),
            ScalarValue::from(contribution.metric),
            ScalarValue::from(contribution.metric_without),
        ]
    };
    Ok(impacts.iter().zip(&contributions).map(row).collect())
}

fn changes(call: &Call, state: &mut PeriodScores) -> Result<Vec<Row>, Error> {
    let found = state.explain(call.confidence()?)?;
    let row = |segment: &SegmentChange| {
        vec![
            ScalarValue::from(segment.segment.as_str()),
            ScalarValue::from(segment.n_before as i64),
            ScalarValue::from(segment.n_after as i64),
            ScalarValue::from(segment.share_before),
            ScalarValue::from(segment.share_after),
            ScalarValue::from(segment.metric_before),
            ScalarValue::from(segment.metric_after),
            ScalarValue::from(segment.mix_effect),
            ScalarValue::from(segment.rate_effect),
            ScalarValue::from(segment.effect),
            ScalarValue::from(segment.std_error),
            ScalarValue::from(segment.conf_low),
            ScalarValue::from(segment.conf_high),
            ScalarValue::from(segment.p_value),
            ScalarValue::from(segment.p_adjusted),
            ScalarValue::from(found.change),
            ScalarValue::from(found.conf_low),
            ScalarValue::from(found.conf_high),
        ]
    };
    Ok(found.segments.iter().map(row).collect())
}
