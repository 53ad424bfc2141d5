//! A stream of bytes to lines, by PostgreSQL's rules.
//!
//! The first line decides how lines end, and a line end of another kind is an error rather than data. In the text
//! format a backslash takes the meaning from the byte behind it, so an escaped line end is data; in CSV one
//! between quotes is. A line `\.` ends the data, whatever comes behind it.

use memchr::{memchr_iter, memchr2, memchr3};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::bad_format;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Newline,
    Return,
    Both,
}

/// Quote and escape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoting {
    pub(super) quote: u8,
    pub(super) escape: u8,
}

pub(super) struct Lines {
    /// `None`: the text format.
    quoting: Option<Quoting>,
    max_line_bytes: usize,
    buffer: Vec<u8>,
    /// Where the line begins that is being looked for.
    start: usize,
    /// Up to here it has no end.
    scanned: usize,
    in_quotes: bool,
    line_end: Option<LineEnd>,
    /// Lines that have been given out, counted as an editor counts them.
    number: u64,
    /// No more bytes will come.
    complete: bool,
    /// `\.` has been seen.
    ended: bool,
}

/// What [`Lines::find_end`] has found.
enum Found {
    /// The line ends at the first place, the next begins at the second.
    Line(usize, usize),
    /// As [`Line`](Found::Line); behind it there is nothing.
    Last(usize),
    /// More bytes are needed.
    Nothing,
}

impl Lines {
    pub(super) fn new(quoting: Option<Quoting>, max_line_bytes: usize) -> Self {
        Self {
            quoting,
            max_line_bytes,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            in_quotes: false,
            line_end: None,
            number: 0,
            complete: false,
            ended: false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.ended {
            return;
        }
        // What has been given out makes room before more is asked for.
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// What is left is the last line.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The number of the line given out last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The number and the bytes of the next complete line, without its end. A line with line ends in it has the
    /// number of its last one.
    pub(super) fn next_line(&mut self) -> Result<Option<(u64, &[u8])>> {
        if self.ended {
            return Ok(None);
        }
        let found = self.find_end().inspect_err(|_| self.number += 1)?;
        let (start, end) = match found {
            Found::Line(end, next) => {
                let start = std::mem::replace(&mut self.start, next);
                self.scanned = next;
                (start, end)
            }
            Found::Last(end) => {
                self.ended = true;
                if end == self.start {
                    return Ok(None);
                }
                (self.start, end)
            }
            Found::Nothing => {
                if self.buffer.len() - self.start > self.max_line_bytes {
                    self.number += 1;
                    return Err(self.too_long());
                }
                return Ok(None);
            }
        };
        let line = &self.buffer[start..end];
        self.number += 1;
        if self.quoting.is_some() {
            let counted = if self.line_end == Some(LineEnd::Return) { b'\r' } else { b'\n' };
            self.number += memchr_iter(counted, line).count() as u64;
        }
        Ok(Some((self.number, line)))
    }

    fn find_end(&mut self) -> Result<Found> {
        match self.quoting {
            None => self.find_end_of_text(),
            Some(quoting) => self.find_end_of_csv(quoting),
        }
    }

    fn find_end_of_text(&mut self) -> Result<Found> {
        loop {
            let Some(at) = memchr3(b'\n', b'\r', b'\\', &self.buffer[self.scanned..]) else {
                return Ok(self.no_end());
            };
            let at = self.scanned + at;
            if self.buffer[at] != b'\\' {
                return self.line_end_at(at);
            }
            match self.buffer.get(at + 1) {
                Some(b'.') => return self.end_marker(at),
                Some(_) => self.scanned = at + 2,
                None => {
                    self.scanned = at;
                    return Ok(self.nothing_or_last());
                }
            }
        }
    }

    fn find_end_of_csv(&mut self, quoting: Quoting) -> Result<Found> {
        if self.scanned == self.start && !self.in_quotes {
            match self.lone_end_marker() {
                Some(false) => {}
                Some(true) => return self.end_marker(self.start),
                None => return Ok(Found::Nothing),
            }
        }
        loop {
            let rest = &self.buffer[self.scanned..];
            let found = match self.in_quotes {
                false => memchr3(b'\n', b'\r', quoting.quote, rest),
                true => memchr2(quoting.quote, quoting.escape, rest),
            };
            let Some(at) = found else { return Ok(self.no_end()) };
            let at = self.scanned + at;
            let byte = self.buffer[at];
            if !self.in_quotes {
                if byte != quoting.quote {
                    return self.line_end_at(at);
                }
                self.in_quotes = true;
                self.scanned = at + 1;
                continue;
            }
            // A doubled quote closes and opens again, which comes to the same.
            if byte == quoting.escape && quoting.escape != quoting.quote {
                match self.buffer.get(at + 1) {
                    Some(&next) if next == quoting.quote || next == quoting.escape => self.scanned = at + 2,
                    Some(_) => self.scanned = at + 1,
                    None => {
                        self.scanned = at;
                        return Ok(self.nothing_or_last());
                    }
                }
            } else {
                self.in_quotes = false;
                self.scanned = at + 1;
            }
        }
    }

    /// Whether the line that begins is `\.` alone. `None`: more bytes are needed to tell.
    fn lone_end_marker(&self) -> Option<bool> {
        match &self.buffer[self.start..] {
            [b'\\', b'.', b'\n' | b'\r', ..] => Some(true),
            [] | [b'\\'] | [b'\\', b'.'] => self.complete.then_some(false),
            _ => Some(false),
        }
    }

    /// `at` is the place of `\.`, which may have data of the last line before it.
    fn end_marker(&mut self, at: usize) -> Result<Found> {
        let behind = &self.buffer[at + 2..];
        let length = match (behind, self.line_end) {
            ([], _) | ([b'\r'], Some(LineEnd::Both)) if !self.complete => {
                self.scanned = at;
                return Ok(Found::Nothing);
            }
            ([b'\r', b'\n', ..], Some(LineEnd::Both)) => 2,
            ([b'\n', ..], Some(LineEnd::Newline) | None) => 1,
            ([b'\r', ..], Some(LineEnd::Return) | None) => 1,
            ([b'\n' | b'\r', ..], _) => {
                return Err(bad_format("end-of-copy marker does not match previous newline style"));
            }
            _ => return Err(bad_format("end-of-copy marker corrupt")),
        };
        self.scanned = at + 2 + length;
        Ok(Found::Last(at))
    }

    /// A line end that is not escaped, at `at`.
    fn line_end_at(&mut self, at: usize) -> Result<Found> {
        use LineEnd::{Both, Newline, Return};
        if self.buffer[at] == b'\n' {
            return match self.line_end {
                Some(Return | Both) => Err(self.stray("newline", "\\n")),
                _ => {
                    self.line_end = Some(Newline);
                    Ok(Found::Line(at, at + 1))
                }
            };
        }
        match (self.line_end, self.buffer.get(at + 1)) {
            (Some(Newline), _) => Err(self.stray("carriage return", "\\r")),
            (Some(Return), _) => Ok(Found::Line(at, at + 1)),
            (_, None) if !self.complete => {
                self.scanned = at;
                Ok(Found::Nothing)
            }
            (_, Some(b'\n')) => {
                self.line_end = Some(Both);
                Ok(Found::Line(at, at + 2))
            }
            (Some(Both), _) => Err(self.stray("carriage return", "\\r")),
            (None, _) => {
                self.line_end = Some(Return);
                Ok(Found::Line(at, at + 1))
            }
        }
    }

    /// No byte from `scanned` on matters.
    fn no_end(&mut self) -> Found {
        self.scanned = self.buffer.len();
        self.nothing_or_last()
    }

    fn nothing_or_last(&self) -> Found {
        if self.complete { Found::Last(self.buffer.len()) } else { Found::Nothing }
    }

    fn stray(&self, what: &str, escape: &str) -> Error {
        match self.quoting {
            None => bad_format(format!("literal {what} found in data"))
                .with_hint(format!("Use \"{escape}\" to represent {what}.")),
            Some(_) => bad_format(format!("unquoted {what} found in data"))
                .with_hint(format!("Use quoted CSV field to represent {what}.")),
        }
    }

    fn too_long(&self) -> Error {
        let error = Error::new(
            ErrorKind::LimitExceeded,
            format!("a line exceeds the limit of {} bytes", self.max_line_bytes),
        );
        match self.in_quotes {
            true => error.with_hint("A quote that is never closed makes one line of all that follows."),
            false => error.with_hint("Raise max_message_bytes in the configuration."),
        }
    }
}
