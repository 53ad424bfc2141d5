//! A statement while it runs: what may interrupt it, and how its rows leave.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringArray};
use arrow::datatypes::{Field, Int64Type, Schema};
use datafusion::execution::SendableRecordBatchStream;
use futures::{StreamExt, poll};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::backend::{ObjectNames, Session};
use super::encode::Rows;
use super::input::Input;
use super::output::Output;
use super::stop::{Flow, Stop};
use super::style::TextStyle;
use super::types::{self, Column, Format};
use crate::observe::watch::Progress;
use crate::processes::Process;

/// Rows do not wait longer than this for company.
pub(super) const FLUSH_AFTER: Duration = Duration::from_millis(10);

/// How long an Execute waits for what comes behind it. Clients send Sync along with it.
const NEXT_MESSAGE: Duration = Duration::from_millis(50);

/// The limits of one message's work.
pub(super) struct Limits {
    pub(super) cancel: CancellationToken,
    pub(super) deadline: Option<Instant>,
    /// Set by the session while it commits.
    pub(super) committing: Arc<AtomicBool>,
}

/// The ears of a connection.
pub(super) struct Interrupts {
    pub(super) input: Input,
    pub(super) process: Process,
    /// Shut-down after its grace period, or `pg_terminate_backend`.
    pub(super) terminate: CancellationToken,
}

impl Interrupts {
    /// Writes what there is. No cancellation applies: the answer is complete. Shut-down and a vanished client do.
    pub(super) async fn flush(&mut self, output: &mut Output) -> Flow<()> {
        tokio::select! {
            biased;
            flushed = output.flush() => flushed,
            () = self.terminate.cancelled() => Err(Stop::terminated()),
            () = self.input.watch() => Err(Stop::Gone),
        }
    }

    /// The type of the message that comes next. `None`: none comes soon.
    pub(super) async fn next_kind(&mut self) -> Flow<Option<u8>> {
        tokio::select! {
            biased;
            () = self.terminate.cancelled() => Err(Stop::terminated()),
            kind = tokio::time::timeout(NEXT_MESSAGE, self.input.next_kind()) => kind.ok().transpose(),
        }
    }

    /// Drives `work` to its end, unless it is cancelled, takes too long, or nobody waits for it any more. A commit
    /// that has begun is waited for in any case.
    pub(super) async fn guard<T>(&mut self, limits: &Limits, work: impl Future<Output = Flow<T>>) -> Flow<T> {
        self.process.set_running(Some(limits.cancel.clone()));
        let mut work = pin!(work);
        let stop = tokio::select! {
            biased;
            () = limits.cancel.cancelled() => cancelled("user request"),
            () = self.terminate.cancelled() => Stop::terminated(),
            () = expiry(limits.deadline) => cancelled(BY_TIMEOUT),
            () = self.input.watch() => Stop::Gone,
            done = &mut work => {
                self.process.set_running(None);
                return done;
            }
        };
        if limits.committing.load(Ordering::SeqCst) {
            let done = work.await;
            self.process.set_running(None);
            return if matches!(stop, Stop::Error(_)) { done } else { Err(stop) };
        }
        self.process.set_running(None);
        limits.cancel.cancel();
        Err(stop)
    }
}

impl Interrupts {
    /// For work that reads what the client sends: the input, and what ends such work from outside.
    pub(super) fn lend_input(&mut self, limits: &Limits) -> (&mut Input, impl Future<Output = Stop> + use<>) {
        self.process.set_running(Some(limits.cancel.clone()));
        let (cancel, terminate, deadline) = (limits.cancel.clone(), self.terminate.clone(), limits.deadline);
        let stopped = async move {
            tokio::select! {
                biased;
                () = cancel.cancelled() => cancelled("user request"),
                () = terminate.cancelled() => Stop::terminated(),
                () = expiry(deadline) => cancelled(BY_TIMEOUT),
            }
        };
        (&mut self.input, stopped)
    }

    pub(super) fn take_back_input(&mut self, limits: &Limits, is_done: bool) {
        self.process.set_running(None);
        if !is_done {
            limits.cancel.cancel();
        }
    }
}

pub(super) async fn expiry(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// How the message of a statement ends that took too long.
pub(super) const BY_TIMEOUT: &str = "statement timeout";

fn cancelled(by: &str) -> Stop {
    Stop::Error(Error::new(ErrorKind::Cancelled, format!("canceling statement due to {by}")))
}

/// The tag of a finished answer. What explains or shows counts no rows.
pub(super) fn tag(verb: &str, count: u64) -> String {
    match verb {
        "EXPLAIN" | "SHOW" | "CALL" => verb.to_owned(),
        _ => format!("{verb} {count}"),
    }
}

/// The rows that a tag counts.
pub(super) fn rows_of(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// What the session says of how values are shown.
pub(super) struct Shown {
    style: TextStyle,
    names: Option<Arc<dyn ObjectNames>>,
}

impl Shown {
    pub(super) fn by(session: &impl Session) -> Self {
        Self { style: session.text_style(), names: session.object_names() }
    }

    /// The batch, ready to be sent. Numbers of objects that are sent as text become names.
    pub(super) fn rows(&self, batch: RecordBatch, columns: &[Column], formats: &[Format]) -> Result<Rows> {
        let mut arrays = batch.columns().to_vec();
        if let Some(names) = &self.names {
            for ((array, column), format) in arrays.iter_mut().zip(columns).zip(formats) {
                let object = column.pg.element().unwrap_or(column.pg);
                if object.names_an_object() && *format == Format::Text {
                    *array = named(array, object.oid, names.as_ref())?;
                }
            }
        }
        Rows::new(&arrays, batch.num_rows(), columns, formats, self.style)
    }
}

/// Names in the places of numbers, in lists too.
fn named(array: &ArrayRef, type_oid: u32, names: &dyn ObjectNames) -> Result<ArrayRef> {
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        let name = |number: Option<i64>| number.map(|number| names.name(type_oid, number));
        return Ok(Arc::new(numbers.iter().map(name).collect::<StringArray>()));
    }
    let Some(list) = array.as_list_opt::<i32>() else { return Ok(Arc::clone(array)) };
    let values = named(list.values(), type_oid, names)?;
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(item, list.offsets().clone(), values, list.nulls().cloned())?))
}

/// The rows of a result that has begun: the stream, the batch being sent and the place in it.
pub(super) struct Cursor {
    pub(super) verb: &'static str,
    stream: SendableRecordBatchStream,
    columns: Arc<[Column]>,
    formats: Arc<[Format]>,
    shown: Shown,
    current: Option<(Rows, usize)>,
    progress: Arc<Progress>,
}

/// How a turn of [`Cursor::send`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// As many rows as were allowed; there may be more.
    Suspended,
    /// The last rows.
    Exhausted(u64),
}

impl Cursor {
    pub(super) fn new(
        verb: &'static str,
        stream: SendableRecordBatchStream,
        columns: Arc<[Column]>,
        formats: Arc<[Format]>,
        shown: Shown,
        progress: Arc<Progress>,
    ) -> Self {
        Self { verb, stream, columns, formats, shown, current: None, progress }
    }

    /// Sends up to `limit` rows. Between two writes to the socket no more than about a flush's worth is encoded,
    /// and no batch is asked for before the last one is encoded.
    pub(super) async fn send(&mut self, output: &mut Output, limit: Option<u64>) -> Flow<Sent> {
        let mut sent = 0;
        let mut flushed_at = Instant::now();
        while limit.is_none_or(|limit| sent < limit) {
            let Some((rows, next)) = &mut self.current else {
                // A slow plan's rows leave as they come; a fast plan's leave together.
                if flushed_at.elapsed() > FLUSH_AFTER {
                    output.flush().await?;
                    flushed_at = Instant::now();
                }
                match self.next_batch(output).await? {
                    Some(rows) => self.current = Some((rows, 0)),
                    None => return Ok(Sent::Exhausted(sent)),
                }
                continue;
            };
            let left = limit.map_or(u64::MAX, |limit| limit - sent);
            let end = rows.count.min(next.saturating_add(usize::try_from(left).unwrap_or(usize::MAX)));
            let first = *next;
            while *next < end && !output.is_full() {
                rows.put(*next, &mut output.buffer)?;
                *next += 1;
            }
            let count = (*next - first) as u64;
            self.progress.send_rows(count);
            sent += count;
            if *next == rows.count {
                self.current = None;
            }
            if output.is_full() {
                output.flush().await?;
                flushed_at = Instant::now();
            }
            tokio::task::consume_budget().await;
        }
        Ok(Sent::Suspended)
    }

    async fn next_batch(&mut self, output: &mut Output) -> Flow<Option<Rows>> {
        let Some(batch) = next_batch(&mut self.stream, output).await? else { return Ok(None) };
        Ok(Some(self.shown.rows(batch, &self.columns, &self.formats)?))
    }
}

/// While the next batch is being computed, the client gets what there is.
pub(super) async fn next_batch(
    stream: &mut SendableRecordBatchStream,
    output: &mut Output,
) -> Flow<Option<RecordBatch>> {
    let mut next = stream.next();
    let batch = match poll!(&mut next) {
        std::task::Poll::Ready(batch) => batch,
        std::task::Poll::Pending => {
            output.flush().await?;
            next.await
        }
    };
    Ok(batch.transpose().map_err(Error::from)?)
}

/// The columns of a result: as the plan was described, or as the stream says where nothing was described.
pub(super) fn columns_of(described: Option<&Schema>, stream: &Schema) -> Flow<Arc<[Column]>> {
    Ok(types::columns(described.unwrap_or(stream))?.into())
}
