//! Causal effects from observed data, each with what it rests on: differences in differences, event studies,
//! propensity weighting and matching, and how strong a hidden cause would have to be.

pub(crate) mod callaway;
pub(crate) mod did;
pub(crate) mod e_value;
pub(crate) mod event_study;
pub(crate) mod matching;
pub(crate) mod panel;
pub(crate) mod point_value;
pub(crate) mod treatment;
pub(crate) mod two_way;
pub(crate) mod weighting;
mod within;

use super::distribution::{normal_tails, student_tails};
use crate::{normal, student};

/// An effect; its errors are `None` where the rows hold nothing to estimate them from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effect {
    pub(crate) estimate: f64,
    pub(crate) errors: Option<Errors>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Errors {
    pub(crate) std_error: f64,
    pub(crate) statistic: f64,
    pub(crate) p_value: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
}

impl Effect {
    /// With Student's t of `freedom` degrees of freedom. A standard error that is zero but for rounding
    /// against `scale` (the size of the numbers it comes from) is no standard error.
    fn student(estimate: f64, std_error: f64, freedom: f64, conf: f64, scale: f64) -> Self {
        if freedom.is_nan() || freedom <= 0.0 {
            return Self { estimate, errors: None };
        }
        let half = || student::two_sided(conf, freedom) * std_error;
        Self::new(estimate, std_error, scale, half, |statistic| student_tails(statistic, freedom))
    }

    /// With the normal distribution.
    fn normal(estimate: f64, std_error: f64, conf: f64, scale: f64) -> Self {
        Self::new(estimate, std_error, scale, || normal::two_sided(conf) * std_error, normal_tails)
    }

    fn new(
        estimate: f64,
        std_error: f64,
        scale: f64,
        half: impl Fn() -> f64,
        tails: impl Fn(f64) -> f64,
    ) -> Self {
        if !(std_error > 1e-10 * scale.abs().max(f64::MIN_POSITIVE) && std_error.is_finite()) {
            return Self { estimate, errors: None };
        }
        let statistic = estimate / std_error;
        let (conf_low, conf_high) = (estimate - half(), estimate + half());
        let errors = Errors { std_error, statistic, p_value: tails(statistic), conf_low, conf_high };
        Self { estimate, errors: Some(errors) }
    }
}

#[cfg(test)]
mod tests;
