//! Difference in differences of a panel: effects of units and periods and one coefficient for being treated.
//!
//! Errors are clustered by unit. With units first treated in different periods the coefficient mixes
//! comparisons with units already treated (Goodman-Bacon 2021, Journal of Econometrics 225): `staggered` says
//! so, and [`super::callaway`] is then the estimate to use.

use super::panel::Panel;
use super::{Effect, within};
use crate::inference::{Invalid, confidence};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TwoWay {
    pub(crate) effect: Effect,
    pub(crate) n: usize,
    pub(crate) units: usize,
    pub(crate) treated_units: usize,
    /// Units are first treated in more than one period.
    pub(crate) staggered: bool,
}

pub(crate) fn two_way(panel: &Panel, conf: f64) -> Result<TwoWay, Invalid> {
    let conf = confidence(conf)?;
    let ordered = panel.ordered()?;
    let treated = |o| f64::from(u8::from(ordered.since(o).is_some_and(|since| since >= 0)));
    let column = ordered.observations.iter().map(treated).collect();
    let fit = within::fit(&ordered, vec![column])?;
    Ok(TwoWay {
        effect: Effect::student(fit.beta[0], fit.covariance[0].sqrt(), fit.freedom, conf, fit.spread),
        n: ordered.observations.len(),
        units: ordered.starts.len(),
        treated_units: ordered.starts.iter().flatten().count(),
        staggered: ordered.groups().len() > 1,
    })
}
