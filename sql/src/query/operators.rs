//! What an operator means to PostgreSQL, where DataFusion would take it for something else.

use arrow::datatypes::{DataType, Field, IntervalUnit};
use chrono_tz::Tz;
use datafusion::common::DFSchema;
use datafusion::error::Result as DataFusionResult;
use datafusion::functions_nested::array_has::array_has_any_udf;
use datafusion::functions_nested::extract::array_element;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, lit, when};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use voxhouse_engine::catalog::types::TYPE_KEY;

use super::{intervals, json, library};
use crate::wire::read_text;
use crate::wire::types::{PgType, oid};

/// Asked before DataFusion's own planners.
#[derive(Debug)]
pub struct PostgresOperators;

impl ExprPlanner for PostgresOperators {
    fn plan_binary_op(
        &self,
        mut raw: RawBinaryExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawBinaryExpr>> {
        if raw.op == BinaryOperator::Plus {
            add_an_interval(&raw.left, &mut raw.right, schema);
            add_an_interval(&raw.right, &mut raw.left, schema);
        }
        if compares(&raw.op) || is_of_lists(&raw.op) {
            read_literal(&raw.left, &mut raw.right, schema)?;
            read_literal(&raw.right, &mut raw.left, schema)?;
        }
        if let Some(planned) = intervals::operator(&raw, schema)? {
            return Ok(PlannerResult::Planned(planned));
        }
        if let Some(planned) = json::operator(&raw.op, &raw.left, &raw.right, schema)? {
            return Ok(PlannerResult::Planned(planned));
        }
        if is_of_lists(&raw.op) {
            compare_alike(&mut raw, schema)?;
        }
        if raw.op == BinaryOperator::PGOverlap && is_list(&raw.left, schema) && is_list(&raw.right, schema) {
            let overlap = array_has_any_udf().call(vec![raw.left, raw.right]);
            return Ok(PlannerResult::Planned(overlap));
        }
        Ok(PlannerResult::Original(raw))
    }

    /// The parts of times are exact.
    fn plan_extract(&self, arguments: Vec<Expr>) -> DataFusionResult<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(library::extract(arguments)))
    }

    fn plan_field_access(
        &self,
        raw: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> DataFusionResult<PlannerResult<RawFieldAccessExpr>> {
        if let Some(planned) = json::subscript(&raw.expr, &raw.field_access, schema)? {
            return Ok(PlannerResult::Planned(planned));
        }
        if let GetFieldAccess::ListIndex { key } = &raw.field_access
            && matches!(raw.expr.get_type(schema), Ok(DataType::List(_)))
            && let Some(element) = element_of(&raw.expr, key)?
        {
            return Ok(PlannerResult::Planned(element));
        }
        Ok(PlannerResult::Original(raw))
    }
}

fn compares(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq)
}

fn is_of_lists(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::AtArrow | BinaryOperator::ArrowAt | BinaryOperator::PGOverlap)
}

/// A literal beside a boolean, a uuid, bytes or a list is one: `ok = 'yes'`, `id = 'A0EEBC99-…'`, `tags @> '{new}'`.
/// DataFusion reads those of the other types itself.
pub(super) fn read_literal(beside: &Expr, literal: &mut Expr, schema: &DFSchema) -> DataFusionResult<()> {
    let Expr::Literal(value, _) = &*literal else { return Ok(()) };
    let Some(Some(text)) = value.try_as_str() else { return Ok(()) };
    let Ok((_, field)) = beside.to_field(schema) else { return Ok(()) };
    let named = field.metadata().get(TYPE_KEY).map(String::as_str);
    let type_oid = match (field.data_type(), named) {
        (DataType::Boolean, _) => oid::BOOL,
        (DataType::Binary | DataType::BinaryView, _) => oid::BYTEA,
        (DataType::List(_), _) => PgType::of_field(&field)?.oid,
        (_, Some("uuid")) => oid::UUID,
        _ => return Ok(()),
    };
    *literal = lit(read_text(type_oid, text, Tz::UTC.into())?);
    if matches!(field.data_type(), DataType::List(_)) {
        *literal = std::mem::take(literal).cast_to(field.data_type(), schema)?;
    }
    Ok(())
}

fn is_list(expression: &Expr, schema: &DFSchema) -> bool {
    matches!(expression.get_type(schema), Ok(DataType::List(_) | DataType::Null))
}

/// Elements are counted from 1; there is none at −1, where DataFusion gives the last.
fn element_of(list: &Expr, index: &Expr) -> DataFusionResult<Option<Expr>> {
    let is_counted_from_one = match index {
        Expr::Literal(value, _) => i64::try_from(value.clone()).is_ok_and(|index| index > 0),
        _ => false,
    };
    if is_counted_from_one {
        return Ok(None);
    }
    let element = array_element(list.clone(), index.clone());
    Ok(Some(when(index.clone().gt(lit(0_i64)), element).end()?))
}

/// Lists of text have several layouts, and one of another layout has no element of this one.
fn compare_alike(raw: &mut RawBinaryExpr, schema: &DFSchema) -> DataFusionResult<()> {
    let (left, right) = (raw.left.get_type(schema)?, raw.right.get_type(schema)?);
    let (DataType::List(one), DataType::List(other)) = (&left, &right) else { return Ok(()) };
    let are_texts = one.data_type().is_string() && other.data_type().is_string();
    if are_texts && left != right {
        raw.right = raw.right.clone().cast_to(&left, schema)?;
    }
    Ok(())
}

/// Only an interval can be added to a timestamp; DataFusion takes a parameter for what it stands beside.
fn add_an_interval(time: &Expr, step: &mut Expr, schema: &DFSchema) {
    if let Expr::Placeholder(Placeholder { field: field @ None, .. }) = step
        && matches!(time.get_type(schema), Ok(DataType::Timestamp(_, _)))
    {
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        *field = Some(Field::new("", interval, true).into());
    }
}
