//! The simple query protocol: a string of statements, each answered before the next is planned.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use voxhouse_engine::{Error, ErrorKind};

use super::backend::{Outcome, Session};
use super::connection::Connection;
use super::copy::{CopyIn, copy_out};
use super::output::Output;
use super::reply;
use super::statement::{Cursor, Sent, Shown, columns_of, rows_of, tag};
use super::stop::Flow;
use super::types::{self, Format};
use crate::observe::watch::Progress;

impl<S: Session> Connection<S> {
    pub(super) async fn query(&mut self, sql: &str) -> Flow<()> {
        self.check_length(sql)?;
        self.interrupts.process.begin(sql);
        self.forget_query_id();
        self.names.statements.remove("");
        self.names.close_portal("");
        let statements = self.session.parse(sql).inspect_err(|_| {
            self.observer.counters.syntax_errors.add(1);
        })?;
        if statements.is_empty() {
            reply::empty_query(&mut self.output.buffer);
        }
        let count = statements.len();
        for (place, statement) in statements.into_iter().enumerate() {
            self.session.set_company(count > 1);
            let watch = self.watch(self.session.identity(&statement));
            let progress = Arc::clone(watch.progress());
            let work = self.simple_statement(statement, place + 1 == count, &progress);
            let done = work.instrument(watch.span()).await;
            self.finish(watch, done.as_ref());
            done?;
        }
        Ok(())
    }

    async fn simple_statement(
        &mut self,
        statement: S::Statement,
        is_last: bool,
        progress: &Arc<Progress>,
    ) -> Flow<()> {
        let limits = self.limits(CancellationToken::new());
        let work = run(&mut self.session, &mut self.output, statement, limits.cancel.clone(), progress);
        let tag = match self.interrupts.guard(&limits, work).await? {
            Ran::Done(tag) => tag,
            Ran::AsksForData(prepared, copy) => {
                let count = self.copy_in(&limits, &prepared, &copy).await?;
                progress.add_rows(count);
                Some(format!("COPY {count}"))
            }
        };
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

enum Ran<P> {
    /// With a command tag, unless there was nothing to run.
    Done(Option<String>),
    AsksForData(Arc<P>, CopyIn),
}

/// Everything up to the command tag, or up to the data of a COPY.
async fn run<S: Session>(
    session: &mut S,
    output: &mut Output,
    statement: S::Statement,
    cancel: CancellationToken,
    progress: &Arc<Progress>,
) -> Flow<Ran<S::Prepared>> {
    let prepared = session.prepare(statement, &[]).await?;
    progress.is_planned();
    let description = session.describe(&prepared);
    if !description.parameters.is_empty() {
        return Err(Error::new(ErrorKind::UndefinedParameter, "there is no parameter $1").into());
    }
    match session.execute(&prepared, Vec::new(), cancel).await? {
        Outcome::Empty => Ok(Ran::Done(None)),
        Outcome::Done(tag) => {
            progress.add_rows(rows_of(&tag));
            Ok(Ran::Done(Some(tag)))
        }
        Outcome::CopyIn(copy) => Ok(Ran::AsksForData(prepared, copy)),
        Outcome::CopyOut { rows, columns, format } => {
            let columns = types::columns(&columns)?;
            let count = copy_out(output, rows, &columns, &format, &Shown::by(session)).await?;
            progress.add_rows(count);
            Ok(Ran::Done(Some(format!("COPY {count}"))))
        }
        Outcome::Rows { verb, rows } => {
            let columns = columns_of(description.columns.as_deref(), &rows.schema())?;
            let format = if session.sends_binary(&prepared) { Format::Binary } else { Format::Text };
            let formats = vec![format; columns.len()];
            reply::row_description(&mut output.buffer, &columns, &formats);
            let shown = Shown::by(session);
            let mut cursor = Cursor::new(verb, rows, columns, formats.into(), shown, Arc::clone(progress));
            match cursor.send(output, None).await? {
                Sent::Exhausted(count) => Ok(Ran::Done(Some(tag(verb, count)))),
                Sent::Suspended => Err(Error::internal("rows without a limit were suspended").into()),
            }
        }
    }
}
