//! How well a score ranks outcomes: area under the ROC curve.
//!
//! The area is the probability that a row with outcome 1 has a higher score than a row with outcome 0, ties
//! counting half (Mann and Whitney 1947). Its variance is that of DeLong, DeLong and Clarke-Pearson (1988),
//! Biometrics 44(3); the interval is taken on the logit scale, so that it stays within 0 and 1. Scores are
//! counted exactly, ties included.

use super::bytes::{Reader, Writer};
use super::scores::usable_weight;
use super::tally::{Tally, number, ordered};
use super::{Invalid, check_confidence};
use crate::normal;

/// Rows and weights of both outcomes by score.
#[derive(Debug, Clone)]
pub(crate) struct ScoredOutcomes {
    skipped: u64,
    /// Whether any row had a weight other than 1.
    weighted: bool,
    tally: Tally<u64, Outcomes>,
}

/// What is known of the rows with a score.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Outcomes {
    pub(super) rows: u64,
    /// Weight of the rows with outcome 0 and with outcome 1.
    pub(super) negative: f64,
    pub(super) positive: f64,
}

impl std::ops::AddAssign for Outcomes {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.negative += other.negative;
        self.positive += other.positive;
    }
}

/// The area under a ROC curve.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RocAuc {
    pub(crate) n_obs: u64,
    /// Rows (weight) with outcome 1.
    pub(crate) positives: f64,
    pub(crate) auc: f64,
    /// `None` with weights, or with fewer than two rows of an outcome.
    pub(crate) std_error: Option<f64>,
    /// `None` without a standard error, or if it is 0.
    pub(crate) conf_low: Option<f64>,
    pub(crate) conf_high: Option<f64>,
}

impl ScoredOutcomes {
    pub(crate) fn new() -> Self {
        Self { skipped: 0, weighted: false, tally: Tally::new() }
    }

    /// `outcomes` must be 0 or 1. Rows in which either is not finite are left out.
    pub(crate) fn update(
        &mut self,
        outcomes: &[f64],
        scores: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<(), Invalid> {
        if outcomes.len() != scores.len() || weights.is_some_and(|weights| weights.len() != scores.len()) {
            return Err(Invalid::new("columns of a batch are not equally long"));
        }
        for (row, (&outcome, &score)) in outcomes.iter().zip(scores).enumerate() {
            let weight = usable_weight(weights, row)?.filter(|_| outcome.is_finite() && score.is_finite());
            let Some(weight) = weight else {
                self.skipped += 1;
                continue;
            };
            let (negative, positive) = match outcome {
                0.0 => (weight, 0.0),
                1.0 => (0.0, weight),
                other => {
                    return Err(Invalid::new(format!("outcome is {other} where 0 or 1 is expected"))
                        .hint("Compare the column with a value and cast it: (churned = 'yes')::int."));
                }
            };
            self.weighted |= weight != 1.0;
            self.tally.add(ordered(score), Outcomes { rows: 1, negative, positive });
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.skipped += other.skipped;
        self.weighted |= other.weighted;
        self.tally.merge(&other.tally);
    }

    /// Rows left out.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    pub(super) fn weighted(&self) -> bool {
        self.weighted
    }

    /// Distinct scores, ascending.
    pub(super) fn outcomes(&self) -> Vec<(f64, Outcomes)> {
        self.tally.sums().into_iter().map(|(score, outcomes)| (number(score), outcomes)).collect()
    }

    /// The area under the ROC curve; an error unless there are rows of both outcomes.
    pub(crate) fn auc(&self, conf: f64) -> Result<RocAuc, Invalid> {
        check_confidence(conf)?;
        let outcomes = self.outcomes();
        let sum =
            |part: fn(&Outcomes) -> f64| outcomes.iter().map(|(_, outcomes)| part(outcomes)).sum::<f64>();
        let (negatives, positives) = (sum(|outcomes| outcomes.negative), sum(|outcomes| outcomes.positive));
        if negatives == 0.0 || positives == 0.0 {
            let missing = u8::from(positives == 0.0);
            return Err(Invalid::new(format!("ROC curve has no rows with outcome {missing}")));
        }
        let wins = wins(&outcomes, negatives, positives);
        let auc = wins.iter().map(|win| win.here.positive * win.over_negatives).sum::<f64>() / positives;
        let auc = auc.clamp(0.0, 1.0);
        let spread = |part: fn(&Win) -> (f64, f64), n: f64| {
            let squares: f64 =
                wins.iter().map(part).map(|(win, weight)| weight * (win - auc) * (win - auc)).sum();
            squares / (n - 1.0) / n
        };
        let variance = spread(|win| (win.over_negatives, win.here.positive), positives)
            + spread(|win| (win.under_positives, win.here.negative), negatives);
        let known = !self.weighted && positives >= 2.0 && negatives >= 2.0;
        let std_error = known.then(|| variance.max(0.0).sqrt());
        let ends = std_error.and_then(|error| interval(auc, error, conf));
        Ok(RocAuc {
            n_obs: outcomes.iter().map(|(_, outcomes)| outcomes.rows).sum(),
            positives,
            auc,
            std_error,
            conf_low: ends.map(|ends| ends.0),
            conf_high: ends.map(|ends| ends.1),
        })
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.tally.size()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let outcomes = self.outcomes();
        let mut writer = Writer::default();
        writer.integer(self.skipped);
        writer.integer(u64::from(self.weighted));
        writer.integer(outcomes.len() as u64);
        for (score, outcomes) in outcomes {
            writer.number(score);
            writer.integer(outcomes.rows);
            writer.numbers(&[outcomes.negative, outcomes.positive]);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut state =
            Self { skipped: reader.integer()?, weighted: reader.integer()? == 1, tally: Tally::new() };
        for _ in 0..reader.count(32)? {
            let score = ordered(reader.number()?);
            let (rows, negative, positive) = (reader.integer()?, reader.number()?, reader.number()?);
            state.tally.add(score, Outcomes { rows, negative, positive });
        }
        reader.finish()?;
        Ok(state)
    }
}

/// How a score fares against the rows of the other outcome, ties counting half.
struct Win {
    /// Share of the rows with outcome 0 that a row with outcome 1 and this score beats.
    over_negatives: f64,
    /// Share of the rows with outcome 1 that beat a row with outcome 0 and this score.
    under_positives: f64,
    here: Outcomes,
}

fn wins(outcomes: &[(f64, Outcomes)], negatives: f64, positives: f64) -> Vec<Win> {
    let (mut negative_below, mut positive_below) = (0.0, 0.0);
    let win = |(_, here): &(f64, Outcomes)| {
        let win = Win {
            over_negatives: (negative_below + here.negative / 2.0) / negatives,
            under_positives: (positives - positive_below - here.positive / 2.0) / positives,
            here: *here,
        };
        negative_below += here.negative;
        positive_below += here.positive;
        win
    };
    outcomes.iter().map(win).collect()
}

/// An interval on the logit scale; `None` where that has no end.
fn interval(auc: f64, std_error: f64, conf: f64) -> Option<(f64, f64)> {
    if std_error <= 0.0 || auc <= 0.0 || auc >= 1.0 {
        return None;
    }
    let half = normal::two_sided(conf) * std_error / (auc * (1.0 - auc));
    let centre = (auc / (1.0 - auc)).ln();
    let share = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    Some((share(centre - half), share(centre + half)))
}

#[cfg(test)]
mod tests;
