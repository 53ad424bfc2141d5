//! The members of one JSON object as slices of its text, values untouched: parsing a number would cost
//! digits.
//!
//! The object is walked here; strings and values are validated, and their ends found, by `serde_json`.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It is a JSON value or the beginning of one, but no object.
    NotAnObject,
    /// It is not JSON from this byte of the line on, 1-based.
    At(usize),
}

/// The members of an object, in order. Ends after the first error.
#[derive(Debug)]
pub(super) struct Members<'a> {
    line: &'a str,
    at: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    AfterMember,
    Done,
}

/// A key, and the text of its value.
pub(super) type Member<'a> = (Cow<'a, str>, &'a str);

impl<'a> Members<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { line, at: 0, state: State::Start }
    }

    fn member(&mut self) -> Result<Option<Member<'a>>, Malformed> {
        let state = std::mem::replace(&mut self.state, State::Done);
        match (state, self.peek()) {
            (State::Done, _) => return Ok(None),
            (State::Start, Some(b'{')) => {
                self.at += 1;
                if self.peek() == Some(b'}') {
                    return self.end();
                }
            }
            (State::Start, _) => return Err(Malformed::NotAnObject),
            (State::AfterMember, Some(b',')) => self.at += 1,
            (State::AfterMember, Some(b'}')) => return self.end(),
            (State::AfterMember, _) => return Err(self.malformed()),
        }
        if self.peek() != Some(b'"') {
            return Err(self.malformed());
        }
        let key = self.value()?;
        let key = string(key).ok_or_else(|| self.malformed())?;
        if self.peek() != Some(b':') {
            return Err(self.malformed());
        }
        self.at += 1;
        self.peek();
        let value = self.value()?;
        self.state = State::AfterMember;
        Ok(Some((key, value)))
    }

    /// Behind the closing brace nothing may follow.
    fn end(&mut self) -> Result<Option<Member<'a>>, Malformed> {
        self.at += 1;
        if self.peek().is_none() { Ok(None) } else { Err(self.malformed()) }
    }

    /// Skips white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.line.as_bytes();
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// The text of the value that begins here.
    #[inline]
    fn value(&mut self) -> Result<&'a str, Malformed> {
        let rest = &self.line[self.at..];
        let end = match plain_string(rest) {
            Some(end) => end,
            None => {
                let mut values = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
                match values.next() {
                    Some(Ok(_)) => values.byte_offset(),
                    Some(Err(error)) => {
                        self.at += error.column().saturating_sub(1);
                        return Err(self.malformed());
                    }
                    None => return Err(self.malformed()),
                }
            }
        };
        self.at += end;
        Ok(&rest[..end])
    }

    fn malformed(&self) -> Malformed {
        Malformed::At(self.at + 1)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.member().transpose()
    }
}

/// The end of a string without escapes, which most are.
#[inline]
fn plain_string(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('"')?;
    let end = inner.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
    (inner.as_bytes()[end] == b'"').then_some(end + 2)
}

/// What the text of a JSON string says; none if it has an escape that names no character.
pub(super) fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(text).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}
