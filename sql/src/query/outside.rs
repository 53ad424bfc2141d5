//! Walks through an expression that stay out of its subqueries, where names and rows are others.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, VisitMut, VisitorMut};

/// What is done with each part of an expression: before its own parts, and after them.
pub trait OnEachPart {
    fn before(&mut self, _: &mut Expr) {}
    fn after(&mut self, _: &mut Expr) {}
}

pub fn visit(expression: &mut Expr, parts: &mut impl OnEachPart) {
    let _ = expression.visit(&mut Outside { parts, depth: 0 });
}

struct Outside<'a, P> {
    parts: &'a mut P,
    depth: usize,
}

impl<P: OnEachPart> VisitorMut for Outside<'_, P> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, part: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            self.parts.before(part);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, part: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            self.parts.after(part);
        }
        ControlFlow::Continue(())
    }
}
