//! Event study: the effect in each period before and after the first treatment, with a test for trends that
//! were not parallel before.
//!
//! Effects of units and periods and one coefficient for each distance k from the first treated period, from
//! −`leads` to `lags`, without k = −1, which the others are measured against. Distances beyond the ends are
//! counted with the end. Units never treated have none. The test is Wald's, of all coefficients with k < −1
//! together, with the clustered covariance. With staggered treatment and effects that differ by group, see
//! [`super::callaway`].

use super::panel::Panel;
use super::{Effect, within};
use crate::inference::distribution::chi_square_tail;
use crate::inference::matrix::{Cholesky, dot};
use crate::inference::{Invalid, confidence};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EventStudy {
    /// By distance; −1 is the reference and has effect 0 without errors.
    pub(crate) effects: Vec<(i64, Effect)>,
    pub(crate) pre_trend: Option<PreTrend>,
    pub(crate) n: usize,
    pub(crate) units: usize,
    pub(crate) treated_units: usize,
}

/// Wald's test that nothing differed before the treatment. A small p-value speaks against parallel trends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PreTrend {
    pub(crate) statistic: f64,
    pub(crate) freedom: f64,
    pub(crate) p_value: f64,
}

const WIDEST: i64 = 200;

pub(crate) fn event_study(panel: &Panel, leads: i64, lags: i64, conf: f64) -> Result<EventStudy, Invalid> {
    let conf = confidence(conf)?;
    if !(1..=WIDEST).contains(&leads) || !(0..=WIDEST).contains(&lags) {
        return Err(Invalid::new(format!("window of {leads} leads and {lags} lags is out of range"))
            .with_hint("Give 1 to 200 leads and 0 to 200 lags."));
    }
    let ordered = panel.ordered()?;
    let bins: Vec<Option<i64>> = ordered
        .observations
        .iter()
        .map(|observation| ordered.since(observation).map(|since| since.clamp(-leads, lags)))
        .collect();
    let mut distances: Vec<i64> = bins.iter().flatten().copied().filter(|bin| *bin != -1).collect();
    distances.sort_unstable();
    distances.dedup();
    let column =
        |distance: &i64| bins.iter().map(|bin| f64::from(u8::from(*bin == Some(*distance)))).collect();
    let fit = within::fit(&ordered, distances.iter().map(column).collect())?;
    let size = distances.len();
    let effect = |place: usize| {
        let std_error = fit.covariance[place * size + place].sqrt();
        Effect::student(fit.beta[place], std_error, fit.freedom, conf, fit.spread)
    };
    let mut effects: Vec<(i64, Effect)> =
        distances.iter().enumerate().map(|(place, distance)| (*distance, effect(place))).collect();
    effects.push((-1, Effect { estimate: 0.0, errors: None }));
    effects.sort_unstable_by_key(|(distance, _)| *distance);
    let before = distances.iter().filter(|distance| **distance < -1).count();
    Ok(EventStudy {
        effects,
        pre_trend: pre_trend(&fit.beta, &fit.covariance, size, before),
        n: ordered.observations.len(),
        units: ordered.starts.len(),
        treated_units: ordered.starts.iter().flatten().count(),
    })
}

/// `None` without a coefficient before the reference, or with fewer clusters than it takes.
fn pre_trend(beta: &[f64], covariance: &[f64], size: usize, before: usize) -> Option<PreTrend> {
    if before == 0 {
        return None;
    }
    let part: Vec<f64> =
        (0..before).flat_map(|a| (0..before).map(move |b| covariance[a * size + b])).collect();
    let statistic = dot(&beta[..before], &Cholesky::new(&part, before).ok()?.solve(&beta[..before]));
    let freedom = before as f64;
    Some(PreTrend { statistic, freedom, p_value: chi_square_tail(statistic, freedom) })
}
