//! What a role may do, by one catalog. Pure: the same catalog and role always give the same answer.
//!
//! A superuser may do everything and is recognised by one flag. Everybody else holds what was granted to PUBLIC,
//! to the role itself, or to a role whose privileges it inherits.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::acl::{Acl, ObjectClass, Privilege, PrivilegeSet, Rights};
use super::model::{Membership, Role};
use super::{CatalogSnapshot, Column, Object, Oid, Pipe, QualifiedName, Relation, Schema};
use crate::error::{Error, ErrorKind};

/// The superuser that every warehouse has; it owns what nobody made.
pub const BOOTSTRAP_ROLE: &str = "voxhouse";

/// Sees loads, rejects, pipes and the statements of others.
pub const MONITOR_ROLE: &str = "voxhouse_monitor";
/// Sees the statements of others; the role above is a member.
pub const READ_STATS_ROLE: &str = "pg_read_all_stats";
/// May read any location that the process can reach: URLs and folders outside of `landing/`.
pub const READ_FILES_ROLE: &str = "voxhouse_read_server_files";
/// Sees every parameter; no parameter is kept from anybody.
pub const READ_SETTINGS_ROLE: &str = "pg_read_all_settings";
pub const READ_ALL_ROLE: &str = "pg_read_all_data";
pub const WRITE_ALL_ROLE: &str = "pg_write_all_data";
/// May cancel and end sessions of roles that are not superusers.
pub const SIGNAL_ROLE: &str = "pg_signal_backend";

/// Name, object identifier, and the predefined roles it is a member of. Those of PostgreSQL have its numbers.
const PREDEFINED: [(&str, Oid, &[&str]); 9] = [
    ("pg_monitor", 3373, &[MONITOR_ROLE, READ_SETTINGS_ROLE]),
    (READ_SETTINGS_ROLE, 3374, &[]),
    (READ_STATS_ROLE, 3375, &[]),
    (SIGNAL_ROLE, 4200, &[]),
    ("pg_read_server_files", 4569, &[READ_FILES_ROLE]),
    (READ_ALL_ROLE, 6181, &[]),
    (WRITE_ALL_ROLE, 6182, &[]),
    (MONITOR_ROLE, 8001, &[READ_STATS_ROLE]),
    (READ_FILES_ROLE, 8002, &[]),
];

/// The roles that every warehouse has without anybody making them.
pub(super) fn predefined_roles() -> impl Iterator<Item = Role> {
    PREDEFINED.iter().map(|(name, oid, parents)| {
        let member_of = parents.iter().map(|parent| Membership {
            role: (*parent).to_owned(),
            by: BOOTSTRAP_ROLE.to_owned(),
            admin: false,
        });
        Role { member_of: member_of.collect(), ..Role::new(*oid, *name) }
    })
}

pub fn is_predefined(role: &str) -> bool {
    PREDEFINED.iter().any(|(name, ..)| *name == role)
}

/// An object as privileges see it.
#[derive(Debug, Clone, Copy)]
pub struct Secured<'a> {
    pub class: ObjectClass,
    pub owner: &'a str,
    /// `None`: the default.
    pub acl: Option<&'a Acl>,
    /// What everybody may do by default.
    pub open: PrivilegeSet,
    /// A role that may read by default.
    pub reader: Option<&'static str>,
}

impl<'a> Secured<'a> {
    fn new(class: ObjectClass, owner: &'a str, acl: Option<&'a Acl>) -> Self {
        Self { class, owner, acl, open: class.open_to_public(), reader: None }
    }

    pub fn schema(schema: &'a Schema) -> Self {
        // The schema of the example in everybody's search path, and the one that explains the warehouse.
        let open = matches!(schema.name.as_str(), "public" | "system");
        let open = if open { Privilege::Usage.into() } else { PrivilegeSet::NONE };
        Self { open, ..Self::new(ObjectClass::Schema, &schema.owner, schema.acl.as_ref()) }
    }

    pub fn relation(relation: Relation<'a>) -> Self {
        let (owner, acl) = match relation {
            Relation::Table(table) => (&table.owner, &table.acl),
            Relation::View(view) => (&view.owner, &view.acl),
        };
        Self::new(ObjectClass::Relation, owner, acl.as_ref())
    }

    pub fn pipe(pipe: &'a Pipe) -> Self {
        Self::new(ObjectClass::Pipe, &pipe.owner, pipe.acl.as_ref())
    }

    pub fn database(catalog: &'a CatalogSnapshot) -> Self {
        let acl = catalog.database().and_then(|database| database.acl.as_ref());
        Self::new(ObjectClass::Database, BOOTSTRAP_ROLE, acl)
    }

    pub fn function(catalog: &'a CatalogSnapshot, name: &str) -> Self {
        let acl = built_in(catalog, &function_key(name)).and_then(|known| known.acl.as_ref());
        Self::new(ObjectClass::Function, BOOTSTRAP_ROLE, acl)
    }

    /// A relation that the process itself makes up, such as `system.loads`.
    pub fn built_in_relation(catalog: &'a CatalogSnapshot, name: &QualifiedName) -> Self {
        let acl = built_in(catalog, &relation_key(name)).and_then(|known| known.acl.as_ref());
        let plain = Self::new(ObjectClass::Relation, BOOTSTRAP_ROLE, acl);
        match (name.schema.as_str(), name.name.as_str()) {
            ("pg_catalog", "pg_authid" | "pg_shadow") => plain,
            // Of the statements of others everybody sees that there are some, and no more.
            ("pg_catalog" | "information_schema", _)
            | ("system", "functions" | "queries" | "queries_info") => {
                Self { open: Privilege::Select.into(), ..plain }
            }
            ("system", _) => Self { reader: Some(MONITOR_ROLE), ..plain },
            _ => plain,
        }
    }

    /// The list, written out if it is the default.
    pub fn full_acl(&self) -> Cow<'a, Acl> {
        if let Some(acl) = self.acl {
            return Cow::Borrowed(acl);
        }
        let mut acl = Acl::default();
        acl.add(Some(self.owner), self.owner, Rights::plain(self.class.all()));
        acl.add(None, self.owner, Rights::plain(self.open));
        acl.add(
            self.reader,
            self.owner,
            Rights::plain(self.reader.map_or(PrivilegeSet::NONE, |_| Privilege::Select.into())),
        );
        Cow::Owned(acl)
    }
}

/// Grants on what is not in the catalog: functions and the relations that the process makes up.
fn built_in<'a>(catalog: &'a CatalogSnapshot, key: &str) -> Option<&'a super::BuiltInAcl> {
    catalog.database()?.built_in.get(key)
}

pub(super) fn function_key(name: &str) -> String {
    format!("function {name}")
}

pub(super) fn relation_key(name: &QualifiedName) -> String {
    format!("relation {name}")
}

/// One role's view of one catalog.
#[derive(Debug, Clone)]
pub struct Access {
    role: String,
    superuser: bool,
    /// The role and those whose privileges it has.
    roles: HashSet<String>,
    reads_all: bool,
    writes_all: bool,
}

impl Access {
    pub fn of(catalog: &CatalogSnapshot, role: &str) -> Self {
        if catalog.is_superuser(role) {
            return Self::superuser(role);
        }
        let roles = catalog.roles_of(role, Follow::Inherited);
        let (reads_all, writes_all) = (roles.contains(READ_ALL_ROLE), roles.contains(WRITE_ALL_ROLE));
        Self { role: role.to_owned(), superuser: false, roles, reads_all, writes_all }
    }

    fn superuser(role: &str) -> Self {
        let role = role.to_owned();
        Self { role, superuser: true, roles: HashSet::new(), reads_all: true, writes_all: true }
    }

    pub fn role(&self) -> &str {
        &self.role
    }

    pub fn is_superuser(&self) -> bool {
        self.superuser
    }

    /// Whether the role has the privileges of another.
    pub fn has_role(&self, role: &str) -> bool {
        self.superuser || self.roles.contains(role)
    }

    pub fn owns(&self, owner: &str) -> bool {
        self.has_role(owner)
    }

    fn is_meant(&self, to: Option<&str>) -> bool {
        to.is_none_or(|role| self.roles.contains(role))
    }

    /// What the role may do with the whole of an object.
    pub fn held(&self, object: &Secured<'_>) -> PrivilegeSet {
        if self.superuser {
            return object.class.all();
        }
        let granted = match object.acl {
            Some(acl) => self.held_by(acl),
            None if self.roles.contains(object.owner) => object.class.all(),
            None if object.reader.is_some_and(|reader| self.roles.contains(reader)) => {
                object.open.union(Privilege::Select.into())
            }
            None => object.open,
        };
        granted.union(self.by_predefined_role(object.class))
    }

    fn held_by(&self, acl: &Acl) -> PrivilegeSet {
        let items = acl.0.iter().filter(|item| self.is_meant(item.to.as_deref()));
        items.fold(PrivilegeSet::NONE, |all, item| all.union(item.rights.held))
    }

    fn by_predefined_role(&self, class: ObjectClass) -> PrivilegeSet {
        let mut given = PrivilegeSet::NONE;
        match class {
            ObjectClass::Relation => {
                if self.reads_all {
                    given = given.union(Privilege::Select.into());
                }
                if self.writes_all {
                    let writes = [Privilege::Insert, Privilege::Update, Privilege::Delete];
                    given = given.union(PrivilegeSet::of(&writes));
                }
            }
            ObjectClass::Schema if self.reads_all || self.writes_all => given = Privilege::Usage.into(),
            _ => {}
        }
        given
    }

    pub fn may(&self, object: &Secured<'_>, privilege: Privilege) -> bool {
        self.superuser || self.held(object).contains(privilege)
    }

    /// What the role may do with a column by grants on the column itself.
    pub fn held_on_column(&self, acl: Option<&Acl>) -> PrivilegeSet {
        acl.map_or(PrivilegeSet::NONE, |acl| self.held_by(acl))
    }

    /// What the role may pass on.
    pub fn grantable(&self, object: &Secured<'_>) -> PrivilegeSet {
        if self.owns(object.owner) {
            return object.class.all();
        }
        object.acl.map_or(PrivilegeSet::NONE, |acl| self.grantable_by(acl))
    }

    pub fn grantable_by(&self, acl: &Acl) -> PrivilegeSet {
        let items = acl.0.iter().filter(|item| self.is_meant(item.to.as_deref()));
        items.fold(PrivilegeSet::NONE, |all, item| all.union(item.rights.grantable))
    }

    /// The role that a grant on an object comes from: the owner if the role may act for it, else the role
    /// itself or one of those it has, by the grants that it holds.
    pub fn grantor<'a>(&'a self, object: &Secured<'a>, wanted: PrivilegeSet) -> (&'a str, PrivilegeSet) {
        if self.owns(object.owner) {
            return (object.owner, wanted);
        }
        let Some(acl) = object.acl else { return (&self.role, PrivilegeSet::NONE) };
        let own = acl.grantable_by(&self.role).intersection(wanted);
        if own == wanted {
            return (&self.role, own);
        }
        let mut others: Vec<&String> = self.roles.iter().collect();
        others.sort();
        let complete = others.into_iter().find(|role| acl.grantable_by(role).contains_all(wanted));
        complete.map_or((&self.role, own), |role| (role, wanted))
    }
}

/// How far memberships reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// Privileges: not through a role that does not inherit.
    Inherited,
    /// SET ROLE: through every membership.
    Every,
}

impl CatalogSnapshot {
    pub fn is_superuser(&self, role: &str) -> bool {
        role == BOOTSTRAP_ROLE || self.role(role).is_some_and(|role| role.superuser)
    }

    /// The role and all that it is a member of, directly or not.
    pub fn roles_of(&self, role: &str, follow: Follow) -> HashSet<String> {
        let mut found = HashSet::from([role.to_owned()]);
        let mut next = vec![role.to_owned()];
        while let Some(name) = next.pop() {
            let Some(role) = self.role(&name) else { continue };
            if follow == Follow::Inherited && !role.inherit {
                continue;
            }
            for membership in &role.member_of {
                if found.insert(membership.role.clone()) {
                    next.push(membership.role.clone());
                }
            }
        }
        found
    }

    /// Whether a role may become another.
    pub fn is_member(&self, role: &str, of: &str) -> bool {
        self.is_superuser(role) || self.roles_of(role, Follow::Every).contains(of)
    }

    /// Whether a role may give away membership in another: by ADMIN OPTION, its own or of a role that it has.
    pub fn may_admin(&self, role: &str, of: &str) -> bool {
        if self.is_superuser(role) {
            return true;
        }
        let mut own = self.roles_of(role, Follow::Every);
        // A role has no admin option on itself.
        own.remove(of);
        own.iter()
            .filter_map(|name| self.role(name))
            .any(|role| role.member_of.iter().any(|membership| membership.admin && membership.role == of))
    }

    /// What privileges see of a relation: one of the catalog, or one that the process makes up.
    pub fn secured_relation(&self, name: &QualifiedName) -> Secured<'_> {
        match self.relation(name) {
            Some(relation) => Secured::relation(relation),
            None => Secured::built_in_relation(self, name),
        }
    }

    /// The lists of a relation's columns, where there are any.
    pub fn column_acls(&self, name: &QualifiedName) -> BTreeMap<&str, &Acl> {
        fn of_columns(columns: &[Column]) -> BTreeMap<&str, &Acl> {
            columns.iter().filter_map(|column| Some((column.name.as_str(), column.acl.as_ref()?))).collect()
        }
        match self.relation(name) {
            Some(Relation::Table(table)) => of_columns(&table.columns),
            Some(Relation::View(view)) => of_columns(&view.columns),
            None => match built_in(self, &relation_key(name)) {
                Some(known) => known.columns.iter().map(|(column, acl)| (column.as_str(), acl)).collect(),
                None => BTreeMap::new(),
            },
        }
    }

    /// Whether EXECUTE was taken from anybody.
    pub fn has_function_acls(&self) -> bool {
        self.database()
            .is_some_and(|database| database.built_in.keys().any(|key| key.starts_with("function ")))
    }

    /// `None`: a schema that everybody may use, because it is the system's, or that does not exist.
    pub fn secured_schema(&self, name: &str) -> Option<Secured<'_>> {
        self.schema(name).map(Secured::schema)
    }
}

/// The word for a relation in messages.
pub fn relation_word(catalog: &CatalogSnapshot, name: &QualifiedName) -> &'static str {
    match catalog.relation(name) {
        Some(Relation::Table(table)) if table.query.is_some() => "materialized view",
        Some(Relation::Table(_)) => "table",
        Some(Relation::View(_)) => "view",
        None => "table",
    }
}

pub fn denied(word: &str, name: &str) -> Error {
    Error::new(ErrorKind::InsufficientPrivilege, format!("permission denied for {word} {name}"))
}

pub fn not_owner(word: &str, name: &str) -> Error {
    Error::new(ErrorKind::InsufficientPrivilege, format!("must be owner of {word} {name}"))
}

/// Owner of any object, for messages and for DROP and ALTER.
pub(super) fn owner_of(object: &Object) -> Option<&str> {
    match object {
        Object::Schema(schema) => Some(&schema.owner),
        Object::Table(table) => Some(&table.owner),
        Object::View(view) => Some(&view.owner),
        Object::Pipe(pipe) => Some(&pipe.owner),
        Object::Role(_) | Object::Database(_) => None,
    }
}
