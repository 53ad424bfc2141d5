//! `(SELECT amount FROM orders o WHERE o.customer_id = c.customer_id ORDER BY ordered_at DESC LIMIT 1)`: the first value in
//! an order. DataFusion plans a LIMIT only in subqueries that ask nothing of the outer row; as an aggregate it can be joined.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, Value,
    Visit, Visitor,
};

use crate::dialect::build;

pub(super) fn as_aggregate(expr: &mut Expr) {
    if let Expr::Subquery(query) = expr
        && let Some((value, keys)) = first_of(query)
    {
        let first = build::aggregate("first_value", value, false, keys);
        if let SetExpr::Select(select) = query.body.as_mut() {
            select.projection = vec![SelectItem::UnnamedExpr(first)];
        }
        query.order_by = None;
        query.limit_clause = None;
    }
}

/// The value and the order of a query for one row of one column.
fn first_of(query: &Query) -> Option<(Expr, Vec<OrderByExpr>)> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let OrderByKind::Expressions(keys) = &query.order_by.as_ref()?.kind else { return None };
    if query.with.is_some()
        || query.fetch.is_some()
        || !is_one(query.limit_clause.as_ref()?)
        || !is_plain(select)
    {
        return None;
    }
    let [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] =
        select.projection.as_slice()
    else {
        return None;
    };
    if calls(value) {
        return None;
    }
    Some((value.clone(), keys.iter().map(|key| with_nulls(key, value)).collect()))
}

fn is_one(limit: &LimitClause) -> bool {
    let LimitClause::LimitOffset { limit: Some(Expr::Value(limit)), offset: None, .. } = limit else {
        return false;
    };
    matches!(&limit.value, Value::Number(digits, _) if digits == "1")
}

fn is_plain(select: &Select) -> bool {
    let is_grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
    !is_grouped && select.having.is_none() && select.distinct.is_none() && !select.from.is_empty()
}

/// Whether a function is called, which might be an aggregate or return a set.
fn calls(value: &Expr) -> bool {
    struct Calls;
    impl Visitor for Calls {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(_) | Expr::Subquery(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    value.visit(&mut Calls).is_break()
}

/// The place of NULLs is PostgreSQL's, and `ORDER BY 1` means the value.
fn with_nulls(key: &OrderByExpr, value: &Expr) -> OrderByExpr {
    let mut key = key.clone();
    let falls = key.options.asc == Some(false);
    key.options.nulls_first.get_or_insert(falls);
    if matches!(&key.expr, Expr::Value(number) if matches!(&number.value, Value::Number(digits, _) if digits == "1"))
    {
        key.expr = value.clone();
    }
    key
}
