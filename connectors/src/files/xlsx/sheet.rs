//! The cells of a sheet, a row at a time.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::strings::unescaped;
use super::styles::Meaning;
use super::workbook::Workbook;
use super::xml::{Element, Name, Node, Xml};
use super::{invalid, values};
use crate::files::MAX_FIELD_BYTES;

/// Excel's own limit.
const MAX_COLUMNS: usize = 16_384;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Empty,
    Text(String),
    /// Why it has no value: `#N/A`, `#DIV/0!`, or what is wrong with it.
    Broken(String),
}

/// The rows of a sheet that have cells.
pub(super) struct Sheet {
    xml: Xml,
    inside: bool,
}

/// A cell under construction.
struct Open {
    column: usize,
    kind: Option<String>,
    style: usize,
    text: String,
    has_value: bool,
}

impl Sheet {
    pub(super) fn new(xml: Xml) -> Self {
        Self { xml, inside: false }
    }

    /// The cells of the next row, from its first column on.
    pub(super) fn next_row(&mut self, workbook: &Workbook) -> Result<Option<Vec<Cell>>> {
        let mut cells: Vec<Cell> = Vec::new();
        let mut open: Option<Open> = None;
        let mut in_value = false;
        let mut in_phonetic = false;
        loop {
            match self.xml.next()? {
                Node::Open(element) => match element.name {
                    Name::SheetData => self.inside = true,
                    Name::Row if self.inside => cells.clear(),
                    Name::Cell if self.inside => open = Some(Open::new(&element, cells.len())?),
                    Name::Value | Name::Text => {
                        in_value = true;
                        if let Some(open) = &mut open {
                            open.has_value = true;
                        }
                    }
                    Name::Phonetic => in_phonetic = true,
                    _ => {}
                },
                Node::Text(text) => {
                    if let Some(open) = open.as_mut().filter(|_| in_value && !in_phonetic) {
                        open.append(&text)?;
                    }
                }
                Node::Close(Name::Value | Name::Text) => in_value = false,
                Node::Close(Name::Phonetic) => in_phonetic = false,
                Node::Close(Name::Cell) => {
                    if let Some(open) = open.take() {
                        let column = open.column;
                        cells.resize(cells.len().max(column + 1), Cell::Empty);
                        if let Some(cell) = cells.get_mut(column) {
                            *cell = open.close(workbook);
                        }
                    }
                }
                Node::Close(Name::Row) if self.inside => return Ok(Some(cells)),
                Node::Close(Name::SheetData) => self.inside = false,
                Node::End => return Ok(None),
                Node::Close(_) => {}
            }
        }
    }
}

impl Open {
    fn new(element: &Element<'_>, next: usize) -> Result<Self> {
        let column = match element.attribute("r") {
            Some(reference) => column(&reference).ok_or_else(|| invalid("a cell has no place"))?,
            None => next,
        };
        if column >= MAX_COLUMNS {
            return Err(invalid(&format!("it has more than {MAX_COLUMNS} columns")));
        }
        let style = element.attribute("s").and_then(|style| style.parse().ok()).unwrap_or(usize::MAX);
        Ok(Self { column, kind: element.attribute("t"), style, text: String::new(), has_value: false })
    }

    fn append(&mut self, text: &str) -> Result<()> {
        if self.text.len() + text.len() > MAX_FIELD_BYTES {
            let message = format!("a cell is larger than {} MiB", MAX_FIELD_BYTES >> 20);
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        self.text.push_str(text);
        Ok(())
    }

    fn close(self, workbook: &Workbook) -> Cell {
        if !self.has_value {
            return Cell::Empty;
        }
        match self.kind.as_deref() {
            Some("s") => {
                let found = self.text.trim().parse().ok().and_then(|index| workbook.strings.get(index));
                match found {
                    Some(text) => Cell::Text(text.to_owned()),
                    None => Cell::Broken("refers to a string that is not there".into()),
                }
            }
            Some("str" | "inlineStr") => Cell::Text(unescaped(&self.text).unwrap_or(self.text)),
            Some("d") => Cell::Text(self.text),
            Some("b") => match self.text.trim() {
                "1" => Cell::Text("true".into()),
                "0" => Cell::Text("false".into()),
                _ => Cell::Broken("is neither true nor false".into()),
            },
            Some("e") => Cell::Broken(self.text),
            None | Some("n") => self.number(workbook),
            Some(_) => Cell::Broken("is of a kind that Excel does not have".into()),
        }
    }

    fn number(self, workbook: &Workbook) -> Cell {
        if self.text.trim().is_empty() {
            return Cell::Empty;
        }
        let meaning = workbook.styles.get(self.style);
        match values::text(&self.text, meaning, workbook.since_1904) {
            Some(text) => Cell::Text(text),
            None if matches!(meaning, Meaning::Number | Meaning::Padded(_)) => {
                Cell::Broken("is not a number".into())
            }
            None => Cell::Broken("is not a date of the calendar".into()),
        }
    }
}

/// The column of a reference such as `AB12`, from 0.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let mut column: usize = 0;
    for letter in letters {
        let digit = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(digit).filter(|column| *column <= 1 << 20)?;
    }
    column.checked_sub(1)
}
