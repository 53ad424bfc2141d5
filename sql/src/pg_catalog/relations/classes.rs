//! `pg_class`, `pg_attribute` and `pg_attrdef`.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::{Oid, TEMPORARY_SCHEMA};

use crate::pg_catalog::Visible;
use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::{Column, Relation};
use crate::pg_catalog::types;

/// PostgreSQL's pages are this long; `relpages` counts in them.
const PAGE_BYTES: i64 = 8192;
const HEAP: i64 = 2;
const BTREE: i64 = 403;

/// The relations that rows are made of.
fn told_of<'a>(definition: &Definition, visible: &'a Visible) -> Vec<&'a Relation> {
    let entities = visible.entities();
    match &definition.only {
        None => entities.relations.iter().collect(),
        Some(only) => {
            let mut only = only.clone();
            only.sort_unstable();
            only.dedup();
            only.into_iter().filter_map(|oid| entities.relation(oid)).collect()
        }
    }
}

pub(super) fn classes(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &told_of(definition, visible),
        &[
            ("oid", |relation| relation.oid.into()),
            ("relname", |relation| (&relation.name).into()),
            ("relnamespace", |relation| relation.schema_oid.into()),
            ("relowner", |relation| relation.owner.into()),
            ("relam", |relation| access_method(relation).into()),
            ("relfilenode", |relation| file_node(relation).into()),
            ("relpages", |relation| (relation.bytes.unwrap_or(0) / PAGE_BYTES).into()),
            // −1: never counted.
            ("reltuples", |relation| Cell::Float(relation.rows.map_or(-1.0, |rows| rows as f64))),
            ("relhasindex", |relation| relation.has_index.into()),
            ("relpersistence", |relation| if relation.schema == TEMPORARY_SCHEMA { "t" } else { "p" }.into()),
            ("relkind", |relation| relation.kind.into()),
            ("relnatts", |relation| (relation.columns.len() as i64).into()),
            ("relchecks", |relation| relation.checks.into()),
            ("relhasrules", |relation| matches!(relation.kind, 'v' | 'm').into()),
            ("relispopulated", |_| true.into()),
            ("relacl", |relation| relation.acl.clone().into()),
            ("relreplident", |relation| replica_identity(relation).into()),
        ],
    )
}

fn access_method(relation: &Relation) -> i64 {
    match relation.kind {
        'r' | 'm' => HEAP,
        'i' => BTREE,
        _ => 0,
    }
}

fn file_node(relation: &Relation) -> Oid {
    if relation.kind == 'v' { 0 } else { relation.oid }
}

fn replica_identity(relation: &Relation) -> &'static str {
    match relation.kind {
        'r' | 'm' if relation.is_users() => "d",
        _ => "n",
    }
}

/// A column with the relation it belongs to.
type Attribute<'a> = (&'a Relation, &'a Column);

fn all_attributes<'a>(definition: &Definition, visible: &'a Visible) -> Vec<Attribute<'a>> {
    let relations = told_of(definition, visible).into_iter();
    relations.flat_map(|relation| relation.columns.iter().map(move |column| (relation, column))).collect()
}

pub(super) fn attributes(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &all_attributes(definition, visible),
        &[
            ("attrelid", |(relation, _)| relation.oid.into()),
            ("attname", |(_, column)| (&column.name).into()),
            ("atttypid", |(_, column)| column.type_oid.into()),
            ("attstattarget", |_| (-1).into()),
            ("attlen", |(_, column)| types::by_oid(column.type_oid).map_or(-1, |found| found.length).into()),
            ("attnum", |(_, column)| column.number.into()),
            ("attndims", |(_, column)| {
                i64::from(types::by_oid(column.type_oid).is_some_and(types::is_array)).into()
            }),
            ("attcacheoff", |_| (-1).into()),
            ("atttypmod", |(_, column)| column.modifier.into()),
            ("attbyval", |(_, column)| {
                types::by_oid(column.type_oid).is_some_and(|found| found.by_value).into()
            }),
            ("attalign", |(_, column)| {
                types::by_oid(column.type_oid).map_or("i", |found| found.align).into()
            }),
            ("attstorage", |(_, column)| {
                types::by_oid(column.type_oid).map_or("x", |found| found.storage).into()
            }),
            ("attnotnull", |(_, column)| column.not_null.into()),
            ("atthasdef", |(_, column)| column.default.is_some().into()),
            ("attacl", |(_, column)| column.acl.clone().into()),
            ("attislocal", |_| true.into()),
            ("attcollation", |(_, column)| {
                types::by_oid(column.type_oid).map_or(0, |found| found.collation).into()
            }),
        ],
    )
}

pub(super) fn defaults(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let with_default: Vec<Attribute<'_>> = all_attributes(definition, visible)
        .into_iter()
        .filter(|(_, column)| column.default.is_some())
        .collect();
    definition.fill(
        &with_default,
        &[
            ("oid", |(relation, column)| default_oid(relation, column).into()),
            ("adrelid", |(relation, _)| relation.oid.into()),
            ("adnum", |(_, column)| column.number.into()),
            ("adbin", |(_, column)| column.default.clone().into()),
        ],
    )
}

/// A default has no object identifier of its own; this one is as stable as its column.
fn default_oid(relation: &Relation, column: &Column) -> Oid {
    relation.oid.wrapping_mul(1600).wrapping_add(u32::from(column.number.unsigned_abs()))
}
