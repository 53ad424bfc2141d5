//! The messages of an Arrow stream as bytes, with their word about sizes checked.

use std::io::{BufRead, Read};

use arrow::buffer::Buffer;
use arrow::ipc::{MessageHeader, RecordBatch, root_as_message};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::invalid;
use crate::files::compression::Compression;
use crate::files::object::ObjectReader;

const CONTINUATION: [u8; 4] = [0xFF; 4];

const MAX_METADATA_BYTES: u64 = 64 << 20;

/// A message is held in memory as a whole, and once more when its buffers are decompressed.
const MAX_BODY_BYTES: u64 = 512 << 20;

const MAX_BATCH_ROWS: i64 = 1 << 26;

pub(super) struct Frames {
    reader: ObjectReader,
    left: u64,
    /// A file has an end mark before its index; a stream may just end.
    needs_end: bool,
    ended: bool,
}

impl Frames {
    pub(super) fn new(reader: ObjectReader, bytes: u64, needs_end: bool) -> Self {
        Self { reader, left: bytes, needs_end, ended: false }
    }

    /// The next message with its length in front, or none behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Buffer>> {
        if self.ended {
            return Ok(None);
        }
        if !self.needs_end && self.reader.fill_buf().map_err(io_error)?.is_empty() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.read(&mut bytes, 4)?;
        if bytes == CONTINUATION {
            bytes.clear();
            self.read(&mut bytes, 4)?;
        }
        let length: [u8; 4] = bytes.as_slice().try_into().map_err(|_| invalid("it is truncated"))?;
        let length = u64::from(u32::from_le_bytes(length));
        if length == 0 {
            self.ended = true;
            return Ok(None);
        }
        if length > MAX_METADATA_BYTES {
            return Err(invalid("a message says it is longer than the file"));
        }
        self.read(&mut bytes, length)?;
        let body_bytes = self.check_metadata(bytes.get(4..).unwrap_or_default())?;
        let body_at = bytes.len();
        self.read(&mut bytes, body_bytes)?;
        let (head, body) = bytes.split_at(body_at);
        check_buffers(head.get(4..).unwrap_or_default(), body)?;
        Ok(Some(Buffer::from_vec(bytes)))
    }

    /// The length of the body that follows.
    fn check_metadata(&self, metadata: &[u8]) -> Result<u64> {
        let message = root_as_message(metadata).map_err(|_| invalid("a message contradicts itself"))?;
        let bytes = u64::try_from(message.bodyLength()).ok().filter(|bytes| *bytes <= self.left);
        let bytes = bytes.ok_or_else(|| invalid("a message says it is longer than the file"))?;
        if bytes > MAX_BODY_BYTES {
            return Err(too_large());
        }
        Ok(bytes)
    }

    /// Memory grows with what is there, not with what is said to be there.
    fn read(&mut self, bytes: &mut Vec<u8>, count: u64) -> Result<()> {
        if count > self.left {
            return Err(invalid("it is truncated"));
        }
        let found = self.reader.by_ref().take(count).read_to_end(bytes).map_err(io_error)?;
        self.left -= found as u64;
        if found as u64 == count { Ok(()) } else { Err(invalid("it is truncated")) }
    }
}

/// Checks where a batch says its buffers are, and what they become.
fn check_buffers(metadata: &[u8], body: &[u8]) -> Result<()> {
    let message = root_as_message(metadata).map_err(|_| invalid("a message contradicts itself"))?;
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|one| one.data()),
        _ => None,
    };
    match batch {
        Some(batch) => check_batch(&batch, body),
        None => Ok(()),
    }
}

fn check_batch(batch: &RecordBatch<'_>, body: &[u8]) -> Result<()> {
    if !(0..=MAX_BATCH_ROWS).contains(&batch.length()) {
        return Err(invalid("a batch has an impossible number of rows"));
    }
    let mut unpacked: u64 = 0;
    for buffer in batch.buffers().into_iter().flatten() {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let bytes = range.and_then(|(start, length)| body.get(start..start.checked_add(length)?));
        let bytes = bytes.ok_or_else(|| invalid("a buffer lies outside of its message"))?;
        if batch.compression().is_some() && !bytes.is_empty() {
            let length = bytes.first_chunk().copied().map(i64::from_le_bytes);
            let length = length.ok_or_else(|| invalid("a compressed buffer is truncated"))?;
            // Minus one says that the bytes are as they are.
            unpacked = unpacked.saturating_add(u64::try_from(length.max(0)).unwrap_or(0));
        }
    }
    if unpacked > MAX_BODY_BYTES { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Error {
    let message = format!("a record batch of the file is larger than {} MiB", MAX_BODY_BYTES >> 20);
    Error::new(ErrorKind::LimitExceeded, message).with_hint("Write the file in smaller record batches.")
}

fn io_error(error: std::io::Error) -> Error {
    Compression::None.error(error)
}
