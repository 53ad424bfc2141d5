//! Roles and memberships: their effect on a draft.

use chrono::{DateTime, Utc};

use super::access::{BOOTSTRAP_ROLE, Follow, is_predefined};
use super::ddl::{Draft, Effect, require_role, undefined_role};
use super::{Membership, Object, Role};
use crate::error::{Error, ErrorKind, Result};

/// What CREATE ROLE and ALTER ROLE say; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoleOptions {
    pub superuser: Option<bool>,
    pub create_role: Option<bool>,
    pub inherit: Option<bool>,
    pub login: Option<bool>,
    /// Inside: `None` for no limit.
    pub connection_limit: Option<Option<u32>>,
    /// A SCRAM verifier in PostgreSQL's text form. Inside: `None` for no password.
    pub verifier: Option<Option<String>>,
    /// Inside: `None` for ever.
    pub valid_until: Option<Option<DateTime<Utc>>>,
}

#[derive(Debug, Clone)]
pub enum RoleDdl {
    Create {
        name: String,
        options: RoleOptions,
        /// Roles that it becomes a member of.
        in_roles: Vec<String>,
        /// Roles that become members of it, and whether with ADMIN OPTION.
        members: Vec<(String, bool)>,
        if_not_exists: bool,
    },
    Alter {
        name: String,
        options: RoleOptions,
    },
    Rename {
        name: String,
        to: String,
    },
    Drop {
        names: Vec<String>,
        if_exists: bool,
    },
    Grant {
        roles: Vec<String>,
        to: Vec<String>,
        admin: bool,
    },
    Revoke {
        roles: Vec<String>,
        from: Vec<String>,
        admin_only: bool,
    },
}

impl Draft<'_> {
    pub(super) fn role_ddl(&mut self, ddl: &RoleDdl) -> Result<Effect> {
        match ddl {
            RoleDdl::Create { name, options, in_roles, members, if_not_exists } => {
                if *if_not_exists && self.snapshot.role(name).is_some() {
                    return Ok(Effect::Skipped {
                        kind: ErrorKind::DuplicateObject,
                        reason: format!("role \"{name}\" already exists, skipping"),
                    });
                }
                self.create_role(name, options)?;
                for role in in_roles {
                    self.add_member(role, name, false)?;
                }
                for (member, admin) in members {
                    self.add_member(name, member, *admin)?;
                }
                Ok(Effect::Done)
            }
            RoleDdl::Alter { name, options } => self.alter_role(name, options),
            RoleDdl::Rename { name, to } => self.rename_role(name, to),
            RoleDdl::Drop { names, if_exists } => {
                let mut told = Effect::Done;
                for name in names {
                    let effect = self.drop_role(name, *if_exists)?;
                    told = if effect == Effect::Done { told } else { effect };
                }
                Ok(told)
            }
            RoleDdl::Grant { roles, to, admin } => {
                let mut told = Effect::Done;
                for (role, member) in pairs(roles, to) {
                    if self.add_member(role, member, *admin)? == Added::Known {
                        let reason = format!("role \"{member}\" is already a member of role \"{role}\"");
                        told = Effect::Skipped { kind: ErrorKind::DuplicateObject, reason };
                    }
                }
                Ok(told)
            }
            RoleDdl::Revoke { roles, from, admin_only } => {
                let mut told = Effect::Done;
                for (role, member) in pairs(roles, from) {
                    if !self.remove_member(role, member, *admin_only)? {
                        let message = format!("role \"{member}\" is not a member of role \"{role}\"");
                        told = Effect::Warned { sqlstate: "01000", message };
                    }
                }
                Ok(told)
            }
        }
    }

    /// Whether the author may make and change roles.
    pub(super) fn makes_roles(&self) -> bool {
        self.access().is_superuser() || self.snapshot.role(self.owner).is_some_and(|role| role.create_role)
    }

    fn create_role(&mut self, name: &str, options: &RoleOptions) -> Result<()> {
        if !self.makes_roles() {
            return Err(forbidden("permission denied to create role"));
        }
        if options.superuser == Some(true) && !self.access().is_superuser() {
            return Err(forbidden("must be superuser to create superusers"));
        }
        refuse_reserved(name)?;
        if self.snapshot.role(name).is_some() {
            return Err(Error::new(ErrorKind::DuplicateObject, format!("role \"{name}\" already exists")));
        }
        let role = Role::new(self.snapshot.next_oid(), name);
        self.put(Object::Role(with_options(role, options)));
        Ok(())
    }

    fn alter_role(&mut self, name: &str, options: &RoleOptions) -> Result<Effect> {
        let role = self.snapshot.role(name).cloned().ok_or_else(|| undefined_role(name))?;
        if is_predefined(name) {
            return Err(reserved(name));
        }
        let own_password = name == self.owner
            && *options == RoleOptions { verifier: options.verifier.clone(), ..RoleOptions::default() };
        if !self.access().is_superuser() && !own_password {
            if options.superuser.is_some() || role.superuser {
                return Err(forbidden(
                    "must be superuser to alter superuser roles or change superuser attribute",
                ));
            }
            if !self.makes_roles() {
                return Err(forbidden("permission denied"));
            }
            self.refuse_powerful(name)?;
        }
        if name == BOOTSTRAP_ROLE && options.superuser == Some(false) {
            return Err(forbidden("permission denied to alter role")
                .with_detail(format!("The role \"{name}\" must stay a superuser.")));
        }
        let changed = with_options(role.clone(), options);
        if changed != role {
            self.put(Object::Role(changed));
        }
        Ok(Effect::Done)
    }

    /// CREATEROLE is not a way to a superuser's powers, nor to those of a predefined role.
    fn refuse_powerful(&self, name: &str) -> Result<()> {
        let reached = self.snapshot.roles_of(name, Follow::Every);
        let powerful = reached.iter().find(|role| is_predefined(role) || self.snapshot.is_superuser(role));
        match powerful {
            None => Ok(()),
            Some(powerful) if powerful == name && self.snapshot.is_superuser(name) => {
                Err(forbidden("must be superuser to alter superusers"))
            }
            Some(powerful) if powerful == name => {
                Err(forbidden(format!("must have admin option on role \"{name}\"")))
            }
            Some(powerful) => Err(forbidden(format!("must be superuser to alter role \"{name}\""))
                .with_detail(format!("It is a member of role \"{powerful}\"."))),
        }
    }

    fn rename_role(&mut self, name: &str, to: &str) -> Result<Effect> {
        let role = self.snapshot.role(name).cloned().ok_or_else(|| undefined_role(name))?;
        if name == self.owner {
            return Err(Error::not_supported("current user cannot be renamed"));
        }
        if is_predefined(name) || name == BOOTSTRAP_ROLE {
            return Err(reserved(name));
        }
        refuse_reserved(to)?;
        if self.snapshot.role(to).is_some() {
            return Err(Error::new(ErrorKind::DuplicateObject, format!("role \"{to}\" already exists")));
        }
        if !self.access().is_superuser() {
            if role.superuser {
                return Err(forbidden("must be superuser to rename superusers"));
            }
            if !self.makes_roles() {
                return Err(forbidden("permission denied to rename role"));
            }
            self.refuse_powerful(name)?;
        }
        self.put(Object::Role(Role { name: to.to_owned(), ..role }));
        self.replace_role(name, to);
        Ok(Effect::Done)
    }

    fn drop_role(&mut self, name: &str, if_exists: bool) -> Result<Effect> {
        if !self.makes_roles() {
            return Err(forbidden("permission denied to drop role"));
        }
        let Some(role) = self.snapshot.role(name).cloned() else {
            if if_exists {
                return Ok(Effect::Skipped {
                    kind: ErrorKind::UndefinedObject,
                    reason: format!("role \"{name}\" does not exist, skipping"),
                });
            }
            return Err(undefined_role(name));
        };
        if name == self.owner {
            return Err(Error::new(ErrorKind::ObjectInUse, "current user cannot be dropped"));
        }
        if is_predefined(name) || name == BOOTSTRAP_ROLE {
            return Err(Error::new(
                ErrorKind::DependentObjects,
                format!("cannot drop role {name} because it is required by the database system"),
            ));
        }
        if !self.access().is_superuser() {
            if role.superuser {
                return Err(forbidden("must be superuser to drop superusers"));
            }
            self.refuse_powerful(name)?;
        }
        let dependents = self.dependents_of_role(name);
        if !dependents.is_empty() {
            return Err(Error::new(
                ErrorKind::DependentObjects,
                format!("role \"{name}\" cannot be dropped because some objects depend on it"),
            )
            .with_detail(dependents.join("\n"))
            .with_hint("REASSIGN OWNED and DROP OWNED clear the way."));
        }
        self.remove(&Object::Role(role));
        let members: Vec<Role> =
            self.snapshot.roles().filter(|role| is_member(role, name)).cloned().collect();
        for mut member in members {
            member.member_of.retain(|membership| membership.role != name);
            self.put(Object::Role(member));
        }
        Ok(Effect::Done)
    }

    /// Whether the author may give or take membership in a role.
    fn check_may_admin(&self, role: &str) -> Result<()> {
        if self.snapshot.may_admin(self.owner, role) {
            return Ok(());
        }
        if self.snapshot.is_superuser(role) {
            return Err(forbidden("must be superuser to alter superusers"));
        }
        if !self.makes_roles() {
            return Err(forbidden(format!("must have admin option on role \"{role}\"")));
        }
        self.refuse_powerful(role)
    }

    fn add_member(&mut self, role: &str, member: &str, admin: bool) -> Result<Added> {
        require_role(&self.snapshot, role)?;
        let mut found = self.snapshot.role(member).cloned().ok_or_else(|| undefined_role(member))?;
        self.check_may_admin(role)?;
        if is_predefined(member) {
            return Err(reserved(member));
        }
        if self.snapshot.roles_of(role, Follow::Every).contains(member) {
            let message = format!("role \"{role}\" is a member of role \"{member}\"");
            return Err(Error::new(ErrorKind::InvalidGrant, message));
        }
        let known = found.member_of.iter_mut().find(|membership| membership.role == role);
        match known {
            Some(known) if known.admin || !admin => return Ok(Added::Known),
            Some(known) => known.admin = true,
            None => {
                let by = self.owner.to_owned();
                found.member_of.push(Membership { role: role.to_owned(), by, admin });
            }
        }
        self.put(Object::Role(found));
        Ok(Added::New)
    }

    fn remove_member(&mut self, role: &str, member: &str, admin_only: bool) -> Result<bool> {
        require_role(&self.snapshot, role)?;
        let mut found = self.snapshot.role(member).cloned().ok_or_else(|| undefined_role(member))?;
        self.check_may_admin(role)?;
        if is_predefined(member) {
            return Err(reserved(member));
        }
        let Some(place) = found.member_of.iter().position(|membership| membership.role == role) else {
            return Ok(false);
        };
        if admin_only {
            found.member_of[place].admin = false;
        } else {
            found.member_of.remove(place);
        }
        self.put(Object::Role(found));
        Ok(true)
    }
}

#[derive(PartialEq)]
enum Added {
    New,
    Known,
}

fn pairs<'a>(roles: &'a [String], members: &'a [String]) -> impl Iterator<Item = (&'a str, &'a str)> {
    roles.iter().flat_map(|role| members.iter().map(move |member| (role.as_str(), member.as_str())))
}

fn is_member(role: &Role, of: &str) -> bool {
    role.member_of.iter().any(|membership| membership.role == of)
}

fn with_options(mut role: Role, options: &RoleOptions) -> Role {
    let RoleOptions { superuser, create_role, inherit, login, connection_limit, verifier, valid_until } =
        options;
    role.superuser = superuser.unwrap_or(role.superuser);
    role.create_role = create_role.unwrap_or(role.create_role);
    role.inherit = inherit.unwrap_or(role.inherit);
    role.login = login.unwrap_or(role.login);
    if let Some(limit) = connection_limit {
        role.connection_limit = *limit;
    }
    if let Some(verifier) = verifier {
        role.verifier.clone_from(verifier);
    }
    if let Some(until) = valid_until {
        role.valid_until = *until;
    }
    role
}

fn forbidden(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InsufficientPrivilege, message)
}

fn reserved(name: &str) -> Error {
    Error::new(ErrorKind::ReservedName, format!("role name \"{name}\" is reserved"))
}

/// Names that mean something else in SQL, or that PostgreSQL keeps for itself.
fn refuse_reserved(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::syntax("zero-length delimited identifier"));
    }
    if matches!(name, "public" | "none") {
        return Err(reserved(name));
    }
    if name.starts_with("pg_") {
        return Err(reserved(name).with_detail("Role names starting with \"pg_\" are reserved."));
    }
    Ok(())
}
