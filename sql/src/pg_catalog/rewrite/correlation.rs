//! Conditions of a subquery that speak of the outer row, in the one form that DataFusion decorrelates: equality of
//! an inner and an outer column.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Query, Select, TableFactor, Visit, Visitor, visit_expressions_mut,
};

use super::names::folded;
use crate::dialect::build::and;

/// Takes the conditions on the outer row alone out of the WHERE and returns them, and in the others writes the
/// inner column for an outer one that equals it.
pub(super) fn loosen(select: &mut Select) -> Option<Expr> {
    let inner = tables_of(select);
    let mut conditions = Vec::new();
    split(select.selection.take()?, &mut conditions);
    let (outer, mut own): (Vec<Expr>, Vec<Expr>) = conditions
        .into_iter()
        .partition(|condition| sides(condition, &inner) == Sides { inner: false, outer: true });
    let equal: Vec<(Expr, Expr)> = own.iter().filter_map(|condition| equality(condition, &inner)).collect();
    for condition in own.iter_mut().filter(|condition| equality(condition, &inner).is_none()) {
        let _ = visit_expressions_mut(condition, |expr| {
            if let Some((_, same)) = equal.iter().find(|(outer, _)| outer == expr) {
                *expr = same.clone();
            }
            ControlFlow::<()>::Continue(())
        });
    }
    select.selection = own.into_iter().reduce(and);
    outer.into_iter().reduce(and)
}

fn split(condition: Expr, into: &mut Vec<Expr>) {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            split(*left, into);
            split(*right, into);
        }
        Expr::Nested(inner) if matches!(*inner, Expr::BinaryOp { op: BinaryOperator::And, .. }) => {
            split(*inner, into)
        }
        other => into.push(other),
    }
}

/// Takes the conditions on outer rows out of the WHERE: pairs of an outer and an inner column that are equal. `None`:
/// there are none, others speak of outer rows too, or of rows of relations that are not known.
pub(super) fn take_equalities(select: &mut Select, known: &[String]) -> Option<Vec<(Expr, Expr)>> {
    let inner = tables_of(select);
    let mut conditions = Vec::new();
    split(select.selection.take()?, &mut conditions);
    let mut pairs = Vec::new();
    let mut own = Vec::new();
    for condition in conditions {
        match equality(&condition, &inner) {
            Some((outer, column)) => {
                let Expr::CompoundIdentifier(parts) = &outer else { return None };
                let table = parts.iter().rev().nth(1).map(folded)?;
                known.contains(&table).then_some(())?;
                pairs.push((outer, column));
            }
            None if sides(&condition, &inner).outer => return None,
            None => own.push(condition),
        }
    }
    select.selection = own.into_iter().reduce(and);
    (!pairs.is_empty()).then_some(pairs)
}

/// The names by which the SELECT knows its own tables.
fn tables_of(select: &Select) -> HashSet<String> {
    let factors = select.from.iter().flat_map(|table| {
        std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
    });
    factors
        .filter_map(|factor| match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. } => Some(folded(&alias.name)),
            TableFactor::Table { name, .. } => name.0.last().and_then(|part| part.as_ident()).map(folded),
            _ => None,
        })
        .collect()
}

/// The outer and the inner column of `inner.a = outer.b`.
fn equality(condition: &Expr, inner: &HashSet<String>) -> Option<(Expr, Expr)> {
    let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return None };
    let is_column = |expr: &Expr| matches!(expr, Expr::CompoundIdentifier(_));
    if !is_column(left) || !is_column(right) {
        return None;
    }
    match (sides(left, inner).outer, sides(right, inner).outer) {
        (true, false) => Some(((**left).clone(), (**right).clone())),
        (false, true) => Some(((**right).clone(), (**left).clone())),
        _ => None,
    }
}

/// Of which rows an expression speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sides {
    inner: bool,
    outer: bool,
}

fn sides(expr: &Expr, inner: &HashSet<String>) -> Sides {
    let mut columns = Columns { inner, sides: Sides { inner: false, outer: false } };
    let _ = expr.visit(&mut columns);
    columns.sides
}

struct Columns<'a> {
    inner: &'a HashSet<String>,
    sides: Sides,
}

impl Visitor for Columns<'_> {
    type Break = ();

    /// Nobody looks into a subquery here: it may speak of both.
    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.sides = Sides { inner: true, outer: true };
        ControlFlow::Break(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            // A bare name is the inner table's, if it has such a column; that is not known here.
            Expr::Identifier(_) => self.sides.inner = true,
            Expr::CompoundIdentifier(parts) => match parts.iter().rev().nth(1) {
                Some(table) if !self.inner.contains(&folded(table)) => self.sides.outer = true,
                _ => self.sides.inner = true,
            },
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
