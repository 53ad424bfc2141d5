//! `pg_tables`, `pg_views`, `pg_matviews`, `pg_indexes` and `pg_rewrite`: relations once more, by kind.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;

use crate::pg_catalog::Visible;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::{Constraint, Relation};
use crate::pg_catalog::functions::{index_definition, view_definition};

/// A relation with the name of its owner.
type Owned<'a> = (&'a Relation, String);

fn of_kind(visible: &Visible, kind: char) -> Vec<Owned<'_>> {
    let entities = visible.entities();
    let of_kind = entities.relations.iter().filter(|relation| relation.kind == kind);
    of_kind.map(|relation| (relation, entities.role_name(relation.owner))).collect()
}

pub(super) fn tables(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &of_kind(visible, 'r'),
        &[
            ("schemaname", |(table, _)| (&table.schema).into()),
            ("tablename", |(table, _)| (&table.name).into()),
            ("tableowner", |(_, owner)| owner.into()),
            ("hasindexes", |(table, _)| table.has_index.into()),
            ("hasrules", |_| false.into()),
            ("hastriggers", |_| false.into()),
            ("rowsecurity", |_| false.into()),
        ],
    )
}

pub(super) fn views(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &of_kind(visible, 'v'),
        &[
            ("schemaname", |(view, _)| (&view.schema).into()),
            ("viewname", |(view, _)| (&view.name).into()),
            ("viewowner", |(_, owner)| owner.into()),
            ("definition", |(view, _)| view_definition(view).into()),
        ],
    )
}

pub(super) fn materialized_views(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &of_kind(visible, 'm'),
        &[
            ("schemaname", |(view, _)| (&view.schema).into()),
            ("matviewname", |(view, _)| (&view.name).into()),
            ("matviewowner", |(_, owner)| owner.into()),
            ("hasindexes", |(view, _)| view.has_index.into()),
            ("ispopulated", |_| true.into()),
            ("definition", |(view, _)| view_definition(view).into()),
        ],
    )
}

pub(super) fn indexes(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let keys: Vec<&Constraint> = visible.entities().constraints.iter().filter(|one| one.is_key()).collect();
    definition.fill(
        &keys,
        &[
            ("schemaname", |key| (&key.schema).into()),
            ("tablename", |key| (&key.table).into()),
            ("indexname", |key| (&key.name).into()),
            ("indexdef", |key| index_definition(key).into()),
        ],
    )
}

/// A view is a rule named `_RETURN`.
pub(super) fn rules(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let views: Vec<&Relation> =
        visible.entities().relations.iter().filter(|relation| matches!(relation.kind, 'v' | 'm')).collect();
    definition.fill(
        &views,
        &[
            ("oid", |view| view.oid.into()),
            ("rulename", |_| "_RETURN".into()),
            ("ev_class", |view| view.oid.into()),
            ("ev_type", |_| "1".into()),
            ("ev_enabled", |_| "O".into()),
            ("is_instead", |_| true.into()),
            ("ev_action", |view| view.query.clone().unwrap_or_default().into()),
        ],
    )
}
