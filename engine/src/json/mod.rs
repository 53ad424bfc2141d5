//! JSON as PostgreSQL has it: the text of `json`, which is kept as written, and the values of `jsonb`, which have a normal
//! form. Pure over text.

pub mod scan;
pub mod value;

pub use scan::check;
pub use value::normal;
