//! Purchase histories, and how many customers share each.

use std::mem::size_of;

use crate::inference::bytes::{Reader, Writer};
use crate::inference::{Invalid, finite};

/// One customer's purchases after the first, and their times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct History {
    pub(crate) frequency: f64,
    pub(crate) recency: f64,
    pub(crate) age: f64,
}

impl History {
    /// Refuses histories that cannot be: a frequency that is not a whole number from 0 to 10⁶, a recency below
    /// 0 or above the age, purchases after the first without time between, or time without them.
    pub(crate) fn new(frequency: f64, recency: f64, age: f64) -> Result<Self, Invalid> {
        if !(0.0..=1e6).contains(&frequency) || frequency.fract() != 0.0 {
            return Err(Invalid::new(format!(
                "frequency {frequency} is not a whole number from 0 to 1000000"
            )));
        }
        finite(age, "age")?;
        if !(recency >= 0.0 && recency <= age) {
            return Err(Invalid::new(format!("recency {recency} does not lie between 0 and the age {age}"))
                .with_hint("Recency is the time from the first to the last purchase, age that from the first to now."));
        }
        if frequency == 0.0 && recency > 0.0 {
            return Err(Invalid::new(format!("recency {recency} without a purchase after the first")));
        }
        Ok(Self { frequency, recency: recency + 0.0, age: age + 0.0 })
    }

    fn key(&self) -> (u64, u64, u64) {
        (self.frequency.to_bits(), self.recency.to_bits(), self.age.to_bits())
    }
}

/// Distinct histories with the number of customers of each.
///
/// Memory follows the distinct histories: new ones wait unsorted until there are as many as distinct ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histories {
    folded: Vec<(History, u64)>,
    waiting: Vec<(History, u64)>,
}

const WAITING: usize = 1 << 12;

impl Histories {
    pub(crate) fn update(&mut self, history: History) {
        self.waiting.push((history, 1));
        if self.waiting.len() >= WAITING.max(self.folded.len()) {
            self.fold();
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.waiting.extend_from_slice(&other.folded);
        self.waiting.extend_from_slice(&other.waiting);
        self.fold();
    }

    /// Distinct histories in order.
    pub(crate) fn sorted(&mut self) -> &[(History, u64)] {
        self.fold();
        &self.folded
    }

    fn fold(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        self.folded.append(&mut self.waiting);
        // Numbers here are not negative, so their bits order like them.
        self.folded.sort_unstable_by_key(|(history, _)| history.key());
        self.folded.dedup_by(|next, kept| {
            let same = next.0.key() == kept.0.key();
            kept.1 += if same { next.1 } else { 0 };
            same
        });
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut all = self.clone();
        let mut writer = Writer::default();
        writer.integer(all.sorted().len() as u64);
        for (history, count) in &all.folded {
            writer.number(history.frequency).number(history.recency).number(history.age).integer(*count);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut histories = Self::default();
        for _ in 0..reader.length(32)? {
            let history = History::new(reader.number()?, reader.number()?, reader.number()?)?;
            histories.waiting.push((history, reader.integer()?));
        }
        reader.finish()?;
        histories.fold();
        Ok(histories)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + (self.folded.capacity() + self.waiting.capacity()) * size_of::<(History, u64)>()
    }
}
