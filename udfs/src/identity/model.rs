//! The Fellegi–Sunter model: m and u of each level, and weights in thousandths of a bit.

use super::Kind;
use super::compare::{EQUAL, LEVELS, Pattern, UNEQUAL, level, level_name};

/// A comparison of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) column: String,
    pub(crate) kind: Kind,
    /// By level, its probability among matches and among the rest; level 0 (missing) has none.
    pub(crate) m: [f64; LEVELS],
    pub(crate) u: [f64; LEVELS],
    /// By level, its probability among records of different entities that belong together: a household, a
    /// family, the titles of one album.
    pub(crate) h: [f64; LEVELS],
    /// By level, 1000·log2(m/u).
    pub(crate) weights: [i32; LEVELS],
    /// By level, 1000·log2(h/u).
    pub(crate) related: [i32; LEVELS],
}

/// A frozen model: scoring is looking up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    /// Probability that two random records match.
    pub(crate) lambda: f64,
    /// 1000·log2(λ/(1 − λ)).
    pub(crate) prior: i32,
    /// Probability that two random records are related without being a match.
    pub(crate) eta: f64,
    /// 1000·log2(η/(1 − λ − η)).
    pub(crate) related_prior: i32,
    pub(crate) comparisons: Vec<Comparison>,
    /// Comparisons that decide by themselves: one bit each. Equal values merge, plainly different ones separate.
    pub(crate) merging: u16,
    pub(crate) separating: u16,
}

/// What a rule makes of a pair, in thousandths of a bit: at least this when it merges, at most this when it
/// separates. Either can still be outweighed by the other records of a cluster.
const MERGED: i32 = 10_000;
const SEPARATED: i32 = -20_000;

/// A line of an explanation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// The column, `prior`, or `related`.
    pub(crate) column: String,
    pub(crate) level: &'static str,
    pub(crate) m: f64,
    pub(crate) u: f64,
    /// Thousandths of a bit.
    pub(crate) weight: i32,
    /// Sum of the weights up to this line.
    pub(crate) total: i32,
}

/// No weight is beyond ±40 bits: sums of 16 stay far from the limits of `i32`.
const STRONGEST: f64 = 40_000.0;

/// Thousandths of a bit of a ratio; 0 when it is not positive and finite.
pub(crate) fn millibits(ratio: f64) -> i32 {
    if ratio > 0.0 && ratio.is_finite() {
        (1000.0 * ratio.log2()).clamp(-STRONGEST, STRONGEST).round() as i32
    } else {
        0
    }
}

/// The probability of a match of that weight.
pub(crate) fn probability(weight: i32) -> f64 {
    1.0 / (1.0 + (-f64::from(weight) / 1000.0).exp2())
}

impl Model {
    /// Thousandths of a bit in favour of a match.
    pub(crate) fn weight(&self, pattern: Pattern) -> i32 {
        let weights = self.comparisons.iter().enumerate();
        let chance = self.prior + weights.map(|(at, c)| c.weights[level(pattern, at)]).sum::<i32>();
        let evidence = chance + self.related_weight(pattern);
        evidence + self.rule(pattern).map_or(0, |(_, merges)| by_rule(evidence, merges))
    }

    /// The comparison that decides on a pattern by itself, and whether it merges. Separation comes first.
    pub(crate) fn rule(&self, pattern: Pattern) -> Option<(usize, bool)> {
        let of = |mask: u16, fits: fn(usize) -> bool| {
            (0..self.comparisons.len()).find(|at| mask >> at & 1 == 1 && fits(level(pattern, *at)))
        };
        // Behind one or two characters apart, which may be a slip of the pen.
        let separated = of(self.separating, |level| level == UNEQUAL.start + 2).map(|at| (at, false));
        separated.or_else(|| of(self.merging, |level| EQUAL.contains(&level)).map(|at| (at, true)))
    }

    /// What speaks against a match because related records agree in the same way: never positive.
    fn related_weight(&self, pattern: Pattern) -> i32 {
        (-1000.0 * (1.0 + (f64::from(self.related_odds(pattern)) / 1000.0).exp2()).log2()).round() as i32
    }

    /// Thousandths of a bit by which being related explains a pattern better than chance.
    pub(crate) fn related_odds(&self, pattern: Pattern) -> i32 {
        let weights = self.comparisons.iter().enumerate();
        self.related_prior + weights.map(|(at, c)| c.related[level(pattern, at)]).sum::<i32>()
    }

    /// Where the weight of a pattern comes from. The weights of the lines sum to it exactly.
    pub(crate) fn explain(&self, pattern: Pattern) -> Vec<Step> {
        let prior = Step {
            column: "prior".to_owned(),
            level: "",
            m: self.lambda,
            u: 1.0 - self.lambda,
            weight: self.prior,
            total: self.prior,
        };
        let mut total = self.prior;
        let mut steps = vec![prior];
        for (at, comparison) in self.comparisons.iter().enumerate() {
            let level = level(pattern, at);
            total += comparison.weights[level];
            steps.push(Step {
                column: comparison.column.clone(),
                level: level_name(comparison.kind, level),
                m: comparison.m[level],
                u: comparison.u[level],
                weight: comparison.weights[level],
                total,
            });
        }
        let weight = self.related_weight(pattern);
        let (m, u) = (self.lambda, self.eta);
        total += weight;
        steps.push(Step { column: "related".to_owned(), level: "", m, u, weight, total });
        if let Some((at, merges)) = self.rule(pattern) {
            let weight = by_rule(total, merges);
            let level = if merges { "equal values merge" } else { "different values separate" };
            let column = format!("rule of {}", self.comparisons[at].column);
            steps.push(Step { column, level, m: f64::NAN, u: f64::NAN, weight, total: total + weight });
        }
        steps
    }
}

/// What a rule adds to the evidence.
fn by_rule(evidence: i32, merges: bool) -> i32 {
    if merges { (MERGED - evidence).max(0) } else { (SEPARATED - evidence).min(0) }
}

impl Comparison {
    /// Works out the weights from m and u.
    pub(crate) fn weigh(&mut self) {
        for level in 1..LEVELS {
            self.weights[level] = millibits(self.m[level] / self.u[level]);
            self.related[level] = millibits(self.h[level] / self.u[level]);
        }
        // Agreement on a frequent value never says more than agreement on a rarer one.
        let mut least = i32::MAX;
        for level in EQUAL.filter(|level| self.m[*level] > 1e-4) {
            least = least.min(self.weights[level]);
            self.weights[level] = least;
        }
    }
}
