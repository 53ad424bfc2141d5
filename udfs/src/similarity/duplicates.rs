//! Texts that say the same with small differences.
//!
//! Candidates share one of the 16 bands of 4 places of their signatures (Broder 1997; Leskovec, Rajaraman and
//! Ullman 2014, 3.4); of them those are duplicates whose true Jaccard similarity reaches the threshold, and
//! groups are the connected components. A pair of similarity s is a candidate with probability
//! 1 − (1 − s⁴)¹⁶: .9998 at 0.8, .99 at 0.7, .64 at 0.5.

use std::collections::HashMap;

use super::Invalid;
use super::minhash::{PLACES, Signature};
use super::shingles::{jaccard, mix, shingles_into};

const BANDS: usize = 16;
const ROWS: usize = PLACES / BANDS;

/// In a band that more texts than this share, every text is compared with so many after it in the order of
/// their shingles; boilerplate with a changing number would take quadratic time otherwise.
const NEIGHBOURS: usize = 64;

/// For every text the row of the first text of its group, itself if it stands alone. Texts whose `signatures`
/// ([`super::minhash`] of the same text) are alike are compared; `threshold` is the least Jaccard similarity of
/// two neighbours in a group, above 0 and up to 1. Texts without letters and digits stand alone.
///
/// Which texts share a group does not depend on the order of the rows.
pub(crate) fn near_duplicates(
    texts: &[&str],
    signatures: &[Signature],
    threshold: f64,
) -> Result<Vec<usize>, Invalid> {
    if !(threshold > 0.0 && threshold <= 1.0) {
        let hint = "The threshold is a Jaccard similarity above 0 and up to 1, such as 0.8.";
        return Err(Invalid::new(format!("similarity threshold {threshold} is out of range"), hint));
    }
    if texts.len() != signatures.len() {
        let message = format!("{} texts do not go with {} signatures", texts.len(), signatures.len());
        return Err(Invalid::new(message, "Pass the signature of every text, in the same order."));
    }
    let sets = Sets::of(texts);
    let mut groups = Groups::new(texts.len());
    let distinct = unite_equal(&sets, &mut groups);
    let mut band: Vec<(u64, u32)> = Vec::with_capacity(distinct.len());
    for number in 0..BANDS {
        band.clear();
        band.extend(distinct.iter().map(|&row| (band_hash(&signatures[row as usize], number), row)));
        band.sort_unstable_by_key(|(hash, _)| *hash);
        for bucket in band.chunk_by_mut(|a, b| a.0 == b.0).filter(|bucket| bucket.len() > 1) {
            unite_alike(bucket, &sets, threshold, &mut groups);
        }
    }
    Ok(groups.first_rows())
}

fn band_hash(signature: &Signature, band: usize) -> u64 {
    signature[band * ROWS..(band + 1) * ROWS].iter().fold(0, |hash, value| mix(hash ^ u64::from(*value)))
}

/// Unites rows of equal shingles and returns one row of each kind that has any.
fn unite_equal(sets: &Sets, groups: &mut Groups) -> Vec<u32> {
    let mut first: HashMap<&[u32], u32> = HashMap::with_capacity(groups.parents.len());
    let mut distinct = Vec::new();
    for row in 0..sets.len() {
        let set = sets.get(row);
        if set.is_empty() {
            continue;
        }
        match first.entry(set) {
            std::collections::hash_map::Entry::Occupied(entry) => groups.unite(*entry.get(), row as u32),
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(row as u32);
                distinct.push(row as u32);
            }
        }
    }
    distinct
}

/// Unites the rows of one bucket that are alike enough.
fn unite_alike(bucket: &mut [(u64, u32)], sets: &Sets, threshold: f64, groups: &mut Groups) {
    let mut reach = bucket.len();
    if reach > NEIGHBOURS {
        // Which pairs are compared must not depend on the order of the rows.
        bucket.sort_unstable_by(|(_, a), (_, b)| sets.get(*a as usize).cmp(sets.get(*b as usize)));
        reach = NEIGHBOURS;
    }
    for (place, &(_, row)) in bucket.iter().enumerate() {
        let set = sets.get(row as usize);
        for &(_, other) in bucket[place + 1..].iter().take(reach) {
            if groups.find(row) != groups.find(other) {
                let candidate = sets.get(other as usize);
                if may_reach(set.len(), candidate.len(), threshold) && jaccard(set, candidate) >= threshold {
                    groups.unite(row, other);
                }
            }
        }
    }
}

/// The similarity cannot exceed the ratio of the sizes.
fn may_reach(a: usize, b: usize, threshold: f64) -> bool {
    a.min(b) as f64 >= threshold * a.max(b) as f64
}

/// The shingles of all texts, in one piece of memory.
struct Sets {
    hashes: Vec<u32>,
    ends: Vec<usize>,
}

impl Sets {
    fn of(texts: &[&str]) -> Self {
        let mut sets = Self { hashes: Vec::new(), ends: Vec::with_capacity(texts.len()) };
        let mut buffer = Vec::new();
        for text in texts {
            shingles_into(text, &mut buffer);
            sets.hashes.extend_from_slice(&buffer);
            sets.ends.push(sets.hashes.len());
        }
        sets
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, row: usize) -> &[u32] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.hashes[start..self.ends[row]]
    }
}

/// Disjoint sets of rows; the smallest row stands for each.
struct Groups {
    parents: Vec<u32>,
}

impl Groups {
    fn new(rows: usize) -> Self {
        Self { parents: (0..rows as u32).collect() }
    }

    fn find(&mut self, row: u32) -> u32 {
        let mut row = row as usize;
        while self.parents[row] as usize != row {
            self.parents[row] = self.parents[self.parents[row] as usize];
            row = self.parents[row] as usize;
        }
        row as u32
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    fn first_rows(mut self) -> Vec<usize> {
        (0..self.parents.len() as u32).map(|row| self.find(row) as usize).collect()
    }
}
