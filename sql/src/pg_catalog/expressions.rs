//! Defaults and checks as PostgreSQL writes them back: with the types that it gave their parts. The catalog keeps the text
//! that was written; an expression that is not understood here is shown as that.

use std::borrow::Cow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator, Value};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use voxhouse_engine::catalog::Oid;

use super::entities::Column;
use super::functions::quote_ident;
use super::types::{self, format_type};
use crate::wire::types::oid;

/// How much of it PostgreSQL writes: every pair of parentheses, or those that are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Exact,
    Pretty,
}

/// The default of a column of a type, of which a string is.
pub(super) fn default_of(text: &str, type_oid: Oid) -> String {
    let may_be_literal = text.starts_with(['\'', '-', '(']);
    let typed = match may_be_literal.then(|| parsed(text)).flatten().as_ref().and_then(literal) {
        Some(Literal::Text(value)) => Some(of_type(value, type_oid)),
        Some(Literal::Number(digits)) => constant(&digits),
        None => None,
    };
    typed.unwrap_or_else(|| text.to_owned())
}

/// The condition of a check over these columns, without parentheses around it in the pretty style.
pub(super) fn condition(text: &str, columns: &[Column], style: Style) -> String {
    understood(text, columns, style).unwrap_or_else(|| match style {
        Style::Exact => format!("({text})"),
        Style::Pretty => text.to_owned(),
    })
}

/// `None`: it is no condition, or one that is not understood.
pub(super) fn understood(text: &str, columns: &[Column], style: Style) -> Option<String> {
    let writer = Writer { columns, style };
    Some(writer.condition(&parsed(text)?)?.text)
}

fn parsed(text: &str) -> Option<Expr> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?;
    let expr = parser.parse_expr().ok()?;
    (parser.peek_token().token == Token::EOF).then_some(expr)
}

enum Literal<'a> {
    Text(&'a str),
    Number(Cow<'a, str>),
}

fn literal(expr: &Expr) -> Option<Literal<'_>> {
    match expr {
        Expr::Nested(inner) => literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match literal(expr)? {
            Literal::Number(digits) if !digits.starts_with('-') => {
                Some(Literal::Number(Cow::Owned(format!("-{digits}"))))
            }
            _ => None,
        },
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(Literal::Text(text)),
            Value::Number(digits, _) => Some(Literal::Number(Cow::Borrowed(digits))),
            _ => None,
        },
        _ => None,
    }
}

fn is_integer(digits: &str) -> bool {
    digits.parse::<i32>().is_ok()
}

fn is_decimal(digits: &str) -> bool {
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    digits.contains('.') && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// A number by itself: negative ones in quotes.
fn constant(digits: &str) -> Option<String> {
    let type_name = match digits {
        _ if is_integer(digits) => "integer",
        _ if is_decimal(digits) => "numeric",
        _ => return None,
    };
    Some(if digits.starts_with('-') { format!("'{digits}'::{type_name}") } else { digits.to_owned() })
}

/// `'CN'::bpchar`
fn of_type(text: &str, type_oid: Oid) -> String {
    let name = if type_oid == oid::BPCHAR { "bpchar".to_owned() } else { format_type(type_oid, None) };
    format!("{}::{name}", quoted(text))
}

fn quoted(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// Text of an expression, and its type.
struct Written {
    text: String,
    type_oid: Oid,
}

struct Writer<'a> {
    columns: &'a [Column],
    style: Style,
}

impl Writer<'_> {
    /// `None`: it has a part that is not understood.
    fn condition(&self, expr: &Expr) -> Option<Written> {
        match expr {
            Expr::Nested(inner) => self.condition(inner),
            Expr::Identifier(name) => self.column(name).filter(|column| column.type_oid == oid::BOOL),
            Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
                let parts = [self.first_part(left, op)?, self.part(right, op)?];
                Some(self.operation(parts.join(&format!(" {op} "))))
            }
            Expr::BinaryOp { left, op, right } => self.comparison(left, operator(op)?, right),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
                let inner = self.condition(expr)?.text;
                let needs = self.style == Style::Pretty && is_junction(unnested(expr));
                Some(self.operation(if needs { format!("NOT ({inner})") } else { format!("NOT {inner}") }))
            }
            Expr::IsNull(inner) => Some(self.operation(format!("{} IS NULL", self.named(inner)?.text))),
            Expr::IsNotNull(inner) => {
                Some(self.operation(format!("{} IS NOT NULL", self.named(inner)?.text)))
            }
            Expr::Between { expr, negated: false, low, high } => {
                let low = self.comparison(expr, ">=", low)?;
                let high = self.comparison(expr, "<=", high)?;
                Some(self.operation(format!("{} AND {}", low.text, high.text)))
            }
            Expr::InList { expr, list, negated } => self.list(expr, list, *negated),
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                self.comparison(expr, if *negated { "!~~" } else { "~~" }, pattern)
            }
            _ => None,
        }
    }

    /// The left side of AND or OR. A chain of the same word stands on one level.
    fn first_part(&self, side: &Expr, within: &BinaryOperator) -> Option<String> {
        match unnested(side) {
            Expr::BinaryOp { left, op, right } if op == within => {
                Some(format!("{} {op} {}", self.first_part(left, op)?, self.part(right, op)?))
            }
            other => self.part(other, within),
        }
    }

    /// OR is weaker than AND.
    fn part(&self, side: &Expr, within: &BinaryOperator) -> Option<String> {
        let is_or = matches!(unnested(side), Expr::BinaryOp { op: BinaryOperator::Or, .. });
        let needs = self.style == Style::Pretty && is_or && *within == BinaryOperator::And;
        let text = self.condition(side)?.text;
        Some(if needs { format!("({text})") } else { text })
    }

    fn comparison(&self, left: &Expr, op: &str, right: &Expr) -> Option<Written> {
        let (one, other) = match (literal(left), literal(right)) {
            (None, None) => {
                let (one, other) = (self.named(left)?, self.named(right)?);
                (one.type_oid == other.type_oid && one.type_oid != oid::VARCHAR).then_some(())?;
                (one.text, other.text)
            }
            (None, Some(value)) => self.beside(self.named(left)?, value)?,
            (Some(value), None) => {
                let (column, value) = self.beside(self.named(right)?, value)?;
                (value, column)
            }
            (Some(_), Some(_)) => return None,
        };
        Some(self.operation(format!("{one} {op} {other}")))
    }

    /// A column and a literal, in the type in which they are compared.
    fn beside(&self, column: Written, value: Literal<'_>) -> Option<(String, String)> {
        let compared = if column.type_oid == oid::VARCHAR { oid::TEXT } else { column.type_oid };
        let value = match value {
            Literal::Text(text) => of_type(text, compared),
            Literal::Number(digits) => self.number(&digits, compared)?,
        };
        Some((self.as_type(column, compared), value))
    }

    fn number(&self, digits: &str, compared: Oid) -> Option<String> {
        let constant = constant(digits)?;
        match compared {
            oid::INT2 | oid::INT4 | oid::INT8 if is_integer(digits) => Some(constant),
            oid::NUMERIC if is_integer(digits) => Some(self.cast(&constant, "numeric")),
            oid::NUMERIC => Some(constant),
            oid::FLOAT8 => Some(self.cast(&constant, "double precision")),
            _ => None,
        }
    }

    /// `x IN (1, 2)` is `x = ANY (ARRAY[1, 2])`.
    fn list(&self, expr: &Expr, list: &[Expr], negated: bool) -> Option<Written> {
        let column = self.named(expr)?;
        let type_oid = column.type_oid;
        let elements = list.iter().map(|element| match literal(element)? {
            Literal::Text(text) => Some(of_type(text, type_oid)),
            // Elements are of the type of the column.
            Literal::Number(digits) if type_oid == oid::INT8 => {
                is_integer(&digits).then(|| self.cast(&digits, "bigint"))
            }
            Literal::Number(_) if type_oid == oid::INT2 => None,
            Literal::Number(digits) => self.number(&digits, type_oid),
        });
        let elements: Vec<String> = elements.collect::<Option<_>>()?;
        if elements.len() < 2 {
            return self.comparison(expr, if negated { "<>" } else { "=" }, list.first()?);
        }
        let mut array = format!("ARRAY[{}]", elements.join(", "));
        let compared = if type_oid == oid::VARCHAR { oid::TEXT } else { type_oid };
        if compared != type_oid {
            array = self.cast(&array, "text[]");
        }
        let column = self.as_type(column, compared);
        let word = if negated { "<> ALL" } else { "= ANY" };
        Some(self.operation(format!("{column} {word} ({array})")))
    }

    fn as_type(&self, written: Written, type_oid: Oid) -> String {
        if written.type_oid == type_oid {
            return written.text;
        }
        self.cast(&written.text, &format_type(type_oid, None))
    }

    fn cast(&self, text: &str, type_name: &str) -> String {
        match self.style {
            Style::Exact => format!("({text})::{type_name}"),
            Style::Pretty => format!("{text}::{type_name}"),
        }
    }

    fn operation(&self, text: String) -> Written {
        let text = if self.style == Style::Exact { format!("({text})") } else { text };
        Written { text, type_oid: oid::BOOL }
    }

    fn named(&self, expr: &Expr) -> Option<Written> {
        match unnested(expr) {
            Expr::Identifier(name) => self.column(name),
            _ => None,
        }
    }

    fn column(&self, name: &Ident) -> Option<Written> {
        let folded = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
        let column = self.columns.iter().find(|column| column.name == folded)?;
        let is_known = types::by_oid(column.type_oid).is_some();
        is_known.then(|| Written { text: quote_ident(&column.name), type_oid: column.type_oid })
    }
}

/// Whether AND or OR stands outermost.
fn is_junction(expr: &Expr) -> bool {
    let is_word = matches!(expr, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. });
    is_word || matches!(expr, Expr::Between { .. })
}

fn unnested(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => unnested(inner),
        other => other,
    }
}

fn operator(op: &BinaryOperator) -> Option<&'static str> {
    Some(match op {
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "<>",
        BinaryOperator::Lt => "<",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Gt => ">",
        BinaryOperator::GtEq => ">=",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PostgreSQL 15 prints for each, exactly and pretty.
    const CHECKS: &[(&str, &str, &str)] = &[
        (
            "a > 0 AND a < 5 AND c <> 'x'",
            "((a > 0) AND (a < 5) AND (c <> 'x'::text))",
            "a > 0 AND a < 5 AND c <> 'x'::text",
        ),
        ("a BETWEEN 1 AND 5 OR f", "(((a >= 1) AND (a <= 5)) OR f)", "a >= 1 AND a <= 5 OR f"),
        (
            "b IN ('a', 'b')",
            "((b)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "b::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[])",
        ),
        ("b LIKE 'x%'", "((b)::text ~~ 'x%'::text)", "b::text ~~ 'x%'::text"),
        ("b IN ('a')", "((b)::text = 'a'::text)", "b::text = 'a'::text"),
        (
            "c NOT IN ('a', 'b')",
            "(c <> ALL (ARRAY['a'::text, 'b'::text]))",
            "c <> ALL (ARRAY['a'::text, 'b'::text])",
        ),
        ("d IN (1, 2.5)", "(d = ANY (ARRAY[(1)::numeric, 2.5]))", "d = ANY (ARRAY[1::numeric, 2.5])"),
        (
            "e >= 0.5 AND (a = 1 OR c IS NOT NULL)",
            "((e >= (0.5)::double precision) AND ((a = 1) OR (c IS NOT NULL)))",
            "e >= 0.5::double precision AND (a = 1 OR c IS NOT NULL)",
        ),
        ("f AND NOT (a = 1)", "(f AND (NOT (a = 1)))", "f AND NOT a = 1"),
        ("a BETWEEN 1 AND 5 AND f", "(((a >= 1) AND (a <= 5)) AND f)", "a >= 1 AND a <= 5 AND f"),
        ("g >= '2020-01-01'", "(g >= '2020-01-01'::date)", "g >= '2020-01-01'::date"),
        ("h = 'abc'", "(h = 'abc'::bpchar)", "h = 'abc'::bpchar"),
        ("i > 3 AND 5 > i", "((i > 3) AND (5 > i))", "i > 3 AND 5 > i"),
        (
            "i IN (1, 2)",
            "(i = ANY (ARRAY[(1)::bigint, (2)::bigint]))",
            "i = ANY (ARRAY[1::bigint, 2::bigint])",
        ),
        ("f", "f", "f"),
        ("length(c) > 2", "(length(c) > 2)", "length(c) > 2"),
    ];

    #[test]
    fn checks_are_written_as_postgresql_writes_them() {
        let types = [
            oid::INT4,
            oid::VARCHAR,
            oid::TEXT,
            oid::NUMERIC,
            oid::FLOAT8,
            oid::BOOL,
            oid::DATE,
            oid::BPCHAR,
        ];
        let columns: Vec<Column> = (types.into_iter().chain([oid::INT8]).zip('a'..).zip(1..))
            .map(|((type_oid, name), number)| Column::new(number, &name.to_string(), type_oid, -1))
            .collect();
        for (check, exact, pretty) in CHECKS {
            assert_eq!(condition(check, &columns, Style::Exact), *exact);
            assert_eq!(condition(check, &columns, Style::Pretty), *pretty);
        }
    }

    #[test]
    fn defaults_are_of_the_column_s_type() {
        assert_eq!(default_of("'CN'", oid::BPCHAR), "'CN'::bpchar");
        assert_eq!(default_of("'x'", oid::VARCHAR), "'x'::character varying");
        assert_eq!(default_of("'2020-01-01'", oid::DATE), "'2020-01-01'::date");
        assert_eq!(default_of("-5", oid::INT4), "'-5'::integer");
        assert_eq!(default_of("1.5", oid::NUMERIC), "1.5");
        assert_eq!(default_of("now()", oid::TIMESTAMPTZ), "now()");
    }
}
