//! Gamma–Gamma: how much customers spend a purchase.
//!
//! Fader and Hardie (2013), *The gamma-gamma model of monetary value*. A customer's purchases are
//! gamma(p, ν) with ν gamma(q, γ) among customers; spend is taken not to depend on how often a customer buys.
//! Fitted by maximum likelihood over customers with repeat purchases and a mean spend above 0.

use super::newton::{Point, maximise};
use super::special::{digamma, trigamma};
use crate::inference::rows::Rows;
use crate::inference::{Invalid, finite};
use statrs::function::gamma::ln_gamma;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Model {
    pub(crate) p: f64,
    pub(crate) q: f64,
    /// γ, in the unit of the spend.
    pub(crate) scale: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    pub(crate) model: Model,
    pub(crate) log_likelihood: f64,
    /// Customers used.
    pub(crate) n: u64,
    /// Pearson correlation of frequency and mean spend; the model supposes about 0. NaN without spread.
    pub(crate) correlation: f64,
}

/// Fits rows of values `[frequency, mean_spend]`. Rows without a repeat purchase or with a mean spend of 0 or
/// less are left out.
pub(crate) fn fit(rows: &Rows) -> Result<Fit, Invalid> {
    let mut used: Vec<[f64; 2]> = Vec::new();
    for row in 0..rows.len() {
        let &[frequency, spend] = rows.values(row) else {
            return Err(Invalid::new("a spend model takes a frequency and a mean spend"));
        };
        if frequency < 0.0 || frequency.fract() != 0.0 {
            return Err(Invalid::new(format!("frequency {frequency} is not a whole number of at least 0")));
        }
        if frequency > 0.0 && spend > 0.0 {
            used.push([frequency, spend]);
        }
    }
    if used.len() < 3 {
        return Err(Invalid::new("fewer than three customers bought again")
            .with_hint("The model learns from the mean spend of repeat purchases."));
    }
    // Rounding then does not depend on the order of rows.
    used.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    let unit = used.iter().map(|[_, spend]| spend).sum::<f64>() / used.len() as f64;
    let evaluate = |parameters: &[f64]| likelihood(&used, unit, parameters);
    let (parameters, point) = maximise(&[2.0, 3.0, 1.0], 1e-13, evaluate)?;
    let model = Model { p: parameters[0], q: parameters[1], scale: parameters[2] * unit };
    let log_likelihood = point.value - used.len() as f64 * unit.ln();
    Ok(Fit { model, log_likelihood, n: used.len() as u64, correlation: correlation(&used) })
}

impl Model {
    /// A model of given parameters, all above 0.
    pub(crate) fn new(p: f64, q: f64, scale: f64) -> Result<Self, Invalid> {
        for (value, name) in [(p, "p"), (q, "q"), (scale, "gamma")] {
            if finite(value, name)? <= 0.0 {
                return Err(Invalid::new(format!("parameter {name} of a spend model is not above 0")));
            }
        }
        Ok(Self { p, q, scale })
    }

    /// Spend expected a purchase of a customer whose `frequency` purchases averaged `mean_spend`: between that
    /// and the average of all customers. `None` when q ≤ 1 and frequency is 0, where there is no mean.
    pub(crate) fn expected_spend(&self, frequency: f64, mean_spend: f64) -> Option<f64> {
        let below = self.p * frequency + self.q - 1.0;
        let (frequency, mean_spend) = (frequency.max(0.0), if frequency > 0.0 { mean_spend } else { 0.0 });
        (below > 0.0).then(|| self.p * (self.scale + frequency * mean_spend) / below)
    }
}

/// Log likelihood with derivatives by p, q and γ in units of the mean spend.
fn likelihood(used: &[[f64; 2]], unit: f64, parameters: &[f64]) -> Point {
    let mut gradient = vec![0.0; 3];
    let mut hessian = vec![0.0; 9];
    let mut value = 0.0;
    let &[p, q, scale] = parameters else { return Point { value, gradient, hessian } };
    let (ln_gamma_q, digamma_q, trigamma_q) = (ln_gamma(q), digamma(q), trigamma(q));
    let mut of_frequency = (f64::NAN, [0.0; 6]);
    for [x, spend] in used {
        if of_frequency.0 != *x {
            let (n, m) = (p * x, p * x + q);
            let functions = [ln_gamma(n), ln_gamma(m), digamma(n), digamma(m), trigamma(n), trigamma(m)];
            of_frequency = (*x, functions);
        }
        let [ln_n, ln_m, psi_n, psi_m, tri_n, tri_m] = of_frequency.1;
        let spend = spend / unit;
        let (n, m) = (p * x, p * x + q);
        let total = scale + x * spend;
        let (ln_total, ln_spend) = (total.ln(), spend.ln());
        value += ln_m - ln_n - ln_gamma_q + q * scale.ln() + (n - 1.0) * ln_spend + n * x.ln() - m * ln_total;
        gradient[0] += x * (psi_m - psi_n + ln_spend + x.ln() - ln_total);
        gradient[1] += psi_m - digamma_q + scale.ln() - ln_total;
        gradient[2] += q / scale - m / total;
        hessian[0] += x * x * (tri_m - tri_n);
        hessian[1] += x * tri_m;
        hessian[2] -= x / total;
        hessian[4] += tri_m - trigamma_q;
        hessian[5] += 1.0 / scale - 1.0 / total;
        hessian[8] += m / (total * total) - q / (scale * scale);
    }
    for (from, to) in [(1, 3), (2, 6), (5, 7)] {
        hessian[to] = hessian[from];
    }
    Point { value, gradient, hessian }
}

fn correlation(used: &[[f64; 2]]) -> f64 {
    let n = used.len() as f64;
    let mean = |column: usize| used.iter().map(|row| row[column]).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(0), mean(1));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for [x, y] in used {
        let (x, y) = (x - mean_x, y - mean_y);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    xy / (xx * yy).sqrt()
}
