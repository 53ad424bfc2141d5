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
        &visible.settings,
        &[
            ("name", |setting| (&setting.name).into()),
            ("setting", |setting| (&setting.value).into()),
            ("category", |_| "Voxhouse".into()),
            ("short_desc", |setting| (&setting.description).into()),
            ("context", |_| "user".into()),
            ("vartype", |setting| variable_type(&setting.value).into()),
            ("source", |_| "session".into()),
            ("boot_val", |setting| (&setting.value).into()),
            ("reset_val", |setting| (&setting.value).into()),
            ("pending_restart", |_| false.into()),
        ],
    )
}

fn variable_type(value: &str) -> &'static str {
    match value {
        "on" | "off" => "bool",
        value if value.parse::<i64>().is_ok() => "integer",
        value if value.parse::<f64>().is_ok() => "real",
        _ => "string",
    }
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
