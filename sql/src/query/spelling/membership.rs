//! `a IN (SELECT …)` in the output of a query. DataFusion plans it in conditions only; elsewhere its rows are counted.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Ident, Query, Select, SelectItem, SetExpr, TableAliasColumnDef,
    UnaryOperator,
};

use super::outputs;
use crate::dialect::build::{self, call};
use crate::query::outside::{self, OnEachPart};

const RELATION: &str = "?in?";
const MEMBER: &str = "?member?";

/// `a IN (SELECT b FROM t)` is true if a row of `t` has it, unknown if one has NULL, or `a` is NULL and there are rows.
pub(super) fn count_instead(select: &mut Select) {
    outputs(select).for_each(|output| outside::visit(output, &mut Counter));
}

/// `(a, b) IN (SELECT c, d FROM t)` in a condition, where unknown is as good as false, asks whether there is such a row.
pub(super) fn of_rows(expr: &mut Expr) {
    let Expr::InSubquery { expr: value, subquery, negated: false } = &*expr else { return };
    let Expr::Tuple(fields) = value.as_ref() else { return };
    let mut alias = build::alias(Ident::with_quote('"', RELATION));
    let mut condition = build::boolean(true);
    for (place, field) in fields.iter().enumerate() {
        let member = Ident::with_quote('"', format!("?member{place}?"));
        alias.columns.push(TableAliasColumnDef { name: member.clone(), data_type: None });
        let equal = build::equal(Expr::Identifier(member), Expr::Nested(Box::new(field.clone())));
        condition = if place == 0 { equal } else { build::and(condition, equal) };
    }
    let relation = build::derived(subquery.as_ref().clone(), alias);
    let one = SelectItem::UnnamedExpr(build::number(1));
    let mut found = build::select(vec![one], vec![build::from(relation)]);
    if let SetExpr::Select(select) = found.body.as_mut() {
        select.selection = Some(condition);
    }
    *expr = Expr::Exists { subquery: Box::new(found), negated: false };
}

struct Counter;

impl OnEachPart for Counter {
    fn before(&mut self, expr: &mut Expr) {
        let (value, subquery, negated) = match &*expr {
            Expr::InSubquery { expr, subquery, negated } => (expr.as_ref(), subquery.as_ref(), *negated),
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => match right.as_ref() {
                Expr::Subquery(subquery) => (left.as_ref(), subquery.as_ref(), false),
                _ => return,
            },
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => match right.as_ref() {
                Expr::Subquery(subquery) => (left.as_ref(), subquery.as_ref(), true),
                _ => return,
            },
            _ => return,
        };
        // A row of several columns is a member of a query of as many.
        if matches!(value, Expr::Tuple(_)) {
            return;
        }
        let member = Expr::Nested(Box::new(is_member(value, subquery)));
        *expr = match negated {
            false => member,
            true => Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(member) },
        };
    }
}

fn is_member(value: &Expr, query: &Query) -> Expr {
    let member = || Expr::Identifier(Ident::with_quote('"', MEMBER));
    let nested = |expr: &Expr| Expr::Nested(Box::new(expr.clone()));
    let found = some(query, Some(build::equal(member(), nested(value))));
    let has_null = some(query, Some(Expr::IsNull(Box::new(member()))));
    let is_null = Expr::IsNull(Box::new(nested(value)));
    let unknown = Expr::Nested(Box::new(Expr::BinaryOp {
        left: Box::new(is_null),
        op: BinaryOperator::Or,
        right: Box::new(has_null),
    }));
    let mut case = build::case_when(found, build::boolean(true));
    if let Expr::Case { conditions, else_result, .. } = &mut case {
        let condition = build::and(some(query, None), unknown);
        conditions.push(CaseWhen { condition, result: build::null() });
        *else_result = Some(Box::new(build::boolean(false)));
    }
    case
}

/// `(SELECT count(*) FROM (query) AS "?in?"("?member?") WHERE condition) > 0`
fn some(query: &Query, condition: Option<Expr>) -> Expr {
    let mut alias = build::alias(Ident::with_quote('"', RELATION));
    alias.columns.push(TableAliasColumnDef { name: Ident::with_quote('"', MEMBER), data_type: None });
    let relation = build::derived(query.clone(), alias);
    let mut count = call("count", Vec::new());
    if let Expr::Function(function) = &mut count {
        use datafusion::sql::sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments};
        if let FunctionArguments::List(list) = &mut function.args {
            list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
        }
    }
    let mut counting = build::select(vec![SelectItem::UnnamedExpr(count)], vec![build::from(relation)]);
    if let SetExpr::Select(select) = counting.body.as_mut() {
        select.selection = condition;
    }
    Expr::BinaryOp {
        left: Box::new(Expr::Subquery(Box::new(counting))),
        op: BinaryOperator::Gt,
        right: Box::new(build::number(0)),
    }
}
