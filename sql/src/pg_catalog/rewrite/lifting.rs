//! Subqueries of catalog relations in places where DataFusion plans none that speaks of the outer row.
//!
//! * `SELECT DISTINCT ON (key) (SELECT …) …` becomes DISTINCT ON over a query that has them as columns.
//! * `a LEFT JOIN b ON b.x = (SELECT y FROM … WHERE c.k = a.k)` joins a relation of all `y` by `k` first.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, OrderByKind, Query, Select,
    SelectItem, SetExpr, TableFactor, TableWithJoins, visit_expressions_mut,
};

use super::labels::own_label;
use super::names::folded;
use super::{correlation, subqueries};
use crate::dialect::build;

/// No client writes it.
const MARK: char = '\u{1e}';

/// Takes the output of a DISTINCT ON that has subqueries into a query below it.
pub(super) fn split_distinct(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let Some(Distinct::On(keys)) = &select.distinct else { return };
    let has_subquery = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            subqueries::has_subquery(expr)
        }
        _ => false,
    });
    let is_listed = select
        .projection
        .iter()
        .all(|item| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. }));
    if !has_subquery || !is_listed {
        return;
    }
    let mut lifted = Lifted { outputs: Vec::new(), columns: Vec::new() };
    for item in select.projection.drain(..) {
        lifted.output(item);
    }
    let keys = keys.iter().map(|key| lifted.column(key)).collect();
    if let Some(order) = &mut query.order_by
        && let OrderByKind::Expressions(order) = &mut order.kind
    {
        order.iter_mut().for_each(|key| key.expr = lifted.column(&key.expr));
    }
    select.distinct = None;
    select.projection = lifted.columns;
    let below = std::mem::replace(query.body.as_mut(), SetExpr::Values(build::no_rows()));
    let name = build::alias(Ident::with_quote('"', format!("{MARK}rows")));
    let from = TableWithJoins { relation: build::derived(build::query(below), name), joins: Vec::new() };
    let mut outer = build::select(lifted.outputs, vec![from]);
    if let SetExpr::Select(outer) = outer.body.as_mut() {
        outer.distinct = Some(Distinct::On(keys));
    }
    *query.body = *outer.body;
}

/// Expressions that become columns of a query below.
struct Lifted {
    /// What the query above shows of them.
    outputs: Vec<SelectItem>,
    columns: Vec<SelectItem>,
}

impl Lifted {
    fn add(&mut self, expr: Expr) -> Expr {
        let alias = Ident::with_quote('"', format!("{MARK}{}", self.columns.len()));
        self.columns.push(SelectItem::ExprWithAlias { expr, alias: alias.clone() });
        Expr::Identifier(alias)
    }

    fn output(&mut self, item: SelectItem) {
        let (expr, alias) = match item {
            SelectItem::UnnamedExpr(expr) => {
                let label = own_label(&expr);
                (expr, Ident::with_quote('"', label))
            }
            SelectItem::ExprWithAlias { expr, alias } => (expr, alias),
            other => return self.outputs.push(other),
        };
        let expr = self.add(expr);
        self.outputs.push(SelectItem::ExprWithAlias { expr, alias });
    }

    /// The column that has an expression already, by its text, or by the name that the output gives it; or a new one.
    fn column(&mut self, wanted: &Expr) -> Expr {
        let by_text = self.columns.iter().find_map(|column| match column {
            SelectItem::ExprWithAlias { expr, alias } if expr == wanted => {
                Some(Expr::Identifier(alias.clone()))
            }
            _ => None,
        });
        let by_name = self.outputs.iter().find_map(|output| match (output, wanted) {
            (SelectItem::ExprWithAlias { expr, alias }, Expr::Identifier(name))
                if folded(alias) == folded(name) =>
            {
                Some(expr.clone())
            }
            _ => None,
        });
        by_text.or(by_name).unwrap_or_else(|| self.add(wanted.clone()))
    }
}

/// Joins what the subqueries in the conditions of joins look up.
pub(super) fn join_look_ups(select: &mut Select) {
    if select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_))) {
        return;
    }
    let mut count = 0;
    for table in &mut select.from {
        let mut known: Vec<String> = name_of(&table.relation).into_iter().collect();
        let mut joins = Vec::with_capacity(table.joins.len());
        for mut join in std::mem::take(&mut table.joins) {
            if let Some(JoinConstraint::On(condition)) = constraint(&mut join.join_operator) {
                let _ = visit_expressions_mut(condition, |expr| {
                    if let Expr::Subquery(query) = expr
                        && let Some((look_up, value)) = look_up(query, &known, count)
                    {
                        joins.push(look_up);
                        *expr = value;
                        count += 1;
                    }
                    ControlFlow::<()>::Continue(())
                });
            }
            known.extend(name_of(&join.relation));
            joins.push(join);
        }
        table.joins = joins;
    }
}

fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint) => Some(constraint),
        _ => None,
    }
}

/// The join that looks a value up, and the value, if the subquery compares columns of its own with columns of the
/// `known` relations and nothing else.
fn look_up(query: &Query, known: &[String], number: usize) -> Option<(Join, Expr)> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let is_plain = query.with.is_none() && query.order_by.is_none() && query.limit_clause.is_none();
    if !is_plain || select.distinct.is_some() || !subqueries::looks_up(select) {
        return None;
    }
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_slice()
    else {
        return None;
    };
    let mut select = select.as_ref().clone();
    let keys = correlation::take_equalities(&mut select, known)?;
    let name = Ident::with_quote('"', format!("{MARK}look_up{number}"));
    let value = Ident::new("value");
    let column = |column: Ident| Expr::CompoundIdentifier(vec![name.clone(), column]);
    let key = |place: usize| Ident::new(format!("key{place}"));
    select.projection = vec![SelectItem::ExprWithAlias {
        expr: build::aggregate("first_value", item.clone(), false, Vec::new()),
        alias: value.clone(),
    }];
    let mut condition: Option<Expr> = None;
    let mut groups = Vec::with_capacity(keys.len());
    for (place, (outer, inner)) in keys.into_iter().enumerate() {
        select.projection.push(SelectItem::ExprWithAlias { expr: inner.clone(), alias: key(place) });
        groups.push(inner);
        let same = build::equal(column(key(place)), outer);
        condition = Some(condition.map_or_else(|| same.clone(), |before| build::and(before, same.clone())));
    }
    select.group_by = GroupByExpr::Expressions(groups, Vec::new());
    let relation =
        build::derived(build::query(SetExpr::Select(Box::new(select))), build::alias(name.clone()));
    let join_operator = JoinOperator::Left(JoinConstraint::On(condition?));
    Some((Join { relation, global: false, join_operator }, column(value)))
}

fn name_of(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(folded(&alias.name))
        }
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().map(folded),
        _ => None,
    }
}
