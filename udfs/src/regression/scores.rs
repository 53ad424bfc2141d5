//! Scores as they enter a metric, and their mean and variance.

use super::bytes::{Reader, Writer};

/// What is averaged over the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    /// The score itself.
    Mean,
    /// 100 for a promoter (9 or 10), 0 for a passive, −100 for a detractor (0 to 6), so that the mean is the
    /// Net Promoter Score.
    Nps,
}

impl Metric {
    /// What a score counts; `None` for a score that is not finite or, for NPS, not a whole number from 0 to 10.
    pub(super) fn value(self, score: f64) -> Option<f64> {
        match self {
            Metric::Mean => score.is_finite().then_some(score),
            Metric::Nps if score.fract() != 0.0 || !(0.0..=10.0).contains(&score) => None,
            Metric::Nps if score >= 9.0 => Some(100.0),
            Metric::Nps if score >= 7.0 => Some(0.0),
            Metric::Nps => Some(-100.0),
        }
    }
}

/// Count, weights, mean and sum of squares of scores (Welford 1962; Chan, Golub and LeVeque 1979).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Scores {
    pub(super) rows: u64,
    pub(super) weight: f64,
    squared_weight: f64,
    mean: f64,
    squares: f64,
}

impl Scores {
    pub(super) fn one(value: f64, weight: f64) -> Self {
        Self { rows: 1, weight, squared_weight: weight * weight, mean: value, squares: 0.0 }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if other.rows == 0 {
            return;
        }
        let weight = self.weight + other.weight;
        let between = other.mean - self.mean;
        self.squares += other.squares + between * between * self.weight * (other.weight / weight);
        self.mean += between * (other.weight / weight);
        self.rows += other.rows;
        self.weight = weight;
        self.squared_weight += other.squared_weight;
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.rows > 0).then_some(self.mean)
    }

    /// Variance over the rows, divided by the weights.
    pub(super) fn variance(&self) -> f64 {
        if self.rows > 0 { self.squares / self.weight } else { 0.0 }
    }

    /// Kish's effective number of rows.
    pub(super) fn effective_rows(&self) -> f64 {
        if self.rows > 0 { self.weight * self.weight / self.squared_weight } else { 0.0 }
    }

    /// Variance of the mean; `None` for fewer than two effective rows.
    pub(super) fn variance_of_mean(&self) -> Option<f64> {
        let rows = self.effective_rows();
        (rows >= 2.0).then(|| self.variance() / (rows - 1.0))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.integer(self.rows);
        writer.numbers(&[self.weight, self.squared_weight, self.mean, self.squares]);
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self, super::Invalid> {
        Ok(Self {
            rows: reader.integer()?,
            weight: reader.number()?,
            squared_weight: reader.number()?,
            mean: reader.number()?,
            squares: reader.number()?,
        })
    }

    /// Bytes that [`Scores::write`] writes.
    pub(super) const BYTES: usize = 40;
}

/// An interval around an estimate and its p value, under the normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tested {
    pub(super) std_error: f64,
    pub(super) conf_low: f64,
    pub(super) conf_high: f64,
    /// `None` if the standard error is 0.
    pub(super) p_value: Option<f64>,
}

impl Tested {
    pub(super) fn new(estimate: f64, variance: f64, conf: f64) -> Self {
        let std_error = variance.max(0.0).sqrt();
        let half = crate::normal::two_sided(conf) * std_error;
        let p_value = (std_error > 0.0).then(|| super::tails::normal_p(estimate / std_error));
        Self { std_error, conf_low: estimate - half, conf_high: estimate + half, p_value }
    }
}

/// Sums of squares of more rows than there are must not overflow.
const LARGEST_WEIGHT: f64 = 1e100;

/// The weight of a row, or `None` for a row that does not count.
pub(super) fn usable_weight(weights: Option<&[f64]>, row: usize) -> Result<Option<f64>, super::Invalid> {
    let weight = weights.map_or(1.0, |weights| weights[row]);
    if weight < 0.0 {
        return Err(super::Invalid::new(format!("weight {weight} is negative")));
    }
    if weight > LARGEST_WEIGHT && weight.is_finite() {
        return Err(super::Invalid::new(format!("weight {weight:e} is too large to add up")));
    }
    Ok((weight > 0.0 && weight.is_finite()).then_some(weight))
}
