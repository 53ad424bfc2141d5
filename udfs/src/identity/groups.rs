//! The groups of one blocking rule, kept so that records can come and go.
//!
//! Rows with a key hang in chains by the upper bits of the key, the last one first. A row that is gone stays in its
//! chain and is passed over: whoever asks says which rows are there. Groups above the cap give no pairs, so of them
//! only the number of records is known.

use super::block::RuleReport;
use super::hash::FastMap;
use super::intern::MISSING;

/// What a record that comes does to the groups of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// It is a candidate with these.
    Beside(Vec<u32>),
    /// There are too many now: these were candidates of each other.
    Crowded(Vec<u32>),
    /// There were too many before.
    Nothing,
}

#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// Records of a group that are still compared with each other.
    limit: usize,
    /// By the upper bits of a key, the row that came last.
    heads: Vec<u32>,
    /// By row, the row of the same chain that came before it.
    next: Vec<u32>,
    /// Groups above the limit, by their key, and the records in them.
    crowded: FastMap<u64, usize>,
    /// By number of records up to the limit, the groups that have it.
    sizes: Vec<u64>,
    /// Pairs of records in the groups that are compared.
    pairs: u64,
}

impl Groups {
    /// From the keys of `rows` rows, sorted.
    pub(crate) fn new(keys: &[(u64, u32)], rows: usize, limit: usize) -> Self {
        let mut groups = Self {
            limit,
            heads: vec![MISSING; chains(rows)],
            next: vec![MISSING; rows],
            crowded: FastMap::default(),
            sizes: vec![0; limit + 1],
            pairs: 0,
        };
        for group in keys.chunk_by(|a, b| a.0 == b.0) {
            match groups.sizes.get_mut(group.len()) {
                Some(size) => {
                    *size += 1;
                    groups.pairs += pairs(group.len());
                }
                None => drop(groups.crowded.insert(group[0].0, group.len())),
            }
            for (key, row) in group {
                groups.hang(*key, *row);
            }
        }
        groups
    }

    /// Makes room for rows up to `rows`. `key` tells that of a row.
    pub(crate) fn reserve(&mut self, rows: usize, key: impl Fn(u32) -> Option<u64>) {
        let before = self.next.len() as u32;
        self.next.resize(rows.max(self.next.len()), MISSING);
        if chains(rows) <= self.heads.len() {
            return;
        }
        self.heads = vec![MISSING; chains(rows)];
        self.next.fill(MISSING);
        for row in 0..before {
            if let Some(key) = key(row) {
                self.hang(key, row);
            }
        }
    }

    /// A record comes. `is_in` tells whether a row is there and has the key.
    pub(crate) fn enter(&mut self, key: u64, row: u32, is_in: impl Fn(u32) -> bool) -> Entered {
        if let Some(records) = self.crowded.get_mut(&key) {
            *records += 1;
            self.hang(key, row);
            return Entered::Nothing;
        }
        let group = self.group(key, is_in);
        self.hang(key, row);
        if !group.is_empty() {
            self.sizes[group.len()] -= 1;
        }
        match self.sizes.get_mut(group.len() + 1) {
            Some(size) => {
                *size += 1;
                self.pairs += group.len() as u64;
                Entered::Beside(group)
            }
            None => {
                self.crowded.insert(key, group.len() + 1);
                self.pairs -= pairs(group.len());
                Entered::Crowded(group)
            }
        }
    }

    /// A record goes; `is_in` does not name it any more. Tells the rows that are candidates of each other from
    /// now on, if their group was too large before.
    pub(crate) fn leave(&mut self, key: u64, is_in: impl Fn(u32) -> bool) -> Option<Vec<u32>> {
        let Some(records) = self.crowded.get_mut(&key) else {
            let left = self.group(key, is_in).len();
            self.sizes[left + 1] -= 1;
            if left > 0 {
                self.sizes[left] += 1;
            }
            self.pairs -= left as u64;
            return None;
        };
        *records -= 1;
        if *records > self.limit {
            return None;
        }
        self.crowded.remove(&key);
        self.sizes[self.limit] += 1;
        self.pairs += pairs(self.limit);
        Some(self.group(key, is_in))
    }

    /// Whether the records of a key are compared with each other.
    pub(crate) fn compares(&self, key: u64) -> bool {
        !self.crowded.contains_key(&key)
    }

    /// Pairs of records in the groups that are compared.
    pub(crate) fn pairs(&self) -> u64 {
        self.pairs
    }

    /// What the rule costs, without its name.
    pub(crate) fn report(&self) -> RuleReport {
        let mut sizes = self.sizes.iter().enumerate().skip(2);
        RuleReport {
            rule: String::new(),
            pairs: self.pairs,
            largest_group: sizes.rfind(|(_, groups)| **groups > 0).map_or(0, |(records, _)| records),
            skipped_groups: self.crowded.len(),
            skipped_records: self.crowded.values().sum(),
        }
    }

    /// Bytes that the groups hold.
    pub(crate) fn size(&self) -> usize {
        4 * (self.heads.capacity() + self.next.capacity()) + 20 * self.crowded.capacity()
    }

    fn chain(&self, key: u64) -> usize {
        (key >> (64 - self.heads.len().ilog2())) as usize
    }

    fn hang(&mut self, key: u64, row: u32) {
        let chain = self.chain(key);
        self.next[row as usize] = std::mem::replace(&mut self.heads[chain], row);
    }

    /// The records of a group that is not too large.
    fn group(&self, key: u64, is_in: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut found = Vec::new();
        let mut row = self.heads[self.chain(key)];
        while row != MISSING {
            if is_in(row) {
                found.push(row);
            }
            row = self.next[row as usize];
        }
        found
    }
}

fn pairs(records: usize) -> u64 {
    (records * records.saturating_sub(1) / 2) as u64
}

/// The number of chains for that many rows: a power of two.
fn chains(rows: usize) -> usize {
    rows.next_power_of_two().max(2)
}
