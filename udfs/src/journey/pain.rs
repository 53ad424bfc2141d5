//! Pain points: the stages of a journey by what is lost there.
//!
//! priority = volume × drop × impact, where
//! * volume = customers who reached the stage / all customers;
//! * drop = customers who dropped at the stage / customers who reached it, with a Wilson interval;
//! * impact = outcome rate of those without the pain − outcome rate of those with it, for an outcome that is
//!   wanted (a purchase, a renewal), and the reverse for one that is not (churn), with the interval of
//!   Newcombe (1998, method 10) made of two Wilson intervals.
//!
//! So priority is the share of all customers who lose the outcome at that stage, if the pain is what loses
//! it; `lost` is their number, priority × customers. Impact is an observed difference, not proof of cause. A
//! negative impact is kept: those with the pain do better, and the stage is last.
//!
//! The interval of a priority takes the ends of both intervals that make it least and greatest; each is at
//! level 1 − (1 − conf)/2, so that by Bonferroni both hold together at `conf`. Volume is taken as known.
//!
//! Scores do not enter the priority. `score_gap` is a stage's mean score less the mean of all scored answers:
//! a stage that loses customers and scores below the rest is a pain that both sides of the data confirm.

use std::cmp::Ordering;

use super::Invalid;
use crate::wilson;

/// Whether an outcome is good or bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Wanted,
    Unwanted,
}

/// Customers of a group and those of them with the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) hits: u64,
    pub(crate) n: u64,
}

/// What is known of one stage.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stage {
    pub(crate) stage: String,
    pub(crate) reached: u64,
    pub(crate) dropped: u64,
    /// Mean score and the answers behind it.
    pub(crate) score: Option<(f64, u64)>,
    /// Outcome of the customers with the pain.
    pub(crate) with: Share,
    /// Outcome of the customers without it.
    pub(crate) without: Share,
}

/// A value with the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) estimate: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
}

/// One stage, ranked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PainPoint {
    pub(crate) stage: String,
    /// From 1, highest priority first; stages without a priority come last.
    pub(crate) rank: u64,
    pub(crate) volume: f64,
    /// `None` when nobody reached the stage.
    pub(crate) drop_rate: Option<Estimate>,
    /// `None` when one of the two groups is empty.
    pub(crate) impact: Option<Estimate>,
    pub(crate) priority: Option<Estimate>,
    /// Customers who lose the outcome.
    pub(crate) lost: Option<f64>,
    pub(crate) score: Option<f64>,
    pub(crate) score_n: u64,
    pub(crate) score_gap: Option<f64>,
}

/// Ranks `stages` of a journey of `customers` customers; `conf` is the confidence level.
pub(crate) fn rank(
    stages: &[Stage],
    customers: u64,
    outcome: Outcome,
    conf: f64,
) -> Result<Vec<PainPoint>, Invalid> {
    if !(conf > 0.0 && conf < 1.0) {
        return Err(Invalid::new("confidence level is not between 0 and 1"));
    }
    stages.iter().try_for_each(|stage| check(stage, customers))?;
    let mean = mean_score(stages);
    let mut points: Vec<PainPoint> =
        stages.iter().map(|stage| point(stage, customers, outcome, conf, mean)).collect();
    points.sort_by(by_priority);
    for (rank, point) in (1..).zip(&mut points) {
        point.rank = rank;
    }
    Ok(points)
}

fn check(stage: &Stage, customers: u64) -> Result<(), Invalid> {
    let refuse = |what: &str| Err(Invalid::new(format!("stage \"{}\" {what}", stage.stage)));
    if stage.dropped > stage.reached {
        return refuse("has more customers dropped than reached");
    }
    if stage.reached > customers {
        return refuse("was reached by more customers than there are");
    }
    if stage.with.hits > stage.with.n || stage.without.hits > stage.without.n {
        return refuse("has more outcomes than customers");
    }
    if stage.score.is_some_and(|(mean, n)| n > 0 && !mean.is_finite()) {
        return refuse("has a mean score that is not a finite number");
    }
    Ok(())
}

/// The mean of all scored answers.
fn mean_score(stages: &[Stage]) -> Option<f64> {
    let scored = || stages.iter().filter_map(|stage| stage.score).filter(|(_, n)| *n > 0);
    let n: f64 = scored().map(|(_, n)| n as f64).sum();
    (n > 0.0).then(|| scored().map(|(mean, answers)| mean * (answers as f64 / n)).sum())
}

fn point(stage: &Stage, customers: u64, outcome: Outcome, conf: f64, mean: Option<f64>) -> PainPoint {
    let both = 1.0 - (1.0 - conf) / 2.0;
    let volume = if customers == 0 { 0.0 } else { stage.reached as f64 / customers as f64 };
    let dropped = Share { hits: stage.dropped, n: stage.reached };
    let priority = match (rate(dropped, both), impact(stage, outcome, both)) {
        (Some(drop), Some(impact)) => Some(product(volume, drop, impact)),
        _ => None,
    };
    let score = stage.score.filter(|(_, n)| *n > 0);
    PainPoint {
        stage: stage.stage.clone(),
        rank: 0,
        volume,
        drop_rate: rate(dropped, conf),
        impact: impact(stage, outcome, conf),
        priority,
        lost: priority.map(|priority| priority.estimate * customers as f64),
        score: score.map(|(mean, _)| mean),
        score_n: score.map_or(0, |(_, n)| n),
        score_gap: score.zip(mean).map(|((stage, _), all)| stage - all),
    }
}

fn rate(share: Share, conf: f64) -> Option<Estimate> {
    if share.n == 0 {
        return None;
    }
    let (hits, n) = (share.hits as f64, share.n as f64);
    let (conf_low, conf_high) = wilson::interval(hits, n, conf);
    Some(Estimate { estimate: hits / n, conf_low, conf_high })
}

/// Rate without the pain less rate with it, or the reverse for an unwanted outcome.
fn impact(stage: &Stage, outcome: Outcome, conf: f64) -> Option<Estimate> {
    let (with, without) = (rate(stage.with, conf)?, rate(stage.without, conf)?);
    Some(match outcome {
        Outcome::Wanted => difference(without, with),
        Outcome::Unwanted => difference(with, without),
    })
}

fn difference(left: Estimate, right: Estimate) -> Estimate {
    let estimate = left.estimate - right.estimate;
    let below = (left.estimate - left.conf_low).hypot(right.conf_high - right.estimate);
    let above = (left.conf_high - left.estimate).hypot(right.estimate - right.conf_low);
    Estimate { estimate, conf_low: estimate - below, conf_high: estimate + above }
}

/// A drop rate is not negative, an impact may be.
fn product(volume: f64, drop: Estimate, impact: Estimate) -> Estimate {
    let least = (drop.conf_low * impact.conf_low).min(drop.conf_high * impact.conf_low);
    let most = (drop.conf_low * impact.conf_high).max(drop.conf_high * impact.conf_high);
    Estimate {
        estimate: volume * drop.estimate * impact.estimate,
        conf_low: volume * least,
        conf_high: volume * most,
    }
}

fn by_priority(left: &PainPoint, right: &PainPoint) -> Ordering {
    let priority = |point: &PainPoint| point.priority.map_or(f64::NEG_INFINITY, |priority| priority.estimate);
    priority(right).total_cmp(&priority(left)).then_with(|| left.stage.cmp(&right.stage))
}

#[cfg(test)]
mod tests;
