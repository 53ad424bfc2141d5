//! The most frequent values: counted while they are few, then after Misra and Gries (1982), whose counts are too low by
//! no more than the rows divided by the counters.

use std::collections::HashMap;

use serde_json::{Value, json};

const COUNTERS: usize = 1_024;
/// Longer values are cut.
const CHARACTERS: usize = 100;
const SHOWN: usize = 5;

#[derive(Debug, Clone, Default)]
pub(super) struct Frequent {
    counts: HashMap<String, u64>,
    bytes: usize,
}

impl Frequent {
    pub(super) fn add(&mut self, value: &str) {
        let value = match value.char_indices().nth(CHARACTERS) {
            Some((end, _)) => &value[..end],
            None => value,
        };
        match self.counts.get_mut(value) {
            Some(count) => *count += 1,
            None => self.insert(value.to_owned(), 1),
        }
    }

    fn insert(&mut self, value: String, count: u64) {
        self.bytes += value.len();
        self.counts.insert(value, count);
        // Room is made for as many values again, so that it is seldom made.
        if self.counts.len() > 2 * COUNTERS {
            self.shrink();
        }
    }

    /// Takes the largest count that does not fit from all of them.
    fn shrink(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let least = counts.get(COUNTERS).copied().unwrap_or(0);
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(least);
            *count > 0
        });
        self.bytes = self.counts.keys().map(String::len).sum();
    }

    /// The first few as JSON: `[{"value":"a","count":2}]`.
    pub(super) fn shown(&self) -> Option<String> {
        let mut all: Vec<(&String, &u64)> = self.counts.iter().collect();
        all.sort_unstable_by(|one, other| other.1.cmp(one.1).then_with(|| one.0.cmp(other.0)));
        let shown = all.into_iter().take(SHOWN).map(|(value, count)| {
            format!("{{\"value\":{},\"count\":{count}}}", Value::String(value.clone()))
        });
        let shown: Vec<String> = shown.collect();
        (!shown.is_empty()).then(|| format!("[{}]", shown.join(",")))
    }

    pub(super) fn save(&self) -> Value {
        json!(self.counts)
    }

    pub(super) fn merge(&mut self, saved: &Value) -> Option<()> {
        for (value, count) in saved.as_object()? {
            let count = count.as_u64()?;
            match self.counts.get_mut(value) {
                Some(known) => *known += count,
                None => self.insert(value.clone(), count),
            }
        }
        Some(())
    }

    pub(super) fn size(&self) -> usize {
        self.bytes + self.counts.capacity() * (size_of::<String>() + size_of::<u64>() + 1)
    }
}
