//! What the presence of a topic costs a metric.
//!
//! The impact of a topic is the score of all answers minus the score of the answers without it,
//! S − S₋ₜ = p(Sₜ − S₋ₜ), where p is the share of answers with the topic; it equals nₜ(Sₜ − S)/(N − nₜ).
//! Its variance is p²(Var Sₜ + Var S₋ₜ) + (Sₜ − S₋ₜ)²p(1 − p)/N, by the delta method; p values are normal and
//! adjusted for the number of topics by Benjamini and Hochberg.
//!
//! Topics overlap, so impacts do not add up. The additive version gives each topic its Shapley value in the
//! game v(T) = S − (score of the answers without any topic of T): together they make S minus the score of
//! the answers without any topic.
//!
//! Weights are taken for frequencies relative to each other; variances use Kish's effective number of rows.

use std::collections::BTreeMap;

use super::adjust::benjamini_hochberg;
use super::bytes::{Reader, Writer, damaged};
use super::scores::{Metric, Scores, Tested, usable_weight};
use super::{Invalid, check_confidence};

/// Most topics of one state.
pub(crate) const MOST_TOPICS: usize = 64;

/// Most topics of which all subsets are gone through.
pub(crate) const MOST_SHAPLEY_TOPICS: usize = 16;

/// Scores by which topics an answer has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicScores {
    metric: Metric,
    topics: usize,
    skipped: u64,
    /// By the set of topics, as bits.
    sets: BTreeMap<u64, Scores>,
}

/// The impact of one topic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicImpact {
    pub(crate) topic: String,
    /// Answers with the topic.
    pub(crate) n_obs: u64,
    /// Weight of the answers with the topic over the weight of all.
    pub(crate) share: f64,
    /// `None` if no answer has the topic.
    pub(crate) metric_with: Option<f64>,
    /// `None` if every answer has the topic.
    pub(crate) metric_without: Option<f64>,
    /// `None` if every answer has the topic: there is nothing to compare with.
    pub(crate) impact: Option<f64>,
    /// `None` with fewer than two answers on either side.
    pub(crate) std_error: Option<f64>,
    pub(crate) conf_low: Option<f64>,
    pub(crate) conf_high: Option<f64>,
    pub(crate) p_value: Option<f64>,
    pub(crate) p_adjusted: Option<f64>,
}

/// The part of one topic in the gap between all answers and those without any topic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicContribution {
    pub(crate) topic: String,
    pub(crate) n_obs: u64,
    pub(crate) contribution: f64,
    /// Contribution over the gap; `None` if the gap is 0.
    pub(crate) share: Option<f64>,
    /// Score of all answers, and of those without any topic. Contributions add up to their difference.
    pub(crate) metric: f64,
    pub(crate) metric_without: f64,
}

impl TopicScores {
    /// The state of no answers.
    pub(crate) fn new(metric: Metric, topics: usize) -> Result<Self, Invalid> {
        if topics == 0 || topics > MOST_TOPICS {
            return Err(Invalid::new(format!(
                "number of topics {topics} is not between 1 and {MOST_TOPICS}"
            )));
        }
        Ok(Self { metric, topics, skipped: 0, sets: BTreeMap::new() })
    }

    /// `flags` holds one column a topic. Answers without a usable score are left out and counted.
    pub(crate) fn update(
        &mut self,
        scores: &[f64],
        flags: &[&[bool]],
        weights: Option<&[f64]>,
    ) -> Result<(), Invalid> {
        let equal = flags.iter().all(|flags| flags.len() == scores.len())
            && weights.is_none_or(|weights| weights.len() == scores.len());
        if flags.len() != self.topics || !equal {
            return Err(Invalid::new("columns of a batch are not equally long"));
        }
        for (row, &score) in scores.iter().enumerate() {
            let (Some(value), Some(weight)) = (self.metric.value(score), usable_weight(weights, row)?) else {
                self.skipped += 1;
                continue;
            };
            let bits = flags.iter().enumerate().map(|(topic, flags)| u64::from(flags[row]) << topic);
            self.sets.entry(bits.sum()).or_default().merge(&Scores::one(value, weight));
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if (self.metric, self.topics) != (other.metric, other.topics) {
            return Err(Invalid::new("scores of different topics do not merge"));
        }
        self.skipped += other.skipped;
        for (set, scores) in &other.sets {
            self.sets.entry(*set).or_default().merge(scores);
        }
        Ok(())
    }

    /// Answers left out.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The impact of every topic, named by `names`, in their order.
    pub(crate) fn impacts(&self, names: &[&str], conf: f64) -> Result<Vec<TopicImpact>, Invalid> {
        check_confidence(conf)?;
        self.check_names(names)?;
        let mut impacts: Vec<TopicImpact> = names
            .iter()
            .enumerate()
            .map(|(topic, name)| {
                let with = self.scores(|set| set >> topic & 1 == 1);
                impact(name, &with, &self.scores(|set| set >> topic & 1 == 0), conf)
            })
            .collect();
        let p_values: Vec<Option<f64>> = impacts.iter().map(|impact| impact.p_value).collect();
        for (impact, p_adjusted) in impacts.iter_mut().zip(benjamini_hochberg(&p_values)) {
            impact.p_adjusted = p_adjusted;
        }
        Ok(impacts)
    }

    /// The contribution of every topic, named by `names`, in their order.
    pub(crate) fn contributions(&self, names: &[&str]) -> Result<Vec<TopicContribution>, Invalid> {
        self.check_names(names)?;
        if self.topics > MOST_SHAPLEY_TOPICS {
            let topics = self.topics;
            return Err(Invalid::new(format!(
                "contributions of {topics} topics are more than the {MOST_SHAPLEY_TOPICS} allowed"
            ))
            .hint("The work doubles with every topic; join rare topics."));
        }
        let Some(metric) = self.scores(|_| true).mean() else {
            return Err(Invalid::new("contributions of topics have no rows"));
        };
        let without = self.without();
        let Some(metric_without) = without.last().and_then(|scores| scores.mean()) else {
            return Err(Invalid::new("every answer has one of the topics")
                .hint("Contributions are measured against answers without any topic; leave a topic out."));
        };
        let contribution = |(topic, name): (usize, &&str)| {
            let contribution = self.contribution(&without, topic);
            TopicContribution {
                topic: (*name).to_owned(),
                n_obs: self.scores(|set| set >> topic & 1 == 1).rows,
                contribution,
                share: (metric != metric_without).then(|| contribution / (metric - metric_without)),
                metric,
                metric_without,
            }
        };
        Ok(names.iter().enumerate().map(contribution).collect())
    }

    /// For every set of topics the scores of the answers that have none of it.
    fn without(&self) -> Vec<Scores> {
        let all = (1usize << self.topics) - 1;
        let mut within = vec![Scores::default(); all + 1];
        for (set, scores) in &self.sets {
            within[*set as usize] = *scores;
        }
        // Adds to every set the answers of its subsets, topic by topic.
        for topic in 0..self.topics {
            for set in (0..=all).filter(|set| set >> topic & 1 == 1) {
                let smaller = within[set ^ 1 << topic];
                within[set].merge(&smaller);
            }
        }
        (0..=all).map(|set| within[all ^ set]).collect()
    }

    /// The Shapley value of `topic`: how far the score without the topics of a set falls when the topic is
    /// left in, averaged over all orders.
    fn contribution(&self, without: &[Scores], topic: usize) -> f64 {
        let mut weights = vec![1.0 / self.topics as f64];
        for size in 1..self.topics {
            weights.push(weights[size - 1] * size as f64 / (self.topics - size) as f64);
        }
        let mean = |set: usize| without[set].mean().unwrap_or(0.0);
        (0..without.len())
            .filter(|set| set >> topic & 1 == 0)
            .map(|set| weights[set.count_ones() as usize] * (mean(set) - mean(set | 1 << topic)))
            .sum()
    }

    fn scores(&self, counts: impl Fn(u64) -> bool) -> Scores {
        let mut sum = Scores::default();
        self.sets.iter().filter(|(set, _)| counts(**set)).for_each(|(_, scores)| sum.merge(scores));
        sum
    }

    fn check_names(&self, names: &[&str]) -> Result<(), Invalid> {
        if names.len() == self.topics {
            return Ok(());
        }
        Err(Invalid::new(format!("{} topics have {} names", self.topics, names.len())))
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.sets.len() * size_of::<(u64, Scores)>() * 2
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(u64::from(self.metric == Metric::Nps));
        writer.integer(self.topics as u64);
        writer.integer(self.skipped);
        writer.integer(self.sets.len() as u64);
        for (set, scores) in &self.sets {
            writer.integer(*set);
            scores.write(&mut writer);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let metric = if reader.integer()? == 1 { Metric::Nps } else { Metric::Mean };
        let topics = usize::try_from(reader.integer()?).map_err(|_| damaged())?;
        let mut state = Self::new(metric, topics).map_err(|_| damaged())?;
        state.skipped = reader.integer()?;
        for _ in 0..reader.count(8 + Scores::BYTES)? {
            let set = reader.integer()?;
            if topics < 64 && set >> topics != 0 {
                return Err(damaged());
            }
            state.sets.insert(set, Scores::read(&mut reader)?);
        }
        reader.finish()?;
        Ok(state)
    }
}

fn impact(name: &str, with: &Scores, without: &Scores, conf: f64) -> TopicImpact {
    let mut all = *with;
    all.merge(without);
    let share = if all.rows > 0 { with.weight / all.weight } else { 0.0 };
    let apart = with.mean().zip(without.mean()).map(|(with, without)| with - without);
    let impact = without.mean().map(|_| share * apart.unwrap_or(0.0));
    let tested =
        apart.zip(with.variance_of_mean()).zip(without.variance_of_mean()).map(|((apart, own), other)| {
            let variance =
                share * share * (own + other) + apart * apart * share * (1.0 - share) / all.effective_rows();
            Tested::new(share * apart, variance, conf)
        });
    TopicImpact {
        topic: name.to_owned(),
        n_obs: with.rows,
        share,
        metric_with: with.mean(),
        metric_without: without.mean(),
        impact,
        std_error: tested.map(|tested| tested.std_error),
        conf_low: tested.map(|tested| tested.conf_low),
        conf_high: tested.map(|tested| tested.conf_high),
        p_value: tested.and_then(|tested| tested.p_value),
        p_adjusted: None,
    }
}

#[cfg(test)]
mod tests;
