//! Where the rows of a JSON file lie in its text: a line each, or a value each.
//!
//! A value is found by its brackets and quotes alone; whether it is JSON is the business of who reads it, so
//! that one malformed row does not end the file.

use std::ops::Range;

use voxhouse_engine::{Error, ErrorKind, Result};

use super::object::string;
use crate::files::MAX_ROW_BYTES;
use crate::files::text::Text;

/// How rows follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Framing {
    /// One a line.
    Lines,
    /// The elements of an array, which the keys of `path` lead to, or values one after the other.
    Documents { path: Vec<String> },
}

impl Framing {
    /// What a row is called.
    pub(super) fn row(&self) -> &'static str {
        match self {
            Self::Lines => "line",
            Self::Documents { .. } => "document",
        }
    }
}

/// The rows of a text.
pub(super) struct Documents {
    text: Text,
    framing: Framing,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Values one after the other.
    Between,
    /// Behind the opening bracket of an array.
    Opened,
    /// Behind an element of an array.
    Element,
    /// Behind the one value that the path led to.
    Done,
}

impl Documents {
    pub(super) fn new(text: Text, framing: Framing) -> Self {
        Self { text, framing, state: State::Start }
    }

    /// The place of the next row in the unread text; `row` is its number.
    pub(super) fn next(&mut self, row: u64) -> Result<Option<Range<usize>>> {
        match self.framing {
            Framing::Lines => Ok(self.line(row)?.map(|end| 0..end)),
            Framing::Documents { .. } => self.value(row),
        }
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.text.consume(count);
    }

    pub(super) fn bytes(&self, place: Range<usize>) -> &[u8] {
        self.text.unread().get(place).unwrap_or_default()
    }

    /// The row as text; an error is the reason why it is a bad row.
    pub(super) fn row(&self, place: Range<usize>) -> Result<&str, String> {
        let start = place.start;
        let bytes = self.bytes(place);
        std::str::from_utf8(bytes).map_err(|error| self.text.invalid_bytes(start, bytes, error))
    }

    /// The end of the line that begins the unread text and is not blank.
    fn line(&mut self, row: u64) -> Result<Option<usize>> {
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

    fn value(&mut self, row: u64) -> Result<Option<Range<usize>>> {
        while self.goes_on(row)? {
            // An array may end here, and another one follow.
            if matches!(self.state, State::Start) {
                continue;
            }
            let end = self.extent(&format!("row {row}"))?;
            if end == 0 {
                return Err(malformed(&format!("row {row}: no value where one must be")));
            }
            if self.state == State::Opened {
                self.state = State::Element;
            }
            return Ok(Some(0..end));
        }
        Ok(None)
    }

    /// Goes to the next value, or behind the end of an array; false if the rows have ended.
    fn goes_on(&mut self, row: u64) -> Result<bool> {
        if self.state == State::Start && !self.start()? {
            return Ok(false);
        }
        let next = self.peek()?;
        match (self.state, next) {
            (State::Between, None) | (State::Done, _) => return Ok(false),
            (State::Opened | State::Element, None) => return Err(ended_inside("its array")),
            (State::Opened | State::Element, Some(b']')) => {
                self.text.consume(1);
                let alone = matches!(&self.framing, Framing::Documents { path } if path.is_empty());
                self.state = if alone { State::Start } else { State::Done };
                return Ok(alone);
            }
            (State::Element, Some(b',')) => {
                self.text.consume(1);
                if self.peek()?.is_none() {
                    return Err(ended_inside("its array"));
                }
            }
            (State::Element, Some(_)) => {
                return Err(malformed(&format!("row {row}: no comma before it")));
            }
            _ => {}
        }
        Ok(true)
    }

    /// Goes to where the rows begin; false if there is nothing.
    fn start(&mut self) -> Result<bool> {
        let path = match &self.framing {
            Framing::Documents { path } => path.clone(),
            Framing::Lines => Vec::new(),
        };
        for (depth, key) in path.iter().enumerate() {
            if !self.enter(key)? {
                let missing = path.get(..=depth).unwrap_or_default().join(".");
                return Err(malformed(&format!("file has no key \"{missing}\"")));
            }
        }
        let first = self.peek()?;
        self.state = match first {
            None => return Ok(false),
            Some(b'[') => {
                self.text.consume(1);
                State::Opened
            }
            Some(b'{') => State::Between,
            Some(_) if path.is_empty() => {
                return Err(malformed("file is neither a JSON array nor a JSON object"));
            }
            Some(_) => return Err(malformed("path leads to neither a JSON array nor a JSON object")),
        };
        Ok(true)
    }

    /// Goes into the object that comes next, to the value of `key`.
    fn enter(&mut self, key: &str) -> Result<bool> {
        if self.peek()? != Some(b'{') {
            return Ok(false);
        }
        self.text.consume(1);
        loop {
            match self.peek()? {
                Some(b',') => self.text.consume(1),
                Some(b'"') => {
                    let end = self.extent("a key")?;
                    let found = self.row(0..end).ok().and_then(string).is_some_and(|found| found == key);
                    self.text.consume(end);
                    if self.peek()? != Some(b':') {
                        return Err(malformed("key without a colon behind it"));
                    }
                    self.text.consume(1);
                    if found {
                        return Ok(true);
                    }
                    self.peek()?;
                    let end = self.extent("value before the path's")?;
                    self.text.consume(end);
                }
                None => return Err(ended_inside("an object")),
                Some(_) => return Ok(false),
            }
        }
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            let unread = self.text.unread();
            let blanks = unread.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = unread.get(blanks).copied();
            self.text.consume(blanks);
            if next.is_some() || self.text.finished() {
                return Ok(next);
            }
            self.text.fill()?;
        }
    }

    /// The end of the value that begins the unread text; `name` is what an error calls it.
    fn extent(&mut self, name: &str) -> Result<usize> {
        let mut scan = Scan::default();
        loop {
            let unread = self.text.unread();
            if let Some(end) = scan.go(unread) {
                return Ok(end);
            }
            if unread.len() > MAX_ROW_BYTES {
                return Err(too_large(name, MAX_ROW_BYTES));
            }
            if self.text.finished() {
                return if scan.scalar { Ok(unread.len()) } else { Err(ended_inside(name)) };
            }
            self.text.fill()?;
        }
    }
}

/// A scan for the end of a value, which goes on when more text has come.
#[derive(Debug, Default)]
struct Scan {
    at: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
    scalar: bool,
}

impl Scan {
    fn go(&mut self, text: &[u8]) -> Option<usize> {
        while let Some(byte) = text.get(self.at) {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                self.at += 1;
                if !self.in_string && self.depth == 0 {
                    return Some(self.at);
                }
                continue;
            }
            match byte {
                b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => {
                    return Some(self.at);
                }
                b'"' if !self.scalar => self.in_string = true,
                b'{' | b'[' if !self.scalar => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.at + 1);
                    }
                }
                _ if self.depth == 0 => self.scalar = true,
                _ => {}
            }
            self.at += 1;
        }
        None
    }
}

pub(super) fn too_large(what: &str, limit: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("{what} is larger than {} MiB", limit >> 20))
}

fn ended_inside(what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("invalid JSON file: it ends inside of {what}"))
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidText, what)
}
