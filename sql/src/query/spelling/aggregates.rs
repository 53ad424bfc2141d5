//! `avg(n), avg(n::bigint)`: DataFusion names an aggregate without the casts in it, and takes the two for one column.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, Query, Select, SelectItem, Value, VisitMut, VisitorMut,
    visit_expressions_mut,
};

/// Gives those of one name and different texts a FILTER that holds for every row, which makes the names differ.
pub(super) fn tell_apart(select: &mut Select) {
    let mut seen = Seen { texts: HashMap::new(), depth: 0 };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            let _ = expr.visit(&mut seen);
        }
    }
}

struct Seen {
    /// The texts of calls by their text without casts.
    texts: HashMap<String, Vec<String>>,
    depth: usize,
}

impl VisitorMut for Seen {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Function(function) = expr
            && function.over.is_none()
            && is_aggregate(function)
        {
            let text = function.to_string();
            let texts = self.texts.entry(without_casts(function)).or_default();
            let place = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
                texts.push(text);
                texts.len() - 1
            });
            if place > 0 {
                function.filter = Some(Box::new(always(function.filter.take().map(|filter| *filter), place)));
            }
        }
        ControlFlow::Continue(())
    }
}

/// Those that DataFusion and this project have; a scalar function with a FILTER would be an error.
fn is_aggregate(function: &Function) -> bool {
    const AGGREGATES: &[&str] = &[
        "array_agg",
        "avg",
        "count",
        "max",
        "min",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "string_agg",
        "sum",
        "var_pop",
        "var_samp",
        "variance",
        "median",
        "bool_and",
        "bool_or",
        "nps",
        "nps_low",
        "nps_high",
    ];
    super::name_of(function).is_some_and(|name| AGGREGATES.contains(&name.as_str()))
}

fn without_casts(function: &Function) -> String {
    let mut plain = Expr::Function(function.clone());
    let _ = visit_expressions_mut(&mut plain, |part| {
        while let Expr::Cast { expr, .. } | Expr::Nested(expr) = part {
            *part = std::mem::replace(expr.as_mut(), Expr::value(Value::Null));
        }
        ControlFlow::<()>::Continue(())
    });
    plain.to_string().to_lowercase()
}

/// A condition that is as true as `filter`, and another for each place.
fn always(filter: Option<Expr>, place: usize) -> Expr {
    let truth = || Expr::value(Value::Boolean(true));
    let first = filter.map_or_else(truth, |filter| Expr::Nested(Box::new(filter)));
    (1..place).fold(first, |all, _| Expr::BinaryOp {
        left: Box::new(all),
        op: BinaryOperator::And,
        right: Box::new(truth()),
    })
}
