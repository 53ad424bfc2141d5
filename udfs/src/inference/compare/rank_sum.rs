//! Mann–Whitney U test of two groups, from the counts of each distinct value.
//!
//! U₁ = #(x > y) + ½ #(x = y). Normal approximation with tie correction
//! σ² = n₁n₂/12 · (N + 1 − Σ(t³ − t)/(N(N − 1))) and continuity correction ½. Mann and Whitney (1947), Annals
//! of Mathematical Statistics 18. The statistic is U₁, the estimate U₁/(n₁n₂), the probability that a value
//! of the first group exceeds one of the second, ties counting half. Its interval is method 5 of Newcombe
//! (2006), Statistics in Medicine 25, which keeps its width at 0 and 1; with many ties it is too wide rather
//! than too narrow.

use super::Comparison;
use crate::inference::distribution::normal_tails;
use crate::inference::tally::Tally;
use crate::inference::{Invalid, confidence};
use crate::normal;

/// Group 0 of `values` is the first, group 1 the second. `None` when a group is empty or all values are equal.
pub(crate) fn test(values: &mut Tally<2>, conf: f64) -> Result<Option<Comparison>, Invalid> {
    let conf = confidence(conf)?;
    let (mut n1, mut n2, mut u, mut ties) = (0.0, 0.0, 0.0, 0.0);
    for (_, [first, second]) in values.sorted() {
        let (first, second) = (*first as f64, *second as f64);
        u += first * (n2 + 0.5 * second);
        n1 += first;
        n2 += second;
        let t = first + second;
        ties += t * (t * t - 1.0);
    }
    let (n, pairs) = (n1 + n2, n1 * n2);
    let variance = pairs / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if !(pairs > 0.0 && variance > 0.0) {
        return Ok(None);
    }
    let away = ((u - pairs / 2.0).abs() - 0.5).max(0.0);
    let estimate = u / pairs;
    let (conf_low, conf_high) = interval(estimate, n1, n2, normal::two_sided(conf));
    let p_value = normal_tails(away / variance.sqrt());
    Ok(Some(Comparison { statistic: u, freedom: None, p_value, estimate, conf_low, conf_high, n: [n1, n2] }))
}

/// All θ with |estimate − θ| ≤ z·√V(θ).
fn interval(estimate: f64, n1: f64, n2: f64, z: f64) -> (f64, f64) {
    let others = (n1 + n2) / 2.0 - 1.0;
    let deviation = |theta: f64| {
        let dependence = others * ((1.0 - theta) / (2.0 - theta) + theta / (1.0 + theta));
        (theta * (1.0 - theta) * (1.0 + dependence) / (n1 * n2)).sqrt()
    };
    let edge = |mut outside: f64| {
        let mut inside = estimate;
        for _ in 0..60 {
            let middle = 0.5 * (inside + outside);
            if (estimate - middle).abs() <= z * deviation(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        inside
    };
    let low = if estimate <= 0.0 { 0.0 } else { edge(0.0) };
    let high = if estimate >= 1.0 { 1.0 } else { edge(1.0) };
    (low, high)
}
