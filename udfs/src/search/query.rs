//! A query over tokens: compiled once, asked of every text.
//!
//! A term of Chinese is found whichever way text and query are segmented: it matches consecutive tokens that
//! together spell it. It may begin or end inside a token only if it lies wholly inside that token or covers
//! another token of two characters or more, so that 系统卡 is found in 系统|卡顿 but 和服 not in 产品|和|服务.
//! English terms match by their stem.

use super::Invalid;
use super::parse;
use super::tokens::{Token, normal};
use crate::script::{half_width, is_han};

/// A compiled query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    root: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Phrase(Phrase),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// The two no more than so many tokens apart, in either order.
    Near(Box<Node>, Box<Node>, usize),
}

/// Pieces that follow one another; a term is a phrase of one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    pieces: Vec<Piece>,
    /// Whether the last piece is only the beginning of a word.
    prefix: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    text: String,
    han: bool,
}

/// Where a phrase matches: tokens by number and characters, both ends included for tokens, excluded for
/// characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    first: usize,
    last: usize,
    start: usize,
    end: usize,
}

impl Query {
    /// Reads a query: words side by side or joined by AND must all occur; OR, NOT (or a minus sign before a word),
    /// brackets, "phrases", `begin*` and `a NEAR/3 b` (at most three tokens between) are understood. Operators are
    /// in capitals. NOT binds tightest, then NEAR, AND, OR.
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        Ok(Self { root: parse::parse(text)? })
    }

    /// Whether the text with these `tokens` (in order, from [`super::tokens`]) fits the query.
    pub(crate) fn matches(&self, tokens: &[Token]) -> bool {
        self.root.holds(tokens)
    }

    /// Whether the text can fit at all: false only if a Chinese term is missing that must be there. Much cheaper
    /// than tokens.
    pub(crate) fn may_match(&self, text: &str) -> bool {
        self.root.may_hold(text)
    }

    /// Character ranges of what matches, in order and without overlaps; what stands under NOT is left out.
    pub(crate) fn highlights(&self, tokens: &[Token]) -> Vec<(usize, usize)> {
        self.leaves(tokens).into_iter().fold(
            Vec::new(),
            |mut merged: Vec<(usize, usize)>, (start, end, _)| {
                match merged.last_mut() {
                    Some(last) if start < last.1 => last.1 = last.1.max(end),
                    _ => merged.push((start, end)),
                }
                merged
            },
        )
    }

    /// Character ranges with the number of the phrase that matches there, in order.
    pub(super) fn leaves(&self, tokens: &[Token]) -> Vec<(usize, usize, usize)> {
        let mut phrases = Vec::new();
        self.root.positive(&mut phrases);
        let mut found = Vec::new();
        for (number, phrase) in phrases.into_iter().enumerate() {
            found.extend(phrase.matches(tokens).map(|m| (m.start, m.end, number)));
        }
        found.sort_unstable();
        found
    }
}

impl Node {
    fn holds(&self, tokens: &[Token]) -> bool {
        match self {
            Node::Phrase(phrase) => phrase.matches(tokens).next().is_some(),
            Node::And(nodes) => nodes.iter().all(|node| node.holds(tokens)),
            Node::Or(nodes) => nodes.iter().any(|node| node.holds(tokens)),
            Node::Not(node) => !node.holds(tokens),
            Node::Near(..) => !self.places(tokens).is_empty(),
        }
    }

    fn may_hold(&self, text: &str) -> bool {
        match self {
            Node::Phrase(phrase) => {
                phrase.pieces.iter().all(|piece| !piece.han || text.contains(&piece.text))
            }
            Node::And(nodes) => nodes.iter().all(|node| node.may_hold(text)),
            Node::Or(nodes) => nodes.iter().any(|node| node.may_hold(text)),
            Node::Not(_) => true,
            Node::Near(left, right, _) => left.may_hold(text) && right.may_hold(text),
        }
    }

    /// Where the node matches, in order; the parser lets only phrases, OR and NEAR of them come here.
    fn places(&self, tokens: &[Token]) -> Vec<Match> {
        let mut places = match self {
            Node::Phrase(phrase) => phrase.matches(tokens).collect(),
            Node::Or(nodes) => nodes.iter().flat_map(|node| node.places(tokens)).collect(),
            Node::Near(left, right, most) => near(&left.places(tokens), &right.places(tokens), *most),
            Node::And(_) | Node::Not(_) => Vec::new(),
        };
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whether the node has places.
    pub(super) fn is_positional(&self) -> bool {
        match self {
            Node::Phrase(_) | Node::Near(..) => true,
            Node::Or(nodes) => nodes.iter().all(Node::is_positional),
            Node::And(_) | Node::Not(_) => false,
        }
    }

    /// The phrases that are not under NOT.
    fn positive<'a>(&'a self, phrases: &mut Vec<&'a Phrase>) {
        match self {
            Node::Phrase(phrase) => phrases.push(phrase),
            Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| node.positive(phrases)),
            Node::Near(left, right, _) => {
                left.positive(phrases);
                right.positive(phrases);
            }
            Node::Not(_) => {}
        }
    }
}

/// For every match on the left the nearest on the right on either side, if near enough: linear in both.
fn near(left: &[Match], right: &[Match], most: usize) -> Vec<Match> {
    let mut found = Vec::new();
    for a in left {
        let behind = right.partition_point(|b| b.first <= a.last);
        let neighbours = [behind.checked_sub(1), Some(behind)];
        for b in neighbours.into_iter().flatten().filter_map(|place| right.get(place)) {
            let (early, late) = if a.first <= b.first { (a, b) } else { (b, a) };
            if late.first > early.last && late.first - early.last - 1 <= most {
                found.push(Match { first: early.first, last: late.last, start: early.start, end: late.end });
            }
        }
    }
    found
}

impl Phrase {
    /// The phrase spelt by `text`; `None` if it has neither letter nor digit.
    pub(super) fn new(text: &str, prefix: bool) -> Option<Self> {
        let words = words(text);
        let last = words.len().checked_sub(1)?;
        let piece = |(place, word): (usize, &String)| {
            let text = if prefix && place == last {
                word.chars().map(crate::script::fold).collect()
            } else {
                normal(word)
            };
            Piece { han: text.chars().all(is_han), text }
        };
        Some(Self { pieces: words.iter().enumerate().map(piece).collect(), prefix })
    }

    fn matches<'a>(&'a self, tokens: &'a [Token]) -> impl Iterator<Item = Match> + 'a {
        let begins = |first: usize| {
            let inside = self
                .pieces
                .first()
                .filter(|piece| piece.han && self.pieces.len() == 1 && piece.text.len() > 3);
            let token = tokens[first].text.as_str();
            let inner = inside.and_then(|piece| piece.text.chars().next()).into_iter().flat_map(move |c| {
                token.char_indices().skip(1).filter(move |(_, t)| *t == c).map(|(place, _)| place)
            });
            std::iter::once(0).chain(inner).find_map(|offset| self.at(tokens, first, offset))
        };
        (0..tokens.len()).filter_map(begins)
    }

    /// The match whose first piece begins at byte `offset` of the token `first`.
    fn at(&self, tokens: &[Token], first: usize, offset: usize) -> Option<Match> {
        let mut next = first;
        let mut end = 0;
        for (place, piece) in self.pieces.iter().enumerate() {
            let prefix = self.prefix && place + 1 == self.pieces.len();
            (next, end) = piece.at(tokens, next, if place == 0 { offset } else { 0 }, prefix)?;
        }
        let token = tokens.get(first)?;
        let start = token.start + token.text.get(..offset)?.chars().count();
        Some(Match { first, last: next.checked_sub(1)?, start, end })
    }
}

/// The words of a phrase, cut where tokens are: a sign such as a dash stays between ASCII letters or digits.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = text.chars().map(half_width).peekable();
    let mut inner = false;
    while let Some(c) = characters.next() {
        let next = characters.peek().is_some_and(char::is_ascii_alphanumeric);
        let sign = inner && next && matches!(c, '\'' | '’' | '-' | '.' | '_' | '&' | '+' | '#' | '%');
        match words.last_mut() {
            Some(word) if c.is_alphanumeric() || sign => word.push(c),
            _ => words.push(String::new()),
        }
        inner = c.is_ascii_alphanumeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Piece {
    /// The token behind the piece that begins at byte `offset` of the token `first`, and the character behind it.
    fn at(&self, tokens: &[Token], first: usize, offset: usize, prefix: bool) -> Option<(usize, usize)> {
        let mut rest = self.text.as_str();
        let mut next = first;
        let mut covers = false;
        loop {
            let token = tokens.get(next)?;
            let skipped = if next == first { offset } else { 0 };
            let here = token.text.get(skipped..)?;
            if next > first && token.start != tokens[next - 1].end {
                return None;
            }
            if let Some(behind) = rest.strip_prefix(here) {
                covers |= skipped == 0 && here.chars().nth(1).is_some();
                rest = behind;
                next += 1;
                if rest.is_empty() {
                    let inside = next == first + 1;
                    return (offset == 0 || covers || inside).then_some((next, token.end));
                }
                continue;
            }
            let inside = self.han && next == first && self.text.chars().nth(1).is_some();
            let ends_here = here.starts_with(rest) && (prefix || inside || (self.han && covers));
            let end = token.start + token.text[..skipped].chars().count() + rest.chars().count();
            return ends_here.then_some((next + 1, end));
        }
    }
}
