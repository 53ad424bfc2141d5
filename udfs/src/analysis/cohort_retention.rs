//! `cohort_retention`: of those who came first in the same period, how many are still there later.

use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::{Call, Column, Definition, Kernel, REPORT, Report, Takes, optional, required};
use crate::journey::cohort::{ActivePeriods, CohortCell, Cohorts};
use crate::journey::period::Period;
use crate::report::{Gathered, Row, Type};

pub(super) const REPORTS: &[Report] = &[Report {
    definition: Definition {
        name: "cohort_retention",
        arguments: "relation, customer, occurred_at [, period, conf]",
        description: "Retention by cohort: customers by the period of their first row, and the share of them with a row in \
                      each later period, with its interval; complete says whether the rows reach to the end of that period. period is day, week (from Monday) or month (the default); \
                      conf is the confidence level, 0.95 unless given.",
        example: "SELECT cohort_at, period_number, customers, active, round(retention, 4) AS retention FROM cohort_retention('SELECT * \
                  FROM (VALUES (''a'', date ''2026-01-05''), (''b'', date ''2026-01-09''), (''a'', date ''2026-02-02''), (''c'', date \
                  ''2026-02-20'')) AS t(customer, day)', 'customer', 'day')",
        example_result: "2026-01-01 00:00:00|0|2|2|1\n2026-01-01 00:00:00|1|2|1|0.5\n2026-02-01 00:00:00|0|1|1|1",
        ..REPORT
    },
    parameters: &[
        required("customer", Takes::Text),
        required("occurred_at", Takes::Time),
        optional("period", Takes::Setting),
        optional("conf", Takes::Setting),
    ],
    columns: COLUMNS,
    start,
}];

const COLUMNS: &[Column] = &[
    ("cohort_at", Type::Timestamp),
    ("period_number", Type::Bigint),
    ("customers", Type::Bigint),
    ("active", Type::Bigint),
    ("retention", Type::Double),
    ("conf_low", Type::Double),
    ("conf_high", Type::Double),
    ("complete", Type::Boolean),
];

/// More cells than this are refused.
const MOST_CELLS: usize = 1_000_000;

fn period(call: &Call) -> Result<Period, Error> {
    call.choice("period", &[("month", Period::Month), ("week", Period::Week), ("day", Period::Day)])
}

fn start(call: &Call) -> Result<Box<dyn Kernel>, Error> {
    call.confidence()?;
    period(call)?;
    Ok(Gathered::start(call, table))
}

fn table(call: &Call, rows: &Gathered) -> Result<Vec<Row>, Error> {
    let (Some(customers), Some(times)) = (rows.text("customer"), rows.time("occurred_at")) else {
        return Err(Error::internal("a retention without its columns"));
    };
    let period = period(call)?;
    let mut active: Vec<ActivePeriods> = customers.names.iter().map(|_| ActivePeriods::default()).collect();
    for (code, time) in customers.codes.iter().zip(times) {
        active[*code as usize].update(period.number(*time));
    }
    let mut cohorts = Cohorts::default();
    active.iter_mut().for_each(|customer| cohorts.add(customer));
    let Some(until) = times.iter().max() else { return Ok(Vec::new()) };
    let row = |cell: &CohortCell| {
        vec![
            ScalarValue::TimestampMicrosecond(Some(cell.cohort), None),
            ScalarValue::from(cell.k),
            ScalarValue::from(cell.n as i64),
            ScalarValue::from(cell.retained as i64),
            ScalarValue::from(cell.rate),
            ScalarValue::from(cell.conf_low),
            ScalarValue::from(cell.conf_high),
            ScalarValue::from(cell.complete),
        ]
    };
    Ok(cohorts.cells(period, *until, call.confidence()?, MOST_CELLS)?.iter().map(row).collect())
}
