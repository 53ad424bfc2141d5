//! The container of an Avro file: its header, then blocks of rows, each checked before a row of it is read.

use std::io::{BufRead, Read};

use flate2::Crc;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::invalid;
use super::values::{Cursor, Problem};
use crate::files::compression::Compression;
use crate::files::object::ObjectReader;

const MAGIC: &[u8; 4] = b"Obj\x01";

const MAX_HEADER_BYTES: u64 = 16 << 20;

/// Writers make blocks of 16 KiB to a few MiB; one is held in memory, packed and unpacked.
const MAX_BLOCK_BYTES: u64 = 128 << 20;

/// Rows that take no bytes are possible, but not many of them make sense.
const MAX_EMPTY_ROWS: u64 = 65_536;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

/// A file whose header has been read.
pub(super) struct Container {
    reader: ObjectReader,
    codec: Codec,
    sync: [u8; 16],
    /// The JSON of the schema.
    pub(super) schema: Vec<u8>,
}

/// Rows of a block, unpacked.
pub(super) struct Block {
    pub(super) rows: u64,
    pub(super) bytes: Vec<u8>,
}

impl Container {
    pub(super) fn open(mut reader: ObjectReader) -> Result<Self> {
        let mut magic = Vec::new();
        read_exactly(&mut reader, 4, &mut magic)?;
        if magic != MAGIC {
            return Err(invalid("it does not begin as one"));
        }
        let (mut codec, mut schema) = (Codec::Null, None);
        let mut left = MAX_HEADER_BYTES;
        loop {
            let count = long(&mut reader)?;
            if count == 0 {
                break;
            }
            if count < 0 {
                long(&mut reader)?;
            }
            for _ in 0..count.unsigned_abs() {
                let key = header_bytes(&mut reader, &mut left)?;
                let value = header_bytes(&mut reader, &mut left)?;
                match key.as_slice() {
                    b"avro.codec" => codec = Codec::of(&value)?,
                    b"avro.schema" => schema = Some(value),
                    _ => {}
                }
            }
        }
        let sync = sync(&mut reader)?;
        let schema = schema.ok_or_else(|| invalid("it has no schema"))?;
        Ok(Self { reader, codec, sync, schema })
    }

    pub(super) fn next(&mut self) -> Result<Option<Block>> {
        if self.reader.fill_buf().map_err(io_error)?.is_empty() {
            return Ok(None);
        }
        let rows =
            u64::try_from(long(&mut self.reader)?).map_err(|_| invalid("a block has negative rows"))?;
        let size =
            u64::try_from(long(&mut self.reader)?).map_err(|_| invalid("a block has a negative size"))?;
        if size > MAX_BLOCK_BYTES {
            return Err(too_large());
        }
        let mut packed = Vec::new();
        read_exactly(&mut self.reader, size, &mut packed)?;
        if sync(&mut self.reader)? != self.sync {
            return Err(invalid("a block does not end where it says"));
        }
        let bytes = self.codec.unpack(packed)?;
        if rows > bytes.len() as u64 + MAX_EMPTY_ROWS {
            return Err(invalid("a block says it has more rows than bytes"));
        }
        Ok(Some(Block { rows, bytes }))
    }
}

impl Codec {
    fn of(name: &[u8]) -> Result<Self> {
        match name {
            b"null" => Ok(Self::Null),
            b"deflate" => Ok(Self::Deflate),
            b"snappy" => Ok(Self::Snappy),
            b"zstandard" => Ok(Self::Zstandard),
            other => {
                let name: String = String::from_utf8_lossy(other).chars().take(20).collect();
                Err(Error::not_supported(format!("avro compression \"{name}\" is not supported"))
                    .with_hint("The compressions are null, deflate, snappy and zstandard."))
            }
        }
    }

    fn unpack(self, packed: Vec<u8>) -> Result<Vec<u8>> {
        match self {
            Self::Null => Ok(packed),
            Self::Deflate => bounded(flate2::read::DeflateDecoder::new(packed.as_slice())),
            Self::Zstandard => {
                bounded(zstd::stream::read::Decoder::with_buffer(packed.as_slice()).map_err(|_| corrupt())?)
            }
            Self::Snappy => snappy(&packed),
        }
    }
}

fn bounded(unpacking: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    unpacking.take(MAX_BLOCK_BYTES + 1).read_to_end(&mut bytes).map_err(|_| corrupt())?;
    if bytes.len() as u64 > MAX_BLOCK_BYTES { Err(too_large()) } else { Ok(bytes) }
}

/// Followed by the checksum of what it becomes.
fn snappy(packed: &[u8]) -> Result<Vec<u8>> {
    let (data, checksum) = packed.split_last_chunk::<4>().ok_or_else(corrupt)?;
    let length = snap::raw::decompress_len(data).map_err(|_| corrupt())?;
    if length as u64 > MAX_BLOCK_BYTES {
        return Err(too_large());
    }
    let bytes = snap::raw::Decoder::new().decompress_vec(data).map_err(|_| corrupt())?;
    let mut crc = Crc::new();
    crc.update(&bytes);
    if crc.sum() == u32::from_be_bytes(*checksum) { Ok(bytes) } else { Err(corrupt()) }
}

fn long(reader: &mut ObjectReader) -> Result<i64> {
    let mut bytes = Vec::with_capacity(10);
    loop {
        read_exactly(reader, 1, &mut bytes)?;
        match Cursor(&bytes).long() {
            Ok(value) => return Ok(value),
            Err(Problem::Corrupt("a value is cut off")) => {}
            Err(_) => return Err(invalid("a number is too long")),
        }
    }
}

fn header_bytes(reader: &mut ObjectReader, left: &mut u64) -> Result<Vec<u8>> {
    let length = u64::try_from(long(reader)?).ok();
    let length = length.ok_or_else(|| invalid("a length in its header is negative"))?;
    *left = left.checked_sub(length + 1).ok_or_else(|| invalid("its header is too large"))?;
    let mut bytes = Vec::new();
    read_exactly(reader, length, &mut bytes)?;
    Ok(bytes)
}

fn sync(reader: &mut ObjectReader) -> Result<[u8; 16]> {
    let mut bytes = Vec::new();
    read_exactly(reader, 16, &mut bytes)?;
    bytes.try_into().map_err(|_| invalid("it is truncated"))
}

/// Memory grows with what is there, not with what is said to be there.
fn read_exactly(reader: &mut ObjectReader, count: u64, bytes: &mut Vec<u8>) -> Result<()> {
    let found = reader.take(count).read_to_end(bytes).map_err(io_error)?;
    if found as u64 == count { Ok(()) } else { Err(invalid("it is truncated")) }
}

fn io_error(error: std::io::Error) -> Error {
    Compression::None.error(error)
}

fn corrupt() -> Error {
    invalid("a block cannot be unpacked")
}

fn too_large() -> Error {
    let message = format!("a block of the file is larger than {} MiB", MAX_BLOCK_BYTES >> 20);
    Error::new(ErrorKind::LimitExceeded, message)
}
