//! Distinct values in order, each with `K` counts: the state of what needs ranks or times.

use std::mem::size_of;

use super::bytes::{Reader, Writer};
use super::{Invalid, finite};

/// How many new values wait before they are sorted in, at least.
const WAITING: usize = 1 << 12;

/// Memory follows the number of distinct values, not of rows: new values wait unsorted until there are as
/// many as distinct ones, then are sorted and folded in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tally<const K: usize> {
    folded: Vec<(f64, [u64; K])>,
    waiting: Vec<(f64, [u64; K])>,
}

impl<const K: usize> Default for Tally<K> {
    fn default() -> Self {
        Self { folded: Vec::new(), waiting: Vec::new() }
    }
}

impl<const K: usize> Tally<K> {
    /// Counts `value` once under `which`. Refuses NaN, infinity and a `which` of `K` or more.
    pub(crate) fn update(&mut self, value: f64, which: usize) -> Result<(), Invalid> {
        // Minus zero is zero.
        let value = finite(value, "value")? + 0.0;
        let mut counts = [0; K];
        *counts.get_mut(which).ok_or_else(|| Invalid::new("value belongs to no group"))? = 1;
        self.waiting.push((value, counts));
        if self.waiting.len() >= WAITING.max(self.folded.len()) {
            self.fold();
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.waiting.extend_from_slice(&other.folded);
        self.waiting.extend_from_slice(&other.waiting);
        self.fold();
    }

    /// Distinct values, ascending, with their counts.
    pub(crate) fn sorted(&mut self) -> &[(f64, [u64; K])] {
        self.fold();
        &self.folded
    }

    fn fold(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        self.waiting.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut merged: Vec<(f64, [u64; K])> = Vec::new();
        let mut old = self.folded.iter().copied().peekable();
        let mut new = self.waiting.iter().copied().peekable();
        loop {
            let next = match (old.peek(), new.peek()) {
                (Some(a), Some(b)) if b.0 < a.0 => new.next(),
                (Some(_), _) => old.next(),
                (None, _) => new.next(),
            };
            let Some((value, counts)) = next else { break };
            match merged.last_mut() {
                Some((last, sums)) if *last == value => {
                    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
                }
                _ => merged.push((value, counts)),
            }
        }
        self.folded = merged;
        self.waiting.clear();
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut all = self.clone();
        let mut writer = Writer::default();
        writer.integer(all.sorted().len() as u64);
        for (value, counts) in &all.folded {
            writer.number(*value);
            for count in counts {
                writer.integer(*count);
            }
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut tally = Self::default();
        for _ in 0..reader.length(8 * (K + 1))? {
            let value = finite(reader.number()?, "value")?;
            let mut counts = [0; K];
            for count in &mut counts {
                *count = reader.integer()?;
            }
            tally.waiting.push((value, counts));
        }
        reader.finish()?;
        tally.fold();
        Ok(tally)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + (self.folded.capacity() + self.waiting.capacity()) * size_of::<(f64, [u64; K])>()
    }
}
