//! One pass over the rows at given thresholds and slopes.

use super::Levels;
use crate::regression::Invalid;
use crate::regression::block::{self, Block, ROWS, packed_len};
use crate::regression::matrix::Matrix;
use crate::regression::standardised::Standardised;
use crate::regression::term::unpacked;

/// The log-likelihood, its gradient and the observed information; thresholds first.
pub(super) struct Pass {
    pub(super) log_likelihood: f64,
    pub(super) gradient: Vec<f64>,
    pub(super) information: Matrix,
}

/// Sums over rows that the gradient and the information are made of.
struct Sums {
    log_likelihood: f64,
    /// First and second derivatives by thresholds; the second ones are of a threshold with itself and with
    /// the next one.
    first: Vec<f64>,
    second: Vec<f64>,
    second_next: Vec<f64>,
    /// Derivative by every slope.
    slopes: Vec<f64>,
    /// Second derivatives by threshold and slope.
    mixed: Vec<Vec<f64>>,
    /// Packed second derivatives by two slopes, for the column of the outcome and the others.
    products: Vec<f64>,
}

pub(super) fn pass(rows: &Standardised, levels: &Levels, parameters: &[f64]) -> Result<Pass, Invalid> {
    let (thresholds, slopes) = parameters.split_at(levels.values.len() - 1);
    let mut sums = Sums {
        log_likelihood: 0.0,
        first: vec![0.0; thresholds.len()],
        second: vec![0.0; thresholds.len()],
        second_next: vec![0.0; thresholds.len()],
        slopes: vec![0.0; slopes.len()],
        mixed: vec![vec![0.0; slopes.len()]; thresholds.len()],
        products: vec![0.0; packed_len(rows.width())],
    };
    rows.each_block(1, |block| {
        sums.add(block, levels, thresholds, slopes);
        Ok(())
    })?;
    Ok(sums.finish(rows.width()))
}

impl Sums {
    fn add(&mut self, block: &mut Block, levels: &Levels, thresholds: &[f64], slopes: &[f64]) {
        let mut score = [0.0; ROWS];
        for (place, slope) in slopes.iter().enumerate() {
            score.iter_mut().zip(block.column(place + 1)).for_each(|(sum, z)| *sum += slope * z);
        }
        let (mut residual, mut root) = ([0.0; ROWS], [0.0; ROWS]);
        for row in 0..block.rows() {
            let level = levels.position(block.column(0)[row]);
            let weight = if block.weighted() { block.weights()[row] } else { 1.0 };
            let upper = Side::new(thresholds.get(level), score[row], 1.0);
            let lower =
                Side::new(level.checked_sub(1).and_then(|below| thresholds.get(below)), score[row], 0.0);
            let likelihood = upper.probability_above(&lower);
            self.log_likelihood += weight * likelihood.max(f64::MIN_POSITIVE).ln();
            self.add_thresholds(level, weight, &upper, &lower, likelihood);
            for (threshold, side) in [(Some(level), &upper), (level.checked_sub(1), &lower)] {
                if let Some(mixed) = threshold.and_then(|threshold| self.mixed.get_mut(threshold)) {
                    for (place, mixed) in mixed.iter_mut().enumerate() {
                        *mixed += weight * side.density * block.column(place + 1)[row];
                    }
                }
            }
            residual[row] = weight * (upper.below + lower.below - 1.0);
            root[row] = (weight * (upper.density + lower.density)).sqrt();
        }
        for (place, slope) in self.slopes.iter_mut().enumerate() {
            *slope += block::dot(&residual[..block.rows()], block.column(place + 1));
        }
        block.column_mut(0).fill(0.0);
        for place in 1..block.width() {
            block.column_mut(place).iter_mut().zip(&root).for_each(|(z, root)| *z *= root);
        }
        block.add_products(&mut self.products);
    }

    fn add_thresholds(&mut self, level: usize, weight: f64, upper: &Side, lower: &Side, likelihood: f64) {
        let likelihood = likelihood.max(f64::MIN_POSITIVE);
        let (up, down) = (upper.density / likelihood, lower.density / likelihood);
        if level < self.first.len() {
            self.first[level] += weight * up;
            self.second[level] += weight * (upper.slope() / likelihood - up * up);
        }
        if let Some(below) = level.checked_sub(1) {
            self.first[below] -= weight * down;
            self.second[below] -= weight * (lower.slope() / likelihood + down * down);
            if level < self.first.len() {
                self.second_next[below] += weight * up * down;
            }
        }
    }

    fn finish(self, width: usize) -> Pass {
        let thresholds = self.first.len();
        let products = unpacked(width, &self.products);
        // The information is minus the second derivative.
        let information = Matrix::from_fn(thresholds + width - 1, |row, column| {
            let (low, high) = (row.min(column), row.max(column));
            match (low.checked_sub(thresholds), high.checked_sub(thresholds)) {
                (Some(a), Some(b)) => products.get(a + 1, b + 1),
                (None, Some(slope)) => -self.mixed[low][slope],
                _ if low == high => -self.second[low],
                _ if low + 1 == high => -self.second_next[low],
                _ => 0.0,
            }
        });
        let gradient = self.first.into_iter().chain(self.slopes).collect();
        Pass { log_likelihood: self.log_likelihood, gradient, information }
    }
}

/// One end of a row's level on the scale of the logistic distribution.
struct Side {
    /// F, 1 − F and f there.
    below: f64,
    above: f64,
    density: f64,
}

impl Side {
    /// Without a threshold the end is infinite, and `below` says at which side.
    fn new(threshold: Option<&f64>, score: f64, below: f64) -> Self {
        let Some(threshold) = threshold else {
            return Self { below, above: 1.0 - below, density: 0.0 };
        };
        let at = threshold - score;
        let odds = (-at.abs()).exp();
        let large = 1.0 / (1.0 + odds);
        let small = odds * large;
        let (below, above) = if at >= 0.0 { (large, small) } else { (small, large) };
        Self { below, above, density: large * small }
    }

    /// F(self) − F(lower), from the tails in which digits survive.
    fn probability_above(&self, lower: &Self) -> f64 {
        if lower.below > 0.5 { lower.above - self.above } else { self.below - lower.below }
    }

    /// f′.
    fn slope(&self) -> f64 {
        self.density * (self.above - self.below)
    }
}
