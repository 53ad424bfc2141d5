//! The directory of a zip archive: bytes in, entries out. Knows no I/O.
//!
//! The sizes and offsets are those of the central directory, at the end of the archive; what stands in front
//! of each member may leave them out.

use encoding_rs::GB18030;

const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// The end record with its longest comment, and the records of large archives in front of it.
pub(super) const END_BYTES: u64 = 22 + 65_535 + 20 + 56;

/// What precedes the name in front of a member.
pub(super) const LOCAL_BYTES: u64 = 30;

/// Where the directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::files) struct Entry {
    pub(in crate::files) name: String,
    pub(super) encrypted: bool,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(in crate::files) packed: u64,
    pub(in crate::files) unpacked: u64,
    pub(super) header_at: u64,
}

/// Why an archive cannot be read; a phrase for a person.
pub(super) type Malformed = &'static str;

/// Finds the directory from the last bytes of an archive, which begin at `tail_at`.
pub(super) fn place(tail: &[u8], tail_at: u64) -> Result<Place, Malformed> {
    let at =
        tail.windows(4).rposition(|four| four == END).ok_or("it has no directory, it may be truncated")?;
    let end = &tail[at..];
    let short = || "its end is truncated";
    let place = Place {
        entries: u64::from(u16_at(end, 10).ok_or_else(short)?),
        bytes: u64::from(u32_at(end, 12).ok_or_else(short)?),
        at: u64::from(u32_at(end, 16).ok_or_else(short)?),
    };
    let comment_bytes = usize::from(u16_at(end, 20).ok_or_else(short)?);
    if end.len() < 22 + comment_bytes {
        return Err(short());
    }
    let large = place.entries == 0xFFFF || place.bytes == 0xFFFF_FFFF || place.at == 0xFFFF_FFFF;
    let locator = at.checked_sub(20).and_then(|start| tail.get(start..at));
    match locator.filter(|locator| large && locator.starts_with(&LOCATOR_64)) {
        Some(locator) => place_64(tail, tail_at, u64_at(locator, 8).ok_or_else(short)?),
        None => Ok(place),
    }
}

fn place_64(tail: &[u8], tail_at: u64, record_at: u64) -> Result<Place, Malformed> {
    let misplaced = "its directory is not where it says";
    let start = record_at.checked_sub(tail_at).and_then(|start| usize::try_from(start).ok());
    let record = start.and_then(|start| tail.get(start..)).filter(|record| record.starts_with(&END_64));
    let record = record.ok_or(misplaced)?;
    Ok(Place {
        entries: u64_at(record, 32).ok_or(misplaced)?,
        bytes: u64_at(record, 40).ok_or(misplaced)?,
        at: u64_at(record, 48).ok_or(misplaced)?,
    })
}

/// The entries of a directory.
pub(super) fn entries(mut directory: &[u8], count: u64) -> Result<Vec<Entry>, Malformed> {
    let mut entries = Vec::new();
    while (entries.len() as u64) < count {
        let (entry, rest) = entry(directory).ok_or("its directory is corrupt")?;
        entries.push(entry);
        directory = rest;
    }
    Ok(entries)
}

fn entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    bytes.starts_with(&ENTRY).then_some(())?;
    let flags = u16_at(bytes, 8)?;
    let name_bytes = usize::from(u16_at(bytes, 28)?);
    let extra_bytes = usize::from(u16_at(bytes, 30)?);
    let comment_bytes = usize::from(u16_at(bytes, 32)?);
    let name = bytes.get(46..46 + name_bytes)?;
    let extra = bytes.get(46 + name_bytes..46 + name_bytes + extra_bytes)?;
    let rest = bytes.get(46 + name_bytes + extra_bytes + comment_bytes..)?;
    let mut large = large_values(extra);
    let mut value = |at: usize| match u32_at(bytes, at)? {
        0xFFFF_FFFF => large.next(),
        value => Some(u64::from(value)),
    };
    // In the order in which the extra field has those that do not fit.
    let unpacked = value(24)?;
    let packed = value(20)?;
    let header_at = value(42)?;
    let entry = Entry {
        name: self::name(name),
        encrypted: flags & 1 != 0,
        method: u16_at(bytes, 10)?,
        crc: u32_at(bytes, 16)?,
        packed,
        unpacked,
        header_at,
    };
    Some((entry, rest))
}

/// The 64-bit values of the extra field, if there is one for them.
fn large_values(mut extra: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut values: &[u8] = &[];
    while let (Some(id), Some(bytes)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(bytes);
        if id == 1 {
            values = extra.get(4..end).unwrap_or_default();
        }
        extra = extra.get(end..).unwrap_or_default();
    }
    values.chunks_exact(8).filter_map(|eight| eight.try_into().ok().map(u64::from_le_bytes))
}

/// Names are UTF-8, or what the system of the writer uses: on Chinese Windows GB18030.
fn name(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(name) => name.to_owned(),
        Err(_) => GB18030.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// How far behind the header's start the data of a member begin.
pub(super) fn data_offset(header: &[u8]) -> Result<u64, Malformed> {
    let lengths = || Some(u64::from(u16_at(header, 26)?) + u64::from(u16_at(header, 28)?));
    match lengths().filter(|_| header.starts_with(&LOCAL)) {
        Some(lengths) => Ok(LOCAL_BYTES + lengths),
        None => Err("a member is not where the directory says"),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
