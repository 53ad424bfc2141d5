//! `has_…_privilege`, `pg_has_role` and `row_security_active`.
//!
//! A superuser may do everything, an owner everything with what is theirs, and everybody may read the system
//! catalogs and use schemas; other grants do not exist.

use voxhouse_engine::catalog::Oid;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::names::{ObjectKind, resolve};
use super::{Call, Cell, Function, function};
use crate::pg_catalog::entities::{Entities, Role};

pub(super) const FUNCTIONS: &[Function] = &[
    function("has_table_privilege", "oo?t", "boolean", |call| relation_privilege(call, 2)),
    function("has_any_column_privilege", "oo?t", "boolean", |call| relation_privilege(call, 2)),
    function("has_column_privilege", "ooo?t", "boolean", |call| relation_privilege(call, 3)),
    function("has_sequence_privilege", "oo?t", "boolean", |call| relation_privilege(call, 2)),
    function("has_schema_privilege", "oo?t", "boolean", schema_privilege),
    function("has_database_privilege", "oo?t", "boolean", open_privilege),
    function("has_function_privilege", "oo?t", "boolean", open_privilege),
    function("has_type_privilege", "oo?t", "boolean", open_privilege),
    function("has_language_privilege", "oo?t", "boolean", open_privilege),
    function("has_tablespace_privilege", "oo?t", "boolean", open_privilege),
    function("has_foreign_data_wrapper_privilege", "oo?t", "boolean", open_privilege),
    function("has_server_privilege", "oo?t", "boolean", open_privilege),
    function("pg_has_role", "oo?t", "boolean", member_of),
    function("row_security_active", "o", "boolean", |_| Ok(false.into())),
];

/// The role asked about, and the place of the first argument behind it. `fewest` arguments: the role is left
/// out, and the session's own is meant.
fn subject<'a>(call: &'a Call<'_>, fewest: usize) -> Result<(&'a Role, usize)> {
    let entities = call.visible.entities();
    if call.len() <= fewest {
        return Ok((role_named(entities, &call.visible.role)?, 0));
    }
    let found = match call.arguments.first() {
        Some(Cell::Text(name)) => role_named(entities, name)?,
        Some(Cell::Int(oid)) => entities
            .roles
            .iter()
            .find(|role| i64::from(role.oid) == *oid)
            .ok_or_else(|| undefined_role(&oid.to_string()))?,
        _ => return Err(Error::invalid_argument("a role is a name or a number")),
    };
    Ok((found, 1))
}

fn role_named<'a>(entities: &'a Entities, name: &str) -> Result<&'a Role> {
    entities.role(name).ok_or_else(|| undefined_role(name))
}

fn undefined_role(name: &str) -> Error {
    Error::new(ErrorKind::UndefinedObject, format!("role \"{name}\" does not exist"))
}

/// The privilege is the last argument: one or several, separated by commas, any of which will do.
fn wants_only(call: &Call<'_>, privileges: &[&str]) -> bool {
    let Some(text) = call.text(call.len() - 1) else { return false };
    text.split(',').any(|one| {
        let one = one.trim().to_uppercase();
        privileges.contains(&one.trim_end_matches(" WITH GRANT OPTION"))
    })
}

fn relation_privilege(call: &Call<'_>, fewest: usize) -> Result<Cell> {
    let (role, place) = subject(call, fewest)?;
    let entities = call.visible.entities();
    let Some(relation) = call.relation_oid(place)?.and_then(|oid| entities.relation(oid)) else {
        return Ok(Cell::Null);
    };
    if relation.is_system() {
        return Ok((wants_only(call, &["SELECT"]) || role.superuser).into());
    }
    Ok((role.superuser || relation.owner == role.oid).into())
}

fn schema_privilege(call: &Call<'_>) -> Result<Cell> {
    let (role, place) = subject(call, 2)?;
    let Some(oid) = call.object(place, ObjectKind::Namespace)? else { return Ok(Cell::Null) };
    let Some(schema) = call.visible.entities().schemas.iter().find(|schema| schema.oid == oid) else {
        return Ok(Cell::Null);
    };
    Ok((role.superuser || schema.owner == role.oid || wants_only(call, &["USAGE"])).into())
}

/// Connecting, calling functions and naming types is open to every role; making objects there is not.
fn open_privilege(call: &Call<'_>) -> Result<Cell> {
    let (role, _) = subject(call, 2)?;
    Ok((role.superuser || wants_only(call, &["CONNECT", "TEMP", "TEMPORARY", "EXECUTE", "USAGE"])).into())
}

/// Every role is a member of itself, and a superuser of all.
fn member_of(call: &Call<'_>) -> Result<Cell> {
    let (role, place) = subject(call, 2)?;
    let of: Oid = match call.text(place) {
        Some(name) => resolve(call.visible, ObjectKind::Role, name)?,
        None => call.int(place).and_then(|oid| Oid::try_from(oid).ok()).unwrap_or(0),
    };
    Ok((role.superuser || role.oid == of).into())
}
