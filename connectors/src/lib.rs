//! Readers of foreign files and systems: they turn what others write into record batches.
//!
//! [`formats`] is the one list of file formats; the engine is handed it when the process is put together.
//!
//! Architecture invariant: nothing here knows a table. A connector yields Arrow record batches that say
//! where each row came from, or an [`voxhouse_engine::Error`]; who commits them, and how often, is not its
//! business.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod corrupt;
pub mod files;
#[cfg(test)]
mod writers;

use std::sync::Arc;

use voxhouse_engine::source::Formats;

/// The file formats this build can read, in the order in which a file name is offered to them.
pub fn formats() -> Formats {
    Formats::new(vec![
        Arc::new(files::Parquet),
        Arc::new(files::Csv),
        Arc::new(files::Ndjson),
        Arc::new(files::Json),
        Arc::new(files::Xlsx),
        Arc::new(files::Avro),
        Arc::new(files::ArrowIpc),
    ])
}
