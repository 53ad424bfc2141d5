//! CSV files: every column is text, typed later by the SQL that reads it, so that leading zeros survive.
//!
//! - An empty field without quotes is NULL, an empty field in quotes is the empty string (PostgreSQL's rule);
//!   the option `null` puts another marker in the place of the empty field.
//! - A quote is special at the start of a field only; what follows a closing quote is taken as it stands.
//! - Lines end in `\n` or `\r\n`; if the first line of a file ends in a lone `\r`, all do.
//! - An empty line is no row, unless the file has one column: then it is a row of NULL.
//! - A row with another number of fields than the header, with bytes that are not text, or with a quote left
//!   open at the end of the file is a bad row; the rest of the file is read.
//!
//! Options: see [`OPTIONS`].

mod parser;
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

use self::parser::Dialect;
use self::reader::{Header, Reader};
use super::compression::{Compression, plain_name};
use super::object::Object;
use super::options;
use super::rows::TextFile;

/// - `delimiter`: one character, or `tab`; default comma, and tab for `.tsv`
/// - `header`: whether the first line names the columns; default true, else they are `column1`, `column2` …
/// - `quote`: one character, or `none`; default `"`
/// - `escape`: the character before a quote inside quotes; default the quote itself
/// - `null`: the unquoted text that means NULL; default empty
/// - `encoding`: default utf-8
/// - `skip_rows`: lines before the header that are not read; default 0
const OPTIONS: [&str; 7] = ["delimiter", "header", "quote", "escape", "null", "encoding", "skip_rows"];

/// The format `csv`.
#[derive(Debug, Clone, Copy)]
pub struct Csv;

#[async_trait]
impl FileFormat for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn claims(&self, file_name: &str) -> bool {
        let name = plain_name(file_name);
        name.ends_with(".csv") || name.ends_with(".tsv")
    }

    fn check_options(&self, options: &FormatOptions) -> Result<()> {
        Settings::new(options, "").map(drop)
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile> {
        let name = file.location.as_ref();
        let settings = Settings::new(options, name)?;
        let file = TextFile {
            object: Object::new(store, file),
            compression: Compression::of(name),
            encoding: settings.encoding,
        };
        let head = settings.clone();
        let header = file.with_text(move |text| Header::read(text, &head)).await?;
        let schema = header.schema();
        let split = CsvSplit { file, settings, header: Arc::new(header) };
        Ok(OpenFile { schema, splits: vec![Arc::new(split)], row_count: None })
    }
}

/// The options as values.
#[derive(Debug, Clone)]
struct Settings {
    dialect: Dialect,
    header: bool,
    null: String,
    skip_rows: u64,
    encoding: &'static Encoding,
}

impl Settings {
    fn new(options: &FormatOptions, file_name: &str) -> Result<Self> {
        options::check_names("csv", options, &OPTIONS)?;
        let usual = if plain_name(file_name).ends_with(".tsv") { b'\t' } else { b',' };
        let delimiter = options::character(options, "delimiter")?.unwrap_or(usual);
        let quote = match options.get("quote").map(String::as_str) {
            Some("none" | "") => None,
            _ => Some(options::character(options, "quote")?.unwrap_or(b'"')),
        };
        let escape = options::character(options, "escape")?;
        if quote.is_none() && escape.is_some() {
            return Err(Error::invalid_argument("option \"escape\" needs a quote"));
        }
        if quote == Some(delimiter) || escape == Some(delimiter) {
            return Err(Error::invalid_argument("delimiter must differ from quote and escape"));
        }
        let escape = escape.or(quote).unwrap_or(b'"');
        Ok(Self {
            dialect: Dialect { delimiter, quote, escape },
            header: options::flag(options, "header", true)?,
            null: options.get("null").cloned().unwrap_or_default(),
            skip_rows: options::count(options, "skip_rows")?.unwrap_or(0),
            encoding: options::encoding(options)?,
        })
    }
}

/// The whole file: where a row begins is known only to who has read all before it.
#[derive(Debug)]
struct CsvSplit {
    file: TextFile,
    settings: Settings,
    header: Arc<Header>,
}

impl Split for CsvSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let (settings, header) = (self.settings.clone(), Arc::clone(&self.header));
        self.file.stream(move |text| Reader::new(text, settings, header))
    }
}
