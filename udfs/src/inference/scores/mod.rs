//! Scores with intervals: shares of a scale, Net Promoter Scores of weighted answers, and survey weights.

pub(crate) mod net_promoter;
pub(crate) mod rake;
pub(crate) mod scale;
pub(crate) mod share;
pub(crate) mod weights;

#[cfg(test)]
mod tests;
