//! One row of a regression table.

use super::block::packed;
use super::matrix::Matrix;
use super::tails::Reference;

/// Name of the constant term.
pub(crate) const INTERCEPT: &str = "(intercept)";

/// A standard error below this share of its coefficient is rounding.
const DEGENERATE: f64 = 1e-12;

/// A coefficient with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Term {
    pub(crate) term: String,
    pub(crate) estimate: f64,
    pub(crate) std_error: f64,
    /// Estimate over standard error; `None` where the standard error is 0, as in a perfect fit.
    pub(crate) statistic: Option<f64>,
    /// Two-sided; `None` with the statistic.
    pub(crate) p_value: Option<f64>,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    /// Variance inflation factor 1/(1 − R²) of the column on the other columns; `None` for the intercept.
    pub(crate) vif: Option<f64>,
}

impl Term {
    pub(super) fn new(
        term: &str,
        estimate: f64,
        variance: f64,
        vif: Option<f64>,
        reference: Reference,
        conf: f64,
    ) -> Self {
        let root = variance.max(0.0).sqrt();
        let std_error = if root <= DEGENERATE * estimate.abs() { 0.0 } else { root };
        let statistic = (std_error > 0.0).then(|| estimate / std_error);
        let half = reference.quantile(conf) * std_error;
        Self {
            term: term.to_owned(),
            estimate,
            std_error,
            statistic,
            p_value: statistic.map(|statistic| reference.p_value(statistic)),
            conf_low: estimate - half,
            conf_high: estimate + half,
            vif,
        }
    }
}

/// Coefficients on columns centred on their means, the constant first, and the way back to the columns
/// themselves: only the constant and what is shared with it change.
pub(super) struct Centred<'a> {
    pub(super) means: &'a [f64],
    pub(super) slopes: &'a [f64],
}

impl Centred<'_> {
    /// The constant of uncentred columns, from that of centred ones.
    pub(super) fn intercept(&self, constant: f64) -> f64 {
        constant - self.slopes.iter().zip(self.means).map(|(slope, mean)| slope * mean).sum::<f64>()
    }

    /// Covariance of the coefficients on uncentred columns.
    pub(super) fn covariance(&self, centred: &Matrix) -> Matrix {
        let back = Matrix::from_fn(centred.size(), |row, column| match (row, column) {
            (row, column) if row == column => 1.0,
            (0, column) => -self.means[column - 1],
            _ => 0.0,
        });
        back.around(centred)
    }
}

/// The symmetric matrix with this packed upper triangle.
pub(super) fn unpacked(size: usize, triangle: &[f64]) -> Matrix {
    Matrix::from_fn(size, |row, column| triangle[packed(size, row.min(column), row.max(column))])
}
