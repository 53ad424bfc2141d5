//! Change points of the level of a series, by cumulative sums.
//!
//! With S_k = Σ_{i≤k} (yᵢ − ȳ) and the standard deviation s of the n values, the largest |S_k|/(s√n) has, when
//! nothing changes, the distribution of the largest value of a Brownian bridge (Kolmogorov's), so
//! p = 2 Σ_{j≥1} (−1)^{j+1} exp(−2j²D²). Page (1954), Biometrika 41; Ploberger and Krämer (1992), Econometrica
//! 60. Where p is at most alpha the series is cut there and both parts are searched (binary segmentation,
//! Scott and Knott 1974). s includes the change itself and the distribution is that of long series, so p errs
//! on the side of no change. Values are taken as independent: average seasons out first.

use super::series::Series;
use crate::inference::Invalid;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ChangePoint {
    /// The time of the first value of the new level.
    pub(crate) time: f64,
    pub(crate) mean_before: f64,
    pub(crate) mean_after: f64,
    /// Largest |S_k|/(s√n) of the part of the series that was cut here.
    pub(crate) statistic: f64,
    pub(crate) p_value: f64,
    /// Values in that part.
    pub(crate) n: usize,
}

/// Change points in order of time. `min_length` values at least lie between two of them; means are those of
/// the values up to the neighbouring change points.
pub(crate) fn change_points(
    series: &Series,
    alpha: f64,
    min_length: usize,
) -> Result<Vec<ChangePoint>, Invalid> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(Invalid::new(format!("significance level {alpha} is not between 0 and 1"))
            .with_hint("Write 5 percent as 0.05."));
    }
    if min_length < 2 {
        return Err(Invalid::new("shortest part of a series is below 2 values"));
    }
    let points = series.sorted();
    let mut cuts = Vec::new();
    let mut parts = vec![(0, points.len())];
    while let Some((start, end)) = parts.pop() {
        if let Some(cut) = strongest(&points, start, end, min_length)
            && cut.p_value <= alpha
        {
            parts.push((start, cut.place));
            parts.push((cut.place, end));
            cuts.push(cut);
        }
    }
    cuts.sort_unstable_by_key(|cut| cut.place);
    let edges: Vec<usize> =
        [0].into_iter().chain(cuts.iter().map(|cut| cut.place)).chain([points.len()]).collect();
    let around = edges.windows(3).zip(&cuts);
    Ok(around
        .map(|(edges, cut)| ChangePoint {
            time: points[cut.place].0,
            mean_before: mean(&points[edges[0]..edges[1]]),
            mean_after: mean(&points[edges[1]..edges[2]]),
            statistic: cut.statistic,
            p_value: cut.p_value,
            n: cut.n,
        })
        .collect())
}

struct Cut {
    place: usize,
    statistic: f64,
    p_value: f64,
    n: usize,
}

fn mean(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64
}

/// The place of the largest cumulative sum; values of the same time are not cut apart.
fn strongest(points: &[(f64, f64)], start: usize, end: usize, min_length: usize) -> Option<Cut> {
    let part = &points[start..end];
    let n = part.len();
    if n < 2 * min_length {
        return None;
    }
    let mean = mean(part);
    let squares: f64 = part.iter().map(|(_, value)| (value - mean).powi(2)).sum();
    let spread = (squares / (n - 1) as f64).sqrt();
    // What rounding leaves of a constant series is not spread.
    if !(spread > 1e-12 * mean.abs() && spread.is_finite()) {
        return None;
    }
    let (mut sum, mut largest, mut place) = (0.0, 0.0, None);
    for k in 1..n {
        sum += part[k - 1].1 - mean;
        let allowed = k >= min_length && n - k >= min_length && part[k - 1].0 < part[k].0;
        if allowed && sum.abs() > largest {
            largest = sum.abs();
            place = Some(k);
        }
    }
    let statistic = largest / (spread * (n as f64).sqrt());
    place.map(|place| Cut { place: start + place, statistic, p_value: kolmogorov_tail(statistic), n })
}

/// P(sup |Brownian bridge| > d).
pub(super) fn kolmogorov_tail(d: f64) -> f64 {
    if d < 0.2 {
        return 1.0;
    }
    let mut sum = 0.0;
    for j in 1..=100 {
        let term = (-2.0 * f64::from(j * j) * d * d).exp();
        sum += if j % 2 == 1 { term } else { -term };
        if term < 1e-18 {
            break;
        }
    }
    (2.0 * sum).clamp(0.0, 1.0)
}
