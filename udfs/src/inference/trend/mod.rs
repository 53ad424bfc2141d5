//! Trends: where a level changed, whether a series rises or falls, and which terms come up.

pub(crate) mod cusum;
pub(crate) mod keyness;
pub(crate) mod mann_kendall;
pub(crate) mod series;

#[cfg(test)]
mod tests;
