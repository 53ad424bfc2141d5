//! From the lines of a file to rows: the columns first, then a record batch at a time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::str;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use voxhouse_engine::source::SourceBatch;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::object::{Malformed, Members, string};
use crate::files::rows::{RowBuffer, RowParser, shown, text_schema};
use crate::files::text::Text;
use crate::files::{MAX_FIELD_BYTES, MAX_ROW_BYTES};

/// How much of a file is read for its keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// The keys that are columns.
#[derive(Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
    /// Lines that were read for them.
    sampled: u64,
}

impl Columns {
    pub(super) fn read(text: Text, sample: Sample) -> Result<Self> {
        let mut columns = Self::default();
        let mut lines = Lines { text };
        let mut bytes = 0;
        let mut first_reason = None;
        while columns.sampled < sample.rows && bytes < sample.bytes {
            let Some(end) = lines.next(columns.sampled + 1)? else { break };
            columns.sampled += 1;
            bytes += end as u64;
            if let Err(reason) = columns.add(&lines, end) {
                first_reason.get_or_insert(reason);
            }
            lines.text.consume(end);
        }
        match first_reason {
            _ if columns.sampled == 0 => Err(Error::new(ErrorKind::InvalidText, "file is empty")),
            Some(reason) if columns.names.is_empty() => {
                Err(Error::new(ErrorKind::InvalidText, "file has no line that is a JSON object")
                    .with_detail(format!("The first line: {reason}."))
                    .with_hint("Newline-delimited JSON has one object a line, without an array around them."))
            }
            _ => Ok(columns),
        }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        text_schema(self.names.iter().cloned())
    }

    /// Adds the keys of a line that is valid as a whole.
    fn add(&mut self, lines: &Lines, end: usize) -> Result<(), String> {
        let mut unseen: Vec<String> = Vec::new();
        for member in Members::new(lines.line(end)?) {
            let (key, _) = member.map_err(reason)?;
            if !self.places.contains_key(key.as_ref()) && !unseen.iter().any(|name| *name == key) {
                unseen.push(key.into_owned());
            }
        }
        for name in unseen {
            self.places.insert(name.clone(), self.names.len());
            self.names.push(name);
        }
        Ok(())
    }

    /// The place of a key. Objects of a file are alike: the key after the last one is tried first.
    #[inline]
    fn place(&self, key: &str, likely: usize) -> Option<usize> {
        match self.names.get(likely) {
            Some(name) if name == key => Some(likely),
            _ => self.places.get(key).copied(),
        }
    }

    fn unknown_key(&self, key: &str) -> String {
        format!(
            "key \"{key}\" does not occur in the first {} lines; raise sample_rows to make it a column",
            self.sampled
        )
    }
}

/// Lines that are not blank.
struct Lines {
    text: Text,
}

impl Lines {
    /// The end of the line that begins the unread text.
    fn next(&mut self, row: u64) -> Result<Option<usize>> {
        loop {
            let unread = self.text.unread();
            let end = match unread.iter().position(|byte| *byte == b'\n') {
                Some(at) => at + 1,
                None if self.text.finished() && unread.is_empty() => return Ok(None),
                None if self.text.finished() => unread.len(),
                None if unread.len() <= MAX_ROW_BYTES => {
                    self.text.fill()?;
                    continue;
                }
                None => unread.len(),
            };
            if end > MAX_ROW_BYTES {
                return Err(too_large(&format!("row {row}"), MAX_ROW_BYTES));
            }
            if !unread[..end].iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(end));
            }
            self.text.consume(end);
        }
    }

    fn line(&self, end: usize) -> Result<&str, String> {
        let bytes = &self.text.unread()[..end];
        str::from_utf8(bytes).map_err(|error| self.text.invalid_bytes(0, bytes, error))
    }
}

fn too_large(what: &str, limit: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("{what} is larger than {} MiB", limit >> 20))
}

fn reason(malformed: Malformed) -> String {
    match malformed {
        Malformed::NotAnObject => "line is not a JSON object".into(),
        Malformed::At(byte) => format!("line is not valid JSON at byte {byte}"),
    }
}

/// Reads rows.
pub(super) struct Reader {
    lines: Lines,
    columns: Arc<Columns>,
    buffer: RowBuffer,
}

/// The values of a line, by column.
type Cells<'a> = Vec<Option<Cow<'a, str>>>;

impl Reader {
    pub(super) fn new(text: Text, columns: Arc<Columns>) -> Self {
        let buffer = RowBuffer::new(columns.schema());
        Self { lines: Lines { text }, columns, buffer }
    }

    fn add(&mut self, end: usize) -> Result<()> {
        let mut cells: Cells = vec![None; self.columns.names.len()];
        let parsed = self.lines.line(end).and_then(|line| parse(&self.columns, line, &mut cells));
        if let Err(reason) = parsed {
            let line = self.lines.text.unread()[..end].trim_ascii_end();
            self.buffer.bad_row(reason, shown(line));
            return Ok(());
        }
        for (column, cell) in cells.iter().enumerate() {
            if cell.as_ref().is_some_and(|cell| cell.len() > MAX_FIELD_BYTES) {
                let name = &self.columns.names[column];
                let what = format!("row {}: value of key \"{name}\"", self.buffer.next_row());
                return Err(too_large(&what, MAX_FIELD_BYTES));
            }
            self.buffer.append(column, cell.as_deref());
        }
        self.buffer.end_row();
        Ok(())
    }
}

/// Fills `cells`; an error is the reason why the line is a bad row.
fn parse<'a>(columns: &Columns, line: &'a str, cells: &mut Cells<'a>) -> Result<(), String> {
    let mut likely = 0;
    for member in Members::new(line) {
        let (key, value) = member.map_err(reason)?;
        let place = columns.place(&key, likely).ok_or_else(|| columns.unknown_key(&key))?;
        likely = place + 1;
        cells[place] = match value.as_bytes().first() {
            Some(b'"') => {
                let text = string(value);
                Some(
                    text.ok_or_else(|| format!("value of key \"{key}\" has an escape that is no character"))?,
                )
            }
            Some(b'n') => None,
            _ => Some(Cow::Borrowed(value)),
        };
    }
    Ok(())
}

impl RowParser for Reader {
    fn next_batch(&mut self) -> Result<Option<SourceBatch>> {
        while !self.buffer.is_full() {
            let Some(end) = self.lines.next(self.buffer.next_row())? else { break };
            self.add(end)?;
            self.lines.text.consume(end);
        }
        self.buffer.take()
    }
}
