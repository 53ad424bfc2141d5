//! Score residuals: what each row adds to the gradient at the maximum, and their sandwich meat.

use std::collections::BTreeMap;

use super::likelihood::Sorted;
use crate::inference::matrix::{add_outer, dot};

/// Σ s sᵀ over rows, or over clusters of rows.
pub(super) fn meat(sorted: &Sorted, beta: &[f64], clusters: Option<&[u64]>) -> Vec<f64> {
    let size = sorted.size();
    let mut meat = vec![0.0; size * size];
    let mut sums: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    scores(sorted, beta, |row, score| match clusters {
        None => add_outer(&mut meat, score, 1.0),
        Some(clusters) => {
            let sum = sums.entry(clusters[row]).or_insert_with(|| vec![0.0; size]);
            sum.iter_mut().zip(score).for_each(|(sum, part)| *sum += part);
        }
    });
    sums.values().for_each(|sum| add_outer(&mut meat, sum, 1.0));
    meat
}

/// What one run of equal durations takes from those at risk at it.
struct Toll {
    /// Σ over the tied departures of 1/φ and of its mean covariates: hazard, and hazard·x̄.
    hazard: f64,
    weighted: Vec<f64>,
    /// The same for the departures themselves, which carry the share 1 − f of their risk.
    own_hazard: f64,
    own_weighted: Vec<f64>,
    /// x̄ averaged over the tied departures.
    mean: Vec<f64>,
}

/// Calls `visit` with every sorted row and its score residual.
fn scores(sorted: &Sorted, beta: &[f64], mut visit: impl FnMut(usize, &[f64])) {
    let size = sorted.size();
    let tolls = tolls(sorted, beta);
    // Longer durations pass more tolls: walk from the shortest with running sums.
    let (mut hazard, mut weighted) = (0.0, vec![0.0; size]);
    let mut score = vec![0.0; size];
    for (run, toll) in sorted.runs.iter().zip(&tolls).rev() {
        for row in run.start..run.end {
            let x = sorted.x(row);
            let risk = dot(x, beta).exp();
            let departs = row < run.start + run.events;
            for term in 0..size {
                let passed = if departs {
                    x[term] * (hazard + toll.own_hazard) - weighted[term] - toll.own_weighted[term]
                } else {
                    x[term] * (hazard + toll.hazard) - weighted[term] - toll.weighted[term]
                };
                score[term] = if departs { x[term] - toll.mean[term] } else { 0.0 } - risk * passed;
            }
            visit(row, &score);
        }
        hazard += toll.hazard;
        weighted.iter_mut().zip(&toll.weighted).for_each(|(sum, part)| *sum += part);
    }
}

fn tolls(sorted: &Sorted, beta: &[f64]) -> Vec<Toll> {
    let size = sorted.size();
    let (mut risk, mut first) = (0.0, vec![0.0; size]);
    let mut tolls = Vec::with_capacity(sorted.runs.len());
    for run in &sorted.runs {
        let (mut own, mut own_first) = (0.0, vec![0.0; size]);
        for row in run.start..run.end {
            let x = sorted.x(row);
            let weight = dot(x, beta).exp();
            risk += weight;
            first.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
            if row < run.start + run.events {
                own += weight;
                own_first.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
            }
        }
        tolls.push(Toll::new(run.events, (risk, &first), (own, &own_first)));
    }
    tolls
}

impl Toll {
    fn new(events: usize, (risk, first): (f64, &[f64]), (own, own_first): (f64, &[f64])) -> Self {
        let nothing = || vec![0.0; first.len()];
        let mut toll = Self {
            hazard: 0.0,
            weighted: nothing(),
            own_hazard: 0.0,
            own_weighted: nothing(),
            mean: nothing(),
        };
        for event in 0..events {
            let share = event as f64 / events as f64;
            let inverse = 1.0 / (risk - share * own);
            toll.hazard += inverse;
            toll.own_hazard += (1.0 - share) * inverse;
            for term in 0..first.len() {
                let mean = (first[term] - share * own_first[term]) * inverse;
                toll.weighted[term] += mean * inverse;
                toll.own_weighted[term] += (1.0 - share) * mean * inverse;
                toll.mean[term] += mean / events as f64;
            }
        }
        toll
    }
}

/// Schoenfeld residuals: covariates of a departure minus the mean of those at risk (averaged over ties, as Efron's
/// likelihood does). Calls `visit` for every duration with departures, falling, with their number and the sums of
/// their residuals.
pub(super) fn schoenfeld(sorted: &Sorted, beta: &[f64], mut visit: impl FnMut(f64, &[f64])) {
    let mut sums = vec![0.0; sorted.size()];
    for (run, toll) in sorted.runs.iter().zip(tolls(sorted, beta)).filter(|(run, _)| run.events > 0) {
        sums.fill(0.0);
        for row in run.start..run.start + run.events {
            let gaps = sorted.x(row).iter().zip(&toll.mean).map(|(x, mean)| x - mean);
            sums.iter_mut().zip(gaps).for_each(|(sum, gap)| *sum += gap);
        }
        visit(run.events as f64, &sums);
    }
}
