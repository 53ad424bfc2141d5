//! Whether predicted probabilities come true: calibration table, Brier score, expected calibration error.
//!
//! The table compares, bin by bin, the mean prediction with the share of outcome 1, with Wilson's interval. The
//! Brier score is the mean of (p − y)² (Brier 1950); the expected calibration error is the mean over rows of
//! |share − mean prediction| of their bin.

use super::roc::{Outcomes, ScoredOutcomes};
use super::{Invalid, check_confidence};
use crate::wilson;

/// Most bins.
pub(crate) const MOST_BINS: usize = 1000;

/// How predictions are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binning {
    /// Bins of equal width between 0 and 1; a prediction at a limit belongs to the upper bin.
    Width,
    /// Bins of about as many rows (weight); equal predictions stay together.
    Count,
}

/// One line of a calibration table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CalibrationBin {
    /// From 1 on.
    pub(crate) bin: u32,
    /// Least and largest prediction of the bin's rows.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) n_obs: u64,
    pub(crate) mean_predicted: f64,
    pub(crate) observed: f64,
    /// Interval of `observed`; `None` with weights.
    pub(crate) conf_low: Option<f64>,
    pub(crate) conf_high: Option<f64>,
}

/// A calibration table and its summary.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    /// Bins that have rows.
    pub(crate) bins: Vec<CalibrationBin>,
    pub(crate) n_obs: u64,
    pub(crate) brier: f64,
    /// Expected calibration error.
    pub(crate) ece: f64,
}

/// Calibration of the predictions in `scored`, which must lie between 0 and 1.
pub(crate) fn calibration(
    scored: &ScoredOutcomes,
    bins: usize,
    binning: Binning,
    conf: f64,
) -> Result<Calibration, Invalid> {
    check_confidence(conf)?;
    if bins == 0 || bins > MOST_BINS {
        return Err(Invalid::new(format!("number of bins {bins} is not between 1 and {MOST_BINS}")));
    }
    let outcomes = scored.outcomes();
    if let Some((score, _)) = outcomes.iter().find(|(score, _)| !(0.0..=1.0).contains(score)) {
        return Err(Invalid::new(format!("predicted probability {score} is not between 0 and 1")));
    }
    if outcomes.is_empty() {
        return Err(Invalid::new("calibration has no rows"));
    }
    let mut sums = vec![Bin::default(); bins];
    let total: f64 = outcomes.iter().map(|(_, here)| here.negative + here.positive).sum();
    let (mut below, mut brier) = (0.0, 0.0);
    for (score, here) in &outcomes {
        let weight = here.negative + here.positive;
        let place = match binning {
            Binning::Width => (score * bins as f64) as usize,
            // The bin of the middle of the rows with this prediction.
            Binning::Count => ((below + weight / 2.0) / total * bins as f64) as usize,
        };
        sums[place.min(bins - 1)].add(*score, here);
        below += weight;
        brier += here.negative * score * score + here.positive * (1.0 - score) * (1.0 - score);
    }
    let apart = |bin: &Bin| (bin.positive - bin.predicted).abs();
    let ece = sums.iter().map(apart).sum::<f64>() / total;
    let filled = sums.iter().enumerate().filter(|(_, bin)| bin.rows > 0);
    Ok(Calibration {
        n_obs: outcomes.iter().map(|(_, here)| here.rows).sum(),
        bins: filled.map(|(place, bin)| bin.line(place, scored.weighted(), conf)).collect(),
        brier: brier / total,
        ece,
    })
}

#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    rows: u64,
    weight: f64,
    positive: f64,
    /// Sum of the predictions.
    predicted: f64,
    low: f64,
    high: f64,
}

impl Bin {
    /// Predictions come in ascending order.
    fn add(&mut self, score: f64, here: &Outcomes) {
        if self.rows == 0 {
            self.low = score;
        }
        self.high = score;
        self.rows += here.rows;
        self.weight += here.negative + here.positive;
        self.positive += here.positive;
        self.predicted += score * (here.negative + here.positive);
    }

    fn line(&self, place: usize, weighted: bool, conf: f64) -> CalibrationBin {
        let ends = (!weighted).then(|| wilson::interval(self.positive, self.weight, conf));
        CalibrationBin {
            bin: place as u32 + 1,
            low: self.low,
            high: self.high,
            n_obs: self.rows,
            mean_predicted: self.predicted / self.weight,
            observed: self.positive / self.weight,
            conf_low: ends.map(|ends| ends.0),
            conf_high: ends.map(|ends| ends.1),
        }
    }
}

#[cfg(test)]
mod tests;
