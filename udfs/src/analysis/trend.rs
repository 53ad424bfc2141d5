//! `trend` and `change_points`: does a series rise or fall, and when did its level change.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::inference::trend::series::Series;
use crate::inference::trend::{cusum, mann_kendall};
use crate::report::{Gathered, Row, Type};

const MICROSECONDS_A_DAY: f64 = 86_400e6;

const TREND: Definition = Definition {
    name: "trend",
    arguments: "relation, occurred_at, value [, conf]",
    description: "Whether a series rises or falls over time (Mann-Kendall test, which needs no straight line), and by how \
                  much a day (Sen's slope). conf is the confidence level, 0.95 unless given.",
    example: "SELECT round(slope_per_day, 4) AS slope_per_day, round(tau, 4) AS tau, round(p_value, 4) AS p_value, n_obs FROM \
              trend('SELECT timestamp ''2026-01-01'' + g * interval ''1 day'' AS day, g + (g * 7) % 3 AS complaints FROM \
              generate_series(1, 10) AS s(g)', 'day', 'complaints')",
    example_result: "1|0.8667|0.0007|10",
    ..REPORT
};

const CHANGE_POINTS: Definition = Definition {
    name: "change_points",
    arguments: "relation, occurred_at, value [, alpha, min_length]",
    description: "When the level of a series changed (CUSUM, cut again on both sides of each change): one row a change, \
                  with the means around it. alpha is the level of significance, 0.05 unless given; min_length values \
                  at least lie between two changes, 5 unless given.",
    example: "SELECT changed_at, round(mean_before, 4) AS mean_before, round(mean_after, 4) AS mean_after FROM change_points('SELECT \
              timestamp ''2026-01-01'' + g * interval ''1 day'' AS day, CASE WHEN g > 20 THEN 9 ELSE 4 END + g % 2 AS score FROM \
              generate_series(1, 40) AS s(g)', 'day', 'score')",
    example_result: "2026-01-22 00:00:00|4.5|9.5",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report {
        definition: TREND,
        parameters: &[
            required("occurred_at", Takes::Time),
            required("value", Takes::Number),
            optional("conf", Takes::Setting),
        ],
        columns: TREND_COLUMNS,
        start: start_trend,
    },
    Report {
        definition: CHANGE_POINTS,
        parameters: &[
            required("occurred_at", Takes::Time),
            required("value", Takes::Number),
            optional("alpha", Takes::Setting),
            optional("min_length", Takes::Setting),
        ],
        columns: CHANGE_COLUMNS,
        start: start_changes,
    },
];

const TREND_COLUMNS: &[Column] = &[
    ("slope_per_day", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("tau", Type::Double),
    ("statistic", Type::Double),
    ("p_value", Type::Double),
    ("n_obs", Type::Bigint),
];

const CHANGE_COLUMNS: &[Column] = &[
    ("changed_at", Type::Timestamp),
    ("mean_before", Type::Double),
    ("mean_after", Type::Double),
    ("statistic", Type::Double),
    ("p_value", Type::Double),
    ("n_obs", Type::Bigint),
];

fn start_trend(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Gathered::start(call, trend))
}

fn start_changes(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    settings(call)?;
    Ok(Gathered::start(call, changes))
}

fn settings(call: &Call) -> Result<(f64, usize), Error> {
    Ok((call.number("alpha", 0.05, 1e-12, 0.999)?, call.whole("min_length", 5, 2, 1_000_000)? as usize))
}

fn series(rows: &Gathered) -> Result<Series, Error> {
    let (Some(times), Some(values)) = (rows.time("occurred_at"), rows.number("value")) else {
        return Err(Error::internal("a series without its columns"));
    };
    let mut series = Series::default();
    for (time, value) in times.iter().zip(values) {
        series.update(*time as f64, *value)?;
    }
    Ok(series)
}

fn trend(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let Some(found) = mann_kendall::trend(&series(rows)?, call.confidence()?)? else {
        return Err(Error::invalid_argument("a trend needs three points whose times and values vary"));
    };
    let a_day = |slope: f64| ScalarValue::from(slope * MICROSECONDS_A_DAY);
    Ok(vec![vec![
        a_day(found.slope),
        a_day(found.conf_low),
        a_day(found.conf_high),
        ScalarValue::from(found.tau),
        ScalarValue::from(found.z),
        ScalarValue::from(found.p_value),
        ScalarValue::from(found.n as i64),
    ]])
}

fn changes(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (alpha, min_length) = settings(call)?;
    let row = |change: &cusum::ChangePoint| {
        vec![
            ScalarValue::TimestampMicrosecond(Some(change.time as i64), None),
            ScalarValue::from(change.mean_before),
            ScalarValue::from(change.mean_after),
            ScalarValue::from(change.statistic),
            ScalarValue::from(change.p_value),
            ScalarValue::from(change.n as i64),
        ]
    };
    Ok(cusum::change_points(&series(rows)?, alpha, min_length)?.iter().map(row).collect())
}
