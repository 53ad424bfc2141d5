//! Values as statements write them, made ready for the column they go to.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, AssignmentTarget, Expr, Ident, ObjectName, Query, SelectItem, SetExpr, Value, VisitMut, VisitorMut,
};
use voxhouse_engine::catalog::{Column, SqlType, Table};
use voxhouse_engine::{Error, Result};

use super::require_column;
use crate::query::names::{fold, parts};
use crate::query::pipe::parse_query;

/// New values by column.
pub fn assignments(table: &Table, assignments: &[ast::Assignment]) -> Result<HashMap<String, Expr>> {
    let mut assigned = HashMap::new();
    for assignment in assignments {
        for (name, mut value) in pairs(assignment)? {
            let column = parts(name)?.pop().unwrap_or_default();
            require_column(table, &column)?;
            if let Some(column) = table.column(&column) {
                settle(&mut value, column)?;
            }
            if assigned.insert(column.clone(), value).is_some() {
                return Err(Error::syntax(format!("multiple assignments to same column \"{column}\"")));
            }
        }
    }
    Ok(assigned)
}

/// `a = 1` is one pair, `(a, b) = (1, 2)` two.
fn pairs(assignment: &ast::Assignment) -> Result<Vec<(&ObjectName, Expr)>> {
    let names = match &assignment.target {
        AssignmentTarget::ColumnName(name) => return Ok(vec![(name, assignment.value.clone())]),
        AssignmentTarget::Tuple(names) => names,
    };
    let values = match &assignment.value {
        Expr::Tuple(values) => values.clone(),
        Expr::Nested(value) if names.len() == 1 => vec![value.as_ref().clone()],
        Expr::Subquery(_) => {
            return Err(Error::not_supported("assigning a subquery to several columns is not supported")
                .with_hint("MERGE INTO … USING … changes rows by those of a query."));
        }
        _ => {
            return Err(Error::not_supported(
                "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
            ));
        }
    };
    if names.len() != values.len() {
        return Err(Error::syntax("number of columns does not match number of values"));
    }
    Ok(names.iter().zip(values).collect())
}

/// Puts the default in the place of DEFAULT, and keeps every digit of a number.
pub fn settle(value: &mut Expr, column: &Column) -> Result<()> {
    if matches!(value, Expr::Identifier(word) if word.quote_style.is_none() && fold(word) == "default") {
        *value = match &column.default {
            Some(default) => expression(default)?,
            None => Expr::value(Value::Null),
        };
    }
    keep_digits(value, column);
    Ok(())
}

/// A number with a point that goes into a numeric column is read as a numeric. Elsewhere it is a double, which would
/// lose the cents of large amounts.
fn keep_digits(value: &mut Expr, column: &Column) {
    if !matches!(column.data_type, SqlType::Numeric { .. }) {
        return;
    }
    let (sign, number) = match &*value {
        Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => ("-", expr.as_ref()),
        other => ("", other),
    };
    let Expr::Value(ast::ValueWithSpan { value: Value::Number(digits, _), .. }) = number else { return };
    let Some((whole, fraction)) = digits.split_once('.') else { return };
    let precision = whole.len() + fraction.len();
    if !(1..=38).contains(&precision) || !digits.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) {
        return;
    }
    let scale = ast::ExactNumberInfo::PrecisionAndScale(precision as u64, fraction.len() as i64);
    *value = Expr::Cast {
        kind: ast::CastKind::Cast,
        expr: Box::new(Expr::value(Value::SingleQuotedString(format!("{sign}{digits}")))),
        data_type: ast::DataType::Numeric(scale),
        array: false,
        format: None,
    };
}

/// The syntax tree of an expression that the catalog holds.
fn expression(text: &str) -> Result<Expr> {
    let query = parse_query(&format!("SELECT {text}"))?;
    match *query.body {
        SetExpr::Select(mut select) => match select.projection.pop() {
            Some(SelectItem::UnnamedExpr(expression)) => Ok(expression),
            _ => Err(Error::internal(format!("not an expression: {text}"))),
        },
        _ => Err(Error::internal(format!("not an expression: {text}"))),
    }
}

/// The expression with a relation before those columns that have none and are of it.
pub fn qualified(mut expression: Expr, relation: &Ident, is_of_it: impl Fn(&str) -> bool) -> Expr {
    let _ = expression.visit(&mut Qualifier { relation, is_of_it, depth: 0 });
    expression
}

struct Qualifier<'a, F> {
    relation: &'a Ident,
    is_of_it: F,
    /// In a subquery names have another meaning.
    depth: usize,
}

impl<F: Fn(&str) -> bool> VisitorMut for Qualifier<'_, F> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expression
            && self.depth == 0
            && (self.is_of_it)(&fold(name))
        {
            *expression = Expr::CompoundIdentifier(vec![self.relation.clone(), name.clone()]);
        }
        ControlFlow::Continue(())
    }
}
