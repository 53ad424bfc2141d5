//! Tests of a difference between groups, each with an estimate and its interval.

pub(crate) mod contingency;
pub(crate) mod correction;
pub(crate) mod family;
pub(crate) mod fisher;
pub(crate) mod nps;
pub(crate) mod proportions;
pub(crate) mod rank_sum;
pub(crate) mod welch;

/// The outcome of a test of two groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Comparison {
    /// The test statistic; its name and distribution are those of the test.
    pub(crate) statistic: f64,
    /// Degrees of freedom, where the statistic's distribution has them.
    pub(crate) freedom: Option<f64>,
    /// Two-sided.
    pub(crate) p_value: f64,
    /// First group minus second, or the test's own measure of the difference.
    pub(crate) estimate: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    /// Observations (effective observations when weighted) per group.
    pub(crate) n: [f64; 2],
}

#[cfg(test)]
mod tests;
