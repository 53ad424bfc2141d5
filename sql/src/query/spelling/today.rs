//! `date 'today'`, `'now'::timestamptz`: words that mean another time each day.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Statement, TypedString, Value, VisitMut, VisitorMut,
};

use crate::dialect::build::{self, call, cast};

/// Before literals are read, as these are no constants.
pub fn rewrite(statement: &mut Statement) {
    let _ = statement.visit(&mut Rewriter);
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let day = match &*expr {
            Expr::TypedString(TypedString { data_type, value, .. }) => of_word(data_type, &value.value),
            Expr::Cast { expr, data_type, .. } => match expr.as_ref() {
                Expr::Value(value) => of_word(data_type, &value.value),
                _ => None,
            },
            _ => None,
        };
        if let Some(day) = day {
            *expr = day;
        }
        ControlFlow::Continue(())
    }
}

fn of_word(data_type: &DataType, value: &Value) -> Option<Expr> {
    let Value::SingleQuotedString(word) = value else { return None };
    if !matches!(data_type, DataType::Date | DataType::Timestamp(..)) {
        return None;
    }
    let today = || call("current_date", Vec::new());
    let days_on = |op| {
        Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(today()),
            op,
            right: Box::new(build::number(1)),
        }))
    };
    let day = match word.trim().to_ascii_lowercase().as_str() {
        "now" => call("now", Vec::new()),
        "today" => today(),
        "yesterday" => days_on(BinaryOperator::Minus),
        "tomorrow" => days_on(BinaryOperator::Plus),
        _ => return None,
    };
    Some(cast(day, data_type.clone()))
}
