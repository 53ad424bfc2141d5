//! Texts of definitions: views, defaults, constraints, indexes, functions, and comments.

use voxhouse_engine::Result;
use voxhouse_engine::catalog::Oid;

use super::names::quote_ident;
use super::{Call, Cell, Function, called_on_null, function};
use crate::pg_catalog::entities::{Constraint, Relation};
use crate::pg_catalog::relations::schemas::{
    Comment, DATABASE_COMMENT, DATABASE_OID, PG_CLASS, PG_DATABASE, PG_NAMESPACE, PG_PROC, comments,
};

pub(super) const FUNCTIONS: &[Function] = &[
    function("pg_get_viewdef", "o?b", "text", |call| {
        let relation = call.relation_oid(0)?.and_then(|oid| call.visible.entities().relation(oid));
        Ok(relation.and_then(view_definition).into())
    }),
    // What `pg_get_expr` reads is kept as text already.
    function("pg_get_expr", "ti?b", "text", |call| Ok(call.text(0).map(str::to_owned).into())),
    function("pg_get_constraintdef", "i?b", "text", |call| {
        Ok(constraint(call).map(constraint_definition).into())
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
    // Functions are compiled in, rules are views, and neither triggers nor statistics objects exist.
    function("pg_get_functiondef", "i", "text", nothing),
    function("pg_get_function_sqlbody", "i", "text", nothing),
    function("pg_get_ruledef", "i?b", "text", nothing),
    function("pg_get_triggerdef", "i?b", "text", nothing),
    function("pg_get_statisticsobjdef", "i", "text", nothing),
    function("pg_get_statisticsobjdef_columns", "i", "text", nothing),
    function("pg_get_partkeydef", "i", "text", nothing),
    function("pg_get_serial_sequence", "tt", "text", nothing),
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

fn constraint_definition(constraint: &Constraint) -> String {
    match (&constraint.expression, constraint.kind) {
        (Some(expression), _) => format!("CHECK ({expression})"),
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
