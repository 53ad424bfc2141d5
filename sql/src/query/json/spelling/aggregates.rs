//! `json_agg` and `json_object_agg`: what `array_agg` gathers, which knows ORDER BY, DISTINCT and FILTER, as JSON.

use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, ObjectName, OrderByExpr, OrderByOptions,
};

use super::records::Rows;
use super::{arguments, expression};
use crate::dialect::build::call;

/// `None`: it is none of them.
pub(super) fn rewritten(name: &str, function: &Function, rows: &Rows<'_>) -> Option<Expr> {
    let (json, is_object) = match name {
        "json_agg" => ("json", false),
        "jsonb_agg" => ("jsonb", false),
        "json_object_agg" => ("json", true),
        "jsonb_object_agg" => ("jsonb", true),
        _ => return None,
    };
    match (is_object, arguments(function)) {
        (false, [value]) => of_values(json, function, value, rows),
        (true, [key, value]) => {
            let (key, value) = (expression(key)?.clone(), rows.value(value)?);
            let member = call(&format!("__{json}_member"), vec![key, value]);
            Some(call(&format!("__{json}_object_agg"), vec![gathered(function, unnamed(member))]))
        }
        _ => None,
    }
}

fn of_values(json: &str, function: &Function, value: &FunctionArg, rows: &Rows<'_>) -> Option<Expr> {
    if let Some(row) = rows.row_call(&format!("__{json}_row_element"), value) {
        return Some(call(&format!("__{json}_agg"), vec![gathered(function, unnamed(row))]));
    }
    let value = expression(value)?.clone();
    let FunctionArguments::List(list) = &function.args else { return None };
    if list.duplicate_treatment != Some(DuplicateTreatment::Distinct) {
        let element = call(&format!("__{json}_element"), vec![value]);
        return Some(call(&format!("__{json}_agg"), vec![gathered(function, unnamed(element))]));
    }
    // PostgreSQL sorts to find what is distinct.
    let mut function = function.clone();
    if let FunctionArguments::List(list) = &mut function.args
        && list.clauses.is_empty()
    {
        let options = OrderByOptions { asc: None, nulls_first: None };
        let key = OrderByExpr { expr: value.clone(), options, with_fill: None };
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![key]));
    }
    Some(call(&format!("__{json}_agg_list"), vec![gathered(&function, unnamed(value))]))
}

fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

/// `array_agg` of another argument, over the same rows.
fn gathered(function: &Function, argument: FunctionArg) -> Expr {
    let mut function = function.clone();
    function.name = ObjectName::from(vec![Ident::new("array_agg")]);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = vec![argument];
    }
    Expr::Function(function)
}
