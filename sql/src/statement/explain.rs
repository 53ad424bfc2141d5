//! EXPLAIN [ANALYZE]: the physical plan as lines of text.

use datafusion::physical_plan::displayable;
use datafusion::sql::sqlparser::ast;
use futures::TryStreamExt;
use voxhouse_engine::{Error, Result};

use super::text_rows;
use crate::dialect::Statement;
use crate::query::context::sql_statement;
use crate::session::Session;
use crate::wire::backend::Outcome;

pub async fn run(session: &mut Session, statement: &Statement, sql: &ast::Statement) -> Result<Outcome> {
    let ast::Statement::Explain { statement: inner, analyze, .. } = sql else {
        return Err(Error::internal("not an EXPLAIN"));
    };
    if !matches!(inner.as_ref(), ast::Statement::Query(_)) {
        return Err(Error::not_supported("EXPLAIN is supported for queries only"));
    }
    let context = session.context(&statement.text).await?;
    let planned = context
        .plan(Statement { moments: statement.moments.clone(), ..sql_statement(inner.as_ref().clone()) })
        .await?;
    let state = context.state();
    let physical = state.create_physical_plan(&planned.plan).await?;
    if *analyze {
        let mut rows = datafusion::physical_plan::execute_stream(physical.clone(), state.task_ctx())?;
        while rows.try_next().await?.is_some() {}
        let text =
            datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(physical.as_ref())
                .indent(false)
                .to_string();
        return text_rows("EXPLAIN", "QUERY PLAN", text.lines().map(str::to_owned));
    }
    let text = displayable(physical.as_ref()).indent(false).to_string();
    text_rows("EXPLAIN", "QUERY PLAN", text.lines().map(str::to_owned))
}
