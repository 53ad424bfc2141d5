//! The strings of a workbook, which its cells refer to by number.

use voxhouse_engine::{Error, ErrorKind, Result};

use super::xml::{Name, Node, Xml};

/// They are held in memory while the file is read.
const MAX_BYTES: usize = 256 << 20;

/// An empty string takes memory too.
const MAX_STRINGS: usize = 20_000_000;

/// All of them, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    pub(super) fn read(mut xml: Xml) -> Result<Self> {
        let mut strings = Self::default();
        let mut in_text = false;
        let mut in_phonetic = false;
        loop {
            match xml.next()? {
                Node::Open(element) => match element.name {
                    Name::Text => in_text = true,
                    Name::Phonetic => in_phonetic = true,
                    _ => {}
                },
                Node::Close(Name::Text) => in_text = false,
                Node::Close(Name::Phonetic) => in_phonetic = false,
                Node::Close(Name::Item) => {
                    let start = strings.ends.last().copied().unwrap_or(0);
                    if let Some(plain) = unescaped(strings.text.get(start..).unwrap_or_default()) {
                        strings.text.truncate(start);
                        strings.text.push_str(&plain);
                    }
                    strings.ends.push(strings.text.len());
                }
                Node::Text(text) if in_text && !in_phonetic => strings.text.push_str(&text),
                Node::End => return Ok(strings),
                _ => {}
            }
            if strings.text.len() > MAX_BYTES || strings.ends.len() > MAX_STRINGS {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("strings of the workbook are larger than {} MiB", MAX_BYTES >> 20),
                )
                .with_hint("Save the sheet as CSV."));
            }
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end)
    }
}

/// The text without `_x000D_` and its kin, which stand for characters that XML cannot have; none if it has
/// none of them.
pub(super) fn unescaped(text: &str) -> Option<String> {
    text.contains("_x").then_some(())?;
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let letter = escape.get(2..6).filter(|_| escape.get(6..7) == Some("_"));
        let letter = letter.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        let used = match letter {
            Some(letter) => {
                plain.push(letter);
                7
            }
            None => {
                plain.push_str("_x");
                2
            }
        };
        rest = escape.get(used..).unwrap_or_default();
    }
    plain.push_str(rest);
    Some(plain)
}
