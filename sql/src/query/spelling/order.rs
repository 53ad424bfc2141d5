//! `SELECT cast(t.id AS text) AS id FROM t ORDER BY t.id` sorts by the column of `t`. DataFusion finds two columns `id`
//! there, so the column gets a name of its own below.

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor,
};

use crate::query::labels;
use crate::query::names::fold;
use crate::query::pipe::parse_query;

pub(super) fn keep_apart(query: &mut Query) {
    let Some(hidden) = hidden_keys(query) else { return };
    let Some(outputs) =
        labels::of_query(query).and_then(|labels| labels.into_iter().collect::<Option<Vec<_>>>())
    else {
        return;
    };
    let mut sorted = outputs.clone();
    sorted.sort();
    sorted.dedup();
    if sorted.len() != outputs.len() {
        return;
    }
    let Ok(mut outer) = parse_query("SELECT 1 FROM (SELECT 1) AS \"?sorted?\"") else { return };
    let named = |name: &str| Ident::with_quote('"', name);
    let mut order_by = query.order_by.take();
    if let Some(OrderByKind::Expressions(keys)) = order_by.as_mut().map(|order| &mut order.kind) {
        for (place, key) in keys.iter_mut().enumerate() {
            if hidden.contains(&place) {
                let name = named(&format!("?key{place}?"));
                let SetExpr::Select(select) = query.body.as_mut() else { return };
                let expr = std::mem::replace(&mut key.expr, Expr::Identifier(name.clone()));
                select.projection.push(SelectItem::ExprWithAlias { expr, alias: name });
            }
        }
    }
    let SetExpr::Select(select) = outer.body.as_mut() else { return };
    select.projection =
        outputs.iter().map(|name| SelectItem::UnnamedExpr(Expr::Identifier(named(name)))).collect();
    let (with, limit_clause, fetch) = (query.with.take(), query.limit_clause.take(), query.fetch.take());
    for (item, name) in inner_items(query).zip(&outputs) {
        if let SelectItem::UnnamedExpr(expr) = item {
            let expr = expr.clone();
            *item = SelectItem::ExprWithAlias { expr, alias: named(name) };
        }
    }
    if let Some(table) = select.from.first_mut()
        && let TableFactor::Derived { subquery, .. } = &mut table.relation
    {
        std::mem::swap(subquery.as_mut(), query);
    }
    *query = Query { with, order_by, limit_clause, fetch, ..outer };
}

fn inner_items(query: &mut Query) -> impl Iterator<Item = &mut SelectItem> {
    let items = match query.body.as_mut() {
        SetExpr::Select(select) => Some(select.projection.iter_mut()),
        _ => None,
    };
    items.into_iter().flatten()
}

/// The keys of ORDER BY that mean a column below which an output hides. `None`: there are none, or the query is of a
/// form in which DataFusion has to find its way itself.
fn hidden_keys(query: &Query) -> Option<Vec<usize>> {
    let OrderByKind::Expressions(keys) = &query.order_by.as_ref()?.kind else { return None };
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    if select.distinct.is_some() || is_grouped(select) {
        return None;
    }
    let is_hidden = |key: &Expr| match key {
        Expr::CompoundIdentifier(parts) if parts.len() > 1 => {
            parts.last().is_some_and(|column| select.projection.iter().any(|item| hides(item, column, key)))
        }
        _ => false,
    };
    let hidden: Vec<usize> =
        keys.iter().enumerate().filter(|(_, key)| is_hidden(&key.expr)).map(|(place, _)| place).collect();
    // The others must be found above, where only the outputs are.
    let are_outputs = keys.iter().enumerate().all(|(place, key)| {
        hidden.contains(&place) || matches!(&key.expr, Expr::Identifier(_) | Expr::Value(_))
    });
    (!hidden.is_empty() && are_outputs).then_some(hidden)
}

fn is_grouped(select: &Select) -> bool {
    select.having.is_some()
        || !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty())
}

/// Whether an output bears a column's name and is something else.
fn hides(item: &SelectItem, column: &Ident, key: &Expr) -> bool {
    matches!(item, SelectItem::ExprWithAlias { expr, alias } if fold(alias) == fold(column) && expr != key)
}
