//! EXISTS in the output of a query. DataFusion plans it in conditions only; elsewhere its rows are counted.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, TableFactor, UnaryOperator, Value,
};

use super::outputs;
use crate::query::outside::{self, OnEachPart};
use crate::query::pipe::parse_query;

/// `EXISTS (SELECT … FROM t WHERE c)` becomes `(SELECT count(*) FROM t WHERE c) > 0`.
pub(super) fn count_instead(select: &mut Select) {
    outputs(select).for_each(|output| outside::visit(output, &mut Counter));
}

struct Counter;

impl OnEachPart for Counter {
    fn before(&mut self, expr: &mut Expr) {
        let Expr::Exists { subquery, negated } = expr else { return };
        let Some(count) = counting(subquery) else { return };
        let count = Box::new(Expr::Subquery(Box::new(count)));
        let zero = Box::new(Expr::value(Value::Number("0".into(), false)));
        let found = Expr::BinaryOp { left: count, op: BinaryOperator::Gt, right: zero };
        let found = Expr::Nested(Box::new(found));
        *expr = match negated {
            false => found,
            true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(found) },
        };
    }
}

fn counting(query: &Query) -> Option<Query> {
    let mut counting = parse_query("SELECT count(*) FROM (SELECT 1) AS \"?exists?\"").ok()?;
    let SetExpr::Select(outer) = counting.body.as_mut() else { return None };
    match query.body.as_ref() {
        // One level: what it asks of the outer row stays where the planner finds it.
        SetExpr::Select(select) if is_plain(query, select) => {
            outer.from = select.from.clone();
            outer.selection = select.selection.clone();
        }
        _ => {
            let Some(TableFactor::Derived { subquery, .. }) =
                outer.from.first_mut().map(|table| &mut table.relation)
            else {
                return None;
            };
            **subquery = query.clone();
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
