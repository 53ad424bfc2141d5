//! Special functions that the purchase models need.

use statrs::function::gamma::ln_gamma;

/// ψ(x), the derivative of ln Γ, for `x > 0`: recurrence up to 12, then the asymptotic series
/// (DLMF 5.11.2).
pub(super) fn digamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 12.0 {
        below += 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = square
        * (1.0 / 12.0
            - square
                * (1.0 / 120.0 - square * (1.0 / 252.0 - square * (1.0 / 240.0 - square * (1.0 / 132.0)))));
    x.ln() - 0.5 / x - series - below
}

/// ψ′(x) for `x > 0`: recurrence up to 12, then the asymptotic series (DLMF 5.15.8).
pub(super) fn trigamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 12.0 {
        below += 1.0 / (x * x);
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = square / x
        * (1.0 / 6.0
            - square * (1.0 / 30.0 - square * (1.0 / 42.0 - square * (1.0 / 30.0 - square * (5.0 / 66.0)))));
    1.0 / x + 0.5 * square + series + below
}

/// ₂F₁(a, b; c; z) for `0 <= z < 1` and c above −1 but not 0, by its power series; through Euler's
/// transformation (DLMF 15.8.1) where the plain series converges slowly. NaN if it does not converge.
pub(super) fn hypergeometric(a: f64, b: f64, c: f64, z: f64) -> f64 {
    // Beyond −1 the transformed series would cancel.
    if a + b > c && c - a > -1.0 && c - b > -1.0 {
        return (1.0 - z).powf(c - a - b) * series(c - a, c - b, c, z);
    }
    series(a, b, c, z)
}

fn series(a: f64, b: f64, c: f64, z: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
    while k < 1e7 {
        term *= (a + k) * (b + k) / ((c + k) * (k + 1.0)) * z;
        sum += term;
        k += 1.0;
        // What is left is less than a geometric series of the next ratio.
        let ratio = (a + k) * (b + k) / ((c + k) * (k + 1.0)) * z;
        if k > 2.0 && ratio < 1.0 && (term * ratio).abs() <= 1e-16 * sum.abs() * (1.0 - ratio) {
            return sum;
        }
    }
    f64::NAN
}

pub(super) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}
