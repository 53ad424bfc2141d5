//! Text knowledge that users edit as tables of the schema `text`, and the relations that are kept of it.
//!
//! [`knowledge`] brings the rows of the tables to the text functions before a statement that calls them runs;
//! [`kept`] puts `x.opinions` and `x.tags` together from rows that are kept and feedback that is not read yet;
//! [`refresh`] reads it; [`models`] learns from labels.

pub mod keeper;
pub mod kept;
pub mod knowledge;
mod lessons;
pub mod models;
pub mod refresh;

/// The schema of the tables.
pub const SCHEMA: &str = "text";
