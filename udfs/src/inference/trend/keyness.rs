//! Keyness: terms that come up more often in one set of texts than in another.
//!
//! Dunning's (1993) G² = 2 Σ O ln(O/E) over the four cells (term or not, foreground or background), chi-square
//! with one degree of freedom, p-values corrected by Benjamini and Hochberg. Effect sizes: the base-2
//! logarithm of the odds ratio with ½ added to each cell, and JLH = (f − b)·f/b of the shares f and b
//! (infinite for a term that the background lacks).

use std::collections::BTreeMap;
use std::mem::size_of;

use crate::inference::Invalid;
use crate::inference::bytes::{Reader, Writer};
use crate::inference::compare::correction::Correction;
use crate::inference::distribution::chi_square_tail;

/// Counts of terms in foreground and background, and of what they are counted in: texts, or words.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Terms {
    counts: BTreeMap<String, [u64; 2]>,
    totals: [u64; 2],
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Keyness {
    pub(crate) term: String,
    pub(crate) foreground: u64,
    pub(crate) background: u64,
    /// G², negative for a term that is rarer in the foreground.
    pub(crate) statistic: f64,
    pub(crate) log_ratio: f64,
    pub(crate) jlh: f64,
    pub(crate) p_value: f64,
    pub(crate) p_adjusted: f64,
}

impl Terms {
    /// Counts one text. A term counts once however often it stands in `terms`.
    pub(crate) fn update<'a>(&mut self, foreground: bool, terms: impl IntoIterator<Item = &'a str>) {
        let side = usize::from(!foreground);
        self.totals[side] += 1;
        let mut distinct: Vec<&str> = terms.into_iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        for term in distinct {
            if let Some(counts) = self.counts.get_mut(term) {
                counts[side] += 1;
            } else {
                self.counts.insert(term.to_owned(), [u64::from(side == 0), u64::from(side == 1)]);
            }
        }
    }

    /// Adds what was counted elsewhere: `counts` of a term in foreground and background.
    pub(crate) fn add_term(&mut self, term: &str, counts: [u64; 2]) {
        let sums = self.counts.entry(term.to_owned()).or_default();
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }

    /// Adds texts (or words) that were counted elsewhere.
    pub(crate) fn add_totals(&mut self, totals: [u64; 2]) {
        self.totals.iter_mut().zip(totals).for_each(|(sum, count)| *sum += count);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.add_totals(other.totals);
        other.counts.iter().for_each(|(term, counts)| self.add_term(term, *counts));
    }

    /// Terms of at least `min_count` occurrences together, the most rising first; p-values are corrected for
    /// these. Refuses a term counted more often than there are texts.
    pub(crate) fn keyness(&self, min_count: u64) -> Result<Vec<Keyness>, Invalid> {
        let mut found = Vec::new();
        for (term, counts) in &self.counts {
            if counts.iter().zip(&self.totals).any(|(count, total)| count > total) {
                return Err(Invalid::new(format!("term {term} is counted more often than there are texts")));
            }
            if counts[0] + counts[1] >= min_count.max(1) {
                found.push(Keyness::new(term, *counts, self.totals));
            }
        }
        let p_values: Vec<f64> = found.iter().map(|term| term.p_value).collect();
        let adjusted = Correction::BenjaminiHochberg.adjust(&p_values);
        found.iter_mut().zip(adjusted).for_each(|(term, p)| term.p_adjusted = p);
        found.sort_by(|a, b| b.statistic.total_cmp(&a.statistic).then_with(|| a.term.cmp(&b.term)));
        Ok(found)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(self.totals[0]).integer(self.totals[1]).integer(self.counts.len() as u64);
        for (term, [foreground, background]) in &self.counts {
            writer.text(term).integer(*foreground).integer(*background);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut terms = Self { totals: [reader.integer()?, reader.integer()?], ..Self::default() };
        for _ in 0..reader.length(24)? {
            let term = reader.text()?;
            terms.add_term(term, [reader.integer()?, reader.integer()?]);
        }
        reader.finish()?;
        Ok(terms)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        let texts: usize = self.counts.keys().map(String::len).sum();
        size_of::<Self>() + texts + self.counts.len() * 56
    }
}

impl Keyness {
    fn new(term: &str, [foreground, background]: [u64; 2], totals: [u64; 2]) -> Self {
        let [a, b] = [foreground as f64, background as f64];
        let [n, m] = totals.map(|total| total as f64);
        let (c, d) = (n - a, m - b);
        let total = n + m;
        let part = |seen: f64, row: f64, column: f64| {
            if seen > 0.0 { seen * (seen * total / (row * column)).ln() } else { 0.0 }
        };
        let g2 = 2.0 * (part(a, a + b, n) + part(b, a + b, m) + part(c, c + d, n) + part(d, c + d, m));
        let g2 = g2.max(0.0);
        let (share, before) = (a / n.max(1.0), b / m.max(1.0));
        Self {
            term: term.to_owned(),
            foreground,
            background,
            statistic: if share < before { -g2 } else { g2 },
            log_ratio: ((a + 0.5) * (d + 0.5) / ((c + 0.5) * (b + 0.5))).log2(),
            jlh: if share == before { 0.0 } else { (share - before) * (share / before) },
            p_value: chi_square_tail(g2, 1.0),
            p_adjusted: f64::NAN,
        }
    }
}
