//! Rows as JSON, `row_to_json(t)` and `to_json(row(a, b))`, and JSON as rows, `json_to_record(doc) AS r(a int, b text)`.

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins,
};
use voxhouse_engine::{Error, Result};

use super::sets::{Call, lateral, rows_of};
use super::{arguments, expression, plain_name};
use crate::dialect::build::{self, call};
use crate::query::labels;
use crate::query::names::fold;

/// What can be named as a row where an expression stands.
pub(super) struct Rows<'a> {
    pub(super) relations: &'a [Ident],
}

impl Rows<'_> {
    /// A function that takes rows; `None`: it is given none, or is another.
    pub(super) fn rewritten(&self, name: &str, function: &Function) -> Option<Expr> {
        let given = arguments(function);
        match (name, given) {
            ("to_json", [row]) | ("row_to_json", [row]) => self.row_call("__json_row", row),
            ("to_jsonb", [row]) => self.row_call("__jsonb_row", row),
            ("row_to_json", [row, pretty]) => match expression(pretty) {
                Some(Expr::Value(value)) if value.value.to_string() == "true" => {
                    self.row_call("__json_row_in_lines", row)
                }
                _ => self.row_call("__json_row", row),
            },
            ("array_to_json", [list, ..]) => self.list_of_rows(list),
            ("json_build_array" | "json_build_object" | "jsonb_build_array" | "jsonb_build_object", _)
                if given.iter().any(|value| self.row_call("__json_row", value).is_some()) =>
            {
                let values: Option<Vec<Expr>> = given.iter().map(|value| self.value(value)).collect();
                Some(call(name, values?))
            }
            _ => None,
        }
    }

    /// A value that may be a row.
    pub(super) fn value(&self, argument: &FunctionArg) -> Option<Expr> {
        self.row_call("__json_row", argument).or_else(|| expression(argument).cloned())
    }

    /// `array_to_json(array_agg(t))`
    fn list_of_rows(&self, list: &FunctionArg) -> Option<Expr> {
        let Expr::Function(function) = expression(list)? else { return None };
        let ("array_agg", [row]) = (plain_name(function)?.as_str(), arguments(function)) else { return None };
        let row = self.row_call("__json_row", row)?;
        let mut function = function.clone();
        if let FunctionArguments::List(list) = &mut function.args {
            list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(row))];
        }
        Some(call("__json_rows", vec![Expr::Function(function)]))
    }

    /// A call over the names and values of a row; `None`: the argument is no row.
    pub(super) fn row_call(&self, name: &str, row: &FunctionArg) -> Option<Expr> {
        let arguments = match row {
            FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)) => vec![row.clone()],
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.fields(expr)?,
            _ => return None,
        };
        let mut made = call(name, Vec::new());
        if let Expr::Function(function) = &mut made {
            function.args = FunctionArguments::List(FunctionArgumentList {
                duplicate_treatment: None,
                args: arguments,
                clauses: Vec::new(),
            });
        }
        Some(made)
    }

    fn fields(&self, row: &Expr) -> Option<Vec<FunctionArg>> {
        match row {
            Expr::Nested(inner) => self.fields(inner),
            Expr::Identifier(name) => {
                let relation = self.relations.iter().find(|relation| fold(relation) == fold(name))?;
                let relation = ObjectName::from(vec![relation.clone()]);
                Some(vec![FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(relation))])
            }
            Expr::Tuple(values) => Some(numbered(values.iter())),
            Expr::Function(function) if plain_name(function)? == "row" => {
                let values: Option<Vec<&Expr>> = arguments(function).iter().map(expression).collect();
                Some(numbered(values?.into_iter()))
            }
            Expr::Subquery(query) => named(of_subquery(query)?),
            _ => None,
        }
    }
}

fn unnamed(expr: Expr) -> FunctionArg {
    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
}

/// The fields of `row(…)` are called `f1`, `f2` and so on.
fn numbered<'a>(values: impl Iterator<Item = &'a Expr>) -> Vec<FunctionArg> {
    let pairs = values.enumerate().flat_map(|(place, value)| {
        [unnamed(build::text(&format!("f{}", place + 1))), unnamed(value.clone())]
    });
    pairs.collect()
}

/// The query whose rows `(SELECT r FROM (SELECT a, b) AS r)` shows, if it reads nothing.
fn of_subquery(query: &Query) -> Option<&Query> {
    let select = plain_select(query)?;
    let [SelectItem::UnnamedExpr(Expr::Identifier(shown))] = select.projection.as_slice() else {
        return None;
    };
    let [TableWithJoins { relation: TableFactor::Derived { subquery, alias: Some(alias), .. }, joins }] =
        select.from.as_slice()
    else {
        return None;
    };
    let is_same = joins.is_empty() && select.selection.is_none() && fold(&alias.name) == fold(shown);
    let is_bare =
        plain_select(subquery).is_some_and(|inner| inner.from.is_empty() && inner.selection.is_none());
    (is_same && is_bare && alias.columns.is_empty()).then_some(subquery.as_ref())
}

fn plain_select(query: &Query) -> Option<&Select> {
    match query.body.as_ref() {
        SetExpr::Select(select) if query.with.is_none() && query.limit_clause.is_none() => Some(select),
        _ => None,
    }
}

fn named(query: &Query) -> Option<Vec<FunctionArg>> {
    let labels = labels::of_query(query)?;
    let mut fields = Vec::with_capacity(labels.len() * 2);
    for (item, label) in plain_select(query)?.projection.iter().zip(labels) {
        let (SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }) = item else {
            return None;
        };
        fields.extend([unnamed(build::text(&label?)), unnamed(value.clone())]);
    }
    Some(fields)
}

/// `json_to_record` and `json_to_recordset` in FROM.
///
/// # Errors
/// Syntax, without a list of columns and their types.
pub(super) fn in_from(factor: &mut TableFactor) -> Result<()> {
    let Some(Call { name, arguments, alias, .. }) = Call::of(factor) else { return Ok(()) };
    let (json, is_set) = match name.as_str() {
        "json_to_record" => ("json", false),
        "jsonb_to_record" => ("jsonb", false),
        "json_to_recordset" => ("json", true),
        "jsonb_to_recordset" => ("jsonb", true),
        _ => return Ok(()),
    };
    let [document] = arguments.as_slice() else { return Ok(()) };
    let alias = alias.filter(|alias| !alias.columns.is_empty()).ok_or_else(no_columns)?;
    let row = Ident::new("__row");
    let outputs: Option<Vec<SelectItem>> = alias
        .columns
        .iter()
        .map(|column| {
            let value = field(json, &row, &fold(&column.name), column.data_type.as_ref()?);
            Some(SelectItem::ExprWithAlias { expr: value, alias: column.name.clone() })
        })
        .collect();
    let outputs = outputs.ok_or_else(no_columns)?;
    let documents = match is_set {
        true => rows_of(&format!("__{json}_array_elements"), document.clone(), &row, json),
        false => {
            let document = call(&format!("__{json}"), vec![document.clone()]);
            build::select(vec![SelectItem::ExprWithAlias { expr: document, alias: row }], Vec::new())
        }
    };
    let from = build::derived(documents, build::alias(Ident::new("__rows")));
    let query = build::select(outputs, vec![TableWithJoins { relation: from, joins: Vec::new() }]);
    *factor = lateral(query, build::alias(alias.name));
    Ok(())
}

fn no_columns() -> Error {
    Error::syntax("a column definition list is required for functions returning \"record\"")
}

/// A member of a document as a value of a type.
fn field(json: &str, row: &Ident, name: &str, data_type: &DataType) -> Expr {
    let arguments = || vec![Expr::Identifier(row.clone()), build::text(name)];
    let member = || call(&format!("{json}_object_field"), arguments());
    let value = match data_type {
        DataType::JSON | DataType::JSONB => member(),
        DataType::Array(ArrayElemTypeDef::SquareBracket(..)) => {
            call(&format!("__{json}_texts"), vec![member()])
        }
        _ => call(&format!("{json}_object_field_text"), arguments()),
    };
    build::cast(value, data_type.clone())
}
