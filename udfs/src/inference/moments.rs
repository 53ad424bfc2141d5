//! Count, mean and sum of squared deviations: the state of tests of means.
//!
//! Updated by Welford (1962), merged by Chan, Golub and LeVeque (1979).

use std::mem::size_of;

use super::bytes::{Reader, Writer};
use super::{Invalid, finite};

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    pub(crate) n: f64,
    pub(crate) mean: f64,
    /// Σ (x − mean)².
    pub(crate) squares: f64,
}

impl Moments {
    /// Counts `value`; refuses NaN and infinity.
    pub(crate) fn update(&mut self, value: f64) -> Result<(), Invalid> {
        let before = finite(value, "value")? - self.mean;
        self.n += 1.0;
        self.mean += before / self.n;
        self.squares += before * (value - self.mean);
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.n == 0.0 {
            return;
        }
        let n = self.n + other.n;
        let between = other.mean - self.mean;
        self.mean += between * other.n / n;
        self.squares += other.squares + between * between * (self.n * other.n / n);
        self.n = n;
    }

    /// Sample variance; `None` for fewer than two values.
    pub(crate) fn variance(&self) -> Option<f64> {
        (self.n >= 2.0).then(|| self.squares / (self.n - 1.0))
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.number(self.n).number(self.mean).number(self.squares);
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let moments = Self { n: reader.number()?, mean: reader.number()?, squares: reader.number()? };
        reader.finish()?;
        Ok(moments)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
    }
}
