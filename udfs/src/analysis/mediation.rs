//! `mediation`: how much of an effect runs through a third measure, such as from employees over customers to profit.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::inference::mediation::{self, Effect};
use crate::inference::rows::Rows;
use crate::report::{Gathered, Row, Type};

/// Bootstrap samples where the call does not say.
const SAMPLES: u64 = 1000;

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "mediation",
        arguments: "relation, cause, mediator, outcome [, bootstrap, seed, conf]",
        description: "The service-profit chain as one model: the effect of a cause (employee satisfaction) on an outcome \
                      (profit) through a mediator (customer satisfaction), and past it. Paths a and b, then the \
                      effects indirect (a times b), direct and total, with percentile intervals from bootstrap \
                      samples, 1000 unless given, drawn from seed; conf is the confidence level, 0.95 unless given.",
        example: "SELECT path, round(estimate, 4) AS estimate, n_obs FROM mediation('SELECT g % 7 AS employees, 2 * (g % 7) + g % 3 AS \
                  customers, 5 * (2 * (g % 7) + g % 3) + g % 5 AS profit FROM generate_series(1, 60) AS s(g)', 'employees', 'customers', \
                  'profit', bootstrap => 200)",
        example_result: "a: cause to mediator|1.9739|60\nb: mediator to outcome|4.9954|60\nindirect|9.8605|60\ndirect|-0.0214|60\ntotal|9.8391|60",
        ..REPORT
    },
    parameters: &[
        required("cause", Takes::Number),
        required("mediator", Takes::Number),
        required("outcome", Takes::Number),
        optional("bootstrap", Takes::Setting),
        optional("seed", Takes::Setting),
        optional("conf", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("path", Type::Text),
    ("estimate", Type::Double),
    ("std_error", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("share", Type::Double),
    ("n_obs", Type::Bigint),
];

fn draws(call: &Call) -> Result<(u32, u64), Error> {
    let samples = call.whole("bootstrap", SAMPLES, 100, 100_000)?;
    Ok((samples as u32, call.whole("seed", 0, 0, u64::MAX)?))
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    draws(call)?;
    Ok(Gathered::start(call, table))
}

fn table(call: &Call, gathered: &Gathered) -> Result<Vec<Row>, Error> {
    let columns =
        [gathered.numbers("cause"), gathered.numbers("mediator"), gathered.numbers("outcome")].concat();
    let mut rows = Rows::new(0, columns.len());
    for row in 0..gathered.rows() {
        let values: Vec<f64> = columns.iter().map(|column| column[row]).collect();
        rows.update(&[], &values)?;
    }
    let (samples, seed) = draws(call)?;
    let found = mediation::mediation(&rows, samples, seed, call.confidence()?)?;
    let row = |path: &str, effect: &Effect, share: Option<f64>| {
        vec![
            ScalarValue::from(path),
            ScalarValue::from(effect.estimate),
            ScalarValue::from(effect.std_error),
            ScalarValue::from(effect.conf_low),
            ScalarValue::from(effect.conf_high),
            ScalarValue::from(share),
            ScalarValue::from(found.n as i64),
        ]
    };
    Ok(vec![
        row("a: cause to mediator", &found.first, None),
        row("b: mediator to outcome", &found.second, None),
        row("indirect", &found.indirect, found.share_mediated),
        row("direct", &found.direct, found.share_mediated.map(|share| 1.0 - share)),
        row("total", &found.total, None),
    ])
}
