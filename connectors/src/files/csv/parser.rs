//! Where the fields of a CSV row lie: bytes in, places out. Knows no I/O, no encoding and no column.

/// The characters with a meaning, all of them ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    /// What stands before a quote inside quotes; the quote itself when it is doubled.
    pub(super) escape: u8,
}

/// A field as bytes of the scanned text, without an opening quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) quoting: Quoting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// No quotes: the bytes are the value.
    Bare,
    /// Quoted, and the bytes between the quotes are the value.
    Plain,
    /// Quoted, with something that [`Dialect::unescape`] has to undo.
    Escaped,
}

/// What a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// A row, which ends before this byte.
    Row { end: usize },
    /// The row does not end in the text given; its last field begins here.
    Incomplete { field_start: usize },
    /// The text ends, and the file with it, inside the quoted field that begins here.
    Unclosed { field_start: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// Until the first line has ended.
    Unknown,
    LineFeed,
    CarriageReturn,
}

/// Scans rows one after another; learns from the first one how lines end.
#[derive(Debug)]
pub(super) struct Scanner {
    dialect: Dialect,
    line_end: LineEnd,
    /// The bytes that may end a field without quotes.
    ends_field: [bool; 256],
}

impl Scanner {
    pub(super) fn new(dialect: Dialect) -> Self {
        let mut scanner = Self { dialect, line_end: LineEnd::Unknown, ends_field: [false; 256] };
        scanner.set_line_end(LineEnd::Unknown);
        scanner
    }

    /// Puts the fields of the row that begins `text` into `fields`. `last` says that the file ends with
    /// `text`, which must not be empty then.
    pub(super) fn row(&mut self, text: &[u8], last: bool, fields: &mut Vec<Field>) -> Scan {
        fields.clear();
        let mut at = 0;
        loop {
            let field_start = at;
            let field = match self.dialect.quote {
                Some(quote) if text.get(at) == Some(&quote) => match self.quoted_field(text, at + 1, quote) {
                    Some(field) => field,
                    None if last => return Scan::Unclosed { field_start },
                    None => return Scan::Incomplete { field_start },
                },
                _ => Field { start: at, end: self.bare_end(text, at), quoting: Quoting::Bare },
            };
            // After a closing quote the rest of the field is bare.
            at = match field.quoting {
                Quoting::Bare => field.end,
                _ => self.bare_end(text, field.end + 1),
            };
            match text.get(at) {
                Some(&byte) if byte == self.dialect.delimiter => {
                    fields.push(closed(field, at));
                    at += 1;
                }
                Some(b'\n') => {
                    // The carriage return of `\r\n` belongs to the line end.
                    let end = if at > field_start && text[at - 1] == b'\r' { at - 1 } else { at };
                    fields.push(closed(field, end));
                    if self.line_end == LineEnd::Unknown {
                        self.set_line_end(LineEnd::LineFeed);
                    }
                    return Scan::Row { end: at + 1 };
                }
                Some(_) => {
                    let next = text.get(at + 1);
                    if next.is_none() && !last {
                        return Scan::Incomplete { field_start };
                    }
                    fields.push(closed(field, at));
                    if self.line_end == LineEnd::Unknown && next == Some(&b'\n') {
                        self.set_line_end(LineEnd::LineFeed);
                        return Scan::Row { end: at + 2 };
                    }
                    self.set_line_end(LineEnd::CarriageReturn);
                    return Scan::Row { end: at + 1 };
                }
                None if last => {
                    fields.push(closed(field, at));
                    return Scan::Row { end: at };
                }
                None => return Scan::Incomplete { field_start },
            }
        }
    }

    /// The end of the line that begins `text`, quotes or not; none if it does not end there.
    pub(super) fn line(&mut self, text: &[u8], last: bool) -> Option<usize> {
        let at = text.iter().position(|byte| match self.line_end {
            LineEnd::Unknown => matches!(byte, b'\n' | b'\r'),
            LineEnd::LineFeed => *byte == b'\n',
            LineEnd::CarriageReturn => *byte == b'\r',
        });
        let Some(at) = at else { return last.then_some(text.len()) };
        let (line_end, end) = match text.get(at + 1) {
            _ if text[at] == b'\n' => (LineEnd::LineFeed, at + 1),
            Some(b'\n') if self.line_end == LineEnd::Unknown => (LineEnd::LineFeed, at + 2),
            None if !last => return None,
            _ => (LineEnd::CarriageReturn, at + 1),
        };
        self.set_line_end(line_end);
        Some(end)
    }

    fn set_line_end(&mut self, line_end: LineEnd) {
        self.line_end = line_end;
        self.ends_field = [false; 256];
        self.ends_field[usize::from(self.dialect.delimiter)] = true;
        self.ends_field[usize::from(b'\n')] |= line_end != LineEnd::CarriageReturn;
        self.ends_field[usize::from(b'\r')] |= line_end != LineEnd::LineFeed;
    }

    #[inline]
    fn bare_end(&self, text: &[u8], from: usize) -> usize {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| self.ends_field[usize::from(*byte)]).unwrap_or(rest.len())
    }

    /// From behind the opening quote to the closing one; none if the text ends before.
    fn quoted_field(&self, text: &[u8], start: usize, quote: u8) -> Option<Field> {
        let escape = self.dialect.escape;
        let mut quoting = Quoting::Plain;
        let mut at = start;
        loop {
            at += text.get(at..)?.iter().position(|byte| *byte == quote || *byte == escape)?;
            let escapes = text[at] == escape;
            match text.get(at + 1) {
                Some(&next) if escapes && (next == quote || next == escape) => {
                    quoting = Quoting::Escaped;
                    at += 2;
                }
                // A quote that ends the text may be the first of two: only the file's end tells, and there it
                // closes.
                _ if text[at] == quote => return Some(Field { start, end: at, quoting }),
                Some(_) => at += 1,
                None => return None,
            }
        }
    }
}

/// The field up to `end`: what follows a closing quote makes it a case for [`Dialect::unescape`].
fn closed(field: Field, end: usize) -> Field {
    match field.quoting {
        Quoting::Bare => Field { end, ..field },
        _ if field.end + 1 == end => field,
        _ => Field { end, quoting: Quoting::Escaped, ..field },
    }
}

impl Dialect {
    /// The value of an [`Quoting::Escaped`] field, from behind its opening quote.
    pub(super) fn unescape(&self, field: &str, value: &mut String) {
        value.clear();
        let Some(quote) = self.quote else { return value.push_str(field) };
        let bytes = field.as_bytes();
        let mut from = 0;
        let mut at = 0;
        while at < bytes.len() {
            let next = bytes.get(at + 1);
            if bytes[at] == self.escape && next.is_some_and(|next| *next == quote || *next == self.escape) {
                value.push_str(&field[from..at]);
                from = at + 1;
                at += 2;
            } else if bytes[at] == quote {
                value.push_str(&field[from..at]);
                from = at + 1;
                break;
            } else {
                at += 1;
            }
        }
        value.push_str(&field[from..]);
    }
}
