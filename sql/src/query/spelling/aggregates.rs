//! `avg(n), avg(n::bigint)`: DataFusion names an aggregate without the casts in it, and takes the two for one column.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Function, Select, Value, visit_expressions_mut};

use super::outputs;
use crate::query::outside::{self, OnEachPart};

/// Gives those of one name and different texts a FILTER that holds for every row, which makes the names differ.
pub(super) fn tell_apart(select: &mut Select) {
    let mut seen = Seen { texts: HashMap::new() };
    outputs(select).for_each(|output| outside::visit(output, &mut seen));
}

struct Seen {
    /// The texts of calls by their text without casts.
    texts: HashMap<String, Vec<String>>,
}

impl OnEachPart for Seen {
    fn after(&mut self, expr: &mut Expr) {
        let Expr::Function(function) = expr else { return };
        if function.over.is_some() || !is_aggregate(function) {
            return;
        }
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
