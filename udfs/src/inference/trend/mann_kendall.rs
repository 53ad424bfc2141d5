//! Mann–Kendall test of a monotone trend, with Sen's slope.
//!
//! S = Σ sign(yⱼ − yᵢ) over pairs of different times; Z = (S ∓ 1)/√Var(S) with the variance that allows for ties
//! of values and of times (Kendall 1970, *Rank Correlation Methods*). Mann (1945), Econometrica 13. The slope
//! is the median of the slopes of all pairs of different times; Sen (1968), JASA 63. Its interval has ranks
//! (N ∓ z√Var(S))/2 among the N slopes.

use super::series::Series;
use crate::inference::distribution::normal_tails;
use crate::inference::{Invalid, confidence};
use crate::normal;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trend {
    /// S.
    pub(crate) statistic: f64,
    /// Kendall's τ_b of time and value.
    pub(crate) tau: f64,
    pub(crate) z: f64,
    pub(crate) p_value: f64,
    /// Change of the value in one unit of time.
    pub(crate) slope: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    pub(crate) n: usize,
}

/// Longest series: the slopes of its pairs are held in memory.
const LONGEST: usize = 5000;

/// `None` for fewer than three points, or when time or value does not change.
pub(crate) fn trend(series: &Series, conf: f64) -> Result<Option<Trend>, Invalid> {
    let z_conf = normal::two_sided(confidence(conf)?);
    let points = series.sorted();
    let n = points.len();
    if n > LONGEST {
        return Err(Invalid::new(format!("series of {n} points is longer than {LONGEST}"))
            .with_hint("Average by day or week first."));
    }
    let pairs = (n * n.saturating_sub(1) / 2) as f64;
    let (times, values) = (Ties::of(points.iter().map(|p| p.0)), Ties::of(points.iter().map(|p| p.1)));
    if n < 3 || times.pairs >= pairs || values.pairs >= pairs {
        return Ok(None);
    }
    let (score, slopes) = compare(&points);
    let variance = variance(n as f64, &times, &values);
    let z = (score - score.signum() * f64::from(u8::from(score != 0.0))) / variance.sqrt();
    let reach = z_conf * variance.sqrt();
    let count = slopes.len() as f64;
    let (slope, conf_low, conf_high) = (
        quantile_of_ranks(&slopes, (count + 1.0) / 2.0),
        quantile_of_ranks(&slopes, (count - reach) / 2.0),
        quantile_of_ranks(&slopes, (count + reach) / 2.0 + 1.0),
    );
    Ok(Some(Trend {
        statistic: score,
        tau: score / ((pairs - times.pairs) * (pairs - values.pairs)).sqrt(),
        z,
        p_value: normal_tails(z),
        slope,
        conf_low,
        conf_high,
        n,
    }))
}

/// S, and the slopes of all pairs of different times in order.
fn compare(points: &[(f64, f64)]) -> (f64, Vec<f64>) {
    let (mut score, mut slopes) = (0.0, Vec::new());
    for (place, (time, value)) in points.iter().enumerate() {
        for (later, other) in &points[place + 1..] {
            if later > time {
                let rise = other - value;
                score += if rise > 0.0 {
                    1.0
                } else if rise < 0.0 {
                    -1.0
                } else {
                    0.0
                };
                slopes.push(rise / (later - time));
            }
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    (score, slopes)
}

/// The value at a rank counted from 1, between neighbours linearly, cut to the ends.
fn quantile_of_ranks(sorted: &[f64], rank: f64) -> f64 {
    let place = (rank - 1.0).clamp(0.0, sorted.len().saturating_sub(1) as f64);
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}

/// What equal values take from the variance, summed over runs of t equal ones.
struct Ties {
    /// Σ t(t − 1)/2.
    pairs: f64,
    /// Σ t(t − 1)(t − 2).
    triples: f64,
    /// Σ t(t − 1)(2t + 5).
    variance: f64,
}

impl Ties {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut ties = Self { pairs: 0.0, triples: 0.0, variance: 0.0 };
        for run in sorted.chunk_by(|a, b| a == b) {
            let t = run.len() as f64;
            ties.pairs += t * (t - 1.0) / 2.0;
            ties.triples += t * (t - 1.0) * (t - 2.0);
            ties.variance += t * (t - 1.0) * (2.0 * t + 5.0);
        }
        ties
    }
}

fn variance(n: f64, times: &Ties, values: &Ties) -> f64 {
    let all = n * (n - 1.0);
    let both = 2.0 * times.pairs * values.pairs / all;
    let threes = times.triples * values.triples / (9.0 * all * (n - 2.0));
    (all * (2.0 * n + 5.0) - times.variance - values.variance) / 18.0 + both + threes
}
