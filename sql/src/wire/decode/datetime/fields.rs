//! A text cut into fields, by the letters that each begins with and contains.

use super::Bad;

/// No date and time has more.
const MOST: usize = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, perhaps with a point among them.
    Number,
    /// What has separators: `2026-03-05`, `5-mar-2026`, `america/new_york`.
    Date,
    /// `14:30:00.5`
    Time,
    /// `+08:00`
    Offset,
    Word,
    /// `-infinity`
    Signed,
}

/// A field in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) text: String,
}

pub(super) fn split(text: &str) -> Result<Vec<Field>, Bad> {
    let mut fields = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '0'..='9' => {
                let (kind, length) = from_digit(rest);
                fields.push(field(kind, &rest[..length]));
                length
            }
            '.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                let length = 1 + digits(&rest[1..]);
                fields.push(field(Kind::Number, &rest[..length]));
                length
            }
            letter if letter.is_ascii_alphabetic() => {
                let (kind, length) = from_letter(rest);
                fields.push(field(kind, &rest[..length]));
                length
            }
            '+' | '-' => {
                let (kind, length) = from_sign(rest)?;
                let text: String = rest[..length].split_ascii_whitespace().collect();
                fields.push(field(kind, &text));
                length
            }
            other if other.is_ascii_whitespace() || other.is_ascii_punctuation() => 1,
            _ => return Err(Bad::Syntax),
        };
        rest = &rest[length..];
    }
    if fields.is_empty() || fields.len() > MOST { Err(Bad::Syntax) } else { Ok(fields) }
}

fn field(kind: Kind, text: &str) -> Field {
    Field { kind, text: text.to_ascii_lowercase() }
}

/// How many bytes at the start are of a kind.
fn run(text: &str, is_one: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is_one(*byte)).count()
}

fn digits(text: &str) -> usize {
    run(text, |byte| byte.is_ascii_digit())
}

fn from_digit(text: &str) -> (Kind, usize) {
    let first = digits(text);
    match text.as_bytes().get(first) {
        Some(b':') => {
            (Kind::Time, first + run(&text[first..], |byte| matches!(byte, b'0'..=b'9' | b':' | b'.')))
        }
        Some(&separator @ (b'-' | b'/' | b'.')) => {
            let behind = &text[first + 1..];
            let second = digits(behind);
            let end = first + 1 + second;
            if second == 0 {
                // The month may be a word.
                let more = run(behind, |byte| byte.is_ascii_alphanumeric() || byte == separator);
                (Kind::Date, end + more)
            } else if text.as_bytes().get(end) == Some(&separator) {
                (Kind::Date, end + run(&text[end..], |byte| byte.is_ascii_digit() || byte == separator))
            } else {
                (if separator == b'.' { Kind::Number } else { Kind::Date }, end)
            }
        }
        _ => (Kind::Number, first),
    }
}

fn from_letter(text: &str) -> (Kind, usize) {
    let letters = run(text, |byte| byte.is_ascii_alphabetic());
    let has_parts = match text.as_bytes().get(letters) {
        Some(b'-' | b'/' | b'.') => true,
        // `jan5` is a date; `t1430` is a time behind its mark.
        Some(b'+' | b'0'..=b'9') => super::words::word(&text[..letters].to_ascii_lowercase()).is_none(),
        _ => false,
    };
    if !has_parts {
        return (Kind::Word, letters);
    }
    let part =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/' | b'_' | b'.' | b':');
    (Kind::Date, letters + run(&text[letters..], part))
}

fn from_sign(text: &str) -> Result<(Kind, usize), Bad> {
    let start = 1 + run(&text[1..], |byte| byte.is_ascii_whitespace());
    let behind = &text[start..];
    match behind.bytes().next() {
        Some(b'0'..=b'9') => {
            let length = run(behind, |byte| matches!(byte, b'0'..=b'9' | b':' | b'.' | b'-'));
            Ok((Kind::Offset, start + length))
        }
        Some(letter) if letter.is_ascii_alphabetic() => {
            Ok((Kind::Signed, start + run(behind, |byte| byte.is_ascii_alphabetic())))
        }
        _ => Err(Bad::Syntax),
    }
}
