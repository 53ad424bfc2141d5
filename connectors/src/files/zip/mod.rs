//! Zip archives on an object store: the directory is read once, then each member by its range.
//!
//! Members are stored, deflated or zstd data. The directory's word is checked against the bytes: a member
//! that is longer or shorter than it says, or has another checksum, is corrupt.

mod directory;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use flate2::Crc;
use voxhouse_engine::{Error, ErrorKind, Result};

pub(super) use self::directory::Entry;
use super::compression::Compression;
use super::limits::{Limits, Measured};
use super::object::{Object, ObjectReader};

/// An archive has fewer members than this, or it is no data file.
const MAX_ENTRIES: u64 = 100_000;

const MAX_DIRECTORY_BYTES: u64 = 32 << 20;

/// The members of an archive that are files, in the order of the directory.
pub(super) async fn entries(object: &Object) -> Result<Vec<Entry>> {
    let (tail_at, tail) = object.tail(directory::END_BYTES).await?;
    let place = directory::place(&tail, tail_at).map_err(invalid)?;
    if place.entries > MAX_ENTRIES || place.bytes > MAX_DIRECTORY_BYTES {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("zip archive has more than {MAX_ENTRIES} members"),
        ));
    }
    let end = place.at.checked_add(place.bytes).filter(|end| *end <= object.size());
    let end = end.ok_or_else(|| invalid("its directory is not where it says"))?;
    let bytes = match place.bytes {
        0 => bytes::Bytes::new(),
        _ => object.bytes(place.at..end).await?,
    };
    let mut entries = directory::entries(&bytes, place.entries).map_err(invalid)?;
    let mut packed: u64 = 0;
    for entry in &entries {
        packed = packed.saturating_add(entry.packed);
    }
    // Members that share their bytes are how an archive unpacks to more than any ratio of its own.
    if packed > object.size() {
        return Err(invalid("its members overlap"));
    }
    entries.retain(|entry| !entry.name.ends_with('/'));
    Ok(entries)
}

/// The unpacked bytes of a member. Their errors carry an [`Error`] inside.
pub(super) async fn open(object: &Object, entry: &Entry, limits: Limits) -> Result<Box<dyn Read + Send>> {
    if entry.encrypted {
        return Err(Error::not_supported("encrypted members of zip archives are not supported"));
    }
    limits.check(entry.packed, entry.unpacked)?;
    let in_file = |end: &u64| *end <= object.size();
    let misplaced = || invalid("a member is not where the directory says");
    let header_end = entry.header_at.checked_add(directory::LOCAL_BYTES).filter(in_file);
    let header = object.bytes(entry.header_at..header_end.ok_or_else(misplaced)?).await?;
    let start = entry.header_at + directory::data_offset(&header).map_err(invalid)?;
    let end = start.checked_add(entry.packed).filter(in_file).ok_or_else(misplaced)?;
    let data = object.reader_of(start..end).await?;
    let unpacked = unpacking(entry, data).map_err(|error| Compression::Zip.error(error))?;
    Ok(Box::new(Checked {
        inner: Measured::new(unpacked, entry.packed, limits),
        crc: Crc::new(),
        expected: entry.crc,
        left: entry.unpacked,
    }))
}

fn unpacking(entry: &Entry, data: ObjectReader) -> io::Result<Box<dyn Read + Send>> {
    Ok(match entry.method {
        0 => Box::new(data),
        8 => Box::new(flate2::bufread::DeflateDecoder::new(data)),
        93 => Box::new(zstd::stream::read::Decoder::with_buffer(data)?),
        other => {
            let error = Error::not_supported(format!("compression method {other} of zip is not supported"))
                .with_hint("Pack the archive with deflate, which is every tool's default.");
            return Err(io::Error::other(error));
        }
    })
}

/// Compares the bytes of a member with what the directory says of them.
struct Checked {
    inner: Measured<Box<dyn Read + Send>>,
    crc: Crc,
    expected: u32,
    left: u64,
}

impl Read for Checked {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(target)?;
        self.crc.update(target.get(..count).unwrap_or_default());
        self.left =
            self.left.checked_sub(count as u64).ok_or_else(|| corrupt("a member is longer than it says"))?;
        if count == 0 && self.left > 0 {
            return Err(corrupt("a member is shorter than it says"));
        }
        if count == 0 && self.crc.sum() != self.expected {
            return Err(corrupt("a member has another checksum"));
        }
        Ok(count)
    }
}

fn corrupt(what: &str) -> io::Error {
    io::Error::other(invalid(what))
}

pub(super) fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("invalid zip data: {what}"))
}
