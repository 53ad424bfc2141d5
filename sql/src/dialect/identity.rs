//! What statements have in common that differ in their literals only: a text in which those are `$n`, and its hash.
//!
//! The hash is of the tokens, so white space, comments, and the case of words that are not quoted make no difference.
//! Nor does how many values a list has: those of `IN (…)` and `ARRAY[…]` count as one, and so do rows of VALUES that
//! are alike. What follows from the text alone stays the same across releases, restarts and nodes.

use std::fmt::{Display, Write as _};

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};
use ring::digest::{SHA256, digest};

use super::DIALECT;

/// How much of a text is kept.
const MAX_TEXT_BYTES: usize = 4_096;

/// Put in the place of values that are left out.
const MORE: &str = " /*, ... */";

/// What a statement is counted as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// A hash of the statement without its literals; 0: there is none.
    pub query_id: i64,
    /// The statement with `$n` in the place of each literal. Passwords are literals.
    pub text: String,
    pub verb: Verb,
}

/// The first word of a statement; of those that there are few of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb(u8);

/// The last one stands for all others.
pub const VERBS: [&str; 39] = [
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "truncate",
    "copy",
    "call",
    "explain",
    "show",
    "set",
    "reset",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "release",
    "prepare",
    "execute",
    "deallocate",
    "declare",
    "fetch",
    "move",
    "close",
    "discard",
    "create",
    "alter",
    "drop",
    "grant",
    "revoke",
    "reassign",
    "comment",
    "refresh",
    "vacuum",
    "optimize",
    "analyze",
    "listen",
    "unlisten",
    "other",
];

impl Default for Verb {
    fn default() -> Self {
        Self(VERBS.len() as u8 - 1)
    }
}

impl Verb {
    fn of(word: &str) -> Self {
        let word = match word {
            "values" | "table" | "with" | "(" => "select",
            "start" => "begin",
            "end" => "commit",
            "abort" => "rollback",
            word => word,
        };
        VERBS.iter().position(|verb| *verb == word).map_or_else(Self::default, |place| Self(place as u8))
    }

    /// Its place in [`VERBS`].
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    pub fn name(self) -> &'static str {
        VERBS[self.place()]
    }
}

impl Identity {
    /// Of a statement's text. One that cannot be split into words has none.
    pub fn of_text(sql: &str) -> Self {
        Tokenizer::new(&DIALECT, sql)
            .tokenize_with_location()
            .map_or_else(|_| Self::default(), |tokens| Self::of(&tokens))
    }

    /// Of the tokens of one statement.
    pub(super) fn of(tokens: &[TokenWithSpan]) -> Self {
        let words = words(tokens);
        let mut writer = Writer { last_parameter: last_parameter(&words), ..Writer::default() };
        writer.statement(&words);
        let hash = digest(&SHA256, writer.plain.as_bytes());
        let first = hash.as_ref().first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes));
        Self {
            query_id: if first == 0 { 1 } else { first },
            text: writer.text,
            verb: words
                .first()
                .map_or_else(Verb::default, |word| Verb::of(&word.token.to_string().to_lowercase())),
        }
    }
}

/// A token that is not blank.
struct Word<'a> {
    token: &'a Token,
    /// Whether something blank stands before it.
    is_apart: bool,
}

fn words(tokens: &[TokenWithSpan]) -> Vec<Word<'_>> {
    let mut words = Vec::with_capacity(tokens.len());
    let mut is_apart = false;
    for TokenWithSpan { token, .. } in tokens {
        match token {
            Token::Whitespace(
                Whitespace::Space
                | Whitespace::Newline
                | Whitespace::Tab
                | Whitespace::SingleLineComment { .. }
                | Whitespace::MultiLineComment(_),
            ) => is_apart = true,
            Token::EOF => {}
            token => {
                words.push(Word { token, is_apart: is_apart && !words.is_empty() });
                is_apart = false;
            }
        }
    }
    words
}

/// Literals are numbered behind the parameters that the statement has.
fn last_parameter(words: &[Word<'_>]) -> usize {
    let numbers = words.iter().filter_map(|word| match word.token {
        Token::Placeholder(text) => text.strip_prefix('$')?.parse().ok(),
        _ => None,
    });
    numbers.max().unwrap_or(0)
}

impl Word<'_> {
    /// Writes it as it counts in the hash.
    fn put_plain(&self, plain: &mut String) {
        match self.token {
            Token::Placeholder(_) => plain.push('$'),
            Token::Word(word) if word.quote_style.is_none() => {
                plain.extend(word.value.chars().flat_map(char::to_lowercase));
            }
            token => put(plain, token),
        }
    }

    fn is(&self, wanted: &str) -> bool {
        matches!(self.token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
    }

    fn is_parameter(&self) -> bool {
        matches!(self.token, Token::Placeholder(_))
    }

    /// A string or a number. What is not known to be something else is taken for one: it might be a secret.
    fn is_constant(&self) -> bool {
        match self.token {
            Token::Number(..) | Token::Char(_) => true,
            Token::Word(_) | Token::Placeholder(_) | Token::Whitespace(_) | Token::EOF => false,
            Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::TripleSingleQuotedString(_)
            | Token::TripleDoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::DoubleQuotedByteStringLiteral(_)
            | Token::TripleSingleQuotedByteStringLiteral(_)
            | Token::TripleDoubleQuotedByteStringLiteral(_)
            | Token::SingleQuotedRawStringLiteral(_)
            | Token::DoubleQuotedRawStringLiteral(_)
            | Token::TripleSingleQuotedRawStringLiteral(_)
            | Token::TripleDoubleQuotedRawStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::QuoteDelimitedStringLiteral(_)
            | Token::NationalQuoteDelimitedStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_) => true,
            // Operators and brackets.
            _ => false,
        }
    }

    /// Whether a value begins behind it: there NULL is one, and a sign belongs to its number.
    fn precedes_value(&self) -> bool {
        matches!(
            self.token,
            Token::LParen
                | Token::LBracket
                | Token::Comma
                | Token::Eq
                | Token::Neq
                | Token::Lt
                | Token::Gt
                | Token::LtEq
                | Token::GtEq
        )
    }
}

/// How many words the literal at a place has; 0: there is none.
fn literal(words: &[Word<'_>], at: usize) -> usize {
    let Some(word) = words.get(at) else { return 0 };
    if word.is_constant() {
        return 1;
    }
    if at == 0 || !words[at - 1].precedes_value() {
        return 0;
    }
    match word.token {
        Token::Minus | Token::Plus => match words.get(at + 1) {
            Some(Word { token: Token::Number(..), .. }) => 2,
            _ => 0,
        },
        _ => usize::from(["null", "true", "false"].iter().any(|value| word.is(value))),
    }
}

/// The place of the closing bracket of a list of literals, and how many they are.
fn list_of_literals(words: &[Word<'_>], open: usize) -> Option<(usize, usize)> {
    let mut at = open + 1;
    let mut count = 0;
    loop {
        let length = match literal(words, at) {
            0 => usize::from(words.get(at)?.is_parameter()),
            length => length,
        };
        if length == 0 {
            return None;
        }
        count += 1;
        at += length;
        match words.get(at)?.token {
            Token::Comma => at += 1,
            Token::RParen | Token::RBracket => return Some((at, count)),
            _ => return None,
        }
    }
}

/// The place behind the bracket that closes the one at `open`.
fn behind(words: &[Word<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (place, word) in words.iter().enumerate().skip(open) {
        match word.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth -= 1;
                if depth == 0 {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    words.len()
}

/// Writing to a text cannot fail.
fn put(text: &mut String, what: impl Display) {
    let _ = write!(text, "{what}");
}

#[derive(Default)]
struct Writer {
    text: String,
    /// What is hashed.
    plain: String,
    last_parameter: usize,
    /// Whether the text lacks something.
    is_cut: bool,
}

impl Writer {
    fn statement(&mut self, words: &[Word<'_>]) {
        let mut at = 0;
        while at < words.len() {
            let before = at.checked_sub(1).map(|before| &words[before]);
            let opens_list = match words[at].token {
                Token::LParen => before.is_some_and(|before| before.is("in")),
                Token::LBracket => before.is_some_and(|before| before.is("array")),
                _ => false,
            };
            if opens_list && let Some((end, count)) = list_of_literals(words, at) {
                self.word(&words[at]);
                self.literal(&words[at + 1]);
                if count > 1 {
                    self.note(MORE);
                }
                at = end;
            } else if matches!(words[at].token, Token::LParen) && before.is_some_and(|word| word.is("values"))
            {
                at = self.rows(words, at);
            } else {
                at += self.one(words, at);
            }
        }
        if self.is_cut || self.text.len() > MAX_TEXT_BYTES {
            self.text.truncate(self.text.floor_char_boundary(MAX_TEXT_BYTES));
            self.text.push('…');
        }
    }

    /// Writes the word or literal at a place; how many words it was.
    fn one(&mut self, words: &[Word<'_>], at: usize) -> usize {
        match literal(words, at) {
            0 => {
                self.word(&words[at]);
                1
            }
            length => {
                self.literal(&words[at]);
                length
            }
        }
    }

    /// The first of the rows of VALUES; those behind it are left out as long as they are like it. The place behind.
    fn rows(&mut self, words: &[Word<'_>], open: usize) -> usize {
        let mut end = behind(words, open);
        let start = self.plain.len();
        self.row(words, open, end);
        let first = self.plain[start..].to_owned();
        let mut next = Writer::default();
        let mut has_more = false;
        while let (Some(Token::Comma), Some(Token::LParen)) =
            (words.get(end).map(|word| word.token), words.get(end + 1).map(|word| word.token))
        {
            let behind = behind(words, end + 1);
            next.plain.clear();
            next.row(words, end + 1, behind);
            if next.plain != first {
                break;
            }
            has_more = true;
            end = behind;
        }
        if has_more {
            self.note(MORE);
        }
        end
    }

    fn row(&mut self, words: &[Word<'_>], open: usize, end: usize) {
        let mut at = open;
        while at < end {
            at += self.one(words, at);
        }
    }

    fn word(&mut self, word: &Word<'_>) {
        self.show(word.is_apart, |text| put(text, word.token));
        word.put_plain(&mut self.plain);
        self.plain.push(' ');
    }

    fn literal(&mut self, word: &Word<'_>) {
        self.last_parameter += 1;
        let number = self.last_parameter;
        self.show(word.is_apart, |text| put(text, format_args!("${number}")));
        self.plain.push_str("$ ");
    }

    fn note(&mut self, note: &str) {
        self.show(false, |text| text.push_str(note));
    }

    fn show(&mut self, is_apart: bool, write: impl FnOnce(&mut String)) {
        self.is_cut |= self.text.len() >= MAX_TEXT_BYTES;
        if self.is_cut {
            return;
        }
        if is_apart {
            self.text.push(' ');
        }
        write(&mut self.text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn identity(sql: &str) -> Identity {
        let statement = parse(sql).unwrap_or_else(|error| panic!("{error}: {sql}")).remove(0);
        Identity::clone(&statement.identity)
    }

    #[test]
    fn literals_become_parameters() {
        for (sql, text) in [
            ("select  1,'a' -- b\n from T where x=$2", "select $3,$4 from T where x=$2"),
            ("SELECT E'a\\'b' || $$c$$ || date '2026-01-01'", "SELECT $1 || $2 || date $3"),
            ("SELECT a FROM t WHERE b IN (1, -2, NULL)", "SELECT a FROM t WHERE b IN ($1 /*, ... */)"),
            ("SELECT a FROM t WHERE b IN (1, c)", "SELECT a FROM t WHERE b IN ($1, c)"),
            ("SELECT ARRAY['x','y']", "SELECT ARRAY[$1 /*, ... */]"),
            ("INSERT INTO t VALUES (1, 'a'), (-2, NULL)", "INSERT INTO t VALUES ($1, $2) /*, ... */"),
            ("INSERT INTO t VALUES (1, now()), (2, f(3))", "INSERT INTO t VALUES ($1, now()), ($2, f($3))"),
            ("SELECT \"1\" IS NULL, a - 1", "SELECT \"1\" IS NULL, a - $1"),
            ("CREATE ROLE a PASSWORD 'secret'", "CREATE ROLE a PASSWORD $1"),
            ("ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD NULL"),
            ("FETCH 10 FROM c", "FETCH $1 FROM c"),
            ("COPY t FROM STDIN (FORMAT csv, DELIMITER ';')", "COPY t FROM STDIN (FORMAT csv, DELIMITER $1)"),
        ] {
            assert_eq!(identity(sql).text, text);
        }
    }

    #[test]
    fn statements_that_differ_in_values_only_are_one() {
        let same = |one: &str, other: &str| identity(one).query_id == identity(other).query_id;
        assert!(same("SELECT a FROM t WHERE b = 1", "select A\nfrom t where b='x' /* y */"));
        assert!(same("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b = $1"));
        assert!(same("SELECT 1 IN (1)", "SELECT 2 IN (1, 2, 3)"));
        assert!(same("INSERT INTO t VALUES (1, 2)", "INSERT INTO t VALUES (3, NULL), (5, -6), ($1, $2)"));
        assert!(!same("SELECT a FROM t", "SELECT b FROM t"));
        assert!(!same("SELECT a FROM t", "SELECT \"A\" FROM t"));
        assert!(!same("SELECT f(1)", "SELECT f(1, 2)"));
        assert!(!same("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1, 2)"));
    }

    #[test]
    fn the_hash_stays_the_same_across_releases() {
        assert_eq!(identity("SELECT a FROM t WHERE b = 1").query_id, -7_742_017_462_671_220_482);
    }

    #[test]
    fn long_texts_are_cut() {
        let columns: Vec<String> = (0..2_000).map(|number| format!("é{number}")).collect();
        let text = identity(&format!("SELECT {} FROM t", columns.join(", "))).text;
        assert!(text.len() <= MAX_TEXT_BYTES + '…'.len_utf8() && text.ends_with('…'));
    }

    #[test]
    fn the_verb_is_the_first_word() {
        for (sql, verb) in [
            ("(SELECT 1)", "select"),
            ("WITH a AS (SELECT 1) SELECT * FROM a", "select"),
            ("START TRANSACTION", "begin"),
            ("CREATE TABLE t (a int)", "create"),
            ("VACUUM", "vacuum"),
        ] {
            assert_eq!(identity(sql).verb.name(), verb, "{sql}");
        }
    }
}
