//! Tail probabilities of the distributions that tests refer to.
//!
//! Quantiles of the normal and of Student's t are in [`crate::normal`] and [`crate::student`].

use std::f64::consts::SQRT_2;

use statrs::function::{beta, erf, gamma};

/// P(|Z| > |z|).
pub(crate) fn normal_tails(z: f64) -> f64 {
    erf::erfc(z.abs() / SQRT_2)
}

/// P(|T| > |t|) with `freedom` degrees of freedom.
pub(crate) fn student_tails(t: f64, freedom: f64) -> f64 {
    if freedom > 1e9 {
        return normal_tails(t);
    }
    if t.is_infinite() {
        return 0.0;
    }
    beta::checked_beta_reg(freedom / 2.0, 0.5, freedom / (freedom + t * t)).unwrap_or(f64::NAN)
}

/// P(X² > x) with `freedom` degrees of freedom.
pub(crate) fn chi_square_tail(x: f64, freedom: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    gamma::checked_gamma_ur(freedom / 2.0, x / 2.0).unwrap_or(f64::NAN)
}

/// P(X² ≤ x) with `freedom` degrees of freedom and non-centrality `shift`: the Poisson mixture of central
/// distributions, summed outwards from its heaviest term.
pub(crate) fn noncentral_chi_square(x: f64, freedom: f64, shift: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let mean = shift / 2.0;
    let centre = mean.floor();
    let term = |k: f64| {
        let ln_weight = if mean > 0.0 { k * mean.ln() - mean - gamma::ln_gamma(k + 1.0) } else { 0.0 };
        let weight = ln_weight.exp();
        (weight, weight * (1.0 - chi_square_tail(x, freedom + 2.0 * k)))
    };
    if mean == 0.0 {
        return term(0.0).1;
    }
    let mut sum = 0.0;
    let mut k = centre;
    loop {
        let (weight, part) = term(k);
        sum += part;
        if weight < 1e-17 || k >= centre + 1e6 {
            break;
        }
        k += 1.0;
    }
    let mut k = centre - 1.0;
    while k >= 0.0 {
        let (weight, part) = term(k);
        sum += part;
        if weight < 1e-17 {
            break;
        }
        k -= 1.0;
    }
    sum.min(1.0)
}
