//! COPY FROM STDIN: CopyData messages into record batches, and those to the session, while more are coming.

use std::pin::pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;
use tokio::sync::mpsc;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::CopyIn;
use super::reader::Reader;
use crate::wire::backend::Session;
use crate::wire::connection::Connection;
use crate::wire::frontend::{CopyMessage, Frame};
use crate::wire::input::Input;
use crate::wire::reply;
use crate::wire::statement::Limits;
use crate::wire::stop::{Flow, Stop};

/// How many batches wait for the session. With one being gathered and one being written, this is what a COPY
/// holds in memory, whatever its length.
const BATCHES_AHEAD: usize = 2;

/// How much of a large message is read before its rows are passed on.
const STEP_BYTES: usize = 256 << 10;

/// What travels to the session.
enum Item {
    Rows(RecordBatch),
    /// The client has said that this is all. A channel that closes without it has been given up.
    End,
}

impl<S: Session> Connection<S> {
    /// Asks for the data, takes it, and has the session write it. Nothing is written unless the client finishes.
    pub(in crate::wire) async fn copy_in(
        &mut self,
        limits: &Limits,
        prepared: &Arc<S::Prepared>,
        copy: &CopyIn,
    ) -> Flow<u64> {
        let max_row_bytes = self.interrupts.input.max_frame_bytes();
        let mut reader = Reader::new(copy, self.session.text_style(), max_row_bytes)?;
        reply::copy_in_response(&mut self.output.buffer, copy.format.cells(), copy.columns.fields().len());
        self.interrupts.flush(&mut self.output).await?;
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let rows = stream_of(Arc::clone(reader.schema()), receiver);
        let (input, stopped) = self.interrupts.lend_input(limits);
        let work = transfer(&mut self.session, prepared, &mut reader, input, sender, rows);
        let done = tokio::select! {
            biased;
            stop = stopped => Err(stop),
            done = work => done,
        };
        self.interrupts.take_back_input(limits, done.is_ok());
        done
    }
}

/// Feeds the session until the client has sent everything, and waits for it to be written.
async fn transfer<S: Session>(
    session: &mut S,
    prepared: &Arc<S::Prepared>,
    reader: &mut Reader,
    input: &mut Input,
    sender: mpsc::Sender<Item>,
    rows: SendableRecordBatchStream,
) -> Flow<u64> {
    let mut writing = session.copy_in(prepared, rows);
    let early: Option<Result<u64>> = {
        let mut feeding = pin!(feed(reader, input, sender));
        tokio::select! {
            biased;
            fed = &mut feeding => {
                fed?;
                None
            }
            // The session needs no row to know the answer, or knows that one of them is bad. In the first case
            // a line that cannot be read still is an error.
            early = &mut writing => {
                if early.is_ok() {
                    feeding.await?;
                }
                Some(early)
            }
        }
    };
    let written = match early {
        Some(written) => written,
        None => tokio::select! {
            biased;
            written = writing => written,
            () = input.watch() => return Err(Stop::Gone),
        },
    };
    Ok(written.map_err(|error| reader.blame(error))?)
}

/// An error of the sender's side never reaches the session: what it does is dropped first.
fn stream_of(schema: SchemaRef, receiver: mpsc::Receiver<Item>) -> SendableRecordBatchStream {
    let batches = stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Item::Rows(batch)) => Some((Ok(batch), Some(receiver))),
            Some(Item::End) => None,
            None => {
                let error = Error::new(ErrorKind::Cancelled, "COPY from stdin was given up");
                Some((Err(DataFusionError::from(error)), None))
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

/// Reads to the end of the data.
async fn feed(reader: &mut Reader, input: &mut Input, sender: mpsc::Sender<Item>) -> Flow<()> {
    while let Some(data) = next_data(reader, input).await? {
        for part in data.chunks(STEP_BYTES) {
            reader.push(part);
            while let Some(batch) = reader.full_batch()? {
                send(&sender, Item::Rows(batch)).await;
            }
        }
        tokio::task::consume_budget().await;
    }
    reader.complete();
    while let Some(batch) = reader.full_batch()? {
        send(&sender, Item::Rows(batch)).await;
    }
    let rest = reader.take_batch()?;
    if rest.num_rows() > 0 {
        send(&sender, Item::Rows(rest)).await;
    }
    send(&sender, Item::End).await;
    Ok(())
}

/// A session that has its answer already does not listen any more.
async fn send(sender: &mpsc::Sender<Item>, item: Item) {
    let _ = sender.send(item).await;
}

/// The content of the next CopyData. `None`: CopyDone.
async fn next_data(reader: &Reader, input: &mut Input) -> Flow<Option<bytes::Bytes>> {
    loop {
        let frame: Frame = input.frame().await?;
        return match frame.copy_message()? {
            CopyMessage::Data(data) => Ok(Some(data)),
            CopyMessage::Done => Ok(None),
            CopyMessage::Fail(reason) => {
                let error = Error::new(ErrorKind::Cancelled, format!("COPY from stdin failed: {reason}"));
                Err(reader.interrupted(error).into())
            }
            // A client that sends Sync with Execute does not know yet that it is to send data.
            CopyMessage::Skip => continue,
            CopyMessage::Terminate => Err(Stop::Gone),
        };
    }
}

/// The whole of a COPY without a connection, for tests.
#[cfg(test)]
pub(super) fn read_all(copy: &CopyIn, parts: &[&[u8]]) -> Result<Vec<RecordBatch>> {
    let mut reader = Reader::new(copy, chrono_tz::Tz::UTC.into(), 1 << 20)?;
    let mut batches = Vec::new();
    for part in parts {
        reader.push(part);
        while let Some(batch) = reader.full_batch()? {
            batches.push(batch);
        }
    }
    reader.complete();
    while let Some(batch) = reader.full_batch()? {
        batches.push(batch);
    }
    batches.push(reader.take_batch()?);
    Ok(batches)
}
