//! Words that make a clause a request, a question or a report of something that fails.

use std::ops::Range;
use std::sync::LazyLock;

use super::sentence::Sentence;
use super::terms::{Terms, pair, rows};

/// What a cue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    /// What follows in the clause is asked for.
    Wish,
    /// A verb that asks for something where it opens the clause.
    Imperative,
    /// Advice against the thing.
    Discourage,
    /// Makes the clause a question at its end.
    Asking,
    Question,
    Absent,
    Unable,
    Only,
    Change,
    Failure,
    /// 卡, which is also a card.
    Stall,
    Often,
    Seldom,
    /// Keeps a shorter cue from firing.
    Nothing,
}

/// A cue and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) cue: Cue,
    pub(crate) span: Range<usize>,
}

static CUES: LazyLock<Terms<Cue>> = LazyLock::new(|| {
    Terms::new(rows(include_str!("data/opinion_cues.tsv")).filter_map(|row| {
        let (term, name) = pair(row)?;
        Some((term, Cue::parse(name)?))
    }))
});

static HARMLESS: LazyLock<Terms<()>> =
    LazyLock::new(|| Terms::new(rows(include_str!("data/opinion_harmless.tsv")).map(|term| (term, ()))));

impl Cue {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "wish" => Cue::Wish,
            "imperative" => Cue::Imperative,
            "discourage" => Cue::Discourage,
            "asking" => Cue::Asking,
            "question" => Cue::Question,
            "absent" => Cue::Absent,
            "unable" => Cue::Unable,
            "only" => Cue::Only,
            "change" => Cue::Change,
            "stall" => Cue::Stall,
            "failure" => Cue::Failure,
            "often" => Cue::Often,
            "seldom" => Cue::Seldom,
            "none" => Cue::Nothing,
            _ => return None,
        })
    }
}

/// The cues of a stretch of a sentence, leftmost longest. A cue of one character must be a word by itself.
pub(crate) fn find(sentence: &Sentence, range: &Range<usize>, found: &mut Vec<Found>) {
    found.clear();
    let chars = sentence.chars.get(..range.end).unwrap_or_default();
    let mut place = range.start;
    while place < range.end {
        let hit = CUES.find(chars, place).filter(|&(_, length)| length > 1 || is_word(sentence, place));
        match hit {
            Some((cue, length)) => {
                if cue != Cue::Nothing {
                    found.push(Found { cue, span: place..place + length });
                }
                place += length;
            }
            None => place += 1,
        }
    }
}

/// Whether the absence of what stands in the range is a good thing.
pub(crate) fn is_harmless(sentence: &Sentence, range: &Range<usize>) -> bool {
    let chars = sentence.chars.get(..range.end).unwrap_or_default();
    range.clone().any(|place| HARMLESS.find(chars, place).is_some())
}

fn is_word(sentence: &Sentence, place: usize) -> bool {
    let word = sentence.word_of.get(place).and_then(|&index| sentence.words.get(usize::from(index)));
    word.is_some_and(|word| word.start == place && word.end == place + 1)
}
