//! Key drivers: how much of an outcome each of several correlated columns accounts for.
//!
//! - Relative weights (Johnson 2000, *Multivariate Behavioral Research* 35(1)): with the correlations of the
//!   drivers R = ΛΛ, Λ symmetric, and β = Λ⁻¹r, the importance is Σᵢ Λⱼᵢ²βᵢ². Adds up to R².
//! - Shapley (Lindeman, Merenda and Gold 1980, "LMG"): the gain in R² from adding the driver, averaged over all
//!   orders in which drivers can be added. Adds up to R². General dominance (Budescu 1993; Azen and Budescu
//!   2003) averages the same gains within each number of drivers and then over the numbers, which comes to
//!   the same figure, so it has no method of its own.
//! - Correlation: the squared correlation with the outcome, each driver on its own. Does not add up to R².
//! - For an outcome of 0 and 1, relative weights of a logistic regression (Tonidandel and LeBreton 2010,
//!   *Organizational Research Methods* 13(4)). Adds up to the squared correlation of the outcome and the
//!   fitted probability.
//! - For an ordered outcome, relative weights of the latent variable behind an ordinal regression. Adds up to
//!   its R², var(bᵀx)/(var(bᵀx) + π²/3) (McKelvey and Zavoina 1975, *Journal of Mathematical Sociology* 4(1)).
//!
//! The methods differ, in rank too. None of them says what would happen if a driver were changed. The
//! direction is the sign of the regression coefficient, with the other drivers held constant.

use super::batch::Batch;
use super::linear::{self, TOLERANCE};
use super::logistic::{self, LogisticOptions};
use super::matrix::Matrix;
use super::moments::Moments;
use super::ordinal;
use super::resample::{BlockedMoments, percentiles};
use super::term::Term;
use super::{Invalid, check_confidence};

mod shapley;

/// Share of draws that may have no answer because a driver does not vary in them.
const MOST_FAILED_DRAWS: f64 = 0.1;

/// How importance is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    RelativeWeights,
    Shapley,
    Correlation,
}

impl Method {
    /// The method with this name.
    pub(crate) fn parse(name: &str) -> Result<Self, Invalid> {
        match name.trim().to_ascii_lowercase().as_str() {
            "relative_weights" | "johnson" => Ok(Method::RelativeWeights),
            "shapley" | "lmg" | "dominance" => Ok(Method::Shapley),
            "correlation" => Ok(Method::Correlation),
            _ => Err(Invalid::new(format!("unknown driver method \"{name}\"")).hint(
                "Methods are relative_weights, shapley (also called lmg or dominance) and correlation.",
            )),
        }
    }
}

/// The sign of a driver's regression coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Negative,
    None,
    Positive,
}

impl Direction {
    fn of(estimate: f64) -> Self {
        if estimate > 0.0 {
            Direction::Positive
        } else if estimate < 0.0 {
            Direction::Negative
        } else {
            Direction::None
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Direction::Negative => "negative",
            Direction::None => "none",
            Direction::Positive => "positive",
        }
    }
}

/// What one driver accounts for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Driver {
    pub(crate) driver: String,
    pub(crate) n_obs: u64,
    pub(crate) importance: f64,
    /// Importance over the sum of all importances.
    pub(crate) share: f64,
    pub(crate) direction: Direction,
    /// Correlation with the outcome.
    pub(crate) correlation: f64,
    /// Regression coefficient, its standard error and p value.
    pub(crate) estimate: f64,
    pub(crate) std_error: f64,
    pub(crate) p_value: Option<f64>,
    pub(crate) vif: f64,
    /// Of the whole model.
    pub(crate) r_squared: f64,
    /// Bootstrap interval of the importance, if asked for.
    pub(crate) conf_low: Option<f64>,
    pub(crate) conf_high: Option<f64>,
}

/// The drivers of column 0 of `moments`, the most important first.
pub(crate) fn drivers(moments: &Moments, names: &[&str], method: Method) -> Result<Vec<Driver>, Invalid> {
    in_order(moments, names, method).map(ranked)
}

/// The drivers in the order of the columns.
fn in_order(moments: &Moments, names: &[&str], method: Method) -> Result<Vec<Driver>, Invalid> {
    shapley::check(method, names.len())?;
    let fit = linear::fit(moments, names, 0.95)?;
    let correlations = moments.correlations();
    let importance = importance(&correlations, method).ok_or_else(nothing_varies)?;
    Ok(rows(&fit.terms[1..], fit.n_obs, fit.r_squared, &correlations, &importance))
}

/// The same with a bootstrap interval of the importance: `draws` times as many blocks of rows as there are are
/// drawn with replacement, from `seed`, and the interval runs between percentiles of the importances.
///
/// An importance is never negative, so the interval of a driver without effect does not reach 0.
pub(crate) fn drivers_with_interval(
    blocks: &BlockedMoments,
    names: &[&str],
    method: Method,
    draws: usize,
    seed: u64,
    conf: f64,
) -> Result<Vec<Driver>, Invalid> {
    check_confidence(conf)?;
    let mut drivers = in_order(&blocks.total()?, names, method)?;
    let mut drawn = vec![Vec::with_capacity(draws); names.len()];
    let mut failed = 0.0;
    for moments in blocks.draws(draws, seed)? {
        match importance_of_draw(&moments, method) {
            Some(importance) => drawn.iter_mut().zip(importance).for_each(|(drawn, value)| drawn.push(value)),
            None => failed += 1.0,
        }
    }
    if failed > MOST_FAILED_DRAWS * draws as f64 {
        return Err(Invalid::new(format!("{failed} of {draws} bootstrap draws have no answer")).hint(
            "In too many draws a driver does not vary or is a combination of others; there are too few rows \
             for an interval.",
        ));
    }
    for (driver, drawn) in drivers.iter_mut().zip(&mut drawn) {
        let ends = percentiles(drawn, conf);
        (driver.conf_low, driver.conf_high) = (ends.map(|ends| ends.0), ends.map(|ends| ends.1));
    }
    Ok(ranked(drivers))
}

/// Relative weights of the drivers of an outcome of 0 and 1, the most important first.
pub(crate) fn logistic_drivers(batches: &[Batch], names: &[&str]) -> Result<Vec<Driver>, Invalid> {
    let fit = logistic::fit(batches, names, &LogisticOptions::default())?;
    let r_squared = logistic::prediction_r_squared(batches, names, &fit)?;
    let mut moments = Moments::new(names.len() + 1);
    batches.iter().try_for_each(|batch| moments.update(batch))?;
    let correlations = moments.correlations();
    let linear = Predictor::of(&correlations, &fit.standardised[1..])?;
    let importance = linear.weights(r_squared);
    Ok(ranked(rows(&fit.terms[1..], fit.n_obs, r_squared, &correlations, &importance)))
}

/// Relative weights of the drivers of an outcome of a few ordered levels, the most important first.
pub(crate) fn ordinal_drivers(batches: &[Batch], names: &[&str]) -> Result<Vec<Driver>, Invalid> {
    const LOGISTIC_VARIANCE: f64 = std::f64::consts::PI * std::f64::consts::PI / 3.0;
    let fit = ordinal::fit(batches, names, 0.95)?;
    let mut moments = Moments::new(names.len() + 1);
    batches.iter().try_for_each(|batch| moments.update(batch))?;
    let correlations = moments.correlations();
    let linear = Predictor::of(&correlations, &fit.standardised)?;
    let r_squared = linear.variance / (linear.variance + LOGISTIC_VARIANCE);
    let importance = linear.weights(r_squared);
    Ok(ranked(rows(&fit.terms[..names.len()], fit.n_obs, r_squared, &correlations, &importance)))
}

/// A linear predictor of standardised drivers, as one of orthogonal columns.
struct Predictor {
    variance: f64,
    root: Root,
    slopes: Vec<f64>,
}

impl Predictor {
    fn of(correlations: &Matrix, slopes: &[f64]) -> Result<Self, Invalid> {
        let between = correlations.tail(1);
        let variance = slopes.iter().zip(between.times(slopes)).map(|(slope, fitted)| slope * fitted).sum();
        let root = Root::of(&between).ok_or_else(nothing_varies)?;
        // The regression on orthogonal columns has the coefficients Λb.
        let slopes = root.matrix.times(slopes);
        Ok(Self { variance, root, slopes })
    }

    /// Relative weights that add up to `r_squared`.
    fn weights(&self, r_squared: f64) -> Vec<f64> {
        let scale = (r_squared / self.variance).sqrt();
        let beta: Vec<f64> = self.slopes.iter().map(|slope| slope * scale).collect();
        self.root.weights(&beta)
    }
}

/// Importance of every driver from the correlations of the outcome and the drivers; `None` if a driver does
/// not vary or is a combination of others.
fn importance(correlations: &Matrix, method: Method) -> Option<Vec<f64>> {
    let with_outcome = &correlations.row(0)[1..];
    match method {
        Method::RelativeWeights => {
            let root = Root::of(&correlations.tail(1))?;
            let beta = root.solve(with_outcome);
            Some(root.weights(&beta))
        }
        Method::Shapley => Some(shapley::values(correlations)),
        Method::Correlation => Some(with_outcome.iter().map(|r| r * r).collect()),
    }
}

fn importance_of_draw(moments: &Moments, method: Method) -> Option<Vec<f64>> {
    if moments.rows() == 0 || (0..moments.width()).any(|column| moments.constant(column)) {
        return None;
    }
    let correlations = moments.correlations();
    correlations.tail(1).cholesky(TOLERANCE).ok()?;
    importance(&correlations, method)
}

/// The symmetric square root Λ of a correlation matrix, and its inverse.
struct Root {
    matrix: Matrix,
    inverse: Matrix,
}

impl Root {
    fn of(correlations: &Matrix) -> Option<Self> {
        let (values, vectors) = correlations.eigen();
        if !values.iter().all(|value| *value > 0.0) {
            return None;
        }
        let power = |power: f64| {
            Matrix::from_fn(values.len(), |row, column| {
                let part = |place: usize| {
                    vectors.get(row, place) * vectors.get(column, place) * values[place].powf(power)
                };
                (0..values.len()).map(part).sum()
            })
        };
        Some(Self { matrix: power(0.5), inverse: power(-0.5) })
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        self.inverse.times(right)
    }

    fn weights(&self, beta: &[f64]) -> Vec<f64> {
        let weight = |row: usize| {
            self.matrix
                .row(row)
                .iter()
                .zip(beta)
                .map(|(loading, beta)| (loading * beta) * (loading * beta))
                .sum()
        };
        (0..beta.len()).map(weight).collect()
    }
}

/// `terms` are those of the drivers alone.
fn rows(
    terms: &[Term],
    n_obs: u64,
    r_squared: f64,
    correlations: &Matrix,
    importance: &[f64],
) -> Vec<Driver> {
    let total: f64 = importance.iter().sum();
    let row = |(place, term): (usize, &Term)| Driver {
        driver: term.term.clone(),
        n_obs,
        importance: importance[place],
        share: if total > 0.0 { importance[place] / total } else { 0.0 },
        direction: Direction::of(term.estimate),
        correlation: correlations.get(0, place + 1),
        estimate: term.estimate,
        std_error: term.std_error,
        p_value: term.p_value,
        vif: term.vif.unwrap_or(1.0),
        r_squared,
        conf_low: None,
        conf_high: None,
    };
    terms.iter().enumerate().map(row).collect()
}

fn ranked(mut drivers: Vec<Driver>) -> Vec<Driver> {
    drivers.sort_by(|a, b| b.importance.total_cmp(&a.importance));
    drivers
}

fn nothing_varies() -> Invalid {
    Invalid::new("drivers are too nearly collinear for their importance")
        .hint("Leave out one of the drivers with the largest variance inflation factor.")
}

#[cfg(test)]
mod tests;
