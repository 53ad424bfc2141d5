//! Casts of `jsonb` to numbers and booleans, which ask what the value is: `(doc->'n')::int`; and types of alternatives.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::expr::Cast;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, lit};
use voxhouse_engine::Error;
use voxhouse_engine::catalog::SqlType;
use voxhouse_engine::catalog::types::TYPE_KEY;
use voxhouse_engine::json::scan::{self, Kind, kind_of};

use super::catalog;
use super::function::{Answer, Call, Cell};
use super::operators::{form_of, is_alternatives};

/// Digits that a number keeps on its way to an integer.
const EXACT: DataType = DataType::Decimal128(38, 10);

/// A cast of `jsonb` with the check in it, and `coalesce(doc, '{}')` with its type. Others stay as they are.
pub fn rewrite(part: Expr, schema: &DFSchema) -> DataFusionResult<Transformed<Expr>> {
    match is_alternatives(&part) {
        true => Ok(marked(part, schema)),
        false => checked(part, schema),
    }
}

fn marked(part: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let is_text = part.get_type(schema).is_ok_and(|found| found.is_string());
    let form = form_of(&part, schema).filter(|_| is_text);
    match form.and_then(|form| catalog::call(&format!("__{}", form.name()), vec![part.clone()])) {
        Some(marked) => Transformed::yes(marked),
        None => Transformed::no(part),
    }
}

fn checked(part: Expr, schema: &DFSchema) -> DataFusionResult<Transformed<Expr>> {
    let Expr::Cast(Cast { expr, field }) = part else { return Ok(Transformed::no(part)) };
    let target = field.data_type().clone();
    let is_jsonb = |expr: &Expr| {
        let known = expr.to_field(schema).ok();
        known.is_some_and(|(_, field)| field.metadata().get(TYPE_KEY).is_some_and(|name| name == "jsonb"))
    };
    let has_form = target.is_numeric() || target == DataType::Boolean;
    if !has_form || !is_jsonb(&expr) {
        return Ok(Transformed::no(Expr::Cast(Cast { expr, field })));
    }
    let name = SqlType::from_arrow(&target).map_or_else(|_| target.to_string(), |known| known.to_string());
    let name = name.split('(').next().unwrap_or_default().to_owned();
    let kind = if target == DataType::Boolean { "boolean" } else { "numeric" };
    let Some(text) = catalog::call("__jsonb_scalar", vec![expr.as_ref().clone(), lit(kind), lit(name)])
    else {
        return Ok(Transformed::no(Expr::Cast(Cast { expr, field })));
    };
    let text = if target.is_integer() { cast(text, EXACT) } else { text };
    Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(text), field })))
}

/// The text of a number or boolean, whichever is wanted.
pub(super) fn scalar(call: &Call<'_>, row: usize) -> Answer {
    let (json, wanted) = (call.text(0, row), call.text(1, row));
    let found = kind_of(json);
    match (found, wanted) {
        (Kind::Number, "numeric") | (Kind::Boolean, "boolean") => {
            Ok(Some(Cell::Text(json.trim().to_owned())))
        }
        _ => refuse(json, found, call.text(2, row)),
    }
}

fn refuse(json: &str, found: Kind, target: &str) -> Answer {
    scan::check(json)?;
    let found = match found {
        Kind::Number => "numeric",
        other => other.name(),
    };
    Err(Error::invalid_argument(format!("cannot cast jsonb {found} to type {target}")))
}
