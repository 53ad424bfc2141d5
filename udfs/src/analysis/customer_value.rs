//! `clv`: what each customer is still going to spend.

use std::collections::BTreeMap;

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::inference::clv::history::{Histories, History};
use crate::inference::clv::value::{self, Horizon};
use crate::inference::clv::{bg_nbd, gamma_gamma};
use crate::inference::rows::Rows;
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "clv",
        arguments: "relation, customer, ordered_at, amount [, until, unit, periods, discount, margin]",
        description: "Customer lifetime value from orders: one row a customer with repeat purchases (frequency), the age of \
                      the last one and of the first (recency and age, in units of time), the probability that the \
                      customer is still one, the purchases expected over the coming periods, the spend expected a \
                      purchase, and their discounted value (BG/NBD and Gamma-Gamma models, fitted on the same orders). \
                      Orders of one day are one purchase. until is the day on which is reckoned, that of the last \
                      order unless given; unit is day, week (the default) or month; periods is how many units to look \
                      ahead, 52 unless given; discount is the rate a unit, 0 unless given; margin is the share of the \
                      spend that is kept, 1 unless given.",
        example: "SELECT count(*), bool_and(p_alive BETWEEN 0 AND 1) AS probable FROM clv('SELECT c AS customer, date \
                  ''2026-01-01'' + (c * 37 + k * k * 53 + c * k * 11) % 280 AS day, exp(1 + (c * 37 % 50) / 20.0 + ((k * k * 29 \
                  + c * k * 13) % 17) / 8.0) AS amount FROM generate_series(1, 200) AS c, generate_series(0, 15) AS k WHERE \
                  k < -3 * ln(abs(sin(c))) + 1', 'customer', 'day', 'amount', until => '2026-12-31')",
        example_result: "200|t",
        ..REPORT
    },
    parameters: &[
        required("customer", Takes::Text),
        required("ordered_at", Takes::Time),
        required("amount", Takes::Number),
        optional("until", Takes::Setting),
        optional("unit", Takes::Setting),
        optional("periods", Takes::Setting),
        optional("discount", Takes::Setting),
        optional("margin", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("customer", Type::Text),
    ("frequency", Type::Bigint),
    ("recency", Type::Double),
    ("age", Type::Double),
    ("mean_spend", Type::Double),
    ("p_alive", Type::Double),
    ("expected_purchases", Type::Double),
    ("expected_spend", Type::Double),
    ("clv", Type::Double),
];

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, Copy)]
struct Settings {
    /// The day on which is reckoned, since 1970.
    until: Option<i64>,
    /// Days.
    unit: f64,
    horizon: Horizon,
}

fn settings(call: &Call) -> Result<Settings, Error> {
    let unit = call.choice("unit", &[("week", 7.0), ("day", 1.0), ("month", 365.25 / 12.0)])?;
    let horizon = Horizon {
        periods: call.whole("periods", 52, 1, 10_000)? as u32,
        period: 1.0,
        rate: call.number("discount", 0.0, -0.99, 10.0)?,
        margin: call.number("margin", 1.0, -10.0, 10.0)?,
    };
    let until = call.word("until").map(|text| day_of(&text)).transpose()?;
    Ok(Settings { until, unit, horizon })
}

fn day_of(text: &str) -> Result<i64, Error> {
    let date = ScalarValue::from(text).cast_to(&arrow::datatypes::DataType::Date32);
    match date {
        Ok(ScalarValue::Date32(Some(day))) => Ok(i64::from(day)),
        _ => Err(Error::invalid_argument(format!("until is \"{text}\" where a date is expected"))
            .with_hint("Write it as '2026-03-31'.")),
    }
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    settings(call)?;
    Ok(Gathered::start(call, table))
}

/// A customer's purchases: the spend of each day with an order.
type Days = BTreeMap<i64, f64>;

fn table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let settings = settings(call)?;
    let (Some(customers), Some(times), Some(amounts)) =
        (rows.text("customer"), rows.time("ordered_at"), rows.number("amount"))
    else {
        return Err(Error::internal("a customer value without its columns"));
    };
    let (names, codes) = customers.in_order();
    let mut purchases: Vec<Days> = vec![Days::new(); names.len()];
    for ((code, time), amount) in codes.iter().zip(times).zip(amounts) {
        let day = time.div_euclid(MICROSECONDS_A_DAY);
        if settings.until.is_none_or(|until| day <= until) {
            *purchases[*code as usize].entry(day).or_default() += amount;
        }
    }
    let last = purchases.iter().filter_map(|days| days.last_key_value()).map(|(day, _)| *day).max();
    let Some(last) = settings.until.or(last) else { return Ok(Vec::new()) };
    let mut known = Vec::new();
    for (name, days) in names.iter().zip(&purchases) {
        if let Some((history, spend)) = history(days, last, settings.unit)? {
            known.push((*name, history, spend));
        }
    }
    valued(&known, &settings)
}

/// Repeat purchases, and the mean spend of these; `None` for nobody.
fn history(days: &Days, last: i64, unit: f64) -> Result<Option<(History, f64)>, Error> {
    let (Some((first, _)), Some((latest, _))) = (days.first_key_value(), days.last_key_value()) else {
        return Ok(None);
    };
    let repeated = (days.len() - 1) as f64;
    let spend: f64 = days.values().skip(1).sum();
    let mean = if repeated > 0.0 { spend / repeated } else { 0.0 };
    let age = |day: i64| (day - first) as f64 / unit;
    Ok(Some((History::new(repeated, age(*latest), age(last))?, mean)))
}

fn valued(known: &[(&str, History, f64)], settings: &Settings) -> Result<Vec<Row>, Error> {
    let mut histories = Histories::default();
    let mut spends = Rows::new(0, 2);
    for (_, history, spend) in known {
        histories.update(*history);
        spends.update(&[], &[history.frequency, *spend])?;
    }
    let purchases = bg_nbd::fit(&mut histories)?.model;
    let spend = gamma_gamma::fit(&spends)?.model;
    let ahead = settings.horizon.period * f64::from(settings.horizon.periods);
    let row = |(name, history, mean): &(&str, History, f64)| {
        let value = value::value(&purchases, &spend, history, *mean, settings.horizon)?;
        let frequency = if *mean > 0.0 { history.frequency } else { 0.0 };
        Ok(vec![
            ScalarValue::from(*name),
            ScalarValue::from(history.frequency as i64),
            ScalarValue::from(history.recency),
            ScalarValue::from(history.age),
            ScalarValue::from((history.frequency > 0.0).then_some(*mean)),
            ScalarValue::from(purchases.p_alive(history)),
            ScalarValue::from(purchases.expected_purchases(history, ahead)?),
            ScalarValue::from(spend.expected_spend(frequency, *mean)),
            ScalarValue::from(value),
        ])
    };
    known.iter().map(row).collect()
}
