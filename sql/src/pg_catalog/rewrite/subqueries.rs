//! Subqueries over catalog relations, in forms that DataFusion decorrelates.
//!
//! * A scalar subquery becomes an aggregate: its WHERE finds at most one row by an object's number, which
//!   PostgreSQL checks at run time and DataFusion wants to see in the plan.
//! * `ARRAY(SELECT …)` becomes `array_agg`, and over `unnest(list)` a transformation of the list.
//! * Nothing is looked for below a domain: there are none.
//! * A SELECT that joins a relation which has no rows in any warehouse has none either, so the subqueries in its
//!   output need no plan.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Distinct, Expr, Function, FunctionArguments, GroupByExpr, Ident, JoinOperator,
    LambdaFunction, LambdaFunctionParameter, LambdaSyntax, LimitClause, OneOrManyWithParens, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, UnaryOperator, Value,
    Visit, Visitor, visit_expressions_mut,
};

use super::names::{self, catalog_relation, word};
use super::{casts, correlation, types};
use crate::dialect::build;
use crate::pg_catalog::relations::is_always_empty;

/// Functions that make a SELECT one row.
const AGGREGATES: &[&str] = &[
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "first_value",
    "json_agg",
    "jsonb_agg",
    "max",
    "min",
    "string_agg",
    "sum",
];

pub(super) fn rewrite(expr: &mut Expr) {
    match expr {
        Expr::Subquery(query) => {
            if is_empty_query(query) {
                *expr = null_of(output_type(query));
            } else if let Some(guard) = to_aggregate(query) {
                let subquery = std::mem::replace(expr, build::null());
                *expr = build::case_when(guard, subquery);
            }
        }
        Expr::Case { .. } => forget_domains(expr),
        Expr::Function(function) if word(&function.name.0).is_some_and(|name| name == "array") => {
            if let FunctionArguments::Subquery(query) = &mut function.args {
                let query = std::mem::replace(query.as_mut(), empty_query());
                *expr = to_list(query);
            }
        }
        _ => {}
    }
}

/// Takes `WHEN typtype = 'd' THEN (SELECT …)` out of a CASE: drivers look so for the type below a domain.
fn forget_domains(expr: &mut Expr) {
    let Expr::Case { operand: None, conditions, else_result, .. } = expr else { return };
    conditions.retain(|branch| !(is_of_domain(&branch.condition) && has_subquery(&branch.result)));
    if conditions.is_empty() {
        let rest = else_result.take().map(|rest| *rest);
        let is_null = |rest: &Expr| matches!(rest, Expr::Value(value) if value.value == Value::Null);
        *expr = rest.filter(|rest| !is_null(rest)).unwrap_or_else(|| casts::to_oid(build::null()));
    }
}

fn is_of_domain(condition: &Expr) -> bool {
    let Expr::BinaryOp { left, op: BinaryOperator::Eq, right } = condition else { return false };
    let column = match left.as_ref() {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    };
    column.is_some_and(|name| names::folded(name) == "typtype") && build::literal(right) == Some("d")
}

fn empty_query() -> Query {
    build::query(SetExpr::Values(build::no_rows()))
}

/// The SELECT of a query that is nothing but one.
fn plain_select(query: &mut Query) -> Option<&mut Select> {
    match query.body.as_mut() {
        SetExpr::Select(select) if query.with.is_none() && query.fetch.is_none() => Some(select),
        _ => None,
    }
}

/// `SELECT e FROM … [ORDER BY o] [LIMIT 1]` becomes `SELECT first_value(e [ORDER BY o]) FROM …`. What its WHERE
/// asks of the outer row alone is taken out and returned.
fn to_aggregate(query: &mut Query) -> Option<Expr> {
    if !limits_to_one(query) {
        return None;
    }
    let order = query.order_by.clone();
    let select = plain_select(query)?;
    if !reads_catalog(select) || is_aggregate(select) || select.distinct.is_some() {
        return None;
    }
    let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
        select.projection.as_mut_slice()
    else {
        return None;
    };
    let order = match order.map(|order| order.kind) {
        None => Vec::new(),
        Some(OrderByKind::Expressions(order)) => by_expression(order, item),
        Some(OrderByKind::All(_)) => return None,
    };
    let old = std::mem::replace(item, build::null());
    *item = build::aggregate("first_value", old, false, order);
    let guard = correlation::loosen(select);
    query.order_by = None;
    query.limit_clause = None;
    guard
}

/// EXISTS in the output, which DataFusion plans in a WHERE only, as a scalar subquery.
pub(super) fn spell_out_exists(select: &mut Select) {
    for item in &mut select.projection {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else { continue };
        let _ = visit_expressions_mut(expr, |expr| {
            if let Some(scalar) = as_scalar(expr) {
                *expr = scalar;
            }
            ControlFlow::<()>::Continue(())
        });
    }
}

/// `coalesce((SELECT true FROM …), false)`
fn as_scalar(expr: &mut Expr) -> Option<Expr> {
    let Expr::Exists { subquery, negated } = expr else { return None };
    let select = plain_select(subquery)?;
    if is_aggregate(select) || !mentions_catalog(select) {
        return None;
    }
    select.projection = vec![SelectItem::UnnamedExpr(build::boolean(true))];
    select.distinct = None;
    let subquery = Expr::Subquery(std::mem::replace(subquery, Box::new(empty_query())));
    let found = build::call("coalesce", vec![subquery, build::boolean(false)]);
    if *negated {
        return Some(Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(found) });
    }
    Some(found)
}

/// No LIMIT, or `LIMIT 1`.
fn limits_to_one(query: &Query) -> bool {
    match &query.limit_clause {
        None => true,
        Some(LimitClause::LimitOffset { limit: Some(Expr::Value(value)), offset: None, limit_by }) => {
            limit_by.is_empty() && matches!(&value.value, Value::Number(one, _) if one == "1")
        }
        Some(_) => false,
    }
}

/// `ORDER BY 1` means the output.
fn by_expression(mut order: Vec<OrderByExpr>, output: &Expr) -> Vec<OrderByExpr> {
    for key in &mut order {
        if matches!(&key.expr, Expr::Value(value) if matches!(value.value, Value::Number(..))) {
            key.expr = output.clone();
        }
    }
    order
}

/// `ARRAY(query)`
fn to_list(mut query: Query) -> Expr {
    if is_empty_query(&mut query) {
        return match output_type(&mut query) {
            Some(item) => build::empty_array(item),
            None => build::empty_array(DataType::Text),
        };
    }
    let order = match query.order_by.take().map(|order| order.kind) {
        Some(OrderByKind::Expressions(order)) => order,
        _ => Vec::new(),
    };
    if query.limit_clause.is_none()
        && let Some(select) = plain_select(&mut query)
        && let [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] =
            select.projection.as_mut_slice()
    {
        if order.is_empty()
            && let Some(list) = transformed(&select.from, select.selection.as_ref(), item)
        {
            return build::call("coalesce", vec![list, build::array(Vec::new())]);
        }
        let order = by_expression(order, item);
        let distinct = matches!(select.distinct.take(), Some(Distinct::Distinct));
        let old = std::mem::replace(item, build::null());
        *item = build::aggregate("array_agg", old, distinct, order);
    }
    build::call("coalesce", vec![Expr::Subquery(Box::new(query)), build::array(Vec::new())])
}

/// `SELECT e FROM unnest(list) x` as `array_transform(list, x -> e)`.
fn transformed(from: &[TableWithJoins], selection: Option<&Expr>, output: &Expr) -> Option<Expr> {
    let [TableWithJoins { relation: TableFactor::UNNEST { alias, array_exprs, .. }, joins }] = from else {
        return None;
    };
    let ([list], true, None) = (array_exprs.as_slice(), joins.is_empty(), selection) else { return None };
    let parameter = alias.as_ref().map_or_else(|| Ident::new("unnest"), |alias| alias.name.clone());
    let lambda = Expr::Lambda(LambdaFunction {
        params: OneOrManyWithParens::One(LambdaFunctionParameter { name: parameter, data_type: None }),
        body: Box::new(output.clone()),
        syntax: LambdaSyntax::Arrow,
    });
    Some(build::call("array_transform", vec![list.clone(), lambda]))
}

/// Before names have got their schema.
fn mentions_catalog(select: &Select) -> bool {
    relations(select).any(names::may_be_catalog)
}

fn reads_catalog(select: &Select) -> bool {
    relations(select).any(|relation| catalog_relation(relation).is_some())
}

/// Whether a SELECT finds rows of the catalog, one for each row around it as a rule.
pub(super) fn looks_up(select: &Select) -> bool {
    mentions_catalog(select) && !is_aggregate(select)
}

fn relations(select: &Select) -> impl Iterator<Item = &TableFactor> {
    select.from.iter().flat_map(|table| {
        std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
    })
}

fn is_aggregate(select: &Select) -> bool {
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
    };
    grouped || select.having.is_some() || select.projection.iter().any(has_aggregate)
}

/// Whether an aggregate function stands in the item itself, outside its subqueries.
fn has_aggregate(item: &SelectItem) -> bool {
    struct Aggregates {
        depth: usize,
    }
    impl Visitor for Aggregates {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(Function { name, over: None, .. })
                    if self.depth == 0
                        && word(&name.0).is_some_and(|name| AGGREGATES.contains(&name.as_str())) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    item.visit(&mut Aggregates { depth: 0 }).is_break()
}

/// NULL of a type; of text if it is not known.
fn null_of(data_type: Option<DataType>) -> Expr {
    build::cast(build::null(), data_type.unwrap_or(DataType::Text))
}

/// The type of the only column of a query.
fn output_type(query: &mut Query) -> Option<DataType> {
    match plain_select(query)?.projection.as_slice() {
        [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] => types::of(item),
        _ => None,
    }
}

/// Whether the query is one SELECT without aggregates that joins a relation which never has rows.
fn is_empty_query(query: &mut Query) -> bool {
    plain_select(query).is_some_and(|select| is_empty(select))
}

fn is_empty(select: &Select) -> bool {
    !is_aggregate(select) && select.from.iter().any(joins_nothing)
}

fn joins_nothing(table: &TableWithJoins) -> bool {
    let never = |factor: &TableFactor| {
        catalog_relation(factor).is_some_and(|found| is_always_empty(found.schema, found.name))
    };
    let keeps_left = table.joins.iter().all(|join| {
        use JoinOperator::{CrossJoin, Inner, Join, Left, LeftOuter};
        matches!(join.join_operator, Join(_) | Inner(_) | CrossJoin(_) | Left(_) | LeftOuter(_))
    });
    let inner = table.joins.iter().filter(|join| {
        matches!(
            join.join_operator,
            JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_)
        )
    });
    keeps_left && (never(&table.relation) || inner.map(|join| &join.relation).any(never))
}

/// Takes subqueries out of the output of a SELECT that has no rows.
pub(super) fn forget_unreachable(select: &mut Select) {
    if !is_empty(select) {
        return;
    }
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
            && has_subquery(expr)
        {
            *expr = null_of(types::of(expr));
        }
    }
}

pub(super) fn has_subquery(expr: &Expr) -> bool {
    struct Subqueries;
    impl Visitor for Subqueries {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            ControlFlow::Break(())
        }
    }
    expr.visit(&mut Subqueries).is_break()
}
