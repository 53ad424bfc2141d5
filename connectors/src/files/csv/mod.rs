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

mod dates;
mod numbers;
mod parser;
mod reader;
mod rewriting;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};
use voxhouse_engine::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};
use voxhouse_engine::{Error, Result};

use self::parser::Dialect;
pub(super) use self::reader::distinct;
use self::reader::{Header, Reader};
use self::rewriting::Rewriting;
use super::compression::plain_name;
use super::options;
use super::rows::in_member;
use super::texts::{TEXT_OPTIONS, TextFile, TextSettings};

/// - `delimiter`: one character, or `tab`; default comma, and tab for `.tsv`
/// - `header`: whether the first line names the columns; default true, else they are `column1`, `column2` …
/// - `quote`: one character, or `none`; default `"`
/// - `escape`: the character before a quote inside quotes; default the quote itself
/// - `null`: the unquoted text that means NULL; default empty
/// - `null_markers`: more such texts, with commas between them, whether the field is quoted or not
/// - `skip_rows`: lines before the header that are not read; default 0
/// - `skip_after_header`: rows behind the header that are not read; default 0
/// - `decimal`, `thousands`: the marks of the numbers in `numeric_columns`; default `.` and none
/// - `date_format`: how the dates in `date_columns` are written, `|` between several ways; see [`dates`]
///
/// And those of [`TEXT_OPTIONS`].
const OPTIONS: [&str; 13] = [
    "delimiter",
    "header",
    "quote",
    "escape",
    "null",
    "null_markers",
    "skip_rows",
    "skip_after_header",
    "decimal",
    "thousands",
    "numeric_columns",
    "date_format",
    "date_columns",
];

const ENDINGS: &[&str] = &[".csv", ".tsv", ".txt"];

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
        let file = TextFile::new(store, file, TextSettings::new(options, ENDINGS)?);
        let head = settings.clone();
        let read = move |mut texts: super::texts::Texts| {
            let (member, text) = texts.first()?;
            Header::read(text, &head).map_err(|error| in_member(error, member.as_deref()))
        };
        let header = file.with_texts(read).await?;
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
    null_markers: Vec<String>,
    skip_rows: u64,
    skip_after_header: u64,
    rewriting: Rewriting,
}

impl Settings {
    fn new(options: &FormatOptions, file_name: &str) -> Result<Self> {
        options::check_names("csv", options, &[OPTIONS.as_slice(), &TEXT_OPTIONS].concat())?;
        TextSettings::new(options, ENDINGS)?;
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
            null_markers: options::names(options, "null_markers"),
            skip_rows: options::count(options, "skip_rows")?.unwrap_or(0),
            skip_after_header: options::count(options, "skip_after_header")?.unwrap_or(0),
            rewriting: Rewriting::new(options)?,
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
        self.file.stream(move |text| Reader::new(text, settings.clone(), Arc::clone(&header)))
    }
}
