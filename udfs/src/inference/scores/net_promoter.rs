//! Net Promoter Score of weighted answers, with its interval at the effective sample size.
//!
//! With weighted shares p of promoters (9–10) and d of detractors (0–6), NPS = 100 (p − d) and its variance
//! 100²(p + d − (p − d)²)/n_eff, n_eff = (Σw)²/Σw². The interval is the adjusted Wald interval of Rocks
//! (2016), The American Statistician 70(4): ¾, 1½ and ¾ answers added to the detractors, passives and
//! promoters of n_eff answers, cut to −100..100. With equal weights it is that of plain counts.

use std::mem::size_of;

use super::weights::Weights;
use crate::inference::bytes::{Reader, Writer};
use crate::inference::{Invalid, confidence};
use crate::normal;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct NetPromoter {
    detractors: f64,
    promoters: f64,
    weights: Weights,
    /// Answers that are not a whole number from 0 to 10.
    pub(crate) invalid: u64,
}

impl NetPromoter {
    /// Counts of answers of weight 1.
    pub(crate) fn of(detractors: u64, passives: u64, promoters: u64) -> Self {
        let n = detractors as f64 + passives as f64 + promoters as f64;
        let weights = Weights { n, sum: n, squares: n };
        Self { detractors: detractors as f64, promoters: promoters as f64, weights, invalid: 0 }
    }

    /// Answers off the scale, NaN among them, only count as invalid.
    pub(crate) fn update(&mut self, score: f64, weight: f64) -> Result<(), Invalid> {
        if score.fract() != 0.0 || !(0.0..=10.0).contains(&score) {
            self.invalid += 1;
            return Ok(());
        }
        self.weights.update(weight)?;
        if score >= 9.0 {
            self.promoters += weight;
        } else if score <= 6.0 {
            self.detractors += weight;
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.detractors += other.detractors;
        self.promoters += other.promoters;
        self.weights.merge(&other.weights);
        self.invalid += other.invalid;
    }

    /// −100..100; `None` without a valid answer.
    pub(crate) fn score(&self) -> Option<f64> {
        (self.weights.sum > 0.0).then(|| self.moments(0.0).0)
    }

    /// Adjusted Wald interval; `None` without a valid answer.
    pub(crate) fn interval(&self, conf: f64) -> Result<Option<(f64, f64)>, Invalid> {
        let half = normal::two_sided(confidence(conf)?);
        Ok(self.score().map(|_| {
            let (score, variance) = self.moments(1.0);
            let half = half * variance.sqrt();
            ((score - half).max(-100.0), (score + half).min(100.0))
        }))
    }

    pub(crate) fn n(&self) -> f64 {
        self.weights.n
    }

    pub(crate) fn n_effective(&self) -> f64 {
        self.weights.n_effective()
    }

    /// Score and its variance in squared points, after `added` times the adjustment. NaN without answers.
    pub(crate) fn moments(&self, added: f64) -> (f64, f64) {
        let n = self.n_effective();
        let scale = n / self.weights.sum;
        let total = n + 3.0 * added;
        let promoters = (self.promoters * scale + 0.75 * added) / total;
        let detractors = (self.detractors * scale + 0.75 * added) / total;
        let net = promoters - detractors;
        let variance = ((promoters + detractors - net * net) / total).max(0.0);
        (100.0 * net, 1e4 * variance)
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.number(self.detractors).number(self.promoters).integer(self.invalid);
        self.weights.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let (detractors, promoters) = (reader.number()?, reader.number()?);
        let invalid = reader.integer()?;
        let weights = Weights::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { detractors, promoters, weights, invalid })
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
    }
}
