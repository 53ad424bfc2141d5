//! Logistic regression, as far as propensities need it: coefficients and fitted probabilities.
//!
//! Newton's method (iteratively reweighted least squares) on standardised covariates with an intercept. Rows
//! that a covariate decides may come out with a probability of 0 or 1 to rounding; who uses them trims.

use super::Invalid;
use super::matrix::{Cholesky, dot};

/// Fitted probabilities, row by row.
///
/// `x` holds `size` covariates a row without an intercept, `y` says what happened. Covariates that the ones
/// before them determine are an error, and so is a covariate that tells `y` without exception.
pub(crate) fn probabilities(x: &[f64], size: usize, y: &[bool]) -> Result<Fitted, Invalid> {
    let design = standardised(x, size, y.len());
    let width = size + 1;
    let mut beta = vec![0.0; width];
    for _ in 0..MAX_ITERATIONS {
        let (gradient, information) = evaluate(&design, width, y, &beta);
        if !information.iter().all(|value| value.is_finite()) || beta.iter().any(|beta| beta.abs() > LARGEST)
        {
            return Err(separated());
        }
        let decomposed = Cholesky::new(&information, width).map_err(|column| {
            Invalid::new(format!("covariate {column} is constant, or the covariates before it determine it"))
                .with_hint("Leave it out.")
        })?;
        let step = decomposed.solve(&gradient);
        if dot(&step, &gradient) < 1e-16 * y.len() as f64 {
            return Ok(Fitted::new(design, width, &beta, decomposed.inverse()));
        }
        beta.iter_mut().zip(&step).for_each(|(beta, step)| *beta += step);
    }
    Err(separated())
}

/// What a fit leaves to work with.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    /// P(y), row by row.
    pub(crate) probability: Vec<f64>,
    /// Intercept and standardised covariates, row by row.
    pub(crate) design: Vec<f64>,
    pub(crate) width: usize,
    /// Covariance of the coefficients of `design`.
    pub(crate) covariance: Vec<f64>,
}

impl Fitted {
    fn new(design: Vec<f64>, width: usize, beta: &[f64], covariance: Vec<f64>) -> Self {
        let probability = design.chunks_exact(width).map(|row| logistic(dot(row, beta))).collect();
        Self { probability, design, width, covariance }
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.design[row * self.width..(row + 1) * self.width]
    }
}

const MAX_ITERATIONS: usize = 60;

/// A standardised coefficient beyond this means that the likelihood has no maximum.
const LARGEST: f64 = 30.0;

fn logistic(eta: f64) -> f64 {
    1.0 / (1.0 + (-eta).exp())
}

fn separated() -> Invalid {
    Invalid::new("the covariates tell the groups apart without exception")
        .with_hint("There is nobody to compare with: leave out the covariate that decides the group.")
}

fn evaluate(design: &[f64], width: usize, y: &[bool], beta: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut gradient = vec![0.0; width];
    let mut information = vec![0.0; width * width];
    for (row, y) in design.chunks_exact(width).zip(y) {
        let fitted = logistic(dot(row, beta));
        let weight = fitted * (1.0 - fitted);
        let rest = f64::from(u8::from(*y)) - fitted;
        for (a, left) in row.iter().enumerate() {
            gradient[a] += rest * left;
            let weighted = weight * left;
            for (cell, right) in information[a * width..=a * width + a].iter_mut().zip(row) {
                *cell += weighted * right;
            }
        }
    }
    for a in 0..width {
        for b in 0..a {
            information[b * width + a] = information[a * width + b];
        }
    }
    (gradient, information)
}

/// Intercept and covariates with mean 0 and standard deviation 1, row by row.
fn standardised(x: &[f64], size: usize, rows: usize) -> Vec<f64> {
    let n = rows as f64;
    let mut mean = vec![0.0; size];
    let mut square = vec![0.0; size];
    let chunks = || x.chunks_exact(size.max(1)).take(rows);
    chunks().for_each(|row| mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / n));
    for row in chunks() {
        let deviations = row.iter().zip(&mean).map(|(x, mean)| x - mean);
        square.iter_mut().zip(deviations).for_each(|(sum, deviation)| *sum += deviation * deviation / n);
    }
    let mut design = Vec::with_capacity(rows * (size + 1));
    for row in 0..rows {
        design.push(1.0);
        for column in 0..size {
            let scale = if square[column] > 0.0 { square[column].sqrt() } else { 1.0 };
            design.push((x[row * size + column] - mean[column]) / scale);
        }
    }
    design
}
