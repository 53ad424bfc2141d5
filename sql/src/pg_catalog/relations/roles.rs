//! `pg_roles`, `pg_authid`, `pg_user` and `pg_shadow`. Passwords never show.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;

use crate::pg_catalog::Visible;
use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::{Column, Definition};
use crate::pg_catalog::entities::Role;

const HIDDEN: &str = "********";

/// Of both `pg_roles` and `pg_authid`.
pub(super) fn roles(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let columns: &[Column<Role>] = &[
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
    definition.fill(&visible.entities().roles, columns)
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
        ],
    )
}
