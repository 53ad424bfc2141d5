//! JSON as PostgreSQL's operators and functions read and build it. JSON is stored as text; the type is a note on the
//! field. `voxhouse_engine::json` reads it; `shown` writes other values as JSON.

mod build;
pub mod casts;
mod catalog;
mod edit;
mod elements;
mod function;
mod operators;
mod path;
mod rows;
mod shown;
mod spelling;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use voxhouse_engine::catalog::types::TYPE_KEY;

pub use catalog::functions;
pub use operators::{operator, subscript};
pub use rows::expand;
pub use spelling::rewrite;

/// Which of the two types a function is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// Keeps what is written.
    Json,
    /// Keeps what it means.
    Jsonb,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonb => "jsonb",
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "jsonb" => Some(Self::Jsonb),
            _ => None,
        }
    }
}

fn json_field(stored: DataType, name: &str) -> FieldRef {
    let metadata = [(TYPE_KEY.to_owned(), name.to_owned())].into();
    Arc::new(Field::new("", stored, true).with_metadata(metadata))
}
