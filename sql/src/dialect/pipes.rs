//! Statements about pipes, which PostgreSQL does not have.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::ast::{ObjectName, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use voxhouse_engine::catalog::LoadMode;

use super::own::{ParseResult, expect_word, name, skip, take_word};

#[derive(Debug, Clone)]
pub enum PipeStatement {
    Create(CreatePipe),
    Drop {
        name: String,
        if_exists: bool,
    },
    Comment {
        name: String,
        comment: Option<String>,
    },
    /// `ALTER PIPE name PAUSE | RESUME`
    Pause {
        name: String,
        paused: bool,
    },
    /// `ALTER PIPE name REPLAY [FROM 'when']`
    Replay {
        name: String,
        from: Option<String>,
    },
}

/// `CREATE [OR REPLACE] PIPE [IF NOT EXISTS] name FROM 'where' INTO table FORMAT format [MODE mode]
/// [OPTIONS (k 'v', …)] [EVERY '5 minutes' | ON CALL] [AS SELECT … FROM source]`; the clauses between INTO and AS
/// come in any order.
#[derive(Debug, Clone)]
pub struct CreatePipe {
    pub name: String,
    pub or_replace: bool,
    pub if_not_exists: bool,
    pub from: String,
    pub into: ObjectName,
    pub format: String,
    pub mode: LoadMode,
    pub options: BTreeMap<String, String>,
    pub every: Option<String>,
    pub query: Option<Box<Query>>,
}

/// `None`: not one of these; nothing has been consumed.
pub(super) fn parse(parser: &mut Parser<'_>, words: &[&str]) -> Option<ParseResult<PipeStatement>> {
    Some(match words {
        ["create", "pipe", ..] => skip(parser, 2).and_then(|()| create(parser, false)),
        ["create", "or", "replace", "pipe"] => skip(parser, 4).and_then(|()| create(parser, true)),
        ["alter", "pipe", ..] => skip(parser, 2).and_then(|()| alter(parser)),
        ["drop", "pipe", ..] => skip(parser, 2).and_then(|()| drop_pipe(parser)),
        ["comment", "on", "pipe", ..] => skip(parser, 3).and_then(|()| comment(parser)),
        _ => return None,
    })
}

/// What may stand between INTO and AS.
#[derive(Default)]
struct Clauses {
    format: Option<String>,
    mode: Option<LoadMode>,
    options: Option<BTreeMap<String, String>>,
    schedule: Option<Option<String>>,
}

impl Clauses {
    /// Whether there was one more.
    fn take(&mut self, parser: &mut Parser<'_>) -> ParseResult<bool> {
        if self.format.is_none() && take_word(parser, "format") {
            self.format = Some(name(parser)?);
        } else if self.mode.is_none() && take_word(parser, "mode") {
            self.mode = Some(mode(parser)?);
        } else if self.options.is_none() && take_word(parser, "options") {
            self.options = Some(options(parser)?);
        } else if self.schedule.is_none() && take_word(parser, "every") {
            self.schedule = Some(Some(parser.parse_literal_string()?));
        } else if self.schedule.is_none() && parser.parse_keyword(Keyword::ON) {
            expect_word(parser, "call")?;
            self.schedule = Some(None);
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

fn create(parser: &mut Parser<'_>, or_replace: bool) -> ParseResult<PipeStatement> {
    let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = name(parser)?;
    parser.expect_keyword_is(Keyword::FROM)?;
    let from = parser.parse_literal_string()?;
    parser.expect_keyword_is(Keyword::INTO)?;
    let into = parser.parse_object_name(false)?;
    let mut clauses = Clauses::default();
    while clauses.take(parser)? {}
    let Some(format) = clauses.format else { return parser.expected("FORMAT", parser.peek_token()) };
    let query = if parser.parse_keyword(Keyword::AS) { Some(parser.parse_query()?) } else { None };
    Ok(PipeStatement::Create(CreatePipe {
        name,
        or_replace,
        if_not_exists,
        from,
        into,
        format,
        mode: clauses.mode.unwrap_or_default(),
        options: clauses.options.unwrap_or_default(),
        every: clauses.schedule.flatten(),
        query,
    }))
}

/// `append`, `upsert [KEY (a, b)] [NEWEST BY c]`, `replace partition`, `change feed [KEY (a, b)] [NEWEST BY c]`
fn mode(parser: &mut Parser<'_>) -> ParseResult<LoadMode> {
    if take_word(parser, "append") {
        return Ok(LoadMode::Append);
    }
    if take_word(parser, "replace") {
        expect_word(parser, "partition")?;
        return Ok(LoadMode::ReplacePartition);
    }
    if take_word(parser, "upsert") {
        let (key, newest_by) = (key(parser)?, newest_by(parser)?);
        return Ok(LoadMode::Upsert { key, newest_by });
    }
    if take_word(parser, "change") {
        expect_word(parser, "feed")?;
        let (key, newest_by) = (key(parser)?, newest_by(parser)?);
        return Ok(LoadMode::ChangeFeed { key, newest_by });
    }
    parser.expected("append, upsert, replace partition or change feed", parser.peek_token())
}

fn key(parser: &mut Parser<'_>) -> ParseResult<Vec<String>> {
    if !take_word(parser, "key") {
        return Ok(Vec::new());
    }
    parser.expect_token(&Token::LParen)?;
    let key = parser.parse_comma_separated(name)?;
    parser.expect_token(&Token::RParen)?;
    Ok(key)
}

fn newest_by(parser: &mut Parser<'_>) -> ParseResult<Option<String>> {
    if !take_word(parser, "newest") {
        return Ok(None);
    }
    expect_word(parser, "by")?;
    name(parser).map(Some)
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

fn alter(parser: &mut Parser<'_>) -> ParseResult<PipeStatement> {
    let name = name(parser)?;
    if take_word(parser, "pause") {
        return Ok(PipeStatement::Pause { name, paused: true });
    }
    if take_word(parser, "resume") {
        return Ok(PipeStatement::Pause { name, paused: false });
    }
    if take_word(parser, "replay") {
        let from =
            if parser.parse_keyword(Keyword::FROM) { Some(parser.parse_literal_string()?) } else { None };
        return Ok(PipeStatement::Replay { name, from });
    }
    parser.expected("PAUSE, RESUME, REPLAY or OWNER TO", parser.peek_token())
}

fn drop_pipe(parser: &mut Parser<'_>) -> ParseResult<PipeStatement> {
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    Ok(PipeStatement::Drop { name: name(parser)?, if_exists })
}

fn comment(parser: &mut Parser<'_>) -> ParseResult<PipeStatement> {
    let name = name(parser)?;
    parser.expect_keyword_is(Keyword::IS)?;
    let comment =
        if parser.parse_keyword(Keyword::NULL) { None } else { Some(parser.parse_literal_string()?) };
    Ok(PipeStatement::Comment { name, comment })
}
