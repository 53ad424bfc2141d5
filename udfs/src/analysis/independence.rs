//! `chi_square_test` and `fisher_test`: do two categories hang together.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::inference::compare::contingency::Table;
use crate::inference::compare::fisher;
use crate::report::{Row, Streaming, Type, Values, state};

pub(super) const REPORTS: &[Report] = &[
    Report { definition: CHI_SQUARE, parameters: PARAMETERS, columns: COLUMNS, start },
    Report { definition: FISHER, parameters: PARAMETERS, columns: FISHER_COLUMNS, start: start_exact },
];

const FISHER: Definition = Definition {
    name: "fisher_test",
    arguments: "relation, first, second [, conf]",
    description: "Fisher's exact test of two categories of two values each, for counts too small for chi_square_test. odds_ratio \
                  is that of first_value with second_value (conditional maximum likelihood), with its exact interval; first_value \
                  and second_value are the last of each category in order. n_both counts the rows with both. conf is the \
                  confidence level, 0.95 unless given.",
    example: "SELECT round(p_value, 4) AS p_value, first_value, second_value, round(odds_ratio, 4) AS odds_ratio, n_obs FROM \
              fisher_test('SELECT g <= 4 AS late, g IN (1, 2, 3, 8) AS left_us FROM generate_series(1, 8) AS g', 'late', 'left_us')",
    example_result: "0.4857|true|true|6.4083|8",
    ..REPORT
};

const CHI_SQUARE: Definition = Definition {
    name: "chi_square_test",
    arguments: "relation, first, second [, conf]",
    description: "Whether two categories are independent (Pearson's chi-square test), and how strongly they hang together \
                      (Cramer's V with its interval). Where min_expected is below 5 the p-value is a rough one: fisher_test is \
                      exact. conf is the confidence level, 0.95 unless given.",
    example: "SELECT statistic, degrees_of_freedom, round(p_value, 4) AS p_value, n_obs FROM chi_square_test('SELECT g % 2 AS plan, \
                  (g % 10 < 4 + g % 2 * 3) AS churned FROM generate_series(1, 100) AS g', 'plan', 'churned')",
    example_result: "4|1|0.0455|100",
    ..REPORT
};

const PARAMETERS: &[Parameter] =
    &[required("first", Takes::Text), required("second", Takes::Text), optional("conf", Takes::Setting)];

const FISHER_COLUMNS: &[Column] = &[
    ("p_value", Type::Double),
    ("first_value", Type::Text),
    ("second_value", Type::Text),
    ("odds_ratio", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("n_both", Type::Bigint),
    ("n_obs", Type::Bigint),
];

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

fn start_exact(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    Ok(Streaming::start(call, Table::default(), read, exact))
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

fn exact(call: &Call, cells: &mut Table) -> Result<Vec<Row>, Error> {
    let Some(table) = cells.four_fold() else {
        return Err(Error::invalid_argument(
            "Fisher's test needs two values of each category, no more and no fewer",
        )
        .with_hint("Use chi_square_test for more values."));
    };
    let [[others, second_only], [first_only, both]] = table.counts;
    let found = fisher::test([[both, first_only], [second_only, others]], call.confidence()?)?;
    Ok(vec![vec![
        ScalarValue::from(found.p_value),
        ScalarValue::from(table.rows[1]),
        ScalarValue::from(table.columns[1]),
        ScalarValue::from(found.odds_ratio),
        ScalarValue::from(found.conf_low),
        ScalarValue::from(found.conf_high),
        ScalarValue::from(both as i64),
        ScalarValue::from(found.n as i64),
    ]])
}
