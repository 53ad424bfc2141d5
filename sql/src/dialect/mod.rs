//! SQL text to statements: PostgreSQL's language, and what a warehouse adds to it.
//!
//! sqlparser's PostgreSQL dialect does most of the work. What it does not know is parsed here from the same
//! tokens: pipes, REFRESH, VACUUM, `CLUSTER BY`, and `VERSION AS OF`.

mod own;
mod tokens;

use datafusion::sql::sqlparser::ast;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, TokenizerError};
use voxhouse_engine::{Error, Result};

pub use own::{CreatePipe, OwnStatement};
pub use tokens::{At, Moment};

static DIALECT: PostgreSqlDialect = PostgreSqlDialect {};

/// One parsed statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The statement as written, without the semicolon.
    pub text: String,
    pub kind: StatementKind,
    /// The columns of CLUSTER BY, for CREATE TABLE.
    pub cluster_by: Vec<String>,
    /// Tables read as they were at a moment.
    pub moments: Vec<Moment>,
}

#[derive(Debug, Clone)]
pub enum StatementKind {
    Sql(Box<ast::Statement>),
    Own(OwnStatement),
}

/// Splits a query string at its semicolons and parses each part. Empty parts are left out.
pub fn parse(sql: &str) -> Result<Vec<Statement>> {
    let tokens = Tokenizer::new(&DIALECT, sql)
        .tokenize_with_location()
        .map_err(|error| tokenizer_error(sql, &error))?;
    let mut statements = Vec::new();
    for part in tokens.split(|token| token.token == Token::SemiColon) {
        if part.iter().all(|token| matches!(token.token, Token::Whitespace(_) | Token::EOF)) {
            continue;
        }
        statements.push(parse_one(sql, part)?);
    }
    Ok(statements)
}

fn parse_one(sql: &str, part: &[TokenWithSpan]) -> Result<Statement> {
    let text = text_of(sql, part);
    let end = end_of(sql, part);
    let part = tokens::plain_transaction_words(part.to_vec());
    let (part, cluster_by) = tokens::take_cluster_by(part);
    let (part, moments) = tokens::take_moments(part)?;
    let mut parser = Parser::new(&DIALECT).with_tokens_with_locations(part);
    let parsed = match own::parse(&mut parser) {
        Some(parsed) => parsed.map(StatementKind::Own),
        None => parser.parse_statement().map(|statement| StatementKind::Sql(Box::new(statement))),
    };
    let kind = parsed.map_err(|error| parser_error(sql, &parser, error, end))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return Err(Error::syntax(format!("syntax error at or near \"{}\"", rest.token))
            .with_position(position(sql, rest.span.start)));
    }
    Ok(Statement { text, kind, cluster_by, moments })
}

/// The text from the first to the last token that is not blank.
fn text_of(sql: &str, part: &[TokenWithSpan]) -> String {
    let mut solid = part.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    let Some(first) = solid.next() else { return String::new() };
    let last = solid.next_back().unwrap_or(first);
    let start = byte_offset(sql, first.span.start);
    let end = byte_offset(sql, last.span.end);
    sql.get(start..end).unwrap_or(sql).trim().to_owned()
}

/// The place behind the last token that is not blank.
fn end_of(sql: &str, part: &[TokenWithSpan]) -> usize {
    let solid = |token: &&TokenWithSpan| !matches!(token.token, Token::Whitespace(_) | Token::EOF);
    part.iter().rfind(solid).map_or(1, |last| position(sql, last.span.end))
}

fn byte_offset(sql: &str, location: Location) -> usize {
    let line_start: usize =
        sql.split_inclusive('\n').take((location.line as usize).saturating_sub(1)).map(str::len).sum();
    let line = &sql[line_start.min(sql.len())..];
    let column = (location.column as usize).saturating_sub(1);
    line_start + line.char_indices().nth(column).map_or(line.len(), |(offset, _)| offset)
}

/// PostgreSQL counts characters from 1.
fn position(sql: &str, location: Location) -> usize {
    sql[..byte_offset(sql, location)].chars().count() + 1
}

fn tokenizer_error(sql: &str, error: &TokenizerError) -> Error {
    Error::syntax(error.message.to_lowercase()).with_position(position(sql, error.location))
}

/// `end` is the place of what is missing at the end.
fn parser_error(sql: &str, parser: &Parser<'_>, error: ParserError, end: usize) -> Error {
    let message = match error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
        ParserError::RecursionLimitExceeded => {
            return Error::new(voxhouse_engine::ErrorKind::LimitExceeded, "statement is nested too deeply");
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
    error.with_position(if location.line == 0 { end } else { position(sql, location) })
}

fn parse_place(place: &str) -> Option<Location> {
    let (line, column) = place.split_once(", Column: ")?;
    Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
}

#[cfg(test)]
mod tests;
