//! Outcomes, who was treated, and what else is known of them: the state of propensity methods.

use crate::inference::Invalid;
use crate::inference::logistic::{self, Fitted};
use crate::inference::rows::Rows;

/// Rows of an outcome, a treatment and covariates.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Treatment {
    rows: Rows,
}

/// Standardised mean difference of a covariate between treated and others, before and after weighting or
/// matching: the difference of means over the root of the mean of both variances before. Below 0.1 counts as
/// balanced (Austin 2011).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Balance {
    pub(crate) before: f64,
    pub(crate) after: f64,
}

/// Rows by column, in an order of their own, with fitted propensities.
pub(super) struct Sample {
    pub(super) outcome: Vec<f64>,
    pub(super) treated: Vec<bool>,
    /// Covariates, row after row.
    pub(super) x: Vec<f64>,
    pub(super) size: usize,
    pub(super) fitted: Fitted,
}

impl Treatment {
    pub(crate) fn new(covariates: usize) -> Self {
        Self { rows: Rows::new(0, covariates + 2) }
    }

    pub(crate) fn update(&mut self, outcome: f64, treated: bool, covariates: &[f64]) -> Result<(), Invalid> {
        let mut values = Vec::with_capacity(covariates.len() + 2);
        values.extend([f64::from(u8::from(treated)), outcome]);
        values.extend_from_slice(covariates);
        self.rows.update(&[], &values)
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        self.rows.merge(&other.rows)
    }

    pub(super) fn sample(&self) -> Result<Sample, Invalid> {
        let size = self.rows.columns().saturating_sub(2);
        if size == 0 {
            return Err(Invalid::new("there is no covariate to compare treated and others by"));
        }
        let n = self.rows.len();
        let mut outcome = Vec::with_capacity(n);
        let mut treated = Vec::with_capacity(n);
        let mut x = Vec::with_capacity(n * size);
        for row in 0..n {
            if let [was_treated, y, covariates @ ..] = self.rows.values(row) {
                outcome.push(*y);
                treated.push(*was_treated == 1.0);
                x.extend_from_slice(covariates);
            }
        }
        let count = treated.iter().filter(|treated| **treated).count();
        if count < 2 || n - count < 2 {
            return Err(Invalid::new("fewer than two rows are treated, or fewer than two are not"));
        }
        let fitted = logistic::probabilities(&x, size, &treated)?;
        Ok(Sample { outcome, treated, x, size, fitted })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.rows.to_bytes()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        Ok(Self { rows: Rows::from_bytes(bytes)? })
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        self.rows.size()
    }
}

impl Sample {
    pub(super) fn len(&self) -> usize {
        self.outcome.len()
    }

    /// Balance of every covariate, where row i weighs `weights[i]` afterwards.
    pub(super) fn balance(&self, weights: &[f64]) -> Vec<Balance> {
        let balance = |column: usize| {
            let [(mean1, variance1), (mean0, variance0)] =
                [true, false].map(|side| self.weighted_moments(column, side, |_| 1.0));
            let [(after1, _), (after0, _)] =
                [true, false].map(|side| self.weighted_moments(column, side, |row| weights[row]));
            let scale = ((variance1 + variance0) / 2.0).sqrt();
            let scale = if scale > 0.0 { scale } else { f64::NAN };
            Balance { before: (mean1 - mean0) / scale, after: (after1 - after0) / scale }
        };
        (0..self.size).map(balance).collect()
    }

    fn weighted_moments(&self, column: usize, side: bool, weight: impl Fn(usize) -> f64) -> (f64, f64) {
        let rows = || (0..self.len()).filter(|row| self.treated[*row] == side);
        let value = |row: usize| self.x[row * self.size + column];
        let total: f64 = rows().map(&weight).sum();
        let mean = rows().map(|row| weight(row) * value(row)).sum::<f64>() / total;
        let squares: f64 = rows().map(|row| weight(row) * (value(row) - mean).powi(2)).sum();
        (mean, squares / (total - 1.0))
    }
}
