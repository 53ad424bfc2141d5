//! PostgreSQL's binary file format on its way in: a signature, then tuples of counted fields.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::{SIGNATURE, bad_format};

/// Flags that must be understood; the one that means row OIDs no longer is.
const CRITICAL_FLAGS: u32 = 0xFFFF_0000;
const HAS_OIDS: u32 = 1 << 16;

pub(super) struct Tuples {
    columns: usize,
    max_tuple_bytes: usize,
    buffer: Vec<u8>,
    /// Where the next tuple begins.
    at: usize,
    has_header: bool,
    complete: bool,
    ended: bool,
    number: u64,
    /// Where the fields of the tuple lie that was given out last; `None` is NULL.
    fields: Vec<Option<(usize, usize)>>,
}

/// Why the next tuple could not be read.
pub(super) struct BadTuple {
    pub(super) error: Error,
    pub(super) place: TuplePlace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TuplePlace {
    /// Before the first tuple.
    Header,
    Tuple,
    Field(usize),
}

impl TuplePlace {
    fn bad(self, error: Error) -> BadTuple {
        BadTuple { error, place: self }
    }
}

impl Tuples {
    pub(super) fn new(columns: usize, max_tuple_bytes: usize) -> Self {
        Self {
            columns,
            max_tuple_bytes,
            buffer: Vec::new(),
            at: 0,
            has_header: false,
            complete: false,
            ended: false,
            number: 0,
            fields: Vec::with_capacity(columns),
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// The number of the tuple that was read last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn field(&self, index: usize) -> Option<&[u8]> {
        let (start, end) = (*self.fields.get(index)?)?;
        self.buffer.get(start..end)
    }

    /// Finds the fields of the next tuple. `false`: more bytes are needed, or there is none.
    pub(super) fn next_tuple(&mut self) -> Result<bool, BadTuple> {
        if !self.has_header && !self.header().map_err(|error| TuplePlace::Header.bad(error))? {
            return Ok(false);
        }
        if !self.ended {
            if self.complete && self.at == self.buffer.len() {
                return Ok(false);
            }
            let Some(end) = self.tuple()? else { return Ok(false) };
            self.at = end;
            if !self.ended {
                self.number += 1;
                return Ok(true);
            }
        }
        if self.at < self.buffer.len() {
            return Err(TuplePlace::Tuple.bad(bad_format("received copy data after EOF marker")));
        }
        Ok(false)
    }

    fn header(&mut self) -> Result<bool> {
        let known = self.buffer.len().min(SIGNATURE.len());
        if self.buffer[..known] != SIGNATURE[..known] || self.complete && known < SIGNATURE.len() {
            return Err(bad_format("COPY file signature not recognized"));
        }
        let missing = |what: &str| bad_format(format!("invalid COPY file header ({what})"));
        let mut at = SIGNATURE.len();
        let Some(flags) = self.u32(&mut at) else {
            return if self.complete { Err(missing("missing flags")) } else { Ok(false) };
        };
        if flags & HAS_OIDS != 0 {
            return Err(missing("WITH OIDS"));
        }
        if flags & CRITICAL_FLAGS != 0 {
            return Err(bad_format("unrecognized critical flags in COPY file header"));
        }
        let Some(extension) = self.u32(&mut at) else {
            return if self.complete { Err(missing("missing length")) } else { Ok(false) };
        };
        let extension = usize::try_from(extension as i32).map_err(|_| missing("missing length"))?;
        if extension > self.max_tuple_bytes {
            return Err(missing("wrong length"));
        }
        if self.buffer.len() - at < extension {
            return if self.complete { Err(missing("wrong length")) } else { Ok(false) };
        }
        self.at = at + extension;
        self.has_header = true;
        Ok(true)
    }

    /// The end of the tuple that begins at `at`, if all of it has come.
    fn tuple(&mut self) -> Result<Option<usize>, BadTuple> {
        let mut at = self.at;
        let Some(count) = self.buffer.get(at..at + 2) else { return self.wait(TuplePlace::Tuple) };
        let count = i16::from_be_bytes([count[0], count[1]]);
        at += 2;
        if count == -1 {
            self.ended = true;
            return Ok(Some(at));
        }
        if usize::try_from(count).ok() != Some(self.columns) {
            let message = format!("row field count is {count}, expected {}", self.columns);
            return Err(TuplePlace::Tuple.bad(bad_format(message)));
        }
        self.fields.clear();
        for index in 0..self.columns {
            let place = TuplePlace::Field(index);
            let Some(length) = self.u32(&mut at) else { return self.wait(place) };
            let length = length as i32;
            if length == -1 {
                self.fields.push(None);
                continue;
            }
            let Ok(length) = usize::try_from(length) else {
                return Err(place.bad(bad_format("invalid field size")));
            };
            if length > self.max_tuple_bytes {
                return Err(place.bad(self.too_long()));
            }
            if self.buffer.len() - at < length {
                return self.wait(place);
            }
            self.fields.push(Some((at, at + length)));
            at += length;
        }
        Ok(Some(at))
    }

    /// More bytes are needed, if there can be more.
    fn wait(&self, place: TuplePlace) -> Result<Option<usize>, BadTuple> {
        if self.complete {
            return Err(place.bad(bad_format("unexpected EOF in COPY data")));
        }
        if self.buffer.len() - self.at > self.max_tuple_bytes {
            return Err(place.bad(self.too_long()));
        }
        Ok(None)
    }

    fn u32(&self, at: &mut usize) -> Option<u32> {
        let bytes = self.buffer.get(*at..*at + 4)?;
        *at += 4;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    fn too_long(&self) -> Error {
        Error::new(
            ErrorKind::LimitExceeded,
            format!("a row exceeds the limit of {} bytes", self.max_tuple_bytes),
        )
        .with_hint("Raise max_message_bytes in the configuration.")
    }
}
