//! Wilson's score interval of a share.
//!
//! Centre (p̂ + z²/2n) / (1 + z²/n), half width z √(p̂(1 − p̂)/n + z²/4n²) / (1 + z²/n). Wilson (1927), Journal
//! of the American Statistical Association 22; recommended by Brown, Cai and DasGupta (2001), Statistical
//! Science 16(2).

use crate::normal;

/// The interval of `hits / n` at confidence level `conf`; needs `n > 0` and `0 <= hits <= n`.
pub(crate) fn interval(hits: f64, n: f64, conf: f64) -> (f64, f64) {
    let z = normal::two_sided(conf);
    let share = hits / n;
    let scale = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / scale;
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt() / scale;
    // Exact ends where rounding would leave a trace.
    let low = if hits == 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if hits == n { 1.0 } else { (centre + half).min(1.0) };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::interval;

    #[test]
    fn golden_intervals() {
        let cases = [
            (0.0, 10.0, 0.0, 0.277533),
            (8.0, 10.0, 0.490162, 0.943318),
            (10.0, 10.0, 1.0 - 0.277533, 1.0),
            (81.0, 263.0, 0.255289, 0.366210),
        ];
        for (hits, n, low, high) in cases {
            let found = interval(hits, n, 0.95);
            assert!((found.0 - low).abs() < 5e-7 && (found.1 - high).abs() < 5e-7, "{hits}/{n}: {found:?}");
        }
    }
}
