//! Reads the text of JSON: where its parts begin and end, and PostgreSQL's errors where it is none.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};

/// Arrays and objects within each other.
const DEEPEST: usize = 1000;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    pub fn is_scalar(self) -> bool {
        !matches!(self, Self::Array | Self::Object)
    }
}

/// The kind of the value that a text begins with, which is JSON.
pub fn kind_of(text: &str) -> Kind {
    match text.trim_start_matches(is_blank).bytes().next() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r')
}

/// # Errors
/// Invalid text, with the place of what is no JSON.
pub fn check(text: &str) -> Result<()> {
    let mut scanner = Scanner::new(text);
    scanner.skip()?;
    scanner.finish()
}

/// The elements of an array, as they are written.
pub fn elements(text: &str) -> Result<Vec<&str>> {
    let mut scanner = Scanner::new(text);
    let mut found = Vec::new();
    scanner.array(|scanner| {
        found.push(scanner.slice()?);
        Ok(())
    })?;
    Ok(found)
}

/// The members of an object in their order: keys, which may come more than once, and values as they are written.
pub fn members(text: &str) -> Result<Vec<(Cow<'_, str>, &str)>> {
    let mut scanner = Scanner::new(text);
    let mut found = Vec::new();
    scanner.object(|scanner, key| {
        found.push((decoded(key)?, scanner.slice()?));
        Ok(())
    })?;
    Ok(found)
}

/// The last member of this key.
pub fn member<'a>(text: &'a str, wanted: &str) -> Result<Option<&'a str>> {
    let mut scanner = Scanner::new(text);
    let mut found = None;
    scanner.object(|scanner, key| {
        let is_wanted = match key.contains('\\') {
            true => decoded(key)? == wanted,
            false => key.get(1..key.len() - 1) == Some(wanted),
        };
        let value = scanner.slice()?;
        if is_wanted {
            found = Some(value);
        }
        Ok(())
    })?;
    Ok(found)
}

/// The text of a string as it is written, in its quotes.
pub fn decoded(quoted: &str) -> Result<Cow<'_, str>> {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(quoted);
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = unescaped(&rest[at + 1..], quoted, &mut text)?;
    }
    text.push_str(rest);
    Ok(Cow::Owned(text))
}

/// Adds the letter behind a backslash to a text; what follows it.
fn unescaped<'a>(escape: &'a str, whole: &str, text: &mut String) -> Result<&'a str> {
    let letter = match escape.as_bytes().first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return code_point(escape, whole, text),
        Some(other) => char::from(*other),
        None => return Ok(""),
    };
    text.push(letter);
    Ok(&escape[1..])
}

/// `u1234`, of which the codes beyond 16 bits take two.
fn code_point<'a>(escape: &'a str, whole: &str, text: &mut String) -> Result<&'a str> {
    let fail = |detail: &str| Scanner::new(whole).fail(0, whole.len(), detail.to_owned());
    let unit = |escape: &str| u32::from_str_radix(escape.strip_prefix('u')?.get(..4)?, 16).ok();
    let (first, rest) = (unit(escape).unwrap_or_default(), escape.get(5..).unwrap_or_default());
    match first {
        0 => {
            let error = Error::new(ErrorKind::UntranslatableText, "unsupported Unicode escape sequence");
            Err(error.with_detail("\\u0000 cannot be converted to text.").with_context(context(
                whole,
                0,
                whole.len(),
            )))
        }
        0xD800..0xDC00 => match rest.strip_prefix('\\').and_then(unit) {
            Some(second @ 0xDC00..0xE000) => {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                text.extend(char::from_u32(code));
                Ok(rest.get(6..).unwrap_or_default())
            }
            Some(0xD800..0xDC00) => Err(fail("Unicode high surrogate must not follow a high surrogate.")),
            _ => Err(fail("Unicode low surrogate must follow a high surrogate.")),
        },
        0xDC00..0xE000 => Err(fail("Unicode low surrogate must follow a high surrogate.")),
        code => {
            text.extend(char::from_u32(code));
            Ok(rest)
        }
    }
}

/// Where an error is, as PostgreSQL tells it: the line up to the token.
fn context(text: &str, token: usize, end: usize) -> String {
    let before = &text.as_bytes()[..token.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut start = line_start;
    while end - start >= 50 || !text.is_char_boundary(start) {
        start += 1;
    }
    if start - line_start <= 3 {
        start = line_start;
    }
    let prefix = if start > line_start { "..." } else { "" };
    let is_cut = token < end && !matches!(text.as_bytes().get(end), None | Some(b'\n' | b'\r'));
    let suffix = if is_cut { "..." } else { "" };
    format!("JSON data, line {line}: {prefix}{}{suffix}", text.get(start..end).unwrap_or_default())
}

pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next byte that is not blank.
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Passes over a value.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'{') => self.object(|scanner, _| scanner.skip()),
            Some(b'[') => self.array(Self::skip),
            _ => self.scalar().map(|_| ()),
        }
    }

    /// A value as it is written.
    pub fn slice(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// A string, number or word as it is written.
    pub fn scalar(&mut self) -> Result<&'a str> {
        match self.peek() {
            Some(b'{' | b'[' | b'}' | b']' | b',' | b':') | None => Err(self.unexpected("JSON value")),
            _ => self.token(),
        }
    }

    /// Passes over an array; `each` reads an element.
    pub fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.enter()?;
        if self.peek() == Some(b']') {
            return self.leave();
        }
        if matches!(self.peek(), Some(b'}' | b',' | b':')) {
            return Err(self.unexpected("array element or \"]\""));
        }
        loop {
            each(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.leave(),
                _ => return Err(self.unexpected("\",\" or \"]\"")),
            }
        }
    }

    /// Passes over an object; `each` is given a key in its quotes, and reads its value.
    pub fn object(&mut self, mut each: impl FnMut(&mut Self, &'a str) -> Result<()>) -> Result<()> {
        self.enter()?;
        match self.peek() {
            Some(b'}') => return self.leave(),
            Some(b'"') => {}
            _ => return Err(self.unexpected("string or \"}\"")),
        }
        loop {
            let key = match self.peek() {
                Some(b'"') => self.token()?,
                _ => return Err(self.unexpected("string")),
            };
            match self.peek() {
                Some(b':') => self.at += 1,
                _ => return Err(self.unexpected("\":\"")),
            }
            each(self, key)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.leave(),
                _ => return Err(self.unexpected("\",\" or \"}\"")),
            }
        }
    }

    /// Nothing but blanks may follow.
    pub fn finish(&mut self) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("end of input")),
        }
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        self.at += 1;
        match self.depth > DEEPEST {
            true => {
                let message = "stack depth limit exceeded";
                Err(Error::new(ErrorKind::StatementTooComplex, message)
                    .with_detail(format!("JSON may be nested {DEEPEST} levels deep.")))
            }
            false => Ok(()),
        }
    }

    fn leave(&mut self) -> Result<()> {
        self.depth -= 1;
        self.at += 1;
        Ok(())
    }

    /// A string, number, word or sign.
    fn token(&mut self) -> Result<&'a str> {
        let start = self.at;
        match self.text.as_bytes().get(start) {
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'{' | b'}' | b'[' | b']' | b',' | b':') => self.at += 1,
            _ => {
                let end = self.end_of_word(start);
                if !matches!(&self.text[start..end], "true" | "false" | "null") {
                    return Err(self.invalid_token(start, end));
                }
                self.at = end;
            }
        }
        Ok(&self.text[start..self.at])
    }

    fn string(&mut self) -> Result<()> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                None => return Err(self.invalid_token(start, at)),
                Some(b'"') => break,
                Some(b'\\') => at = self.escape(start, at)?,
                Some(control @ 0..0x20) => {
                    let detail = format!("Character with value 0x{control:02x} must be escaped.");
                    return Err(self.fail(start, at, detail));
                }
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        Ok(())
    }

    /// Where an escape ends.
    fn escape(&self, start: usize, at: usize) -> Result<usize> {
        let bytes = self.text.as_bytes();
        match bytes.get(at + 1) {
            None => Err(self.invalid_token(start, at + 1)),
            Some(b'u') => {
                for place in at + 2..at + 6 {
                    match bytes.get(place) {
                        Some(byte) if byte.is_ascii_hexdigit() => {}
                        None => return Err(self.invalid_token(start, place)),
                        Some(_) => {
                            let detail = "\"\\u\" must be followed by four hexadecimal digits.";
                            return Err(self.fail(start, self.end_of_letter(place), detail.to_owned()));
                        }
                    }
                }
                Ok(at + 6)
            }
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(_) => {
                let end = self.end_of_letter(at + 1);
                let letter = &self.text[at + 1..end];
                Err(self.fail(start, end, format!("Escape sequence \"\\{letter}\" is invalid.")))
            }
        }
    }

    fn end_of_letter(&self, at: usize) -> usize {
        let letter = self.text.get(at..).and_then(|rest| rest.chars().next());
        at + letter.map_or(1, char::len_utf8)
    }

    fn number(&mut self) -> Result<()> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let digits = |mut at: usize| {
            let first = at;
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            (at, at > first)
        };
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let mut is_valid = true;
        match bytes.get(at) {
            Some(b'0') => at += 1,
            _ => (at, is_valid) = digits(at),
        }
        if bytes.get(at) == Some(&b'.') {
            let (end, has_digits) = digits(at + 1);
            (at, is_valid) = (end, is_valid && has_digits);
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let (end, has_digits) = digits(at + 1 + sign);
            (at, is_valid) = (end, is_valid && has_digits);
        }
        let end = self.end_of_word(at);
        // What is no letter ends a word at once.
        let is_alone = bytes.get(at).is_none_or(|byte| !is_letter(*byte));
        if !is_valid || !is_alone {
            return Err(self.invalid_token(start, if is_alone { at } else { end }));
        }
        self.at = at;
        Ok(())
    }

    /// Where letters and digits end; behind the first letter at least.
    fn end_of_word(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = start;
        while bytes.get(at).is_some_and(|byte| is_letter(*byte)) {
            at += 1;
        }
        if at == start { self.end_of_letter(start) } else { at }
    }

    fn invalid_token(&self, start: usize, end: usize) -> Error {
        let end = end.min(self.text.len());
        self.fail(start, end, format!("Token \"{}\" is invalid.", &self.text[start..end]))
    }

    /// An error at the next token.
    fn unexpected(&mut self, expected: &str) -> Error {
        if self.peek().is_none() {
            let end = self.text.len();
            return self.fail(end, end, "The input string ended unexpectedly.".to_owned());
        }
        let start = self.at;
        match self.token() {
            Ok(found) => {
                let end = start + found.len();
                self.fail(start, end, format!("Expected {expected}, but found \"{found}\"."))
            }
            Err(invalid) => invalid,
        }
    }

    fn fail(&self, token: usize, end: usize, detail: String) -> Error {
        Error::new(ErrorKind::InvalidText, "invalid input syntax for type json")
            .with_detail(detail)
            .with_context(context(self.text, token, end))
    }
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
