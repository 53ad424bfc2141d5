//! `information_schema`: the same objects in the words of the SQL standard, with PostgreSQL's values.
//! As there, materialised views do not show.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::{Oid, QualifiedName};

use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::{Column, Constraint, Function, Relation};
use crate::pg_catalog::expressions::{Style, condition};
use crate::pg_catalog::functions::view_definition;
use crate::pg_catalog::types::{self, Type};
use crate::pg_catalog::{PG_CATALOG, Visible};

/// A row of anything with the name of the database, which most columns begin with.
type In<'a, T> = (&'a str, &'a T);

fn tables_and_views(visible: &Visible) -> Vec<In<'_, Relation>> {
    let relations = visible.entities().relations.iter();
    relations
        .filter(|relation| matches!(relation.kind, 'r' | 'v'))
        .filter(|relation| is_accessible(visible, relation))
        .map(|relation| (visible.database.as_str(), relation))
        .collect()
}

/// As in PostgreSQL, `information_schema` shows a role what it may do something with.
fn is_accessible(visible: &Visible, relation: &Relation) -> bool {
    let access = visible.access();
    if access.is_superuser() || relation.is_system() {
        return true;
    }
    let name = QualifiedName::new(&relation.schema, &relation.name);
    let secured = visible.catalog.secured_relation(&name);
    access.owns(secured.owner)
        || !access.held(&secured).is_empty()
        || visible.catalog.column_acls(&name).values().any(|acl| !access.held_on_column(Some(acl)).is_empty())
}

fn yes_or_no(yes: bool) -> Cell {
    if yes { "YES".into() } else { "NO".into() }
}

pub(super) fn catalog_name(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(&[&visible.database], &[("catalog_name", |name| (*name).into())])
}

pub(super) fn schemata(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let entities = visible.entities();
    let rows: Vec<_> = entities
        .schemas
        .iter()
        .map(|schema| (&visible.database, &schema.name, entities.role_name(schema.owner)))
        .collect();
    definition.fill(
        &rows,
        &[
            ("catalog_name", |(database, ..)| (*database).into()),
            ("schema_name", |(_, name, _)| (*name).into()),
            ("schema_owner", |(.., owner)| owner.into()),
        ],
    )
}

pub(super) fn tables(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &tables_and_views(visible),
        &[
            ("table_catalog", |(database, _)| (*database).to_owned().into()),
            ("table_schema", |(_, table)| (&table.schema).into()),
            ("table_name", |(_, table)| (&table.name).into()),
            ("table_type", |(_, table)| if table.kind == 'v' { "VIEW".into() } else { "BASE TABLE".into() }),
            ("is_insertable_into", |(_, table)| yes_or_no(is_writable(table))),
            ("is_typed", |_| "NO".into()),
        ],
    )
}

fn is_writable(relation: &Relation) -> bool {
    relation.kind == 'r' && relation.is_users()
}

pub(super) fn views(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let views: Vec<_> = tables_and_views(visible).into_iter().filter(|(_, view)| view.kind == 'v').collect();
    definition.fill(
        &views,
        &[
            ("table_catalog", |(database, _)| (*database).to_owned().into()),
            ("table_schema", |(_, view)| (&view.schema).into()),
            ("table_name", |(_, view)| (&view.name).into()),
            ("view_definition", |(_, view)| view_definition(view).into()),
            ("check_option", |_| "NONE".into()),
            ("is_updatable", |_| "NO".into()),
            ("is_insertable_into", |_| "NO".into()),
            ("is_trigger_updatable", |_| "NO".into()),
            ("is_trigger_deletable", |_| "NO".into()),
            ("is_trigger_insertable_into", |_| "NO".into()),
        ],
    )
}

/// A column with its relation and the name of the database.
type ColumnRow<'a> = (&'a str, &'a Relation, &'a Column);

pub(super) fn columns(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let rows: Vec<ColumnRow<'_>> = tables_and_views(visible)
        .into_iter()
        .flat_map(|(database, table)| table.columns.iter().map(move |column| (database, table, column)))
        .collect();
    definition.fill(
        &rows,
        &[
            ("table_catalog", |(database, ..)| (*database).to_owned().into()),
            ("table_schema", |(_, table, _)| (&table.schema).into()),
            ("table_name", |(_, table, _)| (&table.name).into()),
            ("column_name", |(.., column)| (&column.name).into()),
            ("ordinal_position", |(.., column)| column.number.into()),
            ("column_default", |(.., column)| column.default.clone().into()),
            ("is_nullable", |(.., column)| yes_or_no(!column.not_null)),
            ("data_type", |(.., column)| data_type(column.type_oid).into()),
            ("character_maximum_length", |(.., column)| max_length(column).into()),
            ("character_octet_length", |(.., column)| octet_length(column).into()),
            ("numeric_precision", |(.., column)| numeric(column).map(|(precision, ..)| precision).into()),
            ("numeric_precision_radix", |(.., column)| numeric(column).map(|(_, radix, _)| radix).into()),
            ("numeric_scale", |(.., column)| numeric(column).and_then(|(.., scale)| scale).into()),
            ("datetime_precision", |(.., column)| datetime_precision(column).into()),
            ("udt_catalog", |(database, ..)| (*database).to_owned().into()),
            ("udt_schema", |_| PG_CATALOG.into()),
            ("udt_name", |(.., column)| types::by_oid(column.type_oid).map(|found| found.name).into()),
            ("dtd_identifier", |(.., column)| column.number.to_string().into()),
            ("is_self_referencing", |_| "NO".into()),
            ("is_identity", |_| "NO".into()),
            ("identity_cycle", |_| "NO".into()),
            ("is_generated", |_| "NEVER".into()),
            ("is_updatable", |(_, table, _)| yes_or_no(is_writable(table))),
        ],
    )
}

fn data_type(oid: Oid) -> String {
    match types::by_oid(oid) {
        Some(found) if types::is_array(found) => "ARRAY".to_owned(),
        _ => types::format_type(oid, None),
    }
}

fn name_of(column: &Column) -> &'static str {
    types::by_oid(column.type_oid).map_or("", |found: &Type| found.name)
}

fn max_length(column: &Column) -> Option<i32> {
    (matches!(name_of(column), "varchar" | "bpchar") && column.modifier > 4).then_some(column.modifier - 4)
}

/// Four bytes a letter in UTF-8; a gigabyte where nothing bounds the length.
fn octet_length(column: &Column) -> Option<i32> {
    match name_of(column) {
        "varchar" | "bpchar" | "text" => {
            Some(max_length(column).map_or(1 << 30, |letters| letters.saturating_mul(4)))
        }
        _ => None,
    }
}

/// Precision, radix and scale.
fn numeric(column: &Column) -> Option<(i32, i32, Option<i32>)> {
    match name_of(column) {
        "int2" => Some((16, 2, Some(0))),
        "int4" => Some((32, 2, Some(0))),
        "int8" => Some((64, 2, Some(0))),
        "float4" => Some((24, 2, None)),
        "float8" => Some((53, 2, None)),
        "numeric" if column.modifier >= 4 => {
            let packed = column.modifier - 4;
            Some((packed >> 16, 10, Some(packed & 0x7ff)))
        }
        _ => None,
    }
}

fn datetime_precision(column: &Column) -> Option<i32> {
    match name_of(column) {
        "date" => Some(0),
        "time" | "timetz" | "timestamp" | "timestamptz" | "interval" => Some(6),
        _ => None,
    }
}

fn constraints(visible: &Visible) -> Vec<In<'_, Constraint>> {
    visible.entities().constraints.iter().map(|one| (visible.database.as_str(), one)).collect()
}

pub(super) fn table_constraints(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &constraints(visible),
        &[
            ("constraint_catalog", |(database, _)| (*database).to_owned().into()),
            ("constraint_schema", |(_, one)| (&one.schema).into()),
            ("constraint_name", |(_, one)| (&one.name).into()),
            ("table_catalog", |(database, _)| (*database).to_owned().into()),
            ("table_schema", |(_, one)| (&one.schema).into()),
            ("table_name", |(_, one)| (&one.table).into()),
            ("constraint_type", |(_, one)| constraint_type(one.kind).into()),
            ("is_deferrable", |_| "NO".into()),
            ("initially_deferred", |_| "NO".into()),
            ("enforced", |_| "YES".into()),
            ("nulls_distinct", |(_, one)| if one.kind == 'u' { "YES".into() } else { Cell::Null }),
        ],
    )
}

fn constraint_type(kind: char) -> &'static str {
    match kind {
        'p' => "PRIMARY KEY",
        'u' => "UNIQUE",
        _ => "CHECK",
    }
}

pub(super) fn check_constraints(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let checks: Vec<_> = constraints(visible).into_iter().filter(|(_, one)| !one.is_key()).collect();
    definition.fill(
        &checks,
        &[
            ("constraint_catalog", |(database, _)| (*database).to_owned().into()),
            ("constraint_schema", |(_, one)| (&one.schema).into()),
            ("constraint_name", |(_, one)| (&one.name).into()),
            ("check_clause", |(_, one)| {
                one.expression
                    .as_ref()
                    .map(|text| format!("({})", condition(text, &one.columns, Style::Exact)))
                    .into()
            }),
        ],
    )
}

/// A column of a constraint, with its place from 1.
type ConstraintColumn<'a> = (&'a str, &'a Constraint, &'a Column, i32);

fn constraint_columns<'a>(
    visible: &'a Visible,
    wanted: fn(&Constraint) -> bool,
) -> Vec<ConstraintColumn<'a>> {
    let constraints = constraints(visible).into_iter().filter(|(_, one)| wanted(one));
    constraints
        .flat_map(|(database, one)| {
            one.columns.iter().zip(1..).map(move |(column, place)| (database, one, column, place))
        })
        .collect()
}

pub(super) fn key_column_usage(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &constraint_columns(visible, Constraint::is_key),
        &[
            ("constraint_catalog", |(database, ..)| (*database).to_owned().into()),
            ("constraint_schema", |(_, one, ..)| (&one.schema).into()),
            ("constraint_name", |(_, one, ..)| (&one.name).into()),
            ("table_catalog", |(database, ..)| (*database).to_owned().into()),
            ("table_schema", |(_, one, ..)| (&one.schema).into()),
            ("table_name", |(_, one, ..)| (&one.table).into()),
            ("column_name", |(_, _, column, _)| (&column.name).into()),
            ("ordinal_position", |(.., place)| (*place).into()),
        ],
    )
}

pub(super) fn constraint_column_usage(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &constraint_columns(visible, |_| true),
        &[
            ("table_catalog", |(database, ..)| (*database).to_owned().into()),
            ("table_schema", |(_, one, ..)| (&one.schema).into()),
            ("table_name", |(_, one, ..)| (&one.table).into()),
            ("column_name", |(_, _, column, _)| (&column.name).into()),
            ("constraint_catalog", |(database, ..)| (*database).to_owned().into()),
            ("constraint_schema", |(_, one, ..)| (&one.schema).into()),
            ("constraint_name", |(_, one, ..)| (&one.name).into()),
        ],
    )
}

pub(super) fn constraint_table_usage(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let keys: Vec<_> = constraints(visible).into_iter().filter(|(_, one)| one.is_key()).collect();
    definition.fill(
        &keys,
        &[
            ("table_catalog", |(database, _)| (*database).to_owned().into()),
            ("table_schema", |(_, one)| (&one.schema).into()),
            ("table_name", |(_, one)| (&one.table).into()),
            ("constraint_catalog", |(database, _)| (*database).to_owned().into()),
            ("constraint_schema", |(_, one)| (&one.schema).into()),
            ("constraint_name", |(_, one)| (&one.name).into()),
        ],
    )
}

pub(super) fn routines(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let rows: Vec<In<'_, Function>> = visible
        .entities()
        .functions
        .iter()
        .filter(|function| function.kind != 'a')
        .map(|function| (visible.database.as_str(), function))
        .collect();
    definition.fill(
        &rows,
        &[
            ("specific_catalog", |(database, _)| (*database).to_owned().into()),
            ("specific_schema", |_| "public".into()),
            ("specific_name", |(_, function)| format!("{}_{}", function.name, function.oid).into()),
            ("routine_catalog", |(database, _)| (*database).to_owned().into()),
            ("routine_schema", |_| "public".into()),
            ("routine_name", |(_, function)| (&function.name).into()),
            ("routine_type", |_| "FUNCTION".into()),
            ("data_type", |(_, function)| data_type(function.return_type).into()),
            ("type_udt_catalog", |(database, _)| (*database).to_owned().into()),
            ("type_udt_schema", |_| PG_CATALOG.into()),
            ("type_udt_name", |(_, function)| {
                types::by_oid(function.return_type).map(|found| found.name).into()
            }),
            ("dtd_identifier", |_| "0".into()),
            ("routine_body", |_| "EXTERNAL".into()),
            ("external_language", |_| "INTERNAL".into()),
            ("parameter_style", |_| "GENERAL".into()),
            ("is_deterministic", |_| "YES".into()),
            ("is_null_call", |_| "YES".into()),
            ("schema_level_routine", |_| "YES".into()),
            ("security_type", |_| "INVOKER".into()),
        ],
    )
}

pub(super) fn character_sets(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &[&visible.database],
        &[
            ("character_set_name", |_| "UTF8".into()),
            ("character_repertoire", |_| "UCS".into()),
            ("form_of_use", |_| "UTF8".into()),
            ("default_collate_catalog", |database| (*database).into()),
        ],
    )
}

pub(super) fn collations(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let rows: Vec<(&String, &'static str)> =
        ["default", "C", "POSIX"].iter().map(|name| (&visible.database, *name)).collect();
    definition.fill(
        &rows,
        &[
            ("collation_catalog", |(database, _)| (*database).into()),
            ("collation_schema", |_| PG_CATALOG.into()),
            ("collation_name", |(_, name)| (*name).into()),
            ("pad_attribute", |_| "NO PAD".into()),
        ],
    )
}
