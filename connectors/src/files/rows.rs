//! Rows of a text file on their way to a stream: columns of text that fill up to a record batch, and the
//! thread that fills them.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use voxhouse_engine::source::{BadRow, SourceBatch};
use voxhouse_engine::{Error, Result};

use super::text::Text;
use super::texts::{TextFile, Texts};

pub(super) const BATCH_ROWS: usize = 8192;

/// A batch of long rows is closed early, which keeps memory flat.
pub(super) const BATCH_BYTES: usize = 16 << 20;

/// Batches that wait for their reader.
const BATCHES_AHEAD: usize = 2;

/// The longest value a bad row shows of itself.
const MAX_SHOWN_BYTES: usize = 4096;

/// Nullable text columns of these names.
pub(super) fn text_schema(names: impl IntoIterator<Item = String>) -> SchemaRef {
    Arc::new(Schema::new(
        names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect::<Vec<_>>(),
    ))
}

impl TextFile {
    /// Runs `work` over the texts of the file on a thread that may block.
    pub(super) async fn with_texts<T: Send + 'static>(
        &self,
        work: impl FnOnce(Texts) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let texts = self.texts().await?;
        let done = tokio::task::spawn_blocking(move || work(texts)).await;
        done.unwrap_or_else(|_| Err(stopped()))
    }

    /// Streams the batches of the rows that `parser` finds in each text.
    pub(super) fn stream<P: RowParser>(
        &self,
        parser: impl Fn(Text) -> Result<P> + Send + 'static,
    ) -> BoxStream<'static, Result<SourceBatch>> {
        let file = self.clone();
        stream_from_thread(async move {
            let mut texts = file.texts().await?;
            Ok(move |batches: &Batches| {
                let mut rows_before = 0;
                while let Some((member, text)) = texts.next()? {
                    let mut rows = 0;
                    let called = |error: Error| in_member(error, member.as_deref());
                    let mut parser = parser(text).map_err(called)?;
                    while let Some(mut batch) = parser.next_batch().map_err(called)? {
                        let count = batch.row_numbers.len() + batch.bad_rows.len();
                        place(&mut batch, rows_before, member.as_deref());
                        rows += count as u64;
                        if !batches.send(batch) {
                            return Ok(());
                        }
                    }
                    rows_before += rows;
                }
                Ok(())
            })
        })
    }
}

/// Says which member of an archive an error is about.
pub(super) fn in_member(error: Error, member: Option<&str>) -> Error {
    match member {
        Some(member) => error.in_context(format_args!("member \"{member}\"")),
        None => error,
    }
}

/// Counts the rows of a member behind those of the members before it.
fn place(batch: &mut SourceBatch, rows_before: u64, member: Option<&str>) {
    for number in &mut batch.row_numbers {
        *number += rows_before;
    }
    for bad_row in &mut batch.bad_rows {
        bad_row.row_number += rows_before;
        if let Some(member) = member {
            bad_row.reason = format!("member \"{member}\": {}", bad_row.reason);
        }
    }
}

/// Where the thread of a reader puts its batches.
pub(super) struct Batches(mpsc::Sender<SourceBatch>);

impl Batches {
    /// Waits for room; false if nobody reads any more.
    pub(super) fn send(&self, batch: SourceBatch) -> bool {
        self.0.blocking_send(batch).is_ok()
    }
}

/// Streams what `start`'s work sends from a thread that may block. Dropping the stream stops the work at its
/// next batch.
pub(super) fn stream_from_thread<W>(
    start: impl Future<Output = Result<W>> + Send + 'static,
) -> BoxStream<'static, Result<SourceBatch>>
where
    W: FnOnce(&Batches) -> Result<()> + Send + 'static,
{
    let started = async move {
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let thread = tokio::spawn(async move {
            let work = start.await?;
            let done = tokio::task::spawn_blocking(move || work(&Batches(sender))).await;
            done.unwrap_or_else(|_| Err(stopped()))
        });
        stream::unfold(Some((receiver, thread)), receive)
    };
    stream::once(started).flatten().boxed()
}

/// Finds rows in text.
pub(super) trait RowParser {
    /// The next batch, or none at the end of the file.
    fn next_batch(&mut self) -> Result<Option<SourceBatch>>;
}

type Running = (mpsc::Receiver<SourceBatch>, JoinHandle<Result<()>>);

/// The next batch; after the last one, how the thread ended, so that its failure never looks like the end.
async fn receive(running: Option<Running>) -> Option<(Result<SourceBatch>, Option<Running>)> {
    let (mut receiver, thread) = running?;
    if let Some(batch) = receiver.recv().await {
        return Some((Ok(batch), Some((receiver, thread))));
    }
    let failure = thread.await.unwrap_or_else(|_| Err(stopped())).err()?;
    Some((Err(failure), None))
}

pub(super) fn stopped() -> Error {
    Error::internal("the reader of the file stopped unexpectedly")
}

/// Columns of text under construction.
pub(super) struct RowBuffer {
    schema: SchemaRef,
    columns: Vec<StringBuilder>,
    row_numbers: Vec<u64>,
    bad_rows: Vec<BadRow>,
    bytes: usize,
    rows_seen: u64,
}

impl RowBuffer {
    pub(super) fn new(schema: SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|_| StringBuilder::with_capacity(BATCH_ROWS, 0)).collect();
        Self { schema, columns, row_numbers: Vec::new(), bad_rows: Vec::new(), bytes: 0, rows_seen: 0 }
    }

    /// The number of the row that comes next.
    pub(super) fn next_row(&self) -> u64 {
        self.rows_seen + 1
    }

    /// Puts a value at the end of a column; each column gets one before [`Self::end_row`].
    #[inline]
    pub(super) fn append(&mut self, column: usize, value: Option<&str>) {
        match value {
            Some(value) => {
                self.bytes += value.len();
                self.columns[column].append_value(value);
            }
            None => self.columns[column].append_null(),
        }
    }

    pub(super) fn end_row(&mut self) {
        self.rows_seen += 1;
        self.row_numbers.push(self.rows_seen);
    }

    /// Counts a row that could not be read.
    pub(super) fn bad_row(&mut self, reason: String, raw: Value) {
        self.rows_seen += 1;
        self.bytes += MAX_SHOWN_BYTES;
        self.bad_rows.push(BadRow { row_number: self.rows_seen, reason, raw });
    }

    pub(super) fn is_full(&self) -> bool {
        self.row_numbers.len() + self.bad_rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// The rows so far, or none if there are none.
    pub(super) fn take(&mut self) -> Result<Option<SourceBatch>> {
        if self.row_numbers.is_empty() && self.bad_rows.is_empty() {
            return Ok(None);
        }
        let row_numbers = std::mem::take(&mut self.row_numbers);
        let columns = self.columns.iter_mut().map(finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(row_numbers.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        self.bytes = 0;
        Ok(Some(SourceBatch { batch, row_numbers, bad_rows: std::mem::take(&mut self.bad_rows) }))
    }
}

/// Takes the array and makes room for as much again: neighbouring batches are alike.
fn finish(column: &mut StringBuilder) -> ArrayRef {
    let bytes = column.values_slice().len();
    let array = column.finish();
    *column = StringBuilder::with_capacity(BATCH_ROWS, bytes + bytes / 8);
    Arc::new(array)
}

/// A value of a bad row, for a person to see: never more than a few kilobytes of it.
pub(super) fn shown(value: &[u8]) -> Value {
    if value.len() <= MAX_SHOWN_BYTES {
        return Value::String(String::from_utf8_lossy(value).into_owned());
    }
    let head = String::from_utf8_lossy(&value[..MAX_SHOWN_BYTES]);
    Value::String(format!("{head}… ({} bytes)", value.len()))
}
