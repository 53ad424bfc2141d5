//! DECLARE, FETCH and CLOSE.

use datafusion::physical_plan::execute_stream;
use datafusion::sql::sqlparser::ast;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::{Declare, Direction, Statement};
use crate::query::context::sql_statement;
use crate::session::Session;
use crate::wire::backend::{Outcome, TransactionStatus};

/// Rows of FETCH, or how many MOVE went past.
pub fn fetch(session: &mut Session, cursor: &str, direction: Direction, moves_only: bool) -> Result<Outcome> {
    let limit = match direction {
        Direction::Forward(count) | Direction::Relative(count) => Some(count),
        Direction::ForwardAll => None,
        _ => return Err(Error::not_supported("cursors move forward only")),
    };
    let limit = limit.map(usize::try_from).transpose();
    let limit = limit.map_err(|_| Error::not_supported("cursors move forward only"))?;
    if moves_only {
        return Err(Error::not_supported("MOVE is not supported"));
    }
    Ok(Outcome::Rows { verb: "FETCH", rows: session.cursors.fetch(cursor, limit)? })
}

pub fn close(session: &mut Session, cursor: Option<&str>) -> Result<Outcome> {
    match cursor {
        None => session.cursors.close_all(),
        Some(cursor) => session.cursors.close(cursor)?,
    }
    Ok(Outcome::Done("CLOSE CURSOR".into()))
}

pub async fn declare(session: &mut Session, statement: &Statement, declare: &Declare) -> Result<Outcome> {
    if !declare.hold && session.transaction == TransactionStatus::Idle {
        return Err(Error::new(
            ErrorKind::NoActiveTransaction,
            "DECLARE CURSOR can only be used in transaction blocks",
        )
        .with_hint("Use BEGIN first, or DECLARE … CURSOR WITH HOLD."));
    }
    if declare.scroll == Some(true) {
        return Err(Error::not_supported("cursors move forward only"));
    }
    let query = &declare.query;
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
    session.cursors.declare(&declare.cursor, columns, rows, declare.hold)?;
    Ok(Outcome::Done("DECLARE CURSOR".into()))
}
