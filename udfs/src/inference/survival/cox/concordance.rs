//! Harrell's concordance: how often the customer with the higher risk leaves first.
//!
//! Two customers can be compared when the one with the shorter duration left, or when durations are equal and
//! exactly one left (the other stayed longer). Equal risks count half. Harrell, Lee and Mark (1996),
//! Statistics in Medicine 15. O(n log n) by a Fenwick tree over the ranks of the risks.

use super::likelihood::Run;

/// Runs of equal durations, falling, and the risk of every row of theirs (higher leaves sooner). `None` when no two can be
/// compared.
pub(crate) fn of(runs: &[Run], risks: &[f64]) -> Option<f64> {
    let (ranks, distinct) = dense_ranks(risks);
    let mut outlived = Fenwick::new(distinct);
    let (mut pairs, mut concordant) = (0.0, 0.0);
    for run in runs {
        let departures = run.start..run.start + run.events;
        // At the same duration those who stayed outlived those who left.
        ranks[departures.end..run.end].iter().for_each(|rank| outlived.add(*rank));
        for rank in &ranks[departures.clone()] {
            pairs += f64::from(outlived.total);
            concordant += f64::from(outlived.below(*rank)) + 0.5 * f64::from(outlived.at(*rank));
        }
        ranks[departures].iter().for_each(|rank| outlived.add(*rank));
    }
    (pairs > 0.0).then(|| concordant / pairs)
}

/// The place of each value among the distinct ones, and how many there are.
fn dense_ranks(values: &[f64]) -> (Vec<u32>, usize) {
    let mut order: Vec<(f64, u32)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut rank) = (vec![0; values.len()], 0);
    for (place, (value, row)) in order.iter().enumerate() {
        rank += u32::from(place > 0 && *value != order[place - 1].0);
        ranks[*row as usize] = rank;
    }
    (ranks, rank as usize + 1)
}

/// Counts by rank, with prefix sums in O(log n).
struct Fenwick {
    counts: Vec<u32>,
    sums: Vec<u32>,
    total: u32,
}

impl Fenwick {
    fn new(ranks: usize) -> Self {
        Self { counts: vec![0; ranks], sums: vec![0; ranks + 1], total: 0 }
    }

    fn add(&mut self, rank: u32) {
        self.total += 1;
        self.counts[rank as usize] += 1;
        let mut place = rank as usize + 1;
        while place < self.sums.len() {
            self.sums[place] += 1;
            place += place & place.wrapping_neg();
        }
    }

    fn at(&self, rank: u32) -> u32 {
        self.counts[rank as usize]
    }

    /// How many have a rank below `rank`.
    fn below(&self, rank: u32) -> u32 {
        let (mut place, mut count) = (rank as usize, 0);
        while place > 0 {
            count += self.sums[place];
            place -= place & place.wrapping_neg();
        }
        count
    }
}
