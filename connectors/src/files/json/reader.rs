//! From the rows of a JSON file to columns: their names first, then a record batch at a time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use voxhouse_engine::source::SourceBatch;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::documents::{Documents, Framing, too_large};
use super::extended;
use super::object::{Malformed, Members, string};
use crate::files::MAX_FIELD_BYTES;
use crate::files::rows::{RowBuffer, RowParser, in_member, shown, text_schema};
use crate::files::text::Text;
use crate::files::texts::Texts;

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
    /// Rows that were read for them.
    sampled: u64,
    /// What a row is called.
    row: &'static str,
}

impl Columns {
    pub(super) fn read(mut texts: Texts, framing: &Framing, sample: Sample) -> Result<Self> {
        let mut columns = Self { row: framing.row(), ..Self::default() };
        let mut bytes = 0;
        let mut first_reason = None;
        while let Some((member, text)) = texts.next()? {
            let mut documents = Documents::new(text, framing.clone());
            let mut count = 0;
            while columns.sampled < sample.rows && bytes < sample.bytes {
                let next = documents.next(count + 1).map_err(|error| in_member(error, member.as_deref()))?;
                let Some(place) = next else { break };
                columns.sampled += 1;
                count += 1;
                bytes += place.end as u64;
                if let Err(reason) = columns.add(&documents, place.clone()) {
                    first_reason.get_or_insert(reason);
                }
                documents.consume(place.end);
            }
        }
        columns.checked(first_reason, framing)
    }

    /// Refuses a file that has no columns.
    fn checked(self, first_reason: Option<String>, framing: &Framing) -> Result<Self> {
        let row = self.row;
        match first_reason {
            _ if self.sampled == 0 => Err(Error::new(ErrorKind::InvalidText, "file is empty")),
            Some(reason) if self.names.is_empty() => {
                let message = format!("file has no {row} that is a JSON object");
                let error = Error::new(ErrorKind::InvalidText, message)
                    .with_detail(format!("The first {row}: {reason}."));
                Err(match framing {
                    Framing::Lines => error
                        .with_hint("Newline-delimited JSON has one object a line; format json reads arrays."),
                    Framing::Documents { .. } => error,
                })
            }
            _ => Ok(self),
        }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        text_schema(self.names.iter().cloned())
    }

    /// Adds the keys of a row that is valid as a whole.
    fn add(&mut self, documents: &Documents, place: Range<usize>) -> Result<(), String> {
        let mut unseen: Vec<String> = Vec::new();
        for member in Members::new(documents.row(place)?) {
            let (key, _) = member.map_err(|malformed| reason(malformed, self.row))?;
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
            "key \"{key}\" does not occur in the first {} {}s; raise sample_rows to make it a column",
            self.sampled, self.row
        )
    }
}

fn reason(malformed: Malformed, row: &str) -> String {
    match malformed {
        Malformed::NotAnObject => format!("{row} is not a JSON object"),
        Malformed::At(byte) => format!("{row} is not valid JSON at byte {byte}"),
    }
}

/// Reads rows.
pub(super) struct Reader {
    documents: Documents,
    columns: Arc<Columns>,
    extended: bool,
    buffer: RowBuffer,
}

/// The values of a row, by column.
type Cells<'a> = Vec<Option<Cow<'a, str>>>;

impl Reader {
    pub(super) fn new(text: Text, columns: Arc<Columns>, framing: Framing, extended: bool) -> Self {
        let buffer = RowBuffer::new(columns.schema());
        Self { documents: Documents::new(text, framing), columns, extended, buffer }
    }

    fn add(&mut self, place: Range<usize>) -> Result<()> {
        let mut cells: Cells = vec![None; self.columns.names.len()];
        let row = self.documents.row(place.clone());
        if let Err(reason) = row.and_then(|row| parse(&self.columns, row, self.extended, &mut cells)) {
            self.buffer.bad_row(reason, shown(self.documents.bytes(place).trim_ascii_end()));
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

/// Fills `cells`; an error is the reason why the row is a bad row.
fn parse<'a>(columns: &Columns, row: &'a str, extended: bool, cells: &mut Cells<'a>) -> Result<(), String> {
    let mut likely = 0;
    for member in Members::new(row) {
        let (key, value) = member.map_err(|malformed| reason(malformed, columns.row))?;
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
            Some(b'{' | b'[') if extended => {
                extended::cell(value).map_err(|reason| format!("key \"{key}\": {reason}"))?
            }
            _ => Some(Cow::Borrowed(value)),
        };
    }
    Ok(())
}

impl RowParser for Reader {
    fn next_batch(&mut self) -> Result<Option<SourceBatch>> {
        while !self.buffer.is_full() {
            let Some(place) = self.documents.next(self.buffer.next_row())? else { break };
            let end = place.end;
            self.add(place)?;
            self.documents.consume(end);
        }
        self.buffer.take()
    }
}
