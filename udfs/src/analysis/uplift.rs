//! `uplift`: what those who had a treatment gained over others who are alike.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::diff_in_diff::flag;
use super::effect::{self, CONF_HIGH, CONF_LOW, ESTIMATE, P_VALUE, STATISTIC, STD_ERROR};
use super::{Call, Column, Definition, Kernel, Parameter, REPORT, Report, Takes, optional, required};
use crate::inference::causal::treatment::{Balance, Treatment};
use crate::inference::causal::{Effect, matching, weighting};
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "uplift",
        arguments: "relation, outcome, treated, covariates [, trim, caliper, conf]",
        description: "Effect of a treatment by comparison with others that are alike in the covariates: rows of kind \
                      effect for the plain difference, inverse propensity weighting, its doubly robust form and \
                      matching, then rows of kind balance, one a covariate, with standardised differences before \
                      and after weighting; one above 0.1 after says that the groups are not alike. trim leaves out \
                      propensities this near to 0 and 1, 0.01 unless given; caliper is the widest distance of a \
                      match in standard deviations, 0.2 unless given; conf is the confidence level, 0.95 unless \
                      given. Nothing corrects for what is not among the covariates: see e_value.",
        example: "SELECT kind, name, round(estimate, 3) AS estimate FROM uplift('SELECT x, (x + g % 3) % 2 AS treated, \
                  x + 2 * ((x + g % 3) % 2) + g % 5 AS y FROM (SELECT g, g % 4 AS x FROM generate_series(1, 200) AS s(g)) AS t', \
                  'y', 'treated', ARRAY['x']) WHERE name IN ('unadjusted', 'ipw')",
        example_result: "effect|unadjusted|2.25\neffect|ipw|1.946",
        ..REPORT
    },
    parameters: PARAMETERS,
    columns: COLUMNS,
    start,
}];

const PARAMETERS: &[Parameter] = &[
    required("outcome", Takes::Number),
    required("treated", Takes::Number),
    required("covariates", Takes::Numbers),
    optional("trim", Takes::Setting),
    optional("caliper", Takes::Setting),
    optional("conf", Takes::Setting),
];

const COLUMNS: &[Column] = &[
    ("kind", Type::Text),
    ("name", Type::Text),
    ESTIMATE,
    STD_ERROR,
    STATISTIC,
    P_VALUE,
    CONF_LOW,
    CONF_HIGH,
    ("difference_before", Type::Double),
    ("difference_after", Type::Double),
    ("treated_n", Type::Bigint),
    ("control_n", Type::Bigint),
];

fn trim(call: &Call) -> Result<f64, Error> {
    call.number("trim", 0.01, 0.0, 0.499)
}

fn caliper(call: &Call) -> Result<f64, Error> {
    call.number("caliper", 0.2, 1e-9, 1e9)
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    trim(call)?;
    caliper(call)?;
    Ok(Gathered::start(call, table))
}

fn table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (Some(outcome), Some(treated)) = (rows.number("outcome"), rows.number("treated")) else {
        return Err(Error::internal("an uplift without its columns"));
    };
    let columns = rows.numbers("covariates");
    let mut treatment = Treatment::new(columns.len());
    let mut covariates = vec![0.0; columns.len()];
    for row in 0..rows.rows() {
        covariates.iter_mut().zip(&columns).for_each(|(value, column)| *value = column[row]);
        treatment.update(outcome[row], flag(treated[row], "treated")?, &covariates)?;
    }
    let weighted = weighting::weighted(&treatment, trim(call)?, call.confidence()?)?;
    let matched = matching::matched(&treatment, Some(caliper(call)?), call.confidence()?)?;
    let n = (weighted.treated, weighted.controls);
    let mut answer = vec![
        effect_row("unadjusted", &weighted.unadjusted, n),
        effect_row("ipw", &weighted.ipw, n),
        effect_row("aipw", &weighted.aipw, n),
        effect_row("matching", &matched.effect, (matched.matched, matched.controls)),
    ];
    let balances = call.labels("covariates").into_iter().zip(&weighted.balance);
    answer.extend(balances.map(|(name, balance)| balance_row(&name, balance, n)));
    Ok(answer)
}

fn effect_row(name: &str, effect: &Effect, (treated, controls): (usize, usize)) -> Row {
    let mut row = vec![ScalarValue::from("effect"), ScalarValue::from(name)];
    row.extend(effect::cells(effect));
    row.extend([None::<f64>, None].map(ScalarValue::from));
    row.extend([treated as i64, controls as i64].map(ScalarValue::from));
    row
}

fn balance_row(name: &str, balance: &Balance, (treated, controls): (usize, usize)) -> Row {
    let mut row = vec![ScalarValue::from("balance"), ScalarValue::from(name)];
    row.extend([None::<f64>; 6].map(ScalarValue::from));
    row.extend([balance.before, balance.after].map(ScalarValue::from));
    row.extend([treated as i64, controls as i64].map(ScalarValue::from));
    row
}
