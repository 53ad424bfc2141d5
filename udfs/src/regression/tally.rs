//! Sums by ordered key: what ranks and curves are computed from.
//!
//! New entries wait unsorted until there are as many as distinct keys; then they are sorted and merged in.
//! Distinct keys are held once, so that scores on a short scale take no memory to speak of.

use std::ops::AddAssign;

/// Entries that may wait in any case.
const LEAST_WAITING: usize = 4096;

#[derive(Debug, Clone)]
pub(super) struct Tally<K, V> {
    sorted: Vec<(K, V)>,
    waiting: Vec<(K, V)>,
}

impl<K: Copy + Ord, V: Copy + AddAssign> Tally<K, V> {
    pub(super) fn new() -> Self {
        Self { sorted: Vec::new(), waiting: Vec::new() }
    }

    pub(super) fn add(&mut self, key: K, value: V) {
        self.waiting.push((key, value));
        if self.waiting.len() >= LEAST_WAITING.max(self.sorted.len()) {
            self.settle();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (key, value) in other.sorted.iter().chain(&other.waiting) {
            self.add(*key, *value);
        }
    }

    /// Distinct keys, ascending, with their sums.
    pub(super) fn sums(&self) -> Vec<(K, V)> {
        let mut settled = self.clone();
        settled.settle();
        settled.sorted
    }

    fn settle(&mut self) {
        self.waiting.sort_unstable_by_key(|(key, _)| *key);
        let mut merged: Vec<(K, V)> = Vec::with_capacity(self.sorted.len() + self.waiting.len());
        let (mut old, mut new) = (self.sorted.iter().peekable(), self.waiting.iter().peekable());
        loop {
            let next = match (old.peek(), new.peek()) {
                (Some(left), Some(right)) if left.0 <= right.0 => old.next(),
                (_, Some(_)) => new.next(),
                _ => old.next(),
            };
            let Some(&(key, value)) = next else { break };
            match merged.last_mut() {
                Some((last, sum)) if *last == key => *sum += value,
                _ => merged.push((key, value)),
            }
        }
        merged.shrink_to(merged.len() * 2);
        self.sorted = merged;
        self.waiting.clear();
    }

    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + (self.sorted.capacity() + self.waiting.capacity()) * size_of::<(K, V)>()
    }
}

/// An integer that is ordered as the number is; −0 and 0 are the same.
pub(super) fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The number of [`ordered`].
pub(super) fn number(ordered: u64) -> f64 {
    f64::from_bits(if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered })
}

#[cfg(test)]
mod tests;
