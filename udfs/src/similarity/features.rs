//! Texts as sparse vectors: pairs of Chinese characters and words of other scripts, hashed, weighed by tf·idf and
//! of length 1.

use std::collections::HashMap;

use super::shingles::mix;
use crate::script::{fold, is_han};

/// Dimensions of a vector.
pub(super) const DIMENSIONS: usize = 1 << 14;

/// Dimension and weight, in order of dimensions; of length 1 or empty.
pub(super) type Vector = Vec<(u32, f32)>;

/// Words that say nothing about what a text is about.
const STOP_WORDS: [&str; 60] = [
    "a", "an", "the", "and", "or", "but", "of", "to", "in", "on", "at", "for", "with", "by", "from", "as",
    "is", "are", "was", "were", "be", "been", "it", "its", "this", "that", "these", "those", "i", "you",
    "he", "she", "we", "they", "my", "your", "our", "their", "me", "him", "her", "us", "them", "have", "has",
    "had", "do", "does", "did", "not", "no", "so", "if", "there", "will", "would", "can", "could", "just",
    "very",
];

/// Characters that pairs do not begin or end with.
const STOP_CHARACTERS: &str = "的了是我你他她它们在就也都很还和有这那个吧吗呢啊呀哦嘛么";

/// One vector a text. A feature in one text alone of many, or in most of them, weighs little or nothing.
pub(super) fn vectors(texts: &[&str]) -> Vec<Vector> {
    let counts: Vec<HashMap<u32, f32>> = texts.iter().map(|text| count(text)).collect();
    let mut documents = vec![0_u32; DIMENSIONS];
    for dimension in counts.iter().flat_map(HashMap::keys) {
        documents[*dimension as usize] += 1;
    }
    let n = texts.len() as f32;
    let idf = |dimension: u32| ((1.0 + n) / (1.0 + documents[dimension as usize] as f32)).ln() + 1.0;
    counts
        .into_iter()
        .map(|counts| {
            let weigh = |(dimension, count): (u32, f32)| (dimension, (1.0 + count.ln()) * idf(dimension));
            let mut vector: Vector = counts.into_iter().map(weigh).collect();
            vector.sort_unstable_by_key(|(dimension, _)| *dimension);
            normalise(&mut vector);
            vector
        })
        .collect()
}

fn normalise(vector: &mut Vector) {
    let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|(_, weight)| *weight /= length);
    }
}

fn dimension(hash: u64) -> u32 {
    (mix(hash) % DIMENSIONS as u64) as u32
}

/// How often each feature occurs in `text`.
fn count(text: &str) -> HashMap<u32, f32> {
    let mut counts = HashMap::new();
    let mut add = |hash: u64| *counts.entry(dimension(hash)).or_insert(0.0) += 1.0;
    let mut before = None;
    let mut word = String::new();
    for c in text.chars().map(fold).chain([' ']) {
        let spaced = c.is_alphanumeric() && !is_han(c);
        if spaced {
            word.push(c);
        } else if !word.is_empty() {
            if !STOP_WORDS.contains(&word.as_str()) {
                add(word.chars().fold(7, |hash, c| mix(hash ^ u64::from(u32::from(c)))));
            }
            word.clear();
        }
        let character = Some(c).filter(|c| is_han(*c) && !STOP_CHARACTERS.contains(*c));
        if let (Some(first), Some(second)) = (before, character) {
            add((u64::from(u32::from(first)) << 32) | u64::from(u32::from(second)));
        }
        before = character;
    }
    if counts.is_empty() {
        // A text of one word, or of none but particles, is that.
        for c in text.chars().filter(|c| c.is_alphanumeric()).map(fold) {
            *counts.entry(dimension(u64::from(u32::from(c)))).or_insert(0.0) += 1.0;
        }
    }
    counts
}

/// Cosine of the angle between two vectors.
pub(super) fn cosine(a: &Vector, b: &Vector) -> f32 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    while let (Some(left), Some(right)) = (a.get(i), b.get(j)) {
        if left.0 == right.0 {
            sum += left.1 * right.1;
        }
        i += usize::from(left.0 <= right.0);
        j += usize::from(right.0 <= left.0);
    }
    sum
}

/// Product of a vector with one that has every dimension.
pub(super) fn dot(vector: &Vector, dense: &[f32]) -> f32 {
    vector.iter().map(|(dimension, weight)| weight * dense[*dimension as usize]).sum()
}
