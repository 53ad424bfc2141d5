//! `did`, `event_study` and `staggered_did`: what a programme changed, against those it did not reach.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::effect::{self, CONF_HIGH, CONF_LOW, ESTIMATE, P_VALUE, STATISTIC, STD_ERROR};
use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::hash;
use crate::inference::causal::callaway::{self, Controls};
use crate::inference::causal::did::Did;
use crate::inference::causal::panel::Panel;
use crate::inference::causal::{Effect, event_study};
use crate::report::{Gathered, Row, Type};

const DID: Definition = Definition {
    name: "did",
    arguments: "relation, outcome, treated, post [, cluster, conf]",
    description: "Difference in differences: how much more the outcome of the treated moved from before to after \
                  than that of the others. treated and post are 0 or 1; cluster names a column whose equal values \
                  may hang together, such as the customer; conf is the confidence level, 0.95 unless given. The \
                  effect is causal only if both groups would have moved alike: see event_study.",
    example: "SELECT estimate, round(std_error, 6) AS std_error, n_obs FROM did('SELECT * FROM (VALUES (10, 1, 0), (12, 1, 0), \
              (11, 1, 0), (13, 1, 0), (15, 1, 1), (17, 1, 1), (16, 1, 1), (18, 1, 1), (9, 0, 0), (11, 0, 0), (10, 0, 0), (12, 0, 0), \
              (10, 0, 1), (12, 0, 1), (11, 0, 1), (13, 0, 1)) AS t(y, treated, post)', 'y', 'treated', 'post')",
    example_result: "4|1.290994|16",
    ..REPORT
};

const EVENT_STUDY: Definition = Definition {
    name: "event_study",
    arguments: "relation, unit, period, outcome, treated_at [, leads, lags, conf]",
    description: "Effect by the number of periods since the treatment, the period before it as the reference, with \
                  effects of units and periods. treated_at is the first treated period, NULL for units that never \
                  were. leads and lags are how many periods before and after have an effect of their own, 3 and 3 \
                  unless given; conf is the confidence level, 0.95 unless given. pre_trend_p_value tests that \
                  nothing moved before the treatment: below 0.05 the effects are not to be trusted.",
    example: "SELECT distance, round(estimate, 4) AS estimate FROM event_study('SELECT u, p, u + p + CASE WHEN u % 2 = 0 AND p >= 3 \
              THEN 5 ELSE 0 END + (u * p) % 3 AS y, CASE WHEN u % 2 = 0 THEN 3 END AS start FROM generate_series(1, 12) AS u, \
              generate_series(1, 4) AS p', 'u', 'p', 'y', 'start', leads => 2, lags => 1)",
    example_result: "-2|0\n-1|0\n0|5\n1|5",
    ..REPORT
};

const STAGGERED: Definition = Definition {
    name: "staggered_did",
    arguments: "relation, unit, period, outcome, treated_at [, controls, conf]",
    description: "Difference in differences where units were treated at different times (Callaway and Sant'Anna): the \
                  effect overall, by periods since the treatment, and for each group and period. treated_at is the \
                  first treated period, NULL for never; controls is never (units never treated, the default) or \
                  not_yet; conf is the confidence level, 0.95 unless given.",
    example: "SELECT kind, treated_at, period, round(estimate, 4) AS estimate FROM staggered_did('SELECT u, p, u + p + CASE WHEN u % 2 = 0 \
              AND p >= 3 THEN 5 ELSE 0 END + (u * p) % 3 AS y, CASE WHEN u % 2 = 0 THEN 3 END AS start FROM generate_series(1, 12) AS u, \
              generate_series(1, 4) AS p', 'u', 'p', 'y', 'start') WHERE kind = 'overall'",
    example_result: "overall|||5",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report { definition: DID, parameters: DID_PARAMETERS, columns: DID_COLUMNS, start: start_did },
    Report {
        definition: EVENT_STUDY,
        parameters: STUDY_PARAMETERS,
        columns: STUDY_COLUMNS,
        start: start_study,
    },
    Report {
        definition: STAGGERED,
        parameters: STAGGERED_PARAMETERS,
        columns: STAGGERED_COLUMNS,
        start: start_staggered,
    },
];

const DID_PARAMETERS: &[Parameter] = &[
    required("outcome", Takes::Number),
    required("treated", Takes::Number),
    required("post", Takes::Number),
    optional("cluster", Takes::Text),
    optional("conf", Takes::Setting),
];

const DID_COLUMNS: &[Column] = &[
    ESTIMATE,
    STD_ERROR,
    STATISTIC,
    P_VALUE,
    CONF_LOW,
    CONF_HIGH,
    ("treated_before", Type::Double),
    ("treated_after", Type::Double),
    ("control_before", Type::Double),
    ("control_after", Type::Double),
    ("n_obs", Type::Bigint),
    ("clusters", Type::Bigint),
];

const STUDY_PARAMETERS: &[Parameter] = &[
    required("unit", Takes::Text),
    required("period", Takes::Number),
    required("outcome", Takes::Number),
    required("treated_at", Takes::NumberOrNull),
    optional("leads", Takes::Setting),
    optional("lags", Takes::Setting),
    optional("conf", Takes::Setting),
];

const STUDY_COLUMNS: &[Column] = &[
    ("distance", Type::Bigint),
    ESTIMATE,
    STD_ERROR,
    STATISTIC,
    P_VALUE,
    CONF_LOW,
    CONF_HIGH,
    ("pre_trend_p_value", Type::Double),
    ("n_obs", Type::Bigint),
    ("units", Type::Bigint),
    ("treated_units", Type::Bigint),
];

const STAGGERED_PARAMETERS: &[Parameter] = &[
    required("unit", Takes::Text),
    required("period", Takes::Number),
    required("outcome", Takes::Number),
    required("treated_at", Takes::NumberOrNull),
    optional("controls", Takes::Setting),
    optional("conf", Takes::Setting),
];

const STAGGERED_COLUMNS: &[Column] = &[
    ("kind", Type::Text),
    ("treated_at", Type::Bigint),
    ("period", Type::Bigint),
    ("distance", Type::Bigint),
    ESTIMATE,
    STD_ERROR,
    STATISTIC,
    P_VALUE,
    CONF_LOW,
    CONF_HIGH,
    ("units", Type::Bigint),
    ("treated_units", Type::Bigint),
];

fn start_did(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Gathered::start(call, difference))
}

fn start_study(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    window(call)?;
    Ok(Gathered::start(call, study))
}

fn start_staggered(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    controls(call)?;
    Ok(Gathered::start(call, staggered))
}

fn window(call: &Call) -> Result<(i64, i64), Error> {
    Ok((call.whole("leads", 3, 1, 200)? as i64, call.whole("lags", 3, 0, 200)? as i64))
}

fn controls(call: &Call) -> Result<Controls, Error> {
    call.choice("controls", &[("never", Controls::NeverTreated), ("not_yet", Controls::NotYetTreated)])
}

fn difference(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (Some(outcome), Some(treated), Some(post)) =
        (rows.number("outcome"), rows.number("treated"), rows.number("post"))
    else {
        return Err(Error::internal("a difference in differences without its columns"));
    };
    let clusters = rows.text("cluster");
    let mut did = Did::default();
    for row in 0..rows.rows() {
        let cluster = clusters.map(|texts| hash::of_text(&texts.names[texts.codes[row] as usize]));
        did.update(outcome[row], flag(treated[row], "treated")?, flag(post[row], "post")?, cluster)?;
    }
    let Some(found) = did.result(call.confidence()?)? else {
        return Err(Error::invalid_argument("difference in differences needs rows of all four kinds")
            .with_hint("There must be treated and untreated rows, each from before and from after."));
    };
    let [control_before, control_after, treated_before, treated_after] = found.means;
    let mut row = effect::cells(&found.effect);
    row.extend([treated_before, treated_after, control_before, control_after].map(ScalarValue::from));
    row.push(ScalarValue::from(found.n.iter().sum::<f64>() as i64));
    row.push(ScalarValue::from((found.clusters > 0).then_some(found.clusters as i64)));
    Ok(vec![row])
}

pub(super) fn flag(value: f64, what: &str) -> Result<bool, Error> {
    match value {
        0.0 => Ok(false),
        1.0 => Ok(true),
        other => Err(Error::invalid_argument(format!("{what} is {other} where 0 or 1 is expected"))
            .with_hint("Write a condition: 'ordered_at >= date ''2026-01-01'''.")),
    }
}

fn panel(rows: &Gathered) -> Result<Panel, Error> {
    let (Some(units), Some(periods), Some(outcomes), Some(starts)) =
        (rows.text("unit"), rows.number("period"), rows.number("outcome"), rows.number("treated_at"))
    else {
        return Err(Error::internal("a panel without its columns"));
    };
    let keys: Vec<u64> = units.names.iter().map(|name| hash::of_text(name)).collect();
    let mut panel = Panel::default();
    for row in 0..rows.rows() {
        let start = match starts[row] {
            never if never.is_nan() => None,
            start => Some(whole(start, "treated_at")?),
        };
        panel.update(
            keys[units.codes[row] as usize],
            whole(periods[row], "period")?,
            outcomes[row],
            start,
        )?;
    }
    Ok(panel)
}

fn whole(value: f64, what: &str) -> Result<i64, Error> {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Ok(value as i64);
    }
    Err(Error::invalid_argument(format!("{what} is {value} where a whole number is expected"))
        .with_hint("Number the periods, such as months since the first one."))
}

fn study(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (leads, lags) = window(call)?;
    let found = event_study::event_study(&panel(rows)?, leads, lags, call.confidence()?)?;
    let row = |(distance, effect): &(i64, Effect)| {
        let mut row = vec![ScalarValue::from(*distance)];
        row.extend(effect::cells(effect));
        row.push(ScalarValue::from(found.pre_trend.as_ref().map(|test| test.p_value)));
        row.push(ScalarValue::from(found.n as i64));
        row.push(ScalarValue::from(found.units as i64));
        row.push(ScalarValue::from(found.treated_units as i64));
        row
    };
    Ok(found.effects.iter().map(row).collect())
}

fn staggered(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let found = callaway::staggered(&panel(rows)?, controls(call)?, call.confidence()?)?;
    let row = |kind: &str, at: [Option<i64>; 3], effect: &Effect| {
        let mut row = vec![ScalarValue::from(kind)];
        row.extend(at.map(ScalarValue::from));
        row.extend(effect::cells(effect));
        row.push(ScalarValue::from(found.units as i64));
        row.push(ScalarValue::from(found.treated_units as i64));
        row
    };
    let overall = found.overall.iter().map(|effect| row("overall", [None; 3], effect));
    let by_distance = found
        .by_distance
        .iter()
        .map(|(distance, effect)| row("by_distance", [None, None, Some(*distance)], effect));
    let cells = found.cells.iter().map(|cell| {
        let at = [Some(cell.group), Some(cell.period), Some(cell.period - cell.group)];
        row("cell", at, &cell.effect)
    });
    Ok(overall.chain(by_distance).chain(cells).collect())
}
