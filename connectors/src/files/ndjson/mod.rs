//! Newline-delimited JSON: one object a line, its keys the columns.
//!
//! Every column is text, typed later by the SQL that reads it: a scalar as it is printed (`1`, `0.10`,
//! `true`, a string without its quotes), `null` and an absent key as NULL, an object or array as its JSON
//! text. Numbers keep their digits exactly.
//!
//! The columns are the keys of the first lines, in order of first appearance. A line with a key that is not
//! among them is a bad row, as is a line that is not one JSON object. Lines of blanks are no rows. If an
//! object has a key twice, the last value counts.
//!
//! Options: see [`OPTIONS`].

mod object;
mod reader;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use encoding_rs::Encoding;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};
use voxhouse_engine::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};
use voxhouse_engine::{Error, Result};

use self::reader::{Columns, Reader, Sample};
use super::compression::{Compression, plain_name};
use super::object::Object;
use super::options;
use super::rows::TextFile;

/// - `sample_rows`: how many lines are read for the keys; default 100,000 lines, but no more than 64 MiB
/// - `encoding`: default utf-8
const OPTIONS: [&str; 2] = ["sample_rows", "encoding"];

/// The format `ndjson`.
#[derive(Debug, Clone, Copy)]
pub struct Ndjson;

#[async_trait]
impl FileFormat for Ndjson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn claims(&self, file_name: &str) -> bool {
        let name = plain_name(file_name);
        name.ends_with(".ndjson") || name.ends_with(".jsonl")
    }

    fn check_options(&self, options: &FormatOptions) -> Result<()> {
        settings(options).map(drop)
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile> {
        let (sample, encoding) = settings(options)?;
        let compression = Compression::of(file.location.as_ref());
        let file = TextFile { object: Object::new(store, file), compression, encoding };
        let columns = Arc::new(file.with_text(move |text| Columns::read(text, sample)).await?);
        let schema = columns.schema();
        Ok(OpenFile { schema, splits: vec![Arc::new(NdjsonSplit { file, columns })], row_count: None })
    }
}

fn settings(options: &FormatOptions) -> Result<(Sample, &'static Encoding)> {
    options::check_names("ndjson", options, &OPTIONS)?;
    let sample = match options::count(options, "sample_rows")? {
        Some(0) => return Err(Error::invalid_argument("option \"sample_rows\" must be at least 1")),
        Some(rows) => Sample { rows, bytes: u64::MAX },
        None => Sample { rows: 100_000, bytes: 64 << 20 },
    };
    Ok((sample, options::encoding(options)?))
}

/// The whole file: row numbers need all lines before.
#[derive(Debug)]
struct NdjsonSplit {
    file: TextFile,
    columns: Arc<Columns>,
}

impl Split for NdjsonSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let columns = Arc::clone(&self.columns);
        self.file.stream(move |text| Ok(Reader::new(text, columns)))
    }
}
