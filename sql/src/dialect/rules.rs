//! `ALTER TABLE … ADD [CONSTRAINT name] CHECK … | UNIQUE … | PRIMARY KEY … | EXPECT (…) [ON VIOLATION …]`: PostgreSQL's
//! constraints, what they do about rows that break them, and rules about whole loads.

use datafusion::sql::sqlparser::ast::{Expr, ObjectName, TableConstraint};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use voxhouse_engine::catalog::OnViolation;

use super::own::{OwnStatement, ParseResult, expect_word, name, take_word};

/// A rule that is added to a table.
#[derive(Debug, Clone)]
pub struct AddRule {
    pub table: ObjectName,
    pub name: Option<String>,
    pub rule: NewRule,
    pub not_valid: bool,
    pub on_violation: Option<OnViolation>,
}

#[derive(Debug, Clone)]
pub enum NewRule {
    Constraint(Box<TableConstraint>),
    Expect(Box<Expr>),
}

/// `None`: another kind of ALTER TABLE; nothing has been consumed.
pub(super) fn parse(parser: &mut Parser<'_>) -> Option<ParseResult<OwnStatement>> {
    match parser.maybe_parse(beginning) {
        Ok(Some((table, name))) => Some(rest(parser, table, name)),
        Ok(None) => None,
        Err(error) => Some(Err(error)),
    }
}

/// Up to the word that tells the kind of rule.
fn beginning(parser: &mut Parser<'_>) -> ParseResult<(ObjectName, Option<String>)> {
    parser.expect_keyword_is(Keyword::ALTER)?;
    parser.expect_keyword_is(Keyword::TABLE)?;
    let _ = parser.parse_keyword(Keyword::ONLY);
    let table = parser.parse_object_name(false)?;
    parser.expect_keyword_is(Keyword::ADD)?;
    let name = if parser.parse_keyword(Keyword::CONSTRAINT) { Some(name(parser)?) } else { None };
    let next = match parser.peek_token().token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_lowercase(),
        _ => String::new(),
    };
    let is_bracketed = parser.peek_nth_token(1).token == Token::LParen;
    match next.as_str() {
        "check" | "unique" | "primary" => Ok((table, name)),
        "expect" if is_bracketed => Ok((table, name)),
        _ => parser.expected("a constraint", parser.peek_token()),
    }
}

fn rest(parser: &mut Parser<'_>, table: ObjectName, name: Option<String>) -> ParseResult<OwnStatement> {
    let rule = if take_word(parser, "expect") {
        parser.expect_token(&Token::LParen)?;
        let expression = parser.parse_expr()?;
        parser.expect_token(&Token::RParen)?;
        NewRule::Expect(Box::new(expression))
    } else {
        match parser.parse_optional_table_constraint()? {
            Some(constraint) => NewRule::Constraint(Box::new(constraint)),
            None => return parser.expected("a constraint", parser.peek_token()),
        }
    };
    let not_valid = parser.parse_keywords(&[Keyword::NOT, Keyword::VALID]);
    let on_violation = if parser.parse_keyword(Keyword::ON) { Some(on_violation(parser)?) } else { None };
    Ok(OwnStatement::AddRule(AddRule { table, name, rule, not_valid, on_violation }))
}

fn on_violation(parser: &mut Parser<'_>) -> ParseResult<OnViolation> {
    expect_word(parser, "violation")?;
    for effect in [OnViolation::Reject, OnViolation::Fail, OnViolation::Warn] {
        if take_word(parser, effect.word()) {
            return Ok(effect);
        }
    }
    parser.expected("REJECT, FAIL or WARN", parser.peek_token())
}
