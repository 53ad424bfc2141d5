//! One line to the values between its delimiters.

use memchr::{memchr, memchr_iter};
use voxhouse_engine::{Error, Result};

use super::{CsvFormat, TextFormat, bad_format};
use crate::wire::frontend::utf8;

/// The fields of the line that was split last.
#[derive(Default)]
pub(super) struct Fields {
    fields: Vec<Field>,
    /// What escapes and quotes have been taken from.
    plain: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    place: Place,
    start: usize,
    end: usize,
    /// Equal to the null string, and not in quotes.
    is_null: bool,
    in_quotes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Line,
    Plain,
}

impl Fields {
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// `line` is the one that was split. `None`: NULL, or there is no such field.
    pub(super) fn get<'a>(
        &'a self,
        index: usize,
        line: &'a str,
        format: &TextFormat,
    ) -> Result<Option<&'a str>> {
        let Some(field) = self.fields.get(index) else { return Ok(None) };
        let forced = |choose: fn(&CsvFormat) -> &Vec<bool>| {
            format.csv.as_ref().is_some_and(|csv| choose(csv).get(index).copied().unwrap_or(false))
        };
        if field.is_null && !forced(|csv| &csv.force_not_null) {
            return Ok(None);
        }
        let text = match field.place {
            // A delimiter is ASCII, so a field of valid text is valid text.
            Place::Line => line.get(field.start..field.end).unwrap_or_default(),
            Place::Plain => utf8(&self.plain[field.start..field.end])?,
        };
        if field.in_quotes && text == format.null && forced(|csv| &csv.force_null) {
            return Ok(None);
        }
        Ok(Some(text))
    }

    pub(super) fn split(&mut self, line: &[u8], format: &TextFormat) -> Result<()> {
        self.fields.clear();
        self.plain.clear();
        let special = format.csv.as_ref().map_or(b'\\', |csv| csv.quote);
        if memchr(special, line).is_none() {
            self.split_plain(line, format);
            return Ok(());
        }
        match &format.csv {
            None => self.split_text(line, format),
            Some(csv) => self.split_csv(line, format, csv)?,
        }
        Ok(())
    }

    /// A line without escapes or quotes.
    fn split_plain(&mut self, line: &[u8], format: &TextFormat) {
        let mut start = 0;
        for end in memchr_iter(format.delimiter, line).chain([line.len()]) {
            self.push_raw(line, start, end, format);
            start = end + 1;
        }
    }

    fn push_raw(&mut self, line: &[u8], start: usize, end: usize, format: &TextFormat) {
        let is_null = &line[start..end] == format.null.as_bytes();
        self.fields.push(Field { place: Place::Line, start, end, is_null, in_quotes: false });
    }

    fn split_text(&mut self, line: &[u8], format: &TextFormat) {
        let mut start = 0;
        loop {
            let mut end = start;
            let mut escaped = false;
            while let Some(&byte) = line.get(end).filter(|&&byte| byte != format.delimiter) {
                escaped |= byte == b'\\';
                end += if byte == b'\\' { 2 } else { 1 };
            }
            // A backslash may be the last byte of the line.
            let end = end.min(line.len());
            let raw = &line[start..end];
            if !escaped || raw == format.null.as_bytes() {
                self.push_raw(line, start, end, format);
            } else {
                let from = self.plain.len();
                unescape(raw, &mut self.plain);
                let field = Field {
                    place: Place::Plain,
                    start: from,
                    end: self.plain.len(),
                    is_null: false,
                    in_quotes: false,
                };
                self.fields.push(field);
            }
            if end == line.len() {
                return;
            }
            start = end + 1;
        }
    }

    fn split_csv(&mut self, line: &[u8], format: &TextFormat, csv: &CsvFormat) -> Result<()> {
        let mut start = 0;
        loop {
            let raw = line[start..].iter().position(|&byte| byte == format.delimiter || byte == csv.quote);
            let end = raw.map_or(line.len(), |offset| start + offset);
            if line.get(end) != Some(&csv.quote) {
                self.push_raw(line, start, end, format);
                if end == line.len() {
                    return Ok(());
                }
                start = end + 1;
                continue;
            }
            match self.quoted_field(line, start, format.delimiter, csv)? {
                Some(next) => start = next,
                None => return Ok(()),
            }
        }
    }

    /// A field with quotes in it, perhaps only in parts. The start of the next one, if there is one.
    fn quoted_field(
        &mut self,
        line: &[u8],
        start: usize,
        delimiter: u8,
        csv: &CsvFormat,
    ) -> Result<Option<usize>> {
        let from = self.plain.len();
        let mut at = start;
        let mut in_quotes = false;
        let next = loop {
            let Some(&byte) = line.get(at) else {
                if in_quotes {
                    return Err(unterminated());
                }
                break None;
            };
            at += 1;
            if !in_quotes {
                if byte == delimiter {
                    break Some(at);
                }
                if byte == csv.quote {
                    in_quotes = true;
                } else {
                    self.plain.push(byte);
                }
                continue;
            }
            match line.get(at) {
                Some(&next) if byte == csv.escape && (next == csv.quote || next == csv.escape) => {
                    self.plain.push(next);
                    at += 1;
                }
                _ if byte == csv.quote => in_quotes = false,
                _ => self.plain.push(byte),
            }
        };
        let end = self.plain.len();
        self.fields.push(Field { place: Place::Plain, start: from, end, is_null: false, in_quotes: true });
        Ok(next)
    }
}

fn unterminated() -> Error {
    bad_format("unterminated CSV quoted field")
}

/// `\n`, `\101`, `\x41`; a backslash before anything else is dropped.
fn unescape(raw: &[u8], plain: &mut Vec<u8>) {
    let octal = |byte: Option<&u8>| byte.filter(|byte| matches!(byte, b'0'..=b'7')).map(|byte| byte - b'0');
    let hexadecimal =
        |byte: Option<&u8>| byte.and_then(|&byte| char::from(byte).to_digit(16)).map(|digit| digit as u8);
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        at += 1;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some(&escaped) = raw.get(at) else { return };
        at += 1;
        plain.push(match escaped {
            b'0'..=b'7' => {
                let mut value = escaped - b'0';
                for _ in 0..2 {
                    let Some(digit) = octal(raw.get(at)) else { break };
                    // As in PostgreSQL, only the last eight bits count.
                    value = (value << 3) | digit;
                    at += 1;
                }
                value
            }
            b'x' => match hexadecimal(raw.get(at)) {
                None => b'x',
                Some(first) => {
                    at += 1;
                    match hexadecimal(raw.get(at)) {
                        None => first,
                        Some(second) => {
                            at += 1;
                            first << 4 | second
                        }
                    }
                }
            },
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => other,
        });
    }
}
