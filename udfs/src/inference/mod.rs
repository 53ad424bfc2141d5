//! Inference: tests of differences, scores with intervals, survival, customer lifetime value, causal
//! effects, trends and mediation.
//!
//! Every kernel is pure: numbers in, documented structs out. What aggregates has a state with `update`,
//! `merge`, `to_bytes`, `from_bytes` and `size`; results depend neither on the order of rows nor on how they
//! are split, up to rounding. What is random draws from a [`generator::Generator`] with a given seed, over
//! rows put in order first.
//!
//! NaN and infinity are refused with [`Invalid`] wherever a row comes in. NULLs do not reach this folder:
//! the caller leaves such rows out.

pub(crate) mod bytes;
pub(crate) mod causal;
pub(crate) mod clv;
pub(crate) mod compare;
pub(crate) mod distribution;
pub(crate) mod generator;
pub(crate) mod logistic;
pub(crate) mod matrix;
pub(crate) mod mediation;
pub(crate) mod moments;
pub(crate) mod rows;
pub(crate) mod scores;
pub(crate) mod survival;
pub(crate) mod tally;
pub(crate) mod trend;

/// An argument or a row that a kernel refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// Lower-case, one line, no full stop.
    pub(crate) message: String,
    /// A sentence.
    pub(crate) hint: Option<String>,
}

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// `value`, unless it is NaN or infinite; `what` names it in the message.
pub(crate) fn finite(value: f64, what: &str) -> Result<f64, Invalid> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(Invalid::new(format!("{what} is {}", if value.is_nan() { "not a number" } else { "infinite" }))
        .with_hint("Leave such rows out, or turn them into NULL."))
}

/// `conf`, unless it lies outside 0..1.
pub(crate) fn confidence(conf: f64) -> Result<f64, Invalid> {
    if conf > 0.0 && conf < 1.0 {
        return Ok(conf);
    }
    Err(Invalid::new(format!("confidence level {conf} is not between 0 and 1"))
        .with_hint("Write 95 percent as 0.95."))
}

#[cfg(test)]
mod tests;
