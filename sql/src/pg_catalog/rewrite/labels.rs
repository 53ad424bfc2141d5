//! Columns of one name. DataFusion tells the columns of a SELECT apart by their text; PostgreSQL's may repeat, as
//! in `SELECT c.oid, c.*`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Select, SelectItem, SelectItemQualifiedWildcardKind, TableFactor, VisitMut, VisitorMut,
};

use super::names::{catalog_relation, folded};
use crate::dialect::build;

/// Stands between a label and the number that keeps it apart; no client writes it.
const SEPARATOR: char = '\u{1f}';

/// What a result column is called, without what [`rewrite`](super::rewrite) put behind it to tell it apart.
pub fn label(name: &str) -> &str {
    name.split(SEPARATOR).next().unwrap_or(name)
}

/// Gives a repeated column a name of its own.
pub(super) fn tell_apart(select: &mut Select) {
    let mut seen = wildcard_columns(select);
    for (place, item) in select.projection.iter_mut().enumerate() {
        match item {
            SelectItem::UnnamedExpr(expr) if !seen.insert(name_of(expr)) => {
                let alias = Ident::with_quote('"', format!("{}{SEPARATOR}{place}", own_label(expr)));
                let expr = std::mem::replace(expr, build::null());
                *item = SelectItem::ExprWithAlias { expr, alias };
            }
            SelectItem::ExprWithAlias { alias, .. } if !seen.insert(folded(alias)) => {
                *alias = Ident::with_quote('"', format!("{}{SEPARATOR}{place}", folded(alias)));
            }
            _ => {}
        }
    }
}

/// By what DataFusion tells an expression from others.
fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Subquery(_) => "(<subquery>)".to_owned(),
        other => {
            let mut plain = other.clone();
            let _ = plain.visit(&mut Castless);
            plain.to_string()
        }
    }
}

/// Takes casts off: DataFusion calls `a::date` what it calls `a`.
struct Castless;

impl VisitorMut for Castless {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Cast { expr: inner, .. } = expr {
            *expr = std::mem::replace(inner, build::null());
        }
        ControlFlow::Continue(())
    }
}

pub(super) fn own_label(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => folded(name),
        Expr::Cast { expr: inner, .. } => own_label(inner),
        Expr::CompoundIdentifier(parts) => parts.last().map(folded).unwrap_or_default(),
        Expr::Function(function) => {
            function.name.0.last().and_then(|part| part.as_ident()).map_or_else(String::new, folded)
        }
        _ => "?column?".to_owned(),
    }
}

/// The columns of catalog relations that `*` and `c.*` stand for, as `c.oid`.
fn wildcard_columns(select: &Select) -> HashSet<String> {
    let mut columns = HashSet::new();
    for item in &select.projection {
        let of = match item {
            SelectItem::Wildcard(_) => None,
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                name.0.last().and_then(|part| part.as_ident()).map(folded)
            }
            _ => continue,
        };
        let tables = select.from.iter();
        for table in tables.flat_map(|table| {
            std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
        }) {
            let (Some(definition), TableFactor::Table { alias, .. }) = (catalog_relation(table), table)
            else {
                continue;
            };
            let name = alias.as_ref().map_or_else(|| definition.name.to_owned(), |alias| folded(&alias.name));
            if of.as_ref().is_none_or(|of| *of == name) {
                columns.extend(definition.columns.iter().map(|column| format!("{name}.{}", column.name)));
            }
        }
    }
    columns
}
