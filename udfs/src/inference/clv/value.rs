//! Customer lifetime value: expected purchases times expected margin, discounted.
//!
//! Σ over periods k = 1…n of (E[Y(k)] − E[Y(k − 1)]) · spend · margin / (1 + rate)^k, with the purchases of
//! [`super::bg_nbd`] and the spend of [`super::gamma_gamma`].

use super::bg_nbd;
use super::gamma_gamma;
use super::history::History;
use crate::inference::{Invalid, finite};

/// What a value is reckoned over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Horizon {
    /// Number of periods.
    pub(crate) periods: u32,
    /// Length of a period in the unit of time of the purchase model.
    pub(crate) period: f64,
    /// Discount rate a period.
    pub(crate) rate: f64,
    /// Share of the spend that is margin.
    pub(crate) margin: f64,
}

/// Longest horizon, in periods.
const LONGEST: u32 = 10_000;

/// Value of a customer over the horizon; `None` where the spend model has no mean for the customer.
pub(crate) fn value(
    purchases: &bg_nbd::Model,
    spend: &gamma_gamma::Model,
    history: &History,
    mean_spend: f64,
    horizon: Horizon,
) -> Result<Option<f64>, Invalid> {
    finite(mean_spend, "mean spend")?;
    finite(horizon.margin, "margin")?;
    if horizon.periods == 0 || horizon.periods > LONGEST {
        return Err(Invalid::new(format!(
            "horizon of {} periods is not from 1 to {LONGEST}",
            horizon.periods
        )));
    }
    if finite(horizon.period, "period")? <= 0.0 {
        return Err(Invalid::new(format!("period {} is not above 0", horizon.period)));
    }
    if finite(horizon.rate, "discount rate")? <= -1.0 {
        return Err(Invalid::new(format!("discount rate {} is not above -1", horizon.rate))
            .with_hint("Write one percent a period as 0.01."));
    }
    let frequency = if mean_spend > 0.0 { history.frequency } else { 0.0 };
    let Some(each) = spend.expected_spend(frequency, mean_spend) else { return Ok(None) };
    let (mut sum, mut before, mut discount) = (0.0, 0.0, 1.0);
    for period in 1..=horizon.periods {
        let upto = purchases.expected_purchases(history, horizon.period * f64::from(period))?;
        discount /= 1.0 + horizon.rate;
        sum += (upto - before) * discount;
        before = upto;
    }
    Ok(Some(sum * each * horizon.margin))
}
