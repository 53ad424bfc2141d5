//! Queries: reading them, and telling where they hold.

use std::ops::Range;

use super::automaton::{Automaton, Occurrence};
use crate::opinions::Invalid;

/// The deepest nesting of brackets.
const DEEPEST: usize = 32;

/// The longest reach of `NEAR`.
const FARTHEST: usize = 100;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Query {
    Term(usize),
    And(Box<Query>, Box<Query>),
    Or(Box<Query>, Box<Query>),
    Not(Box<Query>),
    Near(Box<Query>, Box<Query>, usize),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Term(String),
    And,
    Or,
    Not,
    Near(usize),
    Open,
    Close,
}

/// Where the terms of a text stand, by number of the term.
#[derive(Debug, Default)]
pub(crate) struct Places {
    by_term: Vec<Vec<Range<usize>>>,
    touched: Vec<usize>,
    /// Of each character, how many words or ideographs begin before it.
    units: Vec<u32>,
}

impl Places {
    pub(crate) fn fill(&mut self, chars: &[char], terms: usize, occurrences: &[Occurrence]) {
        self.units.clear();
        let (mut units, mut inside) = (0, false);
        for &c in chars {
            self.units.push(units);
            let spaced = c.is_ascii_alphanumeric();
            units += u32::from(c.is_alphanumeric() && !(spaced && inside));
            inside = spaced;
        }
        self.units.push(units);
        for &term in &self.touched {
            self.by_term[term].clear();
        }
        self.touched.clear();
        self.by_term.resize_with(terms.max(self.by_term.len()), Vec::new);
        for Occurrence { term, span } in occurrences {
            if self.by_term[*term].is_empty() {
                self.touched.push(*term);
            }
            self.by_term[*term].push(span.clone());
        }
    }

    /// Words and ideographs between two places.
    fn distance(&self, from: usize, to: usize) -> usize {
        let at = |place: usize| self.units.get(place).copied().unwrap_or_default();
        at(to).saturating_sub(at(from)) as usize
    }

    fn of(&self, term: usize) -> &[Range<usize>] {
        self.by_term.get(term).map_or(&[], Vec::as_slice)
    }
}

impl Query {
    /// Reads a query and puts its terms into the automaton. `None` for an empty one.
    ///
    /// # Errors
    /// A query that is not well formed.
    pub(crate) fn parse(text: &str, automaton: &mut Automaton) -> Result<Option<Self>, Invalid> {
        let (tokens, starts) = tokens(text)?;
        if tokens.is_empty() {
            return Ok(None);
        }
        let mut parser = Parser { text, tokens: &tokens, starts: &starts, at: 0, automaton };
        let query = parser.any(0)?;
        match parser.peek() {
            None => Ok(Some(query)),
            Some(_) => Err(parser.refuse("closes a bracket that is not open")),
        }
    }

    /// The terms without which the query cannot hold: one of these must occur. `None` where it may hold
    /// without any.
    pub(crate) fn triggers(&self) -> Option<Vec<usize>> {
        match self {
            Query::Term(term) => Some(vec![*term]),
            Query::And(a, b) | Query::Near(a, b, _) => match (a.triggers(), b.triggers()) {
                (Some(a), Some(b)) => Some(if a.len() <= b.len() { a } else { b }),
                (a, b) => a.or(b),
            },
            Query::Or(a, b) => {
                let (mut a, b) = (a.triggers()?, b.triggers()?);
                a.extend(b);
                Some(a)
            }
            Query::Not(_) => None,
        }
    }

    pub(crate) fn holds(&self, places: &Places) -> bool {
        match self {
            Query::Term(term) => !places.of(*term).is_empty(),
            Query::And(a, b) => a.holds(places) && b.holds(places),
            Query::Or(a, b) => a.holds(places) || b.holds(places),
            Query::Not(inner) => !inner.holds(places),
            Query::Near(..) => !self.spans(places).is_empty(),
        }
    }

    /// The places a query that holds rests on.
    pub(crate) fn spans(&self, places: &Places) -> Vec<Range<usize>> {
        match self {
            Query::Term(term) => places.of(*term).to_vec(),
            Query::Near(a, b, reach) => near(places, &a.spans(places), &b.spans(places), *reach),
            Query::And(a, b) if a.holds(places) && b.holds(places) => {
                merged(a.spans(places), b.spans(places))
            }
            Query::And(..) | Query::Not(_) => Vec::new(),
            Query::Or(a, b) => {
                let of = |query: &Query| if query.holds(places) { query.spans(places) } else { Vec::new() };
                merged(of(a), of(b))
            }
        }
    }
}

fn merged(mut a: Vec<Range<usize>>, b: Vec<Range<usize>>) -> Vec<Range<usize>> {
    a.extend(b);
    a.sort_by_key(|span| (span.start, span.end));
    a.dedup();
    a
}

/// Each place of the first with the nearest place of the second to either side, if within reach. Both lists
/// are in order; each place of the second is looked at a bounded number of times.
fn near(places: &Places, a: &[Range<usize>], b: &[Range<usize>], reach: usize) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for left in a {
        let behind = b.partition_point(|right| right.start < left.end);
        let before = b[..behind].iter().rev().take(4).find(|right| right.end <= left.start);
        let after = b.get(behind);
        for right in before.into_iter().chain(after) {
            let (first, last) = if right.start >= left.end { (left, right) } else { (right, left) };
            if places.distance(first.end, last.start) <= reach {
                spans.push(first.start..last.end);
            }
        }
    }
    merged(spans, Vec::new())
}

/// Whether a query is well formed.
///
/// # Errors
/// One that is not.
pub(crate) fn check(text: &str) -> Result<(), Invalid> {
    Query::parse(text, &mut Automaton::default()).map(|_| ())
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    /// Where each token begins, in bytes.
    starts: &'a [usize],
    at: usize,
    automaton: &'a mut Automaton,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, token: &Token) -> bool {
        let same = self.peek() == Some(token);
        self.at += usize::from(same);
        same
    }

    fn any(&mut self, depth: usize) -> Result<Query, Invalid> {
        let mut query = self.all(depth)?;
        while self.take(&Token::Or) {
            query = Query::Or(Box::new(query), Box::new(self.all(depth)?));
        }
        Ok(query)
    }

    fn all(&mut self, depth: usize) -> Result<Query, Invalid> {
        let mut query = self.not(depth)?;
        loop {
            let joined = self.take(&Token::And);
            let goes_on = matches!(self.peek(), Some(Token::Term(_) | Token::Open | Token::Not));
            if !joined && !goes_on {
                return Ok(query);
            }
            query = Query::And(Box::new(query), Box::new(self.not(depth)?));
        }
    }

    fn not(&mut self, depth: usize) -> Result<Query, Invalid> {
        if self.take(&Token::Not) {
            return Ok(Query::Not(Box::new(self.near(depth)?)));
        }
        self.near(depth)
    }

    fn near(&mut self, depth: usize) -> Result<Query, Invalid> {
        let mut query = self.one(depth)?;
        while let Some(&Token::Near(reach)) = self.peek() {
            self.at += 1;
            query = Query::Near(Box::new(query), Box::new(self.one(depth)?), reach);
        }
        Ok(query)
    }

    fn one(&mut self, depth: usize) -> Result<Query, Invalid> {
        if depth > DEEPEST {
            return Err(self.refuse("nests brackets too deeply"));
        }
        match self.peek().cloned() {
            Some(Token::Term(term)) => {
                self.at += 1;
                Ok(Query::Term(self.automaton.insert(&term)))
            }
            Some(Token::Open) => {
                self.at += 1;
                let query = self.any(depth + 1)?;
                if self.take(&Token::Close) { Ok(query) } else { Err(self.refuse("leaves a bracket open")) }
            }
            _ => Err(self.refuse("lacks a term")),
        }
    }

    fn refuse(&self, what: &str) -> Invalid {
        refuse(self.text, self.starts.get(self.at).copied().unwrap_or(self.text.len()), what)
    }
}

/// `at` is the byte of the query where something is wrong; it is told as a character, from 1.
fn refuse(text: &str, at: usize, what: &str) -> Invalid {
    let shown: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let place = text.get(..at).unwrap_or(text).chars().count() + 1;
    Invalid::new(format!("tag query \"{shown}\" {what} at character {place}"))
        .with_hint("A query joins terms by AND, OR, NOT and NEAR/n, with brackets and quoted phrases.")
}

/// The tokens of a query, and where each begins.
fn tokens(text: &str) -> Result<(Vec<Token>, Vec<usize>), Invalid> {
    let (mut tokens, mut starts) = (Vec::new(), Vec::new());
    let mut rest = text.trim_start();
    while let Some(next) = rest.chars().next() {
        let behind = &rest[next.len_utf8()..];
        let start = text.len() - rest.len();
        starts.push(start);
        rest = match next {
            '(' | '（' => {
                tokens.push(Token::Open);
                behind
            }
            ')' | '）' => {
                tokens.push(Token::Close);
                behind
            }
            '"' | '“' | '”' => {
                let end =
                    behind.find(['"', '“', '”']).ok_or_else(|| refuse(text, start, "leaves a quote open"))?;
                let phrase = behind[..end].trim();
                if phrase.is_empty() {
                    return Err(refuse(text, start, "quotes nothing"));
                }
                tokens.push(Token::Term(phrase.to_string()));
                behind[end..].trim_start_matches(['“', '”', '"'])
            }
            _ => {
                let ends =
                    |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '（' | '）' | '"' | '“' | '”');
                let end = rest.find(ends).unwrap_or(rest.len());
                tokens.push(word(text, start, &rest[..end])?);
                &rest[end..]
            }
        }
        .trim_start();
    }
    Ok((tokens, starts))
}

fn word(text: &str, start: usize, word: &str) -> Result<Token, Invalid> {
    Ok(match word {
        "AND" => Token::And,
        "OR" => Token::Or,
        "NOT" => Token::Not,
        _ => match word.strip_prefix("NEAR/") {
            Some(reach) => {
                let reach = reach.parse().ok().filter(|&reach: &usize| reach <= FARTHEST);
                Token::Near(reach.ok_or_else(|| {
                    refuse(text, start, "has a NEAR that does not reach 0 to 100 characters")
                })?)
            }
            None => Token::Term(word.to_string()),
        },
    })
}
