//! Sentences that stand for many texts.
//!
//! Every sentence is a tf·idf vector; its weight is its cosine with the centroid of all (Radev et al. 2004). The
//! next pick is the sentence that balances weight against likeness to those already picked (maximal marginal
//! relevance, Carbonell and Goldstein 1998, λ = 0.7). Sentences are quoted, never changed.

use std::collections::HashSet;

use super::Invalid;
use super::features::{DIMENSIONS, Vector, cosine, dot, vectors};

/// Share of the weight in the choice; the rest is difference from what is picked.
const RELEVANCE: f32 = 0.7;

/// Letters and digits that a sentence has at least, and different ones from which on it is no better for more.
const SHORTEST: usize = 4;
pub(super) const FULL: usize = 12;
/// Beyond this many a sentence weighs less in proportion.
const LONGEST: usize = 80;

/// A picked sentence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pick {
    /// Number of the text it stands in.
    pub(crate) source: usize,
    /// Its place in that text, in characters; the end is behind the last.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// As it stands in the text, without white space around it.
    pub(crate) sentence: String,
    /// Cosine with the centroid, from 0 to 1, less for very short and very long sentences.
    pub(crate) score: f64,
}

/// Up to `k` sentences of `texts`, the best first; fewer if there are not as many different ones. Of equal
/// sentences the first counts. Which sentences are picked does not depend on the order of the texts.
pub(crate) fn summarize(texts: &[&str], k: usize) -> Result<Vec<Pick>, Invalid> {
    if k == 0 {
        return Err(Invalid::new(
            "number of sentences 0 is not positive".to_owned(),
            "Ask for one sentence or more.",
        ));
    }
    let sentences = different(texts);
    let quotes: Vec<&str> = sentences.iter().map(|sentence| sentence.text).collect();
    let vectors = vectors(&quotes);
    let scores = weights(&sentences, &vectors);
    let picked = pick(&quotes, &vectors, &scores, k);
    Ok(picked.into_iter().map(|place| sentences[place].quote(scores[place])).collect())
}

struct Sentence<'a> {
    source: usize,
    start: usize,
    text: &'a str,
    letters: usize,
    /// Different letters and digits: to say 好的 twenty times is not to say more.
    variety: usize,
    /// How often it occurs.
    count: usize,
}

impl Sentence<'_> {
    fn quote(&self, score: f32) -> Pick {
        Pick {
            source: self.source,
            start: self.start,
            end: self.start + self.text.chars().count(),
            sentence: self.text.to_owned(),
            score: f64::from(score),
        }
    }
}

/// The sentences that differ, each where it stands first, ordered by their text.
fn different<'a>(texts: &[&'a str]) -> Vec<Sentence<'a>> {
    let mut all = Vec::new();
    for (source, text) in texts.iter().enumerate() {
        split(text, source, &mut all);
    }
    all.sort_by(|a, b| (a.text, a.source, a.start).cmp(&(b.text, b.source, b.start)));
    all.dedup_by(|next, kept| {
        let equal = next.text == kept.text;
        kept.count += usize::from(equal) * next.count;
        equal
    });
    all
}

/// Appends the sentences of one text that are long enough.
fn split<'a>(text: &'a str, source: usize, sentences: &mut Vec<Sentence<'a>>) {
    let (mut from, mut from_char, mut chars) = (0, 0, 0);
    let mut rest = text.char_indices().peekable();
    while let Some((place, c)) = rest.next() {
        chars += 1;
        let next = rest.peek().map(|(_, next)| *next);
        let last = next.is_none();
        if last || (ends_sentence(c, next) && !next.is_some_and(|next| ends_sentence(next, None))) {
            let end = place + c.len_utf8();
            let piece = &text[from..end];
            let trimmed = piece.trim();
            let skipped = piece.len() - piece.trim_start().len();
            let start = from_char + piece[..skipped].chars().count();
            let letters = trimmed.chars().filter(|c| c.is_alphanumeric()).count();
            if letters >= SHORTEST {
                sentences.push(Sentence {
                    source,
                    start,
                    text: trimmed,
                    letters,
                    variety: variety(trimmed),
                    count: 1,
                });
            }
            (from, from_char) = (end, chars);
        }
    }
}

/// How many different letters and digits there are.
pub(super) fn variety(text: &str) -> usize {
    let mut letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.sort_unstable();
    letters.dedup();
    letters.len()
}

fn ends_sentence(c: char, next: Option<char>) -> bool {
    match c {
        '。' | '！' | '？' | '；' | '!' | '?' | ';' | '\n' | '…' => true,
        '.' => next.is_none_or(char::is_whitespace),
        _ => false,
    }
}

fn weights(sentences: &[Sentence<'_>], vectors: &[Vector]) -> Vec<f32> {
    let mut centroid = vec![0.0_f32; DIMENSIONS];
    for (sentence, vector) in sentences.iter().zip(vectors) {
        for (dimension, weight) in vector {
            centroid[*dimension as usize] += weight * sentence.count as f32;
        }
    }
    let length = centroid.iter().map(|weight| weight * weight).sum::<f32>().sqrt();
    let weigh = |(sentence, vector): (&Sentence<'_>, &Vector)| {
        let fitness = (sentence.variety as f32 / FULL as f32).min(1.0)
            * (LONGEST as f32 / sentence.letters as f32).min(1.0);
        if length > 0.0 { dot(vector, &centroid) / length * fitness.sqrt() } else { 0.0 }
    };
    sentences.iter().zip(vectors).map(weigh).collect()
}

/// Maximal marginal relevance; sentences that are nearly the same as a picked one are never taken.
fn pick(quotes: &[&str], vectors: &[Vector], scores: &[f32], k: usize) -> Vec<usize> {
    const SAME: f32 = 0.9;
    let mut picked = Vec::new();
    let mut taken = HashSet::new();
    let mut likeness = vec![0.0_f32; quotes.len()];
    while picked.len() < k.min(quotes.len()) {
        let value = |place: &usize| RELEVANCE * scores[*place] - (1.0 - RELEVANCE) * likeness[*place];
        let open = (0..quotes.len()).filter(|place| !taken.contains(place) && likeness[*place] < SAME);
        // Of equal values the first in the order of the texts' characters wins.
        let Some(best) = open.max_by(|a, b| value(a).total_cmp(&value(b)).then(b.cmp(a))) else { break };
        for (place, vector) in vectors.iter().enumerate() {
            likeness[place] = likeness[place].max(cosine(vector, &vectors[best]));
        }
        taken.insert(best);
        picked.push(best);
    }
    picked
}
