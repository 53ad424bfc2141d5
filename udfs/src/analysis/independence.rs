//! `chi_square_test`: do two categories hang together.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::inference::compare::contingency::Table;
use crate::report::{Row, Streaming, Type, Values, state};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "chi_square_test",
        arguments: "relation, first, second [, conf]",
        description: "Whether two categories are independent (Pearson's chi-square test), and how strongly they hang together \
                      (Cramer's V with its interval). Where min_expected is below 5 the p-value is a rough one. conf is the \
                      confidence level, 0.95 unless given.",
        example: "SELECT statistic, degrees_of_freedom, round(p_value, 4) AS p_value, n_obs FROM chi_square_test('SELECT g % 2 AS plan, \
                  (g % 10 < 4 + g % 2 * 3) AS churned FROM generate_series(1, 100) AS g', 'plan', 'churned')",
        example_result: "4|1|0.0455|100",
        ..REPORT
    },
    parameters: &[
        required("first", Takes::Text),
        required("second", Takes::Text),
        optional("conf", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("statistic", Type::Double),
    ("degrees_of_freedom", Type::Double),
    ("p_value", Type::Double),
    ("cramers_v", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("n_obs", Type::Bigint),
    ("min_expected", Type::Double),
];

state!(Table, own, other => {
    own.merge(&other);
    Ok(())
});

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Streaming::start(call, Table::default(), read, table))
}

fn read(call: &Call, values: &Values, cells: &mut Table) -> Result<(), Error> {
    let first = values.text(call.places("first").start)?;
    let second = values.text(call.places("second").start)?;
    for (first, second) in first.iter().zip(second) {
        if let (Some(first), Some(second)) = (first, second) {
            cells.update(first, second);
        }
    }
    Ok(())
}

fn table(call: &Call, cells: &mut Table) -> Result<Vec<Row>, Error> {
    let Some(found) = cells.test(call.confidence()?)? else {
        return Err(Error::invalid_argument("chi-square test needs two values of each category"));
    };
    Ok(vec![vec![
        ScalarValue::from(found.statistic),
        ScalarValue::from(found.freedom),
        ScalarValue::from(found.p_value),
        ScalarValue::from(found.cramers_v),
        ScalarValue::from(found.conf_low),
        ScalarValue::from(found.conf_high),
        ScalarValue::from(found.n as i64),
        ScalarValue::from(found.min_expected),
    ]])
}
