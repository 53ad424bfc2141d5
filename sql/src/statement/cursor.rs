//! DECLARE, FETCH and CLOSE.

use arrow::datatypes::SchemaRef;
use datafusion::physical_plan::execute_stream;
use datafusion::sql::sqlparser::ast::{self, CloseCursor, FetchDirection, ValueWithSpan};
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::Statement;
use crate::query::context::sql_statement;
use crate::query::names::fold;
use crate::session::Session;
use crate::wire::backend::{Outcome, TransactionStatus};

pub fn handles(sql: &ast::Statement) -> bool {
    matches!(
        sql,
        ast::Statement::Declare { .. } | ast::Statement::Fetch { .. } | ast::Statement::Close { .. }
    )
}

/// The columns that a FETCH returns.
pub fn columns(session: &Session, sql: &ast::Statement) -> Result<Option<SchemaRef>> {
    match sql {
        ast::Statement::Fetch { name, .. } => session.cursors.columns(&fold(name)).map(Some),
        _ => Ok(None),
    }
}

pub async fn run(session: &mut Session, statement: &Statement, sql: &ast::Statement) -> Result<Outcome> {
    match sql {
        ast::Statement::Declare { stmts } => {
            let [declare] = stmts.as_slice() else {
                return Err(Error::syntax("one cursor a DECLARE"));
            };
            self::declare(session, statement, declare).await
        }
        ast::Statement::Fetch { name, direction, .. } => {
            let rows = session.cursors.fetch(&fold(name), limit(direction)?)?;
            Ok(Outcome::Rows { verb: "FETCH", rows })
        }
        ast::Statement::Close { cursor } => {
            match cursor {
                CloseCursor::All => session.cursors.close_all(),
                CloseCursor::Specific { name } => session.cursors.close(&fold(name))?,
            }
            Ok(Outcome::Done("CLOSE CURSOR".into()))
        }
        other => Err(Error::internal(format!("not a cursor statement: {other}"))),
    }
}

async fn declare(session: &mut Session, statement: &Statement, declare: &ast::Declare) -> Result<Outcome> {
    let hold = declare.hold == Some(true);
    if !hold && session.transaction == TransactionStatus::Idle {
        return Err(Error::new(
            ErrorKind::NoActiveTransaction,
            "DECLARE CURSOR can only be used in transaction blocks",
        )
        .with_hint("Use BEGIN first, or DECLARE … CURSOR WITH HOLD."));
    }
    if declare.scroll == Some(true) {
        return Err(Error::not_supported("cursors move forward only"));
    }
    let ([name], Some(query)) = (declare.names.as_slice(), &declare.for_query) else {
        return Err(Error::syntax("DECLARE needs a name and a query"));
    };
    let context = session.context(&statement.text).await?;
    let query_statement = Statement {
        moments: statement.moments.clone(),
        ..sql_statement(ast::Statement::Query(query.clone()))
    };
    let planned = context.plan(query_statement).await?;
    let columns = super::describe::labelled(&context, &planned.plan, query)?;
    let state = context.state();
    let physical = state.create_physical_plan(&planned.plan).await?;
    let rows = session.instance.workers.run(execute_stream(physical, state.task_ctx())?);
    session.cursors.declare(&fold(name), columns, rows, hold)?;
    Ok(Outcome::Done("DECLARE CURSOR".into()))
}

/// How many rows a FETCH takes; `None` for all.
fn limit(direction: &FetchDirection) -> Result<Option<usize>> {
    let count = |value: &ValueWithSpan| {
        value.to_string().parse::<usize>().map_err(|_| Error::not_supported("cursors move forward only"))
    };
    match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Ok(Some(1)),
        FetchDirection::Count { limit }
        | FetchDirection::Forward { limit: Some(limit) }
        | FetchDirection::Relative { limit } => count(limit).map(Some),
        FetchDirection::All | FetchDirection::ForwardAll => Ok(None),
        _ => Err(Error::not_supported("cursors move forward only")),
    }
}
