//! DDL as values, and their effect on a catalog. Pure: no object store, no SQL text but what is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::{Access, BOOTSTRAP_ROLE, READ_FILES_ROLE, Secured, denied, not_owner, owner_of};
use super::acl::{ObjectClass, Privilege};
pub use super::constraints::ConstraintDdl;
use super::constraints::number_constraints;
pub use super::grants::{DefaultGrant, Grant, GrantTarget, GrantedPrivilege};
use super::load_mode::LoadMode;
use super::locations::{FOLDERS, is_outside_of_root, refuse_warehouse_files, shown_location};
pub use super::ownership::{OwnedTarget, OwnerDdl};
pub use super::roles::{RoleDdl, RoleOptions};
pub use super::settings::{SettingChange, SettingDdl, SettingScope};
use super::{
    CatalogSnapshot, Change, Column, Object, Pipe, QualifiedName, Relation, Rule, Schema, SqlType,
    TEMPORARY_SCHEMA, Table, View, undefined_relation,
};
use crate::error::{Error, ErrorKind, Result};

/// A table as a statement describes it; OIDs come with the commit.
#[derive(Debug, Clone, Default)]
pub struct NewTable {
    pub columns: Vec<Column>,
    /// Name, if the user gave one, and rule.
    pub constraints: Vec<(Option<String>, Rule)>,
    pub partition_by: Vec<String>,
    pub cluster_by: Vec<String>,
    /// Properties of its log: options of its upkeep.
    pub properties: BTreeMap<String, String>,
    /// Where another program's table lies, if it is one.
    pub external: Option<String>,
    /// The query of a materialised view.
    pub query: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropKind {
    Table,
    View,
    MaterializedView,
}

impl DropKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            DropKind::Table => "table",
            DropKind::View => "view",
            DropKind::MaterializedView => "materialized view",
        }
    }
}

#[derive(Debug, Clone)]
pub enum CommentTarget {
    Schema(String),
    Relation(QualifiedName),
    Column(QualifiedName, String),
    Pipe(String),
}

#[derive(Debug, Clone)]
pub enum Ddl {
    /// `owner`: AUTHORIZATION.
    CreateSchema {
        name: String,
        owner: Option<String>,
        if_not_exists: bool,
    },
    DropSchema {
        name: String,
        if_exists: bool,
        cascade: bool,
    },
    CreateTable {
        name: QualifiedName,
        table: NewTable,
        location: String,
        if_not_exists: bool,
    },
    DropRelation {
        name: QualifiedName,
        kind: DropKind,
        if_exists: bool,
        cascade: bool,
    },
    RenameRelation {
        name: QualifiedName,
        to: String,
    },
    AddColumn {
        table: QualifiedName,
        column: Column,
        if_not_exists: bool,
    },
    /// A type that holds every value of the old one. `at_least`: one that is wider already may stay.
    WidenColumn {
        table: QualifiedName,
        column: String,
        data_type: SqlType,
        at_least: bool,
    },
    CreateView {
        name: QualifiedName,
        query: String,
        columns: Vec<Column>,
        or_replace: bool,
    },
    CreatePipe {
        pipe: NewPipe,
        or_replace: bool,
        if_not_exists: bool,
    },
    DropPipe {
        name: String,
        if_exists: bool,
    },
    /// ALTER PIPE … PAUSE and RESUME.
    PausePipe {
        name: String,
        paused: bool,
    },
    Role(RoleDdl),
    Setting(SettingDdl),
    Grant(Grant),
    DefaultPrivileges(DefaultGrant),
    Owner(OwnerDdl),
    Constraint(ConstraintDdl),
    Comment {
        target: CommentTarget,
        comment: Option<String>,
    },
}

#[derive(Debug, Clone)]
pub struct NewPipe {
    pub name: String,
    pub from: String,
    pub into: QualifiedName,
    pub format: String,
    pub options: BTreeMap<String, String>,
    /// An empty key stands for the table's primary key.
    pub mode: LoadMode,
    pub every_seconds: Option<u64>,
    pub query: Option<String>,
}

impl Ddl {
    /// Whether it concerns a temporary relation of the session.
    pub fn is_temporary(&self) -> bool {
        match self {
            Ddl::CreateTable { name, .. }
            | Ddl::DropRelation { name, .. }
            | Ddl::RenameRelation { name, .. }
            | Ddl::AddColumn { table: name, .. }
            | Ddl::WidenColumn { table: name, .. }
            | Ddl::CreateView { name, .. }
            | Ddl::Comment {
                target: CommentTarget::Relation(name) | CommentTarget::Column(name, _), ..
            } => name.is_temporary(),
            Ddl::Constraint(ddl) => ddl.table().is_temporary(),
            _ => false,
        }
    }
}

/// What an operation did, for the answer to the client and for what must follow outside the catalog.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Done,
    /// Nothing, because of IF EXISTS or IF NOT EXISTS. The text is a notice.
    Skipped {
        kind: ErrorKind,
        reason: String,
    },
    /// Done, but not all that was asked for.
    Warned {
        sqlstate: &'static str,
        message: String,
    },
    /// The folders of these tables are no longer used.
    TablesDropped(Vec<Table>),
    /// The columns of the log must follow.
    ColumnsChanged(Box<Table>),
}

impl Effect {
    /// Whether the same happened to the same tables.
    pub(crate) fn is_like(&self, other: &Effect) -> bool {
        match (self, other) {
            (Effect::Done, Effect::Done)
            | (Effect::Skipped { .. }, Effect::Skipped { .. })
            | (Effect::Warned { .. }, Effect::Warned { .. }) => true,
            (Effect::TablesDropped(one), Effect::TablesDropped(other)) => {
                one.len() == other.len()
                    && one.iter().all(|table| other.iter().any(|other| other.location == table.location))
            }
            (Effect::ColumnsChanged(one), Effect::ColumnsChanged(other)) => one.location == other.location,
            _ => false,
        }
    }
}

/// A catalog with changes that are not committed yet. Each operation is checked against what the author may do in
/// the catalog as it is then, so a privilege that was just revoked counts no more.
pub struct Draft<'a> {
    pub(super) snapshot: CatalogSnapshot,
    changes: Vec<Change>,
    /// The author, who owns what is made.
    pub(super) owner: &'a str,
}

impl<'a> Draft<'a> {
    pub fn new(base: &CatalogSnapshot, owner: &'a str) -> Self {
        Self { snapshot: base.clone(), changes: Vec::new(), owner }
    }

    /// The catalog as it will be.
    pub fn snapshot(&self) -> Arc<CatalogSnapshot> {
        Arc::new(self.snapshot.clone())
    }

    pub fn into_changes(self) -> Vec<Change> {
        self.changes
    }

    /// What follows is done by another role.
    #[must_use]
    pub fn owned_by(self, owner: &'a str) -> Self {
        Self { owner, ..self }
    }

    pub fn apply(&mut self, ddl: &Ddl) -> Result<Effect> {
        match ddl {
            Ddl::CreateSchema { name, owner, if_not_exists } => {
                self.create_schema(name, owner.as_deref(), *if_not_exists)
            }
            Ddl::DropSchema { name, if_exists, cascade } => self.drop_schema(name, *if_exists, *cascade),
            Ddl::CreateTable { name, table, location, if_not_exists } => {
                self.create_table(name, table, location, *if_not_exists)
            }
            Ddl::DropRelation { name, kind, if_exists, cascade } => {
                self.drop_relation(name, *kind, *if_exists, *cascade)
            }
            Ddl::RenameRelation { name, to } => self.rename_relation(name, to),
            Ddl::AddColumn { table, column, if_not_exists } => self.add_column(table, column, *if_not_exists),
            Ddl::WidenColumn { table, column, data_type, at_least } => {
                self.widen_column(table, column, data_type, *at_least)
            }
            Ddl::CreateView { name, query, columns, or_replace } => {
                self.create_view(name, query, columns, *or_replace)
            }
            Ddl::CreatePipe { pipe, or_replace, if_not_exists } => {
                self.create_pipe(pipe, *or_replace, *if_not_exists)
            }
            Ddl::DropPipe { name, if_exists } => self.drop_pipe(name, *if_exists),
            Ddl::PausePipe { name, paused } => self.pause_pipe(name, *paused),
            Ddl::Role(ddl) => self.role_ddl(ddl),
            Ddl::Setting(ddl) => self.setting_ddl(ddl),
            Ddl::Grant(grant) => self.grant(grant),
            Ddl::DefaultPrivileges(grant) => self.alter_default_privileges(grant),
            Ddl::Owner(ddl) => self.owner_ddl(ddl),
            Ddl::Constraint(ddl) => self.constraint_ddl(ddl),
            Ddl::Comment { target, comment } => self.comment(target, comment.as_deref()),
        }
    }

    pub(super) fn access(&self) -> Access {
        Access::of(&self.snapshot, self.owner)
    }

    /// Who may change or drop an object: its owner, and who has the owner's privileges.
    pub(super) fn require_ownership(&self, object: &Object) -> Result<()> {
        let owner = owner_of(object).unwrap_or(BOOTSTRAP_ROLE);
        if self.access().owns(owner) { Ok(()) } else { Err(not_owner(object.kind(), object.name())) }
    }

    fn require_create(&self, schema: &str) -> Result<()> {
        match self.snapshot.secured_schema(schema) {
            Some(secured) if !self.access().may(&secured, Privilege::Create) => Err(denied("schema", schema)),
            _ => Ok(()),
        }
    }

    pub(super) fn put(&mut self, object: Object) {
        let change = Change::Put(object);
        self.snapshot.apply(&change);
        self.changes.push(change);
    }

    pub(super) fn remove(&mut self, object: &Object) {
        let change = Change::drop(object);
        self.snapshot.apply(&change);
        self.changes.push(change);
    }

    fn create_schema(&mut self, name: &str, owner: Option<&str>, if_not_exists: bool) -> Result<Effect> {
        if !self.access().may(&Secured::database(&self.snapshot), Privilege::Create) {
            return Err(denied("database", BOOTSTRAP_ROLE));
        }
        let owner = owner.unwrap_or(self.owner);
        if owner != self.owner {
            require_role(&self.snapshot, owner)?;
            if !self.snapshot.is_member(self.owner, owner) {
                let message = format!("must be member of role \"{owner}\"");
                return Err(Error::new(ErrorKind::InsufficientPrivilege, message));
            }
        }
        if name.starts_with("pg_") || name == "information_schema" {
            return Err(Error::new(
                ErrorKind::DuplicateSchema,
                format!("unacceptable schema name \"{name}\""),
            )
            .with_detail("The prefix \"pg_\" is reserved for system schemas."));
        }
        if FOLDERS.contains(&name) {
            return Err(Error::new(
                ErrorKind::DuplicateSchema,
                format!("unacceptable schema name \"{name}\""),
            )
            .with_detail("The folder of that name under the root is not for tables."));
        }
        if self.snapshot.schema(name).is_some() {
            return exists(
                if_not_exists,
                ErrorKind::DuplicateSchema,
                format!("schema \"{name}\" already exists"),
            );
        }
        let oid = self.snapshot.next_oid();
        self.put(Object::Schema(Schema {
            oid,
            name: name.to_owned(),
            owner: owner.to_owned(),
            comment: None,
            acl: self.initial_acl(ObjectClass::Schema, None),
        }));
        Ok(Effect::Done)
    }

    pub(super) fn drop_schema(&mut self, name: &str, if_exists: bool, cascade: bool) -> Result<Effect> {
        let Some(schema) = self.snapshot.schema(name).cloned() else {
            return missing(
                if_exists,
                ErrorKind::UndefinedSchema,
                format!("schema \"{name}\" does not exist"),
            );
        };
        self.require_ownership(&Object::Schema(schema.clone()))?;
        let relations = self.snapshot.relation_names(name);
        if !relations.is_empty() && !cascade {
            return Err(Error::new(
                ErrorKind::DependentObjects,
                format!("cannot drop schema {name} because other objects depend on it"),
            )
            .with_detail(format!("It holds {}.", relations.join(", ")))
            .with_hint("Use DROP … CASCADE to drop the dependent objects too."));
        }
        let mut dropped = Vec::new();
        for relation in relations {
            let name = QualifiedName::new(name, relation);
            match self.snapshot.relation(&name).map(owned) {
                Some(object) => {
                    self.remove(&object);
                    if let Object::Table(table) = object
                        && table.external.is_none()
                    {
                        dropped.push(table);
                    }
                }
                None => continue,
            }
        }
        self.remove(&Object::Schema(schema));
        Ok(Effect::TablesDropped(dropped))
    }

    fn require_schema(&self, name: &str) -> Result<()> {
        if name == TEMPORARY_SCHEMA && self.snapshot.schema(name).is_some() {
            return Ok(());
        }
        if name.starts_with("pg_") || name == "information_schema" {
            return Err(Error::new(
                ErrorKind::InsufficientPrivilege,
                format!("permission denied to create in schema \"{name}\""),
            )
            .with_detail("System catalog modifications are not allowed."));
        }
        match self.snapshot.schema(name) {
            Some(_) => self.require_create(name),
            None => Err(Error::new(ErrorKind::UndefinedSchema, format!("schema \"{name}\" does not exist"))
                .with_hint(format!("CREATE SCHEMA {name}; makes it."))),
        }
    }

    fn create_table(
        &mut self,
        name: &QualifiedName,
        new: &NewTable,
        location: &str,
        if_not_exists: bool,
    ) -> Result<Effect> {
        self.require_schema(&name.schema)?;
        if self.snapshot.relation(name).is_some() {
            let message = format!("relation \"{}\" already exists", name.name);
            return exists(if_not_exists, ErrorKind::DuplicateTable, message);
        }
        check_columns(new)?;
        if let Some(from) = &new.external {
            refuse_warehouse_files(&self.snapshot, from)?;
            self.require_readable(from)?;
        }
        let oid = self.snapshot.next_oid();
        let constraints = number_constraints(&name.name, oid, &new.constraints);
        let mut columns = new.columns.clone();
        for rule in new.constraints.iter().map(|(_, rule)| rule) {
            if let Rule::PrimaryKey { columns: key } = rule {
                for column in columns.iter_mut().filter(|column| key.contains(&column.name)) {
                    column.not_null = true;
                }
            }
        }
        self.put(Object::Table(Table {
            oid,
            name: name.clone(),
            owner: self.owner.to_owned(),
            location: location.to_owned(),
            columns,
            constraints,
            partition_by: new.partition_by.clone(),
            cluster_by: new.cluster_by.clone(),
            external: new.external.clone(),
            query: new.query.clone(),
            comment: None,
            acl: self.initial_acl(ObjectClass::Relation, Some(&name.schema)),
            created_at: chrono::Utc::now(),
        }));
        Ok(Effect::Done)
    }

    pub(super) fn drop_relation(
        &mut self,
        name: &QualifiedName,
        kind: DropKind,
        if_exists: bool,
        cascade: bool,
    ) -> Result<Effect> {
        let Some(object) = self.snapshot.relation(name).map(owned) else {
            if self.snapshot.schema(&name.schema).is_none() && !if_exists {
                return Err(Error::new(
                    ErrorKind::UndefinedSchema,
                    format!("schema \"{}\" does not exist", name.schema),
                ));
            }
            let message = format!("{} \"{}\" does not exist", kind.word(), name.name);
            return missing(if_exists, ErrorKind::UndefinedTable, message);
        };
        if object.kind() != kind.word() {
            return Err(Error::new(
                ErrorKind::WrongObjectType,
                format!("\"{}\" is not a {}", name.name, kind.word()),
            )
            .with_hint(format!("Use DROP {} to remove it.", object.kind().to_uppercase())));
        }
        let owns_schema =
            self.snapshot.schema(&name.schema).is_some_and(|schema| self.access().owns(&schema.owner));
        if !owns_schema {
            self.require_ownership(&object)?;
        }
        let dependents: Vec<String> = self
            .snapshot
            .pipes()
            .filter(|pipe| pipe.into == *name)
            .map(|pipe| format!("pipe \"{}\"", pipe.name))
            .collect();
        if !dependents.is_empty() && !cascade {
            return Err(Error::new(
                ErrorKind::DependentObjects,
                format!("cannot drop {} {} because other objects depend on it", kind.word(), name),
            )
            .with_detail(format!("{} loads into it.", dependents.join(", ")))
            .with_hint("Use DROP … CASCADE to drop the dependent objects too."));
        }
        let pipes: Vec<Object> =
            self.snapshot.pipes().filter(|pipe| pipe.into == *name).cloned().map(Object::Pipe).collect();
        pipes.iter().for_each(|pipe| self.remove(pipe));
        self.remove(&object);
        match object {
            Object::Table(table) if table.external.is_none() => Ok(Effect::TablesDropped(vec![table])),
            _ => Ok(Effect::Done),
        }
    }

    fn rename_relation(&mut self, name: &QualifiedName, to: &str) -> Result<Effect> {
        let object = self.snapshot.relation(name).map(owned).ok_or_else(|| undefined_relation(name))?;
        self.require_ownership(&object)?;
        self.require_create(&name.schema)?;
        let target = QualifiedName::new(&name.schema, to);
        if self.snapshot.relation(&target).is_some() {
            return Err(Error::new(ErrorKind::DuplicateTable, format!("relation \"{to}\" already exists")));
        }
        let renamed = match object {
            Object::Table(table) => Object::Table(Table { name: target.clone(), ..table }),
            Object::View(view) => Object::View(View { name: target.clone(), ..view }),
            other => other,
        };
        self.put(renamed);
        let pipes: Vec<Pipe> = self.snapshot.pipes().filter(|pipe| pipe.into == *name).cloned().collect();
        for pipe in pipes {
            self.put(Object::Pipe(Pipe { into: target.clone(), ..pipe }));
        }
        Ok(Effect::Done)
    }

    fn add_column(&mut self, name: &QualifiedName, column: &Column, if_not_exists: bool) -> Result<Effect> {
        let mut table = self.snapshot.table(name)?.clone();
        self.require_ownership(&Object::Table(table.clone()))?;
        refuse_external(&table)?;
        refuse_system_name(&column.name)?;
        if table.column(&column.name).is_some() {
            if if_not_exists {
                // Widening the log again costs nothing, and mends one that a crash left narrow.
                return Ok(Effect::ColumnsChanged(Box::new(table)));
            }
            let message = format!("column \"{}\" of relation \"{}\" already exists", column.name, name.name);
            return exists(if_not_exists, ErrorKind::DuplicateColumn, message);
        }
        if column.not_null {
            return Err(Error::not_supported("a column that is added cannot be NOT NULL")
                .with_detail("Rows that exist already have NULL in it."));
        }
        table.columns.push(column.clone());
        self.put(Object::Table(table.clone()));
        Ok(Effect::ColumnsChanged(Box::new(table)))
    }

    fn widen_column(
        &mut self,
        name: &QualifiedName,
        column: &str,
        data_type: &SqlType,
        at_least: bool,
    ) -> Result<Effect> {
        let mut table = self.snapshot.table(name)?.clone();
        self.require_ownership(&Object::Table(table.clone()))?;
        refuse_external(&table)?;
        let Some(known) = table.columns.iter_mut().find(|known| known.name == column) else {
            return Err(Error::new(
                ErrorKind::UndefinedColumn,
                format!("column \"{column}\" of relation \"{}\" does not exist", name.name),
            ));
        };
        let is_wide_enough =
            known.data_type == *data_type || at_least && data_type.widens_to(&known.data_type);
        if !is_wide_enough {
            if !known.data_type.widens_to(data_type) {
                return Err(not_wider(known, data_type));
            }
            known.data_type = data_type.clone();
            self.put(Object::Table(table.clone()));
        }
        // Of a type that it has already: a log that a crash left narrow is mended.
        Ok(Effect::ColumnsChanged(Box::new(table)))
    }

    fn create_view(
        &mut self,
        name: &QualifiedName,
        query: &str,
        columns: &[Column],
        or_replace: bool,
    ) -> Result<Effect> {
        self.require_schema(&name.schema)?;
        let old = match self.snapshot.relation(name) {
            Some(Relation::View(view)) if or_replace => Some(view.clone()),
            Some(Relation::Table(_)) if or_replace => {
                return Err(Error::new(
                    ErrorKind::WrongObjectType,
                    format!("\"{}\" is not a view", name.name),
                ));
            }
            Some(_) => {
                return Err(Error::new(
                    ErrorKind::DuplicateTable,
                    format!("relation \"{}\" already exists", name.name),
                ));
            }
            None => None,
        };
        let mut columns = columns.to_vec();
        if let Some(old) = &old {
            self.require_ownership(&Object::View(old.clone()))?;
            for column in &mut columns {
                let kept = old.columns.iter().find(|known| known.name == column.name);
                column.comment = kept.and_then(|known| known.comment.clone());
                column.acl = kept.and_then(|known| known.acl.clone());
            }
            if old.query == query && old.columns == columns {
                return Ok(Effect::Done);
            }
        }
        let view = View {
            oid: old.as_ref().map_or_else(|| self.snapshot.next_oid(), |old| old.oid),
            name: name.clone(),
            owner: old.as_ref().map_or(self.owner, |old| &old.owner).to_owned(),
            query: query.to_owned(),
            columns,
            acl: match &old {
                Some(old) => old.acl.clone(),
                None => self.initial_acl(ObjectClass::Relation, Some(&name.schema)),
            },
            comment: old.and_then(|old| old.comment),
        };
        self.put(Object::View(view));
        Ok(Effect::Done)
    }

    fn create_pipe(&mut self, new: &NewPipe, or_replace: bool, if_not_exists: bool) -> Result<Effect> {
        let old = self.snapshot.pipe(&new.name).ok().cloned();
        if old.is_some() && !or_replace {
            let message = format!("pipe \"{}\" already exists", new.name);
            return exists(if_not_exists, ErrorKind::DuplicateObject, message);
        }
        if let Some(old) = &old {
            self.require_ownership(&Object::Pipe(old.clone()))?;
        }
        let owner = old.as_ref().map_or(self.owner, |old| &old.owner).to_owned();
        let mode = new.mode.settled(self.snapshot.table(&new.into)?)?;
        self.check_pipe(new, &owner)?;
        self.put(Object::Pipe(Pipe {
            oid: old.as_ref().map_or_else(|| self.snapshot.next_oid(), |old| old.oid),
            name: new.name.clone(),
            owner,
            from: new.from.clone(),
            into: new.into.clone(),
            format: new.format.clone(),
            options: new.options.clone(),
            mode,
            paused: old.as_ref().is_some_and(|old| old.paused),
            every_seconds: new.every_seconds,
            query: new.query.clone(),
            acl: match &old {
                Some(old) => old.acl.clone(),
                None => self.initial_acl(ObjectClass::Pipe, None),
            },
            comment: old.and_then(|old| old.comment),
        }));
        Ok(Effect::Done)
    }

    /// A pipe runs with its owner's privileges: whoever writes it must have them, and may read where it reads.
    fn check_pipe(&self, new: &NewPipe, owner: &str) -> Result<()> {
        let table = self.snapshot.table(&new.into)?;
        refuse_warehouse_files(&self.snapshot, &new.from)?;
        let access = self.access();
        if !access.owns(owner) {
            return Err(not_owner("pipe", &new.name));
        }
        for privilege in new.mode.privileges() {
            if !access.may(&Secured::relation(Relation::Table(table)), *privilege) {
                return Err(denied("table", &table.name.name));
            }
        }
        self.require_create(&new.into.schema)?;
        refuse_external(table)?;
        self.require_readable(&new.from)
    }

    fn require_readable(&self, from: &str) -> Result<()> {
        if !is_outside_of_root(from) || self.access().has_role(READ_FILES_ROLE) {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::InsufficientPrivilege,
            format!("permission denied to read \"{}\"", shown_location(from)),
        )
        .with_detail(format!(
            "Only roles with privileges of the \"{READ_FILES_ROLE}\" role may read outside of the warehouse."
        ))
        .with_hint("Drop files under landing/, and read them there."))
    }

    fn pause_pipe(&mut self, name: &str, paused: bool) -> Result<Effect> {
        let pipe = self.snapshot.pipe(name)?.clone();
        self.require_ownership(&Object::Pipe(pipe.clone()))?;
        if pipe.paused != paused {
            self.put(Object::Pipe(Pipe { paused, ..pipe }));
        }
        Ok(Effect::Done)
    }

    pub(super) fn drop_pipe(&mut self, name: &str, if_exists: bool) -> Result<Effect> {
        match self.snapshot.pipe(name).cloned() {
            Ok(pipe) => {
                self.require_ownership(&Object::Pipe(pipe.clone()))?;
                self.remove(&Object::Pipe(pipe));
                Ok(Effect::Done)
            }
            Err(_) => {
                missing(if_exists, ErrorKind::UndefinedObject, format!("pipe \"{name}\" does not exist"))
            }
        }
    }

    fn comment(&mut self, target: &CommentTarget, comment: Option<&str>) -> Result<Effect> {
        let comment = comment.map(str::to_owned);
        let (before, after) = match target {
            CommentTarget::Schema(name) => {
                let schema = self.snapshot.schema(name).cloned().ok_or_else(|| {
                    Error::new(ErrorKind::UndefinedSchema, format!("schema \"{name}\" does not exist"))
                })?;
                (Object::Schema(schema.clone()), Object::Schema(Schema { comment, ..schema }))
            }
            CommentTarget::Relation(name) => {
                let before =
                    self.snapshot.relation(name).map(owned).ok_or_else(|| undefined_relation(name))?;
                let mut after = before.clone();
                match &mut after {
                    Object::Table(table) => table.comment = comment,
                    Object::View(view) => view.comment = comment,
                    _ => {}
                }
                (before, after)
            }
            CommentTarget::Column(name, column) => self.comment_on_column(name, column, comment)?,
            CommentTarget::Pipe(name) => {
                let pipe = self.snapshot.pipe(name)?.clone();
                (Object::Pipe(pipe.clone()), Object::Pipe(Pipe { comment, ..pipe }))
            }
        };
        self.require_ownership(&before)?;
        if before != after {
            self.put(after);
        }
        Ok(Effect::Done)
    }

    fn comment_on_column(
        &self,
        name: &QualifiedName,
        column: &str,
        comment: Option<String>,
    ) -> Result<(Object, Object)> {
        let before = self.snapshot.relation(name).map(owned).ok_or_else(|| undefined_relation(name))?;
        let mut after = before.clone();
        let columns = match &mut after {
            Object::Table(table) => &mut table.columns,
            Object::View(view) => &mut view.columns,
            _ => return Err(undefined_relation(name)),
        };
        let found = columns.iter_mut().find(|known| known.name == column).ok_or_else(|| {
            Error::new(
                ErrorKind::UndefinedColumn,
                format!("column \"{column}\" of relation \"{}\" does not exist", name.name),
            )
        })?;
        found.comment = comment;
        Ok((before, after))
    }
}

/// Nothing is changed that another program keeps.
fn not_wider(column: &Column, data_type: &SqlType) -> Error {
    let Column { name, data_type: known, .. } = column;
    Error::not_supported(format!("column \"{name}\" of type {known} cannot become {data_type}"))
        .with_detail(format!("Not every value of type {known} is one of type {data_type}."))
        .with_hint(
            "A type can be widened: smallint to integer to bigint, real to double precision, numeric to more digits, \
             date to timestamp, character varying to a longer one or text. CREATE TABLE … AS SELECT makes any other change.",
        )
}

pub fn refuse_external(table: &Table) -> Result<()> {
    if table.external.is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::WrongObjectType,
        format!("cannot change external table \"{}\"", table.name.name),
    )
    .with_hint("It belongs to the program that wrote it; CREATE TABLE … AS SELECT copies it."))
}

pub(super) fn owned(relation: Relation<'_>) -> Object {
    match relation {
        Relation::Table(table) => Object::Table(table.clone()),
        Relation::View(view) => Object::View(view.clone()),
    }
}

pub(super) fn undefined_role(name: &str) -> Error {
    Error::new(ErrorKind::UndefinedObject, format!("role \"{name}\" does not exist"))
}

pub(super) fn require_role(snapshot: &CatalogSnapshot, name: &str) -> Result<()> {
    if snapshot.role(name).is_some() { Ok(()) } else { Err(undefined_role(name)) }
}

pub(super) fn exists(skip: bool, kind: ErrorKind, message: String) -> Result<Effect> {
    if skip {
        let reason = format!("{message}, skipping");
        return Ok(Effect::Skipped { kind, reason });
    }
    Err(Error::new(kind, message))
}

pub(super) fn missing(skip: bool, kind: ErrorKind, message: String) -> Result<Effect> {
    exists(skip, kind, message)
}

pub(crate) fn check_columns(new: &NewTable) -> Result<()> {
    if new.columns.is_empty() {
        return Err(Error::not_supported("a table needs at least one column"));
    }
    for (index, column) in new.columns.iter().enumerate() {
        refuse_system_name(&column.name)?;
        if new.columns[..index].iter().any(|before| before.name.eq_ignore_ascii_case(&column.name)) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("column \"{}\" specified more than once", column.name),
            ));
        }
    }
    let keys = new.constraints.iter().flat_map(|(_, rule)| match rule {
        Rule::PrimaryKey { columns } | Rule::Unique { columns } => columns.as_slice(),
        Rule::Check { .. } | Rule::Expect { .. } => &[],
    });
    for name in keys.chain(&new.partition_by).chain(&new.cluster_by) {
        if !new.columns.iter().any(|column| column.name == *name) {
            return Err(Error::new(ErrorKind::UndefinedColumn, format!("column \"{name}\" does not exist")));
        }
    }
    for column in new.columns.iter().filter(|column| new.partition_by.contains(&column.name)) {
        use super::SqlType::{Array, Bytea, DoublePrecision, Json, Real};
        if matches!(column.data_type, Array(_) | Bytea | DoublePrecision | Json | Real) {
            return Err(Error::not_supported(format!(
                "a table cannot be partitioned by column \"{}\" of type {}",
                column.name, column.data_type
            )));
        }
    }
    if new.partition_by.len() == new.columns.len() {
        return Err(Error::not_supported("a table needs a column that it is not partitioned by"));
    }
    Ok(())
}

/// Names that the engine gives to columns of its own in scans and merges.
fn refuse_system_name(name: &str) -> Result<()> {
    if ["__affected", "__file", "__row", "__matched"].contains(&name) {
        return Err(Error::new(
            ErrorKind::DuplicateColumn,
            format!("column name \"{name}\" conflicts with a system column name"),
        ));
    }
    Ok(())
}
