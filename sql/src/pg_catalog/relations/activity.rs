//! `pg_settings`, `pg_stat_activity` and the statistics of tables.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;

use super::schemas::DATABASE_OID;
use crate::pg_catalog::Visible;
use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::Relation;

pub(super) fn settings(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &visible.session.settings(),
        &[
            ("name", |setting| (&setting.name).into()),
            ("setting", |setting| (&setting.value).into()),
            ("unit", |setting| setting.unit.clone().into()),
            ("category", |setting| (&setting.category).into()),
            ("short_desc", |setting| (&setting.description).into()),
            ("extra_desc", |setting| setting.extra.clone().into()),
            ("context", |setting| setting.context.into()),
            ("vartype", |setting| setting.type_name.into()),
            ("source", |setting| setting.source.into()),
            ("min_val", |setting| setting.smallest.clone().into()),
            ("max_val", |setting| setting.largest.clone().into()),
            ("enumvals", |setting| setting.values.clone().map_or(Cell::Null, Cell::from)),
            ("boot_val", |setting| setting.default.clone().into()),
            ("reset_val", |setting| (&setting.reset).into()),
            ("pending_restart", |_| false.into()),
        ],
    )
}

/// Statements that have a name, whether SQL or the protocol gave it.
pub(super) fn prepared_statements(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &visible.session.prepared_statements(),
        &[
            ("name", |one| (&one.name).into()),
            ("statement", |one| (&one.statement).into()),
            ("prepare_time", |one| Cell::Timestamp(one.prepared_at)),
            ("parameter_types", |one| one.parameter_types.clone().into()),
            ("from_sql", |one| one.from_sql.into()),
            // Each execution is planned for its parameters.
            ("generic_plans", |_| Cell::Int(0)),
            ("custom_plans", |_| Cell::Int(0)),
        ],
    )
}

pub(super) fn cursors(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &visible.session.cursors(),
        &[
            ("name", |one| (&one.name).into()),
            ("statement", |one| (&one.statement).into()),
            ("is_holdable", |one| one.holdable.into()),
            ("is_binary", |one| one.binary.into()),
            ("is_scrollable", |one| one.scrollable.into()),
            ("creation_time", |one| Cell::Timestamp(one.created_at)),
        ],
    )
}

/// The session itself.
pub(super) fn activity(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    definition.fill(
        &[visible],
        &[
            ("datid", |_| DATABASE_OID.into()),
            ("datname", |visible| (&visible.database).into()),
            ("pid", |visible| visible.process_id.into()),
            ("usesysid", |visible| visible.entities().role(&visible.role).map(|role| role.oid).into()),
            ("usename", |visible| (&visible.role).into()),
            ("application_name", |visible| (&visible.client.application_name).into()),
            ("client_addr", |visible| visible.client.address.map(|at| at.ip().to_string()).into()),
            ("client_port", |visible| visible.client.address.map(|at| i32::from(at.port())).into()),
            ("backend_start", |visible| Cell::Timestamp(visible.client.connected_at)),
            ("state", |_| "active".into()),
            ("query", |visible| (&visible.client.query).into()),
            ("backend_type", |_| "client backend".into()),
        ],
    )
}

/// Only what is known without a look at the store; nobody counts scans and vacuums.
pub(super) fn table_statistics(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let tables: Vec<&Relation> = visible
        .entities()
        .relations
        .iter()
        .filter(|relation| matches!(relation.kind, 'r' | 'm') && relation.is_users())
        .collect();
    definition.fill(
        &tables,
        &[
            ("relid", |table| table.oid.into()),
            ("schemaname", |table| (&table.schema).into()),
            ("relname", |table| (&table.name).into()),
            ("n_live_tup", |table| table.rows.into()),
        ],
    )
}
