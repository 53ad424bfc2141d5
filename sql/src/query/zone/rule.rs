//! Makes plans mind the session's zone: `extract(hour from t)`, `date_trunc('day', t)`, `t::date`,
//! `t + interval '1 day'`, and the reading of times without a zone as instants; and its styles, in casts from text
//! and to text.
//!
//! Arrow keeps a zone in the type of a column, and DataFusion works in that one, which for a stored column is UTC.
//! The rule runs when types have been settled, and leaves each expression's type as it was.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use chrono_tz::Tz;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, cast, lit};
use datafusion::optimizer::AnalyzerRule;
use datafusion::scalar::ScalarValue;

use super::functions::{Kind, clock_type, function, instant_type};
use crate::query::inputs::input_schema;
use crate::query::output;

#[derive(Debug)]
pub struct SessionZone;

impl AnalyzerRule for SessionZone {
    fn name(&self) -> &str {
        "session_zone"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone = config.execution.time_zone.as_deref().unwrap_or("UTC");
        let is_utc = zone.parse::<Tz>().is_ok_and(|zone| zone == Tz::UTC);
        Ok(plan.transform_up_with_subqueries(|plan| in_node(plan, zone, is_utc))?.data)
    }
}

fn in_node(plan: LogicalPlan, zone: &str, is_utc: bool) -> Result<Transformed<LogicalPlan>> {
    let schema = input_schema(&plan)?;
    let names = NamePreserver::new(&plan);
    let minder = Minder { schema: &schema, zone, is_utc };
    plan.map_expressions(|expression| {
        let name = names.save(&expression);
        let minded = expression.transform_up(|part| minder.mind(part))?;
        Ok(minded.update_data(|expression| name.restore(expression)))
    })?
    .map_data(LogicalPlan::recompute_schema)
}

struct Minder<'a> {
    schema: &'a DFSchema,
    zone: &'a str,
    is_utc: bool,
}

fn is_instant(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, Some(_)))
}

fn is_clock(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, None))
}

fn call(kind: Kind, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function(kind), arguments))
}

impl Minder<'_> {
    /// The type of a part. What cannot be told, such as a column of an outer query, is left alone.
    fn type_of(&self, expression: &Expr) -> Option<DataType> {
        expression.get_type(self.schema).ok()
    }

    fn zone(&self) -> Expr {
        lit(self.zone)
    }

    fn mind(&self, expression: Expr) -> Result<Transformed<Expr>> {
        let minded = match &expression {
            Expr::Cast(Cast { expr, field }) => self.cast(expr, field),
            Expr::ScalarFunction(function) if !self.is_utc => self.function(function),
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::Plus | Operator::Minus), right })
                if !self.is_utc =>
            {
                self.sum(left, *op, right)
            }
            _ => None,
        };
        Ok(minded.map_or_else(|| Transformed::no(expression), Transformed::yes))
    }

    fn cast(&self, from: &Expr, field: &FieldRef) -> Option<Expr> {
        let to = field.data_type();
        // The field may say more than the type: `varchar(20)`.
        let cast_to = |expr: Expr| Expr::Cast(Cast::new_from_field(Box::new(expr), Arc::clone(field)));
        let given = self.type_of(from)?;
        let part = || from.clone();
        let instant = || cast(part(), instant_type());
        let local = || call(Kind::Local, vec![instant(), self.zone()]);
        Some(cast_to(match to {
            text if text.is_string() && output::shows(&given) => output::to_text(part()),
            // A text without a zone is one of the session's.
            to if is_instant(to) && given.is_string() => call(Kind::ReadInstant, vec![part(), self.zone()]),
            to if is_clock(to) && given.is_string() => call(Kind::ReadClock, vec![part()]),
            DataType::Date32 if given.is_string() => call(Kind::ReadDate, vec![part()]),
            _ if self.is_utc => return None,
            DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_)
                if is_instant(&given) =>
            {
                local()
            }
            clock if is_clock(clock) && is_instant(&given) => local(),
            to if is_instant(to)
                && (is_clock(&given) || matches!(given, DataType::Date32 | DataType::Date64)) =>
            {
                call(Kind::Instant, vec![cast(part(), clock_type()), self.zone()])
            }
            _ => return None,
        }))
    }

    fn function(&self, function: &ScalarFunction) -> Option<Expr> {
        if let ("to_char", [time, template]) = (function.func.name(), function.args.as_slice()) {
            self.type_of(time).filter(is_instant)?;
            let local = call(Kind::Local, vec![cast(time.clone(), instant_type()), self.zone()]);
            let instant = cast(time.clone(), instant_type());
            let arguments = vec![local, template.clone(), instant, self.zone()];
            return Some(Expr::ScalarFunction(ScalarFunction::new_udf(
                Arc::clone(&function.func),
                arguments,
            )));
        }
        let [unit, time, ..] = function.args.as_slice() else { return None };
        let given = self.type_of(time).filter(is_instant)?;
        let instant = cast(time.clone(), instant_type());
        match function.func.name() {
            "date_trunc" if function.args.len() == 2 => {
                Some(cast(call(Kind::Truncate, vec![unit.clone(), instant, self.zone()]), given))
            }
            // Seconds since 1970 are the same everywhere.
            "date_part" | "extract" if !is_literal(unit, "epoch") => {
                let local = call(Kind::Local, vec![instant, self.zone()]);
                let clock = match given {
                    DataType::Timestamp(unit, _) => DataType::Timestamp(unit, None),
                    _ => clock_type(),
                };
                let arguments = vec![unit.clone(), cast(local, clock)];
                Some(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&function.func), arguments)))
            }
            _ => None,
        }
    }

    fn sum(&self, left: &Expr, op: Operator, right: &Expr) -> Option<Expr> {
        let is_interval = |part: &Expr| matches!(self.type_of(part), Some(DataType::Interval(_)));
        let (time, interval) = if is_interval(right) {
            (left, right)
        } else if op == Operator::Plus && is_interval(left) {
            (right, left)
        } else {
            return None;
        };
        let given = self.type_of(time).filter(is_instant)?;
        let interval = match op {
            Operator::Minus => Expr::Negative(Box::new(interval.clone())),
            _ => interval.clone(),
        };
        let instant = cast(time.clone(), instant_type());
        Some(cast(call(Kind::Add, vec![instant, interval, self.zone()]), given))
    }
}

fn is_literal(expression: &Expr, text: &str) -> bool {
    match expression {
        Expr::Literal(
            ScalarValue::Utf8(Some(found))
            | ScalarValue::Utf8View(Some(found))
            | ScalarValue::LargeUtf8(Some(found)),
            _,
        ) => found.eq_ignore_ascii_case(text),
        _ => false,
    }
}
