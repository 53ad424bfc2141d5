//! JSON in two shapes: `ndjson`, one object a line, and `json`, an array of objects or objects one after the
//! other, on as many lines as they like.
//!
//! The keys are the columns, and every column is text, typed later by the SQL that reads it: a scalar as it is
//! printed (`1`, `0.10`, `true`, a string without its quotes), `null` and an absent key as NULL, an object or
//! array as its JSON text. Numbers keep their digits exactly.
//!
//! The columns are the keys of the first objects, in order of first appearance. An object with a key that is
//! not among them is a bad row, as is what is not a JSON object. Lines of blanks are no rows. If an object has
//! a key twice, the last value counts.
//!
//! Options: see [`OPTIONS`] and [`JSON_OPTIONS`].

mod documents;
mod extended;
mod object;
mod reader;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};
use voxhouse_engine::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};
use voxhouse_engine::{Error, Result};

use self::documents::Framing;
use self::reader::{Columns, Reader, Sample};
use super::compression::plain_name;
use super::options;
use super::texts::{TEXT_OPTIONS, TextFile, TextSettings};

/// - `sample_rows`: how many objects are read for the keys; default 100,000, but no more than 64 MiB
/// - `extended`: whether `{"$oid": …}`, `{"$date": …}` and their kin are values of MongoDB; default false
///
/// And those of [`TEXT_OPTIONS`].
const OPTIONS: [&str; 2] = ["sample_rows", "extended"];

/// - `path`: the keys, with points between them, that lead to the array of rows; default the file itself
const JSON_OPTIONS: [&str; 1] = ["path"];

/// The format `ndjson`.
#[derive(Debug, Clone, Copy)]
pub struct Ndjson;

/// The format `json`.
#[derive(Debug, Clone, Copy)]
pub struct Json;

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
        Settings::of_lines(options).map(drop)
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile> {
        open(store, file, Settings::of_lines(options)?).await
    }
}

#[async_trait]
impl FileFormat for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn claims(&self, file_name: &str) -> bool {
        plain_name(file_name).ends_with(".json")
    }

    fn check_options(&self, options: &FormatOptions) -> Result<()> {
        Settings::of_documents(options).map(drop)
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile> {
        open(store, file, Settings::of_documents(options)?).await
    }
}

async fn open(store: Arc<dyn ObjectStore>, file: &ObjectMeta, settings: Settings) -> Result<OpenFile> {
    let file = TextFile::new(store, file, settings.text.clone());
    let sampled = settings.clone();
    let read = file.with_texts(move |texts| Columns::read(texts, &sampled.framing, sampled.sample)).await?;
    let columns = Arc::new(read);
    let schema = columns.schema();
    Ok(OpenFile { schema, splits: vec![Arc::new(JsonSplit { file, columns, settings })], row_count: None })
}

/// The options as values.
#[derive(Debug, Clone)]
struct Settings {
    framing: Framing,
    sample: Sample,
    extended: bool,
    text: TextSettings,
}

impl Settings {
    fn of_lines(options: &FormatOptions) -> Result<Self> {
        options::check_names("ndjson", options, &[OPTIONS.as_slice(), &TEXT_OPTIONS].concat())?;
        Self::new(options, Framing::Lines, &[".ndjson", ".jsonl", ".json"])
    }

    fn of_documents(options: &FormatOptions) -> Result<Self> {
        let known = [OPTIONS.as_slice(), &JSON_OPTIONS, &TEXT_OPTIONS].concat();
        options::check_names("json", options, &known)?;
        let path = options.get("path").map(|path| path.split('.').map(str::to_owned).collect());
        Self::new(options, Framing::Documents { path: path.unwrap_or_default() }, &[".json"])
    }

    fn new(options: &FormatOptions, framing: Framing, endings: &'static [&'static str]) -> Result<Self> {
        let sample = match options::count(options, "sample_rows")? {
            Some(0) => return Err(Error::invalid_argument("option \"sample_rows\" must be at least 1")),
            Some(rows) => Sample { rows, bytes: u64::MAX },
            None => Sample { rows: 100_000, bytes: 64 << 20 },
        };
        let extended = options::flag(options, "extended", false)?;
        Ok(Self { framing, sample, extended, text: TextSettings::new(options, endings)? })
    }
}

/// The whole file: row numbers need all rows before.
#[derive(Debug)]
struct JsonSplit {
    file: TextFile,
    columns: Arc<Columns>,
    settings: Settings,
}

impl Split for JsonSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let (columns, settings) = (Arc::clone(&self.columns), self.settings.clone());
        self.file.stream(move |text| {
            Ok(Reader::new(text, Arc::clone(&columns), settings.framing.clone(), settings.extended))
        })
    }
}
