//! z test of two proportions.
//!
//! z = (p̂₁ − p̂₂)/√(p̄(1 − p̄)(1/n₁ + 1/n₂)) with the pooled share p̄. The estimate is p̂₁ − p̂₂; its interval is
//! Newcombe's hybrid of the two Wilson intervals, method 10 of Newcombe (1998), Statistics in Medicine 17.

use super::Comparison;
use crate::inference::distribution::normal_tails;
use crate::inference::scores::share::Share;
use crate::inference::{Invalid, confidence};
use crate::wilson;

/// `None` when a group is empty. When all or none of both groups are hits, z is 0 and the p-value 1.
pub(crate) fn test(first: &Share, second: &Share, conf: f64) -> Result<Option<Comparison>, Invalid> {
    let conf = confidence(conf)?;
    let (n1, n2) = (first.n_effective(), second.n_effective());
    let (Some(share1), Some(share2)) = (first.share(), second.share()) else { return Ok(None) };
    let pooled = (share1 * n1 + share2 * n2) / (n1 + n2);
    let variance = pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2);
    let estimate = share1 - share2;
    let statistic = if variance > 0.0 { estimate / variance.sqrt() } else { 0.0 };
    let (low1, high1) = wilson::interval(share1 * n1, n1, conf);
    let (low2, high2) = wilson::interval(share2 * n2, n2, conf);
    Ok(Some(Comparison {
        statistic,
        freedom: None,
        p_value: normal_tails(statistic),
        estimate,
        conf_low: estimate - (share1 - low1).hypot(high2 - share2),
        conf_high: estimate + (high1 - share1).hypot(share2 - low2),
        n: [n1, n2],
    }))
}
