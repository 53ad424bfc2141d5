//! Retention: which later conditions a customer meets who met the first one.
//!
//! The first answer is whether any event met the first condition; the k-th whether any event met the first and
//! any event met the k-th, in whatever order they came: a condition carries its own dates. These are the rules
//! of ClickHouse's `retention`.

use super::Invalid;
use super::event::{MAX_CONDITIONS, first_conditions};

/// The conditions that one customer met so far: bit 0 is the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    met: u64,
}

impl Retention {
    pub(crate) fn update(&mut self, conditions: u64) {
        self.met |= conditions;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.met |= other.met;
    }

    /// One answer for each of `conditions`, which is at most [`MAX_CONDITIONS`].
    pub(crate) fn answers(&self, conditions: usize) -> Result<Vec<bool>, Invalid> {
        if !(1..=MAX_CONDITIONS).contains(&conditions) {
            let message = format!("retention has {conditions} conditions, it needs 1 to {MAX_CONDITIONS}");
            return Err(Invalid::new(message));
        }
        let met = if self.met & 1 == 1 { self.met & first_conditions(conditions) } else { 0 };
        Ok((0..conditions).map(|place| met & (1 << place) != 0).collect())
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
    }

    pub(crate) fn to_bytes(self) -> [u8; 8] {
        self.met.to_le_bytes()
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = super::bytes::Reader::new(bytes, "retention");
        let found = Self { met: reader.u64()? };
        reader.end()?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
