//! Arrow IPC, `.arrow`, `.feather` and `.arrows`: the file form and the stream form, told by the first bytes.
//! Types pass through as the file has them.
//!
//! A file is a stream between two marks with an index behind it, and is read as the stream: message by
//! message, each checked against the bytes there are before anything is decoded.

mod frames;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};
use voxhouse_engine::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};
use voxhouse_engine::{Error, ErrorKind, Result};

use self::frames::Frames;
use super::object::Object;
use super::options;
use super::rows::{BATCH_ROWS, Batches, stopped, stream_from_thread};

const FILE_MARK: &[u8; 6] = b"ARROW1";

/// The mark with its padding.
const FILE_MARK_BYTES: u64 = 8;

/// Beyond it no writer aligns.
const MAX_ALIGNMENT: u64 = 128;

const END_MARK: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

/// The first version of Feather, which is no Arrow.
const OLD_FEATHER: &[u8; 4] = b"FEA1";

/// The format `arrow`.
#[derive(Debug, Clone, Copy)]
pub struct ArrowIpc;

#[async_trait]
impl FileFormat for ArrowIpc {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn claims(&self, file_name: &str) -> bool {
        let name = file_name.to_ascii_lowercase();
        [".arrow", ".arrows", ".feather", ".ipc"].iter().any(|ending| name.ends_with(ending))
    }

    fn check_options(&self, options: &FormatOptions) -> Result<()> {
        options::check_names("arrow", options, &[])
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile> {
        self.check_options(options)?;
        let object = Object::new(store, file);
        let frames = frames(&object).await?;
        let read = tokio::task::spawn_blocking(move || Decoding::new(frames).schema()).await;
        let schema = read.unwrap_or_else(|_| Err(stopped()))?;
        let split = IpcSplit { object, schema: Arc::clone(&schema) };
        Ok(OpenFile { schema, splits: vec![Arc::new(split)], row_count: None })
    }
}

/// The messages of an object, whichever form it has.
async fn frames(object: &Object) -> Result<Frames> {
    if object.size() == 0 {
        return Err(invalid("it is empty"));
    }
    let head = object.bytes(0..object.size().min(FILE_MARK_BYTES)).await?;
    if head.starts_with(OLD_FEATHER) {
        return Err(Error::not_supported("the first version of Feather is not supported")
            .with_hint("Write the file again with version 2."));
    }
    if !head.starts_with(FILE_MARK) {
        return Ok(Frames::new(object.reader().await?, object.size(), false));
    }
    let (_, tail) = object.tail(FILE_MARK.len() as u64).await?;
    if tail.as_ref() != FILE_MARK || object.size() < 2 * FILE_MARK_BYTES {
        return Err(invalid("it is truncated"));
    }
    let (size, start) = (object.size(), first_message(object).await?);
    Ok(Frames::new(object.reader_of(start..size).await?, size - start, true))
}

/// Where the first message begins: writers fill up the mark with zeros to an alignment of their own.
async fn first_message(object: &Object) -> Result<u64> {
    let head = object.bytes(0..object.size().min(MAX_ALIGNMENT)).await?;
    let words = head.chunks(FILE_MARK_BYTES as usize).skip(1);
    let zeros = words.take_while(|word| word.iter().all(|byte| *byte == 0)).count() as u64;
    Ok((FILE_MARK_BYTES * (1 + zeros)).min(object.size()))
}

/// The whole file.
#[derive(Debug)]
struct IpcSplit {
    object: Object,
    schema: SchemaRef,
}

impl Split for IpcSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let (object, schema) = (self.object.clone(), Arc::clone(&self.schema));
        stream_from_thread(async move {
            let frames = frames(&object).await?;
            Ok(move |batches: &_| read_batches(Decoding::new(frames), &schema, batches))
        })
    }
}

fn read_batches(mut decoding: Decoding, schema: &SchemaRef, batches: &Batches) -> Result<()> {
    let mut rows: u64 = 0;
    while let Some(batch) = decoding.next()? {
        let batch = RecordBatch::try_new_with_options(
            Arc::clone(schema),
            batch.columns().to_vec(),
            &arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
        )
        .map_err(refused)?;
        for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            let part = batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start));
            let count = part.num_rows() as u64;
            let row_numbers = (rows + 1..=rows + count).collect();
            rows += count;
            if !batches.send(SourceBatch { batch: part, row_numbers, bad_rows: Vec::new() }) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The record batches of the messages.
struct Decoding {
    frames: Frames,
    decoder: StreamDecoder,
    decoded: VecDeque<RecordBatch>,
    ended: bool,
}

impl Decoding {
    fn new(frames: Frames) -> Self {
        Self { frames, decoder: StreamDecoder::new(), decoded: VecDeque::new(), ended: false }
    }

    /// Without what the file says about itself as a whole.
    fn schema(mut self) -> Result<SchemaRef> {
        while self.decoder.schema().is_none() && !self.ended {
            self.feed()?;
        }
        let schema = self.decoder.schema().ok_or_else(|| invalid("it has no schema"))?;
        Ok(Arc::new(Schema::new(schema.fields().clone())))
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.decoded.is_empty() && !self.ended {
            self.feed()?;
        }
        Ok(self.decoded.pop_front())
    }

    /// Decodes the next message. A message without a body is decoded when the next one comes, so an end mark
    /// follows the last. A panic of the decoder counts as damage.
    fn feed(&mut self) -> Result<()> {
        let next = self.frames.next()?;
        self.ended = next.is_none();
        let mut message = next.unwrap_or_else(|| Buffer::from(&END_MARK));
        let (decoder, decoded) = (&mut self.decoder, &mut self.decoded);
        let fed = catch_unwind(AssertUnwindSafe(|| {
            while !message.is_empty() {
                decoded.extend(decoder.decode(&mut message)?);
            }
            Ok(())
        }));
        match fed {
            Ok(result) => result.map_err(refused),
            Err(_) => Err(invalid("its structure contradicts itself")),
        }
    }
}

fn refused(error: ArrowError) -> Error {
    match error {
        ArrowError::NotYetImplemented(_) => {
            Error::not_supported("arrow file has a type or a compression that is not supported")
                .with_source(error)
        }
        _ => invalid("its structure contradicts itself").with_source(error),
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("invalid arrow file: {what}"))
}
