//! One logged-in connection: reads a message, has it handled, answers errors.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::backend::{Session, TransactionStatus};
use super::frontend::{Frame, Message};
use super::output::Output;
use super::portal::Names;
use super::reply::{self, Severity};
use super::slots::Slot;
use super::statement::{Interrupts, Limits, expiry};
use super::stop::{Flow, Stop};
use crate::observe::Observer;
use crate::processes::ProcessState;

/// How long a dying connection tries to deliver its last words.
const FAREWELL: Duration = Duration::from_secs(2);

/// A client that has been silent for so long will be silent longer: its connection is made small.
const REST_AFTER: Duration = Duration::from_millis(500);

pub(super) struct Connection<S: Session> {
    pub(super) session: S,
    pub(super) interrupts: Interrupts,
    pub(super) output: Output,
    pub(super) names: Names<S::Prepared>,
    /// Graceful shut-down: ends the connection when it next waits for a message.
    pub(super) shutdown: CancellationToken,
    pub(super) max_statement_bytes: usize,
    /// After an error in the extended protocol everything up to Sync is ignored.
    pub(super) skips_to_sync: bool,
    pub(super) observer: Arc<Observer>,
    /// Of the statement that runs or ran last; 0: there is none.
    pub(super) query_id: i64,
    /// Its place among those that may be connected.
    pub(super) _slot: Slot,
}

impl<S: Session> Connection<S> {
    pub(super) async fn run(mut self: Box<Self>) {
        let stop = match self.ready().await {
            Ok(()) => self.handle_messages().await,
            Err(stop) => stop,
        };
        if let Stop::Fatal(error) = &stop {
            self.log_serious(error);
        }
        Box::pin(farewell(self.output, stop)).await;
    }

    async fn handle_messages(&mut self) -> Stop {
        loop {
            let handled = match self.next_frame().await {
                Ok(frame) => self.handle(frame).await,
                Err(stop) => Err(stop),
            };
            if let Err(stop) = handled {
                return stop;
            }
        }
    }

    async fn next_frame(&mut self) -> Flow<Frame> {
        let now = Instant::now();
        let deadline = self.session.idle_timeout().and_then(|limit| now.checked_add(limit));
        let mut is_resting = false;
        loop {
            tokio::select! {
                biased;
                () = self.interrupts.terminate.cancelled() => return Err(Stop::terminated()),
                () = self.shutdown.cancelled() => return Err(Stop::terminated()),
                frame = self.interrupts.input.frame() => return frame,
                () = expiry(deadline) => return Err(idle_too_long(self.session.transaction_status())),
                () = sleep_until(now + REST_AFTER), if !is_resting => {
                    is_resting = true;
                    self.rest();
                }
            }
        }
    }

    fn rest(&mut self) {
        self.interrupts.input.rest();
        self.output.rest();
        self.session.rest();
    }

    /// An error that the connection survives is answered here.
    async fn handle(&mut self, frame: Frame) -> Flow<()> {
        if !frame.is_known() {
            return Err(Stop::fatal_protocol(format!("invalid frontend message type {}", frame.kind)));
        }
        let (kind, is_extended) = (frame.kind, frame.is_extended());
        if self.skips_to_sync && !matches!(kind, b'S' | b'X') {
            return Ok(());
        }
        // Boxed: a connection that waits for a message does not hold the room that a statement takes.
        match Box::pin(self.dispatch(frame)).await {
            Ok(()) => (),
            Err(Stop::Error(error)) => {
                self.fail(&error, is_extended);
                if is_extended {
                    // A client that asks with Flush sends no Sync before it knows of the error.
                    self.interrupts.flush(&mut self.output).await?;
                }
                if kind == b'Q' {
                    // The implicit transaction ends; the statement's error is the one to report.
                    let _ = self.session.sync().await;
                }
            }
            Err(stop) => return Err(stop),
        }
        if matches!(kind, b'Q' | b'S' | b'F') {
            return self.ready().await;
        }
        if self.output.is_full() {
            self.interrupts.flush(&mut self.output).await?;
        }
        Ok(())
    }

    async fn dispatch(&mut self, frame: Frame) -> Flow<()> {
        match frame.decode()? {
            Message::Query(sql) => self.query(&sql).await,
            Message::Parse(parse) => self.parse(parse).await,
            Message::Bind(bind) => self.bind(bind),
            Message::Describe(target, name) => self.describe(target, &name),
            Message::Execute { portal, max_rows } => self.execute(&portal, max_rows).await,
            Message::Close(target, name) => {
                self.close(target, &name);
                Ok(())
            }
            Message::Flush => self.interrupts.flush(&mut self.output).await,
            Message::Sync => self.sync().await,
            Message::Terminate => Err(Stop::Gone),
            Message::StrayCopy => Ok(()),
            Message::FunctionCall => {
                Err(Error::not_supported("fastpath function calls are not supported").into())
            }
        }
    }

    pub(super) fn check_length(&self, sql: &str) -> Result<()> {
        let limit = self.max_statement_bytes;
        if sql.len() <= limit {
            return Ok(());
        }
        let message = format!("statement of {} bytes exceeds the limit of {limit} bytes", sql.len());
        Err(Error::new(ErrorKind::LimitExceeded, message).with_hint(
            "Send values as parameters, rows in several statements, or raise max_statement in the configuration.",
        ))
    }

    fn fail(&mut self, error: &Error, is_extended: bool) {
        self.log_serious(error);
        tracing::debug!(query_id = self.query_id, sqlstate = error.sqlstate(), %error, "error answered");
        self.session.statement_failed();
        self.put_notices();
        reply::error(&mut self.output.buffer, Severity::Error, error);
        self.skips_to_sync = is_extended;
    }

    /// Ends the answer to a query string or a Sync.
    async fn ready(&mut self) -> Flow<()> {
        self.put_notices();
        for (name, value) in self.session.take_parameter_changes() {
            if name == "application_name" {
                self.interrupts.process.set_application_name(&value);
            }
            reply::parameter_status(&mut self.output.buffer, &name, &value);
        }
        let status = self.session.transaction_status();
        if status != TransactionStatus::InTransaction {
            self.names.close_portals();
        }
        reply::ready_for_query(&mut self.output.buffer, status);
        self.interrupts.process.rest(match status {
            TransactionStatus::Idle => ProcessState::Idle,
            TransactionStatus::InTransaction => ProcessState::IdleInTransaction,
            TransactionStatus::Failed => ProcessState::IdleInFailedTransaction,
        });
        self.interrupts.flush(&mut self.output).await
    }

    pub(super) fn put_notices(&mut self) {
        for notice in self.session.take_notices() {
            reply::notice(&mut self.output.buffer, &notice);
        }
    }

    /// Limits that begin now, under a token of their own or a portal's.
    pub(super) fn limits(&self, cancel: CancellationToken) -> Limits {
        let deadline = self.session.statement_timeout().and_then(|limit| Instant::now().checked_add(limit));
        Limits { cancel, deadline, committing: self.session.commit_flag() }
    }
}

fn idle_too_long(status: TransactionStatus) -> Stop {
    Stop::Fatal(match status {
        TransactionStatus::Idle => {
            Error::new(ErrorKind::IdleSessionTimeout, "terminating connection due to idle-session timeout")
        }
        TransactionStatus::InTransaction | TransactionStatus::Failed => Error::new(
            ErrorKind::IdleTransactionTimeout,
            "terminating connection due to idle-in-transaction timeout",
        ),
    })
}

/// Says why, if there is somebody to say it to, and closes.
pub(super) async fn farewell(mut output: Output, stop: Stop) {
    if let Stop::Fatal(error) | Stop::Error(error) = &stop {
        reply::error(&mut output.buffer, Severity::Fatal, error);
        // A client that does not read is not waited for.
        let _ = timeout(FAREWELL, output.flush()).await;
    }
    let _ = timeout(FAREWELL, output.close()).await;
}
