//! Welch's t test of two means.
//!
//! t = (x̄₁ − x̄₂)/√(s₁²/n₁ + s₂²/n₂) with the degrees of freedom of Welch and Satterthwaite. Welch (1947),
//! Biometrika 34. The estimate is x̄₁ − x̄₂.

use super::Comparison;
use crate::inference::distribution::student_tails;
use crate::inference::moments::Moments;
use crate::inference::{Invalid, confidence};
use crate::student;

/// `None` when a group has fewer than two values, or when neither group varies at all: then there is nothing
/// to measure the difference by.
pub(crate) fn test(first: &Moments, second: &Moments, conf: f64) -> Result<Option<Comparison>, Invalid> {
    let conf = confidence(conf)?;
    let (Some(variance1), Some(variance2)) = (first.variance(), second.variance()) else { return Ok(None) };
    let (share1, share2) = (variance1 / first.n, variance2 / second.n);
    let variance = share1 + share2;
    if !(variance > 0.0 && variance.is_finite()) {
        return Ok(None);
    }
    // Shares of the variance rather than variances: their squares neither overflow nor vanish.
    let (part1, part2) = (share1 / variance, share2 / variance);
    let freedom = 1.0 / (part1 * part1 / (first.n - 1.0) + part2 * part2 / (second.n - 1.0));
    let estimate = first.mean - second.mean;
    let std_error = variance.sqrt();
    let half = student::two_sided(conf, freedom) * std_error;
    let statistic = estimate / std_error;
    Ok(Some(Comparison {
        statistic,
        freedom: Some(freedom),
        p_value: student_tails(statistic, freedom),
        estimate,
        conf_low: estimate - half,
        conf_high: estimate + half,
        n: [first.n, second.n],
    }))
}
