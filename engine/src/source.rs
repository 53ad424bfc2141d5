//! What the engine asks of a connector: record batches of a file, with where each row came from.
//!
//! The engine knows no file format; a connector knows no table. Formats are registered in a [`Formats`] list
//! when the process is put together.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};

use crate::error::{Error, ErrorKind, Result};

/// Options of a pipe or a load, as the user wrote them: `delimiter`, `header`, `encoding` …
pub type FormatOptions = BTreeMap<String, String>;

/// A row that the format itself could not read: a ragged CSV line, a line that is not JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct BadRow {
    /// 1-based data row of the file; a header line is not a row.
    pub row_number: u64,
    pub reason: String,
    /// The row as far as it can be shown, as JSON.
    pub raw: serde_json::Value,
}

/// Some rows of a file, in order.
#[derive(Debug, Clone)]
pub struct SourceBatch {
    pub batch: RecordBatch,
    /// 1-based row number in the file of each row of `batch`; as long as the batch.
    pub row_numbers: Vec<u64>,
    pub bad_rows: Vec<BadRow>,
}

/// A part of a file that can be read on its own, so that two cores can share one file.
pub trait Split: Send + Sync + Debug {
    /// Reads the split from its start. A failure of the file ends the stream with one error of kind
    /// [`ErrorKind::DataCorrupted`] or [`ErrorKind::StorageIo`].
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>>;
}

/// A file whose schema is known.
#[derive(Debug)]
pub struct OpenFile {
    pub schema: SchemaRef,
    /// In file order; at least one.
    pub splits: Vec<Arc<dyn Split>>,
    /// Rows, when the file's own metadata tells them.
    pub row_count: Option<u64>,
}

/// One file format. Compression (`.gz`, `.zst`) is the format's business too, told by the file name.
#[async_trait]
pub trait FileFormat: Send + Sync + Debug {
    /// The name after `FORMAT`: `parquet`, `csv`, `ndjson`.
    fn name(&self) -> &'static str;

    /// Whether a file of this name is of this format: `a.csv`, `a.csv.gz`.
    fn claims(&self, file_name: &str) -> bool;

    /// Refuses an unknown or contradictory option with [`ErrorKind::InvalidArgument`] and a hint that
    /// lists the options there are.
    fn check_options(&self, options: &FormatOptions) -> Result<()>;

    /// Opens a file: reads as much as its schema needs.
    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile>;
}

/// The formats this process can read.
#[derive(Debug, Clone, Default)]
pub struct Formats {
    formats: Vec<Arc<dyn FileFormat>>,
}

impl Formats {
    pub fn new(formats: Vec<Arc<dyn FileFormat>>) -> Self {
        Self { formats }
    }

    pub fn by_name(&self, name: &str) -> Result<Arc<dyn FileFormat>> {
        self.formats.iter().find(|format| format.name() == name).cloned().ok_or_else(|| {
            Error::new(ErrorKind::UndefinedObject, format!("file format \"{name}\" does not exist"))
                .with_hint(format!("The formats are {}.", self.names().join(", ")))
        })
    }

    pub fn by_file_name(&self, file_name: &str) -> Result<Arc<dyn FileFormat>> {
        self.formats.iter().find(|format| format.claims(file_name)).cloned().ok_or_else(|| {
            Error::not_supported(format!("file \"{file_name}\" has no ending that tells its format"))
                .with_hint(format!("Name the format; the formats are {}.", self.names().join(", ")))
        })
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.formats.iter().map(|format| format.name()).collect()
    }
}
