//! Stored states: little-endian numbers one after the other.

use super::Invalid;

pub(crate) fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u64(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads a stored state from its beginning; every read fails on a state that is cut short or damaged.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// The kind of state, for messages.
    state: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], state: &'static str) -> Self {
        Self { rest: bytes, state }
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Invalid> {
        let (head, rest) = self.rest.split_first_chunk::<8>().ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*head))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Invalid> {
        self.u64().map(u64::cast_signed)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Invalid> {
        let length = self.u64()?;
        let length = usize::try_from(length).map_err(|_| self.damaged())?;
        let (head, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.damaged())?;
        self.rest = rest;
        std::str::from_utf8(head).map_err(|_| self.damaged())
    }

    /// A number of items that follow, each of at least `least` bytes.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize, Invalid> {
        let count = self.u64()?;
        let fits = (self.rest.len() / least) as u64;
        if count > fits {
            return Err(self.damaged());
        }
        Ok(count as usize)
    }

    /// Fails unless everything was read.
    pub(crate) fn end(&self) -> Result<(), Invalid> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }

    pub(crate) fn damaged(&self) -> Invalid {
        Invalid::new(format!("stored state of {} is damaged", self.state))
    }
}
