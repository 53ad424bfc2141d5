//! `moments_regression` and `moments_drivers`: the same answers from stored moments as from the rows.

use arrow::array::Array;
use voxhouse_engine::Error;

use super::{
    Call, Definition, Kernel, Parameter, REPORT, Report, Takes, borrowed, drivers, linear_regression,
    optional, required,
};
use crate::regression::drivers as kernel;
use crate::regression::named::{MergedMoments, NamedMoments};
use crate::report::{Row, Streaming, Values, state};

const REGRESSION: Definition = Definition {
    name: "moments_regression",
    arguments: "relation, moments, outcome, predictors [, cluster, conf]",
    description: "Linear regression from stored moments: what linear_regression says of the rows that they were made of, however \
                  many. moments is a column of what moments(…) returned; outcome and predictors are names among those that it \
                  was given. cluster names a column whose equal values may hang together, such as the group by which moments \
                  are stored; conf is the confidence level, 0.95 unless given.",
    example: "SELECT term, round(estimate, 6) AS estimate, n_obs FROM moments_regression('SELECT x > 2 AS late, moments(''y, x'', y, x) AS m \
              FROM (VALUES (1, 2.1), (2, 3.9), (3, 6.2), (4, 7.8), (5, 10.1)) AS t(x, y) GROUP BY x > 2', 'm', 'y', ARRAY['x'])",
    example_result: "(intercept)|0.05|5\nx|1.99|5",
    ..REPORT
};

const DRIVERS: Definition = Definition {
    name: "moments_drivers",
    arguments: "relation, moments, outcome, predictors [, method]",
    description: "Key drivers from stored moments: what drivers says of the rows that they were made of, without an interval. moments is \
                  a column of what moments(…) returned; outcome and predictors are names among those that it was given. method is \
                  relative_weights (the default), shapley or correlation.",
    example: "SELECT driver, round(importance, 4) AS importance, direction FROM moments_drivers('SELECT g % 3 AS part, moments(''score, speed, \
              price'', 2 * (g % 7) - g % 5, g % 7, g % 5) AS m FROM generate_series(1, 105) AS g GROUP BY g % 3', 'm', 'score', \
              ARRAY['speed', 'price'])",
    example_result: "speed|0.8889|positive\nprice|0.1111|negative",
    ..REPORT
};

pub(super) const REPORTS: &[Report] = &[
    Report {
        definition: REGRESSION,
        parameters: &[
            MOMENTS,
            OUTCOME,
            PREDICTORS,
            optional("cluster", Takes::Text),
            optional("conf", Takes::Setting),
        ],
        columns: linear_regression::COLUMNS,
        start: start_regression,
    },
    Report {
        definition: DRIVERS,
        parameters: &[MOMENTS, OUTCOME, PREDICTORS, optional("method", Takes::Setting)],
        columns: drivers::COLUMNS,
        start: start_drivers,
    },
];

const MOMENTS: Parameter = required("moments", Takes::Bytes);
const OUTCOME: Parameter = required("outcome", Takes::Setting);
const PREDICTORS: Parameter = required("predictors", Takes::Settings);

state!(MergedMoments, own, other => Ok(own.merge(&other)?));

fn start_regression(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Streaming::start(call, MergedMoments::default(), read, |call, merged| {
        let (outcome, predictors) = asked(call);
        let fit = merged.fit(&outcome, &borrowed(&predictors), call.confidence()?)?;
        Ok(linear_regression::table(&fit))
    }))
}

fn start_drivers(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    linear_method(call)?;
    Ok(Streaming::start(call, MergedMoments::default(), read, driver_rows))
}

fn driver_rows(call: &Call, merged: &mut MergedMoments) -> Result<Vec<Row>, Error> {
    let (outcome, predictors) = asked(call);
    let names = borrowed(&predictors);
    Ok(drivers::table(&kernel::drivers(&merged.of(&outcome, &names)?, &names, linear_method(call)?)?))
}

fn linear_method(call: &Call) -> Result<kernel::Method, Error> {
    match drivers::model(call)? {
        drivers::Model::Linear(method) => Ok(method),
        drivers::Model::Logistic | drivers::Model::Ordinal => {
            Err(Error::not_supported("logistic and ordinal drivers need the rows, which moments do not keep"))
        }
    }
}

fn asked(call: &Call) -> (String, Vec<String>) {
    (call.word("outcome").unwrap_or_default(), call.words("predictors"))
}

fn read(call: &Call, values: &Values, merged: &mut MergedMoments) -> Result<(), Error> {
    let stored = values.bytes(call.places("moments").start)?;
    let clusters = match call.has("cluster") {
        true => Some(values.text(call.places("cluster").start)?),
        false => None,
    };
    for row in 0..values.rows {
        if stored.is_null(row) || clusters.is_some_and(|clusters| clusters.is_null(row)) {
            continue;
        }
        let cluster = clusters.map(|clusters| crate::hash::of_text(clusters.value(row)));
        merged.add(&NamedMoments::from_bytes(stored.value(row))?, cluster)?;
    }
    Ok(())
}
