//! Kernels of the customer journey: funnels, retention and cohorts, sequence patterns, sessions, paths, steps
//! and pain points.
//!
//! Times are microseconds since the epoch. Events of one customer are ordered by time, then by sequence
//! number, then by the conditions they meet ([`event`] says how), so that no answer depends on the order in
//! which rows arrive or on how they are split.

pub(crate) mod bytes;
pub(crate) mod cohort;
pub(crate) mod event;
pub(crate) mod funnel;
pub(crate) mod pain;
pub(crate) mod paths;
pub(crate) mod pattern;
pub(crate) mod period;
pub(crate) mod retention;
pub(crate) mod sequence;
pub(crate) mod session;
pub(crate) mod steps;
pub(crate) mod trail;

#[cfg(test)]
mod dice;

/// Why an argument or a stored state is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// Lower-case, one line, without a full stop.
    pub(crate) message: String,
    /// What to do about it, in sentences.
    pub(crate) hint: Option<String>,
}

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
