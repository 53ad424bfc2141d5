//! Kaplan–Meier estimate of the share that stays.
//!
//! S(t) = Π (1 − dᵢ/nᵢ) over the durations up to t; Kaplan and Meier (1958), JASA 53. Greenwood's variance
//! S² Σ dᵢ/(nᵢ(nᵢ − dᵢ)). The interval is that of log(−log S), S^exp(±z·√V/log S), which stays in 0..1;
//! where S is 1 it is 1..1, where S is 0 there is none and both ends are NaN.

use super::Durations;
use crate::inference::{Invalid, confidence};
use crate::normal;

/// A curve, one point per distinct duration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    pub(crate) points: Vec<Point>,
    pub(crate) n: u64,
    pub(crate) events: u64,
    /// The first duration at which half or fewer stay; `None` if more than half stay throughout.
    pub(crate) median: Option<f64>,
    /// The durations at which the lower and the upper end of the interval reach a half.
    pub(crate) median_low: Option<f64>,
    pub(crate) median_high: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) time: f64,
    /// How many were still there just before `time`.
    pub(crate) at_risk: f64,
    pub(crate) events: f64,
    pub(crate) censored: f64,
    /// The share that stays beyond `time`.
    pub(crate) survival: f64,
    pub(crate) std_error: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
}

pub(crate) fn curve(durations: &mut Durations, conf: f64) -> Result<Curve, Invalid> {
    let z = normal::two_sided(confidence(conf)?);
    let mut points = Vec::new();
    let (mut survival, mut sum, mut n, mut events) = (1.0, 0.0, 0.0, 0.0);
    for step in durations.steps() {
        n += step.events + step.censored;
        events += step.events;
        survival *= (step.at_risk - step.events) / step.at_risk;
        if step.events > 0.0 {
            sum += step.events / (step.at_risk * (step.at_risk - step.events));
        }
        let (conf_low, conf_high) = interval(survival, sum, z);
        points.push(Point {
            time: step.time,
            at_risk: step.at_risk,
            events: step.events,
            censored: step.censored,
            survival,
            std_error: if survival > 0.0 { survival * sum.sqrt() } else { f64::NAN },
            conf_low,
            conf_high,
        });
    }
    let first =
        |end: fn(&Point) -> f64| points.iter().find(|point| end(point) <= 0.5).map(|point| point.time);
    let (median, median_low) = (first(|point| point.survival), first(|point| point.conf_low));
    let median_high = first(|point| point.conf_high);
    Ok(Curve { points, n: n as u64, events: events as u64, median, median_low, median_high })
}

fn interval(survival: f64, greenwood: f64, z: f64) -> (f64, f64) {
    if survival <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if survival >= 1.0 {
        return (1.0, 1.0);
    }
    let ln = survival.ln();
    let reach = z * greenwood.sqrt() / ln;
    (survival.powf((-reach).exp()), survival.powf(reach.exp()))
}
