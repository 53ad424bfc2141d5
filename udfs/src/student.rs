//! Quantiles of Student's t distribution.
//!
//! One and two degrees of freedom have closed forms. Otherwise the tail probability
//! P(|T| > t) = I_x(ν/2, 1/2), x = ν/(ν + t²), is inverted by Newton's method inside a bracket, with the
//! regularised incomplete beta function by Lentz's continued fraction (DLMF 8.17.22). Above
//! [`SERIES_FROM`] degrees of freedom the expansion of Fisher and Cornish in powers of 1/ν (Abramowitz and
//! Stegun 26.7.5) is exact to rounding.

use std::f64::consts::PI;

use crate::normal;

/// Degrees of freedom from which the series replaces the inversion.
const SERIES_FROM: f64 = 2e4;

/// t with probability `conf` between −t and t; needs `0 < conf < 1` and `freedom > 0`.
pub(crate) fn two_sided(conf: f64, freedom: f64) -> f64 {
    let tail = 1.0 - conf;
    if freedom == 1.0 {
        return 1.0 / (PI * tail / 2.0).tan();
    }
    if freedom == 2.0 {
        return (2.0 / (tail * (2.0 - tail)) - 2.0).max(0.0).sqrt();
    }
    if freedom >= SERIES_FROM { series(conf, freedom) } else { invert(tail, freedom) }
}

fn series(conf: f64, freedom: f64) -> f64 {
    let z = normal::two_sided(conf);
    let s = z * z;
    let terms = [
        (s + 1.0) / 4.0,
        ((5.0 * s + 16.0) * s + 3.0) / 96.0,
        (((3.0 * s + 19.0) * s + 17.0) * s - 15.0) / 384.0,
        ((((79.0 * s + 776.0) * s + 1482.0) * s - 1920.0) * s - 945.0) / 92160.0,
    ];
    z + z * terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom)
}

/// Solves `two_tails(t) = tail` for t.
fn invert(tail: f64, freedom: f64) -> f64 {
    let ln_beta = ln_beta_half(freedom / 2.0);
    let (mut low, mut high) = (0.0, 1.0);
    while two_tails(high, freedom, ln_beta) > tail && high < 1e150 {
        low = high;
        high *= 2.0;
    }
    let mut t = 0.5 * (low + high);
    for _ in 0..200 {
        let excess = two_tails(t, freedom, ln_beta) - tail;
        if excess > 0.0 {
            low = t;
        } else {
            high = t;
        }
        // The derivative of both tails is minus twice the density.
        let ln_density = -0.5 * (freedom + 1.0) * (t * t / freedom).ln_1p() - 0.5 * freedom.ln() - ln_beta;
        let newton = t + excess / (2.0 * ln_density.exp());
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - t).abs() <= 1e-15 * t {
            return next;
        }
        t = next;
    }
    t
}

/// P(|T| > t).
fn two_tails(t: f64, freedom: f64, ln_beta: f64) -> f64 {
    let a = freedom / 2.0;
    let square = t * t;
    let x = freedom / (freedom + square);
    let rest = square / (freedom + square);
    if t == 0.0 {
        return 1.0;
    }
    // x^a (1 − x)^½ / B(a, ½), with ln x written so that it keeps its digits for x near 1.
    let front = (-a * (square / freedom).ln_1p() + 0.5 * rest.ln() - ln_beta).exp();
    if x < (a + 1.0) / (a + 2.5) {
        front * beta_fraction(a, 0.5, x) / a
    } else {
        1.0 - front * beta_fraction(0.5, a, rest) / 0.5
    }
}

/// The continued fraction of I_x(a, b), by the modified method of Lentz.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..2000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// ln B(a, ½) = ½ ln π − ln(Γ(a + ½)/Γ(a)). The ratio has an asymptotic series (DLMF 5.11.13), reached for
/// small `a` by Γ(a + ½)/Γ(a) = Γ(a + 3/2)/Γ(a + 1) · a/(a + ½).
fn ln_beta_half(a: f64) -> f64 {
    let mut up = a;
    let mut product = 1.0;
    while up < 30.0 {
        product *= up / (up + 0.5);
        up += 1.0;
    }
    let inverse = 1.0 / up;
    let square = inverse * inverse;
    let series =
        inverse * (-1.0 / 8.0 + square * (1.0 / 192.0 + square * (-1.0 / 640.0 + square * 17.0 / 14336.0)));
    0.5 * PI.ln() - (0.5 * up.ln() + series + product.ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        // conf, degrees of freedom, t with 40 digits by mpmath: betainc(freedom/2, 1/2, 0, freedom/(freedom + t^2), regularized) = 1 - conf.
        let cases = [
            (0.2, 1.0, 0.32491969623290634),
            (0.2, 2.0, 0.2886751345948129),
            (0.2, 3.0, 0.27667066233268994),
            (0.2, 4.0, 0.27072229470759746),
            (0.2, 5.0, 0.2671808657041451),
            (0.2, 9.0, 0.260955336473911),
            (0.2, 29.0, 0.25568363457125615),
            (0.2, 30.0, 0.2556053649519128),
            (0.2, 99.0, 0.25402901215180673),
            (0.2, 999.0, 0.25341458333036737),
            (0.2, 12345.0, 0.25335256307070453),
            (0.2, 1000000.0, 0.25334717053784167),
            (0.5, 1.0, 1.0),
            (0.5, 2.0, 0.816496580927726),
            (0.5, 3.0, 0.7648923284043453),
            (0.5, 4.0, 0.7406970841126826),
            (0.5, 5.0, 0.7266868438004227),
            (0.5, 9.0, 0.7027221467513264),
            (0.5, 29.0, 0.6830438608216132),
            (0.5, 30.0, 0.6827556933212926),
            (0.5, 99.0, 0.6769759855461527),
            (0.5, 999.0, 0.674735410346719),
            (0.5, 12345.0, 0.6745096239397161),
            (0.5, 1000000.0, 0.6744899955310873),
            (0.95, 1.0, 12.706204736174694),
            (0.95, 2.0, 4.302652729749462),
            (0.95, 3.0, 3.1824463052837086),
            (0.95, 4.0, 2.7764451051977934),
            (0.95, 5.0, 2.5705818356363146),
            (0.95, 9.0, 2.262157162798205),
            (0.95, 29.0, 2.045229642132704),
            (0.95, 30.0, 2.0422724563012378),
            (0.95, 99.0, 1.9842169515864172),
            (0.95, 999.0, 1.9623414611334495),
            (0.95, 12345.0, 1.9601561676005668),
            (0.95, 1000000.0, 1.9599663568141066),
            (0.99, 1.0, 63.656741162871526),
            (0.99, 2.0, 9.92484320091829),
            (0.99, 3.0, 5.840909309733355),
            (0.99, 4.0, 4.604094871349992),
            (0.99, 5.0, 4.032142983555227),
            (0.99, 9.0, 3.249835541592126),
            (0.99, 29.0, 2.7563859036706053),
            (0.99, 30.0, 2.749995653567225),
            (0.99, 99.0, 2.626405457280827),
            (0.99, 999.0, 2.5807596372676365),
            (0.99, 12345.0, 2.576227623786519),
            (0.99, 1000000.0, 2.575834220105334),
            (0.999999, 1.0, 636619.7723487513),
            (0.999999, 2.0, 999.9992499854659),
            (0.999999, 3.0, 130.1545895571102),
            (0.999999, 4.0, 49.4586367565786),
            (0.999999, 5.0, 28.47847346281956),
            (0.999999, 9.0, 11.636782027289474),
            (0.999999, 29.0, 6.170056101408301),
            (0.999999, 30.0, 6.119075620373899),
            (0.999999, 99.0, 5.217164206642668),
            (0.999999, 999.0, 4.922320372360787),
            (0.999999, 12345.0, 4.894108970589503),
            (0.999999, 1000000.0, 4.891668960704727),
            (0.95, 3.5, 2.9400886379827287),
        ];
        for (conf, freedom, t) in cases {
            let found = two_sided(conf, freedom);
            assert!((found - t).abs() <= 1e-10 * t, "{conf} {freedom}: {found} {t}");
        }
    }

    #[test]
    fn inversion_and_series_meet() {
        for conf in [0.1, 0.5, 0.95, 0.999] {
            let (inverted, expanded) = (invert(1.0 - conf, 2e4), series(conf, 2e4));
            assert!((inverted - expanded).abs() < 1e-10 * expanded, "{conf}: {inverted} {expanded}");
        }
    }
}
