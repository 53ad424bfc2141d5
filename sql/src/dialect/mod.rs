//! SQL text to statements: PostgreSQL's language, and what a warehouse adds to it.
//!
//! sqlparser's PostgreSQL dialect does most of the work. What it does not know is parsed here from the same
//! tokens: pipes, REFRESH, OPTIMIZE, VACUUM, `CLUSTER BY`, and `VERSION AS OF`.

pub mod build;
mod copy;
mod depth;
mod grants;
mod identity;
mod into;
mod own;
mod pipes;
mod places;
mod postgres;
mod roles;
mod rules;
mod secrets;
mod session;
mod tokens;
mod upkeep;

use std::sync::Arc;

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, TokenizerError};
use voxhouse_engine::{Error, ErrorKind, Result};

pub use copy::{Copy, CopyDirection, CopyEnd, CopyOption, CopyRelation, CopyValue};
pub use grants::{DefaultPrivilegesStatement, GrantObjects, GrantRoles, GrantStatement, NamedPrivilege};
pub use identity::{Identity, VERBS, Verb};
pub use own::OwnStatement;
pub use pipes::{CreatePipe, PipeStatement};
pub use places::Start;
pub use roles::{AccessStatement, OwnedKind, RoleOption, RoleSpec, Secret};
pub use rules::{AddRule, NewRule};
pub use secrets::without_passwords;
pub use session::{
    Declare, Direction, Discarded, Explained, SessionStatement, SetValue, SetWord, SettingAction,
};
pub use tokens::{At, Moment};
pub use upkeep::{UpkeepStatement, VacuumOptions};

/// Brackets in brackets, queries in queries: what people and programs write stays below.
const MAX_NESTING: usize = 50;

static DIALECT: postgres::Postgres = postgres::Postgres;

/// One parsed statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The statement as written, without the semicolon; a password in it is blotted out.
    pub text: String,
    pub kind: StatementKind,
    /// The columns of CLUSTER BY, for CREATE TABLE.
    pub cluster_by: Vec<String>,
    /// Tables read as they were at a moment.
    pub moments: Vec<Moment>,
    pub start: Start,
    /// What it is counted as.
    pub identity: Arc<Identity>,
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time, and it is not kept in numbers")]
pub enum StatementKind {
    Sql(Box<ast::Statement>),
    Own(OwnStatement),
    Session(Box<SessionStatement>),
}

/// Splits a query string at its semicolons and parses each part. Empty parts are left out.
pub fn parse(sql: &str) -> Result<Vec<Statement>> {
    let tokens = Tokenizer::new(&DIALECT, sql)
        .tokenize_with_location()
        .map_err(|error| tokenizer_error(sql, &error))?;
    let mut places = Places::new(sql);
    let mut statements = Vec::new();
    for part in tokens.split(|token| token.token == Token::SemiColon) {
        if part.iter().all(|token| matches!(token.token, Token::Whitespace(_) | Token::EOF)) {
            continue;
        }
        statements.push(parse_one(sql, part, &mut places)?);
    }
    Ok(statements)
}

fn parse_one(sql: &str, part: &[TokenWithSpan], places: &mut Places<'_>) -> Result<Statement> {
    if let Some(token) = depth::too_deep(part) {
        return Err(nested_too_deeply().with_position(position(sql, token.span.start)));
    }
    let secrets = secrets::of(part);
    // First the start, then the end: `places` goes forward only.
    let start = start_of(part, places);
    let text = text_of(part, places);
    let text = secrets::blot_out(&secrets, part, text, places);
    let whole = part;
    let part = tokens::plain_comment(tokens::plain_transaction_words(part.to_vec()));
    let part = tokens::table_as_query(tokens::options_first(part));
    let (part, cluster_by) = tokens::take_cluster_by(part);
    let (part, moments) = tokens::take_moments(part)?;
    let mut parser = Parser::new(&DIALECT).with_recursion_limit(MAX_NESTING).with_tokens_with_locations(part);
    // SET ROLE is a statement of its own, not a setting.
    let parsed = match own::parse(&mut parser) {
        Some(parsed) => parsed.map(StatementKind::Own),
        None => match session::parse(&mut parser) {
            Some(parsed) => parsed.map(|statement| StatementKind::Session(Box::new(statement))),
            None => parser
                .parse_statement()
                .map(|statement| StatementKind::Sql(Box::new(into::as_create_table(statement)))),
        },
    };
    let kind = parsed.map_err(|error| secrets::hush(&secrets, parser_error(sql, &parser, error, whole)))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let error = Error::syntax(format!("syntax error at or near \"{}\"", rest.token))
            .with_position(position(sql, rest.span.start));
        return Err(secrets::hush(&secrets, error));
    }
    let identity = Arc::new(Identity::of(whole));
    Ok(Statement { text, kind, cluster_by, moments, start, identity })
}

/// The text from the first to the last token that is not blank.
fn text_of(part: &[TokenWithSpan], places: &mut Places<'_>) -> String {
    let mut solid = part.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    let Some(first) = solid.next() else { return String::new() };
    let last = solid.next_back().unwrap_or(first);
    let start = places.byte_offset(first.span.start);
    let end = places.byte_offset(last.span.end);
    places.sql.get(start..end).unwrap_or(places.sql).trim().to_owned()
}

/// Where that text begins.
fn start_of(part: &[TokenWithSpan], places: &mut Places<'_>) -> Start {
    let Some(first) = part.iter().find(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
    else {
        return Start::default();
    };
    let location = first.span.start;
    places.byte_offset(location);
    Start { location, characters: places.characters }
}

/// The place behind the last token that is not blank.
fn end_of(sql: &str, part: &[TokenWithSpan]) -> usize {
    let solid = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_) | Token::EOF);
    part.iter().rfind(solid).map_or(1, |last| position(sql, last.span.end))
}

/// Turns lines and columns into offsets. Asked in rising order, it walks the text once.
struct Places<'a> {
    sql: &'a str,
    /// A place, and its offset.
    known: Location,
    offset: usize,
    characters: usize,
}

impl<'a> Places<'a> {
    fn new(sql: &'a str) -> Self {
        Self { sql, known: Location { line: 1, column: 1 }, offset: 0, characters: 0 }
    }

    fn byte_offset(&mut self, wanted: Location) -> usize {
        if wanted < self.known {
            *self = Self::new(self.sql);
        }
        for letter in self.sql[self.offset..].chars() {
            if self.known >= wanted {
                break;
            }
            self.offset += letter.len_utf8();
            self.characters += 1;
            match letter {
                '\n' => self.known = Location { line: self.known.line + 1, column: 1 },
                _ => self.known.column += 1,
            }
        }
        self.offset
    }
}

/// PostgreSQL counts characters from 1.
fn position(sql: &str, location: Location) -> usize {
    let mut places = Places::new(sql);
    places.byte_offset(location);
    places.characters + 1
}

fn tokenizer_error(sql: &str, error: &TokenizerError) -> Error {
    Error::syntax(error.message.to_lowercase()).with_position(position(sql, error.location))
}

fn nested_too_deeply() -> Error {
    Error::new(ErrorKind::StatementTooComplex, "stack depth limit exceeded")
        .with_detail("The statement is nested too deeply, or a chain of operators in it is too long.")
        .with_hint("Write long chains of OR as IN (…), or join a list of VALUES.")
}

fn parser_error(sql: &str, parser: &Parser<'_>, error: ParserError, part: &[TokenWithSpan]) -> Error {
    let message = match error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
        ParserError::RecursionLimitExceeded => {
            return nested_too_deeply();
        }
    };
    let near = parser.peek_token();
    let (message, location) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => (message.to_owned(), parse_place(place)),
        None => (message, None),
    };
    let location = location.unwrap_or(near.span.start);
    let found = message.rsplit_once("found: ").map(|(_, found)| found.to_owned());
    let primary = match found.as_deref() {
        Some("EOF") => "syntax error at end of input".to_owned(),
        Some(found) => format!("syntax error at or near \"{found}\""),
        None => format!("syntax error: {message}"),
    };
    let error = Error::syntax(primary);
    let error = match message.split_once(", found:") {
        Some((expected, _)) => error.with_detail(format!("{expected}.")),
        None => error,
    };
    error.with_position(if location.line == 0 { end_of(sql, part) } else { position(sql, location) })
}

fn parse_place(place: &str) -> Option<Location> {
    let (line, column) = place.split_once(", Column: ")?;
    Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
}

#[cfg(test)]
mod tests;
