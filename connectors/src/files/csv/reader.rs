//! From the text of a CSV file to rows: its header, then a record batch at a time.

use std::collections::HashSet;
use std::str;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use serde_json::{Map, Value};
use voxhouse_engine::source::SourceBatch;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::Settings;
use super::parser::{Dialect, Field, Quoting, Scan, Scanner};
use super::rewriting::Rewrite;
use crate::files::rows::{RowBuffer, RowParser, shown, text_schema};
use crate::files::text::Text;
use crate::files::{MAX_FIELD_BYTES, MAX_ROW_BYTES};

/// Of a value that an error quotes.
const MAX_SHOWN_CHARACTERS: usize = 40;

/// The names of the columns, in order, and what is done to their values.
#[derive(Debug)]
pub(super) struct Header {
    names: Vec<String>,
    /// By column; none if all stay as they are.
    rewrites: Vec<Rewrite>,
}

impl Header {
    pub(super) fn read(text: Text, settings: &Settings) -> Result<Self> {
        let mut rows = Rows::new(text, settings)?;
        let found = rows.next()?;
        let names = match (found, settings.header) {
            (None, true) => return Err(Error::new(ErrorKind::InvalidText, "file is empty")),
            (None, false) => Vec::new(),
            (Some(row), _) if row.unclosed => {
                return Err(Error::new(ErrorKind::InvalidText, "header has a quote that is not closed"));
            }
            (Some(_), false) => rows.fields.iter().map(|_| String::new()).collect(),
            (Some(row), true) => rows.header(row)?,
        };
        let names = distinct(names);
        let rewrites = settings.rewriting.by_column(&names)?;
        Ok(Self { names, rewrites })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        text_schema(self.names.iter().cloned())
    }

    fn bad_value(&self, column: usize, problem: &str) -> String {
        let name = self.names.get(column).map(String::as_str).unwrap_or_default();
        format!("column \"{name}\": {problem}")
    }

    /// A row that is not one of the table, by the names of the columns as far as they go.
    fn show(&self, dialect: Dialect, row: &[u8], fields: &[Field]) -> Value {
        let mut shown_row = Map::new();
        let mut extra = Vec::new();
        let mut scratch = String::new();
        for (index, field) in fields.iter().enumerate() {
            let bytes = &row[field.start..field.end];
            let value = match field.quoting {
                Quoting::Escaped => {
                    dialect.unescape(&String::from_utf8_lossy(bytes), &mut scratch);
                    shown(scratch.as_bytes())
                }
                _ => shown(bytes),
            };
            match self.names.get(index) {
                Some(name) => drop(shown_row.insert(name.clone(), value)),
                None => extra.push(value),
            }
        }
        if !extra.is_empty() {
            let mut name = String::from("extra");
            while shown_row.contains_key(&name) {
                name.push('_');
            }
            shown_row.insert(name, Value::Array(extra));
        }
        Value::Object(shown_row)
    }
}

/// Names trimmed; an empty one becomes `columnN`, one that is taken gets `_2`, `_3` … but never a name that
/// another column has from the start.
pub(in crate::files) fn distinct(names: Vec<String>) -> Vec<String> {
    let blank = |letter: char| letter.is_whitespace() || letter == '\u{feff}';
    let trimmed: Vec<&str> = names.iter().map(|name| name.trim_matches(blank)).collect();
    let mut taken = HashSet::new();
    let mut distinct = Vec::with_capacity(names.len());
    for (index, name) in trimmed.iter().enumerate() {
        let name = if name.is_empty() { format!("column{}", index + 1) } else { (*name).to_owned() };
        let mut free = name.clone();
        let mut number = 2;
        while taken.contains(&free) || (free != name && trimmed.contains(&free.as_str())) {
            free = format!("{name}_{number}");
            number += 1;
        }
        taken.insert(free.clone());
        distinct.push(free);
    }
    distinct
}

/// A row of the text that is still unread.
#[derive(Debug, Clone, Copy)]
struct Row {
    end: usize,
    unclosed: bool,
}

/// The rows of the text, whatever they hold; the skipped lines are behind.
struct Rows {
    text: Text,
    scanner: Scanner,
    settings: Settings,
    fields: Vec<Field>,
}

impl Rows {
    fn new(text: Text, settings: &Settings) -> Result<Self> {
        let scanner = Scanner::new(settings.dialect);
        let mut rows = Self { text, scanner, settings: settings.clone(), fields: Vec::new() };
        for line in 0..settings.skip_rows {
            if rows.text.finished() && rows.text.unread().is_empty() {
                break;
            }
            rows.skip_line(line + 1)?;
        }
        Ok(rows)
    }

    fn skip_line(&mut self, line: u64) -> Result<()> {
        loop {
            let unread = self.text.unread();
            if let Some(end) = self.scanner.line(unread, self.text.finished()) {
                self.text.consume(end);
                return Ok(());
            }
            if unread.len() > MAX_ROW_BYTES {
                return Err(too_large(&format!("skipped line {line}"), MAX_ROW_BYTES));
            }
            self.text.fill()?;
        }
    }

    /// The first row that is not an empty line, for a file whose number of columns is not known yet.
    fn next(&mut self) -> Result<Option<Row>> {
        while let Some(row) = self.scan("header")? {
            if !self.is_blank() {
                return Ok(Some(row));
            }
            self.text.consume(row.end);
        }
        Ok(None)
    }

    /// Whether the row is an empty line.
    #[inline]
    fn is_blank(&self) -> bool {
        matches!(self.fields[..], [Field { start, end, quoting: Quoting::Bare }] if start == end)
    }

    /// The row that begins the unread text, in `self.fields`; `name` is what an error calls it.
    fn scan(&mut self, name: impl std::fmt::Display + Copy) -> Result<Option<Row>> {
        loop {
            let unread = self.text.unread();
            let last = self.text.finished();
            if unread.is_empty() && last {
                return Ok(None);
            }
            let (field_start, row) = match self.scanner.row(unread, last, &mut self.fields) {
                Scan::Row { end } => (end, Some(Row { end, unclosed: false })),
                Scan::Incomplete { field_start } => (field_start, None),
                Scan::Unclosed { field_start } => {
                    (field_start, Some(Row { end: unread.len(), unclosed: true }))
                }
            };
            let end = row.map_or(unread.len(), |row| row.end);
            if end > MAX_FIELD_BYTES {
                self.check_size(name, field_start..end)?;
            }
            match row {
                Some(row) if row.unclosed => {
                    self.fields.push(Field { start: field_start, end, quoting: Quoting::Bare });
                    return Ok(Some(row));
                }
                Some(row) => return Ok(Some(row)),
                None => self.text.fill()?,
            }
        }
    }

    #[cold]
    fn check_size(&self, name: impl std::fmt::Display, open: std::ops::Range<usize>) -> Result<()> {
        let longest = self.fields.iter().map(|field| field.end - field.start).max().unwrap_or(0);
        if longest.max(open.len()) > MAX_FIELD_BYTES {
            return Err(too_large(&format!("{name}: a field"), MAX_FIELD_BYTES).with_hint(
                "A quote may be missing: the options quote and escape say how fields are quoted.",
            ));
        }
        if open.end > MAX_ROW_BYTES {
            return Err(too_large(&name.to_string(), MAX_ROW_BYTES));
        }
        Ok(())
    }

    fn header(&self, row: Row) -> Result<Vec<String>> {
        let bytes = &self.text.unread()[..row.end];
        let line = str::from_utf8(bytes).map_err(|error| {
            Error::new(
                ErrorKind::InvalidText,
                format!("header: {}", self.text.invalid_bytes(0, bytes, error)),
            )
            .with_hint("The option encoding names the encoding of the file, for example gb18030.")
        })?;
        let mut scratch = String::new();
        Ok(self.fields.iter().map(|field| self.value(line, field, &mut scratch).to_owned()).collect())
    }

    #[inline]
    fn value<'a>(&self, row: &'a str, field: &Field, scratch: &'a mut String) -> &'a str {
        let text = &row[field.start..field.end];
        if field.quoting != Quoting::Escaped {
            return text;
        }
        self.settings.dialect.unescape(text, scratch);
        scratch
    }
}

/// The column of a value, and what is wrong with it.
type BadValue = (usize, String);

impl Rows {
    /// Appends a row of the right shape; nothing of it if one of its values is not of its stated form.
    #[inline]
    fn append(
        &self,
        line: &str,
        rewrites: &[Rewrite],
        buffer: &mut RowBuffer,
        scratch: &mut String,
    ) -> Result<(), BadValue> {
        if !rewrites.is_empty() {
            for (column, cell) in self.rewritten(line, rewrites, scratch)?.iter().enumerate() {
                buffer.append(column, cell.as_deref());
            }
        } else {
            for (column, field) in self.fields.iter().enumerate() {
                let value = self.value(line, field, scratch);
                buffer.append(column, (!self.is_null(field, value)).then_some(value));
            }
        }
        buffer.end_row();
        Ok(())
    }

    fn rewritten(
        &self,
        line: &str,
        rewrites: &[Rewrite],
        scratch: &mut String,
    ) -> Result<Vec<Option<String>>, BadValue> {
        let mut cells = Vec::with_capacity(rewrites.len());
        for (column, (field, rewrite)) in self.fields.iter().zip(rewrites).enumerate() {
            let value = self.value(line, field, scratch);
            // Writers that quote everything leave "" where there is no number.
            let blank = *rewrite != Rewrite::Nothing && value.trim().is_empty();
            if blank || self.is_null(field, value) {
                cells.push(None);
                continue;
            }
            let cell = self.settings.rewriting.apply(*rewrite, value);
            let cell = cell.map_err(|problem| {
                let shown: String = value.chars().take(MAX_SHOWN_CHARACTERS).collect();
                (column, format!("\"{shown}\" {problem}"))
            })?;
            cells.push(Some(cell.into_owned()));
        }
        Ok(cells)
    }

    #[inline]
    fn is_null(&self, field: &Field, value: &str) -> bool {
        let settings = &self.settings;
        (field.quoting == Quoting::Bare && value == settings.null)
            || settings.null_markers.iter().any(|marker| marker == value)
    }
}

fn too_large(what: &str, limit: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("{what} is larger than {} MiB", limit >> 20))
}

/// What an error calls a row of data.
#[derive(Clone, Copy)]
struct RowName(u64);

impl std::fmt::Display for RowName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {}", self.0)
    }
}

/// Reads the rows behind the header.
pub(super) struct Reader {
    rows: Rows,
    header: Arc<Header>,
    buffer: RowBuffer,
    scratch: String,
}

impl Reader {
    /// Behind the header, which must name the columns that the first text of the file had.
    pub(super) fn new(text: Text, settings: Settings, header: Arc<Header>) -> Result<Self> {
        let mut rows = Rows::new(text, &settings)?;
        if settings.header
            && let Some(row) = rows.next()?
        {
            let names = distinct(rows.header(row)?);
            if names != header.names {
                return Err(Error::new(ErrorKind::InvalidText, "header differs from the first member's")
                    .with_detail(format!("It has the columns {}.", names.join(", ")))
                    .with_hint("The option member names the members that belong together."));
            }
            rows.text.consume(row.end);
        }
        for _ in 0..settings.skip_after_header {
            let Some(row) = rows.next()? else { break };
            rows.text.consume(row.end);
        }
        let buffer = RowBuffer::new(header.schema());
        Ok(Self { rows, header, buffer, scratch: String::new() })
    }

    fn add(&mut self, row: Row) {
        let columns = self.header.names.len();
        let Self { rows, header, buffer, scratch } = self;
        let bytes = &rows.text.unread()[..row.end];
        let reason = match str::from_utf8(bytes) {
            Ok(line) if rows.fields.len() == columns && !row.unclosed => {
                match rows.append(line, &header.rewrites, buffer, scratch) {
                    Ok(()) => return,
                    Err((column, problem)) => header.bad_value(column, &problem),
                }
            }
            Err(error) => rows.text.invalid_bytes(0, bytes, error),
            Ok(_) if row.unclosed => self.unclosed(),
            Ok(_) => self.ragged(),
        };
        let rows = &self.rows;
        let bytes = &rows.text.unread()[..row.end];
        let raw = self.header.show(rows.settings.dialect, bytes, &rows.fields);
        self.buffer.bad_row(reason, raw);
    }

    fn ragged(&self) -> String {
        let first = if self.rows.settings.header { "the header" } else { "the first row" };
        let (found, wanted) = (self.rows.fields.len(), self.header.names.len());
        let plural = if found == 1 { "" } else { "s" };
        format!("row has {found} field{plural}, {first} has {wanted}")
    }

    fn unclosed(&self) -> String {
        match self.header.names.get(self.rows.fields.len().saturating_sub(1)) {
            Some(name) => format!("quoted field of column \"{name}\" is not closed at the end of the file"),
            None => "quoted field is not closed at the end of the file".into(),
        }
    }
}

impl RowParser for Reader {
    fn next_batch(&mut self) -> Result<Option<SourceBatch>> {
        while !self.buffer.is_full() {
            let Some(row) = self.rows.scan(RowName(self.buffer.next_row()))? else { break };
            if !(self.rows.is_blank() && self.header.names.len() != 1) {
                self.add(row);
            }
            self.rows.text.consume(row.end);
        }
        self.buffer.take()
    }
}
