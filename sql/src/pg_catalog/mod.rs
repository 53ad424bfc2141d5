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
mod functions;
mod grants;
mod provider;
mod relations;
mod rewrite;
mod types;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use voxhouse_engine::catalog::access::Access;
use voxhouse_engine::catalog::{CatalogSnapshot, Oid};

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
    pub settings: Vec<SettingRow>,
    pub client: Client,
    /// Microseconds since 1970.
    pub server_started_at: i64,
    /// What is worked out of the rest at first use; starts as `Derived::default()`.
    pub derived: Derived,
}

impl Visible {
    fn entities(&self) -> &Entities {
        self.derived.entities.get_or_init(|| Entities::new(self))
    }

    /// What the current role may do.
    pub fn access(&self) -> &Arc<Access> {
        self.derived.access.get_or_init(|| Arc::new(Access::of(&self.catalog, &self.role)))
    }
}

#[derive(Default)]
pub struct Derived {
    entities: OnceLock<Entities>,
    access: OnceLock<Arc<Access>>,
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

/// A run-time parameter, as `pg_settings` lists it.
pub struct SettingRow {
    pub name: String,
    pub value: String,
    pub description: String,
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
