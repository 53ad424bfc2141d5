//! Logistic regression: ln(P(y = 1)/P(y = 0)) = a + bᵀx.
//!
//! Maximum likelihood by Newton's method (iteratively reweighted least squares) on standardised columns;
//! standard errors from the inverse information (XᵀWX)⁻¹ with W = w p(1 − p), normal p values and intervals
//! (McCullagh and Nelder, *Generalized Linear Models*). The R² is McFadden's 1 − ln L/ln L₀. Weights are
//! relative: they are divided by their mean, so that multiplying all of them by a number changes nothing.
//!
//! Where the columns separate the two outcomes there is no maximum: that is an error which names the columns.
//! Firth's correction (1993), the likelihood times |XᵀWX|^½, always has one; standard errors are then
//! (XᵀWX)⁻¹ at that maximum, and there is no likelihood-ratio test.

use super::batch::Batch;
use super::matrix::Matrix;
use super::standardised::Standardised;
use super::tails::{Reference, chi_squared_p};
use super::term::{Centred, INTERCEPT, Term};
use super::{Invalid, check_confidence};

mod newton;
mod pass;
mod separation;

pub(super) use newton::{UNKNOWN, fell, is_last};

/// What to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LogisticOptions {
    /// Level of the confidence intervals.
    pub(crate) conf: f64,
    /// Whether to apply Firth's correction.
    pub(crate) firth: bool,
}

impl Default for LogisticOptions {
    fn default() -> Self {
        Self { conf: 0.95, firth: false }
    }
}

/// A fitted logistic regression; an odds ratio is `exp` of an estimate and of its interval.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogisticFit {
    /// The intercept, then the columns in their order.
    pub(crate) terms: Vec<Term>,
    pub(crate) n_obs: u64,
    /// Rows with outcome 1.
    pub(crate) events: u64,
    pub(crate) log_likelihood: f64,
    pub(crate) null_log_likelihood: f64,
    /// McFadden's.
    pub(crate) r_squared: f64,
    /// Likelihood-ratio statistic against the model without columns, and its p value; `None` under Firth's
    /// correction.
    pub(crate) chi_squared: Option<f64>,
    pub(crate) p_value: Option<f64>,
    /// Passes over all rows.
    pub(crate) iterations: u32,
    /// Coefficients on columns of mean 0 and standard deviation 1, the intercept first.
    pub(super) standardised: Vec<f64>,
}

/// Regression of column 0, which must be 0 or 1, on the other columns, which `names` names.
pub(crate) fn fit(
    batches: &[Batch],
    names: &[&str],
    options: &LogisticOptions,
) -> Result<LogisticFit, Invalid> {
    check_confidence(options.conf)?;
    let mut events = 0;
    let rows = Standardised::new(batches, names, |block| {
        for &y in block.column(0) {
            match y {
                0.0 => {}
                1.0 => events += 1,
                other => return Err(not_binary(other)),
            }
        }
        Ok(())
    })?;
    if rows.moments.rows() <= names.len() as u64 + 1 {
        let (terms, found) = (names.len() + 1, rows.moments.rows());
        return Err(Invalid::new(format!("regression with {terms} terms has only {found} rows"))
            .hint("A logistic regression needs more rows than terms; rows with a NULL are left out."));
    }
    let maximum = if options.firth { newton::firth(&rows)? } else { newton::plain(&rows, names)? };
    Ok(table(&rows, names, options, events, &maximum))
}

/// Share of the outcome's variance that the fitted probabilities explain: their squared correlation.
pub(super) fn prediction_r_squared(
    batches: &[Batch],
    names: &[&str],
    fit: &LogisticFit,
) -> Result<f64, Invalid> {
    let rows = Standardised::new(batches, names, |_| Ok(()))?;
    pass::prediction_r_squared(&rows, &fit.standardised)
}

fn not_binary(value: f64) -> Invalid {
    Invalid::new(format!("outcome of a logistic regression is {value} where 0 or 1 is expected"))
        .hint("Compare the column with a value and cast it: (churned = 'yes')::int.")
}

/// Where the likelihood is largest, on standardised columns.
struct Maximum {
    coefficients: Vec<f64>,
    covariance: Matrix,
    log_likelihood: f64,
    iterations: u32,
    firth: bool,
}

fn table(
    rows: &Standardised,
    names: &[&str],
    options: &LogisticOptions,
    events: u64,
    maximum: &Maximum,
) -> LogisticFit {
    let scale = |place: usize| if place == 0 { 1.0 } else { rows.scales[place - 1] };
    let slopes: Vec<f64> =
        maximum.coefficients[1..].iter().zip(&rows.scales).map(|(slope, scale)| slope / scale).collect();
    let centred = Centred { means: &rows.means, slopes: &slopes };
    let covariance = centred.covariance(&Matrix::from_fn(rows.width(), |row, column| {
        maximum.covariance.get(row, column) / scale(row) / scale(column)
    }));
    let term = |place: usize, name: &str, estimate: f64, vif: Option<f64>| {
        Term::new(name, estimate, covariance.get(place, place), vif, Reference::Normal, options.conf)
    };
    let mut terms = vec![term(0, INTERCEPT, centred.intercept(maximum.coefficients[0]), None)];
    for (place, name) in names.iter().enumerate() {
        terms.push(term(place + 1, name, slopes[place], Some(rows.vifs[place])));
    }
    let share = rows.moments.mean(0);
    let null = rows.moments.rows() as f64 * (share * share.ln() + (1.0 - share) * (-share).ln_1p());
    let chi_squared = (!maximum.firth).then_some(2.0 * (maximum.log_likelihood - null));
    LogisticFit {
        terms,
        n_obs: rows.moments.rows(),
        events,
        log_likelihood: maximum.log_likelihood,
        null_log_likelihood: null,
        r_squared: 1.0 - maximum.log_likelihood / null,
        chi_squared,
        p_value: chi_squared.filter(|_| !names.is_empty()).map(|chi| chi_squared_p(chi, names.len() as f64)),
        iterations: maximum.iterations,
        standardised: maximum.coefficients.clone(),
    }
}

#[cfg(test)]
mod tests;
