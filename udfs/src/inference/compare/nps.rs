//! Test of the difference of two Net Promoter Scores.
//!
//! z = (NPS₁ − NPS₂)/√(V₁/n₁ + V₂/n₂) with V = 100²(p + d − (p − d)²) of the shares p of promoters and d of
//! detractors. With [`Variance::Adjusted`], ¾, 1½ and ¾ answers are first added to the detractors, passives
//! and promoters of both groups, as Rocks (2016), The American Statistician 70(4), does for one score. With
//! [`Variance::Wald`] nothing is added, unless neither group varies at all: then there is no variance to go
//! by, and the adjusted one is taken. The estimate is the plain difference, and the interval lies
//! symmetrically about the (adjusted) one, cut to −200..200.

use super::Comparison;
use crate::inference::distribution::normal_tails;
use crate::inference::scores::net_promoter::NetPromoter;
use crate::inference::{Invalid, confidence};
use crate::normal;

/// How the variance of a score is taken from its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variance {
    Wald,
    Adjusted,
}

impl Variance {
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        match name {
            "wald" => Ok(Self::Wald),
            "adjusted" => Ok(Self::Adjusted),
            _ => Err(Invalid::new(format!("method {name} of an NPS interval does not exist"))
                .with_hint("Methods are wald and adjusted.")),
        }
    }
}

/// `None` when a group has no valid answer.
pub(crate) fn test(
    first: &NetPromoter,
    second: &NetPromoter,
    variance: Variance,
    conf: f64,
) -> Result<Option<Comparison>, Invalid> {
    let conf = confidence(conf)?;
    let (Some(score1), Some(score2)) = (first.score(), second.score()) else { return Ok(None) };
    let plain = (first.moments(0.0), second.moments(0.0));
    let ((mean1, variance1), (mean2, variance2)) =
        if variance == Variance::Wald && plain.0.1 + plain.1.1 > 0.0 {
            plain
        } else {
            (first.moments(1.0), second.moments(1.0))
        };
    let difference = mean1 - mean2;
    let std_error = (variance1 + variance2).sqrt();
    let half = normal::two_sided(conf) * std_error;
    let statistic = difference / std_error;
    Ok(Some(Comparison {
        statistic,
        freedom: None,
        p_value: normal_tails(statistic),
        estimate: score1 - score2,
        conf_low: (difference - half).max(-200.0),
        conf_high: (difference + half).min(200.0),
        n: [first.n_effective(), second.n_effective()],
    }))
}
