//! Harrell's concordance: how often the customer with the higher risk leaves first.
//!
//! Two customers can be compared when the one with the shorter duration left, or when durations are equal and
//! exactly one left (the other stayed longer). Equal risks count half. Harrell, Lee and Mark (1996),
//! Statistics in Medicine 15. O(n log n) by a Fenwick tree over the ranks of the risks.

use crate::inference::Invalid;

/// Durations with event flags and risk scores (higher leaves sooner). `None` when no two can be compared.
pub(crate) fn concordance(observations: &[(f64, bool, f64)]) -> Result<Option<f64>, Invalid> {
    if observations.iter().any(|(duration, _, risk)| !duration.is_finite() || !risk.is_finite()) {
        return Err(Invalid::new("duration or risk is not a finite number"));
    }
    let mut risks: Vec<f64> = observations.iter().map(|(_, _, risk)| *risk).collect();
    risks.sort_unstable_by(f64::total_cmp);
    risks.dedup();
    let rank = |risk: f64| risks.partition_point(|other| *other < risk);
    let mut order: Vec<usize> = (0..observations.len()).collect();
    // Longest first; at the same duration those who stayed come before those who left.
    order.sort_unstable_by(|&a, &b| {
        let (left, right) = (&observations[a], &observations[b]);
        right.0.total_cmp(&left.0).then(left.1.cmp(&right.1))
    });
    let mut outlived = Fenwick::new(risks.len());
    let (mut pairs, mut concordant) = (0.0, 0.0);
    for run in order
        .chunk_by(|&a, &b| observations[a].0 == observations[b].0 && observations[a].1 == observations[b].1)
    {
        for &row in run {
            if observations[row].1 {
                let rank = rank(observations[row].2);
                let (below, upto) = (outlived.count(rank), outlived.count(rank + 1));
                pairs += outlived.total;
                concordant += below + 0.5 * (upto - below);
            }
        }
        run.iter().for_each(|&row| outlived.add(rank(observations[row].2)));
    }
    Ok((pairs > 0.0).then(|| concordant / pairs))
}

/// Counts by rank, with prefix sums in O(log n).
struct Fenwick {
    sums: Vec<f64>,
    total: f64,
}

impl Fenwick {
    fn new(ranks: usize) -> Self {
        Self { sums: vec![0.0; ranks + 1], total: 0.0 }
    }

    fn add(&mut self, rank: usize) {
        self.total += 1.0;
        let mut place = rank + 1;
        while place < self.sums.len() {
            self.sums[place] += 1.0;
            place += place & place.wrapping_neg();
        }
    }

    /// How many have a rank below `rank`.
    fn count(&self, rank: usize) -> f64 {
        let (mut place, mut count) = (rank, 0.0);
        while place > 0 {
            count += self.sums[place];
            place -= place & place.wrapping_neg();
        }
        count
    }
}
