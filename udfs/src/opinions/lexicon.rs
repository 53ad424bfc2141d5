//! The words of the sentiment lexicon, found in a sentence.

use std::sync::LazyLock;

use super::terms::{Terms, rows};

/// What the lexicon says of a character.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Mark {
    #[default]
    None,
    /// Polarity in tenths; 0 keeps a shorter term from firing inside a longer word.
    Polarity {
        tenths: i8,
        first: bool,
    },
    Negator {
        first: bool,
    },
    /// Scale in tenths.
    Degree {
        tenths: i8,
        first: bool,
    },
    Contrast {
        first: bool,
    },
    Wish {
        first: bool,
    },
    /// A little more: 一些, 一点.
    More {
        first: bool,
    },
}

impl Mark {
    /// A small number that tells kinds of marks apart.
    pub(crate) fn code(self) -> u32 {
        match self {
            Mark::None => 0,
            Mark::Polarity { tenths, first } => {
                let sign = match tenths {
                    1.. => 1,
                    0 => 3,
                    _ => 2,
                };
                2 * sign + u32::from(first)
            }
            Mark::Negator { first } => 8 + u32::from(first),
            Mark::Degree { first, .. } => 10 + u32::from(first),
            Mark::Contrast { first } => 12 + u32::from(first),
            Mark::Wish { first } => 14 + u32::from(first),
            Mark::More { first } => 16 + u32::from(first),
        }
    }

    fn inside(self) -> Self {
        match self {
            Mark::None => Mark::None,
            Mark::Polarity { tenths, .. } => Mark::Polarity { tenths, first: false },
            Mark::Negator { .. } => Mark::Negator { first: false },
            Mark::Degree { tenths, .. } => Mark::Degree { tenths, first: false },
            Mark::Contrast { .. } => Mark::Contrast { first: false },
            Mark::Wish { .. } => Mark::Wish { first: false },
            Mark::More { .. } => Mark::More { first: false },
        }
    }
}

/// The lexicon of sentiment and its modifiers.
pub(crate) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let polarities = rows(include_str!("../../data/sentiment.tsv")).filter_map(polarity);
    let modifiers = rows(include_str!("../../data/sentiment_modifiers.tsv")).filter_map(modifier);
    Lexicon { terms: Terms::new(polarities.chain(modifiers)) }
});

#[derive(Debug)]
pub(crate) struct Lexicon {
    terms: Terms<Mark>,
}

impl Lexicon {
    /// Marks each character with the leftmost longest term that covers it.
    pub(crate) fn mark(&self, chars: &[char], marks: &mut Vec<Mark>) {
        marks.clear();
        while marks.len() < chars.len() {
            match self.terms.find(chars, marks.len()) {
                Some((mark, length)) => {
                    marks.push(mark);
                    marks.extend(std::iter::repeat_n(mark.inside(), length - 1));
                }
                None => marks.push(Mark::None),
            }
        }
    }
}

fn polarity(row: &'static str) -> Option<(&'static str, Mark)> {
    let (term, value) = row.split_once('\t')?;
    Some((term, Mark::Polarity { tenths: tenths(value)?, first: true }))
}

fn modifier(row: &'static str) -> Option<(&'static str, Mark)> {
    let mut cells = row.split('\t');
    let (term, role, value) = (cells.next()?, cells.next()?, cells.next()?);
    let mark = match role {
        "negator" => Mark::Negator { first: true },
        "degree" => Mark::Degree { tenths: tenths(value)?, first: true },
        "contrast" => Mark::Contrast { first: true },
        "wish" => Mark::Wish { first: true },
        "more" => Mark::More { first: true },
        _ => return None,
    };
    Some((term, mark))
}

fn tenths(value: &str) -> Option<i8> {
    Some((value.parse::<f64>().ok()? * 10.0).round() as i8)
}
