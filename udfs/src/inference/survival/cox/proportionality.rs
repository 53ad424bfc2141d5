//! Test of proportional hazards by scaled Schoenfeld residuals.
//!
//! Grambsch and Therneau (1994), Biometrika 81: under proportional hazards the scaled residuals d·V·s of a
//! covariate do not follow any function g of the duration. Per covariate, with d departures,
//! (Σ (g − ḡ)(d·V·s))² / (d·V·Σ(g − ḡ)²) is chi-square with one degree of freedom. g is the rank of the departure's
//! duration, departures of the same duration sharing their mean rank.

use super::likelihood::Sorted;
use super::{Fit, residuals};
use crate::inference::distribution::chi_square_tail;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Proportionality {
    pub(crate) statistic: f64,
    pub(crate) p_value: f64,
}

/// Per covariate; `None` when all departures have the same duration.
pub(super) fn test(sorted: &Sorted, fit: &Fit) -> Option<Vec<Proportionality>> {
    let size = sorted.size();
    let events = sorted.events() as f64;
    // Durations fall, so their ranks fall; only distances from the mean matter.
    let mean = -(events + 1.0) / 2.0;
    let (mut before, mut spread, mut moved) = (0.0, 0.0, vec![0.0; size]);
    residuals::schoenfeld(sorted, &fit.beta, |departures, sums| {
        let rank = -(before + (departures + 1.0) / 2.0);
        before += departures;
        spread += departures * (rank - mean).powi(2);
        moved.iter_mut().zip(sums).for_each(|(moved, sum)| *moved += (rank - mean) * sum);
    });
    if spread <= 0.0 {
        return None;
    }
    let result = |term: usize| {
        let row = &fit.covariance[term * size..(term + 1) * size];
        let scaled: f64 = events * row.iter().zip(&moved).map(|(v, sum)| v * sum).sum::<f64>();
        let statistic = scaled * scaled / (events * row[term] * spread);
        Proportionality { statistic, p_value: chi_square_tail(statistic, 1.0) }
    };
    Some((0..size).map(result).collect())
}
