//! From the text of a query to its tree, by recursive descent.

use super::Invalid;
use super::query::{Node, Phrase};

/// Deepest nesting and most words; both keep a query from exhausting the stack or the day.
const DEEPEST: usize = 64;
const MOST_PARTS: usize = 1_000;

/// Greatest distance of NEAR.
const FARTHEST: usize = 1_000;

const HINT: &str =
    "Write words, \"phrases\", begin*, AND, OR, NOT, NEAR/3 and brackets, such as (卡顿 OR 慢) NOT 退款.";

pub(super) fn parse(text: &str) -> Result<Node, Invalid> {
    let parts = split(text)?;
    if parts.is_empty() {
        return Err(invalid("search query is empty"));
    }
    if parts.len() > MOST_PARTS {
        return Err(invalid(&format!("search query has more than {MOST_PARTS} words")));
    }
    let mut parser = Parser { parts, next: 0, depth: 0 };
    let root = parser.any()?;
    match parser.parts.get(parser.next) {
        None => Ok(root),
        Some(_) => Err(invalid("closing bracket in search query has no opening one")),
    }
}

fn invalid(message: &str) -> Invalid {
    Invalid { message: message.to_owned(), hint: Some(HINT.to_owned()) }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Open,
    Close,
    And,
    Or,
    Not,
    Near(usize),
    Words(Phrase),
}

fn split(text: &str) -> Result<Vec<Part>, Invalid> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        rest = match c {
            '(' | '（' => {
                parts.push(Part::Open);
                behind
            }
            ')' | '）' => {
                parts.push(Part::Close);
                behind
            }
            '"' | '“' | '”' | '＂' => quoted(behind, &mut parts)?,
            '-' | '－' if behind.starts_with(|c: char| !c.is_whitespace()) => {
                parts.push(Part::Not);
                behind
            }
            _ => word(rest, &mut parts)?,
        };
        rest = rest.trim_start();
    }
    Ok(parts)
}

/// Reads a phrase up to its closing quote and returns what is behind.
fn quoted<'a>(text: &'a str, parts: &mut Vec<Part>) -> Result<&'a str, Invalid> {
    let end = text
        .find(['"', '“', '”', '＂'])
        .ok_or_else(|| invalid("phrase in search query has no closing quote"))?;
    let phrase =
        Phrase::new(&text[..end], false).ok_or_else(|| invalid("phrase in search query has no words"))?;
    parts.push(Part::Words(phrase));
    let quote = text[end..].chars().next().map_or(0, char::len_utf8);
    Ok(&text[end + quote..])
}

/// Reads an operator or a word and returns what is behind. A word without letters and digits says nothing.
fn word<'a>(text: &'a str, parts: &mut Vec<Part>) -> Result<&'a str, Invalid> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '（' | '）' | '"' | '“' | '”' | '＂');
    let end = text.find(ends).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    match word {
        "AND" => parts.push(Part::And),
        "OR" => parts.push(Part::Or),
        "NOT" => parts.push(Part::Not),
        "NEAR" => parts.push(Part::Near(10)),
        _ => {
            if let Some(distance) = word.strip_prefix("NEAR/") {
                let most = distance.parse().ok().filter(|most| *most <= FARTHEST);
                let message = format!("distance \"{distance}\" of NEAR is not a number up to {FARTHEST}");
                parts.push(Part::Near(most.ok_or_else(|| invalid(&message))?));
            } else if let Some(phrase) = Phrase::new(word, word.ends_with('*')) {
                parts.push(Part::Words(phrase));
            }
        }
    }
    Ok(rest)
}

struct Parser {
    parts: Vec<Part>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Part> {
        self.parts.get(self.next)
    }

    fn take(&mut self, part: &Part) -> bool {
        let found = self.peek() == Some(part);
        self.next += usize::from(found);
        found
    }

    /// One or more joined by OR.
    fn any(&mut self) -> Result<Node, Invalid> {
        let mut nodes = vec![self.all()?];
        while self.take(&Part::Or) {
            nodes.push(self.all()?);
        }
        Ok(single(nodes, Node::Or))
    }

    /// One or more side by side or joined by AND.
    fn all(&mut self) -> Result<Node, Invalid> {
        let mut nodes = vec![self.near()?];
        loop {
            let joined = self.take(&Part::And);
            match self.peek() {
                None | Some(Part::Or | Part::Close) if !joined => return Ok(single(nodes, Node::And)),
                _ => nodes.push(self.near()?),
            }
        }
    }

    fn near(&mut self) -> Result<Node, Invalid> {
        let mut left = self.one()?;
        while let Some(&Part::Near(most)) = self.peek() {
            self.next += 1;
            let right = self.one()?;
            if !(left.is_positional() && right.is_positional()) {
                return Err(invalid("NEAR in search query joins something other than words, phrases and OR"));
            }
            left = Node::Near(Box::new(left), Box::new(right), most);
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Node, Invalid> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(invalid(&format!("search query is nested deeper than {DEEPEST}")));
        }
        let part = self.parts.get(self.next).cloned();
        self.next += 1;
        let node = match part {
            Some(Part::Words(phrase)) => Node::Phrase(phrase),
            Some(Part::Not) => Node::Not(Box::new(self.one()?)),
            Some(Part::Open) => {
                let inner = self.any()?;
                if !self.take(&Part::Close) {
                    return Err(invalid("opening bracket in search query has no closing one"));
                }
                inner
            }
            Some(Part::Close) => {
                return Err(invalid("bracket in search query is empty or has no opening one"));
            }
            Some(Part::And | Part::Or | Part::Near(_)) => {
                return Err(invalid("operator in search query lacks its left side"));
            }
            None => return Err(invalid("search query ends with an operator")),
        };
        self.depth -= 1;
        Ok(node)
    }
}

fn single(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) }
}
