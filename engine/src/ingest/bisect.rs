//! Finding the rows that a pipe's query cannot evaluate, such as one with text that does not cast.
//!
//! An expression fails for a whole batch of rows. So the query is run over ever smaller parts of the batch until
//! the row at fault stands alone; all others go in. This is right only for a query whose answer for a row depends
//! on no other row of the file.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{JoinType, LogicalPlan};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect};

use super::source_table::{Slot, SlotTable, SourceTable};
use crate::error::{Error, Result};

/// A plan that is evaluated over a few rows of `source` at a time.
pub(super) struct RowByRow {
    slot: Arc<Slot>,
    physical: Arc<dyn ExecutionPlan>,
    state: SessionState,
}

/// What a part of a file gave.
pub(super) enum Evaluated {
    Rows(Vec<RecordBatch>),
    /// The one row of the part is at fault.
    BadRow(RecordBatch, Error),
}

impl RowByRow {
    /// `plan` reads the table whose slot is given.
    pub(super) async fn new(state: SessionState, plan: &LogicalPlan, slot: Arc<Slot>) -> Result<Self> {
        let config = state.config().clone().with_target_partitions(1);
        let state = SessionStateBuilder::new_from_existing(state).with_config(config).build();
        let physical = state.create_physical_plan(plan).await?;
        Ok(Self { slot, physical, state })
    }

    async fn evaluate(&self, rows: RecordBatch) -> Result<Vec<RecordBatch>> {
        self.slot.set(rows);
        let plan = reset_plan_states(Arc::clone(&self.physical))?;
        Ok(collect(plan, self.state.task_ctx()).await?)
    }

    pub(super) fn over(&self, rows: RecordBatch) -> Parts<'_> {
        Parts { evaluator: self, left: vec![rows] }
    }
}

/// A batch in parts, each evaluated as a whole or found to be a bad row; in order.
pub(super) struct Parts<'a> {
    evaluator: &'a RowByRow,
    /// The next part last.
    left: Vec<RecordBatch>,
}

impl Parts<'_> {
    pub(super) async fn next(&mut self) -> Result<Option<Evaluated>> {
        while let Some(part) = self.left.pop() {
            match self.evaluator.evaluate(part.clone()).await {
                Ok(batches) => return Ok(Some(Evaluated::Rows(batches))),
                Err(error) if !error.kind().concerns_a_row() => return Err(error),
                Err(error) if part.num_rows() <= 1 => return Ok(Some(Evaluated::BadRow(part, error))),
                Err(_) => {
                    let half = part.num_rows() / 2;
                    self.left.push(part.slice(half, part.num_rows() - half));
                    self.left.push(part.slice(0, half));
                }
            }
        }
        Ok(None)
    }
}

/// Whether each row of the answer depends on one row of `source` only.
pub(super) fn is_row_by_row(plan: &LogicalPlan) -> Result<bool> {
    if scans_of_source(plan)? != 1 {
        return Ok(false);
    }
    walk(plan)
}

/// Looks at the nodes between the top and the scan of `source`.
fn walk(plan: &LogicalPlan) -> Result<bool> {
    match plan {
        LogicalPlan::TableScan(scan) => Ok(scan.fetch.is_none()),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Unnest(_) => match plan.inputs().as_slice() {
            [input] if scans_of_source(input)? == 1 => walk(input),
            // A subquery in an expression reads it.
            _ => Ok(false),
        },
        LogicalPlan::Join(join) => {
            let in_left = scans_of_source(&join.left)? == 1;
            let rows_kept = match join.join_type {
                JoinType::Inner => true,
                JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => in_left,
                JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => !in_left,
                JoinType::Full => false,
            };
            let input = if in_left { &join.left } else { &join.right };
            Ok(rows_kept && scans_of_source(input)? == 1 && walk(input)?)
        }
        _ => Ok(false),
    }
}

fn scans_of_source(plan: &LogicalPlan) -> Result<usize> {
    let mut scans = 0;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && (is_a::<SourceTable>(provider.as_ref()) || is_a::<SlotTable>(provider.as_ref()))
        {
            scans += 1;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(scans)
}

fn is_a<T: TableProvider>(provider: &dyn TableProvider) -> bool {
    provider.downcast_ref::<T>().is_some()
}
