//! The words that sentiment is read from, and finding them in a text.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::tokenize::is_spaced;

/// What a term does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Role {
    Polarity(f64),
    /// Turns round the next polarity that is at most so many words or characters away.
    Negator(usize),
    /// Scales the next polarity.
    Degree(f64),
    Contrast,
    /// What follows in the clause is wanted, not found.
    Wish,
    /// A little more, behind what is wanted more of.
    More,
    /// Carries a negation over to the next term.
    And,
}

#[derive(Debug)]
struct Term {
    text: Box<str>,
    role: Role,
}

/// Terms by first character, the longest first.
pub(super) struct Lexicon {
    terms: HashMap<char, Vec<Term>>,
}

pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Lexicon { terms: HashMap::new() };
    for (term, role) in polarities().chain(modifiers()) {
        if let Some(first) = term.chars().next() {
            lexicon.terms.entry(first).or_default().push(Term { text: term.into(), role });
        }
    }
    for terms in lexicon.terms.values_mut() {
        terms.sort_by_key(|term| std::cmp::Reverse(term.text.len()));
    }
    lexicon
});

/// The rows of `sentiment.tsv`.
pub(super) fn polarities() -> impl Iterator<Item = (&'static str, Role)> {
    rows(include_str!("../../data/sentiment.tsv")).filter_map(|row| {
        let (term, polarity) = row.split_once('\t')?;
        Some((term, Role::Polarity(polarity.parse().ok()?)))
    })
}

/// The rows of `sentiment_modifiers.tsv`.
pub(super) fn modifiers() -> impl Iterator<Item = (&'static str, Role)> {
    rows(include_str!("../../data/sentiment_modifiers.tsv")).filter_map(|row| {
        let mut cells = row.split('\t');
        let (term, role, value) = (cells.next()?, cells.next()?, cells.next()?);
        let role = match role {
            "negator" => Role::Negator(value.parse().ok()?),
            "degree" => Role::Degree(value.parse().ok()?),
            "contrast" => Role::Contrast,
            "wish" => Role::Wish,
            "more" => Role::More,
            "and" => Role::And,
            _ => return None,
        };
        Some((term, role))
    })
}

pub(super) fn rows(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().skip(1)
}

/// Endings that an English term may take on in a text.
const ENDINGS: [&str; 5] = ["s", "es", "d", "ed", "ing"];

/// The shortest English term that may take an ending.
const INFLECTED_FROM: usize = 4;

impl Lexicon {
    /// The longest term at the beginning of `rest` and its length in bytes. `rest` is lower-case and does
    /// not begin inside an English word.
    pub(super) fn find(&self, rest: &str) -> Option<(Role, usize)> {
        let terms = self.terms.get(&rest.chars().next()?)?;
        terms.iter().find_map(|term| {
            let behind = rest.strip_prefix(term.text.as_ref())?;
            if !term.text.ends_with(is_spaced) {
                return Some((term.role, term.text.len()));
            }
            let word = behind.len() - behind.trim_start_matches(is_spaced).len();
            let ending = &behind[..word];
            let inflected = term.text.len() >= INFLECTED_FROM && ENDINGS.contains(&ending);
            (ending.is_empty() || inflected).then_some((term.role, term.text.len() + word))
        })
    }
}
