//! Training and test halves that share no near-duplicate.
//!
//! Two texts whose sets of character pairs overlap by 0.6 (Jaccard) or more belong to one family, and a
//! family goes to one side whole, by a hash of its first text.

use std::collections::{HashMap, HashSet};

use crate::data::Text;

const ALIKE: f64 = 0.6;
const BANDS: u64 = 16;
const ROWS: u64 = 3;

/// Of each text, the fifth (0 to 4) that its family is in.
pub fn folds(texts: &[Text]) -> Vec<u8> {
    let sets: Vec<HashSet<u64>> = texts.iter().map(|text| pairs(&text.chars)).collect();
    let mut families: Vec<usize> = (0..texts.len()).collect();
    for band in 0..BANDS {
        let mut buckets: HashMap<Vec<u64>, Vec<usize>> = HashMap::new();
        for (index, set) in sets.iter().enumerate() {
            let key = (0..ROWS).map(|row| minimum(set, band * ROWS + row)).collect();
            buckets.entry(key).or_default().push(index);
        }
        for bucket in buckets.values() {
            for (at, &a) in bucket.iter().enumerate() {
                for &b in bucket[..at].iter().rev().take(50) {
                    if root(&mut families, a) != root(&mut families, b) && alike(&sets[a], &sets[b]) {
                        unite(&mut families, a, b);
                    }
                }
            }
        }
    }
    (0..texts.len()).map(|index| fold(texts, root(&mut families, index))).collect()
}

fn fold(texts: &[Text], root: usize) -> u8 {
    let hash = texts[root].chars.iter().fold(7, |hash, &c| mix(hash ^ u64::from(c)));
    (hash % 5) as u8
}

fn pairs(chars: &[char]) -> HashSet<u64> {
    let kept: Vec<u64> = chars.iter().filter(|c| c.is_alphanumeric()).map(|&c| u64::from(c)).collect();
    match kept.len() {
        0 | 1 => kept.into_iter().collect(),
        _ => kept.windows(2).map(|pair| pair[0] << 32 | pair[1]).collect(),
    }
}

fn alike(a: &HashSet<u64>, b: &HashSet<u64>) -> bool {
    let common = a.intersection(b).count() as f64;
    common >= ALIKE * (a.len() as f64 + b.len() as f64 - common)
}

fn minimum(set: &HashSet<u64>, seed: u64) -> u64 {
    set.iter().map(|&pair| mix(pair ^ mix(seed + 1))).min().unwrap_or(0)
}

/// Links the later family to the earlier, so that the root is the first text.
fn unite(families: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(families, a), root(families, b));
    families[a.max(b)] = a.min(b);
}

fn root(families: &mut [usize], mut index: usize) -> usize {
    while families[index] != index {
        families[index] = families[families[index]];
        index = families[index];
    }
    index
}

pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
