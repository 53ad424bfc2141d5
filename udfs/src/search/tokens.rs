//! The tokens of a text with their places, parts of speech and normal forms.
//!
//! Web and mail addresses, @mentions, #topics#, [emoticons] and emoji are tokens of their own; the rest is
//! segmented by jieba. What has neither letter nor digit is dropped. Folding to half-width exchanges characters
//! one by one, so that every place is one of the original text.

use std::cell::OnceCell;

use jieba_rs::Jieba;
use rust_stemmers::{Algorithm, Stemmer};

use super::special;
use crate::script::{fold, half_width, is_han};

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Half-width and lower-case; English words by their stem (Porter 2), topics and mentions without their signs.
    pub(crate) text: String,
    /// First character in the text, and behind the last.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Ordinal among the tokens, from 0.
    pub(crate) position: usize,
    /// jieba's part of speech, or url, email, mention, topic, emoji; empty if not asked for (these five are
    /// always there).
    pub(crate) tag: String,
}

/// Whether parts of speech are worth their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Words,
    Tags,
}

/// The tokens of `text` in order.
pub(crate) fn tokens(jieba: &Jieba, text: &str, detail: Detail) -> Vec<Token> {
    let mut reading =
        Reading { jieba, detail, tokens: Vec::new(), plain: String::new(), plain_start: 0, place: 0 };
    let mut at = 0;
    let mut before = None;
    while let Some(c) = text[at..].chars().next() {
        if let Some((length, tag)) = special::at(&text[at..], before) {
            let word = &text[at..at + length];
            reading.end_plain();
            reading.push_special(word, tag);
            before = word.chars().next_back();
            at += length;
            continue;
        }
        reading.push_plain(c);
        before = Some(c);
        at += c.len_utf8();
    }
    reading.end_plain();
    reading.tokens
}

struct Reading<'a> {
    jieba: &'a Jieba,
    detail: Detail,
    tokens: Vec<Token>,
    /// Folded text since the last special token, and the place of its first character.
    plain: String,
    plain_start: usize,
    /// Characters read.
    place: usize,
}

impl Reading<'_> {
    fn push_plain(&mut self, c: char) {
        if self.plain.is_empty() {
            self.plain_start = self.place;
        }
        self.plain.push(half_width(c));
        self.place += 1;
    }

    fn push_special(&mut self, word: &str, tag: &str) {
        let length = word.chars().count();
        let inner = match tag {
            "topic" | "mention" => word.trim_matches(['#', '@']),
            _ => word,
        };
        let text = if tag == "url" { inner.to_owned() } else { inner.chars().map(fold).collect() };
        self.push(text, self.place, self.place + length, tag);
        self.place += length;
    }

    fn push(&mut self, text: String, start: usize, end: usize, tag: &str) {
        self.tokens.push(Token { text, start, end, position: self.tokens.len(), tag: tag.to_owned() });
    }

    /// Segments what has gathered.
    fn end_plain(&mut self) {
        let plain = std::mem::take(&mut self.plain);
        let pieces: Vec<(&str, &str)> = match self.detail {
            Detail::Words => self.jieba.cut(&plain, true).into_iter().map(|token| (token.word, "")).collect(),
            Detail::Tags => {
                self.jieba.tag(&plain, true).into_iter().map(|tagged| (tagged.word, tagged.tag)).collect()
            }
        };
        let mut place = self.plain_start;
        let mut pending: Option<Piece> = None;
        for (word, tag) in pieces {
            let length = word.chars().count();
            match &mut pending {
                Some(piece) if piece.goes_on(word) => piece.extend(word, length),
                _ => {
                    self.finish(pending.take());
                    pending = Some(Piece { word: word.to_owned(), tag, start: place, length });
                }
            }
            place += length;
        }
        self.finish(pending);
        self.plain = plain;
        self.plain.clear();
    }

    /// Hands out a piece without the punctuation around it, if anything is left.
    fn finish(&mut self, piece: Option<Piece<'_>>) {
        let Some(piece) = piece else { return };
        let kept = piece.word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let start = piece.start + piece.length - kept.chars().count();
        let kept = kept.trim_end_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '%' | '+' | '#'));
        if !kept.is_empty() {
            self.push(normal(kept), start, start + kept.chars().count(), piece.tag);
        }
    }
}

/// Segments that belong together: jieba parts words outside ASCII and at apostrophes.
struct Piece<'a> {
    word: String,
    tag: &'a str,
    start: usize,
    length: usize,
}

impl Piece<'_> {
    fn goes_on(&self, next: &str) -> bool {
        let (Some(first), Some(last), Some(after)) =
            (self.word.chars().next(), self.word.chars().next_back(), next.chars().next())
        else {
            return false;
        };
        let word = |c: char| c.is_alphanumeric() && !is_unspaced(c);
        let apostrophe = |c: char| matches!(c, '\'' | '’');
        word(first)
            && ((word(last) && (word(after) || (apostrophe(after) && next.chars().count() == 1)))
                || (apostrophe(last) && word(after)))
    }

    fn extend(&mut self, next: &str, length: usize) {
        self.word.push_str(next);
        self.length += length;
    }
}

/// A script without spaces between words.
fn is_unspaced(c: char) -> bool {
    is_han(c)
        || matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3041}'..='\u{30ff}')
}

thread_local! {
    static STEMMER: OnceCell<Stemmer> = const { OnceCell::new() };
}

/// The form under which words are compared.
pub(super) fn normal(word: &str) -> String {
    let folded: String = word.chars().map(fold).map(|c| if c == '’' { '\'' } else { c }).collect();
    let english = folded.len() > 2 && folded.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'');
    if !english {
        return folded;
    }
    STEMMER.with(|stemmer| {
        stemmer.get_or_init(|| Stemmer::create(Algorithm::English)).stem(&folded).into_owned()
    })
}
