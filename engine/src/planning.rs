//! What the engine asks of the SQL side: plans for the SQL text that the catalog stores.
//!
//! The engine runs pipes, checks and materialised views in the background; their text is SQL, and SQL text is
//! the front end's secret.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::DFSchema;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use futures::future::BoxFuture;

use crate::error::Result;

/// The relation that a pipe's query reads.
pub const SOURCE_RELATION: &str = "source";
/// The column of [`SOURCE_RELATION`] that tells a row's number in its file.
pub const ROW_COLUMN: &str = "__row";

/// A planned pipe query.
pub struct PipePlan {
    pub plan: LogicalPlan,
    /// Whether the last column of the plan is [`ROW_COLUMN`], so that each row can be traced to its file. A
    /// query that groups or deduplicates has rows without an origin.
    pub traces_rows: bool,
}

pub trait Planner: Send + Sync {
    /// Memory limits, functions and settings to run plans with.
    fn session_state(&self) -> SessionState;

    /// Plans a pipe's query over `source`. `None` selects the columns of `source` by name.
    fn plan_pipe<'a>(
        &'a self,
        role: &'a str,
        query: Option<&'a str>,
        source: Arc<dyn TableProvider>,
    ) -> BoxFuture<'a, Result<PipePlan>>;

    /// Plans a stored query: that of a materialised view.
    fn plan_query<'a>(&'a self, role: &'a str, query: &'a str) -> BoxFuture<'a, Result<LogicalPlan>>;

    /// Plans a stored expression over the columns of a table: a CHECK or a DEFAULT.
    fn plan_expression(&self, expression: &str, schema: &DFSchema) -> Result<Expr>;
}
