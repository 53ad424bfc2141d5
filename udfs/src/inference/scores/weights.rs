//! Effective sample size of weighted answers.
//!
//! n_eff = (Σw)²/Σw² and the design effect n/n_eff; Kish (1965), *Survey Sampling*. Multiplying all weights
//! by a constant changes neither.

use crate::inference::bytes::{Reader, Writer};
use crate::inference::{Invalid, finite};

/// Sums of weights; answers of weight 0 are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Weights {
    pub(crate) n: f64,
    pub(crate) sum: f64,
    pub(crate) squares: f64,
}

impl Weights {
    /// Refuses a negative weight, NaN and infinity.
    pub(crate) fn update(&mut self, weight: f64) -> Result<(), Invalid> {
        if finite(weight, "weight")? < 0.0 {
            return Err(Invalid::new(format!("weight {weight} is negative")));
        }
        if weight > 0.0 {
            self.n += 1.0;
            self.sum += weight;
            self.squares += weight * weight;
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// 0 without answers.
    pub(crate) fn n_effective(&self) -> f64 {
        if self.squares > 0.0 { self.sum * (self.sum / self.squares) } else { 0.0 }
    }

    /// `None` without answers; 1 when all weights are equal.
    pub(crate) fn design_effect(&self) -> Option<f64> {
        (self.squares > 0.0).then(|| self.n / self.n_effective())
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.number(self.n).number(self.sum).number(self.squares);
    }

    pub(crate) fn read(reader: &mut Reader) -> Result<Self, Invalid> {
        Ok(Self { n: reader.number()?, sum: reader.number()?, squares: reader.number()? })
    }
}
