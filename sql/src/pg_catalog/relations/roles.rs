//! `pg_roles`, `pg_authid`, `pg_user`, `pg_shadow` and `pg_db_role_setting`. Passwords never show.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::{Oid, Setting};

use super::schemas::DATABASE_OID;
use crate::pg_catalog::Visible;
use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::{Column, Definition};
use crate::pg_catalog::entities::{Role, setting_lines};

const HIDDEN: &str = "********";

/// Of both `pg_roles` and `pg_authid`.
pub(super) fn roles(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    const CONFIGURED: Column<Role> = ("rolconfig", |role| role.settings.clone().into());
    let own: [Column<Role>; 12] = [
        ("oid", |role| role.oid.into()),
        ("rolname", |role| (&role.name).into()),
        ("rolsuper", |role| role.superuser.into()),
        ("rolinherit", |role| role.inherit.into()),
        ("rolcreaterole", |role| role.create_role.into()),
        ("rolcreatedb", |_| false.into()),
        ("rolcanlogin", |role| role.login.into()),
        ("rolreplication", |_| false.into()),
        ("rolbypassrls", |role| role.superuser.into()),
        ("rolconnlimit", |role| role.connection_limit.into()),
        ("rolpassword", |_| HIDDEN.into()),
        ("rolvaliduntil", |role| role.valid_until.map_or(Cell::Null, Cell::Timestamp)),
    ];
    // `pg_authid` does not tell it.
    let has_settings = definition.columns.iter().any(|column| column.name == CONFIGURED.0);
    let columns: Vec<_> = own.into_iter().chain(has_settings.then_some(CONFIGURED)).collect();
    definition.fill(&visible.entities().roles, &columns)
}

/// Of both `pg_user` and `pg_shadow`: the roles that may log in.
pub(super) fn users(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let users: Vec<&Role> = visible.entities().roles.iter().filter(|role| role.login).collect();
    definition.fill(
        &users,
        &[
            ("usename", |role| (&role.name).into()),
            ("usesysid", |role| role.oid.into()),
            ("usecreatedb", |_| false.into()),
            ("usesuper", |role| role.superuser.into()),
            ("userepl", |_| false.into()),
            ("usebypassrls", |role| role.superuser.into()),
            ("passwd", |_| HIDDEN.into()),
            ("valuntil", |role| role.valid_until.map_or(Cell::Null, Cell::Timestamp)),
            ("useconfig", |role| role.settings.clone().into()),
        ],
    )
}

/// What sessions begin with: database and role, 0 for all of them, and the lines of `name=value`.
pub(super) fn settings(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    const ALL: Oid = 0;
    let catalog = &visible.catalog;
    let mut rows = Vec::new();
    let mut add = |database: Oid, role: Oid, settings: &[Setting]| {
        rows.extend(setting_lines(settings).map(|lines| (database, role, lines)));
    };
    if let Some(database) = catalog.database() {
        add(ALL, ALL, &database.everybody);
        add(DATABASE_OID, ALL, &database.settings);
    }
    for role in catalog.roles() {
        add(ALL, role.oid, &role.settings);
        add(DATABASE_OID, role.oid, &role.database_settings);
    }
    definition.fill(
        &rows,
        &[
            ("setdatabase", |(database, ..)| (*database).into()),
            ("setrole", |(_, role, _)| (*role).into()),
            ("setconfig", |(.., lines)| lines.clone().into()),
        ],
    )
}
