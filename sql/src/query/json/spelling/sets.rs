//! Functions that return sets: in FROM they are lateral subqueries, in the select list they are unnested.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, Ident, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, visit_expressions_mut,
};

use super::{arguments, expression, plain_name};
use crate::dialect::build::{self, call};
use crate::query::names::fold;
use crate::query::outside::{self, OnEachPart};

/// A function that returns a set.
struct Set {
    json: &'static str,
    /// What its list is called, without `__json`.
    stem: &'static str,
    has_keys: bool,
    is_text: bool,
}

fn set_called(name: &str) -> Option<Set> {
    let (json, stem) = match name.strip_prefix("jsonb_") {
        Some(stem) => ("jsonb", stem),
        None => ("json", name.strip_prefix("json_")?),
    };
    let (stem, has_keys, is_text) = match stem {
        "array_elements" => ("_array_elements", false, false),
        "array_elements_text" => ("_array_elements_text", false, true),
        "each" => ("_each", true, false),
        "each_text" => ("_each_text", true, true),
        "object_keys" => ("_object_keys", false, true),
        _ => return None,
    };
    Some(Set { json, stem, has_keys, is_text })
}

impl Set {
    fn list(&self) -> String {
        format!("__{}{}", self.json, self.stem)
    }

    /// The value of a row, which is of the function's type.
    fn value(&self, row: Expr) -> Expr {
        let value = field(row, "value");
        if self.is_text { value } else { call(&format!("__{}", self.json), vec![value]) }
    }

    /// What PostgreSQL calls the column of a function that has one.
    fn column(&self, alias: &Ident) -> Ident {
        if self.stem == "_object_keys" { alias.clone() } else { Ident::new("value") }
    }
}

fn field(row: Expr, name: &str) -> Expr {
    call("get_field", vec![row, build::text(name)])
}

/// A function in FROM.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<Expr>,
    pub(super) alias: Option<TableAlias>,
    with_ordinality: bool,
}

impl Call {
    pub(super) fn of(factor: &TableFactor) -> Option<Self> {
        let (name, given, alias, with_ordinality): (_, &[FunctionArg], _, _) = match factor {
            TableFactor::Table { name, args: Some(given), alias, with_ordinality, .. } => {
                (name, &given.args, alias, with_ordinality)
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                (name, args, alias, with_ordinality)
            }
            _ => return None,
        };
        let name = match name.0.as_slice() {
            [name] => fold(name.as_ident()?),
            [schema, name] if fold(schema.as_ident()?) == "pg_catalog" => fold(name.as_ident()?),
            _ => return None,
        };
        let arguments: Option<Vec<Expr>> = given.iter().map(|given| expression(given).cloned()).collect();
        Some(Self { name, arguments: arguments?, alias: alias.clone(), with_ordinality: *with_ordinality })
    }
}

pub(super) fn lateral(query: Query, alias: TableAlias) -> TableFactor {
    TableFactor::Derived { lateral: true, subquery: Box::new(query), alias: Some(alias), sample: None }
}

fn output(expr: Expr, alias: Ident) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias }
}

fn from(query: Query) -> Vec<TableWithJoins> {
    let relation = build::derived(query, build::alias(Ident::new("__set")));
    vec![TableWithJoins { relation, joins: Vec::new() }]
}

/// `SELECT unnest(list(document)) AS row`
fn unnested(list: &str, document: Expr, row: &Ident) -> Query {
    let rows = call("unnest", vec![call(list, vec![document])]);
    build::select(vec![output(rows, row.clone())], Vec::new())
}

/// The values of a list of rows, as JSON.
pub(super) fn rows_of(list: &str, document: Expr, row: &Ident, json: &str) -> Query {
    let value = field(Expr::Identifier(row.clone()), "value");
    let value = call(&format!("__{json}"), vec![value]);
    build::select(vec![output(value, row.clone())], from(unnested(list, document, row)))
}

/// `FROM jsonb_each(doc) AS e` as a subquery that runs for each row before it.
pub(super) fn in_from(factor: &mut TableFactor) {
    let Some(found) = Call::of(factor) else { return };
    let (Some(set), [document]) = (set_called(&found.name), found.arguments.as_slice()) else { return };
    let alias = found.alias.unwrap_or_else(|| build::alias(Ident::new(found.name.clone())));
    let row = Ident::new("__row");
    let part = || Expr::Identifier(row.clone());
    let mut outputs = Vec::new();
    if set.has_keys {
        outputs.push(output(field(part(), "key"), Ident::new("key")));
    }
    outputs.push(output(set.value(part()), set.column(&alias.name)));
    if found.with_ordinality {
        outputs.push(output(field(part(), "ordinality"), Ident::new("ordinality")));
    }
    let rows = unnested(&set.list(), document.clone(), &row);
    *factor = lateral(build::select(outputs, from(rows)), alias);
}

/// The alias of a function in FROM whose rows have several columns.
pub(super) fn alias_of_rows(factor: &TableFactor) -> Option<Ident> {
    let found = Call::of(factor)?;
    let has_columns =
        found.name.contains("_to_record") || set_called(&found.name).is_some_and(|set| set.has_keys);
    found.alias.filter(|_| has_columns).map(|alias| alias.name)
}

/// `SELECT e->>'a' FROM jsonb_array_elements(doc) AS e`: the alias stands for the value.
pub(super) fn name_elements(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let factors = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    let element = |factor: &TableFactor| {
        let found = Call::of(factor)?;
        let set = set_called(&found.name).filter(|set| !set.has_keys)?;
        let alias = found.alias?;
        let column =
            alias.columns.first().map_or_else(|| set.column(&alias.name), |column| column.name.clone());
        (fold(&column) != fold(&alias.name)).then_some((alias.name, column))
    };
    let elements: Vec<(Ident, Ident)> = factors.filter_map(element).collect();
    if elements.is_empty() {
        return;
    }
    let _ = visit_expressions_mut(query, |expr| {
        if let Expr::Identifier(name) = expr
            && let Some((alias, column)) = elements.iter().find(|(alias, _)| fold(alias) == fold(name))
        {
            *expr = Expr::CompoundIdentifier(vec![alias.clone(), column.clone()]);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// `SELECT jsonb_array_elements(doc) FROM t` has a row for each element.
pub(super) fn in_output(select: &mut Select) {
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            outside::visit(expr, &mut Unnester);
        }
    }
}

struct Unnester;

impl OnEachPart for Unnester {
    fn after(&mut self, expr: &mut Expr) {
        let Expr::Function(function) = &*expr else { return };
        if let Some(new) = in_a_row(function) {
            *expr = new;
        }
    }
}

fn in_a_row(function: &Function) -> Option<Expr> {
    let set = set_called(&plain_name(function)?)?;
    let [document] = arguments(function) else { return None };
    let document = expression(document)?.clone();
    if set.has_keys {
        return Some(call("unnest", vec![call(&format!("{}_pairs", set.list()), vec![document])]));
    }
    Some(set.value(call("unnest", vec![call(&set.list(), vec![document])])))
}
