//! Types of expressions over the catalog, as far as the text tells them: of what never has a value.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query,
    SelectItem, SetExpr, UnaryOperator, Value,
};

use super::casts;
use super::names::folded;
use crate::dialect::build;

/// `None`: text, or not known.
pub(super) fn of(expr: &Expr) -> Option<DataType> {
    match expr {
        Expr::Nested(inner) => of(inner),
        Expr::Cast { data_type, .. } => Some(data_type.clone()),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => casts::named_type(casts::type_of_column(expr)?),
        Expr::Function(function) => of_call(function),
        Expr::Subquery(query) => of_query(query),
        Expr::Case { conditions, else_result, .. } => {
            let rest = else_result.as_deref().and_then(of);
            rest.or_else(|| conditions.iter().find_map(|branch| of(&branch.result)))
        }
        Expr::Exists { .. }
        | Expr::InSubquery { .. }
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::UnaryOp { op: UnaryOperator::Not, .. } => Some(DataType::Boolean),
        Expr::BinaryOp { op, .. } if is_condition(op) => Some(DataType::Boolean),
        Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus, .. } => of(left),
        Expr::Value(value) => match value.value {
            Value::Boolean(_) => Some(DataType::Boolean),
            Value::Number(..) => Some(DataType::Integer(None)),
            _ => None,
        },
        _ => None,
    }
}

fn is_condition(op: &BinaryOperator) -> bool {
    use BinaryOperator as Op;
    matches!(op, Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::And | Op::Or)
}

fn of_query(query: &Query) -> Option<DataType> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] => of(item),
        _ => None,
    }
}

fn of_call(function: &Function) -> Option<DataType> {
    let name = function.name.0.last()?.as_ident().map(folded)?;
    let first = || {
        let FunctionArguments::List(list) = &function.args else { return None };
        match list.args.first()? {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => of(argument),
            _ => None,
        }
    };
    Some(match name.as_str() {
        "count" | "row_number" | "pg_relation_size" | "pg_table_size" | "pg_total_relation_size" => {
            DataType::BigInt(None)
        }
        "json_build_object" | "json_build_array" | "row_to_json" | "array_to_json" | "to_json" => {
            DataType::JSON
        }
        "jsonb_build_object" | "jsonb_build_array" | "to_jsonb" | "jsonb_set" => DataType::JSONB,
        // What aggregates and rows have been rewritten to.
        inner if inner.starts_with("__jsonb") => DataType::JSONB,
        inner if inner.starts_with("__json") => DataType::JSON,
        "bool_and" | "bool_or" | "every" => DataType::Boolean,
        "array_agg" => build::array_of(first().unwrap_or(DataType::Text)),
        "array" => match &function.args {
            FunctionArguments::Subquery(query) => build::array_of(of_query(query).unwrap_or(DataType::Text)),
            _ => return None,
        },
        "pg_get_userbyid" | "current_database" | "current_user" => casts::named_type("name")?,
        "coalesce" | "nullif" | "greatest" | "least" | "first_value" => first()?,
        "min" | "max" => match first()? {
            DataType::Custom(..) => return None,
            known => known,
        },
        _ => return None,
    })
}
