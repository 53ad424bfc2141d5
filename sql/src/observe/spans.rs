//! Spans: every line of the log that is written on behalf of a session or a statement tells which.

use std::any::Any;

use datafusion::common::runtime::{JoinSetTracer, set_join_set_tracer};
use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::{Instrument, Span};

/// A session. The level of spans is that of errors, so that whoever logs nothing else still sees whose they are.
pub fn session(process_id: i32, role: &str, database: &str) -> Span {
    tracing::error_span!("session", pid = process_id, role, database)
}

/// A statement inside its session.
pub fn statement(query_id: i64) -> Span {
    tracing::error_span!("statement", query_id)
}

/// What DataFusion spawns belongs to the statement that it is spawned for.
struct InSpan;

type Output = Box<dyn Any + Send>;

impl JoinSetTracer for InSpan {
    fn trace_future(&self, future: BoxFuture<'static, Output>) -> BoxFuture<'static, Output> {
        future.in_current_span().boxed()
    }

    fn trace_block(&self, block: Box<dyn FnOnce() -> Output + Send>) -> Box<dyn FnOnce() -> Output + Send> {
        let span = Span::current();
        Box::new(move || span.in_scope(block))
    }
}

/// For the whole process; a second call changes nothing.
pub fn follow_tasks() {
    let _ = set_join_set_tracer(&InSpan);
}
