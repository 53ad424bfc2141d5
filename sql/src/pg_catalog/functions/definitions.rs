//! Texts of definitions: views, defaults, constraints, indexes, functions, and comments.

use voxhouse_engine::catalog::Oid;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::names::{object_name, quote_ident};
use super::{Call, Cell, Function, called_on_null, function};
use crate::pg_catalog::entities::{Constraint, Relation};
use crate::pg_catalog::expressions::{Style, condition, understood};
use crate::pg_catalog::relations::schemas::{
    Comment, DATABASE_COMMENT, DATABASE_OID, PG_CLASS, PG_DATABASE, PG_NAMESPACE, PG_PROC, comments,
};
use crate::wire::types::oid as type_oid;

pub(super) const FUNCTIONS: &[Function] = &[
    function("pg_get_viewdef", "o?b", "text", |call| {
        let relation = call.relation_oid(0)?.and_then(|oid| call.visible.entities().relation(oid));
        Ok(relation.and_then(view_definition).into())
    }),
    function("pg_get_expr", "ti?b", "text", expression),
    function("pg_get_constraintdef", "i?b", "text", |call| {
        let style = style(call, 1);
        Ok(constraint(call).map(|constraint| constraint_definition(constraint, style)).into())
    }),
    function("pg_get_indexdef", "i?ib", "text", index_part),
    function("pg_get_function_arguments", "i", "text", |call| {
        Ok(own_function(call, |function| function.arguments.clone()))
    }),
    function("pg_get_function_identity_arguments", "i", "text", |call| {
        Ok(own_function(call, |function| function.arguments.clone()))
    }),
    function("pg_get_function_result", "i", "text", |call| {
        Ok(own_function(call, |function| function.returns.clone()))
    }),
    function("pg_get_functiondef", "i", "text", function_definition),
    // Functions are compiled in, rules are views, and neither triggers nor statistics objects nor partitions exist.
    function("pg_get_partition_constraintdef", "i", "text", nothing),
    function("pg_get_function_sqlbody", "i", "text", nothing),
    function("pg_get_ruledef", "i?b", "text", nothing),
    function("pg_get_triggerdef", "i?b", "text", nothing),
    function("pg_get_statisticsobjdef", "i", "text", nothing),
    function("pg_get_statisticsobjdef_columns", "i", "text", nothing),
    function("pg_get_partkeydef", "i", "text", nothing),
    function("pg_get_serial_sequence", "tt", "text", nothing),
    function("pg_describe_object", "iii", "text", described),
    function("pg_relation_is_updatable", "o?b", "integer", |call| {
        let relation = call.relation_oid(0)?.and_then(|oid| call.visible.entities().relation(oid));
        Ok(relation.map(|relation| if relation.kind == 'r' { UPDATABLE } else { 0 }).into())
    }),
    function("pg_column_is_updatable", "oib", "boolean", |call| {
        let relation = call.relation_oid(0)?.and_then(|oid| call.visible.entities().relation(oid));
        Ok(relation.is_some_and(|relation| relation.kind == 'r').into())
    }),
    called_on_null("obj_description", "i?t", "text", object_comment),
    function("shobj_description", "it", "text", |call| {
        let is_database = call.int(0) == Some(DATABASE_OID.into()) && class(call, 1) == Some(PG_DATABASE);
        Ok(is_database.then_some(DATABASE_COMMENT).into())
    }),
    function("col_description", "oi", "text", |call| {
        let relation = call.relation_oid(0)?;
        let wanted = |(object, class, column, _): &Comment<'_>| {
            Some(*object) == relation
                && *class == PG_CLASS
                && *column > 0
                && Some(i64::from(*column)) == call.int(1)
        };
        Ok(comment(call, wanted))
    }),
];

/// INSERT, UPDATE and DELETE, as bits.
const UPDATABLE: i64 = 8 + 4 + 16;

/// What an object is and what it is called, as PostgreSQL says in messages.
fn described(call: &Call<'_>) -> Result<Cell> {
    let number = |place: usize| call.int(place).and_then(|oid| Oid::try_from(oid).ok());
    let (Some(class), Some(oid)) = (number(0), number(1)) else { return Ok(Cell::Null) };
    let entities = call.visible.entities();
    let shown = |type_oid| object_name(call.visible, type_oid, oid.into());
    let told = match class {
        PG_CLASS => entities.relation(oid).map(|relation| {
            let kind = match relation.kind {
                'v' => "view",
                'm' => "materialized view",
                'i' => "index",
                _ => "table",
            };
            let column = relation.columns.iter().find(|column| Some(i64::from(column.number)) == call.int(2));
            let name = format!("{kind} {}", shown(type_oid::REGCLASS));
            column.map_or_else(
                || name.clone(),
                |column| format!("column {} of {name}", quote_ident(&column.name)),
            )
        }),
        PG_NAMESPACE => {
            let found = entities.schemas.iter().find(|schema| schema.oid == oid);
            found.map(|_| format!("schema {}", shown(type_oid::REGNAMESPACE)))
        }
        PG_PROC => entities.function(oid).map(|_| format!("function {}", shown(type_oid::REGPROCEDURE))),
        _ => None,
    };
    Ok(told.into())
}

/// As PostgreSQL writes a function that is compiled in.
fn function_definition(call: &Call<'_>) -> Result<Cell> {
    let oid = call.int(0).and_then(|oid| Oid::try_from(oid).ok());
    let Some(function) = oid.and_then(|oid| call.visible.entities().function(oid)) else {
        return Ok(Cell::Null);
    };
    let name = quote_ident(&function.name);
    match function.kind {
        'a' => {
            return Err(Error::new(
                ErrorKind::WrongObjectType,
                format!("\"{name}\" is an aggregate function"),
            ));
        }
        'w' => {
            return Err(Error::new(ErrorKind::WrongObjectType, format!("\"{name}\" is a window function")));
        }
        _ => {}
    }
    let (arguments, returns) = (&function.arguments, &function.returns);
    Ok(format!(
        "CREATE OR REPLACE FUNCTION public.{name}({arguments})\n RETURNS {returns}\n LANGUAGE internal\n \
         IMMUTABLE PARALLEL SAFE\nAS $function${name}$function$\n"
    )
    .into())
}

fn nothing(_: &Call<'_>) -> Result<Cell> {
    Ok(Cell::Null)
}

/// As PostgreSQL prints it: the query and a semicolon. `None`: not a view, or one without a query.
pub(in crate::pg_catalog) fn view_definition(relation: &Relation) -> Option<String> {
    relation.query.as_ref().map(|query| format!(" {};", query.trim().trim_end_matches(';')))
}

fn constraint<'a>(call: &'a Call<'_>) -> Option<&'a Constraint> {
    call.visible.entities().constraint(Oid::try_from(call.int(0)?).ok()?)
}

fn own_function(call: &Call<'_>, text: fn(&crate::pg_catalog::entities::Function) -> String) -> Cell {
    let oid = call.int(0).and_then(|oid| Oid::try_from(oid).ok());
    oid.and_then(|oid| call.visible.entities().function(oid)).map(text).into()
}

fn column_list(constraint: &Constraint) -> String {
    let names: Vec<String> = constraint.columns.iter().map(|column| quote_ident(&column.name)).collect();
    names.join(", ")
}

fn style(call: &Call<'_>, pretty_at: usize) -> Style {
    if call.arguments.get(pretty_at) == Some(&Cell::Bool(true)) { Style::Pretty } else { Style::Exact }
}

/// What it reads is kept as text already: the condition of a check as it was written, anything else as it is shown.
fn expression(call: &Call<'_>) -> Result<Cell> {
    let Some(text) = call.text(0) else { return Ok(Cell::Null) };
    let oid = call.int(1).and_then(|oid| Oid::try_from(oid).ok());
    let relation = oid.and_then(|oid| call.visible.entities().relation(oid));
    let shown = relation.and_then(|relation| understood(text, &relation.columns, style(call, 2)));
    Ok(shown.unwrap_or_else(|| text.to_owned()).into())
}

fn constraint_definition(constraint: &Constraint, style: Style) -> String {
    match (&constraint.expression, constraint.kind) {
        (Some(expression), _) => format!("CHECK ({})", condition(expression, &constraint.columns, style)),
        (None, 'p') => format!("PRIMARY KEY ({})", column_list(constraint)),
        (None, _) => format!("UNIQUE ({})", column_list(constraint)),
    }
}

pub(in crate::pg_catalog) fn index_definition(key: &Constraint) -> String {
    let table = format!("{}.{}", quote_ident(&key.schema), quote_ident(&key.table));
    index_on(key, &table)
}

fn index_on(key: &Constraint, table: &str) -> String {
    format!("CREATE UNIQUE INDEX {} ON {table} USING btree ({})", quote_ident(&key.name), column_list(key))
}

/// The whole index, or the column of the place that the second argument gives. Pretty, a table that the search
/// path finds goes without its schema.
fn index_part(call: &Call<'_>) -> Result<Cell> {
    let Some(key) = constraint(call).filter(|constraint| constraint.is_key()) else { return Ok(Cell::Null) };
    let place = call.int(1).unwrap_or(0);
    if place == 0 {
        let pretty = call.arguments.get(2) == Some(&Cell::Bool(true));
        let visible = call.visible.entities().is_visible(key.table_oid) == Some(true);
        let short = (pretty && visible).then(|| index_on(key, &quote_ident(&key.table)));
        return Ok(short.unwrap_or_else(|| index_definition(key)).into());
    }
    let column = usize::try_from(place - 1).ok().and_then(|place| key.columns.get(place));
    Ok(column.map_or_else(String::new, |column| quote_ident(&column.name)).into())
}

/// Without the second argument, whatever object has the number.
fn object_comment(call: &Call<'_>) -> Result<Cell> {
    let object = call.int(0);
    let class = class(call, 1);
    if call.len() > 1 && class.is_none() {
        return Ok(Cell::Null);
    }
    Ok(comment(call, |(oid, of_class, column, _)| {
        Some(i64::from(*oid)) == object && *column == 0 && class.is_none_or(|class| class == *of_class)
    }))
}

fn comment(call: &Call<'_>, wanted: impl Fn(&Comment<'_>) -> bool) -> Cell {
    comments(call.visible).into_iter().find(wanted).map(|(.., text)| text.to_owned()).into()
}

/// The relation that keeps objects of a class.
fn class(call: &Call<'_>, place: usize) -> Option<Oid> {
    match super::parse_name(call.text(place)?).1.as_str() {
        "pg_class" => Some(PG_CLASS),
        "pg_namespace" => Some(PG_NAMESPACE),
        "pg_proc" => Some(PG_PROC),
        "pg_database" => Some(PG_DATABASE),
        _ => None,
    }
}
