//! What the benchmarks work on: rows and people made from a seed, and a warehouse in a temporary folder.

pub mod house;
pub mod orders;
pub mod people;
