//! Owners: ALTER … OWNER TO, REASSIGN OWNED, DROP OWNED, and what depends on a role.

use super::access::{denied, not_owner, owner_of};
use super::acl::{Acl, Privilege};
use super::ddl::{Draft, DropKind, Effect, require_role};
use super::{Column, Object, QualifiedName, Role, Table};
use crate::error::{Error, ErrorKind, Result};

/// What ALTER … OWNER TO names.
#[derive(Debug, Clone)]
pub enum OwnedTarget {
    /// ALTER TABLE changes views too, as in PostgreSQL.
    Relation {
        name: QualifiedName,
        kind: DropKind,
    },
    Schema(String),
    Pipe(String),
}

#[derive(Debug, Clone)]
pub enum OwnerDdl {
    Change { target: OwnedTarget, to: String },
    Reassign { from: Vec<String>, to: String },
    Drop { roles: Vec<String>, cascade: bool },
}

impl Draft<'_> {
    pub(super) fn owner_ddl(&mut self, ddl: &OwnerDdl) -> Result<Effect> {
        match ddl {
            OwnerDdl::Change { target, to } => self.change_owner(target, to),
            OwnerDdl::Reassign { from, to } => self.reassign_owned(from, to),
            OwnerDdl::Drop { roles, cascade } => self.drop_owned(roles, *cascade),
        }
    }

    fn owned_object(&self, target: &OwnedTarget) -> Result<Object> {
        match target {
            OwnedTarget::Relation { name, kind } => {
                let found = self.snapshot.relation(name).map(super::ddl::owned);
                let object = found.ok_or_else(|| super::undefined_relation(name))?;
                if *kind != DropKind::Table && object.kind() != kind.word() {
                    return Err(Error::new(
                        ErrorKind::WrongObjectType,
                        format!("\"{}\" is not a {}", name.name, kind.word()),
                    ));
                }
                Ok(object)
            }
            OwnedTarget::Schema(name) => {
                self.snapshot.schema(name).cloned().map(Object::Schema).ok_or_else(|| {
                    Error::new(ErrorKind::UndefinedSchema, format!("schema \"{name}\" does not exist"))
                })
            }
            OwnedTarget::Pipe(name) => Ok(Object::Pipe(self.snapshot.pipe(name)?.clone())),
        }
    }

    fn change_owner(&mut self, target: &OwnedTarget, to: &str) -> Result<Effect> {
        let object = self.owned_object(target)?;
        require_role(&self.snapshot, to)?;
        let owner = owner_of(&object).unwrap_or_default().to_owned();
        if owner == to {
            return Ok(Effect::Done);
        }
        let access = self.access();
        if !access.is_superuser() {
            if !access.owns(&owner) {
                return Err(not_owner(object.kind(), object.name()));
            }
            if !self.snapshot.is_member(self.owner, to) {
                return Err(Error::new(
                    ErrorKind::InsufficientPrivilege,
                    format!("must be member of role \"{to}\""),
                ));
            }
            self.check_new_owner(&object, to)?;
        }
        self.put(with_owner(object, &owner, to));
        Ok(Effect::Done)
    }

    /// The new owner could have made the object there.
    fn check_new_owner(&self, object: &Object, to: &str) -> Result<()> {
        let access = super::access::Access::of(&self.snapshot, to);
        if let Some(schema) = object.schema_name()
            && let Some(secured) = self.snapshot.secured_schema(schema)
            && !access.may(&secured, Privilege::Create)
        {
            return Err(denied("schema", schema));
        }
        if matches!(object, Object::Schema(_)) {
            let database = super::access::Secured::database(&self.snapshot);
            if !access.may(&database, Privilege::Create) {
                return Err(denied("database", super::access::BOOTSTRAP_ROLE));
            }
        }
        Ok(())
    }

    fn reassign_owned(&mut self, from: &[String], to: &str) -> Result<Effect> {
        require_role(&self.snapshot, to)?;
        for role in from {
            require_role(&self.snapshot, role)?;
            if !(self.access().has_role(role) && self.access().has_role(to)) {
                return Err(Error::new(
                    ErrorKind::InsufficientPrivilege,
                    "permission denied to reassign objects",
                ));
            }
            self.refuse_required(role, "reassign ownership of objects")?;
            for object in self.objects_of(role) {
                self.put(with_owner(object, role, to));
            }
        }
        Ok(Effect::Done)
    }

    fn refuse_required(&self, role: &str, what: &str) -> Result<()> {
        if role != super::access::BOOTSTRAP_ROLE {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::DependentObjects,
            format!("cannot {what} owned by role {role} because they are required by the database system"),
        ))
    }

    fn objects_of(&self, role: &str) -> Vec<Object> {
        self.snapshot.objects().filter(|object| owner_of(object) == Some(role)).cloned().collect()
    }

    fn drop_owned(&mut self, roles: &[String], cascade: bool) -> Result<Effect> {
        let mut dropped: Vec<Table> = Vec::new();
        for role in roles {
            require_role(&self.snapshot, role)?;
            if !self.access().has_role(role) {
                return Err(Error::new(
                    ErrorKind::InsufficientPrivilege,
                    "permission denied to drop objects",
                ));
            }
            self.refuse_required(role, "drop objects")?;
            // Pipes first, then what they load into, then the schemas that hold it.
            let mut objects = self.objects_of(role);
            objects.sort_by_key(|object| match object {
                Object::Pipe(_) => 0,
                Object::Schema(_) => 2,
                _ => 1,
            });
            for object in objects {
                let effect = match &object {
                    Object::Schema(schema) => self.drop_schema(&schema.name, true, cascade)?,
                    Object::Pipe(pipe) => self.drop_pipe(&pipe.name, true)?,
                    Object::Table(table) => {
                        let kind =
                            if table.query.is_some() { DropKind::MaterializedView } else { DropKind::Table };
                        self.drop_relation(&table.name, kind, true, cascade)?
                    }
                    Object::View(view) => self.drop_relation(&view.name, DropKind::View, true, cascade)?,
                    Object::Role(_) | Object::Database(_) => continue,
                };
                if let Effect::TablesDropped(tables) = effect {
                    dropped.extend(tables);
                }
            }
            self.forget_role_in_acls(role);
        }
        Ok(Effect::TablesDropped(dropped))
    }

    /// Takes every privilege that a role was granted or granted itself.
    fn forget_role_in_acls(&mut self, role: &str) {
        self.change_acls(|acl, _| acl.0.retain(|item| item.to.as_deref() != Some(role) && item.by != role));
        if let Some(mut own) = self.snapshot.role(role).cloned()
            && !own.default_privileges.is_empty()
        {
            own.default_privileges.clear();
            self.put(Object::Role(own));
        }
    }

    /// Writes another name in place of a role's, wherever one stands.
    pub(super) fn replace_role(&mut self, old: &str, new: &str) {
        for object in self.objects_of(old) {
            self.put(with_owner(object, old, new));
        }
        self.change_acls(|acl, _| *acl = acl.with_role_replaced(old, new));
        let members: Vec<Role> = self.snapshot.roles().cloned().collect();
        for role in members {
            let mut changed = role.clone();
            for membership in &mut changed.member_of {
                for name in [&mut membership.role, &mut membership.by] {
                    if name == old {
                        new.clone_into(name);
                    }
                }
            }
            if changed != role {
                self.put(Object::Role(changed));
            }
        }
    }

    /// Changes every list there is.
    fn change_acls(&mut self, change: impl Fn(&mut Acl, &Object)) {
        let objects: Vec<Object> = self.snapshot.objects().cloned().collect();
        for object in objects {
            let mut changed = object.clone();
            for_each_acl(&mut changed, |acl| change(acl, &object));
            if changed != object {
                self.put(changed);
            }
        }
    }

    /// Why a role cannot go, a line each.
    pub(super) fn dependents_of_role(&self, role: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for object in self.snapshot.objects() {
            if owner_of(object) == Some(role) {
                lines.push(format!("owner of {} {}", object.kind(), shown(object)));
            }
            let mut copy = object.clone();
            let mut named = false;
            if let Object::Role(own) = &copy
                && own.name == role
            {
                let count = own.default_privileges.len();
                lines.extend((0..count).map(|_| format!("default privileges belonging to role {role}")));
                continue;
            }
            for_each_acl(&mut copy, |acl| named |= acl.names(role));
            if named {
                lines.push(match object {
                    Object::Role(other) => {
                        format!("privileges for default privileges belonging to role {}", other.name)
                    }
                    other => format!("privileges for {} {}", other.kind(), shown(other)),
                });
            }
        }
        lines
    }
}

fn shown(object: &Object) -> String {
    match object.schema_name() {
        Some(schema) if schema != "public" => format!("{schema}.{}", object.name()),
        _ => object.name().to_owned(),
    }
}

fn for_each_acl(object: &mut Object, mut visit: impl FnMut(&mut Acl)) {
    let of_columns = |columns: &mut Vec<Column>, visit: &mut dyn FnMut(&mut Acl)| {
        for column in columns {
            if let Some(acl) = &mut column.acl {
                visit(acl);
            }
            column.acl = column.acl.take().filter(|acl| !acl.is_empty());
        }
    };
    match object {
        Object::Schema(schema) => schema.acl.iter_mut().for_each(&mut visit),
        Object::Pipe(pipe) => pipe.acl.iter_mut().for_each(&mut visit),
        Object::Table(table) => {
            table.acl.iter_mut().for_each(&mut visit);
            of_columns(&mut table.columns, &mut visit);
        }
        Object::View(view) => {
            view.acl.iter_mut().for_each(&mut visit);
            of_columns(&mut view.columns, &mut visit);
        }
        Object::Role(role) => {
            role.default_privileges.iter_mut().for_each(|entry| visit(&mut entry.acl));
            role.default_privileges.retain(|entry| entry.schema.is_none() || !entry.acl.is_empty());
        }
        Object::Database(database) => {
            database.acl.iter_mut().for_each(&mut visit);
            for entry in database.built_in.values_mut() {
                entry.acl.iter_mut().for_each(&mut visit);
                entry.columns.values_mut().for_each(&mut visit);
                entry.columns.retain(|_, acl| !acl.is_empty());
            }
        }
    }
}

/// The object with another owner, whose grants become those of the new one.
fn with_owner(mut object: Object, old: &str, new: &str) -> Object {
    for_each_acl(&mut object, |acl| *acl = acl.with_role_replaced(old, new));
    let owner = match &mut object {
        Object::Schema(schema) => &mut schema.owner,
        Object::Table(table) => &mut table.owner,
        Object::View(view) => &mut view.owner,
        Object::Pipe(pipe) => &mut pipe.owner,
        Object::Role(_) | Object::Database(_) => return object,
    };
    new.clone_into(owner);
    object
}
