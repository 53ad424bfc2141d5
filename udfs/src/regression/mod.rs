//! Regression, key drivers, impact and the quality of scores: kernels over columns of numbers.
//!
//! The kernels know rows only as columns of `f64`, the outcome first, as in `regr_slope(y, x)`. What can be
//! had from one pass is taken from [`moments`], a small state that merges: [`linear`], [`drivers`]. What
//! needs several passes ([`logistic`], [`ordinal`], [`robust`]) reads batches that the caller holds.
//!
//! Rows: a row counts if its mask is true, all its values are finite and its weight is positive and finite;
//! otherwise the whole row is left out and counted as skipped (listwise deletion). A negative weight is an
//! error. Results do not depend, beyond rounding, on the order of the rows or on how they are split.

use std::fmt;

mod adjust;
pub(crate) mod batch;
mod block;
mod bytes;
pub(crate) mod calibration;
pub(crate) mod change;
pub(crate) mod clustered;
pub(crate) mod drivers;
pub(crate) mod impact;
pub(crate) mod linear;
pub(crate) mod logistic;
mod matrix;
pub(crate) mod model;
pub(crate) mod moments;
pub(crate) mod named;
pub(crate) mod ordinal;
pub(crate) mod rank;
pub(crate) mod resample;
pub(crate) mod robust;
pub(crate) mod roc;
pub(crate) mod scores;
mod standardised;
mod tails;
mod tally;
pub(crate) mod term;

/// Why the input has no answer: one line that names the object, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Invalid {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

/// Refuses a confidence level that is not between 0 and 1.
fn check_confidence(conf: f64) -> Result<(), Invalid> {
    if conf > 0.0 && conf < 1.0 {
        return Ok(());
    }
    Err(Invalid::new(format!("confidence level {conf} is not between 0 and 1"))
        .hint("Write 0.95 for an interval of 95 percent."))
}

/// `a, b and c` in double quotes.
fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod simulate;

#[cfg(test)]
mod tests;
