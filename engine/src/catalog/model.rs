//! What the catalog knows: plain data, stored as JSON in the catalog's Delta table.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::acl::{Acl, ObjectClass};
use super::load_mode::LoadMode;
use super::settings::Setting;
use super::types::SqlType;

/// Identifies an object for as long as it exists, across sessions, restarts and nodes.
pub type Oid = u32;

/// The first OID for objects that people make, as in PostgreSQL.
pub const FIRST_OID: Oid = 16384;

/// The one database; PostgreSQL's number for `postgres`.
pub const DATABASE_OID: Oid = 5;

/// The first OID for the temporary objects of a session. Two sessions may give the same one: neither sees the
/// other's.
pub const FIRST_TEMPORARY_OID: Oid = 2_000_000_000;

/// Holds the temporary relations of a session; no other session sees it.
pub const TEMPORARY_SCHEMA: &str = "pg_temp";

/// A schema-qualified name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QualifiedName {
    pub schema: String,
    pub name: String,
}

impl QualifiedName {
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    pub fn is_temporary(&self) -> bool {
        self.schema == TEMPORARY_SCHEMA
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Object {
    Schema(Schema),
    Table(Table),
    View(View),
    Pipe(Pipe),
    Role(Role),
    Database(Database),
}

impl Object {
    pub fn oid(&self) -> Oid {
        match self {
            Object::Schema(schema) => schema.oid,
            Object::Table(table) => table.oid,
            Object::View(view) => view.oid,
            Object::Pipe(pipe) => pipe.oid,
            Object::Role(role) => role.oid,
            Object::Database(_) => DATABASE_OID,
        }
    }

    /// The word for messages and for the catalog's `kind` column.
    pub fn kind(&self) -> &'static str {
        match self {
            Object::Schema(_) => "schema",
            Object::Table(table) if table.query.is_some() => "materialized view",
            Object::Table(_) => "table",
            Object::View(_) => "view",
            Object::Pipe(_) => "pipe",
            Object::Role(_) => "role",
            Object::Database(_) => "database",
        }
    }

    /// The schema, for objects that live in one.
    pub fn schema_name(&self) -> Option<&str> {
        match self {
            Object::Table(table) => Some(&table.name.schema),
            Object::View(view) => Some(&view.name.schema),
            Object::Schema(_) | Object::Pipe(_) | Object::Role(_) | Object::Database(_) => None,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Object::Schema(schema) => &schema.name,
            Object::Table(table) => &table.name.name,
            Object::View(view) => &view.name.name,
            Object::Pipe(pipe) => &pipe.name,
            Object::Role(role) => &role.name,
            Object::Database(database) => &database.name,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub oid: Oid,
    pub name: String,
    pub owner: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
}

/// A table, or a materialised view: a table that a query fills.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub oid: Oid,
    #[serde(flatten)]
    pub name: QualifiedName,
    pub owner: String,
    /// The folder of its Delta log, under the root.
    pub location: String,
    pub columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition_by: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cluster_by: Vec<String>,
    /// Where another program's table lies: a URL, or a folder under the root. It is read and never changed, and nothing
    /// of it lies at `location`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<String>,
    /// The query of a materialised view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
    pub created_at: DateTime<Utc>,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The schema of the files.
    pub fn storage_schema(&self) -> SchemaRef {
        self.arrow_schema(SqlType::to_arrow)
    }

    /// The schema that queries see.
    pub fn query_schema(&self) -> SchemaRef {
        self.arrow_schema(SqlType::to_query_arrow)
    }

    fn arrow_schema(&self, arrow: impl Fn(&SqlType) -> arrow::datatypes::DataType) -> SchemaRef {
        let fields: Vec<_> = self
            .columns
            .iter()
            .map(|column| column.data_type.to_field(&column.name, !column.not_null, arrow(&column.data_type)))
            .collect();
        Arc::new(ArrowSchema::new(fields))
    }

    /// The columns of the primary key, if one is declared.
    pub fn primary_key(&self) -> Option<&[String]> {
        self.constraints.iter().find_map(|constraint| match &constraint.rule {
            Rule::PrimaryKey { columns } => Some(columns.as_slice()),
            _ => None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub data_type: SqlType,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
    /// SQL text of the default expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Grants on this column alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
}

impl Column {
    pub fn new(name: impl Into<String>, data_type: SqlType) -> Self {
        Self { name: name.into(), data_type, not_null: false, default: None, comment: None, acl: None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    pub oid: Oid,
    pub name: String,
    #[serde(flatten)]
    pub rule: Rule,
    /// What was said behind ON VIOLATION.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_violation: Option<OnViolation>,
}

/// What becomes of rows that break a rule. A statement fails unless the rule only warns; a load of files does what is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnViolation {
    /// The row is set aside, and the others go in.
    Reject,
    /// Nothing goes in.
    Fail,
    /// All rows go in, and those that break the rule are counted.
    Warn,
}

impl OnViolation {
    pub fn word(self) -> &'static str {
        match self {
            OnViolation::Reject => "reject",
            OnViolation::Fail => "fail",
            OnViolation::Warn => "warn",
        }
    }
}

impl Constraint {
    /// What a load of files does about a violation.
    pub fn effect_on_loads(&self) -> OnViolation {
        self.on_violation.unwrap_or(match self.rule {
            Rule::Expect { .. } => OnViolation::Fail,
            _ => OnViolation::Reject,
        })
    }

    /// Whether rows of the table may break it.
    pub fn only_warns(&self) -> bool {
        self.on_violation == Some(OnViolation::Warn)
    }

    /// Whether it says something of all rows of a load together.
    pub fn is_expectation(&self) -> bool {
        matches!(self.rule, Rule::Expect { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    PrimaryKey {
        columns: Vec<String>,
    },
    Unique {
        columns: Vec<String>,
    },
    /// SQL text; a row passes unless it is false.
    Check {
        expression: String,
    },
    /// SQL text over aggregates of the rows of a load; the load passes unless it is false.
    Expect {
        expression: String,
    },
}

impl Rule {
    /// What `system.quality` calls it.
    pub fn kind(&self) -> &'static str {
        match self {
            Rule::PrimaryKey { .. } => "primary key",
            Rule::Unique { .. } => "unique",
            Rule::Check { .. } => "check",
            Rule::Expect { .. } => "expect",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub oid: Oid,
    #[serde(flatten)]
    pub name: QualifiedName,
    pub owner: String,
    /// SQL text of the query.
    pub query: String,
    /// What the query returned when the view was made.
    pub columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
}

/// A rule for loading files: where they come from, how they are read, and where their rows go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipe {
    pub oid: Oid,
    pub name: String,
    pub owner: String,
    /// A folder under the root, or a URL.
    pub from: String,
    pub into: QualifiedName,
    pub format: String,
    #[serde(default)]
    pub options: BTreeMap<String, String>,
    /// What its rows do to those of the table.
    #[serde(default, skip_serializing_if = "LoadMode::is_append")]
    pub mode: LoadMode,
    /// `None`: on call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u64>,
    /// Loads nothing until it is resumed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// SQL text over the relation `source`; `None` takes the columns of the same names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Role {
    pub oid: Oid,
    pub name: String,
    pub superuser: bool,
    pub login: bool,
    /// May make, change and drop roles that are not superusers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_role: bool,
    /// Whether it has the privileges of the roles it is a member of without SET ROLE.
    #[serde(default = "yes")]
    pub inherit: bool,
    /// Connections at a time; `None`: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_limit: Option<u32>,
    /// From then on its password counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<DateTime<Utc>>,
    /// A SCRAM verifier in PostgreSQL's text form; never a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_of: Vec<Membership>,
    /// What ALTER DEFAULT PRIVILEGES says of objects that it will make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_privileges: Vec<DefaultPrivileges>,
    /// What its sessions begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// The same in the database named, which counts more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub database_settings: Vec<Setting>,
}

fn yes() -> bool {
    true
}

impl Role {
    /// A role that may do nothing, not even log in.
    pub fn new(oid: Oid, name: impl Into<String>) -> Self {
        Self {
            oid,
            name: name.into(),
            superuser: false,
            login: false,
            create_role: false,
            inherit: true,
            connection_limit: None,
            valid_until: None,
            verifier: None,
            member_of: Vec::new(),
            default_privileges: Vec::new(),
            settings: Vec::new(),
            database_settings: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    /// The role that one is a member of.
    pub role: String,
    /// Who said so.
    pub by: String,
    /// Whether the member may make others members.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
}

/// The list that new objects of a class get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DefaultPrivileges {
    /// `None`: in every schema; then the list stands in the place of the class's own default. In one schema it is
    /// added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    pub class: ObjectClass,
    pub acl: Acl,
}

/// Grants on the database, and on what comes with the process instead of the catalog.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Database {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
    /// By `function nps`, `relation system.loads`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub built_in: BTreeMap<String, BuiltInAcl>,
    /// What sessions begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<Setting>,
    /// What sessions of any database begin with, which counts less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub everybody: Vec<Setting>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BuiltInAcl {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Acl>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, Acl>,
}
