//! Words of a text and how much two texts have in common.
//!
//! A word weighs ln(rows/rows with it); the similarity is the cosine of the two weighted sets. Chinese and
//! Japanese have no spaces: pairs of neighbouring characters are their words.

use super::intern::Interner;

/// The words of the texts of a column, each text's sorted and without repetition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    vocabulary: Interner,
    /// The texts' words one after the other.
    words: Vec<u32>,
    ends: Vec<usize>,
    /// By word: rows that have it.
    rows: Vec<u32>,
    weights: Vec<f32>,
    norms: Vec<f32>,
}

impl Words {
    /// Adds the next text, which `rows` rows hold.
    pub(crate) fn push(&mut self, text: &str, rows: u32) {
        let from = self.words.len();
        for word in text.split(' ') {
            self.push_word(word);
        }
        let mut own = self.words.split_off(from);
        own.sort_unstable();
        own.dedup();
        self.rows.resize(self.vocabulary.len(), 0);
        for word in &own {
            self.rows[*word as usize] += rows;
        }
        self.words.extend(own);
        self.ends.push(self.words.len());
    }

    fn push_word(&mut self, word: &str) {
        let letters: Vec<(usize, char)> = word.char_indices().collect();
        if letters.iter().all(|(_, letter)| (*letter as u32) < 0x3040) || letters.len() < 3 {
            if !word.is_empty() {
                self.words.push(self.vocabulary.intern(word));
            }
            return;
        }
        for pair in letters.windows(2) {
            let end = pair[1].0 + pair[1].1.len_utf8();
            self.words.push(self.vocabulary.intern(&word[pair[0].0..end]));
        }
    }

    /// Works out the weights when all texts are there.
    pub(crate) fn finish(&mut self, total_rows: usize) {
        let total = total_rows.max(1) as f32;
        self.weights = self.rows.iter().map(|rows| (1.0 + total / (*rows).max(1) as f32).ln()).collect();
        self.norms = (0..self.ends.len() as u32)
            .map(|text| self.of(text).iter().map(|word| self.square(*word)).sum::<f32>().sqrt())
            .collect();
    }

    /// The words of a text, sorted by code.
    pub(crate) fn of(&self, text: u32) -> &[u32] {
        let text = text as usize;
        let start = text.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(text).and_then(|end| self.words.get(start..*end)).unwrap_or(&[])
    }

    /// Rows that have a word.
    pub(crate) fn rows(&self, word: u32) -> u32 {
        self.rows.get(word as usize).copied().unwrap_or(0)
    }

    pub(crate) fn word(&self, word: u32) -> &str {
        self.vocabulary.text(word)
    }

    pub(crate) fn texts(&self) -> usize {
        self.ends.len()
    }

    /// Cosine of two texts in 0..=1.
    pub(crate) fn cosine(&self, left: u32, right: u32) -> f64 {
        let (mut a, mut b) = (self.of(left), self.of(right));
        let mut common = 0.0;
        while let (Some(x), Some(y)) = (a.first(), b.first()) {
            if x == y {
                common += self.square(*x);
            }
            if x <= y {
                a = &a[1..];
            }
            if y <= x {
                b = &b[1..];
            }
        }
        let norm = self.norm(left) * self.norm(right);
        if norm > 0.0 { f64::from(common / norm) } else { 0.0 }
    }

    fn square(&self, word: u32) -> f32 {
        self.weights.get(word as usize).map_or(0.0, |weight| weight * weight)
    }

    fn norm(&self, text: u32) -> f32 {
        self.norms.get(text as usize).copied().unwrap_or(0.0)
    }
}
