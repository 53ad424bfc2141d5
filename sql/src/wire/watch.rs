//! Statements of a connection as others see them: in `pg_stat_activity`, in `system.queries`, in the log.

use std::sync::Arc;
use std::time::Duration;

use voxhouse_engine::{Error, ErrorKind};

use super::backend::Session;
use super::connection::Connection;
use super::portal::Prepared;
use super::statement::BY_TIMEOUT;
use super::stop::Stop;
use crate::dialect::Identity;
use crate::observe::Observer;
use crate::observe::counters::Cancellation;
use crate::observe::watch::{CONNECTION_LOST, Watch};

impl<S: Session> Connection<S> {
    /// A statement begins.
    pub(super) fn watch(&mut self, identity: Arc<Identity>) -> Watch {
        self.watch_prepared(identity, Duration::ZERO)
    }

    /// A statement begins on which time was spent before.
    pub(super) fn watch_prepared(&mut self, identity: Arc<Identity>, earlier: Duration) -> Watch {
        self.query_id = identity.query_id;
        self.interrupts.process.set_query_id(identity.query_id);
        let (role, log) = (self.session.acting_role(), self.session.log_as());
        let watch = Watch::begin(&self.observer, identity, role, earlier, log);
        self.session.watch(watch.progress());
        watch
    }

    /// Counts a failure of a prepared statement before it ran.
    pub(super) fn note_failure(&mut self, prepared: &Prepared<S::Prepared>, stop: &Stop) {
        if prepared.plan().is_some() {
            let earlier = prepared.take_planning();
            let watch = self.watch_prepared(Arc::clone(&prepared.identity), earlier);
            self.finish::<()>(watch, Err(stop));
        }
    }

    /// A statement has ended.
    pub(super) fn finish<T>(&self, watch: Watch, ended: Result<T, &Stop>) {
        match ended {
            Ok(_) => watch.finish(None),
            Err(stop) => {
                note_cancellation(&self.observer, stop);
                watch.finish(Some(sqlstate(stop)));
            }
        }
    }

    /// The query string that begins now has no statement yet.
    pub(super) fn forget_query_id(&mut self) {
        self.query_id = 0;
    }

    /// What is a bug of ours, or of the machine below us, is always in the log.
    pub(super) fn log_serious(&self, error: &Error) {
        let sqlstate = error.sqlstate();
        if !sqlstate.starts_with("XX") && !sqlstate.starts_with("58") {
            return;
        }
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(
            query_id = self.query_id,
            sqlstate,
            detail = error.detail(),
            source,
            "statement failed: {error}"
        );
    }
}

fn sqlstate(stop: &Stop) -> &'static str {
    match stop {
        Stop::Error(error) | Stop::Fatal(error) => error.sqlstate(),
        Stop::Gone => CONNECTION_LOST,
    }
}

fn note_cancellation(observer: &Observer, stop: &Stop) {
    let by = match stop {
        Stop::Gone => Cancellation::Connection,
        Stop::Fatal(error) if error.kind() == ErrorKind::ShuttingDown => Cancellation::Connection,
        Stop::Error(error) | Stop::Fatal(error) if error.kind() == ErrorKind::Cancelled => {
            match error.message().ends_with(BY_TIMEOUT) {
                true => Cancellation::Timeout,
                false => Cancellation::Request,
            }
        }
        Stop::Error(_) | Stop::Fatal(_) => return,
    };
    observer.counters.cancelled(by);
}
