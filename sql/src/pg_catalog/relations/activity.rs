//! `pg_settings`, `pg_stat_activity` and the statistics of tables.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::access::READ_STATS_ROLE;

use super::schemas::DATABASE_OID;
use crate::pg_catalog::Visible;
use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::Relation;
use crate::processes::{Activity, ProcessState};

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

/// A connection, as the one who looks may see it.
struct Seen<'a> {
    activity: Activity,
    visible: &'a Visible,
    /// What it does is shown to its own role, to those who have its privileges, and to those who see all statistics.
    is_open: bool,
}

impl Seen<'_> {
    fn if_open(&self, cell: impl FnOnce(&Activity) -> Cell) -> Cell {
        if self.is_open { cell(&self.activity) } else { Cell::Null }
    }

    fn waits(&self) -> bool {
        !matches!(self.activity.state, ProcessState::Active | ProcessState::Starting)
    }
}

fn moment(at: Option<i64>) -> Cell {
    at.map_or(Cell::Null, Cell::Timestamp)
}

/// Every connection of this process.
pub(super) fn activity(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let access = visible.access();
    let sees_all = access.has_role(READ_STATS_ROLE);
    let seen: Vec<Seen<'_>> = visible
        .processes
        .activity()
        .into_iter()
        .map(|activity| Seen { is_open: sees_all || access.has_role(&activity.role), activity, visible })
        .collect();
    definition.fill(
        &seen,
        &[
            ("datid", |_| DATABASE_OID.into()),
            ("datname", |seen| (&seen.activity.database).into()),
            ("pid", |seen| seen.activity.process_id.into()),
            ("usesysid", |seen| {
                seen.visible.entities().role(&seen.activity.role).map(|role| role.oid).into()
            }),
            ("usename", |seen| (&seen.activity.role).into()),
            ("application_name", |seen| (&seen.activity.application_name).into()),
            ("client_addr", |seen| seen.if_open(|activity| activity.client.ip().to_string().into())),
            ("client_port", |seen| seen.if_open(|activity| i32::from(activity.client.port()).into())),
            ("backend_start", |seen| seen.if_open(|activity| Cell::Timestamp(activity.connected_at))),
            ("xact_start", |seen| seen.if_open(|activity| moment(activity.transaction_started_at))),
            ("query_start", |seen| seen.if_open(|activity| moment(activity.query_started_at))),
            ("state_change", |seen| seen.if_open(|activity| Cell::Timestamp(activity.state_changed_at))),
            ("wait_event_type", |seen| seen.if_open(|_| seen.waits().then(|| "Client".to_owned()).into())),
            ("wait_event", |seen| seen.if_open(|_| seen.waits().then(|| "ClientRead".to_owned()).into())),
            ("state", |seen| seen.if_open(|activity| activity.state.name().map(str::to_owned).into())),
            ("query_id", |seen| seen.if_open(|activity| activity.query_id.into())),
            ("query", |seen| match seen.is_open {
                true => (&seen.activity.query).into(),
                false => "<insufficient privilege>".into(),
            }),
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
