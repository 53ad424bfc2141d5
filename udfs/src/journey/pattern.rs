//! The pattern language of sequences, that of ClickHouse's `sequenceMatch`.
//!
//! | item | meaning |
//! |---|---|
//! | `(?N)` | one event that meets the N-th condition |
//! | `.` | one event |
//! | `.*` | any number of events, none included |
//! | `(?t op s)` | the time from the event before to the event after: `op` is `<=`, `<`, `>=`, `>` or `==`, `s` seconds, with up to six decimals; any number of events may lie between |
//!
//! A pattern may begin and end anywhere among a customer's events. Items may be parted by white space.
//! Several time conditions between the same two events must all hold. `.*` beside a time condition adds
//! nothing. ClickHouse differs there: it measures a time condition after `.*` from an event that `.*` skipped,
//! one before `.*` to such an event, and accepts a time condition with no event before or after it.

use super::Invalid;
use super::event::MAX_CONDITIONS;

/// Longest pattern, in events.
const MAX_ITEMS: usize = 256;

/// A parsed pattern: the events, and what may lie between each and the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The conditions of which an event must meet one; all bits for `.`.
    pub(super) items: Vec<u64>,
    /// One fewer than `items`.
    pub(super) gaps: Vec<Gap>,
    /// The conditions that must occur for the pattern to match.
    pub(super) required: u64,
}

/// What may lie between two events of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// Whether there may be other events.
    pub(super) skips: bool,
    /// Bounds of the time between, both included, in microseconds.
    pub(super) least: i64,
    pub(super) most: i64,
}

const ADJACENT: Gap = Gap { skips: false, least: 0, most: i64::MAX };

impl Pattern {
    /// Reads a pattern over `conditions` conditions. Errors tell the position, in characters from 1.
    pub(crate) fn parse(text: &str, conditions: usize) -> Result<Self, Invalid> {
        if !(1..=MAX_CONDITIONS).contains(&conditions) {
            let message = format!("sequence has {conditions} conditions, it needs 1 to {MAX_CONDITIONS}");
            return Err(Invalid::new(message));
        }
        let mut parser = Parser { text, at: 0, conditions };
        let mut pattern = Self { items: Vec::new(), gaps: Vec::new(), required: 0 };
        let mut gap = ADJACENT;
        let mut pending_time = None;
        while let Some(token) = parser.token()? {
            match token {
                Token::Event(item) => {
                    if !pattern.items.is_empty() {
                        pattern.gaps.push(gap);
                    }
                    (gap, pending_time) = (ADJACENT, None);
                    pattern.items.push(item);
                    if item != u64::MAX {
                        pattern.required |= item;
                    }
                }
                Token::Skip => gap.skips = true,
                Token::Time(_, _, at) if pattern.items.is_empty() => {
                    return Err(parser.error(at, "has a time condition without an event before it"));
                }
                Token::Time(least, most, at) => {
                    gap = Gap { skips: true, least: gap.least.max(least), most: gap.most.min(most) };
                    pending_time = Some(at);
                }
            }
        }
        if let Some(at) = pending_time {
            return Err(parser.error(at, "has a time condition without an event after it"));
        }
        match pattern.items.len() {
            0 => Err(Invalid::new("sequence pattern has no event").with_hint(SYNTAX)),
            items if items > MAX_ITEMS => {
                Err(Invalid::new(format!("sequence pattern has {items} events, more than {MAX_ITEMS}")))
            }
            _ => Ok(pattern),
        }
    }
}

const SYNTAX: &str = "A pattern is made of (?1), (?2) and so on for conditions, . for one event, .* for any \
                      number of events and (?t<=3600) for seconds between two events.";

enum Token {
    Event(u64),
    Skip,
    /// Bounds of a time, and where it stands.
    Time(i64, i64, usize),
}

struct Parser<'a> {
    text: &'a str,
    /// Byte offset of what is not read yet.
    at: usize,
    conditions: usize,
}

impl<'a> Parser<'a> {
    fn token(&mut self) -> Result<Option<Token>, Invalid> {
        while self.rest().starts_with(char::is_whitespace) {
            self.at += self.rest().chars().next().map_or(1, char::len_utf8);
        }
        let begin = self.at;
        if self.rest().is_empty() {
            return Ok(None);
        }
        if self.eat(".*") {
            return Ok(Some(Token::Skip));
        }
        if self.eat(".") {
            return Ok(Some(Token::Event(u64::MAX)));
        }
        if !self.eat("(?") {
            let found = self.rest().chars().next().unwrap_or(' ');
            return Err(self.error(begin, &format!("has an unexpected \"{found}\"")).with_hint(SYNTAX));
        }
        let token = if self.eat("t") { self.time(begin)? } else { self.condition()? };
        if !self.eat(")") {
            return Err(self.error(self.at, "lacks a closing parenthesis"));
        }
        Ok(Some(token))
    }

    fn condition(&mut self) -> Result<Token, Invalid> {
        let at = self.at;
        let digits = self.digits();
        if digits.is_empty() {
            return Err(self.error(at, "lacks the number of a condition").with_hint(SYNTAX));
        }
        match digits.parse::<usize>() {
            Ok(number) if (1..=self.conditions).contains(&number) => Ok(Token::Event(1 << (number - 1))),
            _ => {
                let message = format!("names condition {digits}, there are {}", self.conditions);
                Err(self.error(at, &message))
            }
        }
    }

    fn time(&mut self, begin: usize) -> Result<Token, Invalid> {
        const OPERATORS: [&str; 5] = ["<=", ">=", "==", "<", ">"];
        let at = self.at;
        let Some(operator) = OPERATORS.into_iter().find(|operator| self.eat(operator)) else {
            return Err(self
                .error(at, "has an unknown comparison of times")
                .with_hint("The comparisons are <=, <, >=, > and ==."));
        };
        let time = self.seconds()?;
        let (least, most) = match operator {
            "<=" => (0, time),
            "<" => (0, time - 1),
            ">=" => (time, i64::MAX),
            ">" => (time.saturating_add(1), i64::MAX),
            _ => (time, time),
        };
        Ok(Token::Time(least, most, begin))
    }

    /// Seconds with up to six decimals, in microseconds.
    fn seconds(&mut self) -> Result<i64, Invalid> {
        let at = self.at;
        let whole = self.digits();
        let decimals = if self.eat(".") { self.digits() } else { "0" };
        if whole.is_empty() || decimals.is_empty() {
            return Err(self.error(at, "lacks a number of seconds"));
        }
        if decimals.len() > 6 {
            return Err(self.error(at, "has seconds with more than six decimals"));
        }
        let micros = format!("{whole}{decimals:0<6}").parse();
        micros.map_err(|_| self.error(at, "has a number of seconds that is out of range"))
    }

    fn digits(&mut self) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += length;
        &rest[..length]
    }

    fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn error(&self, at: usize, what: &str) -> Invalid {
        let position = self.text.get(..at).map_or(0, |before| before.chars().count()) + 1;
        Invalid::new(format!("sequence pattern {what} at position {position}"))
    }
}

#[cfg(test)]
mod tests;
