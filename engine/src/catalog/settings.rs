//! What sessions begin with: ALTER ROLE … SET and ALTER DATABASE … SET.
//!
//! Of the same parameter, what is said of a role in the database counts more than what is said of the role, that more
//! than what is said of the database, and that more than what is said of everybody.

use serde::{Deserialize, Serialize};

use super::access::is_predefined;
use super::ddl::{Draft, Effect, undefined_role};
use super::{CatalogSnapshot, Database, Object, Role};
use crate::error::{Error, ErrorKind, Result};

/// A parameter and its value, as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone)]
pub struct SettingDdl {
    pub scope: SettingScope,
    pub change: SettingChange,
}

/// Whose sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingScope {
    Role { name: String, in_database: bool },
    Database,
    Everybody,
}

#[derive(Debug, Clone)]
pub enum SettingChange {
    Set(Setting),
    Reset(String),
    ResetAll,
}

impl SettingChange {
    fn apply(&self, settings: &mut Vec<Setting>) {
        let is = |known: &Setting, name: &str| known.name.eq_ignore_ascii_case(name);
        match self {
            SettingChange::Set(new) => match settings.iter_mut().find(|known| is(known, &new.name)) {
                Some(known) => known.value.clone_from(&new.value),
                None => settings.push(new.clone()),
            },
            SettingChange::Reset(name) => settings.retain(|known| !is(known, name)),
            SettingChange::ResetAll => settings.clear(),
        }
    }
}

impl CatalogSnapshot {
    /// What sessions of a role begin with, by PostgreSQL's word for where it comes from; the later counts more.
    pub fn settings_of(&self, role: &str) -> Vec<(&'static str, &[Setting])> {
        let (database, role) = (self.database(), self.role(role));
        let of_database = |part: fn(&Database) -> &Vec<Setting>| {
            database.map_or(&[][..], |database| part(database).as_slice())
        };
        let of_role = |part: fn(&Role) -> &Vec<Setting>| role.map_or(&[][..], |role| part(role).as_slice());
        vec![
            ("global", of_database(|database| &database.everybody)),
            ("database", of_database(|database| &database.settings)),
            ("user", of_role(|role| &role.settings)),
            ("database user", of_role(|role| &role.database_settings)),
        ]
    }
}

impl Draft<'_> {
    pub(super) fn setting_ddl(&mut self, ddl: &SettingDdl) -> Result<Effect> {
        match &ddl.scope {
            SettingScope::Role { name, in_database } => self.set_for_role(name, *in_database, &ddl.change)?,
            SettingScope::Database => {
                if !self.access().owns(super::access::BOOTSTRAP_ROLE) {
                    return Err(forbidden(format!("must be owner of database {}", self.database().name)));
                }
                self.set_for_database(|database| &mut database.settings, &ddl.change);
            }
            SettingScope::Everybody => {
                if !self.access().is_superuser() {
                    return Err(forbidden("must be superuser to alter settings globally"));
                }
                self.set_for_database(|database| &mut database.everybody, &ddl.change);
            }
        }
        Ok(Effect::Done)
    }

    fn set_for_database(&mut self, part: fn(&mut Database) -> &mut Vec<Setting>, change: &SettingChange) {
        let mut database = self.database();
        change.apply(part(&mut database));
        if self.snapshot.database() != Some(&database) {
            self.put(Object::Database(database));
        }
    }

    fn set_for_role(&mut self, name: &str, in_database: bool, change: &SettingChange) -> Result<()> {
        let role = self.snapshot.role(name).cloned().ok_or_else(|| undefined_role(name))?;
        if is_predefined(name) {
            return Err(Error::new(ErrorKind::ReservedName, format!("role name \"{name}\" is reserved"))
                .with_detail("Cannot alter reserved roles."));
        }
        if role.superuser && !self.access().is_superuser() {
            return Err(forbidden("must be superuser to alter superusers"));
        }
        if name != self.owner && !self.makes_roles() {
            return Err(forbidden("permission denied"));
        }
        let mut changed = role.clone();
        change.apply(if in_database { &mut changed.database_settings } else { &mut changed.settings });
        if changed != role {
            self.put(Object::Role(changed));
        }
        Ok(())
    }
}

fn forbidden(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InsufficientPrivilege, message)
}
