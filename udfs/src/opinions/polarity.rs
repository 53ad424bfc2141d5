//! Praise, criticism or neither: a linear model on the opinion, the aspect and what stands around them.
//!
//! Runs of one to three characters of the opinion, each also with the state of negation there; its words
//! with the aspect's last word; four characters to each side; the lexicon's polarity with negation and
//! degree applied.

use std::ops::Range;

use super::lexicon::Mark;
use super::model::{Model, POLARITY_BITS};
use super::sentence::Sentence;

/// Characters that are looked at to each side of the opinion.
const CONTEXT: usize = 4;

/// Characters of an opinion that are looked at.
const LONGEST: usize = 24;

/// Polarity of the opinion, and how sure the model is of it in 0..1.
pub(crate) fn classify(
    model: &Model,
    sentence: &Sentence,
    aspect: Option<&Range<usize>>,
    opinion: &Range<usize>,
) -> (i8, f64) {
    let mut sum = [0i32; 3];
    visit(sentence, aspect, opinion, &mut |row| {
        if let Some(row) = model.polarity.get(row) {
            for (total, &weight) in sum.iter_mut().zip(row) {
                *total += i32::from(weight);
            }
        }
    });
    let scores = sum.map(|total| f64::from(total) * f64::from(model.polarity_scale));
    let best = (0..3).fold(2, |best, class| if scores[class] > scores[best] { class } else { best });
    let total: f64 = scores.iter().map(|score| (score - scores[best]).exp()).sum();
    (best as i8 - 1, 1.0 / total)
}

/// Calls `emit` with each row of the weight table that speaks for the polarity.
pub(crate) fn visit(
    sentence: &Sentence,
    aspect: Option<&Range<usize>>,
    opinion: &Range<usize>,
    emit: &mut impl FnMut(usize),
) {
    let opinion = opinion.start..opinion.end.min(opinion.start + LONGEST).min(sentence.chars.len());
    let mut put = |template: u32, key: u64| emit(row(template, key));
    put(0, 0);
    runs(sentence, &opinion, &mut put);
    context(sentence, &opinion, &mut put);
    words(sentence, aspect, &opinion, &mut put);
    let wide = opinion.start.saturating_sub(CONTEXT)..(opinion.end + CONTEXT).min(sentence.chars.len());
    put(20, lexicon_key(sentence, &opinion));
    put(21, lexicon_key(sentence, &wide));
}

fn runs(sentence: &Sentence, opinion: &Range<usize>, put: &mut impl FnMut(u32, u64)) {
    let chars = &sentence.chars;
    let mut negated = false;
    for start in opinion.clone() {
        let mut key = 0;
        for (length, &c) in (0u32..).zip(&chars[start..opinion.end.min(start + 3)]) {
            key = mix(key, c);
            put(1 + length, key);
            put(4 + length, mix(key, if negated { 'n' } else { 'p' }));
        }
        if matches!(sentence.marks.get(start), Some(Mark::Negator { first: true })) {
            negated = !negated;
        }
    }
    let whole = chars[opinion.clone()].iter().fold(0, |key, &c| mix(key, c));
    put(7, whole);
}

fn context(sentence: &Sentence, opinion: &Range<usize>, put: &mut impl FnMut(u32, u64)) {
    let chars = &sentence.chars;
    let before = opinion.start.saturating_sub(CONTEXT)..opinion.start;
    let behind = opinion.end..(opinion.end + CONTEXT).min(chars.len());
    for (template, side) in [(8, before), (10, behind)] {
        for at in side.clone() {
            put(template, mix(1, chars[at]));
            if at + 1 < side.end {
                put(template + 1, mix(mix(1, chars[at]), chars[at + 1]));
            }
        }
    }
}

fn words(
    sentence: &Sentence,
    aspect: Option<&Range<usize>>,
    opinion: &Range<usize>,
    put: &mut impl FnMut(u32, u64),
) {
    let index = |place: usize| sentence.word_of.get(place).map(|&index| usize::from(index));
    let last = aspect.and_then(|aspect| index(aspect.end.checked_sub(1)?));
    let head = last.and_then(|last| sentence.words.get(last)).map_or(1, |word| u64::from(word.hash));
    let (Some(first), Some(end)) = (index(opinion.start), index(opinion.end.saturating_sub(1))) else {
        return;
    };
    let mut previous = 0;
    for word in sentence.words.get(first..=end).unwrap_or_default() {
        let hash = u64::from(word.hash);
        put(12, hash);
        put(13, hash << 16 ^ previous);
        put(14, hash << 16 ^ head);
        previous = hash;
    }
    put(15, head);
}

/// The signs of the lexicon's terms in a stretch, negators applied, as one key.
fn lexicon_key(sentence: &Sentence, span: &Range<usize>) -> u64 {
    let (mut up, mut down, mut negated, mut degree, mut contrast) = (0u64, 0u64, false, 0u64, 0u64);
    for mark in sentence.marks.get(span.clone()).unwrap_or_default() {
        match *mark {
            Mark::Negator { first: true } => negated = !negated,
            Mark::Degree { tenths, first: true } => degree = u64::from(tenths < 10) + 1,
            Mark::Contrast { first: true } => contrast = 1,
            Mark::Polarity { tenths, first: true } if tenths != 0 => {
                if (tenths > 0) == negated {
                    down += 1;
                } else {
                    up += 1;
                }
                negated = false;
            }
            _ => {}
        }
    }
    up.min(2) | down.min(2) << 4 | u64::from(negated) << 8 | degree << 12 | contrast << 16
}

fn row(template: u32, key: u64) -> usize {
    let mixed = (key ^ (key >> 32) ^ u64::from(template) << 56).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((mixed ^ (mixed >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - POLARITY_BITS)) as usize
}

fn mix(key: u64, c: char) -> u64 {
    (key.rotate_left(21) ^ u64::from(c)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
