//! Pinyin: `重庆银行App` is `chong qing yin hang app`.
//!
//! Characters are read as they mostly are, except in the words of `heteronyms.txt`, the longest first. There are
//! no tone marks, and ü is v, as on a keyboard. Letters and digits stay together, half-width and lower-case; all
//! else separates.

use std::collections::HashMap;
use std::sync::LazyLock;

use pinyin::ToPinyin;

use super::width::{fold, is_han};

/// Syllables of `text`, separated by single spaces; empty if it has neither characters nor letters.
pub(crate) fn pinyin(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    read(text, |syllable, glued| {
        if !(glued || out.is_empty()) {
            out.push(' ');
        }
        out.push_str(syllable);
    });
    out
}

/// First letters of the syllables of `text`, letters and digits whole: `重庆银行` is `cqyh`.
pub(crate) fn pinyin_initials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for syllable in pinyin(text).split(' ') {
        let latin = syllable.len() > 6 || syllable.bytes().any(|b| b.is_ascii_digit());
        if latin { out.push_str(syllable) } else { out.extend(syllable.chars().take(1)) }
    }
    out
}

/// Calls `emit` with each syllable and each letter; a letter is `glued` to the letter before.
fn read(text: &str, mut emit: impl FnMut(&str, bool)) {
    let mut at = 0;
    let mut glued = false;
    let mut buffer = [0; 4];
    while let Some(c) = text[at..].chars().next() {
        if let Some((length, syllables)) = heteronym(&text[at..], c) {
            syllables.iter().for_each(|syllable| emit(syllable, false));
            at += length;
            glued = false;
            continue;
        }
        at += c.len_utf8();
        if let Some(syllable) = syllable(c) {
            emit(syllable, false);
            glued = false;
        } else if c.is_alphanumeric() {
            emit(fold(c).encode_utf8(&mut buffer), glued);
            glued = !is_han(c);
        } else {
            glued = false;
        }
    }
}

/// The most frequent reading of a character.
pub(super) fn syllable(c: char) -> Option<&'static str> {
    if !is_han(c) {
        return None;
    }
    match c.to_pinyin()?.plain() {
        "lü" => Some("lv"),
        "nü" => Some("nv"),
        "lüe" => Some("lve"),
        "nüe" => Some("nve"),
        plain => Some(plain),
    }
}

/// A word and its syllables.
type Reading = (&'static str, Vec<&'static str>);

/// Words by their first character, the longest first.
static HETERONYMS: LazyLock<HashMap<char, Vec<Reading>>> = LazyLock::new(|| {
    let mut words: HashMap<char, Vec<Reading>> = HashMap::new();
    for line in include_str!("heteronyms.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split(' ');
        if let Some((word, first)) = parts.next().and_then(|word| Some((word, word.chars().next()?))) {
            words.entry(first).or_default().push((word, parts.collect()));
        }
    }
    for list in words.values_mut() {
        list.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    }
    words
});

/// Bytes and syllables of the listed word that `text` begins with.
fn heteronym(text: &str, first: char) -> Option<(usize, &'static [&'static str])> {
    if !is_han(first) {
        return None;
    }
    let list = HETERONYMS.get(&first)?;
    list.iter()
        .find(|(word, _)| text.starts_with(word))
        .map(|(word, syllables)| (word.len(), syllables.as_slice()))
}
