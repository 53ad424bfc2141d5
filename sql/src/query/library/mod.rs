//! PostgreSQL's functions that DataFusion does not have, or has with other answers.

mod calendar;
mod kernel;
mod matches;
mod numbers;
mod ordered;
mod parts;
mod similar;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub use parts::extract;
pub use similar::to_regular;

pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    parts::functions()
        .chain(calendar::functions())
        .chain(matches::functions())
        .chain(numbers::functions())
        .chain(similar::functions())
}

pub fn aggregates() -> impl Iterator<Item = Arc<AggregateUDF>> {
    ordered::aggregates()
}
