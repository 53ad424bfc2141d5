//! CREATE, ALTER and DROP ROLE, memberships and owners: from the statement to the definition.
//!
//! A password ends here: what goes on is its SCRAM verifier.

use chrono::{DateTime, Utc};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use voxhouse_engine::catalog::ddl::{
    Ddl, DropKind, OwnedTarget, OwnerDdl, RoleDdl, RoleOptions, SettingChange, SettingDdl, SettingScope,
};
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::{
    AccessStatement, GrantRoles, OwnedKind, RoleOption, RoleSpec, Secret, SetValue, SettingAction,
};
use crate::query::QueryContext;
use crate::query::context::{DATABASE, parse_timestamp};
use crate::query::names::{existing_name, parts};
use crate::wire::backend::ScramVerifier;
use crate::wire::scram::DEFAULT_ITERATIONS;

/// The definition that a statement makes; `None` for one about the session's own role.
pub fn plan(context: &QueryContext, statement: &AccessStatement) -> Result<Option<Ddl>> {
    Ok(Some(match statement {
        AccessStatement::CreateRole { name, login, options } => create(name, *login, options)?,
        AccessStatement::AlterRole { role, options } => alter(context, role, options)?,
        AccessStatement::AlterSetting { role, database, action } => {
            Ddl::Setting(setting(context, role.as_ref(), database.as_deref(), action)?)
        }
        AccessStatement::RenameRole { name, to } => {
            Ddl::Role(RoleDdl::Rename { name: name.clone(), to: to.clone() })
        }
        AccessStatement::DropRoles { names, if_exists } => {
            let names = role_names(context, names)?;
            if names.contains(&context.visible.session_role)
                && context.visible.session_role != context.visible.role
            {
                return Err(Error::new(ErrorKind::ObjectInUse, "session user cannot be dropped"));
            }
            Ddl::Role(RoleDdl::Drop { names, if_exists: *if_exists })
        }
        AccessStatement::GrantRoles(grant) => grant_roles(context, grant)?,
        AccessStatement::Grant(grant) => Ddl::Grant(super::grant::plan(context, grant)?),
        AccessStatement::AlterDefaultPrivileges(statement) => {
            Ddl::DefaultPrivileges(super::grant::plan_defaults(context, statement)?)
        }
        AccessStatement::AlterOwner { kind, name, to } => {
            let relation =
                |kind| Ok(OwnedTarget::Relation { name: existing_name(name, &context.visible)?, kind });
            let own_name = || parts(name)?.pop().ok_or_else(|| Error::syntax("a name is missing"));
            let target = match kind {
                OwnedKind::Table => relation(DropKind::Table),
                OwnedKind::View => relation(DropKind::View),
                OwnedKind::MaterializedView => relation(DropKind::MaterializedView),
                OwnedKind::Schema => own_name().map(OwnedTarget::Schema),
                OwnedKind::Pipe => own_name().map(OwnedTarget::Pipe),
            };
            Ddl::Owner(OwnerDdl::Change { target: target?, to: role_name(context, to)? })
        }
        AccessStatement::ReassignOwned { from, to } => {
            Ddl::Owner(OwnerDdl::Reassign { from: role_names(context, from)?, to: role_name(context, to)? })
        }
        AccessStatement::DropOwned { roles, cascade } => {
            Ddl::Owner(OwnerDdl::Drop { roles: role_names(context, roles)?, cascade: *cascade })
        }
        AccessStatement::SetRole { .. } | AccessStatement::SetSessionAuthorization { .. } => return Ok(None),
    }))
}

pub fn tag_of(ddl: &Ddl) -> &'static str {
    match ddl {
        Ddl::Role(RoleDdl::Create { .. }) => "CREATE ROLE",
        Ddl::Role(RoleDdl::Alter { .. } | RoleDdl::Rename { .. }) => "ALTER ROLE",
        Ddl::Role(RoleDdl::Drop { .. }) => "DROP ROLE",
        Ddl::Role(RoleDdl::Grant { .. }) => "GRANT ROLE",
        Ddl::Role(RoleDdl::Revoke { .. }) => "REVOKE ROLE",
        Ddl::Setting(SettingDdl { scope: SettingScope::Database, .. }) => "ALTER DATABASE",
        Ddl::Setting(_) => "ALTER ROLE",
        Ddl::Grant(grant) if grant.revoke => "REVOKE",
        Ddl::Grant(_) => "GRANT",
        Ddl::DefaultPrivileges(_) => "ALTER DEFAULT PRIVILEGES",
        Ddl::Owner(OwnerDdl::Reassign { .. }) => "REASSIGN OWNED",
        Ddl::Owner(OwnerDdl::Drop { .. }) => "DROP OWNED",
        Ddl::Owner(OwnerDdl::Change { target, .. }) => match target {
            OwnedTarget::Relation { kind: DropKind::Table, .. } => "ALTER TABLE",
            OwnedTarget::Relation { kind: DropKind::View, .. } => "ALTER VIEW",
            OwnedTarget::Relation { kind: DropKind::MaterializedView, .. } => "ALTER MATERIALIZED VIEW",
            OwnedTarget::Schema(_) => "ALTER SCHEMA",
            OwnedTarget::Pipe(_) => "ALTER PIPE",
        },
        _ => "",
    }
}

/// The name of a role that a statement means; PUBLIC is none.
pub(super) fn role_name(context: &QueryContext, spec: &RoleSpec) -> Result<String> {
    match spec {
        RoleSpec::Named(name) => Ok(name.clone()),
        RoleSpec::CurrentUser => Ok(context.visible.role.clone()),
        RoleSpec::SessionUser => Ok(context.visible.session_role.clone()),
        RoleSpec::Public => Err(Error::new(ErrorKind::UndefinedObject, "role \"public\" does not exist")),
    }
}

pub(super) fn role_names(context: &QueryContext, specs: &[RoleSpec]) -> Result<Vec<String>> {
    specs.iter().map(|spec| role_name(context, spec)).collect()
}

fn create(name: &str, login: bool, options: &[RoleOption]) -> Result<Ddl> {
    let mut said = Said::default();
    options.iter().try_for_each(|option| said.take(option))?;
    said.options.login = said.options.login.or(login.then_some(true));
    Ok(Ddl::Role(RoleDdl::Create {
        name: name.to_owned(),
        options: said.options,
        in_roles: said.in_roles,
        members: said.members,
        if_not_exists: false,
    }))
}

fn alter(context: &QueryContext, role: &RoleSpec, options: &[RoleOption]) -> Result<Ddl> {
    let name = role_name(context, role)?;
    let mut said = Said::default();
    options.iter().try_for_each(|option| said.take(option))?;
    if !said.in_roles.is_empty() || said.members.iter().any(|(_, admin)| *admin) {
        return Err(Error::syntax("ALTER ROLE does not change memberships")
            .with_hint("Use GRANT role TO role, or REVOKE."));
    }
    if !said.members.is_empty() {
        // `ALTER ROLE a USER b` and `ROLE b`: PostgreSQL's old form of GRANT.
        let to = said.members.into_iter().map(|(member, _)| member).collect();
        return Ok(Ddl::Role(RoleDdl::Grant { roles: vec![name], to, admin: false }));
    }
    Ok(Ddl::Role(RoleDdl::Alter { name, options: said.options }))
}

/// The value is checked now, and again when a session begins with it.
fn setting(
    context: &QueryContext,
    role: Option<&RoleSpec>,
    database: Option<&str>,
    action: &SettingAction,
) -> Result<SettingDdl> {
    if let Some(name) = database.filter(|name| *name != DATABASE) {
        let message = format!("database \"{name}\" does not exist");
        return Err(Error::new(ErrorKind::UndefinedDatabase, message));
    }
    let scope = match (role, database) {
        (Some(role), _) => {
            SettingScope::Role { name: role_name(context, role)?, in_database: database.is_some() }
        }
        (None, Some(_)) => SettingScope::Database,
        (None, None) => SettingScope::Everybody,
    };
    let session = &context.visible.session;
    let change = match action {
        SettingAction::ResetAll => SettingChange::ResetAll,
        SettingAction::Reset { name } | SettingAction::Set { name, value: SetValue::Default } => {
            SettingChange::Reset(session.accept(name, None)?.name)
        }
        SettingAction::SetCurrent { name } => {
            let value = session.setting(name)?;
            SettingChange::Set(session.accept(name, Some(&[value]))?)
        }
        SettingAction::Set { name, value: SetValue::Values(words) } => {
            let words: Vec<String> = words.iter().map(|word| word.text().to_owned()).collect();
            SettingChange::Set(session.accept(name, Some(&words))?)
        }
    };
    Ok(SettingDdl { scope, change })
}

fn grant_roles(context: &QueryContext, grant: &GrantRoles) -> Result<Ddl> {
    let roles = role_names(context, &grant.roles)?;
    let members = role_names(context, &grant.members)?;
    Ok(Ddl::Role(match grant.revoke {
        false => RoleDdl::Grant { roles, to: members, admin: grant.admin_option },
        true => RoleDdl::Revoke { roles, from: members, admin_only: grant.admin_option },
    }))
}

/// What the options of a statement come to.
#[derive(Default)]
struct Said {
    options: RoleOptions,
    in_roles: Vec<String>,
    members: Vec<(String, bool)>,
}

impl Said {
    fn take(&mut self, option: &RoleOption) -> Result<()> {
        let options = &mut self.options;
        match option {
            RoleOption::Attribute("SUPERUSER", on) => once(&mut options.superuser, *on),
            RoleOption::Attribute("CREATEROLE", on) => once(&mut options.create_role, *on),
            RoleOption::Attribute("INHERIT", on) => once(&mut options.inherit, *on),
            RoleOption::Attribute("LOGIN", on) => once(&mut options.login, *on),
            RoleOption::Attribute(_, false) => Ok(()),
            RoleOption::Attribute(attribute, true) => {
                Err(Error::not_supported(format!("the role attribute {attribute} is not supported")))
            }
            RoleOption::ConnectionLimit(limit) => {
                let limit = match u32::try_from(*limit) {
                    Ok(limit) => Some(limit),
                    Err(_) if *limit == -1 => None,
                    Err(_) => {
                        return Err(Error::invalid_argument(format!("invalid connection limit: {limit}")));
                    }
                };
                once(&mut options.connection_limit, limit)
            }
            RoleOption::Password(password) => {
                let verifier = password.as_ref().map(verifier).transpose()?.flatten();
                once(&mut options.verifier, verifier)
            }
            RoleOption::ValidUntil(text) => once(&mut options.valid_until, valid_until(text)?),
            RoleOption::InRoles(roles) => {
                self.in_roles.extend(roles.iter().cloned());
                Ok(())
            }
            RoleOption::Members(roles) => {
                self.members.extend(roles.iter().map(|role| (role.clone(), false)));
                Ok(())
            }
            RoleOption::Admins(roles) => {
                self.members.extend(roles.iter().map(|role| (role.clone(), true)));
                Ok(())
            }
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::syntax("conflicting or redundant options")),
    }
}

fn valid_until(text: &str) -> Result<Option<DateTime<Utc>>> {
    if text.trim().eq_ignore_ascii_case("infinity") {
        return Ok(None);
    }
    parse_timestamp(text).map(Some)
}

/// What is kept of a password: a ready-made verifier as it is. `None`: an empty one, which is none.
fn verifier(password: &Secret) -> Result<Option<String>> {
    let Secret(password) = password;
    if password.is_empty() {
        return Ok(None);
    }
    if password.parse::<ScramVerifier>().is_ok() {
        return Ok(Some(password.clone()));
    }
    let is_md5 = password
        .strip_prefix("md5")
        .is_some_and(|digest| digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_md5 {
        return Err(Error::not_supported("MD5 passwords are not supported")
            .with_hint("Give the password itself, or a SCRAM-SHA-256 verifier."));
    }
    let mut rng = ChaCha20Rng::from_os_rng();
    Ok(Some(ScramVerifier::from_password(password, DEFAULT_ITERATIONS, &mut rng).to_string()))
}
