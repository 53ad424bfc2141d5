//! Cox's proportional hazards regression with Efron's treatment of ties.
//!
//! Cox (1972), JRSS B 34; Efron (1977), JASA 72. Newton's method on the log partial likelihood. Rows are put
//! in order of falling duration once; every iteration then is one pass with running sums of r, r·x and r·xxᵀ
//! over those still at risk (r = exp(xᵀβ)), and of the same over the departures of the current duration.
//! Covariates are standardised for the fit and the results scaled back.
//!
//! The robust variance is Lin and Wei's (1989) sandwich of score residuals, summed by cluster.

mod concordance;
mod likelihood;
mod proportionality;
mod residuals;

use self::likelihood::Sorted;
pub(crate) use self::proportionality::Proportionality;
use crate::inference::distribution::{chi_square_tail, normal_tails};
use crate::inference::matrix::{Cholesky, dot, sandwich};
use crate::inference::rows::Rows;
use crate::inference::{Invalid, confidence};
use crate::normal;

/// Which standard errors are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errors {
    /// From the curvature of the likelihood.
    Model,
    /// Robust, each row by itself.
    Robust,
    /// Robust, rows with the same first key together.
    Clustered,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Model {
    pub(crate) terms: Vec<Term>,
    pub(crate) n: usize,
    pub(crate) events: usize,
    pub(crate) log_likelihood: f64,
    pub(crate) log_likelihood_null: f64,
    /// Likelihood ratio test of all terms together.
    pub(crate) likelihood_ratio: f64,
    pub(crate) p_value: f64,
    pub(crate) iterations: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Term {
    /// Log hazard ratio per unit of the covariate.
    pub(crate) estimate: f64,
    pub(crate) std_error: f64,
    pub(crate) statistic: f64,
    pub(crate) p_value: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    pub(crate) hazard_ratio: f64,
    pub(crate) hazard_ratio_low: f64,
    pub(crate) hazard_ratio_high: f64,
}

const MAX_ITERATIONS: usize = 50;

/// Rows with the coefficients under which they are likeliest.
pub(crate) struct Fitted<'a> {
    rows: &'a Rows,
    sorted: Sorted,
    fit: Fit,
}

/// Fits rows of values `[duration, event (0 or 1), covariate…]`; the first key is the cluster.
pub(crate) fn fit(rows: &Rows) -> Result<Fitted<'_>, Invalid> {
    let sorted = Sorted::new(rows)?;
    let fit = solve(&sorted)?;
    Ok(Fitted { rows, sorted, fit })
}

impl Fitted<'_> {
    /// The coefficients with their errors.
    pub(crate) fn model(&self, errors: Errors, conf: f64) -> Result<Model, Invalid> {
        let z = normal::two_sided(confidence(conf)?);
        let (sorted, Fit { beta, covariance, .. }) = (&self.sorted, &self.fit);
        let size = sorted.size();
        let covariance = match errors {
            Errors::Model => covariance.clone(),
            Errors::Robust => sandwich(covariance, &residuals::meat(sorted, beta, None), size),
            Errors::Clustered => {
                let clusters = sorted.clusters(self.rows)?;
                sandwich(covariance, &residuals::meat(sorted, beta, Some(&clusters)), size)
            }
        };
        let terms = (0..size)
            .map(|term| Term::new(beta[term], covariance[term * size + term].sqrt(), sorted.scale[term], z))
            .collect();
        let likelihood_ratio = 2.0 * (self.fit.log_likelihood - self.fit.log_likelihood_null);
        Ok(Model {
            terms,
            n: self.rows.len(),
            events: sorted.events(),
            log_likelihood: self.fit.log_likelihood,
            log_likelihood_null: self.fit.log_likelihood_null,
            likelihood_ratio,
            p_value: chi_square_tail(likelihood_ratio, size as f64),
            iterations: self.fit.iterations,
        })
    }

    /// Whether each covariate's effect is the same at all durations; `None` when all departures have the same one.
    pub(crate) fn proportionality(&self) -> Option<Vec<Proportionality>> {
        proportionality::test(&self.sorted, &self.fit)
    }

    /// How often whoever the model gives the higher risk leaves first; `None` when no two can be compared.
    pub(crate) fn concordance(&self) -> Option<f64> {
        let risks: Vec<f64> =
            (0..self.sorted.len()).map(|row| dot(self.sorted.x(row), &self.fit.beta)).collect();
        concordance::of(&self.sorted.runs, &risks)
    }
}

impl Term {
    fn new(beta: f64, std_error: f64, scale: f64, z: f64) -> Self {
        let (estimate, std_error) = (beta / scale, std_error / scale);
        let (conf_low, conf_high) = (estimate - z * std_error, estimate + z * std_error);
        let statistic = estimate / std_error;
        Self {
            estimate,
            std_error,
            statistic,
            p_value: normal_tails(statistic),
            conf_low,
            conf_high,
            hazard_ratio: estimate.exp(),
            hazard_ratio_low: conf_low.exp(),
            hazard_ratio_high: conf_high.exp(),
        }
    }
}

/// A maximum, in standardised covariates.
struct Fit {
    beta: Vec<f64>,
    covariance: Vec<f64>,
    log_likelihood: f64,
    log_likelihood_null: f64,
    iterations: usize,
}

fn solve(sorted: &Sorted) -> Result<Fit, Invalid> {
    let size = sorted.size();
    let mut beta = vec![0.0; size];
    let mut here = sorted.evaluate(&beta);
    let log_likelihood_null = here.log_likelihood;
    for iterations in 1..=MAX_ITERATIONS {
        let decomposed = Cholesky::new(&here.information, size).map_err(collinear)?;
        let step = decomposed.solve(&here.gradient);
        let gain = dot(&step, &here.gradient);
        let mut length = 1.0;
        // What rounding makes of sums of this size.
        let slack = 1e-11 * (1.0 + here.log_likelihood.abs());
        let next = loop {
            let moved: Vec<f64> = beta.iter().zip(&step).map(|(beta, step)| beta + length * step).collect();
            let there = sorted.evaluate(&moved);
            if there.log_likelihood.is_finite() && there.log_likelihood >= here.log_likelihood - slack {
                beta = moved;
                break there;
            }
            length /= 2.0;
            if length < 1e-6 {
                return Err(no_maximum());
            }
        };
        here = next;
        // The gain of a Newton step is about twice what is left of the log likelihood.
        if gain < 1e-10 {
            let covariance = Cholesky::new(&here.information, size).map_err(collinear)?.inverse();
            if (0..size).any(|term| covariance[term * size + term] > LARGEST_VARIANCE) {
                return Err(no_maximum());
            }
            let log_likelihood = here.log_likelihood;
            return Ok(Fit { beta, covariance, log_likelihood, log_likelihood_null, iterations });
        }
    }
    Err(no_maximum())
}

/// A variance of a standardised log hazard ratio beyond this means that the likelihood only levels off.
const LARGEST_VARIANCE: f64 = 1e4;

fn collinear(term: usize) -> Invalid {
    Invalid::new(format!("covariate {} is constant, or the covariates before it determine it", term + 1))
        .with_hint("Leave it out.")
}

fn no_maximum() -> Invalid {
    Invalid::new("the likelihood has no maximum").with_hint(
        "A covariate sets those who leave apart from those who stay without exception; leave it out, or join \
         categories.",
    )
}
