//! Newton's method, for the likelihood and for Firth's penalised one.

use super::pass::{Pass, firth_gradient, pass};
use super::{Maximum, separation};
use crate::regression::Invalid;
use crate::regression::matrix::{Cholesky, Dependence};
use crate::regression::standardised::Standardised;
use crate::regression::term::unpacked;

/// A step this small, relative to the coefficients, is the last one.
const CONVERGED: f64 = 1e-9;

/// Most passes over the rows.
const MOST_PASSES: u32 = 100;

/// Relative size of a pivot of the information at which it is singular.
const SINGULAR: f64 = 1e-13;

/// From this pass on steps that stay large are looked into.
const SUSPICIOUS_PASS: u32 = 8;
const SUSPICIOUS_STEP: f64 = 0.1;

/// A variance this large, on columns of standard deviation 1, means that the likelihood is flat.
pub(in crate::regression) const UNKNOWN: f64 = 1e6;

/// Large tables start from a fit to every so many blocks, if that leaves so many rows.
const SAMPLE_EVERY: usize = 32;
const SAMPLE_ROWS: u64 = 2048;

/// Longest step under Firth's correction, in standard deviations.
const LONGEST_STEP: f64 = 5.0;

/// Maximum likelihood.
pub(super) fn plain(rows: &Standardised, names: &[&str]) -> Result<Maximum, Invalid> {
    let mut coefficients = start(rows)?;
    let mut before: Option<(f64, Vec<f64>)> = None;
    for number in 1..=MOST_PASSES {
        let here = pass(rows, &coefficients, 1)?;
        if let Some((likelihood, previous)) = &before
            && fell(*likelihood, here.log_likelihood)
        {
            coefficients = halfway(previous, &coefficients);
            continue;
        }
        let Ok(information) = factor(&here, rows.width()) else {
            let separated = separation::certain(rows, &coefficients)?;
            return Err(if separated {
                separation::explain(rows, names, &coefficients)?
            } else {
                diverged()
            });
        };
        let step = information.solve(&here.gradient);
        if is_last(&step, &coefficients) {
            let maximum =
                maximum(add(&coefficients, &step), &information, here.log_likelihood, number, false);
            if maximum.covariance.largest_diagonal() < UNKNOWN {
                return Ok(maximum);
            }
            return Err(separation::explain(rows, names, &coefficients)?);
        }
        if number >= SUSPICIOUS_PASS && largest(&step) > SUSPICIOUS_STEP && separation::certain(rows, &step)?
        {
            return Err(separation::explain(rows, names, &step)?);
        }
        let next = add(&coefficients, &step);
        before = Some((here.log_likelihood, coefficients));
        coefficients = next;
    }
    Err(diverged())
}

fn diverged() -> Invalid {
    Invalid::new("logistic regression does not converge")
        .hint("Leave out columns that hardly vary, or ask for Firth's correction.")
}

/// The maximum of Firth's penalised likelihood.
pub(super) fn firth(rows: &Standardised) -> Result<Maximum, Invalid> {
    let mut coefficients = vec![0.0; rows.width()];
    let mut before: Option<(f64, Vec<f64>)> = None;
    for number in 1..=MOST_PASSES {
        let here = pass(rows, &coefficients, 1)?;
        let information = factor(&here, rows.width()).ok();
        let penalised = information.as_ref().map_or(f64::NEG_INFINITY, |information| {
            here.log_likelihood + 0.5 * information.ln_determinant()
        });
        if let Some((likelihood, previous)) = &before
            && fell(*likelihood, penalised)
        {
            coefficients = halfway(previous, &coefficients);
            continue;
        }
        let Some(information) = information else { break };
        let mut step = firth_gradient(rows, &coefficients, &information)?;
        information.back(&mut step);
        if is_last(&step, &coefficients) {
            return Ok(maximum(add(&coefficients, &step), &information, here.log_likelihood, number, true));
        }
        let shorten = (LONGEST_STEP / largest(&step)).min(1.0);
        step.iter_mut().for_each(|step| *step *= shorten);
        let next = add(&coefficients, &step);
        before = Some((penalised, coefficients));
        coefficients = next;
    }
    Err(Invalid::new("logistic regression with Firth's correction does not converge"))
}

/// Coefficients to start from: those of a sample if there are many rows. They bear on the number of passes,
/// not on the result.
fn start(rows: &Standardised) -> Result<Vec<f64>, Invalid> {
    let zero = vec![0.0; rows.width()];
    if rows.moments.rows() < SAMPLE_ROWS * SAMPLE_EVERY as u64 {
        return Ok(zero);
    }
    let mut coefficients = zero.clone();
    for _ in 0..8 {
        let here = pass(rows, &coefficients, SAMPLE_EVERY)?;
        let Ok(information) = factor(&here, rows.width()) else { return Ok(zero) };
        let step = information.solve(&here.gradient);
        coefficients = add(&coefficients, &step);
        if largest(&step) < 1e-3 {
            return Ok(coefficients);
        }
    }
    Ok(zero)
}

fn factor(pass: &Pass, width: usize) -> Result<Cholesky, Dependence> {
    unpacked(width, &pass.information).cholesky(SINGULAR)
}

fn maximum(
    coefficients: Vec<f64>,
    information: &Cholesky,
    log_likelihood: f64,
    iterations: u32,
    firth: bool,
) -> Maximum {
    Maximum { coefficients, covariance: information.inverse(), log_likelihood, iterations, firth }
}

/// Whether a log-likelihood got worse by more than rounding, or is none.
pub(in crate::regression) fn fell(before: f64, now: f64) -> bool {
    now.is_nan() || now < before - 1e-9 * before.abs().max(1.0)
}

pub(in crate::regression) fn is_last(step: &[f64], coefficients: &[f64]) -> bool {
    largest(step).is_finite() && largest(step) <= CONVERGED * largest(coefficients).max(1.0)
}

/// The largest absolute value; infinite if one is NaN.
fn largest(values: &[f64]) -> f64 {
    values
        .iter()
        .fold(0.0, |largest, value| if value.is_nan() { f64::INFINITY } else { largest.max(value.abs()) })
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn halfway(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| 0.5 * (a + b)).collect()
}
