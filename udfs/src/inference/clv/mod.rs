//! Customer lifetime value: how often customers will buy, how much they spend, and what they are worth.
//!
//! A customer's history is `frequency` (purchases after the first), `recency` (time from the first to the
//! last purchase) and `age` (time from the first purchase to now), in one unit of time.

pub(crate) mod bg_nbd;
pub(crate) mod gamma_gamma;
pub(crate) mod history;
mod newton;
pub(crate) mod rfm;
mod special;
pub(crate) mod value;

#[cfg(test)]
mod tests;
