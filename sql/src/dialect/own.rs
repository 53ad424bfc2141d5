//! The statements that PostgreSQL does not have, or that sqlparser reads in another dialect.

use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::copy::{self, Copy};
use super::pipes::PipeStatement;
use super::roles::AccessStatement;
use super::rules::{self, AddRule};
use super::upkeep::{self, UpkeepStatement};

pub(super) type ParseResult<T> = std::result::Result<T, ParserError>;

#[derive(Debug, Clone)]
pub enum OwnStatement {
    /// Roles, privileges, owners.
    Access(AccessStatement),
    Pipe(PipeStatement),
    RefreshMaterializedView {
        name: ObjectName,
    },
    Upkeep(UpkeepStatement),
    Copy(Copy),
    AddRule(AddRule),
}

/// The first words of a statement, in lower case; nothing in the place of what is not a plain word.
pub(super) fn first_words(parser: &Parser<'_>) -> Vec<String> {
    (0..4)
        .map(|ahead| match parser.peek_nth_token(ahead).token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
            _ => String::new(),
        })
        .collect()
}

/// `None`: not one of ours; nothing has been consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Option<ParseResult<OwnStatement>> {
    let words = first_words(parser);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(parsed) = super::roles::parse(parser, &words) {
        return Some(parsed.map(OwnStatement::Access));
    }
    if let Some(parsed) = super::pipes::parse(parser, &words) {
        return Some(parsed.map(OwnStatement::Pipe));
    }
    match words.as_slice() {
        ["refresh", "materialized", "view", ..] => Some(skip(parser, 3).and_then(|()| refresh(parser))),
        ["copy", ..] => Some(skip(parser, 1).and_then(|()| copy::parse(parser)).map(OwnStatement::Copy)),
        ["alter", "table", ..] => rules::parse(parser)
            .or_else(|| upkeep::parse(parser, &words).map(|parsed| parsed.map(OwnStatement::Upkeep))),
        _ => upkeep::parse(parser, &words).map(|parsed| parsed.map(OwnStatement::Upkeep)),
    }
}

pub(super) fn skip(parser: &mut Parser<'_>, tokens: usize) -> ParseResult<()> {
    for _ in 0..tokens {
        parser.next_token();
    }
    Ok(())
}

/// A word that need not be a keyword of sqlparser.
pub(super) fn take_word(parser: &mut Parser<'_>, expected: &str) -> bool {
    let found = matches!(
        parser.peek_token().token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
    );
    if found {
        parser.next_token();
    }
    found
}

pub(super) fn expect_word(parser: &mut Parser<'_>, expected: &str) -> ParseResult<()> {
    if take_word(parser, expected) {
        Ok(())
    } else {
        parser.expected(&expected.to_uppercase(), parser.peek_token())
    }
}

/// A name; in lower case unless it is quoted.
pub(super) fn name(parser: &mut Parser<'_>) -> ParseResult<String> {
    let identifier = parser.parse_identifier()?;
    Ok(match identifier.quote_style {
        Some(_) => identifier.value,
        None => identifier.value.to_lowercase(),
    })
}

fn refresh(parser: &mut Parser<'_>) -> ParseResult<OwnStatement> {
    Ok(OwnStatement::RefreshMaterializedView { name: parser.parse_object_name(false)? })
}
