//! Little-endian bytes of aggregate states.

use super::Invalid;

/// Appends numbers to a state.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn integer(&mut self, value: u64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn number(&mut self, value: f64) -> &mut Self {
        self.integer(value.to_bits())
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.integer(value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes numbers off the front of a state.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn integer(&mut self) -> Result<u64, Invalid> {
        let (head, rest) = self.rest.split_first_chunk::<8>().ok_or_else(broken)?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*head))
    }

    pub(crate) fn number(&mut self) -> Result<f64, Invalid> {
        self.integer().map(f64::from_bits)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Invalid> {
        let length = self.length(1)?;
        let (head, rest) = self.rest.split_at(length);
        self.rest = rest;
        std::str::from_utf8(head).map_err(|_| broken())
    }

    /// A count of items that take at least `width` bytes each, no larger than what is left can hold.
    pub(crate) fn length(&mut self, width: usize) -> Result<usize, Invalid> {
        let length = usize::try_from(self.integer()?).map_err(|_| broken())?;
        match length.checked_mul(width) {
            Some(bytes) if bytes <= self.rest.len() => Ok(length),
            _ => Err(broken()),
        }
    }

    pub(crate) fn finish(self) -> Result<(), Invalid> {
        if self.rest.is_empty() { Ok(()) } else { Err(broken()) }
    }
}

fn broken() -> Invalid {
    Invalid::new("aggregate state is damaged")
}
