//! Who was granted what: `pg_auth_members`, `pg_default_acl`, `pg_group` and the privileges of `information_schema`.

use arrow::array::RecordBatch;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::access::Follow;
use voxhouse_engine::catalog::acl::ObjectClass;
use voxhouse_engine::catalog::{Oid, QualifiedName};

use crate::pg_catalog::Visible;
use crate::pg_catalog::cell::Cell;
use crate::pg_catalog::definition::Definition;
use crate::pg_catalog::entities::{Entities, Relation};
use crate::pg_catalog::grants::{self, Granted};

fn oid_of(entities: &Entities, role: &str) -> Oid {
    entities.role(role).map_or(entities.system_owner, |role| role.oid)
}

pub(super) fn members(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let entities = visible.entities();
    let mut rows: Vec<(Oid, Oid, Oid, bool)> = Vec::new();
    for role in visible.catalog.roles() {
        rows.extend(role.member_of.iter().map(|membership| {
            let (of, by) = (oid_of(entities, &membership.role), oid_of(entities, &membership.by));
            (of, role.oid, by, membership.admin)
        }));
    }
    definition.fill(
        &rows,
        &[
            ("roleid", |(of, ..)| (*of).into()),
            ("member", |(_, member, ..)| (*member).into()),
            ("grantor", |(_, _, by, _)| (*by).into()),
            ("admin_option", |(.., admin)| (*admin).into()),
        ],
    )
}

/// The roles that cannot log in, as PostgreSQL's groups of old.
pub(super) fn groups(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let members = |of: &str| -> Vec<i64> {
        let members = visible.catalog.roles();
        let members = members.filter(|role| role.member_of.iter().any(|one| one.role == of));
        members.map(|role| role.oid.into()).collect()
    };
    let groups = visible.catalog.roles().filter(|role| !role.login);
    let rows: Vec<_> = groups.map(|role| (role, members(&role.name))).collect();
    definition.fill(
        &rows,
        &[
            ("groname", |(role, _)| (&role.name).into()),
            ("grosysid", |(role, _)| role.oid.into()),
            ("grolist", |(_, members)| members.clone().into()),
        ],
    )
}

pub(super) fn default_lists(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let entities = visible.entities();
    let mut rows: Vec<(Oid, Oid, Oid, &'static str, Vec<String>)> = Vec::new();
    for role in visible.catalog.roles() {
        for (place, entry) in role.default_privileges.iter().enumerate() {
            let schema = entry.schema.as_deref().and_then(|name| entities.schema(name));
            let letter = match entry.class {
                ObjectClass::Relation | ObjectClass::Column => "r",
                ObjectClass::Sequence => "S",
                ObjectClass::Function => "f",
                ObjectClass::Schema => "n",
                // PostgreSQL has no pipes.
                ObjectClass::Pipe => "p",
                ObjectClass::Database => "d",
            };
            // No number of its own; this one is as stable as its place.
            let oid = role.oid.wrapping_mul(64).wrapping_add(place as u32);
            let items = grants::items(&entry.acl);
            rows.push((oid, role.oid, schema.map_or(0, |schema| schema.oid), letter, items));
        }
    }
    definition.fill(
        &rows,
        &[
            ("oid", |row| row.0.into()),
            ("defaclrole", |row| row.1.into()),
            ("defaclnamespace", |row| row.2.into()),
            ("defaclobjtype", |row| row.3.into()),
            ("defaclacl", |row| row.4.clone().into()),
        ],
    )
}

/// A privilege on a relation, or on one of its columns.
struct Row<'a> {
    database: &'a str,
    relation: &'a Relation,
    column: Option<String>,
    granted: Granted,
}

fn is_tables(relation: &Relation) -> bool {
    matches!(relation.kind, 'r' | 'v')
}

/// Privileges of or by roles that the current one has.
fn concerns_me(visible: &Visible, granted: &Granted, with_public: bool) -> bool {
    let access = visible.access();
    let mine = |role: &str| access.has_role(role);
    let to_me = granted.grantee.as_deref().map_or(with_public, mine);
    to_me || mine(&granted.grantor)
}

fn on_tables(visible: &Visible, with_public: bool) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for relation in visible.entities().relations.iter().filter(|relation| is_tables(relation)) {
        let secured = grants::of_relation(&visible.catalog, &relation.schema, &relation.name);
        let all = grants::exploded(&secured.full_acl(), secured.owner, ObjectClass::Relation.all());
        let all = all.into_iter().filter(|granted| concerns_me(visible, granted, with_public));
        rows.extend(all.map(|granted| Row { database: &visible.database, relation, column: None, granted }));
    }
    rows
}

fn on_columns(visible: &Visible, with_public: bool) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for relation in visible.entities().relations.iter().filter(|relation| is_tables(relation)) {
        let name = QualifiedName::new(&relation.schema, &relation.name);
        let secured = visible.catalog.secured_relation(&name);
        let own = visible.catalog.column_acls(&name);
        let of_table = secured.full_acl();
        for column in &relation.columns {
            let lists = [Some(of_table.as_ref()), own.get(column.name.as_str()).copied()];
            for acl in lists.into_iter().flatten() {
                let all = grants::exploded(acl, secured.owner, ObjectClass::Column.all());
                let all = all.into_iter().filter(|granted| concerns_me(visible, granted, with_public));
                rows.extend(all.map(|granted| Row {
                    database: &visible.database,
                    relation,
                    column: Some(column.name.clone()),
                    granted,
                }));
            }
        }
    }
    rows
}

pub(super) fn table_privileges(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    fill_tables(definition, on_tables(visible, true))
}

pub(super) fn role_table_grants(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    fill_tables(definition, on_tables(visible, false))
}

pub(super) fn column_privileges(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    fill_columns(definition, on_columns(visible, true))
}

pub(super) fn role_column_grants(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    fill_columns(definition, on_columns(visible, false))
}

fn grantee(row: &Row<'_>) -> Cell {
    row.granted.grantee.as_ref().map_or("PUBLIC".into(), Cell::from)
}

fn yes_or_no(yes: bool) -> Cell {
    if yes { "YES".into() } else { "NO".into() }
}

fn fill_tables(definition: &Definition, rows: Vec<Row<'_>>) -> Result<RecordBatch> {
    definition.fill(
        &rows,
        &[
            ("grantor", |row| (&row.granted.grantor).into()),
            ("grantee", grantee),
            ("table_catalog", |row| row.database.to_owned().into()),
            ("table_schema", |row| (&row.relation.schema).into()),
            ("table_name", |row| (&row.relation.name).into()),
            ("privilege_type", |row| row.granted.privilege.into()),
            ("is_grantable", |row| yes_or_no(row.granted.grantable)),
            ("with_hierarchy", |row| yes_or_no(row.granted.privilege == "SELECT")),
        ],
    )
}

fn fill_columns(definition: &Definition, rows: Vec<Row<'_>>) -> Result<RecordBatch> {
    definition.fill(
        &rows,
        &[
            ("grantor", |row| (&row.granted.grantor).into()),
            ("grantee", grantee),
            ("table_catalog", |row| row.database.to_owned().into()),
            ("table_schema", |row| (&row.relation.schema).into()),
            ("table_name", |row| (&row.relation.name).into()),
            ("column_name", |row| row.column.clone().into()),
            ("privilege_type", |row| row.granted.privilege.into()),
            ("is_grantable", |row| yes_or_no(row.granted.grantable)),
        ],
    )
}

/// The memberships of the current role, and of the roles that it has.
pub(super) fn applicable_roles(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let mut names: Vec<String> = visible.catalog.roles_of(&visible.role, Follow::Every).into_iter().collect();
    names.sort();
    let mut rows: Vec<(String, String, bool)> = Vec::new();
    for role in names.iter().filter_map(|name| visible.catalog.role(name)) {
        rows.extend(role.member_of.iter().map(|one| (role.name.clone(), one.role.clone(), one.admin)));
    }
    definition.fill(
        &rows,
        &[
            ("grantee", |(grantee, ..)| grantee.into()),
            ("role_name", |(_, role, _)| role.into()),
            ("is_grantable", |(.., admin)| yes_or_no(*admin)),
        ],
    )
}

/// The roles whose privileges the current one has.
pub(super) fn enabled_roles(definition: &Definition, visible: &Visible) -> Result<RecordBatch> {
    let mut names: Vec<&String> = visible
        .entities()
        .roles
        .iter()
        .map(|role| &role.name)
        .filter(|role| visible.access().has_role(role))
        .collect();
    names.sort();
    definition.fill(&names, &[("role_name", |role| (*role).into())])
}
