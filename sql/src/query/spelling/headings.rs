//! Names of the columns of a derived table: `SELECT upper FROM (SELECT upper(name) FROM t) AS s`. PostgreSQL calls a column
//! after its function; DataFusion after the text of the call.

use datafusion::sql::sqlparser::ast::{Expr, Ident, SelectItem, SetExpr, TableFactor};

use crate::query::labels;

pub(super) fn of_derived(factor: &mut TableFactor) {
    let TableFactor::Derived { subquery, alias, .. } = factor else { return };
    if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
        return;
    }
    let Some(names) = labels::of_query(subquery) else { return };
    let SetExpr::Select(select) = subquery.body.as_mut() else { return };
    for (place, item) in select.projection.iter_mut().enumerate() {
        let Some(Some(name)) = names.get(place) else { continue };
        // Two of one name are told apart by their texts.
        let is_only = names.iter().flatten().filter(|other| *other == name).count() == 1;
        if let SelectItem::UnnamedExpr(expr) = item
            && is_only
            && is_call(expr)
        {
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', name) };
        }
    }
}

fn is_call(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Function(_)
            | Expr::Extract { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Position { .. }
            | Expr::Ceil { .. }
            | Expr::Floor { .. }
    )
}
