//! EXISTS in the output of a query. DataFusion plans it in conditions only; elsewhere its rows are counted.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, TableFactor, UnaryOperator, Value,
    VisitMut, VisitorMut,
};

use crate::query::pipe::parse_query;

/// `EXISTS (SELECT … FROM t WHERE c)` becomes `(SELECT count(*) FROM t WHERE c) > 0`.
pub(super) fn count_instead(select: &mut Select) {
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let _ = expr.visit(&mut Counter { depth: 0 });
        }
    }
}

/// Conditions of subqueries are none of its business.
struct Counter {
    depth: usize,
}

impl VisitorMut for Counter {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        if let Expr::Exists { subquery, negated } = expr
            && let Some(count) = counting(subquery)
        {
            let count = Box::new(Expr::Subquery(Box::new(count)));
            let zero = Box::new(Expr::value(Value::Number("0".into(), false)));
            let found = Expr::BinaryOp { left: count, op: BinaryOperator::Gt, right: zero };
            *expr = match negated {
                false => Expr::Nested(Box::new(found)),
                true => {
                    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(found))) }
                }
            };
        }
        ControlFlow::Continue(())
    }
}

fn counting(query: &Query) -> Option<Query> {
    let mut counting = parse_query("SELECT count(*) FROM nothing").ok()?;
    let SetExpr::Select(count) = counting.body.as_mut() else { return None };
    match query.body.as_ref() {
        // One level: what it asks of the outer row stays where the planner finds it.
        SetExpr::Select(select) if is_plain(query, select) => {
            count.from = select.from.clone();
            count.selection = select.selection.clone();
        }
        _ => {
            let mut wrapped = parse_query("SELECT count(*) FROM (SELECT 1) AS \"?exists?\"").ok()?;
            let SetExpr::Select(outer) = wrapped.body.as_mut() else { return None };
            if let Some(table) = outer.from.first_mut()
                && let TableFactor::Derived { subquery, .. } = &mut table.relation
            {
                **subquery = query.clone();
            }
            return Some(wrapped);
        }
    }
    Some(counting)
}

/// Whether a row of FROM and WHERE is a row of the query.
fn is_plain(query: &Query, select: &Select) -> bool {
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    let has_function = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            !matches!(expr, Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        }
        _ => false,
    });
    query.with.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && !is_grouped
        && select.having.is_none()
        && !has_function
        && !select.from.is_empty()
}
