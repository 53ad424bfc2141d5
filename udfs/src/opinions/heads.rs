//! The name under which an aspect is counted: 送货, 外送 and 快递 are all 配送.
//!
//! `data/aspect_heads.tsv` maps terms to heads; `data/implied_aspects.tsv` maps opinions that name no aspect
//! to the one they are about (贵 → 价格). Users put other heads beside the first.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Invalid;
use super::terms::{Terms, pair};

/// Tables of heads.
#[derive(Debug)]
pub(crate) struct Heads {
    by_term: HashMap<Box<str>, Box<str>>,
    implied: Terms<usize>,
    implied_names: Vec<Box<str>>,
}

static SHIPPED: LazyLock<Heads> = LazyLock::new(|| Heads::edited(std::iter::empty()));

impl Heads {
    /// The tables that come with the program.
    pub(crate) fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The tables that come with the program, with other heads for some terms.
    pub(crate) fn edited<'a>(terms: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (shipped, implied) =
            (include_str!("data/aspect_heads.tsv"), include_str!("data/implied_aspects.tsv"));
        let mut heads = Self::new(shipped, implied).unwrap_or_else(|_| Self::empty());
        heads.by_term.extend(terms.map(|(term, head)| (term.to_lowercase().into(), head.into())));
        heads
    }

    fn empty() -> Self {
        Self { by_term: HashMap::new(), implied: Terms::new(std::iter::empty()), implied_names: Vec::new() }
    }

    /// Reads two tables of tab-separated rows with a header: term and head, opinion and head.
    ///
    /// # Errors
    /// A row without two cells that are not empty.
    pub(crate) fn new(terms: &str, implied: &str) -> Result<Self, Invalid> {
        let mut heads = Self::empty();
        for (term, head) in table(terms)? {
            heads.by_term.insert(term.to_lowercase().into(), head.into());
        }
        let implied = table(implied)?;
        heads.implied_names = implied.iter().map(|&(_, head)| head.into()).collect();
        heads.implied = Terms::new(implied.iter().enumerate().map(|(index, &(term, _))| (term, index)));
        Ok(heads)
    }

    /// The head of an aspect: that of the whole, else of what follows its last 的, else of its longest
    /// ending or beginning that the table knows; else itself.
    pub(crate) fn of(&self, aspect: &str) -> String {
        let aspect = aspect.trim_matches(|c: char| !c.is_alphanumeric());
        let tail = match aspect.rsplit_once('的') {
            Some((_, tail)) if !tail.is_empty() => tail,
            _ => aspect,
        };
        let known = self.known(aspect).or_else(|| self.known(tail)).or_else(|| self.part(tail));
        known.unwrap_or(tail).to_string()
    }

    /// Whether the table names the term, or its singular.
    pub(crate) fn knows(&self, term: &str) -> bool {
        self.known(term).is_some()
    }

    fn known(&self, term: &str) -> Option<&str> {
        self.by_term.get(term).map(AsRef::as_ref)
    }

    /// The head of the longest ending of at least two characters, else of the longest beginning.
    fn part(&self, term: &str) -> Option<&str> {
        if term.is_ascii() {
            return term.split(' ').rev().find_map(|word| self.known(word));
        }
        let cuts: Vec<usize> = term.char_indices().map(|(at, _)| at).skip(1).take(24).collect();
        let long = |part: &&str| part.chars().nth(1).is_some();
        let ending = cuts.iter().map(|&at| &term[at..]).filter(long).find_map(|part| self.known(part));
        ending.or_else(|| {
            cuts.iter().rev().map(|&at| &term[..at]).filter(long).find_map(|part| self.known(part))
        })
    }

    /// The head that an opinion without an aspect is about.
    pub(crate) fn implied(&self, opinion: &[char]) -> Option<&str> {
        let index = (0..opinion.len()).find_map(|place| self.implied.find(opinion, place))?.0;
        self.implied_names.get(index).map(AsRef::as_ref)
    }
}

fn table(text: &str) -> Result<Vec<(&str, &str)>, Invalid> {
    let rows = text.lines().enumerate().skip(1).filter(|(_, row)| !row.trim().is_empty());
    rows.map(|(number, row)| match pair(row) {
        Some((term, head)) if !term.is_empty() && !head.is_empty() => Ok((term, head)),
        _ => Err(Invalid::new(format!("row {} of the aspect table has no head", number + 1))),
    })
    .collect()
}
