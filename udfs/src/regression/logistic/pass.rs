//! One pass over the rows at given coefficients.

use crate::regression::Invalid;
use crate::regression::block::{self, Block, ROWS, packed_len};
use crate::regression::matrix::Cholesky;
use crate::regression::standardised::Standardised;

/// Probabilities below this count as this in the likelihood.
const LEAST_PROBABILITY: f64 = 1e-35;

/// The log-likelihood, its gradient and the information, on standardised columns.
pub(super) struct Pass {
    pub(super) log_likelihood: f64,
    pub(super) gradient: Vec<f64>,
    /// Packed upper triangle.
    pub(super) information: Vec<f64>,
}

/// What the model says of the rows of a block.
struct Fitted {
    /// P(y = 1).
    probability: [f64; ROWS],
    /// Probability of the outcome that the row has.
    likelihood: [f64; ROWS],
    /// y − P(y = 1), without loss of digits.
    residual: [f64; ROWS],
    /// p(1 − p).
    variance: [f64; ROWS],
}

impl Fitted {
    fn new() -> Self {
        let zero = [0.0; ROWS];
        Self { probability: zero, likelihood: zero, residual: zero, variance: zero }
    }

    fn compute(&mut self, block: &Block, coefficients: &[f64]) {
        let score = linear_score(block, coefficients);
        for (row, &y) in block.column(0).iter().enumerate() {
            let odds = (-score[row].abs()).exp();
            let large = 1.0 / (1.0 + odds);
            let small = odds * large;
            let probability = if score[row] >= 0.0 { large } else { small };
            let other = if score[row] >= 0.0 { small } else { large };
            self.probability[row] = probability;
            self.likelihood[row] = if y == 1.0 { probability } else { other };
            self.residual[row] = if y == 1.0 { other } else { -probability };
            self.variance[row] = large * small;
        }
    }
}

/// a + bᵀz of every row.
pub(super) fn linear_score(block: &Block, coefficients: &[f64]) -> [f64; ROWS] {
    let mut score = [coefficients[0]; ROWS];
    for (place, coefficient) in coefficients[1..].iter().enumerate() {
        for (sum, z) in score.iter_mut().zip(block.column(place + 1)) {
            *sum += coefficient * z;
        }
    }
    score
}

/// Reads every `every`-th block.
pub(super) fn pass(rows: &Standardised, coefficients: &[f64], every: usize) -> Result<Pass, Invalid> {
    let width = rows.width();
    let mut fitted = Fitted::new();
    let (mut log_likelihood, mut gradient) = (0.0, vec![0.0; width]);
    let mut information = vec![0.0; packed_len(width)];
    rows.each_block(every, |block| {
        fitted.compute(block, coefficients);
        log_likelihood += ln_likelihood(block, &fitted);
        weigh(block, &mut fitted);
        let residual = &fitted.residual[..block.rows()];
        gradient[0] += block::total(residual);
        for (column, sum) in gradient.iter_mut().enumerate().skip(1) {
            *sum += block::dot(residual, block.column(column));
        }
        let roots = fitted.variance.map(f64::sqrt);
        block.column_mut(0).copy_from_slice(&roots[..residual.len()]);
        for column in 1..width {
            block.column_mut(column).iter_mut().zip(&roots).for_each(|(z, root)| *z *= root);
        }
        block.add_products(&mut information);
        Ok(())
    })?;
    Ok(Pass { log_likelihood, gradient, information })
}

/// The gradient of Firth's penalised likelihood, multiplied by L⁻¹, where the information is L·Lᵀ: its terms
/// are w(y − p) + h(½ − p) with the leverages h.
pub(super) fn firth_gradient(
    rows: &Standardised,
    coefficients: &[f64],
    information: &Cholesky,
) -> Result<Vec<f64>, Invalid> {
    let width = rows.width();
    let mut fitted = Fitted::new();
    let mut gradient = vec![0.0; width];
    rows.each_block(1, |block| {
        fitted.compute(block, coefficients);
        weigh(block, &mut fitted);
        block.column_mut(0).fill(1.0);
        let mut leverage = [0.0; ROWS];
        for column in 0..width {
            information.forward_column(block, column);
            leverage.iter_mut().zip(block.column(column)).for_each(|(sum, u)| *sum += u * u);
        }
        for (row, residual) in fitted.residual[..block.rows()].iter_mut().enumerate() {
            *residual += leverage[row] * fitted.variance[row] * (0.5 - fitted.probability[row]);
        }
        for (column, sum) in gradient.iter_mut().enumerate() {
            *sum += block::dot(&fitted.residual[..block.rows()], block.column(column));
        }
        Ok(())
    })?;
    Ok(gradient)
}

/// Squared correlation of the outcome and the fitted probability.
pub(super) fn prediction_r_squared(rows: &Standardised, coefficients: &[f64]) -> Result<f64, Invalid> {
    let mut fitted = Fitted::new();
    let share = rows.moments.mean(0);
    let (mut own, mut both) = (0.0, 0.0);
    let (mut weight, mut sum) = (0.0, 0.0);
    rows.each_block(1, |block| {
        fitted.compute(block, coefficients);
        for (row, y) in block.column(0).iter().enumerate() {
            let w = if block.weighted() { block.weights()[row] } else { 1.0 };
            // Probabilities average to the share of the outcome only without Firth's correction.
            let apart = fitted.probability[row] - share;
            weight += w;
            sum += w * apart;
            own += w * apart * apart;
            both += w * apart * (y - share);
        }
        Ok(())
    })?;
    let outcome = weight * share * (1.0 - share);
    Ok(both * both / (own - sum * sum / weight) / outcome)
}

/// Multiplies residuals and variances by the weights of the rows.
fn weigh(block: &Block, fitted: &mut Fitted) {
    if !block.weighted() {
        return;
    }
    for (row, weight) in block.weights().iter().enumerate() {
        fitted.residual[row] *= weight;
        fitted.variance[row] *= weight;
    }
}

fn ln_likelihood(block: &Block, fitted: &Fitted) -> f64 {
    let likelihood = &fitted.likelihood[..block.rows()];
    let at_least = |likelihood: f64| likelihood.max(LEAST_PROBABILITY);
    if block.weighted() {
        return likelihood.iter().zip(block.weights()).map(|(l, weight)| weight * at_least(*l).ln()).sum();
    }
    // One logarithm for eight rows; the product cannot vanish.
    likelihood.chunks(8).map(|chunk| chunk.iter().map(|l| at_least(*l)).product::<f64>().ln()).sum()
}
