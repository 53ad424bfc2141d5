//! File formats on an object store.
//!
//! Parquet knows its own layout, so a file is cut into splits at its row groups and read by ranges. The text
//! formats are read from the first byte to the last by one thread: object → decompression → UTF-8 text →
//! rows, each stage holding no more than a buffer, so that memory stays flat however large the file is.

mod arrow_ipc;
mod avro;
mod calendar;
mod compression;
mod csv;
mod json;
mod limits;
mod object;
mod options;
mod parquet;
mod rows;
mod text;
mod texts;
mod xlsx;
mod zip;

pub use arrow_ipc::ArrowIpc;
pub use avro::Avro;
pub use csv::Csv;
pub use json::{Json, Ndjson};
pub use parquet::Parquet;
pub use xlsx::Xlsx;

/// The largest value of one text field. A file that exceeds it usually has a quote that is never closed.
const MAX_FIELD_BYTES: usize = 16 << 20;

/// The largest row of a text file.
const MAX_ROW_BYTES: usize = 64 << 20;
