//! Turns what PostgreSQL's clients write in catalog queries into what DataFusion plans.
//!
//! It works on the syntax tree, in one walk: names of catalog relations and functions ([`names`]), casts to
//! PostgreSQL's own types ([`casts`]), operators and words that DataFusion spells otherwise ([`operators`]),
//! functions in FROM ([`set_functions`]), subqueries that it cannot decorrelate
//! ([`subqueries`], [`lifting`]), and repeated columns ([`labels`]). Subqueries over the user's own tables stay as they are.

mod casts;
mod composites;
mod correlation;
mod labels;
mod lifting;
mod names;
mod operators;
mod set_functions;
mod subqueries;
mod types;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Query, Select, SetExpr, Statement, TableFactor, VisitMut, VisitorMut,
};
use voxhouse_engine::{Error, Result};

use super::Visible;
pub use labels::label;
use names::Scopes;

/// Rewrites a statement in place. A statement that needs nothing stays the same.
///
/// # Errors
/// Undefined object, for a collation that does not exist.
pub fn rewrite(statement: &mut Statement, visible: &Visible) -> Result<()> {
    let mut rewriter = Rewriter { scopes: Scopes::new(statement, visible) };
    if let ControlFlow::Break(error) = statement.visit(&mut rewriter) {
        return Err(error);
    }
    Ok(())
}

struct Rewriter<'a> {
    scopes: Scopes<'a>,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        lifting::split_distinct(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        set_functions::join_items(select);
        lifting::join_look_ups(select);
        self.scopes.enter(select);
        subqueries::forget_unreachable(select);
        subqueries::spell_out_exists(select);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        self.scopes.leave();
        labels::tell_apart(select);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.scopes.qualify(factor);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if let SetExpr::Values(values) = query.body.as_mut()
            && values.rows.len() > 1
        {
            casts::agree(&mut values.rows);
            values.rows.iter_mut().flat_map(|row| row.iter_mut()).for_each(casts::forget_type);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        self.scopes.resolve(expr);
        casts::rewrite(expr);
        composites::rewrite(expr);
        subqueries::rewrite(expr);
        match operators::rewrite(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}
