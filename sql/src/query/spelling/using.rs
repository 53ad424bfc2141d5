//! The column that `JOIN … USING (k)` makes of two. It comes first in `*`, and where the left side may be missing it is
//! not the left one: that of the right side after a RIGHT JOIN, of whichever there is after a FULL JOIN.

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, OrderByKind,
    Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableFactor, TableWithJoins,
    WildcardAdditionalOptions,
};
use voxhouse_engine::{Error, Result};

use crate::dialect::build::call;
use crate::query::names::fold;
use crate::query::outside::{self, OnEachPart};

pub(super) fn settle(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = query.body.as_mut() else { return Ok(()) };
    let mut merged = Vec::new();
    for table in &select.from {
        merge(table, &mut merged)?;
    }
    if merged.is_empty() {
        return Ok(());
    }
    put_first(select, &merged)?;
    let moved: Vec<&Merged> = merged.iter().filter(|column| column.is_moved).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let mut replacer = Replacer { moved: &moved };
    replace_in(select, &mut replacer);
    if let Some(order) = &mut query.order_by
        && let OrderByKind::Expressions(keys) = &mut order.kind
        && let SetExpr::Select(select) = query.body.as_ref()
    {
        let is_output = |key: &Expr| matches!(key, Expr::Identifier(name) if select.projection.iter().any(|item| is_called(item, name)));
        let keys = keys.iter_mut().map(|key| &mut key.expr).filter(|key| !is_output(key));
        keys.for_each(|key| outside::visit(key, &mut replacer));
    }
    Ok(())
}

/// A column of USING.
struct Merged {
    name: Ident,
    value: Expr,
    /// Whether it is another than the left one, which the planner would take.
    is_moved: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Left,
    Right,
    Both,
}

fn kept(join: &Join) -> Option<(&JoinConstraint, Kept)> {
    use JoinOperator as Op;
    Some(match &join.join_operator {
        Op::Join(constraint) | Op::Inner(constraint) | Op::Left(constraint) | Op::LeftOuter(constraint) => {
            (constraint, Kept::Left)
        }
        Op::Right(constraint) | Op::RightOuter(constraint) => (constraint, Kept::Right),
        Op::FullOuter(constraint) => (constraint, Kept::Both),
        _ => return None,
    })
}

fn unsupported() -> Error {
    Error::not_supported("this outer join with USING is not supported")
        .with_hint("Write the condition with ON, and coalesce(a.k, b.k) for the column of both.")
}

fn merge(table: &TableWithJoins, merged: &mut Vec<Merged>) -> Result<()> {
    for (place, join) in table.joins.iter().enumerate() {
        let Some((constraint, kept)) = kept(join) else { continue };
        let columns = match constraint {
            JoinConstraint::Using(columns) => columns,
            JoinConstraint::Natural if kept != Kept::Left => return Err(unsupported()),
            _ => continue,
        };
        for column in columns {
            let Some(name) = column.0.last().and_then(|part| part.as_ident()) else { continue };
            let left = if place == 0 { of_relation(&table.relation, name) } else { None };
            let right = of_relation(&join.relation, name);
            merge_column(name, [left, right], kept, merged)?;
        }
    }
    Ok(())
}

fn merge_column(
    name: &Ident,
    [left, right]: [Option<Expr>; 2],
    kept: Kept,
    merged: &mut Vec<Merged>,
) -> Result<()> {
    let known = merged.iter().position(|column| fold(&column.name) == fold(name));
    let before = match known {
        Some(place) => Some(merged.remove(place)),
        None => left.map(|value| Merged { name: name.clone(), value, is_moved: false }),
    };
    let column = match (kept, before, right) {
        (Kept::Left, Some(before), _) => before,
        // Which of several relations has it, the planner finds out.
        (Kept::Left, None, _) => {
            Merged { name: name.clone(), value: Expr::Identifier(name.clone()), is_moved: false }
        }
        (Kept::Right, _, Some(right)) => Merged { name: name.clone(), value: right, is_moved: true },
        (Kept::Both, Some(before), Some(right)) => {
            let value = call("coalesce", vec![before.value, right]);
            Merged { name: name.clone(), value, is_moved: true }
        }
        _ => return Err(unsupported()),
    };
    merged.push(column);
    Ok(())
}

fn of_relation(relation: &TableFactor, column: &Ident) -> Option<Expr> {
    Some(Expr::CompoundIdentifier(vec![name_of_relation(relation)?, column.clone()]))
}

fn name_of_relation(relation: &TableFactor) -> Option<Ident> {
    match relation {
        TableFactor::Table { name, alias, .. } => match alias {
            Some(alias) => Some(alias.name.clone()),
            None => name.0.last()?.as_ident().cloned(),
        },
        TableFactor::Derived { alias, .. } | TableFactor::UNNEST { alias, .. } => {
            alias.as_ref().map(|alias| alias.name.clone())
        }
        _ => None,
    }
}

/// `SELECT *`: the columns of USING, then the others.
fn put_first(select: &mut Select, merged: &[Merged]) -> Result<()> {
    let is_star = |item: &SelectItem| matches!(item, SelectItem::Wildcard(options) if options.opt_exclude.is_none() && options.opt_except.is_none());
    let Some(place) = select.projection.iter().position(is_star) else { return Ok(()) };
    let relations = if all_share(select, merged) { relations(select) } else { None };
    let Some(relations) = relations else {
        return match merged.iter().any(|column| column.is_moved) {
            true => Err(unsupported()),
            false => Ok(()),
        };
    };
    let first = merged
        .iter()
        .map(|column| SelectItem::ExprWithAlias { expr: column.value.clone(), alias: column.name.clone() });
    let names = merged.iter().map(|column| ObjectName::from(vec![column.name.clone()]));
    let options = WildcardAdditionalOptions {
        opt_exclude: Some(ExcludeSelectItem::Multiple(names.collect())),
        ..Default::default()
    };
    let others = relations.into_iter().map(|name| {
        let relation = SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![name]));
        SelectItem::QualifiedWildcard(relation, options.clone())
    });
    let items: Vec<SelectItem> = first.chain(others).collect();
    select.projection.splice(place..=place, items);
    Ok(())
}

/// The names of what is joined.
fn relations(select: &Select) -> Option<Vec<Ident>> {
    let [table] = select.from.as_slice() else { return None };
    let joined = table.joins.iter().map(|join| &join.relation);
    std::iter::once(&table.relation).chain(joined).map(name_of_relation).collect()
}

/// Whether every relation has every column of USING as that: to leave the names out leaves nothing else out.
fn all_share(select: &Select, merged: &[Merged]) -> bool {
    let [table] = select.from.as_slice() else { return false };
    table.joins.iter().all(|join| match kept(join) {
        Some((JoinConstraint::Using(columns), _)) => columns.len() == merged.len(),
        _ => false,
    })
}

fn is_called(item: &SelectItem, name: &Ident) -> bool {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => fold(alias) == fold(name),
        SelectItem::UnnamedExpr(Expr::Identifier(column)) => fold(column) == fold(name),
        _ => false,
    }
}

struct Replacer<'a> {
    moved: &'a [&'a Merged],
}

impl Replacer<'_> {
    fn value_of(&self, name: &Ident) -> Option<&Merged> {
        self.moved.iter().copied().find(|column| fold(&column.name) == fold(name))
    }
}

impl OnEachPart for Replacer<'_> {
    fn after(&mut self, expr: &mut Expr) {
        if let Expr::Identifier(name) = &*expr
            && let Some(column) = self.value_of(name)
        {
            *expr = column.value.clone();
        }
    }
}

fn replace_in(select: &mut Select, replacer: &mut Replacer<'_>) {
    for item in &mut select.projection {
        match item {
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => {
                if let Some(column) = replacer.value_of(name) {
                    *item = SelectItem::ExprWithAlias { expr: column.value.clone(), alias: name.clone() };
                }
            }
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                outside::visit(expr, replacer);
            }
            _ => {}
        }
    }
    let conditions = [&mut select.selection, &mut select.having].into_iter().flatten();
    conditions.for_each(|condition| outside::visit(condition, replacer));
    if let GroupByExpr::Expressions(keys, _) = &mut select.group_by {
        keys.iter_mut().for_each(|key| outside::visit(key, replacer));
    }
}
