//! Test of proportional hazards by scaled Schoenfeld residuals.
//!
//! Grambsch and Therneau (1994), Biometrika 81: under proportional hazards the scaled residuals d·V·s of a
//! covariate do not follow any function g of the duration. Per covariate, with d departures,
//! (Σ (g − ḡ)(d·V·s))² / (d·V·Σ(g − ḡ)²) is chi-square with one degree of freedom. g is the rank of the departure's
//! duration, departures of the same duration sharing their mean rank.

use super::likelihood::Sorted;
use super::{residuals, solve};
use crate::inference::Invalid;
use crate::inference::distribution::chi_square_tail;
use crate::inference::rows::Rows;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Proportionality {
    pub(crate) statistic: f64,
    pub(crate) p_value: f64,
}

/// Per covariate; rows as for [`super::fit`]. `None` when all departures have the same duration.
pub(crate) fn test(rows: &Rows) -> Result<Option<Vec<Proportionality>>, Invalid> {
    let sorted = Sorted::new(rows)?;
    let fit = solve(&sorted)?;
    let size = sorted.size();
    let residuals = residuals::schoenfeld(&sorted, &fit.beta);
    let ranks = mean_ranks(&residuals);
    let events = residuals.len() as f64;
    let mean = ranks.iter().sum::<f64>() / events;
    let spread: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
    if spread <= 0.0 {
        return Ok(None);
    }
    let mut moved = vec![0.0; size];
    for ((_, residual), rank) in residuals.iter().zip(&ranks) {
        moved.iter_mut().zip(residual).for_each(|(sum, part)| *sum += (rank - mean) * part);
    }
    let result = |term: usize| {
        let row = &fit.covariance[term * size..(term + 1) * size];
        let scaled: f64 = events * row.iter().zip(&moved).map(|(v, sum)| v * sum).sum::<f64>();
        let statistic = scaled * scaled / (events * row[term] * spread);
        Proportionality { statistic, p_value: chi_square_tail(statistic, 1.0) }
    };
    Ok(Some((0..size).map(result).collect()))
}

fn mean_ranks(residuals: &[(f64, Vec<f64>)]) -> Vec<f64> {
    let mut ranks = Vec::with_capacity(residuals.len());
    for run in residuals.chunk_by(|a, b| a.0 == b.0) {
        let before = ranks.len() as f64;
        let rank = before + (run.len() as f64 + 1.0) / 2.0;
        ranks.extend(run.iter().map(|_| -rank));
    }
    ranks
}
