//! The statements that PostgreSQL does not have, or that sqlparser reads in another dialect.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast::{ObjectName, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::copy::{self, Copy};
use super::roles::AccessStatement;
use super::rules::{self, AddRule};
use super::upkeep::{self, UpkeepStatement};

pub(super) type ParseResult<T> = std::result::Result<T, ParserError>;

#[derive(Debug, Clone)]
pub enum OwnStatement {
    /// Roles, privileges, owners.
    Access(AccessStatement),
    CreatePipe(CreatePipe),
    DropPipe {
        name: String,
        if_exists: bool,
    },
    CommentOnPipe {
        name: String,
        comment: Option<String>,
    },
    RefreshMaterializedView {
        name: ObjectName,
    },
    Upkeep(UpkeepStatement),
    Copy(Copy),
    AddRule(AddRule),
}

/// `CREATE [OR REPLACE] PIPE [IF NOT EXISTS] name FROM 'where' INTO table FORMAT format [OPTIONS (k 'v', …)]
/// [EVERY '5 minutes' | ON CALL] [AS SELECT … FROM source]`
#[derive(Debug, Clone)]
pub struct CreatePipe {
    pub name: String,
    pub or_replace: bool,
    pub if_not_exists: bool,
    pub from: String,
    pub into: ObjectName,
    pub format: String,
    pub options: BTreeMap<String, String>,
    pub every: Option<String>,
    pub query: Option<Box<Query>>,
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
    match words.as_slice() {
        ["create", "pipe", ..] => Some(skip(parser, 2).and_then(|()| create_pipe(parser, false))),
        ["create", "or", "replace", "pipe"] => Some(skip(parser, 4).and_then(|()| create_pipe(parser, true))),
        ["drop", "pipe", ..] => Some(skip(parser, 2).and_then(|()| drop_pipe(parser))),
        ["comment", "on", "pipe", ..] => Some(skip(parser, 3).and_then(|()| comment_on_pipe(parser))),
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

fn create_pipe(parser: &mut Parser<'_>, or_replace: bool) -> ParseResult<OwnStatement> {
    let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = name(parser)?;
    parser.expect_keyword_is(Keyword::FROM)?;
    let from = parser.parse_literal_string()?;
    parser.expect_keyword_is(Keyword::INTO)?;
    let into = parser.parse_object_name(false)?;
    expect_word(parser, "format")?;
    let format = self::name(parser)?;
    let options = if take_word(parser, "options") { options(parser)? } else { BTreeMap::new() };
    let mut every = None;
    if take_word(parser, "every") {
        every = Some(parser.parse_literal_string()?);
    } else if parser.parse_keyword(Keyword::ON) {
        expect_word(parser, "call")?;
    }
    let query = if parser.parse_keyword(Keyword::AS) { Some(parser.parse_query()?) } else { None };
    Ok(OwnStatement::CreatePipe(CreatePipe {
        name,
        or_replace,
        if_not_exists,
        from,
        into,
        format,
        options,
        every,
        query,
    }))
}

fn options(parser: &mut Parser<'_>) -> ParseResult<BTreeMap<String, String>> {
    parser.expect_token(&Token::LParen)?;
    let pairs = parser.parse_comma_separated(|parser| {
        let key = name(parser)?;
        let _ = parser.consume_token(&Token::Eq);
        let value = match parser.peek_token().token {
            Token::Number(digits, _) => {
                parser.next_token();
                digits
            }
            Token::Word(word) if word.quote_style.is_none() => {
                parser.next_token();
                word.value.to_lowercase()
            }
            _ => parser.parse_literal_string()?,
        };
        Ok((key, value))
    })?;
    parser.expect_token(&Token::RParen)?;
    Ok(pairs.into_iter().collect())
}

fn drop_pipe(parser: &mut Parser<'_>) -> ParseResult<OwnStatement> {
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    Ok(OwnStatement::DropPipe { name: name(parser)?, if_exists })
}

fn comment_on_pipe(parser: &mut Parser<'_>) -> ParseResult<OwnStatement> {
    let name = name(parser)?;
    parser.expect_keyword_is(Keyword::IS)?;
    let comment =
        if parser.parse_keyword(Keyword::NULL) { None } else { Some(parser.parse_literal_string()?) };
    Ok(OwnStatement::CommentOnPipe { name, comment })
}

fn refresh(parser: &mut Parser<'_>) -> ParseResult<OwnStatement> {
    Ok(OwnStatement::RefreshMaterializedView { name: parser.parse_object_name(false)? })
}
