//! States as bytes: little-endian numbers, one after the other.

use super::Invalid;

#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn integer(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn number(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn numbers(&mut self, values: &[f64]) {
        for &value in values {
            self.number(value);
        }
    }

    /// The length in bytes, then the text.
    pub(super) fn text(&mut self, text: &str) {
        self.integer(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what a [`Writer`] wrote; every error is the same, for bytes that are not a state.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn integer(&mut self) -> Result<u64, Invalid> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(damaged)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// A count of things of at least `size` bytes each, which therefore must still be there.
    pub(super) fn count(&mut self, size: usize) -> Result<usize, Invalid> {
        let count = usize::try_from(self.integer()?).map_err(|_| damaged())?;
        let fits = count.checked_mul(size).is_some_and(|bytes| bytes <= self.rest.len());
        if fits { Ok(count) } else { Err(damaged()) }
    }

    pub(super) fn number(&mut self) -> Result<f64, Invalid> {
        self.integer().map(f64::from_bits)
    }

    pub(super) fn numbers(&mut self, count: usize) -> Result<Vec<f64>, Invalid> {
        if count.checked_mul(8).is_none_or(|bytes| bytes > self.rest.len()) {
            return Err(damaged());
        }
        (0..count).map(|_| self.number()).collect()
    }

    pub(super) fn text(&mut self) -> Result<String, Invalid> {
        let length = self.count(1)?;
        let (text, rest) = self.rest.split_at(length);
        self.rest = rest;
        String::from_utf8(text.to_vec()).map_err(|_| damaged())
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), Invalid> {
        if self.rest.is_empty() { Ok(()) } else { Err(damaged()) }
    }
}

pub(super) fn damaged() -> Invalid {
    Invalid::new("state of an aggregate is damaged")
}
