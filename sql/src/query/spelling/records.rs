//! Columns of a whole row: `(t).a` is `t.a` where `t` is a relation in FROM, and `(t).*` is `t.*`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Ident, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind, Statement,
    TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

use crate::query::names::fold;

/// Rewrites a statement in place.
pub fn rewrite(statement: &mut Statement) {
    let _ = statement.visit(&mut Rewriter { scopes: Vec::new() });
}

struct Rewriter {
    /// The relations of the FROM clauses around, innermost last.
    scopes: Vec<Vec<Ident>>,
}

impl Rewriter {
    /// The relation that brackets are around.
    fn relation(&self, expr: &Expr) -> Option<Ident> {
        let Expr::Nested(inner) = expr else { return None };
        match inner.as_ref() {
            Expr::Identifier(name) => {
                let mut known = self.scopes.iter().rev().flatten();
                known.find(|relation| fold(relation) == fold(name)).cloned()
            }
            nested => self.relation(nested),
        }
    }

    fn column(&self, expr: &Expr) -> Option<Expr> {
        let Expr::CompoundFieldAccess { root, access_chain } = expr else { return None };
        let [AccessExpr::Dot(Expr::Identifier(column))] = access_chain.as_slice() else { return None };
        Some(Expr::CompoundIdentifier(vec![self.relation(root)?, column.clone()]))
    }
}

impl VisitorMut for Rewriter {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        let joined = |table: &TableWithJoins| {
            let joins = table.joins.iter().map(|join| &join.relation);
            std::iter::once(&table.relation).chain(joins).filter_map(name_of).collect::<Vec<_>>()
        };
        self.scopes.push(select.from.iter().flat_map(joined).collect());
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(kind, _) = item
                && let SelectItemQualifiedWildcardKind::Expr(expr) = kind
                && let Some(relation) = self.relation(expr)
            {
                *kind = SelectItemQualifiedWildcardKind::ObjectName(ObjectName::from(vec![relation]));
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &mut Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(column) = self.column(expr) {
            *expr = column;
        }
        ControlFlow::Continue(())
    }
}

/// A function in FROM may give its name to a column, which then is meant.
fn name_of(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { name, alias, args: None, .. } => match alias {
            Some(alias) => Some(alias.name.clone()),
            None => name.0.last().and_then(|part| part.as_ident()).cloned(),
        },
        TableFactor::Derived { alias, .. } => alias.as_ref().map(|alias| alias.name.clone()),
        _ => None,
    }
}
