//! `has_…_privilege`, `pg_has_role` and `row_security_active`: what the checks on statements would say.

use std::sync::Arc;

use voxhouse_engine::catalog::access::{Access, Follow, Secured};
use voxhouse_engine::catalog::acl::{ObjectClass, Privilege, PrivilegeSet};
use voxhouse_engine::catalog::{Oid, QualifiedName};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::names::{ObjectKind, resolve};
use super::{Call, Cell, Function, function};
use crate::pg_catalog::entities::{Entities, Relation, Role};

pub(super) const FUNCTIONS: &[Function] = &[
    function("has_table_privilege", "oo?t", "boolean", table_privilege),
    function("has_any_column_privilege", "oo?t", "boolean", any_column_privilege),
    function("has_column_privilege", "ooo?t", "boolean", column_privilege),
    function("has_sequence_privilege", "oo?t", "boolean", |call| open_privilege(call, ObjectClass::Sequence)),
    function("has_schema_privilege", "oo?t", "boolean", schema_privilege),
    function("has_database_privilege", "oo?t", "boolean", database_privilege),
    function("has_function_privilege", "oo?t", "boolean", function_privilege),
    function("has_type_privilege", "oo?t", "boolean", |call| open_privilege(call, ObjectClass::Pipe)),
    function("has_language_privilege", "oo?t", "boolean", |call| open_privilege(call, ObjectClass::Pipe)),
    function("has_tablespace_privilege", "oo?t", "boolean", |call| open_privilege(call, ObjectClass::Schema)),
    function("has_foreign_data_wrapper_privilege", "oo?t", "boolean", |call| {
        open_privilege(call, ObjectClass::Pipe)
    }),
    function("has_server_privilege", "oo?t", "boolean", |call| open_privilege(call, ObjectClass::Pipe)),
    function("pg_has_role", "oo?t", "boolean", member_of),
    function("row_security_active", "o", "boolean", |_| Ok(false.into())),
];

/// What the role asked about may do, and the place of the first argument behind it. `fewest` arguments: the role is
/// left out, and the session's own is meant.
fn subject(call: &Call<'_>, fewest: usize) -> Result<(Arc<Access>, usize)> {
    let visible = call.visible;
    if call.len() <= fewest {
        return Ok((Arc::clone(visible.access()), 0));
    }
    if call.text(0) == Some("public") {
        // A role of nobody's: it has what PUBLIC has.
        return Ok((Arc::new(Access::of(&visible.catalog, "public")), 1));
    }
    let role = role_at(call, 0)?;
    if role.name == visible.role {
        return Ok((Arc::clone(visible.access()), 1));
    }
    Ok((Arc::new(Access::of(&visible.catalog, &role.name)), 1))
}

fn role_at<'a>(call: &'a Call<'_>, place: usize) -> Result<&'a Role> {
    let entities = call.visible.entities();
    match call.arguments.get(place) {
        Some(Cell::Text(name)) => role_named(entities, name),
        Some(Cell::Int(oid)) => entities
            .roles
            .iter()
            .find(|role| i64::from(role.oid) == *oid)
            .ok_or_else(|| undefined_role(&oid.to_string())),
        _ => Err(Error::invalid_argument("a role is a name or a number")),
    }
}

fn role_named<'a>(entities: &'a Entities, name: &str) -> Result<&'a Role> {
    entities.role(name).ok_or_else(|| undefined_role(name))
}

fn undefined_role(name: &str) -> Error {
    Error::new(ErrorKind::UndefinedObject, format!("role \"{name}\" does not exist"))
}

/// The privileges of the last argument, any of which will do, and whether each must be grantable.
fn wanted(call: &Call<'_>, class: ObjectClass) -> Result<Vec<(Privilege, bool)>> {
    let text = call.text(call.len() - 1).unwrap_or_default();
    text.split(',')
        .map(|one| {
            let word = one.trim().to_uppercase();
            let plain = word.strip_suffix(" WITH GRANT OPTION");
            let privilege = Privilege::of_word(plain.unwrap_or(&word));
            let known = privilege.filter(|privilege| class.all().contains(*privilege));
            known.map(|privilege| (privilege, plain.is_some())).ok_or_else(|| {
                Error::invalid_argument(format!("unrecognized privilege type: \"{}\"", one.trim()))
            })
        })
        .collect()
}

fn any(wanted: &[(Privilege, bool)], held: PrivilegeSet, grantable: PrivilegeSet) -> bool {
    let has = |(privilege, option): &(Privilege, bool)| match option {
        true => grantable.contains(*privilege),
        false => held.contains(*privilege),
    };
    wanted.iter().any(has)
}

fn answer(call: &Call<'_>, access: &Access, object: &Secured<'_>) -> Result<Cell> {
    let wanted = wanted(call, object.class)?;
    Ok(any(&wanted, access.held(object), access.grantable(object)).into())
}

fn relation_at<'a>(call: &'a Call<'_>, place: usize) -> Result<Option<&'a Relation>> {
    Ok(call.relation_oid(place)?.and_then(|oid| call.visible.entities().relation(oid)))
}

fn name_of(relation: &Relation) -> QualifiedName {
    QualifiedName::new(&relation.schema, &relation.name)
}

fn table_privilege(call: &Call<'_>) -> Result<Cell> {
    let (access, place) = subject(call, 2)?;
    let Some(relation) = relation_at(call, place)? else { return Ok(Cell::Null) };
    answer(call, &access, &call.visible.catalog.secured_relation(&name_of(relation)))
}

fn any_column_privilege(call: &Call<'_>) -> Result<Cell> {
    let (access, place) = subject(call, 2)?;
    let Some(relation) = relation_at(call, place)? else { return Ok(Cell::Null) };
    on_columns(call, &access, relation, |_| true)
}

fn column_privilege(call: &Call<'_>) -> Result<Cell> {
    let (access, place) = subject(call, 3)?;
    let Some(relation) = relation_at(call, place)? else { return Ok(Cell::Null) };
    let column = match call.arguments.get(place + 1) {
        Some(Cell::Text(name)) => {
            let found = relation.columns.iter().find(|column| column.name == **name);
            found.ok_or_else(|| {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
                Error::new(ErrorKind::UndefinedColumn, message)
            })?
        }
        Some(Cell::Int(number)) => {
            let found = relation.columns.iter().find(|column| i64::from(column.number) == *number);
            let Some(found) = found else { return Ok(Cell::Null) };
            found
        }
        _ => return Ok(Cell::Null),
    };
    on_columns(call, &access, relation, |name| name == column.name)
}

/// Whether the role has a privilege on the whole relation, or on one of some columns.
fn on_columns(
    call: &Call<'_>,
    access: &Access,
    relation: &Relation,
    is_meant: impl Fn(&str) -> bool,
) -> Result<Cell> {
    let wanted = wanted(call, ObjectClass::Column)?;
    let catalog = &call.visible.catalog;
    let name = name_of(relation);
    let whole = catalog.secured_relation(&name);
    let on_column = || {
        let acls = catalog.column_acls(&name);
        acls.into_iter()
            .filter(|(column, _)| is_meant(column))
            .any(|(_, acl)| any(&wanted, access.held_on_column(Some(acl)), access.grantable_by(acl)))
    };
    Ok((any(&wanted, access.held(&whole), access.grantable(&whole)) || on_column()).into())
}

fn schema_privilege(call: &Call<'_>) -> Result<Cell> {
    let (access, place) = subject(call, 2)?;
    let Some(oid) = call.object(place, ObjectKind::Namespace)? else { return Ok(Cell::Null) };
    let Some(schema) = call.visible.entities().schemas.iter().find(|schema| schema.oid == oid) else {
        return Ok(Cell::Null);
    };
    match call.visible.catalog.secured_schema(&schema.name) {
        Some(secured) => answer(call, &access, &secured),
        // The system's own: everybody may use it.
        None => {
            let wanted = wanted(call, ObjectClass::Schema)?;
            let held = match access.is_superuser() {
                true => ObjectClass::Schema.all(),
                false => Privilege::Usage.into(),
            };
            Ok(any(&wanted, held, PrivilegeSet::NONE).into())
        }
    }
}

fn database_privilege(call: &Call<'_>) -> Result<Cell> {
    let (access, place) = subject(call, 2)?;
    if let Some(name) = call.text(place)
        && name != call.visible.database
    {
        let message = format!("database \"{name}\" does not exist");
        return Err(Error::new(ErrorKind::UndefinedDatabase, message));
    }
    answer(call, &access, &Secured::database(&call.visible.catalog))
}

fn function_privilege(call: &Call<'_>) -> Result<Cell> {
    let (access, place) = subject(call, 2)?;
    let Some(oid) = call.object(place, ObjectKind::Procedure)? else { return Ok(Cell::Null) };
    let name = call.visible.entities().function(oid).map_or("", |function| function.name.as_str());
    answer(call, &access, &Secured::function(&call.visible.catalog, name))
}

/// Types and languages are open to every role; sequences and tablespaces there are none to be had.
fn open_privilege(call: &Call<'_>, class: ObjectClass) -> Result<Cell> {
    let (access, _) = subject(call, 2)?;
    let wanted = wanted(call, class)?;
    let open = if class == ObjectClass::Pipe { class.all() } else { PrivilegeSet::NONE };
    let held = if access.is_superuser() { class.all() } else { open };
    Ok(any(&wanted, held, PrivilegeSet::NONE).into())
}

/// `MEMBER`: may become the role; `USAGE`: has its privileges already.
fn member_of(call: &Call<'_>) -> Result<Cell> {
    let catalog = &call.visible.catalog;
    let (role, place) = match call.len() {
        0..=2 => (call.visible.role.clone(), 0),
        _ => (role_at(call, 0)?.name.clone(), 1),
    };
    let of: Oid = match call.text(place) {
        Some(name) => resolve(call.visible, ObjectKind::Role, name)?,
        None => call.int(place).and_then(|oid| Oid::try_from(oid).ok()).unwrap_or(0),
    };
    let entities = call.visible.entities();
    let Some(of) = entities.roles.iter().find(|role| role.oid == of).map(|role| role.name.clone()) else {
        return Ok(false.into());
    };
    let text = call.text(call.len() - 1).unwrap_or_default();
    let mut answer = false;
    for one in text.split(',') {
        answer |= match one.trim().to_uppercase().as_str() {
            "USAGE" => {
                catalog.is_superuser(&role) || catalog.roles_of(&role, Follow::Inherited).contains(&of)
            }
            "MEMBER" | "SET" => catalog.is_member(&role, &of),
            "USAGE WITH ADMIN OPTION"
            | "USAGE WITH GRANT OPTION"
            | "MEMBER WITH ADMIN OPTION"
            | "MEMBER WITH GRANT OPTION" => catalog.may_admin(&role, &of),
            _ => {
                let message = format!("unrecognized privilege type: \"{}\"", one.trim());
                return Err(Error::invalid_argument(message));
            }
        };
    }
    Ok(answer.into())
}
