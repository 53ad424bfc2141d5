//! Excel workbooks, `.xlsx`: one sheet of a file, its first row the header.
//!
//! Every column is text, typed later by the SQL that reads it: text as it stands, with its leading zeros;
//! whole numbers whole, others to Excel's 15 digits; what the number format calls a date as `2024-01-05` or
//! `2024-01-05 13:05:09`; `true` and `false`. An empty cell is NULL. A row without a value is no row. Formulas
//! count by the value that was stored with them; an error such as `#N/A` makes its row a bad row, unless it
//! is one of `null_markers`.
//!
//! The sheet is read as a stream; the workbook's strings are held in memory, up to a limit.
//!
//! Options: see [`OPTIONS`].

mod package;
mod reader;
mod sheet;
mod strings;
mod styles;
#[cfg(test)]
pub(crate) mod tests;
mod values;
mod workbook;
mod xml;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};
use voxhouse_engine::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};
use voxhouse_engine::{Error, ErrorKind, Result};

use self::package::Package;
use self::reader::{Rows, read_batches};
use self::workbook::Workbook;
use super::limits::Limits;
use super::object::Object;
use super::options;
use super::rows::{stopped, stream_from_thread, text_schema};

/// - `sheet`: its name, or its number from 1; default the first that is not hidden
/// - `header`: whether the first row names the columns; default true, else they are `column1`, `column2` …
/// - `skip_rows`: rows before the header that are not read, empty ones left out; default 0
/// - `skip_after_header`: rows behind the header that are not read; default 0
/// - `null_markers`: texts that mean NULL, with commas between them
/// - `max_ratio`, `max_bytes`: see [`Limits`]
const OPTIONS: [&str; 7] =
    ["sheet", "header", "skip_rows", "skip_after_header", "null_markers", "max_ratio", "max_bytes"];

/// The format `xlsx`.
#[derive(Debug, Clone, Copy)]
pub struct Xlsx;

#[async_trait]
impl FileFormat for Xlsx {
    fn name(&self) -> &'static str {
        "xlsx"
    }

    fn claims(&self, file_name: &str) -> bool {
        let name = file_name.to_ascii_lowercase();
        name.ends_with(".xlsx") || name.ends_with(".xlsm")
    }

    fn check_options(&self, options: &FormatOptions) -> Result<()> {
        Settings::new(options).map(drop)
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile> {
        let settings = Settings::new(options)?;
        let object = Object::new(store, file);
        let package = Package::open(object.clone(), settings.limits).await?;
        let wanted = settings.clone();
        let read = tokio::task::spawn_blocking(move || {
            let workbook = Workbook::read(&package, wanted.sheet.as_deref())?;
            let names = Rows::open(&package, &workbook, &wanted)?.names()?;
            Ok::<_, Error>((workbook, names))
        });
        let (workbook, names) = read.await.unwrap_or_else(|_| Err(stopped()))?;
        let schema = text_schema(names);
        let split = XlsxSplit { object, settings, workbook: Arc::new(workbook), schema: Arc::clone(&schema) };
        Ok(OpenFile { schema, splits: vec![Arc::new(split)], row_count: None })
    }
}

/// The options as values.
#[derive(Debug, Clone)]
struct Settings {
    sheet: Option<String>,
    header: bool,
    skip_rows: u64,
    skip_after_header: u64,
    null_markers: Vec<String>,
    limits: Limits,
}

impl Settings {
    fn new(options: &FormatOptions) -> Result<Self> {
        options::check_names("xlsx", options, &OPTIONS)?;
        Ok(Self {
            sheet: options.get("sheet").cloned(),
            header: options::flag(options, "header", true)?,
            skip_rows: options::count(options, "skip_rows")?.unwrap_or(0),
            skip_after_header: options::count(options, "skip_after_header")?.unwrap_or(0),
            null_markers: options::names(options, "null_markers"),
            limits: Limits::new(options)?,
        })
    }
}

/// The whole sheet: row numbers need all rows before.
struct XlsxSplit {
    object: Object,
    settings: Settings,
    workbook: Arc<Workbook>,
    schema: SchemaRef,
}

impl std::fmt::Debug for XlsxSplit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("XlsxSplit").field("object", &self.object).finish_non_exhaustive()
    }
}

impl Split for XlsxSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let (object, settings) = (self.object.clone(), self.settings.clone());
        let (workbook, schema) = (Arc::clone(&self.workbook), Arc::clone(&self.schema));
        stream_from_thread(async move {
            let package = Package::open(object, settings.limits).await?;
            Ok(move |batches: &_| {
                let rows = Rows::open(&package, &workbook, &settings)?;
                read_batches(rows, &settings, schema, batches)
            })
        })
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("invalid xlsx file: {what}"))
}
