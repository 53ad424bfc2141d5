//! Rules about the rows of a load together: how many there are, how new the newest is.
//!
//! They are asked of the rows of a load before a commit names them, in memory or in data files.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::collect;
use deltalake_core::kernel::Add;

use super::snapshot::TableSnapshot;
use super::tally::{RuleOutcome, shortened};
use crate::catalog::{Constraint, OnViolation, Rule, Table};
use crate::error::{Error, ErrorKind, Result, Subject};
use crate::planning::{Planner, SOURCE_RELATION};
use crate::storage::Storage;
use crate::table::scan::TableScan;

/// Asks each expectation of a table about a load, as the table's owner.
pub async fn examine(
    planner: &dyn Planner,
    storage: &Storage,
    table: &Table,
    base: &TableSnapshot,
    added: &[Add],
) -> Result<Vec<RuleOutcome>> {
    let scan = only_added(storage, table, base, added)?;
    let count = scan.files().iter().filter_map(|file| file.rows).sum();
    examine_rows(planner, table, count, Arc::new(scan)).await
}

/// The same of rows wherever they are.
pub async fn examine_rows(
    planner: &dyn Planner,
    table: &Table,
    count: u64,
    rows: Arc<dyn TableProvider>,
) -> Result<Vec<RuleOutcome>> {
    let mut outcomes = Vec::new();
    for constraint in &table.constraints {
        let Rule::Expect { expression } = &constraint.rule else { continue };
        let answer = ask(planner, table, expression, Arc::clone(&rows))
            .await
            .map_err(|error| error.in_context(format!("expectation \"{}\"", constraint.name)))?;
        outcomes.push(outcome(constraint, count, &answer));
    }
    Ok(outcomes)
}

/// What a load that does not meet its expectations fails with.
pub fn refusal(table: &Table, outcomes: &[RuleOutcome]) -> Option<Error> {
    let broken = outcomes
        .iter()
        .find(|outcome| outcome.rows_violating > 0 && outcome.on_violation == OnViolation::Fail)?;
    let (schema, name) = (table.name.schema.clone(), table.name.name.clone());
    let message = format!("load into relation \"{name}\" violates expectation \"{}\"", broken.rule);
    let error = Error::new(ErrorKind::CheckViolation, message).with_subject(Subject {
        schema: Some(schema),
        table: Some(name),
        constraint: Some(broken.rule.clone()),
        ..Subject::default()
    });
    Some(match &broken.example {
        Some(found) => error.with_detail(format!("The load has {found}.")),
        None => error,
    })
}

/// The files of the load, and none of those that are there.
fn only_added(storage: &Storage, table: &Table, base: &TableSnapshot, added: &[Add]) -> Result<TableScan> {
    let others: HashSet<String> = base.files()?.iter().map(|file| file.path.to_string()).collect();
    let loaded = Arc::new(base.with_changes(&others, added)?);
    TableScan::new(storage, &table.location, loaded, table.query_schema())
}

/// One row: whether the load passes, and the values of the aggregates.
async fn ask(
    planner: &dyn Planner,
    table: &Table,
    expression: &str,
    rows: Arc<dyn TableProvider>,
) -> Result<RecordBatch> {
    let name = table.name.name.replace('"', "\"\"");
    let query =
        format!("SELECT ({expression}) AS passes FROM (SELECT * FROM {SOURCE_RELATION}) AS \"{name}\"");
    let plan = planner.plan_pipe(&table.owner, Some(&query), rows).await?.plan;
    let state = planner.session_state();
    let physical = state.create_physical_plan(&with_aggregates(plan)?).await?;
    let batches = collect(physical, state.task_ctx()).await?;
    batches
        .into_iter()
        .find(|batch| batch.num_rows() == 1)
        .ok_or_else(|| Error::internal("an expectation has no answer"))
}

/// The plan, its aggregates shown beside what is made of them.
fn with_aggregates(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Projection(projection) = &plan else { return Ok(plan) };
    let LogicalPlan::Aggregate(aggregate) = projection.input.as_ref() else { return Ok(plan) };
    let columns = aggregate.schema.iter().map(|field| Expr::Column(field.into()));
    let shown: Vec<Expr> = projection.expr.iter().cloned().chain(columns).collect();
    Ok(LogicalPlanBuilder::from(projection.input.as_ref().clone()).project(shown)?.build()?)
}

fn outcome(constraint: &Constraint, rows: u64, answer: &RecordBatch) -> RuleOutcome {
    let passes = answer.column(0).as_boolean_opt();
    let is_broken = passes.is_some_and(|passes| passes.is_valid(0) && !passes.value(0));
    RuleOutcome {
        rule: constraint.name.clone(),
        kind: constraint.rule.kind().to_owned(),
        on_violation: constraint.effect_on_loads(),
        rows_checked: rows,
        // The load as a whole breaks it, so all of its rows do; a load of none counts as one.
        rows_violating: if is_broken { rows.max(1) } else { 0 },
        example: Some(shortened(aggregates(answer))).filter(|text| !text.is_empty()),
    }
}

/// `count(*)=3, max(ordered_at)=…`.
fn aggregates(answer: &RecordBatch) -> String {
    let options = FormatOptions::default().with_null("NULL");
    let schema = answer.schema();
    let shown = schema.fields().iter().zip(answer.columns()).skip(1).filter_map(|(field, column)| {
        let values = ArrayFormatter::try_new(column.as_ref(), &options).ok()?;
        let name = field.name().rsplit_once(": ").map_or(field.name().as_str(), |(_, name)| name);
        Some(format!("{name}={}", values.value(0)))
    });
    shown.collect::<Vec<_>>().join(", ")
}
