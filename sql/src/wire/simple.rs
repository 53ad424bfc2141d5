//! The simple query protocol: a string of statements, each answered before the next is planned.

use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind};

use super::backend::{Outcome, Session};
use super::connection::Connection;
use super::output::Output;
use super::reply;
use super::statement::{Cursor, Sent, columns_of};
use super::stop::Flow;
use super::types::Format;

impl<S: Session> Connection<S> {
    pub(super) async fn query(&mut self, sql: &str) -> Flow<()> {
        self.names.close_statement("");
        self.names.close_portal("");
        let statements = self.session.parse(sql)?;
        if statements.is_empty() {
            reply::empty_query(&mut self.output.buffer);
        }
        let count = statements.len();
        for (place, statement) in statements.into_iter().enumerate() {
            self.session.set_company(count > 1);
            self.simple_statement(statement, place + 1 == count).await?;
        }
        Ok(())
    }

    async fn simple_statement(&mut self, statement: S::Statement, is_last: bool) -> Flow<()> {
        let limits = self.limits(CancellationToken::new());
        let work = run(&mut self.session, &mut self.output, statement, limits.cancel.clone());
        let tag = self.interrupts.guard(&limits, work).await?;
        if is_last {
            // Outside of the guard: a commit that has begun is not stopped half-way.
            self.session.sync().await?;
        }
        self.put_notices();
        match tag {
            Some(tag) => reply::command_complete(&mut self.output.buffer, &tag),
            None => reply::empty_query(&mut self.output.buffer),
        }
        Ok(())
    }
}

/// Everything up to the command tag. `None`: there was nothing to run.
async fn run<S: Session>(
    session: &mut S,
    output: &mut Output,
    statement: S::Statement,
    cancel: CancellationToken,
) -> Flow<Option<String>> {
    let prepared = session.prepare(statement, &[]).await?;
    let description = session.describe(&prepared);
    if !description.parameters.is_empty() {
        return Err(Error::new(ErrorKind::UndefinedObject, "there is no parameter $1").into());
    }
    match session.execute(&prepared, Vec::new(), cancel).await? {
        Outcome::Empty => Ok(None),
        Outcome::Done(tag) => Ok(Some(tag)),
        Outcome::Rows { verb, rows } => {
            let columns = columns_of(description.columns.as_deref(), &rows.schema())?;
            let formats = vec![Format::Text; columns.len()];
            reply::row_description(&mut output.buffer, &columns, &formats);
            let mut cursor = Cursor::new(verb, rows, columns, formats.into(), session.time_zone());
            match cursor.send(output, None).await? {
                Sent::Exhausted(count) => Ok(Some(format!("{verb} {count}"))),
                Sent::Suspended => Err(Error::internal("rows without a limit were suspended").into()),
            }
        }
    }
}
