//! RETURNING: a query over the rows that a statement added, changed or deleted.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::sql::sqlparser::ast::{Query, SelectItem};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use voxhouse_engine::catalog::{QualifiedName, Table};
use voxhouse_engine::table::load::TakenRows;
use voxhouse_engine::{Error, ErrorKind, Result, dml};

use super::target::{TARGET, Target, in_memory, target_override};
use crate::query::QueryContext;
use crate::statement::describe;
use crate::wire::backend::Outcome;

pub struct Returning<'a> {
    target: Target<'a>,
    query: Query,
    columns: SchemaRef,
    answer: Mutex<Option<Answer>>,
}

struct Answer {
    schema: SchemaRef,
    rows: TakenRows,
}

impl<'a> Returning<'a> {
    /// The clause of a statement that calls `table` by `alias`, checked before anything is changed. `None`: the
    /// statement returns nothing.
    pub async fn of(
        context: &'a QueryContext,
        table: &'a Table,
        alias: &str,
        items: Option<&[SelectItem]>,
    ) -> Result<Option<Self>> {
        let Some(items) = items else { return Ok(None) };
        let target = Target { context, table, alias: alias.to_owned() };
        let query = target.select_items(items.to_vec(), None)?;
        let name = QualifiedName::new(TARGET, TARGET);
        context.check_change(table, name, &query, Default::default()).await?;
        let plan = plan(&target, &query, &[]).await?;
        refuse_aggregates(&plan)?;
        let columns = describe::labelled(context, &plan, &query)?;
        Ok(Some(Self { target, query, columns, answer: Mutex::default() }))
    }

    pub fn columns(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }
}

/// What a statement that changed so many rows tells.
pub fn finished(verb: &'static str, count: u64, returning: Option<Returning<'_>>) -> Outcome {
    let Some(returning) = returning else { return Outcome::Done(format!("{verb} {count}")) };
    let (schema, batches) = match returning.answer.into_inner() {
        Some(answer) => (answer.schema, answer.rows.into_batches()),
        None => (returning.columns, Vec::new()),
    };
    let rows = futures::stream::iter(batches.into_iter().map(Ok));
    Outcome::Rows { verb, rows: Box::pin(RecordBatchStreamAdapter::new(schema, rows)) }
}

impl dml::Returning for Returning<'_> {
    fn answer<'a>(&'a self, rows: Vec<RecordBatch>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut state = self.target.context.state();
            // The rows come back in the order in which they were given.
            state.config_mut().options_mut().execution.target_partitions = 1;
            let plan = plan(&self.target, &self.query, &rows).await?;
            let physical = state.create_physical_plan(&plan).await?;
            let answer = Answer { schema: physical.schema(), rows: TakenRows::new(&state) };
            let mut batches = execute_stream(physical, state.task_ctx())?;
            while let Some(batch) = batches.try_next().await? {
                answer.rows.add(batch)?;
            }
            *self.answer.lock() = Some(answer);
            Ok(())
        })
    }
}

async fn plan(target: &Target<'_>, query: &Query, rows: &[RecordBatch]) -> Result<LogicalPlan> {
    let rows = target_override(in_memory(target.table, rows)?);
    Ok(target.context.plan_query_with(query, rows).await?.plan)
}

fn refuse_aggregates(plan: &LogicalPlan) -> Result<()> {
    let mut node = plan;
    loop {
        let functions = match node {
            LogicalPlan::Aggregate(_) => "aggregate functions",
            LogicalPlan::Window(_) => "window functions",
            LogicalPlan::Unnest(_) => "set-returning functions",
            _ => match node.inputs().as_slice() {
                [input] => {
                    node = input;
                    continue;
                }
                _ => return Ok(()),
            },
        };
        return Err(Error::new(
            ErrorKind::GroupingError,
            format!("{functions} are not allowed in RETURNING"),
        ));
    }
}
