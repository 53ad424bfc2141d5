//! OPTIMIZE and VACUUM.

use datafusion::sql::sqlparser::ast::{Expr, ObjectName};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::own::{ParseResult, name, skip, take_word};

#[derive(Debug, Clone)]
pub enum UpkeepStatement {
    /// `OPTIMIZE table [WHERE filter] [ZORDER BY (column, …)]`
    Optimize { table: ObjectName, filter: Option<Box<Expr>>, zorder: Vec<String> },
    /// `VACUUM [(RETAIN '7 days', DRY RUN, FORCE)] [table]`; without a table, every table.
    Vacuum { table: Option<ObjectName>, options: VacuumOptions },
}

#[derive(Debug, Clone, Default)]
pub struct VacuumOptions {
    /// The text of an interval.
    pub retain: Option<String>,
    pub dry_run: bool,
    pub force: bool,
}

/// PostgreSQL's own words, which change nothing here.
const POSTGRES_WORDS: [&str; 4] = ["full", "freeze", "verbose", "analyze"];

/// `None`: neither; nothing has been consumed.
pub(super) fn parse(parser: &mut Parser<'_>, words: &[&str]) -> Option<ParseResult<UpkeepStatement>> {
    match words {
        ["optimize", ..] => Some(skip(parser, 1).and_then(|()| optimize(parser))),
        ["vacuum", ..] => Some(skip(parser, 1).and_then(|()| vacuum(parser))),
        _ => None,
    }
}

fn optimize(parser: &mut Parser<'_>) -> ParseResult<UpkeepStatement> {
    let table = parser.parse_object_name(false)?;
    let filter = match parser.parse_keyword(Keyword::WHERE) {
        true => Some(Box::new(parser.parse_expr()?)),
        false => None,
    };
    let mut zorder = Vec::new();
    if take_word(parser, "zorder") {
        parser.expect_keyword_is(Keyword::BY)?;
        parser.expect_token(&Token::LParen)?;
        zorder = parser.parse_comma_separated(name)?;
        parser.expect_token(&Token::RParen)?;
    }
    Ok(UpkeepStatement::Optimize { table, filter, zorder })
}

fn vacuum(parser: &mut Parser<'_>) -> ParseResult<UpkeepStatement> {
    for word in POSTGRES_WORDS {
        take_word(parser, word);
    }
    let mut options = VacuumOptions::default();
    if parser.consume_token(&Token::LParen) {
        parser.parse_comma_separated(|parser| vacuum_option(parser, &mut options))?;
        parser.expect_token(&Token::RParen)?;
    }
    let has_name = matches!(parser.peek_token().token, Token::Word(_));
    let table = if has_name { Some(parser.parse_object_name(false)?) } else { None };
    Ok(UpkeepStatement::Vacuum { table, options })
}

fn vacuum_option(parser: &mut Parser<'_>, options: &mut VacuumOptions) -> ParseResult<()> {
    let found = parser.peek_token();
    match name(parser)?.as_str() {
        "retain" => options.retain = Some(parser.parse_literal_string()?),
        "dry" if take_word(parser, "run") => options.dry_run = true,
        "force" => options.force = true,
        word if POSTGRES_WORDS.contains(&word) => {
            let _ = take_word(parser, "true") || take_word(parser, "false");
        }
        _ => {
            let place = found.span.start;
            return Err(ParserError::ParserError(format!(
                "Expected: RETAIN, DRY RUN or FORCE, found: {} at Line: {}, Column: {}",
                found.token, place.line, place.column
            )));
        }
    }
    Ok(())
}
