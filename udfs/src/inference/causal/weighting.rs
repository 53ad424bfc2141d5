//! Average treatment effect by propensity weighting.
//!
//! Hájek's estimate weights treated rows by 1/e and others by 1/(1 − e), each divided by their sum; e is the
//! propensity of a logistic regression. Its standard error allows for the fitted propensity (Lunceford and
//! Davidian 2004, Statistics in Medicine 23). AIPW adds least squares of the outcome in each group and is right
//! if either model is (Robins, Rotnitzky and Zhao 1994, JASA 89). Rows with a propensity outside
//! `trim`…1 − `trim` have nobody to be compared with: they are left out and counted, and the effect is that of
//! the rest. Both rest on all common causes being among the covariates.

use super::Effect;
use super::treatment::{Balance, Sample, Treatment};
use crate::inference::matrix::{Cholesky, add_outer, dot};
use crate::inference::{Invalid, confidence};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weighted {
    /// Difference of plain means, with Welch's standard error and the normal distribution.
    pub(crate) unadjusted: Effect,
    pub(crate) ipw: Effect,
    pub(crate) aipw: Effect,
    pub(crate) balance: Vec<Balance>,
    pub(crate) treated: usize,
    pub(crate) controls: usize,
    pub(crate) trimmed: usize,
    /// Kish's effective number of treated and of other rows under the weights.
    pub(crate) n_effective: [f64; 2],
}

pub(crate) fn weighted(treatment: &Treatment, trim: f64, conf: f64) -> Result<Weighted, Invalid> {
    let conf = confidence(conf)?;
    if !(0.0..0.5).contains(&trim) {
        return Err(Invalid::new(format!("trim {trim} is not from 0 to below 0.5"))
            .with_hint("0.01 leaves out propensities below 1 and above 99 percent."));
    }
    let sample = treatment.sample()?;
    let inside = |row: &usize| (trim..=1.0 - trim).contains(&sample.fitted.probability[*row]);
    let kept: Vec<usize> = (0..sample.len()).filter(inside).collect();
    let treated = kept.iter().filter(|row| sample.treated[**row]).count();
    if treated < 2 || kept.len() - treated < 2 {
        return Err(Invalid::new("treated and others do not overlap")
            .with_hint("Their propensities have too little in common to compare them."));
    }
    let mut weights = vec![0.0; sample.len()];
    for &row in &kept {
        let e = sample.fitted.probability[row];
        weights[row] = if sample.treated[row] { 1.0 / e } else { 1.0 / (1.0 - e) };
    }
    let unadjusted = |row: usize| f64::from(u8::from(kept.binary_search(&row).is_ok()));
    let means = [true, false].map(|side| Mean::of(&sample, side, unadjusted));
    let scale = means[0].spread.max(means[1].spread);
    let welch = (means[0].variance() + means[1].variance()).sqrt();
    Ok(Weighted {
        unadjusted: Effect::normal(means[0].mean - means[1].mean, welch, conf, scale),
        ipw: hajek(&sample, &kept, &weights, conf, scale),
        aipw: doubly_robust(&sample, &kept, conf, scale)?,
        balance: sample.balance(&weights),
        treated,
        controls: kept.len() - treated,
        trimmed: sample.len() - kept.len(),
        n_effective: [true, false].map(|side| Mean::of(&sample, side, |row| weights[row]).n_effective()),
    })
}

/// Weighted mean of one side's outcomes.
struct Mean {
    total: f64,
    squares: f64,
    mean: f64,
    /// Weighted standard deviation.
    spread: f64,
}

impl Mean {
    fn of(sample: &Sample, side: bool, weight: impl Fn(usize) -> f64) -> Self {
        let rows = || (0..sample.len()).filter(|row| sample.treated[*row] == side);
        let total: f64 = rows().map(&weight).sum();
        let squares = rows().map(|row| weight(row).powi(2)).sum();
        let mean = rows().map(|row| weight(row) * sample.outcome[row]).sum::<f64>() / total;
        let deviation = |row: usize| weight(row) * (sample.outcome[row] - mean).powi(2);
        let spread = (rows().map(deviation).sum::<f64>() / total).sqrt();
        Self { total, squares, mean, spread }
    }

    fn n_effective(&self) -> f64 {
        self.total * self.total / self.squares
    }

    /// Variance of the mean of rows of weight 1.
    fn variance(&self) -> f64 {
        self.spread * self.spread / (self.total - 1.0)
    }
}

fn hajek(sample: &Sample, kept: &[usize], weights: &[f64], conf: f64, scale: f64) -> Effect {
    let [one, zero] = [true, false].map(|side| Mean::of(sample, side, |row| weights[row]));
    let fitted = &sample.fitted;
    // How the estimate moves with the propensity's coefficients.
    let mut slope = vec![0.0; fitted.width];
    let influence = |row: usize| {
        let e = fitted.probability[row];
        if sample.treated[row] {
            ((sample.outcome[row] - one.mean) / e / one.total, -(1.0 - e))
        } else {
            (-(sample.outcome[row] - zero.mean) / (1.0 - e) / zero.total, e)
        }
    };
    for &row in kept {
        let (part, by_eta) = influence(row);
        slope.iter_mut().zip(fitted.row(row)).for_each(|(sum, x)| *sum += part * by_eta * x);
    }
    let size = fitted.width;
    let direction: Vec<f64> =
        (0..size).map(|a| dot(&fitted.covariance[a * size..(a + 1) * size], &slope)).collect();
    let mut squares = 0.0;
    for (row, weight) in weights.iter().enumerate() {
        let own = if *weight > 0.0 { influence(row).0 } else { 0.0 };
        let rest = f64::from(u8::from(sample.treated[row])) - fitted.probability[row];
        squares += (own + rest * dot(&direction, fitted.row(row))).powi(2);
    }
    Effect::normal(one.mean - zero.mean, squares.sqrt(), conf, scale)
}

fn doubly_robust(sample: &Sample, kept: &[usize], conf: f64, scale: f64) -> Result<Effect, Invalid> {
    let [one, zero] = [true, false].map(|side| outcome_model(sample, kept, side));
    let (one, zero) = (one?, zero?);
    let n = kept.len() as f64;
    let part = |row: usize| {
        let x = sample.fitted.row(row);
        let (m1, m0) = (dot(x, &one), dot(x, &zero));
        let (e, y) = (sample.fitted.probability[row], sample.outcome[row]);
        let correction = if sample.treated[row] { (y - m1) / e } else { -(y - m0) / (1.0 - e) };
        m1 - m0 + correction
    };
    let estimate = kept.iter().map(|&row| part(row)).sum::<f64>() / n;
    let squares: f64 = kept.iter().map(|&row| (part(row) - estimate).powi(2)).sum();
    Ok(Effect::normal(estimate, squares.sqrt() / n, conf, scale))
}

/// Least squares of the outcome on the covariates within one side.
fn outcome_model(sample: &Sample, kept: &[usize], side: bool) -> Result<Vec<f64>, Invalid> {
    let size = sample.fitted.width;
    let (mut products, mut moments) = (vec![0.0; size * size], vec![0.0; size]);
    for &row in kept.iter().filter(|row| sample.treated[**row] == side) {
        let x = sample.fitted.row(row);
        add_outer(&mut products, x, 1.0);
        moments.iter_mut().zip(x).for_each(|(sum, x)| *sum += x * sample.outcome[row]);
    }
    let decomposed = Cholesky::new(&products, size).map_err(|column| {
        let side = if side { "treated" } else { "other" };
        Invalid::new(format!("covariate {column} does not vary by itself among the {side} rows"))
            .with_hint("Leave it out.")
    })?;
    Ok(decomposed.solve(&moments))
}
