//! The lines of the batches that are on their way: a row that is refused at the end of it is shown as it came.

use std::collections::VecDeque;

/// As many batches as may be on their way to the table's files. A row refused later is told by its number alone.
const KEPT_BATCHES: usize = 8;

#[derive(Default)]
pub(super) struct Recent {
    batches: VecDeque<Batch>,
    current: Batch,
}

#[derive(Default)]
struct Batch {
    numbers: Vec<u64>,
    text: String,
    /// Where each line ends in the text.
    ends: Vec<usize>,
}

impl Recent {
    pub(super) fn push(&mut self, number: u64, line: &str) {
        self.current.numbers.push(number);
        self.current.text.push_str(line);
        self.current.ends.push(self.current.text.len());
    }

    /// The lines so far are on their way.
    pub(super) fn end_batch(&mut self) {
        let next = if self.batches.len() < KEPT_BATCHES { None } else { self.batches.pop_front() };
        let mut next = next.unwrap_or_default();
        next.clear();
        self.batches.push_back(std::mem::replace(&mut self.current, next));
    }

    pub(super) fn get(&self, number: u64) -> Option<&str> {
        self.batches.iter().chain([&self.current]).find_map(|batch| batch.get(number))
    }
}

impl Batch {
    fn clear(&mut self) {
        self.numbers.clear();
        self.text.clear();
        self.ends.clear();
    }

    fn get(&self, number: u64) -> Option<&str> {
        let at = self.numbers.binary_search(&number).ok()?;
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        self.text.get(start..*self.ends.get(at)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_number_until_their_batch_is_old() {
        let mut recent = Recent::default();
        for number in 1..=30_u64 {
            recent.push(number * 2, &format!("line {number}"));
            if number % 3 == 0 {
                recent.end_batch();
            }
        }
        recent.push(62, "last");
        assert_eq!(recent.get(62), Some("last"));
        assert_eq!(recent.get(60), Some("line 30"));
        assert_eq!(recent.get(14), Some("line 7"));
        assert_eq!((recent.get(12), recent.get(13), recent.get(64)), (None, None, None));
    }
}
