//! From a statement to a plan: which relations it sees, and with which functions and limits it runs.

pub mod arithmetic;
pub mod average;
pub mod catalog;
pub mod context;
pub mod conversion;
pub mod doubles;
pub mod exact;
pub mod floats;
pub mod identity;
pub mod input;
pub mod inputs;
pub mod intervals;
pub mod json;
pub mod labels;
pub mod lateral;
pub mod library;
pub mod names;
pub mod numbers;
pub mod operators;
pub mod output;
pub mod outside;
pub mod pauses;
pub mod pipe;
mod profiles;
pub mod reports;
pub mod reuse;
pub mod sleep;
pub mod spelling;
pub mod style;
pub mod templates;
pub mod totals;
pub mod types;
pub mod unbounded;
pub mod whole;
pub mod zone;

pub use context::{Planned, QueryContext};
