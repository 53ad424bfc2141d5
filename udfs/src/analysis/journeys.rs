//! `journey_paths`, `journey_steps` and `journey_transitions`: which ways customers go, and where they stop.

use arrow::array::Array;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::hash;
use crate::journey::paths::{Loops, PathCounts, PathRule};
use crate::journey::steps::{EndRule, StepRow, Steps, TransitionRow};
use crate::journey::trail::Trails;
use crate::report::{Row, Streaming, Type, Values, state};

/// More different paths than this are refused.
const MOST_PATHS: usize = 1_000_000;

const PATHS: Definition = Definition {
    name: "journey_paths",
    arguments: "relation, customer, occurred_at, step [, steps, loops, k]",
    description: "How many customers take each path, the most frequent first. steps is the longest path to tell, 10 unless \
                  given; loops is steps (a step that repeats at once is told once, the default), none or cycles (a \
                  return to an earlier step cuts what lies between); k is how many paths to give, 100 unless given.",
    example: "SELECT path, customers, share FROM journey_paths('SELECT * FROM (VALUES (1, timestamp ''2026-01-01 10:00'', ''view''), \
              (1, timestamp ''2026-01-01 10:05'', ''cart''), (2, timestamp ''2026-01-01 11:00'', ''view'')) AS e(customer, t, step)', \
              'customer', 't', 'step')",
    example_result: "view|1|0.5\nview > cart|1|0.5",
    ..REPORT
};

const STEPS: Definition = Definition {
    name: "journey_steps",
    arguments: "relation, customer, occurred_at, step [, goals, conf]",
    description: "How many customers reach each step and stop there: visits, customers, those that went no further (dropped), \
                  those for whom it was a goal (finished), and the drop rate with its interval. goals is an array of \
                  the steps at which a customer has arrived; conf is the confidence level, 0.95 unless given.",
    example: "SELECT step, customers, dropped, finished, drop_rate FROM journey_steps('SELECT * FROM (VALUES (1, timestamp ''2026-01-01 \
              10:00'', ''view''), (1, timestamp ''2026-01-01 10:05'', ''pay''), (2, timestamp ''2026-01-01 11:00'', ''view'')) AS \
              e(customer, t, step)', 'customer', 't', 'step', goals => ARRAY['pay'])",
    example_result: "view|2|1|0|0.5\npay|1|0|1|0",
    ..REPORT
};

const TRANSITIONS: Definition = Definition {
    name: "journey_transitions",
    arguments: "relation, customer, occurred_at, step",
    description: "Where customers go from each step, how often, and how long it takes.",
    example: "SELECT * FROM journey_transitions('SELECT * FROM (VALUES (1, timestamp ''2026-01-01 10:00'', ''view''), (1, timestamp \
              ''2026-01-01 10:05'', ''cart''), (2, timestamp ''2026-01-01 11:00'', ''view'')) AS e(customer, t, step)', 'customer', \
              't', 'step')",
    example_result: "view|cart|1|0.5|300|300",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report { definition: PATHS, parameters: PATH_PARAMETERS, columns: PATH_COLUMNS, start: start_paths },
    Report { definition: STEPS, parameters: STEP_PARAMETERS, columns: STEP_COLUMNS, start: start_steps },
    Report {
        definition: TRANSITIONS,
        parameters: &[CUSTOMER, OCCURRED_AT, STEP],
        columns: TRANSITION_COLUMNS,
        start: start_transitions,
    },
];

const CUSTOMER: Parameter = required("customer", Takes::Text);
const OCCURRED_AT: Parameter = required("occurred_at", Takes::Time);
const STEP: Parameter = required("step", Takes::Text);

const PATH_PARAMETERS: &[Parameter] = &[
    CUSTOMER,
    OCCURRED_AT,
    STEP,
    optional("steps", Takes::Setting),
    optional("loops", Takes::Setting),
    optional("k", Takes::Setting),
];

const PATH_COLUMNS: &[Column] = &[("path", Type::Text), ("customers", Type::Bigint), ("share", Type::Double)];

const STEP_PARAMETERS: &[Parameter] =
    &[CUSTOMER, OCCURRED_AT, STEP, optional("goals", Takes::Settings), optional("conf", Takes::Setting)];

const STEP_COLUMNS: &[Column] = &[
    ("step", Type::Text),
    ("visits", Type::Bigint),
    ("customers", Type::Bigint),
    ("dropped", Type::Bigint),
    ("finished", Type::Bigint),
    ("drop_rate", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
];

const TRANSITION_COLUMNS: &[Column] = &[
    ("from_step", Type::Text),
    ("to_step", Type::Text),
    ("n", Type::Bigint),
    ("share", Type::Double),
    ("median_seconds", Type::Double),
    ("mean_seconds", Type::Double),
];

state!(Trails, own, other => Ok(own.merge(&other)?));

fn rule(call: &Call) -> Result<(PathRule, usize), Error> {
    let loops = Loops::parse(call.word("loops").as_deref().unwrap_or("steps"))?;
    let steps = call.whole("steps", 10, 1, 100)? as usize;
    Ok((PathRule::new(steps, loops)?, call.whole("k", 100, 1, MOST_PATHS as u64)? as usize))
}

fn start_paths(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    rule(call)?;
    Ok(Streaming::start(call, Trails::default(), read, paths))
}

fn start_steps(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Streaming::start(call, Trails::default(), read, steps))
}

fn start_transitions(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    Ok(Streaming::start(call, Trails::default(), read, transitions))
}

fn read(call: &Call, values: &Values, trails: &mut Trails) -> Result<(), Error> {
    let customers = values.text(call.places("customer").start)?;
    let times = values.time(call.places("occurred_at").start)?;
    let steps = values.text(call.places("step").start)?;
    for row in 0..values.rows {
        if customers.is_valid(row) && times.is_valid(row) && steps.is_valid(row) {
            trails.update(hash::of_text(customers.value(row)), times.value(row), 0, steps.value(row))?;
        }
    }
    Ok(())
}

fn paths(call: &Call, trails: &mut Trails) -> Result<Vec<Row>, Error> {
    let (rule, k) = rule(call)?;
    let names = trails.names().clone();
    let mut counts = PathCounts::new(MOST_PATHS);
    for visits in trails.customers() {
        counts.add(rule.path(visits, &names), 1)?;
    }
    let row = |path: crate::journey::paths::PathCount| {
        vec![
            ScalarValue::from(path.path.as_str()),
            ScalarValue::from(path.customers as i64),
            ScalarValue::from(path.share),
        ]
    };
    Ok(counts.top(k).into_iter().map(row).collect())
}

fn steps(call: &Call, trails: &mut Trails) -> Result<Vec<Row>, Error> {
    let rule = EndRule { goals: call.words("goals"), open_from: None };
    let row = |step: &StepRow| {
        let [visits, customers, dropped, finished] =
            [step.visits, step.customers, step.dropped, step.finished].map(|n| ScalarValue::from(n as i64));
        vec![
            ScalarValue::from(step.step.as_str()),
            visits,
            customers,
            dropped,
            finished,
            ScalarValue::from(step.drop_rate.map(|(rate, _, _)| rate)),
            ScalarValue::from(step.drop_rate.map(|(_, low, _)| low)),
            ScalarValue::from(step.drop_rate.map(|(_, _, high)| high)),
        ]
    };
    Ok(Steps::of(trails, &rule).steps(call.confidence()?).iter().map(row).collect())
}

fn transitions(_: &Call, trails: &mut Trails) -> Result<Vec<Row>, Error> {
    let row = |transition: &TransitionRow| {
        vec![
            ScalarValue::from(transition.from.as_str()),
            ScalarValue::from(transition.to.as_str()),
            ScalarValue::from(transition.n as i64),
            ScalarValue::from(transition.share),
            ScalarValue::from(transition.median_seconds),
            ScalarValue::from(transition.mean_seconds),
        ]
    };
    Ok(Steps::of(trails, &EndRule::default()).transitions().iter().map(row).collect())
}
