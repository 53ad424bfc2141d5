//! Operators that DataFusion spells otherwise: `OPERATOR(pg_catalog.~)`, `COLLATE`, `= ANY ('{r,v}')`.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, ObjectName};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::names::folded;
use crate::dialect::build;

/// Collations that compare as DataFusion does: by code point.
const BYTEWISE: &[&str] = &["default", "C", "POSIX", "ucs_basic", "C.UTF-8", "C.utf8"];

pub(super) fn rewrite(expr: &mut Expr) -> Result<()> {
    match expr {
        Expr::BinaryOp { op, .. } => {
            if let BinaryOperator::PGCustomBinaryOperator(name) = op
                && let Some(plain) = name.last().and_then(|symbol| operator(symbol))
            {
                *op = plain;
            }
        }
        Expr::Collate { expr: inner, collation } => {
            check_collation(collation)?;
            *expr = std::mem::replace(inner, build::null());
        }
        Expr::Substring { expr: text, substring_from: Some(from), substring_for: None, .. }
            if build::literal(from).is_some() =>
        {
            let text = std::mem::replace(text.as_mut(), build::null());
            let pattern = std::mem::replace(from.as_mut(), build::null());
            *expr = first_match(text, pattern);
        }
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => list_of(right),
        _ => {}
    }
    Ok(())
}

/// `substring(text FROM pattern)`: what the first group of the pattern finds, or the whole of it.
fn first_match(text: Expr, pattern: Expr) -> Expr {
    let found = build::call("regexp_match", vec![text, pattern]);
    build::call("array_element", vec![found, build::number(1)])
}

fn operator(symbol: &str) -> Option<BinaryOperator> {
    Some(match symbol {
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        "=" => BinaryOperator::Eq,
        "<>" | "!=" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        "<=" => BinaryOperator::LtEq,
        ">" => BinaryOperator::Gt,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "%" => BinaryOperator::Modulo,
        "||" => BinaryOperator::StringConcat,
        _ => return None,
    })
}

fn check_collation(collation: &ObjectName) -> Result<()> {
    let name = collation.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
    if BYTEWISE.contains(&name.as_str()) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::UndefinedObject,
        format!("collation \"{name}\" for encoding \"UTF8\" does not exist"),
    )
    .with_hint("Text compares by code point, as under the collation \"C\"."))
}

/// The right side of ANY and ALL: a list, out of its parentheses; the text form of one becomes one.
fn list_of(right: &mut Box<Expr>) {
    while let Expr::Nested(inner) = right.as_mut() {
        *right = std::mem::replace(inner, Box::new(build::null()));
    }
    if let Some(elements) = build::literal(right).and_then(build::array_elements) {
        let elements = elements.into_iter().map(|element| match element {
            Some(text) => build::text(&text),
            None => build::null(),
        });
        **right = build::array(elements.collect());
    }
}
