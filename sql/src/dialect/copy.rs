//! COPY: PostgreSQL's statement with its options in both syntaxes, the list in parentheses and the words of old.

use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use super::own::{ParseResult, expect_word, name, take_word};

#[derive(Debug, Clone)]
pub struct Copy {
    pub relation: CopyRelation,
    pub direction: CopyDirection,
    pub end: CopyEnd,
    pub options: Vec<CopyOption>,
    pub filter: Option<Box<Expr>>,
}

#[derive(Debug, Clone)]
pub enum CopyRelation {
    /// No columns: all of them.
    Table {
        name: ObjectName,
        columns: Vec<Ident>,
    },
    Query(Box<Query>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyDirection {
    From,
    To,
}

/// The other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyEnd {
    Client,
    File,
    Program,
}

/// `delimiter ';'`, as written; the name in lower case.
#[derive(Debug, Clone)]
pub struct CopyOption {
    pub name: String,
    pub value: CopyValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyValue {
    None,
    /// A word, a text or a number.
    Text(String),
    /// `*`
    All,
    List(Vec<String>),
}

/// Behind the word COPY.
pub(super) fn parse(parser: &mut Parser<'_>) -> ParseResult<Copy> {
    let mut options = Vec::new();
    if take_word(parser, "binary") {
        options.push(option("format", CopyValue::Text("binary".to_owned())));
    }
    let relation = relation(parser)?;
    let direction = match (&relation, parser.parse_keyword(Keyword::TO)) {
        (_, true) => CopyDirection::To,
        (CopyRelation::Table { .. }, false) => {
            parser.expect_keyword_is(Keyword::FROM)?;
            CopyDirection::From
        }
        (CopyRelation::Query(_), false) => return parser.expected("TO", parser.peek_token()),
    };
    let end = end(parser)?;
    if take_word(parser, "using") {
        expect_word(parser, "delimiters")?;
        options.push(option("delimiter", CopyValue::Text(text(parser)?)));
    }
    let _ = take_word(parser, "with");
    if parser.consume_token(&Token::LParen) {
        options.extend(parser.parse_comma_separated(listed_option)?);
        parser.expect_token(&Token::RParen)?;
    } else {
        while let Some(found) = option_of_old(parser)? {
            options.push(found);
        }
    }
    let filter = match parser.parse_keyword(Keyword::WHERE) {
        true => Some(Box::new(parser.parse_expr()?)),
        false => None,
    };
    Ok(Copy { relation, direction, end, options, filter })
}

fn option(name: &str, value: CopyValue) -> CopyOption {
    CopyOption { name: name.to_owned(), value }
}

fn relation(parser: &mut Parser<'_>) -> ParseResult<CopyRelation> {
    if parser.consume_token(&Token::LParen) {
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        return Ok(CopyRelation::Query(query));
    }
    let name = parser.parse_object_name(false)?;
    let mut columns = Vec::new();
    if parser.consume_token(&Token::LParen) {
        columns = parser.parse_comma_separated(Parser::parse_identifier)?;
        parser.expect_token(&Token::RParen)?;
    }
    Ok(CopyRelation::Table { name, columns })
}

/// STDIN and STDOUT mean the same: the client.
fn end(parser: &mut Parser<'_>) -> ParseResult<CopyEnd> {
    if take_word(parser, "stdin") || take_word(parser, "stdout") {
        return Ok(CopyEnd::Client);
    }
    let end = if take_word(parser, "program") { CopyEnd::Program } else { CopyEnd::File };
    text(parser)?;
    Ok(end)
}

fn text(parser: &mut Parser<'_>) -> ParseResult<String> {
    match string(&parser.peek_token().token) {
        Some(text) => {
            parser.next_token();
            Ok(text)
        }
        None => parser.expected("a string", parser.peek_token()),
    }
}

fn string(token: &Token) -> Option<String> {
    match token {
        Token::SingleQuotedString(text)
        | Token::EscapedStringLiteral(text)
        | Token::UnicodeStringLiteral(text) => Some(text.clone()),
        Token::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    }
}

/// An option of the list in parentheses: a word and perhaps a value.
fn listed_option(parser: &mut Parser<'_>) -> ParseResult<CopyOption> {
    let name = name(parser)?;
    let next = parser.peek_token().token;
    let value = match &next {
        Token::Comma | Token::RParen => CopyValue::None,
        Token::Mul => {
            parser.next_token();
            CopyValue::All
        }
        Token::LParen => {
            parser.next_token();
            let names = parser.parse_comma_separated(self::name)?;
            parser.expect_token(&Token::RParen)?;
            CopyValue::List(names)
        }
        Token::Number(digits, _) => {
            parser.next_token();
            CopyValue::Text(digits.clone())
        }
        other => match string(other) {
            Some(text) => {
                parser.next_token();
                CopyValue::Text(text)
            }
            None => CopyValue::Text(self::name(parser)?),
        },
    };
    Ok(CopyOption { name, value })
}

/// An option of the syntax without parentheses, where each has a form of its own.
fn option_of_old(parser: &mut Parser<'_>) -> ParseResult<Option<CopyOption>> {
    for (word, format) in [("csv", "csv"), ("binary", "binary")] {
        if take_word(parser, word) {
            return Ok(Some(option("format", CopyValue::Text(format.to_owned()))));
        }
    }
    for word in ["header", "freeze"] {
        if take_word(parser, word) {
            return Ok(Some(option(word, CopyValue::None)));
        }
    }
    for word in ["delimiter", "null", "quote", "escape", "encoding"] {
        if take_word(parser, word) {
            let _ = take_word(parser, "as");
            return Ok(Some(option(word, CopyValue::Text(text(parser)?))));
        }
    }
    if !take_word(parser, "force") {
        return Ok(None);
    }
    let name = if take_word(parser, "quote") {
        if parser.consume_token(&Token::Mul) {
            return Ok(Some(option("force_quote", CopyValue::All)));
        }
        "force_quote"
    } else if take_word(parser, "not") {
        expect_word(parser, "null")?;
        "force_not_null"
    } else {
        expect_word(parser, "null")?;
        "force_null"
    };
    let columns = parser.parse_comma_separated(self::name)?;
    Ok(Some(option(name, CopyValue::List(columns))))
}
