//! The rows of each relation: those of every warehouse, and those of this one.

mod activity;
mod classes;
mod constraints;
mod information;
mod privileges;
mod procedures;
mod roles;
pub(super) mod schemas;
mod views;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use voxhouse_engine::{Error, Result};

use super::definition::{self, Definition};
use super::{INFORMATION_SCHEMA, PG_CATALOG, Visible, types};

pub(super) use procedures::fixed_procedures;

type Build = fn(&Definition, &Visible) -> Result<RecordBatch>;

/// What fills a relation of `pg_catalog`.
const CATALOG: &[(&str, Build)] = &[
    ("pg_attrdef", classes::defaults),
    ("pg_attribute", classes::attributes),
    ("pg_auth_members", privileges::members),
    ("pg_authid", roles::roles),
    ("pg_class", classes::classes),
    ("pg_constraint", constraints::constraints),
    ("pg_cursors", activity::cursors),
    ("pg_database", schemas::databases),
    ("pg_db_role_setting", roles::settings),
    ("pg_default_acl", privileges::default_lists),
    ("pg_description", schemas::descriptions),
    ("pg_group", privileges::groups),
    ("pg_index", constraints::indexes),
    ("pg_indexes", views::indexes),
    ("pg_matviews", views::materialized_views),
    ("pg_namespace", schemas::namespaces),
    ("pg_prepared_statements", activity::prepared_statements),
    ("pg_proc", procedures::procedures),
    ("pg_rewrite", views::rules),
    ("pg_roles", roles::roles),
    ("pg_settings", activity::settings),
    ("pg_shadow", roles::users),
    ("pg_shdescription", schemas::shared_descriptions),
    ("pg_stat_activity", activity::activity),
    ("pg_stat_all_tables", activity::table_statistics),
    ("pg_stat_user_tables", activity::table_statistics),
    ("pg_tables", views::tables),
    ("pg_user", roles::users),
    ("pg_views", views::views),
];

const INFORMATION: &[(&str, Build)] = &[
    ("applicable_roles", privileges::applicable_roles),
    ("character_sets", information::character_sets),
    ("check_constraints", information::check_constraints),
    ("collations", information::collations),
    ("column_privileges", privileges::column_privileges),
    ("columns", information::columns),
    ("constraint_column_usage", information::constraint_column_usage),
    ("constraint_table_usage", information::constraint_table_usage),
    ("enabled_roles", privileges::enabled_roles),
    ("information_schema_catalog_name", information::catalog_name),
    ("key_column_usage", information::key_column_usage),
    ("role_column_grants", privileges::role_column_grants),
    ("role_table_grants", privileges::role_table_grants),
    ("routines", information::routines),
    ("schemata", information::schemata),
    ("table_constraints", information::table_constraints),
    ("table_privileges", privileges::table_privileges),
    ("tables", information::tables),
    ("views", information::views),
];

/// Rows of `pg_catalog` that are PostgreSQL's own.
const FIXED: &[(&str, &str)] = &[
    ("pg_am", include_str!("../rows/pg_am.tsv")),
    ("pg_cast", include_str!("../rows/pg_cast.tsv")),
    ("pg_collation", include_str!("../rows/pg_collation.tsv")),
    ("pg_get_keywords()", include_str!("../rows/pg_get_keywords.tsv")),
    ("pg_language", include_str!("../rows/pg_language.tsv")),
    ("pg_opclass", include_str!("../rows/pg_opclass.tsv")),
    ("pg_operator", include_str!("../rows/pg_operator.tsv")),
    ("pg_proc", procedures::ROWS),
    ("pg_range", include_str!("../rows/pg_range.tsv")),
    ("pg_tablespace", include_str!("../rows/pg_tablespace.tsv")),
    ("pg_type", types::ROWS),
];

fn builder(schema: &str, name: &str) -> Option<Build> {
    let list = if schema == INFORMATION_SCHEMA { INFORMATION } else { CATALOG };
    list.iter().find(|(known, _)| *known == name).map(|(_, build)| *build)
}

fn fixed(schema: &str, name: &str) -> Option<&'static str> {
    let found = FIXED.iter().find(|(known, _)| *known == name)?;
    (schema == PG_CATALOG).then_some(found.1)
}

/// Whether the relation has no rows in any warehouse.
pub(super) fn is_always_empty(schema: &str, name: &str) -> bool {
    builder(schema, name).is_none() && fixed(schema, name).is_none()
}

/// Relations that tell of nothing but [`Entities`](super::entities::Entities), and of some of them thousands of rows:
/// their columns are made once.
const KEPT: &[&str] =
    &["pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_description", "pg_index"];

pub(super) fn rows(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let is_kept = definition.schema == PG_CATALOG && KEPT.contains(&definition.name);
    match definition::find(definition.schema, definition.name) {
        Some(whole) if is_kept && definition.only.is_none() && !definition.arrow.fields().is_empty() => {
            kept(definition, whole, visible)
        }
        _ => made(definition, visible),
    }
}

fn kept(definition: &Definition, whole: &'static Definition, visible: &Visible) -> Result<RecordBatch> {
    let mut known = visible.derived.columns.lock();
    let places = definition.arrow.fields().iter().map(|field| whole.arrow.index_of(field.name()));
    let places = places.collect::<std::result::Result<Vec<usize>, _>>()?;
    let key = |place: usize| (whole.name, place);
    let missing: Vec<usize> =
        places.iter().copied().filter(|place| !known.contains_key(&key(*place))).collect();
    if !missing.is_empty() {
        let batch = made(&whole.project(&missing, None)?, visible)?;
        known.extend(missing.iter().map(|place| key(*place)).zip(batch.columns().iter().cloned()));
    }
    let columns = places.iter().filter_map(|place| known.get(&key(*place)).cloned()).collect();
    Ok(RecordBatch::try_new(Arc::clone(&definition.arrow), columns)?)
}

fn made(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let fixed = fixed(definition.schema, definition.name)
        .map(|table| definition.read(table, visible.entities().system_owner))
        .transpose()?;
    let built =
        builder(definition.schema, definition.name).map(|build| build(definition, visible)).transpose()?;
    match (fixed, built) {
        (Some(fixed), Some(built)) => {
            concat_batches(&definition.arrow, [&fixed, &built]).map_err(Error::from)
        }
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (None, None) => Ok(definition.empty()),
    }
}
