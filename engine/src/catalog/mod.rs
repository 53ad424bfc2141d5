//! The catalog: what exists, kept as a Delta table of its own.
//!
//! One row is one version of one object; a DDL statement is one commit, made at exactly the version that
//! follows the one it was planned against. So two nodes never both succeed in making the same table, OIDs are
//! unique and stable, and the table's history is the audit of every DDL statement.

pub mod access;
pub mod acl;
mod constraints;
pub mod ddl;
mod grants;
pub mod load_mode;
pub mod locations;
pub mod log;
pub mod model;
mod ownership;
mod roles;
mod settings;
#[cfg(test)]
mod tests;
pub mod types;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

pub use load_mode::LoadMode;
pub use model::{
    BuiltInAcl, Column, Constraint, DATABASE_OID, Database, DefaultPrivileges, FIRST_OID,
    FIRST_TEMPORARY_OID, Membership, Object, Oid, OnViolation, Pipe, QualifiedName, Role, Rule, Schema,
    TEMPORARY_SCHEMA, Table, View,
};
pub use settings::Setting;
pub use types::SqlType;

use crate::error::{Error, ErrorKind, Result};

/// A relation that a query may name.
#[derive(Debug, Clone, Copy)]
pub enum Relation<'a> {
    Table(&'a Table),
    View(&'a View),
}

/// The catalog at one version. Immutable; a session plans one statement against one of these.
#[derive(Debug, Clone)]
pub struct CatalogSnapshot {
    version: u64,
    objects: BTreeMap<Oid, Arc<Object>>,
    schemas: HashMap<String, Oid>,
    relations: HashMap<QualifiedName, Oid>,
    pipes: HashMap<String, Oid>,
    roles: HashMap<String, Oid>,
    /// Where tables lie or have lain.
    locations: HashSet<String>,
    next_oid: Oid,
}

impl Default for CatalogSnapshot {
    /// An empty warehouse: nothing but the predefined roles.
    fn default() -> Self {
        let mut snapshot = Self {
            version: 0,
            objects: BTreeMap::new(),
            schemas: HashMap::new(),
            relations: HashMap::new(),
            pipes: HashMap::new(),
            roles: HashMap::new(),
            locations: HashSet::new(),
            next_oid: 0,
        };
        for role in access::predefined_roles() {
            snapshot.apply(&Change::Put(Object::Role(role)));
        }
        snapshot
    }
}

impl CatalogSnapshot {
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every object, by OID.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values().map(Arc::as_ref)
    }

    pub fn object(&self, oid: Oid) -> Option<&Object> {
        self.objects.get(&oid).map(Arc::as_ref)
    }

    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.objects().filter_map(|object| match object {
            Object::Schema(schema) => Some(schema),
            _ => None,
        })
    }

    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.objects().filter_map(|object| match object {
            Object::Table(table) => Some(table),
            _ => None,
        })
    }

    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.objects().filter_map(|object| match object {
            Object::View(view) => Some(view),
            _ => None,
        })
    }

    pub fn pipes(&self) -> impl Iterator<Item = &Pipe> {
        self.objects().filter_map(|object| match object {
            Object::Pipe(pipe) => Some(pipe),
            _ => None,
        })
    }

    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.objects().filter_map(|object| match object {
            Object::Role(role) => Some(role),
            _ => None,
        })
    }

    pub fn schema(&self, name: &str) -> Option<&Schema> {
        match self.object(*self.schemas.get(name)?)? {
            Object::Schema(schema) => Some(schema),
            _ => None,
        }
    }

    pub fn relation(&self, name: &QualifiedName) -> Option<Relation<'_>> {
        match self.object(*self.relations.get(name)?)? {
            Object::Table(table) => Some(Relation::Table(table)),
            Object::View(view) => Some(Relation::View(view)),
            _ => None,
        }
    }

    /// Names of the relations of a schema, in order.
    pub fn relation_names(&self, schema: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .relations
            .keys()
            .filter(|name| name.schema == schema)
            .map(|name| name.name.clone())
            .collect();
        names.sort();
        names
    }

    pub fn table(&self, name: &QualifiedName) -> Result<&Table> {
        match self.relation(name) {
            Some(Relation::Table(table)) => Ok(table),
            Some(Relation::View(_)) => {
                Err(Error::new(ErrorKind::WrongObjectType, format!("\"{name}\" is not a table")))
            }
            None => Err(undefined_relation(name)),
        }
    }

    pub fn pipe(&self, name: &str) -> Result<&Pipe> {
        match self.pipes.get(name).and_then(|oid| self.object(*oid)) {
            Some(Object::Pipe(pipe)) => Ok(pipe),
            _ => Err(Error::new(ErrorKind::UndefinedObject, format!("pipe \"{name}\" does not exist"))
                .with_hint("SELECT name FROM system.pipes lists the pipes there are.")),
        }
    }

    pub fn role(&self, name: &str) -> Option<&Role> {
        match self.object(*self.roles.get(name)?)? {
            Object::Role(role) => Some(role),
            _ => None,
        }
    }

    /// The roles that people made, and `voxhouse`.
    pub fn own_roles(&self) -> impl Iterator<Item = &Role> {
        self.roles().filter(|role| !access::is_predefined(&role.name))
    }

    /// Grants on the database and what comes with the process; `None` while there are none.
    pub fn database(&self) -> Option<&Database> {
        match self.object(DATABASE_OID)? {
            Object::Database(database) => Some(database),
            _ => None,
        }
    }

    /// Whether a table lies, or lay before it was dropped, at a location.
    pub fn had_location(&self, location: &str) -> bool {
        self.locations.contains(location)
    }

    /// The OID that the next object gets.
    pub fn next_oid(&self) -> Oid {
        self.next_oid.max(FIRST_OID)
    }

    /// This catalog with the temporary objects of a session, which have numbers of their own.
    pub(crate) fn with_temporary<'a>(&self, objects: impl Iterator<Item = &'a Arc<Object>>) -> Self {
        let mut merged = self.clone();
        for object in objects {
            merged.learn_name(object);
            merged.objects.insert(object.oid(), Arc::clone(object));
        }
        merged
    }

    /// This catalog, its next object having a certain number.
    pub(crate) fn numbered_from(&self, oid: Oid) -> Self {
        Self { next_oid: oid, ..self.clone() }
    }

    fn apply(&mut self, change: &Change) {
        let oid = change.oid();
        if let Some(old) = self.objects.remove(&oid) {
            self.forget_name(&old);
        }
        // Constraints take OIDs of the same sequence.
        let highest = match change {
            Change::Put(Object::Table(table)) => {
                table.constraints.iter().map(|constraint| constraint.oid).max().unwrap_or(oid).max(oid)
            }
            _ => oid,
        };
        self.next_oid = self.next_oid.max(highest + 1);
        if let Change::Put(object) = change {
            if let Object::Table(table) = object {
                self.locations.insert(table.location.clone());
            }
            self.learn_name(object);
            self.objects.insert(oid, Arc::new(object.clone()));
        }
    }

    fn learn_name(&mut self, object: &Object) {
        let oid = object.oid();
        match object {
            Object::Schema(schema) => self.schemas.insert(schema.name.clone(), oid),
            Object::Table(table) => self.relations.insert(table.name.clone(), oid),
            Object::View(view) => self.relations.insert(view.name.clone(), oid),
            Object::Pipe(pipe) => self.pipes.insert(pipe.name.clone(), oid),
            Object::Role(role) => self.roles.insert(role.name.clone(), oid),
            Object::Database(_) => None,
        };
    }

    fn forget_name(&mut self, object: &Object) {
        match object {
            Object::Schema(schema) => self.schemas.remove(&schema.name),
            Object::Table(table) => self.relations.remove(&table.name),
            Object::View(view) => self.relations.remove(&view.name),
            Object::Pipe(pipe) => self.pipes.remove(&pipe.name),
            Object::Role(role) => self.roles.remove(&role.name),
            Object::Database(_) => None,
        };
    }
}

pub fn undefined_relation(name: &QualifiedName) -> Error {
    let shown = if ["public", TEMPORARY_SCHEMA].contains(&name.schema.as_str()) {
        name.name.clone()
    } else {
        name.to_string()
    };
    Error::new(ErrorKind::UndefinedTable, format!("relation \"{shown}\" does not exist"))
}

/// One step of a DDL statement.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a statement makes a handful")]
pub enum Change {
    /// Creates the object, or replaces the version before.
    Put(Object),
    Drop {
        oid: Oid,
        kind: &'static str,
        schema: Option<String>,
        name: String,
    },
}

impl Change {
    pub fn drop(object: &Object) -> Self {
        Change::Drop {
            oid: object.oid(),
            kind: object.kind(),
            schema: object.schema_name().map(str::to_owned),
            name: object.name().to_owned(),
        }
    }

    pub(crate) fn oid(&self) -> Oid {
        match self {
            Change::Put(object) => object.oid(),
            Change::Drop { oid, .. } => *oid,
        }
    }
}

/// Who makes a change, and with which words; kept in the catalog's history.
#[derive(Debug, Clone)]
pub struct Author {
    pub role: String,
    pub statement: String,
}
