//! A share of weighted answers, with Wilson's interval at the effective sample size.

use std::mem::size_of;

use super::weights::Weights;
use crate::inference::bytes::{Reader, Writer};
use crate::inference::{Invalid, confidence};
use crate::wilson;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Share {
    hits: f64,
    weights: Weights,
}

impl Share {
    /// `hits` of `n` answers of weight 1.
    pub(crate) fn of(hits: f64, n: f64) -> Result<Self, Invalid> {
        if hits >= 0.0 && hits <= n && n.is_finite() {
            return Ok(Self { hits, weights: Weights { n, sum: n, squares: n } });
        }
        Err(Invalid::new(format!("{hits} of {n} is not a share")))
    }

    pub(crate) fn update(&mut self, hit: bool, weight: f64) -> Result<(), Invalid> {
        self.weights.update(weight)?;
        self.hits += if hit { weight } else { 0.0 };
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.hits += other.hits;
        self.weights.merge(&other.weights);
    }

    /// Between 0 and 1; `None` without answers.
    pub(crate) fn share(&self) -> Option<f64> {
        (self.weights.sum > 0.0).then(|| (self.hits / self.weights.sum).clamp(0.0, 1.0))
    }

    /// Wilson's interval; `None` without answers.
    pub(crate) fn interval(&self, conf: f64) -> Result<Option<(f64, f64)>, Invalid> {
        let conf = confidence(conf)?;
        let n = self.n_effective();
        Ok(self.share().map(|share| wilson::interval(share * n, n, conf)))
    }

    pub(crate) fn n(&self) -> f64 {
        self.weights.n
    }

    pub(crate) fn n_effective(&self) -> f64 {
        self.weights.n_effective()
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.number(self.hits);
        self.weights.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let share = Self { hits: reader.number()?, weights: Weights::read(&mut reader)? };
        reader.finish()?;
        Ok(share)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
    }
}
