//! A text as the set of its runs of three characters.
//!
//! Before that it is folded: lower-case and half-width, and all that is neither letter nor digit is left out, so
//! that punctuation, emoji and white space do not count. A text of one or two characters is one shingle, a text
//! without any has none.

use crate::script::fold;

/// Hashes of the shingles of `text`, in order, each once.
pub(super) fn shingles(text: &str) -> Vec<u32> {
    let mut hashes = Vec::new();
    shingles_into(text, &mut hashes);
    hashes
}

/// The same into memory that is used again.
pub(super) fn shingles_into(text: &str, hashes: &mut Vec<u32>) {
    hashes.clear();
    for_each(text, |hash| hashes.push((hash >> 32) as u32));
    hashes.sort_unstable();
    hashes.dedup();
}

/// Calls `emit` with a 64-bit hash of every shingle, repeated ones as often as they occur.
pub(super) fn for_each(text: &str, mut emit: impl FnMut(u64)) {
    let (mut first, mut second, mut count) = (0_u64, 0_u64, 0_usize);
    for c in text.chars().filter_map(letter) {
        let third = u64::from(u32::from(c));
        count += 1;
        if count >= 3 {
            emit(mix((first << 42) ^ (second << 21) ^ third));
        }
        (first, second) = (second, third);
    }
    if count == 1 || count == 2 {
        emit(mix((first << 21) ^ second ^ (1 << 63)));
    }
}

/// The folded character if it is a letter or digit; the frequent ones are settled without a table.
fn letter(c: char) -> Option<char> {
    match c {
        'a'..='z' | '0'..='9' | '\u{4e00}'..='\u{9fff}' => Some(c),
        'A'..='Z' => Some(c.to_ascii_lowercase()),
        c if c.is_ascii() || !c.is_alphanumeric() => None,
        c => Some(fold(c)),
    }
}

/// A permutation of 64-bit numbers whose every output bit depends on every input bit.
pub(super) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Jaccard's similarity of two ordered sets; two empty sets are alike.
pub(super) fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0_usize);
    while let (Some(left), Some(right)) = (a.get(i), b.get(j)) {
        common += usize::from(left == right);
        i += usize::from(left <= right);
        j += usize::from(right <= left);
    }
    let union = a.len() + b.len() - common;
    if union == 0 { 1.0 } else { common as f64 / union as f64 }
}

/// Jaccard's similarity of the shingles of two texts, from 0 to 1: shingles in both over shingles in either.
pub(crate) fn text_similarity(a: &str, b: &str) -> f64 {
    jaccard(&shingles(a), &shingles(b))
}
