//! Events of one customer, each with the conditions it meets.
//!
//! Order: by time, then by sequence number, then by the conditions: an event that meets none first, then by
//! the lowest condition it meets, then by the whole set read as a binary number. Events that are equal in all
//! three are alike, so the order needs nothing else. A caller without a sequence number gives 0 throughout.

use std::cmp::Ordering;

use super::Invalid;
use super::bytes::{Reader, put_i64, put_u64};

/// Conditions are bits of a `u64`: the first is bit 0.
pub(crate) const MAX_CONDITIONS: usize = 64;

/// The first `n` conditions.
pub(crate) fn first_conditions(n: usize) -> u64 {
    if n >= MAX_CONDITIONS { u64::MAX } else { (1 << n) - 1 }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// Microseconds since the epoch.
    pub(crate) time: i64,
    /// Orders events of the same time.
    pub(crate) sequence: u64,
    /// One bit a condition met.
    pub(crate) conditions: u64,
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |event: &Self| (event.time, event.sequence);
        key(self).cmp(&key(other)).then_with(|| compare_conditions(self.conditions, other.conditions))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of simultaneous events.
pub(crate) fn compare_conditions(left: u64, right: u64) -> Ordering {
    let key = |conditions: u64| (conditions != 0, conditions.trailing_zeros(), conditions);
    key(left).cmp(&key(right))
}

/// A mergeable buffer of events, 24 bytes each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events {
    events: Vec<Event>,
    unsorted: bool,
}

impl Events {
    pub(crate) fn push(&mut self, event: Event) {
        self.unsorted |= self.events.last().is_some_and(|last| *last > event);
        self.events.push(event);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let crossed = matches!((self.events.last(), other.events.first()), (Some(a), Some(b)) if a > b);
        self.unsorted |= other.unsorted | crossed;
        self.events.extend_from_slice(&other.events);
    }

    /// The events in order.
    pub(crate) fn sorted(&mut self) -> &[Event] {
        if self.unsorted {
            self.events.sort_unstable();
            self.unsorted = false;
        }
        &self.events
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.unsorted = false;
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.events.capacity() * size_of::<Event>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 24 * self.events.len());
        put_u64(&mut out, self.events.len() as u64);
        for event in &self.events {
            put_i64(&mut out, event.time);
            put_u64(&mut out, event.sequence);
            put_u64(&mut out, event.conditions);
        }
        out
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes, "events");
        let count = reader.count(24)?;
        let mut found = Self { events: Vec::with_capacity(count), unsorted: false };
        for _ in 0..count {
            found.push(Event { time: reader.i64()?, sequence: reader.u64()?, conditions: reader.u64()? });
        }
        reader.end()?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
