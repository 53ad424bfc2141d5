//! `pg_catalog` and `information_schema`, as PostgreSQL 15 has them.
//!
//! The definitions are data: `relations.txt` lists every relation with its columns and their Postgres types,
//! `rows/` holds the rows that are the same in every warehouse, and a builder a relation turns what the session
//! sees ([`Visible`]) into the others. A relation without either is empty. Rows are built when a query scans the
//! relation, and DataFusion filters, projects and joins them like any other table.
//!
//! Object identifiers are bigints whose field metadata says `oid`, so that they compare with integer literals,
//! string literals and each other without casts; `int2vector` and `oidvector` are lists.

mod cell;
mod definition;
mod entities;
mod expressions;
mod functions;
mod grants;
mod provider;
mod relations;
mod rewrite;
mod types;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::access::Access;
use voxhouse_engine::catalog::{CatalogSnapshot, Oid, QualifiedName, Relation, Setting};

use crate::processes::Processes;
use crate::wire::backend::ObjectNames;

pub use functions::scalar_functions;
pub use provider::schema_provider;
pub use rewrite::{label, rewrite};

use entities::Entities;

/// The PostgreSQL whose catalogs these are; clients choose their queries by it, so `server_version` must agree.
pub const SERVER_VERSION: &str = "15.0";
/// The schema of PostgreSQL's own relations, types and functions; first in every search path.
pub const PG_CATALOG: &str = "pg_catalog";
pub const INFORMATION_SCHEMA: &str = "information_schema";

/// What one statement sees of the catalog; captured when the statement is planned.
pub struct Visible {
    pub catalog: Arc<CatalogSnapshot>,
    pub built_in: Arc<Vec<BuiltInRelation>>,
    pub functions: Arc<Vec<FunctionRow>>,
    /// Bytes and rows of the tables whose snapshot is known; the size of the others is NULL.
    pub sizes: Arc<HashMap<Oid, RelationSize>>,
    pub role: String,
    pub session_role: String,
    pub database: String,
    pub process_id: i32,
    /// As the user set it; `"$user"` stands for the role's name.
    pub search_path: Vec<String>,
    pub session: Arc<dyn SessionParts>,
    pub client: Client,
    /// Who is connected to this process, at the moment of looking.
    pub processes: Processes,
    /// Microseconds since 1970.
    pub server_started_at: i64,
    /// What is worked out of the rest at first use; starts as `Derived::default()`.
    pub derived: Derived,
}

impl Visible {
    /// What serves other statements that see the same; sizes of relations change without a change of the catalog.
    pub fn seen(&self) -> Option<Seen> {
        self.sizes.is_empty().then(|| Seen {
            catalog: Arc::clone(&self.catalog),
            built_in: Arc::clone(&self.built_in),
            functions: Arc::clone(&self.functions),
            role: self.role.clone(),
            search_path: self.search_path.clone(),
            derived: self.derived.clone(),
        })
    }

    /// Takes what an earlier statement has worked out, if it saw the same.
    pub fn take_over(&mut self, earlier: &Seen) -> bool {
        let is_same = Arc::ptr_eq(&self.catalog, &earlier.catalog)
            && Arc::ptr_eq(&self.built_in, &earlier.built_in)
            && Arc::ptr_eq(&self.functions, &earlier.functions)
            && self.sizes.is_empty()
            && self.role == earlier.role
            && self.search_path == earlier.search_path;
        if is_same {
            self.derived = earlier.derived.clone();
        }
        is_same
    }

    fn entities(&self) -> &Entities {
        self.derived.entities.get_or_init(|| Entities::new(self))
    }

    /// What the current role may do.
    pub fn access(&self) -> &Arc<Access> {
        self.derived.access.get_or_init(|| Arc::new(Access::of(&self.catalog, &self.role)))
    }
}

/// Names of objects, of what a statement sees of the catalog.
pub struct Names(pub Arc<Visible>);

impl ObjectNames for Names {
    fn name(&self, type_oid: u32, number: i64) -> String {
        functions::object_name(&self.0, type_oid, number)
    }
}

/// The object identifier of a relation and the number of one of its columns, from 1, as `pg_attribute` has them.
/// Asked for every column of every result, so it does without [`Entities`].
pub fn attribute(visible: &Visible, relation: &QualifiedName, column: &str) -> Option<(Oid, i16)> {
    let number = |place: Option<usize>| i16::try_from(place? + 1).ok();
    if let Some(system) = definition::find(&relation.schema, &relation.name) {
        return Some((system.oid, number(system.columns.iter().position(|one| one.name == column))?));
    }
    let (oid, columns) = match visible.catalog.relation(relation) {
        Some(Relation::Table(table)) => (table.oid, &table.columns),
        Some(Relation::View(view)) => (view.oid, &view.columns),
        None => {
            let found = visible
                .built_in
                .iter()
                .find(|one| one.schema == relation.schema && one.name == relation.name)?;
            return Some((found.oid, number(found.columns.index_of(column).ok())?));
        }
    };
    Some((oid, number(columns.iter().position(|one| one.name == column))?))
}

/// What a statement has worked out of the catalog, and what it is true of. Of a warehouse with many tables it takes
/// longer to work out than most statements on the catalog take to run, so it outlives the session.
pub struct Seen {
    catalog: Arc<CatalogSnapshot>,
    built_in: Arc<Vec<BuiltInRelation>>,
    functions: Arc<Vec<FunctionRow>>,
    role: String,
    search_path: Vec<String>,
    derived: Derived,
}

#[derive(Default, Clone)]
pub struct Derived {
    entities: Arc<OnceLock<Entities>>,
    access: Arc<OnceLock<Arc<Access>>>,
    /// Columns of relations, by the relation's name and the column's place.
    columns: Arc<Mutex<HashMap<(&'static str, usize), ArrayRef>>>,
}

/// A virtual relation of another module, such as `system.functions`.
pub struct BuiltInRelation {
    pub schema: String,
    pub name: String,
    /// Below 13000 and the same in every release: the place in a list that only grows, from 12000.
    pub oid: Oid,
    pub columns: SchemaRef,
    pub comment: String,
}

/// A function that a user may call, as `\df` lists it.
pub struct FunctionRow {
    pub oid: Oid,
    pub name: String,
    /// `score double precision, confidence double precision`; names may be missing.
    pub arguments: String,
    pub returns: String,
    /// `f` function, `a` aggregate, `w` window function.
    pub kind: char,
    pub description: String,
}

/// What the catalog shows of the session itself, and what functions change in it.
pub trait SessionParts: Send + Sync {
    fn settings(&self) -> Vec<SettingRow>;

    /// The value as SHOW prints it.
    ///
    /// # Errors
    /// Undefined object, for a parameter that there is not.
    fn setting(&self, name: &str) -> Result<String>;

    /// Sets a parameter, for the transaction or for the session, and tells its new value; `None` resets it.
    fn set(&self, name: &str, value: Option<&str>, transaction_only: bool) -> Result<String>;

    /// A parameter in its usual case, and the text of values that it may be set to by the one who asks; `None`: it is
    /// to be reset.
    fn accept(&self, name: &str, values: Option<&[String]>) -> Result<Setting>;

    fn prepared_statements(&self) -> Vec<PreparedStatementRow>;

    fn cursors(&self) -> Vec<CursorRow>;
}

/// A run-time parameter, as `pg_settings` lists it.
pub struct SettingRow {
    pub name: String,
    /// In the parameter's unit.
    pub value: String,
    /// As SHOW prints it.
    pub shown: String,
    pub unit: Option<String>,
    pub category: String,
    pub description: String,
    pub extra: Option<String>,
    pub context: &'static str,
    pub type_name: &'static str,
    pub source: &'static str,
    pub smallest: Option<String>,
    pub largest: Option<String>,
    pub values: Option<Vec<String>>,
    pub default: Option<String>,
    pub reset: String,
}

/// A named statement, as `pg_prepared_statements` lists it.
pub struct PreparedStatementRow {
    pub name: String,
    pub statement: String,
    /// Microseconds since 1970.
    pub prepared_at: i64,
    pub parameter_types: Vec<String>,
    /// Whether PREPARE made it, rather than a message of the protocol.
    pub from_sql: bool,
}

/// An open cursor, as `pg_cursors` lists it.
pub struct CursorRow {
    pub name: String,
    pub statement: String,
    pub holdable: bool,
    pub binary: bool,
    pub scrollable: bool,
    /// Microseconds since 1970.
    pub created_at: i64,
}

#[derive(Debug, Clone, Copy)]
pub struct RelationSize {
    pub bytes: i64,
    pub rows: i64,
}

/// The other end of the connection, as `pg_stat_activity` shows it.
#[derive(Debug, Clone, Default)]
pub struct Client {
    pub application_name: String,
    pub address: Option<std::net::SocketAddr>,
    pub server_address: Option<std::net::SocketAddr>,
    /// Microseconds since 1970.
    pub connected_at: i64,
    /// The statement that runs.
    pub query: String,
}

#[cfg(test)]
mod tests;
