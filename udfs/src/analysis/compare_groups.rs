//! `compare_groups`: do groups differ in a metric, and by how much.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::inference::Invalid;
use crate::inference::compare::correction::Correction;
use crate::inference::compare::family::{self, Member, Pairing};
use crate::inference::compare::{Comparison, nps, proportions, rank_sum, welch};
use crate::inference::moments::Moments;
use crate::inference::scores::net_promoter::NetPromoter;
use crate::inference::scores::share::Share;
use crate::inference::tally::Tally;
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "compare_groups",
        arguments: "relation, metric, group_by [, method, reference, correction, conf]",
        description: "Compares a metric between groups, each with each, or all others with the group named as \
                      reference. method is welch (means, the default), rank_sum (Mann-Whitney), proportions (a \
                      metric of 0 and 1) or nps (scores from 0 to 10). correction of the p-values for their \
                      number is holm (the default), bh, bonferroni or none; conf is the confidence level of the \
                      interval of the difference, 0.95 unless given.",
        example: "SELECT first_group, second_group, round(estimate, 4) AS estimate, round(p_value, 4) AS p_value FROM \
                  compare_groups('SELECT * FROM (VALUES (''app'', 9), (''app'', 8), (''app'', 10), (''shop'', 6), (''shop'', 7), \
                  (''shop'', 5)) AS t(channel, score)', 'score', 'channel')",
        example_result: "app|shop|3|0.0213",
        ..REPORT
    },
    parameters: PARAMETERS,
    columns: COLUMNS,
    start,
}];

const PARAMETERS: &[Parameter] = &[
    required("metric", Takes::Number),
    required("group_by", Takes::Text),
    optional("method", Takes::Setting),
    optional("reference", Takes::Setting),
    optional("correction", Takes::Setting),
    optional("conf", Takes::Setting),
];

const COLUMNS: &[Column] = &[
    ("first_group", Type::Text),
    ("second_group", Type::Text),
    ("estimate", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("statistic", Type::Double),
    ("degrees_of_freedom", Type::Double),
    ("p_value", Type::Double),
    ("p_adjusted", Type::Double),
    ("first_n", Type::Bigint),
    ("second_n", Type::Bigint),
];

/// More groups have more comparisons than anyone reads.
const MOST_GROUPS: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Method {
    Welch,
    RankSum,
    Proportions,
    Nps,
}

fn method(call: &Call) -> Result<Method, Error> {
    let methods = [
        ("welch", Method::Welch),
        ("rank_sum", Method::RankSum),
        ("proportions", Method::Proportions),
        ("nps", Method::Nps),
    ];
    call.choice("method", &methods)
}

fn correction(call: &Call) -> Result<Correction, Error> {
    let corrections = [
        ("holm", Correction::Holm),
        ("bh", Correction::BenjaminiHochberg),
        ("bonferroni", Correction::Bonferroni),
        ("none", Correction::None),
    ];
    call.choice("correction", &corrections)
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    method(call)?;
    correction(call)?;
    call.confidence()?;
    Ok(Gathered::start(call, table))
}

fn table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (Some(metric), Some(groups)) = (rows.number("metric"), rows.text("group_by")) else {
        return Err(Error::internal("a comparison without its columns"));
    };
    let (names, codes) = groups.in_order();
    if names.len() > MOST_GROUPS {
        return Err(Error::invalid_argument(format!("{} groups are too many to compare", names.len()))
            .with_hint("Compare at most 500 groups: select those of interest in the relation."));
    }
    let pairing = match call.word("reference") {
        Some(reference) => {
            Pairing::Against(names.iter().position(|name| *name == reference).ok_or_else(|| {
                Error::invalid_argument(format!("reference group \"{reference}\" does not exist"))
            })?)
        }
        None => Pairing::All,
    };
    let mut split: Vec<Vec<f64>> = vec![Vec::new(); names.len()];
    metric.iter().zip(&codes).for_each(|(value, code)| split[*code as usize].push(*value));
    let (conf, correction) = (call.confidence()?, correction(call)?);
    let members = match method(call)? {
        Method::Welch => {
            let groups = states(&split, Moments::default, Moments::update)?;
            family::compare(&groups, pairing, correction, |a, b| welch::test(a, b, conf))?
        }
        Method::Proportions => {
            let groups = states(&split, Share::default, |share, value| share.update(flag(value)?, 1.0))?;
            family::compare(&groups, pairing, correction, |a, b| proportions::test(a, b, conf))?
        }
        Method::Nps => {
            let groups = states(&split, NetPromoter::default, |score, value| score.update(value, 1.0))?;
            family::compare(&groups, pairing, correction, |a, b| {
                nps::test(a, b, nps::Variance::Adjusted, conf)
            })?
        }
        Method::RankSum => family::compare(&split, pairing, correction, |a, b| ranks(a, b, conf))?,
    };
    Ok(members.iter().map(|member| row(&names, member)).collect())
}

fn states<S>(
    split: &[Vec<f64>],
    empty: fn() -> S,
    update: impl Fn(&mut S, f64) -> Result<(), Invalid>,
) -> Result<Vec<S>, Error> {
    let state = |values: &Vec<f64>| {
        let mut state = empty();
        values.iter().try_for_each(|value| update(&mut state, *value))?;
        Ok(state)
    };
    split.iter().map(state).collect()
}

fn flag(value: f64) -> Result<bool, Invalid> {
    match value {
        0.0 => Ok(false),
        1.0 => Ok(true),
        other => Err(Invalid::new(format!("metric is {other} where 0 or 1 is expected"))
            .with_hint("Write a condition as the metric: 'score >= 9'.")),
    }
}

fn ranks(first: &[f64], second: &[f64], conf: f64) -> Result<Option<Comparison>, Invalid> {
    let mut values = Tally::<2>::default();
    first.iter().try_for_each(|value| values.update(*value, 0))?;
    second.iter().try_for_each(|value| values.update(*value, 1))?;
    rank_sum::test(&mut values, conf)
}

fn row(names: &[&str], member: &Member) -> Row {
    let of = |read: fn(&Comparison) -> f64| ScalarValue::from(member.comparison.as_ref().map(read));
    let n = |place: usize| {
        ScalarValue::from(member.comparison.as_ref().map(|found| found.n[place].round() as i64))
    };
    vec![
        ScalarValue::from(names.get(member.first).copied()),
        ScalarValue::from(names.get(member.second).copied()),
        of(|found| found.estimate),
        of(|found| found.conf_low),
        of(|found| found.conf_high),
        of(|found| found.statistic),
        ScalarValue::from(member.comparison.as_ref().and_then(|found| found.freedom)),
        of(|found| found.p_value),
        ScalarValue::from(member.p_adjusted),
        n(0),
        n(1),
    ]
}
