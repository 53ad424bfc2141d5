//! Which segments moved a metric between two periods, and whether by their share or by their score.
//!
//! With shares s and scores m of a segment before (0) and after (1), averages over the two periods s̄, m̄, and
//! the average M̄ of the overall scores: mix effect (s₁ − s₀)(m̄ − M̄), rate effect (m₁ − m₀)s̄. Over all
//! segments they add up to the movement of the overall score, without a rest (Kitagawa 1955, with both
//! periods weighing the same). A segment that is there in one period only has no rate effect; its score
//! is that of the one period.
//!
//! The interval is that of mix and rate effect together, which is s₁(m₁ − M̄) − s₀(m₀ − M̄): in each period a
//! mean over all answers. p values are normal, adjusted over the segments by Benjamini and Hochberg.

use std::collections::BTreeMap;

use super::adjust::benjamini_hochberg;
use super::bytes::{Reader, Writer};
use super::scores::{Metric, Scores, Tested, usable_weight};
use super::{Invalid, check_confidence};

/// Scores by segment, before and after.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PeriodScores {
    metric: Metric,
    skipped: u64,
    segments: BTreeMap<String, [Scores; 2]>,
}

/// The movement of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) metric_before: f64,
    pub(crate) metric_after: f64,
    pub(crate) change: f64,
    /// `None` with fewer than two answers in a period.
    pub(crate) std_error: Option<f64>,
    pub(crate) conf_low: Option<f64>,
    pub(crate) conf_high: Option<f64>,
    pub(crate) p_value: Option<f64>,
    /// In the order of their names.
    pub(crate) segments: Vec<SegmentChange>,
}

/// The part of one segment in a movement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SegmentChange {
    pub(crate) segment: String,
    pub(crate) n_before: u64,
    pub(crate) n_after: u64,
    /// Share of the weight of all answers of the period.
    pub(crate) share_before: f64,
    pub(crate) share_after: f64,
    /// `None` without answers in the period.
    pub(crate) metric_before: Option<f64>,
    pub(crate) metric_after: Option<f64>,
    pub(crate) mix_effect: f64,
    pub(crate) rate_effect: f64,
    /// Both together.
    pub(crate) effect: f64,
    pub(crate) std_error: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    pub(crate) p_value: Option<f64>,
    pub(crate) p_adjusted: Option<f64>,
}

impl PeriodScores {
    /// The state of no answers.
    pub(crate) fn new(metric: Metric) -> Self {
        Self { metric, skipped: 0, segments: BTreeMap::new() }
    }

    /// `after` says which period an answer belongs to. Answers without a usable score are left out and
    /// counted.
    pub(crate) fn update(
        &mut self,
        scores: &[f64],
        segments: &[&str],
        after: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<(), Invalid> {
        let rows = scores.len();
        let equal = weights.is_none_or(|weights| weights.len() == rows);
        if segments.len() != rows || after.len() != rows || !equal {
            return Err(Invalid::new("columns of a batch are not equally long"));
        }
        for row in 0..rows {
            let (Some(value), Some(weight)) = (self.metric.value(scores[row]), usable_weight(weights, row)?)
            else {
                self.skipped += 1;
                continue;
            };
            let one = Scores::one(value, weight);
            if let Some(periods) = self.segments.get_mut(segments[row]) {
                periods[usize::from(after[row])].merge(&one);
            } else {
                let periods = self.segments.entry(segments[row].to_owned()).or_default();
                periods[usize::from(after[row])].merge(&one);
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if self.metric != other.metric {
            return Err(Invalid::new("scores of different metrics do not merge"));
        }
        self.skipped += other.skipped;
        for (segment, periods) in &other.segments {
            let own = self.segments.entry(segment.clone()).or_default();
            own.iter_mut().zip(periods).for_each(|(own, other)| own.merge(other));
        }
        Ok(())
    }

    /// Answers left out.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// What moved the metric.
    pub(crate) fn explain(&self, conf: f64) -> Result<Change, Invalid> {
        check_confidence(conf)?;
        let mut periods = [Scores::default(); 2];
        for segment in self.segments.values() {
            periods.iter_mut().zip(segment).for_each(|(sum, own)| sum.merge(own));
        }
        let [Some(before), Some(after)] = periods.map(|period| period.mean()) else {
            let which = if periods[0].rows == 0 { "before" } else { "after" };
            return Err(Invalid::new(format!("change of a metric has no answers {which}")));
        };
        let mut segments: Vec<SegmentChange> =
            self.segments.iter().map(|(name, own)| segment_change(name, own, &periods, conf)).collect();
        let p_values: Vec<Option<f64>> = segments.iter().map(|segment| segment.p_value).collect();
        for (segment, p_adjusted) in segments.iter_mut().zip(benjamini_hochberg(&p_values)) {
            segment.p_adjusted = p_adjusted;
        }
        let change = after - before;
        let variances = periods.map(|period| period.variance_of_mean());
        let tested = variances[0].zip(variances[1]).map(|(a, b)| Tested::new(change, a + b, conf));
        Ok(Change {
            metric_before: before,
            metric_after: after,
            change,
            std_error: tested.map(|tested| tested.std_error),
            conf_low: tested.map(|tested| tested.conf_low),
            conf_high: tested.map(|tested| tested.conf_high),
            p_value: tested.and_then(|tested| tested.p_value),
            segments,
        })
    }

    pub(crate) fn size(&self) -> usize {
        let names: usize = self.segments.keys().map(String::capacity).sum();
        size_of::<Self>() + names + self.segments.len() * size_of::<(String, [Scores; 2])>() * 2
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(u64::from(self.metric == Metric::Nps));
        writer.integer(self.skipped);
        writer.integer(self.segments.len() as u64);
        for (segment, periods) in &self.segments {
            writer.text(segment);
            periods.iter().for_each(|period| period.write(&mut writer));
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let metric = if reader.integer()? == 1 { Metric::Nps } else { Metric::Mean };
        let mut state = Self { skipped: reader.integer()?, ..Self::new(metric) };
        for _ in 0..reader.count(8 + 2 * Scores::BYTES)? {
            let segment = reader.text()?;
            state.segments.insert(segment, [Scores::read(&mut reader)?, Scores::read(&mut reader)?]);
        }
        reader.finish()?;
        Ok(state)
    }
}

fn segment_change(name: &str, own: &[Scores; 2], periods: &[Scores; 2], conf: f64) -> SegmentChange {
    let share = |period: usize| own[period].weight / periods[period].weight;
    let overall = |period: usize| periods[period].mean().unwrap_or(0.0);
    let centre = f64::midpoint(overall(0), overall(1));
    let means = [own[0].mean(), own[1].mean()];
    // A segment of one period has the score of that period in both.
    let before = means[0].or(means[1]).unwrap_or(centre);
    let after = means[1].or(means[0]).unwrap_or(centre);
    let mix_effect = (share(1) - share(0)) * (f64::midpoint(before, after) - centre);
    let rate_effect = (after - before) * f64::midpoint(share(0), share(1));
    // In each period: the mean over all answers of (score − M̄) in the segment and 0 elsewhere.
    let variance = |period: usize, mean: f64| {
        let apart = mean - centre;
        let part = share(period) * apart;
        let square = share(period) * (own[period].variance() + apart * apart) - part * part;
        square / (periods[period].effective_rows() - 1.0).max(1.0)
    };
    let effect = mix_effect + rate_effect;
    let tested = Tested::new(effect, variance(0, before) + variance(1, after), conf);
    SegmentChange {
        segment: name.to_owned(),
        n_before: own[0].rows,
        n_after: own[1].rows,
        share_before: share(0),
        share_after: share(1),
        metric_before: means[0],
        metric_after: means[1],
        mix_effect,
        rate_effect,
        effect,
        std_error: tested.std_error,
        conf_low: tested.conf_low,
        conf_high: tested.conf_high,
        p_value: tested.p_value,
        p_adjusted: None,
    }
}

#[cfg(test)]
mod tests;
