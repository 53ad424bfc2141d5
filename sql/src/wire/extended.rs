//! The extended query protocol: Parse, Bind, Describe, Execute, Close, Sync.

use std::sync::Arc;

use datafusion::scalar::ScalarValue;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::backend::{Outcome, Session, TransactionStatus};
use super::connection::Connection;
use super::copy::{CopyIn, copy_out};
use super::decode::{LEFT_OVER, Parameter};
use super::frontend::{Bind, Parse, Target};
use super::output::Output;
use super::portal::{Portal, Prepared, State, formats};
use super::reply;
use super::statement::{Cursor, Sent, Shown, rows_of, tag};
use super::stop::{Flow, Stop};
use super::types::{self, Format};
use crate::dialect::without_passwords;
use crate::observe::watch::{Progress, Watch};
use crate::processes::shown;

impl<S: Session> Connection<S> {
    pub(super) async fn parse(&mut self, parse: Parse) -> Flow<()> {
        self.check_length(&parse.query)?;
        self.interrupts.process.begin(&parse.query);
        self.forget_query_id();
        self.names.statements.check_new(&parse.name)?;
        if parse.name.is_empty() {
            // Gone even if its successor cannot be parsed.
            self.names.statements.remove("");
        }
        let mut statements = self.session.parse(&parse.query).inspect_err(|_| {
            self.observer.counters.syntax_errors.add(1);
        })?;
        let prepared = match (statements.pop(), statements.is_empty()) {
            (None, _) => Prepared::empty(),
            (Some(statement), true) => self.plan(statement, &parse.oids).await?,
            (Some(_), false) => {
                return Err(Error::syntax("cannot insert multiple commands into a prepared statement").into());
            }
        };
        self.names
            .statements
            .put(&parse.name, Prepared { text: without_passwords(&parse.query).into_owned(), ..prepared });
        reply::parse_complete(&mut self.output.buffer);
        Ok(())
    }

    /// A statement that cannot be planned has failed; one that can counts when it is executed.
    async fn plan(&mut self, statement: S::Statement, oids: &[u32]) -> Flow<Prepared<S::Prepared>> {
        let identity = self.session.identity(&statement);
        let watch = self.watch(Arc::clone(&identity));
        let planned = self.plan_watched(statement, oids).instrument(watch.span()).await;
        match planned {
            Ok(prepared) => {
                prepared.set_planning(watch.forget());
                Ok(Prepared { identity, ..prepared })
            }
            Err(stop) => {
                self.finish::<()>(watch, Err(&stop));
                Err(stop)
            }
        }
    }

    async fn plan_watched(&mut self, statement: S::Statement, oids: &[u32]) -> Flow<Prepared<S::Prepared>> {
        let limits = self.limits(CancellationToken::new());
        let declared: Vec<_> = oids.iter().map(|&oid| types::field_of_oid(oid)).collect();
        let session = &mut self.session;
        let work = async { Ok(session.prepare(statement, &declared).await?) };
        let plan = self.interrupts.guard(&limits, work).await?;
        let description = self.session.describe(&plan);
        Ok(Prepared::new(plan, description, oids)?)
    }

    pub(super) fn bind(&mut self, bind: Bind) -> Flow<()> {
        let prepared = self.names.statements.get(&bind.statement)?;
        let bound = self.bind_to(&prepared, bind);
        if let Err(stop) = &bound {
            self.note_failure(&prepared, stop);
        }
        bound
    }

    fn bind_to(&mut self, prepared: &Arc<Prepared<S::Prepared>>, bind: Bind) -> Flow<()> {
        self.names.check_new_portal(&bind.portal)?;
        if self.session.cursor_columns(&bind.portal).is_some() {
            let message = format!("cursor \"{}\" already exists", bind.portal);
            return Err(Error::new(ErrorKind::DuplicatePortal, message).into());
        }
        let parameters = self.parameters(prepared, &bind)?;
        let formats = match &prepared.columns {
            Some(columns) => formats(&bind.result_formats, columns.len(), "column")?,
            None => Vec::new(),
        };
        let cancel = CancellationToken::new();
        let portal = Portal {
            prepared: Arc::clone(prepared),
            parameters,
            formats: formats.into(),
            cancel,
            state: State::Ready,
            watch: None,
        };
        self.names.put_portal(bind.portal, portal);
        reply::bind_complete(&mut self.output.buffer);
        Ok(())
    }

    fn parameters(&self, prepared: &Prepared<S::Prepared>, bind: &Bind) -> Result<Vec<ScalarValue>> {
        let (given, wanted) = (bind.parameters.len(), prepared.parameters.len());
        if given != wanted {
            return Err(Error::new(
                ErrorKind::ProtocolViolation,
                format!(
                    "bind message supplies {given} parameters, but prepared statement \"{}\" requires {wanted}",
                    bind.statement
                ),
            ));
        }
        let formats = formats(&bind.formats, given, "parameter")?;
        let style = self.session.text_style();
        let types = prepared.parameter_oids.iter().zip(&prepared.parameters);
        types
            .zip(bind.parameters.iter().zip(formats))
            .enumerate()
            .map(|(index, ((&type_oid, field), (bytes, format)))| {
                Parameter { type_oid, target: field.data_type(), style }
                    .decode(bytes.as_deref(), format)
                    .map_err(|error| in_parameter(error, index + 1))
            })
            .collect()
    }

    pub(super) fn describe(&mut self, target: Target, name: &str) -> Flow<()> {
        let (prepared, formats) = match target {
            Target::Statement => {
                let prepared = self.names.statements.get(name)?;
                reply::parameter_description(&mut self.output.buffer, &prepared.parameter_oids);
                // Before Bind nobody has chosen a format, and the protocol says text.
                let count = prepared.columns.as_ref().map_or(0, |columns| columns.len());
                (prepared, Arc::from(vec![Format::Text; count]))
            }
            Target::Portal => {
                if let Some(columns) = self.session.cursor_columns(name) {
                    let columns = types::columns(&columns)?;
                    let formats = vec![Format::Text; columns.len()];
                    reply::row_description(&mut self.output.buffer, &columns, &formats);
                    return Ok(());
                }
                let portal = self.names.portal(name)?;
                (Arc::clone(&portal.prepared), Arc::clone(&portal.formats))
            }
        };
        match &prepared.columns {
            Some(columns) => reply::row_description(&mut self.output.buffer, columns, &formats),
            None => reply::no_data(&mut self.output.buffer),
        }
        Ok(())
    }

    pub(super) async fn execute(&mut self, name: &str, max_rows: i32) -> Flow<()> {
        let limit = u64::try_from(max_rows).ok().filter(|&limit| limit > 0);
        if self.session.transaction_status() == TransactionStatus::Idle {
            // With Sync behind it the statement is alone, and is a transaction of its own.
            let is_alone = self.interrupts.next_kind().await? == Some(b'S');
            self.session.set_company(!is_alone);
        }
        let portal = self.names.portal(name)?;
        let cancel = portal.cancel.clone();
        self.interrupts.process.begin(shown(&portal.prepared.text));
        let Some(watch) = self.watch_portal(name)? else {
            return self.execute_watched(name, limit, cancel, &Arc::default()).await;
        };
        let progress = Arc::clone(watch.progress());
        let done = self.execute_watched(name, limit, cancel, &progress).instrument(watch.span()).await;
        self.settle(name, watch, &done);
        done
    }

    /// The execution of a portal that begins or goes on. `None`: there is nothing to execute.
    fn watch_portal(&mut self, name: &str) -> Result<Option<Watch>> {
        let portal = self.names.portal(name)?;
        if let Some(mut watch) = portal.watch.take() {
            watch.resume();
            self.session.watch(watch.progress());
            return Ok(Some(watch));
        }
        if portal.prepared.plan.is_none() || !matches!(portal.state, State::Ready) {
            return Ok(None);
        }
        let prepared = Arc::clone(&portal.prepared);
        Ok(Some(self.watch_prepared(Arc::clone(&prepared.identity), prepared.take_planning())))
    }

    /// A portal with rows left to fetch is still being executed.
    fn settle(&mut self, name: &str, mut watch: Watch, done: &Flow<()>) {
        match self.names.portal(name) {
            Ok(portal) if done.is_ok() && matches!(portal.state, State::Open(_)) => {
                watch.rest();
                portal.watch = Some(watch);
            }
            _ => self.finish(watch, done.as_ref()),
        }
    }

    async fn execute_watched(
        &mut self,
        name: &str,
        limit: Option<u64>,
        cancel: CancellationToken,
        progress: &Arc<Progress>,
    ) -> Flow<()> {
        let limits = self.limits(cancel);
        let portal = self.names.portal(name)?;
        let work = turn(name, &mut self.session, &mut self.output, portal, limit, progress);
        let done = match self.interrupts.guard(&limits, work).await {
            Ok(None) => Ok(()),
            Ok(Some((plan, copy))) => self.copy_in(&limits, &plan, &copy).await.map(|count| {
                progress.add_rows(count);
                complete(&mut self.session, &mut self.output, &format!("COPY {count}"));
            }),
            Err(stop) => Err(stop),
        };
        if let Err(Stop::Error(_)) = &done
            && let Ok(portal) = self.names.portal(name)
        {
            // Its stream is dropped, and with it the work.
            portal.state = State::Finished;
        }
        done
    }

    pub(super) fn close(&mut self, target: Target, name: &str) {
        match target {
            Target::Statement => self.names.statements.remove(name),
            Target::Portal => {
                self.names.close_portal(name);
                self.session.close_cursor(name);
            }
        }
        reply::close_complete(&mut self.output.buffer);
    }

    pub(super) async fn sync(&mut self) -> Flow<()> {
        self.skips_to_sync = false;
        if self.session.transaction_status() != TransactionStatus::InTransaction {
            self.names.close_portals();
        }
        Ok(self.session.sync().await?)
    }
}

/// PostgreSQL's message names the parameter where its value has bytes left over.
fn in_parameter(error: Error, number: usize) -> Error {
    if error.kind() == ErrorKind::InvalidBinary && error.message() == LEFT_OVER {
        return Error::new(ErrorKind::InvalidBinary, format!("{LEFT_OVER} in bind parameter {number}"));
    }
    error
}

/// A COPY that asks for data, and its plan.
type AsksForData<P> = Option<(Arc<P>, CopyIn)>;

/// One Execute: runs a new portal, or goes on with an open one.
async fn turn<S: Session>(
    name: &str,
    session: &mut S,
    output: &mut Output,
    portal: &mut Portal<S::Prepared>,
    limit: Option<u64>,
    progress: &Arc<Progress>,
) -> Flow<AsksForData<S::Prepared>> {
    if let State::Ready = portal.state {
        portal.state = State::Finished;
        let copy = start(session, output, portal, progress).await?;
        if let State::Finished = portal.state {
            return Ok(copy);
        }
    }
    match &mut portal.state {
        State::Open(cursor) => match cursor.send(output, limit).await? {
            Sent::Suspended => reply::portal_suspended(&mut output.buffer),
            Sent::Exhausted(count) => {
                let verb = cursor.verb;
                portal.state = State::Exhausted(verb);
                complete(session, output, &tag(verb, count));
            }
        },
        State::Exhausted(verb) => complete(session, output, &tag(verb, 0)),
        State::Ready | State::Finished => {
            let message = format!("portal \"{name}\" cannot be run");
            return Err(Error::new(ErrorKind::PortalNotRunnable, message).into());
        }
    }
    Ok(None)
}

/// Executes the plan; with rows, the portal is then open.
async fn start<S: Session>(
    session: &mut S,
    output: &mut Output,
    portal: &mut Portal<S::Prepared>,
    progress: &Arc<Progress>,
) -> Flow<AsksForData<S::Prepared>> {
    let Some(plan) = &portal.prepared.plan else {
        reply::empty_query(&mut output.buffer);
        return Ok(None);
    };
    // It was planned when it was prepared, or will say so when it is planned again.
    progress.is_planned();
    let parameters = std::mem::take(&mut portal.parameters);
    match session.execute(plan, parameters, portal.cancel.clone()).await? {
        Outcome::Empty => reply::empty_query(&mut output.buffer),
        Outcome::Done(tag) => {
            progress.add_rows(rows_of(&tag));
            complete(session, output, &tag);
        }
        Outcome::CopyIn(copy) => return Ok(Some((Arc::clone(plan), copy))),
        Outcome::CopyOut { rows, columns, format } => {
            let columns = types::columns(&columns)?;
            let count = copy_out(output, rows, &columns, &format, &Shown::by(session)).await?;
            progress.add_rows(count);
            complete(session, output, &format!("COPY {count}"));
        }
        Outcome::Rows { verb, rows } => {
            // Without a RowDescription the client could not read a row.
            let columns = portal.prepared.columns.clone();
            let columns =
                columns.ok_or_else(|| Error::internal("a statement described without rows returned some"))?;
            let formats = Arc::clone(&portal.formats);
            let shown = Shown::by(session);
            let cursor = Cursor::new(verb, rows, columns, formats, shown, Arc::clone(progress));
            portal.state = State::Open(Box::new(cursor));
        }
    }
    Ok(None)
}

fn complete<S: Session>(session: &mut S, output: &mut Output, tag: &str) {
    for notice in session.take_notices() {
        reply::notice(&mut output.buffer, &notice);
    }
    reply::command_complete(&mut output.buffer, tag);
}
