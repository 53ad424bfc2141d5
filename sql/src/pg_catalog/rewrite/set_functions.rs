//! Functions in FROM. Those whose rows do not depend on their arguments are relations under their name and `()`;
//! a function of one value is a query of it; `aclexplode(list)` beside the relation that has the list becomes a column
//! of that relation, with a row for each item.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, JoinOperator, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, TableAlias, TableFactor, TableWithJoins, visit_expressions, visit_expressions_mut,
};

use super::names::{folded, word};
use crate::dialect::build;
use crate::pg_catalog::PG_CATALOG;
use crate::pg_catalog::definition;
use crate::pg_catalog::functions::{ACL_COLUMNS, ACL_EXPLODE};

/// Functions of one value that clients read in FROM.
const SCALARS: &[&str] = &[
    "current_catalog",
    "current_database",
    "current_schema",
    "current_setting",
    "current_user",
    "pg_backend_pid",
    "pg_is_in_recovery",
    "pg_postmaster_start_time",
    "session_user",
    "set_config",
    "txid_current",
    "version",
];

/// Functions that show a relation of the catalog under another name.
const RELATIONS: &[(&str, &str)] = &[
    ("pg_cursor", "pg_cursors"),
    ("pg_prepared_statement", "pg_prepared_statements"),
    ("pg_show_all_settings", "pg_settings"),
];

/// Functions that have no rows, whatever they are asked about.
const NO_ROWS: &[&str] = &["pg_partition_ancestors"];

/// A call in FROM that stands alone. `name` has no schema any more.
pub(super) fn rewrite(factor: &mut TableFactor) {
    let TableFactor::Table { name, alias, args: Some(arguments), .. } = factor else { return };
    let Some(function) = word(&name.0) else { return };
    let alias = || alias.clone().unwrap_or_else(|| alias_of(&function));
    let relation = match RELATIONS.iter().find(|(called, _)| *called == function) {
        Some((_, relation)) => Some((*relation).to_owned()),
        None => definition::find_function(PG_CATALOG, &function)
            .filter(|_| NO_ROWS.contains(&function.as_str()) || arguments.args.iter().all(has_no_value))
            .map(|found| found.name.to_owned()),
    };
    if let Some(relation) = relation {
        *factor = table(&relation, alias());
    } else if SCALARS.contains(&function.as_str()) {
        let values: Option<Vec<Expr>> = arguments.args.iter().map(value_of).collect();
        let Some(values) = values else { return };
        let mut alias = alias();
        if alias.columns.is_empty() {
            alias.columns = build::columns(&[&alias.name.value]);
        }
        let call = build::call(&function, values);
        *factor = build::derived(build::select(vec![SelectItem::UnnamedExpr(call)], Vec::new()), alias);
    } else if function == ACL_EXPLODE
        && let [argument] = arguments.args.as_slice()
        && let Some(list) = value_of(argument)
        && !names_columns(&list)
    {
        *factor = items_of(list, alias());
    }
}

fn alias_of(name: &str) -> TableAlias {
    build::alias(Ident::new(name))
}

fn table(name: &str, alias: TableAlias) -> TableFactor {
    let schema = ObjectNamePart::Identifier(Ident::new(PG_CATALOG));
    let name = ObjectNamePart::Identifier(Ident::with_quote('"', name));
    build::table(ObjectName(vec![schema, name]), alias)
}

fn value_of(argument: &FunctionArg) -> Option<Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
        _ => None,
    }
}

/// Whether an argument is a column, such as the options of an object: these are never set.
fn has_no_value(argument: &FunctionArg) -> bool {
    matches!(value_of(argument), Some(Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
}

/// Whether an expression names a column, outside its subqueries.
fn names_columns(expr: &Expr) -> bool {
    if let Expr::Subquery(_) = expr {
        return false;
    }
    visit_expressions(expr, |part| match part {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// `(SELECT get_field(item, 'grantor') AS grantor, … FROM (SELECT aclexplode(list) AS item) AS items) AS alias`
fn items_of(list: Expr, alias: TableAlias) -> TableFactor {
    let item = Ident::new("item");
    let exploded =
        SelectItem::ExprWithAlias { expr: build::call(ACL_EXPLODE, vec![list]), alias: item.clone() };
    let items = build::derived(build::select(vec![exploded], Vec::new()), alias_of("items"));
    let columns = ACL_COLUMNS.iter().map(|column| SelectItem::ExprWithAlias {
        expr: build::call("get_field", vec![Expr::Identifier(item.clone()), build::text(column)]),
        alias: Ident::new(*column),
    });
    let from = TableWithJoins { relation: items, joins: Vec::new() };
    build::derived(build::select(columns.collect(), vec![from]), alias)
}

/// `FROM relation r, aclexplode(r.list) AS x`: the items become a column of `r`, and `x.grantee` a field of it.
pub(super) fn join_items(select: &mut Select) {
    let has_wildcard = select
        .projection
        .iter()
        .any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
    if has_wildcard || select.from.len() < 2 {
        return;
    }
    let Some((list, alias)) = select.from.last().and_then(exploded_list) else { return };
    let rest = select.from.len() - 1;
    let Some(place) = owner_of(&list, &select.from[..rest]) else { return };
    let Some(owner) = factors(&mut select.from[..rest]).nth(place) else { return };
    let Some(name) = name_of(owner) else { return };
    let inner = std::mem::replace(owner, table("pg_class", alias_of("pg_class")));
    let items =
        SelectItem::ExprWithAlias { expr: build::call(ACL_EXPLODE, vec![list]), alias: alias.clone() };
    let from = TableWithJoins { relation: inner, joins: Vec::new() };
    let query: Query = build::select(vec![SelectItem::Wildcard(Default::default()), items], vec![from]);
    *owner = build::derived(query, build::alias(name.clone()));
    select.from.pop();
    label_fields(select, &alias);
    let _ = visit_expressions_mut(select, |expr| {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [relation, field] = parts.as_slice()
            && folded(relation) == folded(&alias)
        {
            let field = build::text(&folded(field));
            let item = Expr::CompoundIdentifier(vec![name.clone(), alias.clone()]);
            *expr = build::call("get_field", vec![item, field]);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// `x.grantee` in the output is still called so when it is a field of a column.
fn label_fields(select: &mut Select, relation: &Ident) {
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) = item
            && let Expr::CompoundIdentifier(parts) = &*expr
            && let [of, field] = parts.as_slice()
            && folded(of) == folded(relation)
        {
            let alias = field.clone();
            *item = SelectItem::ExprWithAlias { expr: std::mem::replace(expr, build::null()), alias };
        }
    }
}

/// The list and the alias of `aclexplode(list) AS alias`, where the list is a column's.
fn exploded_list(from: &TableWithJoins) -> Option<(Expr, Ident)> {
    let TableFactor::Table { name, alias: Some(alias), args: Some(arguments), .. } = &from.relation else {
        return None;
    };
    let function = name.0.last().and_then(|part| part.as_ident()).map(folded)?;
    let [argument] = arguments.args.as_slice() else { return None };
    let list = value_of(argument).filter(names_columns)?;
    (function == ACL_EXPLODE && from.joins.is_empty() && alias.columns.is_empty())
        .then(|| (list, alias.name.clone()))
}

/// Relations of which each row stays: none is on a side of an outer join that may be NULL.
fn factors(from: &mut [TableWithJoins]) -> impl Iterator<Item = &mut TableFactor> {
    from.iter_mut().flat_map(|table| {
        let inner = table.joins.iter_mut().filter(|join| {
            matches!(
                join.join_operator,
                JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_)
            )
        });
        std::iter::once(&mut table.relation).chain(inner.map(|join| &mut join.relation))
    })
}

/// The place among [`factors`] of the relation whose columns an expression names: by its alias, or the only one.
fn owner_of(list: &Expr, from: &[TableWithJoins]) -> Option<usize> {
    let mut aliases = Vec::new();
    let _ = visit_expressions(list, |part| {
        match part {
            Expr::CompoundIdentifier(parts) => aliases.push(parts.first().map(folded)),
            Expr::Identifier(_) => aliases.push(None),
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    aliases.dedup();
    let keeps_all = from.iter().flat_map(|table| &table.joins).all(|join| {
        use JoinOperator::{CrossJoin, Inner, Join, Left, LeftOuter};
        matches!(join.join_operator, Join(_) | Inner(_) | CrossJoin(_) | Left(_) | LeftOuter(_))
    });
    let mut from = from.to_vec();
    let names: Vec<Option<Ident>> = factors(&mut from).map(|factor| name_of(factor)).collect();
    match aliases.as_slice() {
        _ if !keeps_all => None,
        [None] if names.len() == 1 && from.iter().all(|table| table.joins.is_empty()) => Some(0),
        [Some(alias)] => {
            names.iter().position(|name| name.as_ref().is_some_and(|name| folded(name) == *alias))
        }
        _ => None,
    }
}

fn name_of(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.clone())
        }
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().cloned(),
        _ => None,
    }
}
