//! The bytes of a COPY FROM to record batches, whatever way they are cut.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::binary::{BadTuple, TuplePlace, Tuples};
use super::charset::Decoder;
use super::columns::{Column, column};
use super::fields::Fields;
use super::lines::{Lines, Quoting};
use super::recent::Recent;
use super::{CopyFormat, CopyIn, Header, TextFormat, bad_format};
use crate::wire::backend::LINE_COLUMN;
use crate::wire::frontend::utf8;
use crate::wire::style::TextStyle;

const BATCH_ROWS: usize = 8_192;

/// Wide rows make smaller batches.
const BATCH_BYTES: usize = 4 << 20;

/// How much of a line or a value an error shows.
const SHOWN_BYTES: usize = 100;

pub(super) struct Reader {
    relation: String,
    names: Vec<String>,
    schema: SchemaRef,
    columns: Vec<Box<dyn Column>>,
    numbers: Vec<u64>,
    bytes: usize,
    data: Data,
}

enum Data {
    Text(Box<TextData>),
    Binary(Tuples),
}

struct TextData {
    format: TextFormat,
    decoder: Option<Decoder>,
    lines: Lines,
    fields: Fields,
    header: Header,
    recent: Recent,
    /// What cannot be decoded comes behind the lines that could.
    undecodable: Option<Error>,
}

/// The columns of a COPY and the number of each row's line behind them.
pub(super) fn numbered(columns: &Schema) -> SchemaRef {
    let number = Arc::new(Field::new(LINE_COLUMN, DataType::UInt64, false));
    Arc::new(Schema::new(columns.fields().iter().cloned().chain([number]).collect::<Vec<_>>()))
}

impl Reader {
    pub(super) fn new(copy: &CopyIn, style: TextStyle, max_row_bytes: usize) -> Result<Self> {
        let fields = copy.columns.fields();
        let data = match &copy.format {
            CopyFormat::Binary => Data::Binary(Tuples::new(fields.len(), max_row_bytes)),
            CopyFormat::Text(format) => {
                let quoting = format.csv.as_ref().map(|csv| Quoting { quote: csv.quote, escape: csv.escape });
                Data::Text(Box::new(TextData {
                    decoder: format.charset.decoder(),
                    lines: Lines::new(quoting, max_row_bytes),
                    fields: Fields::default(),
                    header: format.header,
                    recent: Recent::default(),
                    undecodable: None,
                    format: format.clone(),
                }))
            }
        };
        Ok(Self {
            relation: copy.relation.clone(),
            names: fields.iter().map(|field| field.name().clone()).collect(),
            schema: numbered(&copy.columns),
            columns: fields.iter().map(|field| column(field, style)).collect::<Result<_>>()?,
            numbers: Vec::with_capacity(BATCH_ROWS),
            bytes: 0,
            data,
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        match &mut self.data {
            Data::Binary(tuples) => tuples.push(bytes),
            Data::Text(text) => text.push(bytes, false),
        }
    }

    /// No more bytes will come.
    pub(super) fn complete(&mut self) {
        match &mut self.data {
            Data::Binary(tuples) => tuples.complete(),
            Data::Text(text) => text.complete(),
        }
    }

    /// A full batch. `None`: more bytes are needed for one.
    pub(super) fn full_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.next_row()? {
            if self.numbers.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
                return self.take_batch().map(Some);
            }
        }
        Ok(None)
    }

    /// The rows that no full batch was made of.
    pub(super) fn take_batch(&mut self) -> Result<RecordBatch> {
        self.bytes = 0;
        if let Data::Text(text) = &mut self.data {
            text.recent.end_batch();
        }
        let numbers: ArrayRef = Arc::new(UInt64Array::from(std::mem::take(&mut self.numbers)));
        let mut columns =
            self.columns.iter_mut().map(|column| column.finish()).collect::<Result<Vec<_>>>()?;
        columns.push(numbers);
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }

    fn next_row(&mut self) -> Result<bool> {
        let Self { relation, names, columns, numbers, bytes, data, .. } = self;
        let place = Place { relation, names };
        let read = match data {
            Data::Text(text) => text.next_row(columns, &place)?,
            Data::Binary(tuples) => next_tuple(tuples, columns, &place)?,
        };
        let Some((number, length)) = read else { return Ok(false) };
        numbers.push(number);
        *bytes += length;
        Ok(true)
    }

    /// Says in which line the row stands that the session has refused.
    pub(super) fn blame(&self, error: Error) -> Error {
        let (Some(number), None) = (error.row(), error.context()) else { return error };
        let place = Place { relation: &self.relation, names: &self.names };
        let line = match &self.data {
            // PostgreSQL finds duplicates when it has let go of the lines.
            Data::Text(text) if error.kind() != ErrorKind::UniqueViolation => text.recent.get(number),
            _ => None,
        };
        match line {
            Some(line) => place.whole_line(error, number, line),
            None => place.line(error, number),
        }
    }

    /// The error happened between two lines: the client gave up, or its bytes are no text.
    pub(super) fn interrupted(&self, error: Error) -> Error {
        let number = match &self.data {
            Data::Text(text) => text.lines.number(),
            Data::Binary(tuples) => tuples.number(),
        };
        Place { relation: &self.relation, names: &self.names }.line(error, number + 1)
    }
}

impl TextData {
    fn push(&mut self, bytes: &[u8], is_last: bool) {
        let Some(decoder) = &mut self.decoder else { return self.lines.push(bytes) };
        if self.undecodable.is_none() {
            let mut text = String::new();
            self.undecodable = decoder.decode(bytes, is_last, &mut text).err();
            self.lines.push(text.as_bytes());
        }
    }

    fn complete(&mut self) {
        self.push(&[], true);
        if self.undecodable.is_none() {
            self.lines.complete();
        }
    }

    /// The number of the row's line and its length.
    fn next_row(
        &mut self,
        columns: &mut [Box<dyn Column>],
        place: &Place<'_>,
    ) -> Result<Option<(u64, usize)>> {
        let Self { format, lines, fields, header, recent, undecodable, .. } = self;
        loop {
            let (number, line) = match lines.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => {
                    if let Some(error) = undecodable.take() {
                        return Err(place.line(error, lines.number() + 1));
                    }
                    // Nothing at all is no header either.
                    if *header == Header::Match && lines.is_complete() {
                        match_header(fields, "", format, place.names)
                            .map_err(|error| place.whole_line(error, 1, ""))?;
                    }
                    return Ok(None);
                }
                Err(error) => return Err(place.line(error, lines.number())),
            };
            let text = utf8(line).map_err(|error| place.line(error, number))?;
            match std::mem::replace(header, Header::None) {
                Header::Line => {}
                Header::Match => match_header(fields, text, format, place.names)
                    .map_err(|error| place.whole_line(error, number, text))?,
                Header::None => {
                    read_line(fields, text, format, columns, place.names)
                        .map_err(|bad| place.bad(bad, number, text))?;
                    recent.push(number, text);
                    return Ok(Some((number, text.len())));
                }
            }
        }
    }
}

/// Why a line could not be read.
enum Bad {
    Line(Error),
    /// The column, and its value.
    Value(usize, String, Error),
}

fn read_line(
    fields: &mut Fields,
    line: &str,
    format: &TextFormat,
    columns: &mut [Box<dyn Column>],
    names: &[String],
) -> Result<(), Bad> {
    fields.split(line.as_bytes(), format).map_err(Bad::Line)?;
    if fields.len() > columns.len() {
        return Err(Bad::Line(bad_format("extra data after last expected column")));
    }
    for (index, column) in columns.iter_mut().enumerate() {
        if index >= fields.len() {
            return Err(Bad::Line(bad_format(format!("missing data for column \"{}\"", names[index]))));
        }
        match fields.get(index, line, format).map_err(Bad::Line)? {
            None => column.null(),
            Some(value) => {
                column.text(value).map_err(|error| Bad::Value(index, value.to_owned(), error))?;
            }
        }
    }
    Ok(())
}

fn match_header(fields: &mut Fields, line: &str, format: &TextFormat, names: &[String]) -> Result<()> {
    fields.split(line.as_bytes(), format)?;
    if fields.len() != names.len() {
        return Err(bad_format(format!(
            "wrong number of fields in header line: got {}, expected {}",
            fields.len(),
            names.len()
        )));
    }
    for (index, name) in names.iter().enumerate() {
        let got = match fields.get(index, line, format)? {
            Some(got) if got == name => continue,
            Some(got) => format!("got \"{got}\""),
            None => format!("got null value (\"{}\")", format.null),
        };
        return Err(bad_format(format!(
            "column name mismatch in header line field {}: {got}, expected \"{name}\"",
            index + 1
        )));
    }
    Ok(())
}

/// The number of the tuple and its length.
fn next_tuple(
    tuples: &mut Tuples,
    columns: &mut [Box<dyn Column>],
    place: &Place<'_>,
) -> Result<Option<(u64, usize)>> {
    match tuples.next_tuple() {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(BadTuple { error, place: at }) => {
            let number = tuples.number() + 1;
            return Err(match at {
                TuplePlace::Header => error,
                TuplePlace::Tuple => place.line(error, number),
                TuplePlace::Field(column) => place.column(error, number, column),
            });
        }
    }
    let number = tuples.number();
    let mut length = 0;
    for (index, column) in columns.iter_mut().enumerate() {
        match tuples.field(index) {
            None => column.null(),
            Some(value) => {
                length += value.len();
                column.binary(value).map_err(|error| place.column(error, number, index))?;
            }
        }
    }
    Ok(Some((number, length)))
}

/// Says where an error happened, as PostgreSQL does.
struct Place<'a> {
    relation: &'a str,
    names: &'a [String],
}

impl Place<'_> {
    fn line(&self, error: Error, number: u64) -> Error {
        error.with_context(format!("COPY {}, line {number}", self.relation))
    }

    fn whole_line(&self, error: Error, number: u64, line: &str) -> Error {
        error.with_context(format!("COPY {}, line {number}: \"{}\"", self.relation, shown(line)))
    }

    fn column(&self, error: Error, number: u64, column: usize) -> Error {
        error.with_context(format!("COPY {}, line {number}, column {}", self.relation, self.names[column]))
    }

    fn bad(&self, bad: Bad, number: u64, line: &str) -> Error {
        match bad {
            Bad::Line(error) => self.whole_line(error, number, line),
            Bad::Value(column, value, error) => error.with_context(format!(
                "COPY {}, line {number}, column {}: \"{}\"",
                self.relation,
                self.names[column],
                shown(&value)
            )),
        }
    }
}

fn shown(text: &str) -> String {
    if text.len() <= SHOWN_BYTES {
        return text.to_owned();
    }
    let end = (0..=SHOWN_BYTES).rev().find(|&end| text.is_char_boundary(end)).unwrap_or_default();
    format!("{}...", &text[..end])
}
