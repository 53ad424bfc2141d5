//! Word segmentation: `tokenize`.
//!
//! Chinese is segmented by jieba (a maximum-probability path over the dictionary's words, a hidden Markov
//! model for the rest) with the dictionary of [`crate::knowledge`]. Words of other scripts are kept whole
//! and lower-cased, with their apostrophe (`don't`); there is no stemming. Full-width letters and digits
//! become half-width. What has neither letter nor digit (white space, punctuation, emoji) is dropped.
//!
//! Modes: `accurate` gives each character to one word; `search` adds the shorter words inside long ones;
//! `all` gives every word of the dictionary that occurs, single characters included. NULL gives NULL, empty text an empty array, another
//! mode an error.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use jieba_rs::{Jieba, Token};
use voxhouse_engine::Error;

use crate::entry::{Definition, Entry};
use crate::scalar::{self, Columns, text};

const TOKENIZE: Definition = Definition {
    name: "tokenize",
    arguments: "text [, mode]",
    returns: "text[]",
    volatility: Volatility::Stable,
    description: "Words of a text in order, Chinese segmented by the dictionary, other scripts lower-cased; \
                  punctuation is dropped. mode is accurate (the default), search (adds the shorter words \
                  inside long ones) or all (every word of the dictionary that occurs, single characters too).",
    example: "SELECT tokenize('客服很耐心，App 响应快！')",
    example_result: "[客服, 很, 耐心, app, 响应, 快]",
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![scalar::entry(TOKENIZE, &[text(), text()], 1, list_of_text(), "Text", run)]
}

pub(crate) fn list_of_text() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

fn run(columns: &Columns) -> Result<ArrayRef> {
    let texts = columns.text(0)?;
    let modes = if columns.has(1) { Some(columns.text(1)?) } else { None };
    let jieba = columns.taught().knowledge().dictionary.jieba();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..columns.rows() {
        let mode = match &modes {
            Some(modes) => modes.get(row).map(Mode::parse).transpose()?,
            None => Some(Mode::Accurate),
        };
        let (Some(text), Some(mode)) = (texts.get(row), mode) else {
            lists.append_null();
            continue;
        };
        for_each_token(&jieba, text, mode, |token| lists.values().append_value(token));
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Accurate,
    Search,
    All,
}

impl Mode {
    fn parse(name: &str) -> Result<Self, Error> {
        match name {
            "accurate" => Ok(Mode::Accurate),
            "search" => Ok(Mode::Search),
            "all" => Ok(Mode::All),
            other => Err(Error::invalid_argument(format!("tokenization mode \"{other}\" does not exist"))
                .with_hint("The modes are accurate, search and all.")),
        }
    }
}

/// Calls `emit` with each token of `text` in order.
pub(crate) fn for_each_token(jieba: &Jieba, text: &str, mode: Mode, mut emit: impl FnMut(&str)) {
    let folded = fold_width(text);
    let text = folded.as_ref();
    let pieces = match mode {
        Mode::Accurate => jieba.cut(text, true),
        Mode::Search => jieba.cut_for_search(text, true),
        Mode::All => jieba.cut_all(text),
    };
    let mut finish = |word: &str| {
        if let Some(token) = clean(word) {
            emit(&token);
        }
    };
    let mut pending: Option<(usize, usize)> = None;
    for Token { byte_start, byte_end, .. } in pieces {
        pending = match pending {
            Some((start, end)) if end == byte_start && continues(text, start, end) => Some((start, byte_end)),
            Some((start, end)) => {
                finish(&text[start..end]);
                Some((byte_start, byte_end))
            }
            None => Some((byte_start, byte_end)),
        };
    }
    if let Some((start, end)) = pending {
        finish(&text[start..end]);
    }
}

/// Whether the word `text[start..end]`, in a script that separates words, goes on behind `end`. jieba cuts
/// such words at letters outside ASCII and at apostrophes.
fn continues(text: &str, start: usize, end: usize) -> bool {
    let (word, rest) = (&text[start..end], &text[end..]);
    let mut following = rest.chars();
    let (Some(first), Some(last), Some(next)) =
        (word.chars().next(), word.chars().next_back(), following.next())
    else {
        return false;
    };
    if is_apostrophe(last) {
        return !is_apostrophe(first) && is_spaced(next);
    }
    is_spaced(last) && (is_spaced(next) || (is_apostrophe(next) && following.next().is_some_and(is_spaced)))
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’')
}

/// A letter, digit or accent of a script that puts spaces between words.
pub(crate) fn is_spaced(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    let unspaced = matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' // Thai, Lao, Burmese, Khmer
        | '\u{2e80}'..='\u{312f}' | '\u{3190}'..='\u{abff}' // Han radicals to kana, ideographs
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}');
    !unspaced && (c.is_alphanumeric() || matches!(c, '\u{0300}'..='\u{036f}'))
}

/// The token as it is handed out: trimmed of punctuation and lower-cased; `None` if nothing is left.
fn clean(word: &str) -> Option<Cow<'_, str>> {
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let word = word.trim_end_matches(|c: char| {
        !c.is_alphanumeric() && !matches!(c, '%' | '+' | '#' | '\u{0300}'..='\u{036f}')
    });
    if word.is_empty() {
        return None;
    }
    if word.chars().any(|c| c.is_uppercase() || c == '’') {
        return Some(Cow::Owned(word.to_lowercase().replace('’', "'")));
    }
    Some(Cow::Borrowed(word))
}

/// Full-width letters, digits and the signs that jieba accepts inside words become half-width.
fn fold_width(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| half_width(c).is_some()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| half_width(c).unwrap_or(c)).collect())
}

fn half_width(c: char) -> Option<char> {
    let half = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)?,
        _ => return None,
    };
    (half.is_ascii_alphanumeric() || matches!(half, '+' | '#' | '&' | '.' | '_' | '%' | '-')).then_some(half)
}

#[cfg(test)]
mod tests;
