//! Values as statements write them, made ready for the column they go to.

use std::collections::HashMap;

use datafusion::sql::sqlparser::ast::{
    self, AssignmentTarget, Expr, Ident, ObjectName, SelectItem, SetExpr, Value,
};
use voxhouse_engine::catalog::{Column, Table};
use voxhouse_engine::{Error, Result};

use super::require_column;
use crate::query::names::{fold, parts};
use crate::query::outside::{self, OnEachPart};
use crate::query::pipe::parse_query;

/// New values by column.
pub fn assignments(table: &Table, assignments: &[ast::Assignment]) -> Result<HashMap<String, Expr>> {
    let mut assigned = HashMap::new();
    for assignment in assignments {
        for (name, mut value) in pairs(assignment)? {
            let column = parts(name)?.pop().unwrap_or_default();
            require_column(table, &column)?;
            if let Some(column) = table.column(&column) {
                fill_in_default(&mut value, column)?;
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

/// Puts the default in the place of DEFAULT.
pub fn fill_in_default(value: &mut Expr, column: &Column) -> Result<()> {
    if matches!(value, Expr::Identifier(word) if word.quote_style.is_none() && fold(word) == "default") {
        *value = match &column.default {
            Some(default) => expression(default)?,
            None => Expr::value(Value::Null),
        };
    }
    Ok(())
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
    outside::visit(&mut expression, &mut Qualifier { relation, is_of_it });
    expression
}

struct Qualifier<'a, F> {
    relation: &'a Ident,
    is_of_it: F,
}

impl<F: Fn(&str) -> bool> OnEachPart for Qualifier<'_, F> {
    fn before(&mut self, expression: &mut Expr) {
        if let Expr::Identifier(name) = expression
            && (self.is_of_it)(&fold(name))
        {
            *expression = Expr::CompoundIdentifier(vec![self.relation.clone(), name.clone()]);
        }
    }
}
