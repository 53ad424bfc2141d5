//! DECLARE, FETCH, MOVE and CLOSE.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::physical_plan::execute_stream;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::describe;
use crate::dialect::{Declare, Direction, Statement};
use crate::query::context::sql_statement;
use crate::session::Session;
use crate::session::cursor::NewCursor;
use crate::wire::backend::{Outcome, TransactionStatus};

/// Rows of FETCH, or how many MOVE went past.
pub async fn fetch(
    session: &mut Session,
    cursor: &str,
    direction: Direction,
    moves: bool,
) -> Result<Outcome> {
    if moves {
        let passed = session.cursors.go(cursor, direction).await?;
        return Ok(Outcome::Done(format!("MOVE {passed}")));
    }
    Ok(Outcome::Rows { verb: "FETCH", rows: session.cursors.fetch(cursor, direction)? })
}

pub fn close(session: &mut Session, cursor: Option<&str>) -> Result<Outcome> {
    match cursor {
        None => {
            session.cursors.close_all();
            Ok(Outcome::Done("CLOSE CURSOR ALL".into()))
        }
        Some(cursor) => {
            session.cursors.close(cursor)?;
            Ok(Outcome::Done("CLOSE CURSOR".into()))
        }
    }
}

/// The parameters of the cursor's query.
pub async fn parameters(
    session: &Session,
    statement: &Statement,
    declare: &Declare,
    declared: &[Option<FieldRef>],
) -> Result<Vec<FieldRef>> {
    let context = session.context(&statement.text).await?;
    let plan = context.plan(query_of(statement, declare)).await?.plan;
    describe::parameters(&ast::Statement::Query(declare.query.clone()), &plan, declared)
}

fn query_of(statement: &Statement, declare: &Declare) -> Statement {
    let query = sql_statement(ast::Statement::Query(declare.query.clone()));
    Statement { moments: statement.moments.clone(), ..query }
}

pub async fn declare(
    session: &mut Session,
    statement: &Statement,
    declare: &Declare,
    parameters: Vec<ScalarValue>,
) -> Result<Outcome> {
    if !declare.hold && session.transaction == TransactionStatus::Idle {
        return Err(Error::new(
            ErrorKind::NoActiveTransaction,
            "DECLARE CURSOR can only be used in transaction blocks",
        )
        .with_hint("Use BEGIN first, or DECLARE … CURSOR WITH HOLD."));
    }
    if let Some(options) = declare.conflict {
        return Err(Error::new(ErrorKind::InvalidCursor, format!("cannot specify both {options}")));
    }
    session.cursors.check_new(&declare.cursor)?;
    let context = session.context(&statement.text).await?;
    let planned = context.plan(query_of(statement, declare)).await?;
    let columns = describe::labelled(&context, &planned.plan, &declare.query)?;
    let plan = describe::with_values(planned.plan, parameters)?;
    let state = context.state();
    let physical = state.create_physical_plan(&plan).await?;
    let rows = session.instance.workers.run(execute_stream(physical, state.task_ctx())?);
    session.cursors.declare(NewCursor {
        name: declare.cursor.clone(),
        statement: statement.text.clone(),
        columns,
        rows,
        hold: declare.hold,
        binary: declare.binary,
        kept_on: (declare.scroll == Some(true)).then(|| Arc::clone(&context.base.runtime_env().disk_manager)),
    })?;
    Ok(Outcome::Done("DECLARE CURSOR".into()))
}
