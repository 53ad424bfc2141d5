//! COPY on the wire: rows as text, CSV or PostgreSQL's binary file format, in both directions.
//!
//! `send` writes record batches into CopyData messages, one a row. `receive` reads CopyData messages, which cut
//! the data anywhere, into record batches and hands them to the session while more are coming. Neither holds
//! more than a few batches: a slow reader at either end makes the other wait.

mod binary;
mod charset;
mod columns;
mod escape;
mod fields;
mod lines;
mod reader;
mod receive;
mod recent;
mod send;
#[cfg(test)]
mod tests;
pub(super) mod values;

use arrow::datatypes::SchemaRef;
use voxhouse_engine::{Error, ErrorKind};

use super::types::Format;

pub use charset::Charset;
pub(super) use send::copy_out;

/// How the rows of a COPY are written down.
#[derive(Debug, Clone)]
pub enum CopyFormat {
    Text(TextFormat),
    Binary,
}

impl CopyFormat {
    /// The format of single values, as the protocol tells it.
    fn cells(&self) -> Format {
        match self {
            CopyFormat::Text(_) => Format::Text,
            CopyFormat::Binary => Format::Binary,
        }
    }
}

/// One line a row: PostgreSQL's text format, or CSV.
#[derive(Debug, Clone)]
pub struct TextFormat {
    /// One byte of ASCII.
    pub delimiter: u8,
    pub null: String,
    pub header: Header,
    /// `None`: the text format, where a backslash escapes.
    pub csv: Option<CsvFormat>,
    pub charset: Charset,
}

/// What CSV has besides. The lists are by column.
#[derive(Debug, Clone)]
pub struct CsvFormat {
    pub quote: u8,
    pub escape: u8,
    /// Written in quotes whatever the value.
    pub force_quote: Vec<bool>,
    /// The null string without quotes is the string itself.
    pub force_not_null: Vec<bool>,
    /// The null string in quotes is NULL, too.
    pub force_null: Vec<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    None,
    /// A line of column names, which is read over.
    Line,
    /// A line that must hold the names of the columns.
    Match,
}

/// What a client is asked to send.
#[derive(Debug, Clone)]
pub struct CopyIn {
    /// As messages call it.
    pub relation: String,
    pub format: CopyFormat,
    pub columns: SchemaRef,
}

/// What every binary COPY begins with.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// The data is not in the format that was agreed.
fn bad_format(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::BadCopyFormat, message)
}
