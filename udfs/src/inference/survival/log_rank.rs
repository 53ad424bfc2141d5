//! Log-rank test: whether groups leave at the same rate.
//!
//! At every duration the departures are shared out in proportion to those at risk; O − E of all groups but
//! one, with the hypergeometric covariances, gives a chi-square statistic of (groups − 1) degrees of freedom.
//! Mantel (1966), Cancer Chemotherapy Reports 50; Peto and Peto (1972), JRSS A 135.

use super::Durations;
use crate::inference::Invalid;
use crate::inference::distribution::chi_square_tail;
use crate::inference::matrix::{Cholesky, dot};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogRank {
    pub(crate) statistic: f64,
    pub(crate) freedom: f64,
    pub(crate) p_value: f64,
    /// Per group: customers, departures, departures expected if all groups left at the same rate.
    pub(crate) groups: Vec<Group>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Group {
    pub(crate) n: f64,
    pub(crate) observed: f64,
    pub(crate) expected: f64,
}

/// `None` for fewer than two groups with rows, or when nobody left while others could have.
pub(crate) fn test(groups: &mut [Durations]) -> Result<Option<LogRank>, Invalid> {
    let mut times = timeline(groups);
    let count = groups.len();
    let mut at_risk: Vec<f64> = vec![0.0; count];
    times.iter().for_each(|(_, group, [censored, events])| at_risk[*group] += censored + events);
    let mut found: Vec<Group> =
        at_risk.iter().map(|n| Group { n: *n, observed: 0.0, expected: 0.0 }).collect();
    let used: Vec<usize> = (0..count).filter(|group| at_risk[*group] > 0.0).collect();
    if used.len() < 2 {
        return Ok(None);
    }
    let mut covariance = vec![0.0; count * count];
    times.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    for same in times.chunk_by(|a, b| a.0 == b.0) {
        let events: f64 = same.iter().map(|(_, _, [_, events])| events).sum();
        if events > 0.0 {
            add_covariance(&mut covariance, &at_risk, events);
        }
        let total: f64 = at_risk.iter().sum();
        for (group, found) in found.iter_mut().enumerate() {
            found.expected += events * at_risk[group] / total;
        }
        for (_, group, [censored, events]) in same {
            found[*group].observed += events;
            at_risk[*group] -= events + censored;
        }
    }
    // One group is left out: its deviation follows from the others'.
    let kept = &used[1..];
    let deviations: Vec<f64> = kept.iter().map(|&g| found[g].observed - found[g].expected).collect();
    let cell = |a: usize| kept.iter().map(move |b| a * count + b);
    let kept_covariance: Vec<f64> = kept.iter().flat_map(|a| cell(*a)).map(|cell| covariance[cell]).collect();
    let Ok(decomposed) = Cholesky::new(&kept_covariance, kept.len()) else { return Ok(None) };
    let statistic = dot(&deviations, &decomposed.solve(&deviations));
    let freedom = kept.len() as f64;
    Ok(Some(LogRank { statistic, freedom, p_value: chi_square_tail(statistic, freedom), groups: found }))
}

/// Durations of all groups with their counts of censorings and events.
fn timeline(groups: &mut [Durations]) -> Vec<(f64, usize, [f64; 2])> {
    let mut times = Vec::new();
    for (group, durations) in groups.iter_mut().enumerate() {
        times.extend(durations.steps().iter().map(|step| (step.time, group, [step.censored, step.events])));
    }
    times
}

fn add_covariance(covariance: &mut [f64], at_risk: &[f64], events: f64) {
    let count = at_risk.len();
    let total: f64 = at_risk.iter().sum();
    if total <= 1.0 {
        return;
    }
    let factor = events * (total - events) / (total - 1.0);
    for (a, risk) in at_risk.iter().enumerate() {
        let share = risk / total;
        covariance[a * count + a] += factor * share;
        for (b, other) in at_risk.iter().enumerate() {
            covariance[a * count + b] -= factor * share * other / total;
        }
    }
}
