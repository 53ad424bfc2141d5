//! A sentence as the tagger and the rules see it: folded characters, words with tags, clauses.
//!
//! Sentences end at 。！？；… and line breaks, and after [`LONGEST`] characters whatever stands there, so that
//! the work per character is bounded. Clauses end at commas and the like, and before a contrast (但是).
//! Full-width ASCII becomes half-width and letters lower-case, character by character, so that offsets stay.

use std::ops::Range;

use jieba_rs::Jieba;

use super::lexicon::{Lexicon, Mark};

/// The longest sentence, in characters.
pub(crate) const LONGEST: usize = 160;

/// A word of a sentence: where it stands and the code of its part of speech.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) tag: Tag,
    pub(crate) hash: u32,
}

/// A part of speech: the first two letters of jieba's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tag([u8; 2]);

impl Tag {
    fn new(name: &str) -> Self {
        let bytes = name.as_bytes();
        Self([bytes.first().copied().unwrap_or(0), bytes.get(1).copied().unwrap_or(0)])
    }

    pub(crate) fn code(self) -> u32 {
        u32::from(u16::from_le_bytes(self.0))
    }

    pub(crate) fn family(self) -> u8 {
        self.0[0]
    }

    pub(crate) fn is(self, name: &str) -> bool {
        self == Self::new(name)
    }

    /// Nouns, and what stands for things: names, foreign words, verbs used as nouns.
    pub(crate) fn is_nominal(self) -> bool {
        self.0[0] == b'n' || self.is("vn") || self.is("an") || self.is("en") || self.is("s") || self.is("j")
    }
}

/// A stretch of text short enough to be tagged at once. The buffers are reused from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Sentence {
    /// Where it begins in the text, in characters.
    pub(crate) offset: usize,
    pub(crate) chars: Vec<char>,
    pub(crate) words: Vec<Word>,
    /// Of each character, the word it belongs to.
    pub(crate) word_of: Vec<u16>,
    /// What the lexicon says of each character.
    pub(crate) marks: Vec<Mark>,
    pub(crate) clauses: Vec<Range<usize>>,
    pub(crate) text: String,
}

impl Sentence {
    /// Fills the sentence from its characters as they stand in the text.
    pub(crate) fn fill(&mut self, offset: usize, raw: &[char], jieba: &Jieba, lexicon: &Lexicon) {
        self.offset = offset;
        self.chars.clear();
        self.chars.extend(raw.iter().copied().map(fold));
        self.text.clear();
        self.text.extend(&self.chars);
        self.segment(jieba);
        lexicon.mark(&self.chars, &mut self.marks);
        self.split_clauses();
    }

    fn segment(&mut self, jieba: &Jieba) {
        self.words.clear();
        self.word_of.clear();
        let mut place = 0;
        for tag in jieba.tag(&self.text, true) {
            let length = tag.word.chars().count();
            let index = self.words.len() as u16;
            self.word_of.extend(std::iter::repeat_n(index, length));
            let hash = hash_chars(tag.word.chars());
            self.words.push(Word { start: place, end: place + length, tag: Tag::new(tag.tag), hash });
            place += length;
        }
        // Characters that the segmenter left out belong to no word of theirs.
        self.word_of.resize(self.chars.len(), self.words.len().saturating_sub(1) as u16);
    }

    fn split_clauses(&mut self) {
        self.clauses.clear();
        let mut start = 0;
        for place in 0..self.chars.len() {
            if place < start {
                continue;
            }
            if let Some(length) = self.list_marker(place) {
                self.push_clause(start, place);
                start = place + length;
            } else if is_clause_end(self.chars[place]) || self.is_gap(place) {
                self.push_clause(start, place);
                start = place + 1;
            } else if place > start && self.begins_contrast(place) {
                self.push_clause(start, place);
                start = place;
            }
        }
        self.push_clause(start, self.chars.len());
    }

    /// The length of "2." or "3、" at the head of an item of a list.
    fn list_marker(&self, place: usize) -> Option<usize> {
        let opens =
            place == 0 || self.chars[place - 1].is_whitespace() || is_clause_end(self.chars[place - 1]);
        let rest = &self.chars[place..];
        let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
        let sign = rest.get(digits).is_some_and(|c| matches!(c, '.' | '、' | ')'));
        let text = rest.get(digits + 1).is_some_and(|c| !c.is_ascii_digit());
        (opens && (1..=2).contains(&digits) && sign && text).then_some(digits + 1)
    }

    fn push_clause(&mut self, start: usize, end: usize) {
        if start < end {
            self.clauses.push(start..end);
        }
    }

    /// Between Chinese characters a space stands for a comma.
    fn is_gap(&self, place: usize) -> bool {
        self.chars[place].is_whitespace()
            && place > 0
            && !self.chars[place - 1].is_ascii()
            && self.chars.get(place + 1).is_some_and(|c| !c.is_ascii())
    }

    fn begins_contrast(&self, place: usize) -> bool {
        self.marks.get(place) == Some(&Mark::Contrast { first: true })
    }

    /// The characters of `span` as text; empty where the span is outside.
    pub(crate) fn slice(&self, span: Range<usize>) -> String {
        self.chars.get(span).unwrap_or_default().iter().collect()
    }

    /// The clause that holds `place`, or an empty one.
    pub(crate) fn clause_of(&self, place: usize) -> Range<usize> {
        self.clauses.iter().find(|clause| clause.contains(&place)).cloned().unwrap_or(place..place)
    }
}

/// The ends of the sentences of `chars`, each exclusive; the last is the length.
pub(crate) fn sentence_end(chars: &[char], start: usize) -> usize {
    let limit = (start + LONGEST).min(chars.len());
    let window = &chars[start..limit];
    if let Some(at) =
        window.iter().position(|c| matches!(c, '。' | '！' | '？' | '；' | '!' | '?' | ';' | '\n' | '\r'))
    {
        return start + at + 1;
    }
    if limit == chars.len() {
        return limit;
    }
    // No end in reach: cut at the last comma rather than inside a clause.
    match window.iter().rposition(|&c| is_clause_end(fold(c))) {
        Some(at) => start + at + 1,
        None => limit,
    }
}

pub(crate) fn is_clause_end(c: char) -> bool {
    matches!(
        c,
        ',' | '，'
            | '。'
            | '!'
            | '?'
            | ';'
            | ':'
            | '~'
            | '…'
            | '('
            | ')'
            | '【'
            | '】'
            | '\n'
            | '\r'
            | '\t'
            | '～'
            | '《'
            | '》'
            | '“'
            | '”'
            | '"'
    )
}

/// Lower-case and half-width.
pub(crate) fn fold(c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c).to_ascii_lowercase(),
        '\u{3000}' | '\0' => ' ',
        other => other,
    }
}

pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{3ffff}')
}

fn hash_chars(chars: impl Iterator<Item = char>) -> u32 {
    chars.fold(0x811c_9dc5, |hash, c| (hash ^ u32::from(c)).wrapping_mul(0x0100_0193).rotate_left(5))
}
