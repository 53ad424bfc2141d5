//! GRANT, REVOKE and ALTER DEFAULT PRIVILEGES: their effect on the lists of a draft.

use std::collections::HashMap;

use super::access::{Secured, denied, function_key, relation_key, relation_word};
use super::acl::{Acl, ObjectClass, Privilege, PrivilegeSet, Rights};
use super::ddl::{Draft, Effect, require_role};
use super::{
    BuiltInAcl, Column, Database, DefaultPrivileges, Object, QualifiedName, Relation, undefined_relation,
};
use crate::error::{Error, ErrorKind, Result};

/// What a GRANT names.
#[derive(Debug, Clone)]
pub enum GrantTarget {
    Relation(QualifiedName),
    /// A relation that the process makes up, with its columns.
    BuiltIn(QualifiedName, Vec<String>),
    AllRelationsIn(String),
    /// There are no sequences: none is changed.
    AllSequencesIn(String),
    Schema(String),
    Function(String),
    Pipe(String),
    Database(String),
}

impl GrantTarget {
    fn class(&self) -> ObjectClass {
        match self {
            GrantTarget::Relation(_) | GrantTarget::BuiltIn(..) | GrantTarget::AllRelationsIn(_) => {
                ObjectClass::Relation
            }
            GrantTarget::AllSequencesIn(_) => ObjectClass::Sequence,
            GrantTarget::Schema(_) => ObjectClass::Schema,
            GrantTarget::Function(_) => ObjectClass::Function,
            GrantTarget::Pipe(_) => ObjectClass::Pipe,
            GrantTarget::Database(_) => ObjectClass::Database,
        }
    }
}

/// One privilege of a GRANT; `None` stands for ALL. Without columns it is for the whole object.
#[derive(Debug, Clone)]
pub struct GrantedPrivilege {
    pub privilege: Option<Privilege>,
    pub columns: Vec<String>,
}

/// GRANT or REVOKE of privileges.
#[derive(Debug, Clone)]
pub struct Grant {
    pub revoke: bool,
    pub privileges: Vec<GrantedPrivilege>,
    pub targets: Vec<GrantTarget>,
    /// `None`: PUBLIC.
    pub roles: Vec<Option<String>>,
    /// WITH GRANT OPTION, or GRANT OPTION FOR.
    pub grant_option: bool,
    pub cascade: bool,
    pub granted_by: Option<String>,
}

/// ALTER DEFAULT PRIVILEGES.
#[derive(Debug, Clone)]
pub struct DefaultGrant {
    pub for_roles: Vec<String>,
    /// Empty: every schema.
    pub schemas: Vec<String>,
    pub class: ObjectClass,
    pub revoke: bool,
    pub privileges: Vec<GrantedPrivilege>,
    pub roles: Vec<Option<String>>,
    pub grant_option: bool,
    pub cascade: bool,
}

impl Draft<'_> {
    pub(super) fn grant(&mut self, grant: &Grant) -> Result<Effect> {
        if let Some(by) = &grant.granted_by
            && by != self.owner
        {
            return Err(Error::not_supported("grantor must be current user"));
        }
        self.check_grantees(&grant.roles, grant.grant_option && !grant.revoke)?;
        let mut warning = None;
        for target in &grant.targets {
            let class = target.class();
            let whole = privileges_of(&grant.privileges, class)?;
            let warned = match target {
                GrantTarget::Relation(name) => self.grant_on_relation(grant, whole, name, &[])?,
                GrantTarget::BuiltIn(name, columns) => self.grant_on_relation(grant, whole, name, columns)?,
                GrantTarget::AllRelationsIn(schema) => {
                    self.require_schema_exists(schema)?;
                    let mut warned = None;
                    for name in self.snapshot.relation_names(schema) {
                        let name = QualifiedName::new(schema, name);
                        warned = self.grant_on_relation(grant, whole, &name, &[])?.or(warned);
                    }
                    warned
                }
                GrantTarget::AllSequencesIn(schema) => {
                    self.require_schema_exists(schema)?;
                    None
                }
                other => self.grant_on_object(grant, whole, other)?,
            };
            warning = warned.or(warning);
        }
        Ok(warning.map_or(Effect::Done, |(sqlstate, message)| Effect::Warned { sqlstate, message }))
    }

    fn check_grantees(&self, roles: &[Option<String>], grant_option: bool) -> Result<()> {
        for role in roles {
            match role {
                Some(role) => require_role(&self.snapshot, role)?,
                None if grant_option => {
                    return Err(invalid_grant("grant options can only be granted to roles"));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn require_schema_exists(&self, schema: &str) -> Result<()> {
        match self.snapshot.schema(schema) {
            Some(_) => Ok(()),
            None => {
                Err(Error::new(ErrorKind::UndefinedSchema, format!("schema \"{schema}\" does not exist")))
            }
        }
    }

    fn grant_on_object(
        &mut self,
        grant: &Grant,
        wanted: PrivilegeSet,
        target: &GrantTarget,
    ) -> Result<Option<Warning>> {
        let access = self.access();
        let (secured, name) = match target {
            GrantTarget::Schema(name) => {
                self.require_schema_exists(name)?;
                let Some(secured) = self.snapshot.secured_schema(name) else { return Ok(None) };
                (secured, name)
            }
            GrantTarget::Function(name) => (Secured::function(&self.snapshot, name), name),
            GrantTarget::Pipe(name) => (Secured::pipe(self.snapshot.pipe(name)?), name),
            GrantTarget::Database(name) => (Secured::database(&self.snapshot), name),
            _ => return Err(Error::internal("not a single object")),
        };
        let (grantor, given) = access.grantor(&secured, wanted);
        let warning =
            partial(grant, wanted, given, target.class().word(), name, || access.held(&secured).is_empty())?;
        let mut acl = secured.full_acl().into_owned();
        change(&mut acl, None, secured.owner, grantor, given, grant)?;
        if acl != *secured.full_acl() {
            self.store_acl(target, acl)?;
        }
        Ok(warning)
    }

    fn store_acl(&mut self, target: &GrantTarget, acl: Acl) -> Result<()> {
        let object = match target {
            GrantTarget::Schema(name) => {
                let Some(schema) = self.snapshot.schema(name).cloned() else { return Ok(()) };
                Object::Schema(super::Schema { acl: Some(acl), ..schema })
            }
            GrantTarget::Pipe(name) => {
                Object::Pipe(super::Pipe { acl: Some(acl), ..self.snapshot.pipe(name)?.clone() })
            }
            GrantTarget::Database(_) => Object::Database(Database { acl: Some(acl), ..self.database() }),
            GrantTarget::Function(name) => {
                let mut database = self.database();
                database.built_in.entry(function_key(name)).or_default().acl = Some(acl);
                Object::Database(database)
            }
            _ => return Err(Error::internal("not a single object")),
        };
        self.put(object);
        Ok(())
    }

    pub(super) fn database(&self) -> Database {
        let name = super::access::BOOTSTRAP_ROLE.to_owned();
        self.snapshot.database().cloned().unwrap_or_else(|| Database { name, ..Database::default() })
    }

    fn grant_on_relation(
        &mut self,
        grant: &Grant,
        whole: PrivilegeSet,
        name: &QualifiedName,
        built_in_columns: &[String],
    ) -> Result<Option<Warning>> {
        let mut lists = Lists::of(self, name, built_in_columns)?;
        let before = lists.clone();
        let access = self.access();
        let secured = self.snapshot.secured_relation(name);
        let by_column = by_column(&grant.privileges)?;
        let mut warning = None;
        let word = relation_word(&self.snapshot, name);
        let column_lists = self.snapshot.column_acls(name);
        let holds_nothing = || {
            access.held(&secured).is_empty()
                && column_lists.values().all(|acl| access.held_on_column(Some(acl)).is_empty())
        };
        if !whole.is_empty() {
            let (grantor, given) = access.grantor(&secured, whole);
            warning = partial(grant, whole, given, word, &name.name, holds_nothing)?;
            change(&mut lists.whole, None, secured.owner, grantor, given, grant)?;
            if grant.revoke {
                // What the table gives up, its columns give up.
                for (_, acl) in &mut lists.columns {
                    change(acl, Some(&lists.whole), secured.owner, grantor, given, grant)?;
                }
            }
        }
        for (column, wanted) in by_column {
            let Some((_, acl)) = lists.columns.iter_mut().find(|(known, _)| *known == column) else {
                return Err(Error::new(
                    ErrorKind::UndefinedColumn,
                    format!("column \"{column}\" of relation \"{}\" does not exist", name.name),
                ));
            };
            let (mut grantor, mut given) = access.grantor(&secured, wanted);
            if given != wanted {
                let own = access.grantable_by(acl).intersection(wanted);
                if own.contains_all(given) && !own.is_empty() {
                    (grantor, given) = (access.role(), own);
                }
            }
            warning = partial(grant, wanted, given, word, &name.name, holds_nothing)?.or(warning);
            change(acl, Some(&lists.whole), secured.owner, grantor, given, grant)?;
        }
        if lists != before {
            lists.store(self, name)?;
        }
        Ok(warning)
    }

    pub(super) fn alter_default_privileges(&mut self, grant: &DefaultGrant) -> Result<Effect> {
        self.check_grantees(&grant.roles, grant.grant_option && !grant.revoke)?;
        if grant.class == ObjectClass::Schema && !grant.schemas.is_empty() {
            return Err(invalid_grant("cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS"));
        }
        let wanted = privileges_of(&grant.privileges, grant.class)?;
        if grant.privileges.iter().any(|one| !one.columns.is_empty()) {
            return Err(invalid_grant("default privileges cannot be set for columns"));
        }
        for name in &grant.for_roles {
            require_role(&self.snapshot, name)?;
            if !self.access().has_role(name) {
                return Err(Error::new(
                    ErrorKind::InsufficientPrivilege,
                    format!("must be member of role \"{name}\""),
                ));
            }
            let schemas: Vec<Option<&String>> =
                if grant.schemas.is_empty() { vec![None] } else { grant.schemas.iter().map(Some).collect() };
            for schema in schemas {
                if let Some(schema) = schema {
                    self.require_schema_exists(schema)?;
                }
                self.change_default(grant, wanted, name, schema.map(String::as_str))?;
            }
        }
        Ok(Effect::Done)
    }

    fn change_default(
        &mut self,
        grant: &DefaultGrant,
        wanted: PrivilegeSet,
        name: &str,
        schema: Option<&str>,
    ) -> Result<()> {
        let Some(mut role) = self.snapshot.role(name).cloned() else { return Ok(()) };
        let plain = match schema {
            None => Acl::default_of(grant.class, name),
            Some(_) => Acl::default(),
        };
        let is_meant =
            |entry: &DefaultPrivileges| entry.class == grant.class && entry.schema.as_deref() == schema;
        let known = role.default_privileges.iter().position(is_meant);
        let mut acl = known.map_or_else(|| plain.clone(), |place| role.default_privileges[place].acl.clone());
        let as_grant = Grant {
            revoke: grant.revoke,
            privileges: Vec::new(),
            targets: Vec::new(),
            roles: grant.roles.clone(),
            grant_option: grant.grant_option,
            cascade: grant.cascade,
            granted_by: None,
        };
        change(&mut acl, None, name, name, wanted, &as_grant)?;
        role.default_privileges.retain(|entry| !is_meant(entry));
        if acl != plain {
            let schema = schema.map(str::to_owned);
            role.default_privileges.push(DefaultPrivileges { schema, class: grant.class, acl });
        }
        if self.snapshot.role(name) != Some(&role) {
            self.put(Object::Role(role));
        }
        Ok(())
    }

    /// The list of a new object of the draft's owner. `None`: the default.
    pub(super) fn initial_acl(&self, class: ObjectClass, schema: Option<&str>) -> Option<Acl> {
        let entries = &self.snapshot.role(self.owner)?.default_privileges;
        let entries: Vec<&DefaultPrivileges> = entries.iter().filter(|entry| entry.class == class).collect();
        let everywhere = entries.iter().find(|entry| entry.schema.is_none()).map(|entry| &entry.acl);
        let here = entries
            .iter()
            .find(|entry| entry.schema.is_some() && entry.schema.as_deref() == schema)
            .map(|entry| &entry.acl);
        if everywhere.is_none() && here.is_none() {
            return None;
        }
        let plain = Acl::default_of(class, self.owner);
        let mut acl = everywhere.cloned().unwrap_or_else(|| plain.clone());
        if let Some(here) = here {
            acl.merge(here);
        }
        (acl != plain).then_some(acl)
    }
}

/// The lists of a relation while they are changed.
#[derive(Clone, PartialEq)]
struct Lists {
    whole: Acl,
    columns: Vec<(String, Acl)>,
}

impl Lists {
    fn of(draft: &Draft<'_>, name: &QualifiedName, built_in_columns: &[String]) -> Result<Self> {
        let secured = draft.snapshot.secured_relation(name);
        let of_columns = |columns: &[Column]| {
            columns
                .iter()
                .map(|column| (column.name.clone(), column.acl.clone().unwrap_or_default()))
                .collect()
        };
        let columns = match draft.snapshot.relation(name) {
            Some(Relation::Table(table)) => of_columns(&table.columns),
            Some(Relation::View(view)) => of_columns(&view.columns),
            None if built_in_columns.is_empty() => return Err(undefined_relation(name)),
            None => {
                let known = draft.snapshot.column_acls(name);
                let acl = |column: &String| known.get(column.as_str()).map(|acl| (*acl).clone());
                built_in_columns
                    .iter()
                    .map(|column| (column.clone(), acl(column).unwrap_or_default()))
                    .collect()
            }
        };
        Ok(Self { whole: secured.full_acl().into_owned(), columns })
    }

    fn store(self, draft: &mut Draft<'_>, name: &QualifiedName) -> Result<()> {
        let changed = self.whole != *draft.snapshot.secured_relation(name).full_acl();
        let set = |acl: &mut Option<Acl>, whole: Acl| {
            if changed {
                *acl = Some(whole);
            }
        };
        let set_columns = |columns: &mut [Column], lists: Vec<(String, Acl)>| {
            for (column, (_, acl)) in columns.iter_mut().zip(lists) {
                column.acl = (!acl.is_empty()).then_some(acl);
            }
        };
        let object = match draft.snapshot.relation(name) {
            Some(Relation::Table(table)) => {
                let mut table = table.clone();
                set(&mut table.acl, self.whole);
                set_columns(&mut table.columns, self.columns);
                Object::Table(table)
            }
            Some(Relation::View(view)) => {
                let mut view = view.clone();
                set(&mut view.acl, self.whole);
                set_columns(&mut view.columns, self.columns);
                Object::View(view)
            }
            None => {
                let mut database = draft.database();
                let entry: &mut BuiltInAcl = database.built_in.entry(relation_key(name)).or_default();
                set(&mut entry.acl, self.whole);
                entry.columns = self.columns.into_iter().filter(|(_, acl)| !acl.is_empty()).collect();
                Object::Database(database)
            }
        };
        draft.put(object);
        Ok(())
    }
}

type Warning = (&'static str, String);

/// The privileges for whole objects that a GRANT asks for.
fn privileges_of(privileges: &[GrantedPrivilege], class: ObjectClass) -> Result<PrivilegeSet> {
    let mut wanted = PrivilegeSet::NONE;
    for one in privileges {
        match one.privilege {
            Some(privilege) if !class.all().contains(privilege) => {
                return Err(invalid_privilege(privilege, class));
            }
            Some(_) if class != ObjectClass::Relation && !one.columns.is_empty() => {
                return Err(invalid_grant("column privileges are only valid for relations"));
            }
            _ if !one.columns.is_empty() => {}
            Some(privilege) => wanted = wanted.union(privilege.into()),
            None => wanted = wanted.union(class.all()),
        }
    }
    Ok(wanted)
}

/// The privileges for columns, a column at a time.
fn by_column(privileges: &[GrantedPrivilege]) -> Result<Vec<(&str, PrivilegeSet)>> {
    let mut wanted: Vec<(&str, PrivilegeSet)> = Vec::new();
    for one in privileges {
        let privileges = one.privilege.map_or(ObjectClass::Column.all(), PrivilegeSet::from);
        for column in &one.columns {
            if !ObjectClass::Column.all().contains_all(privileges) {
                let privilege = one.privilege.unwrap_or(Privilege::Select);
                return Err(invalid_privilege(privilege, ObjectClass::Column));
            }
            match wanted.iter_mut().find(|(known, _)| known == column) {
                Some((_, known)) => *known = known.union(privileges),
                None => wanted.push((column, privileges)),
            }
        }
    }
    Ok(wanted)
}

fn invalid_grant(message: &str) -> Error {
    Error::new(ErrorKind::InvalidGrant, message)
}

fn invalid_privilege(privilege: Privilege, class: ObjectClass) -> Error {
    Error::new(
        ErrorKind::InvalidGrant,
        format!("invalid privilege type {} for {}", privilege.word(), class.word()),
    )
}

/// What to say when a role cannot give or take all it was asked to.
fn partial(
    grant: &Grant,
    wanted: PrivilegeSet,
    given: PrivilegeSet,
    word: &str,
    name: &str,
    holds_nothing: impl Fn() -> bool,
) -> Result<Option<Warning>> {
    if given == wanted {
        return Ok(None);
    }
    if given.is_empty() && holds_nothing() {
        return Err(denied(word, name));
    }
    // ALL is what there is to give.
    if !given.is_empty() && grant.privileges.iter().any(|one| one.privilege.is_none()) {
        return Ok(None);
    }
    let quantity = if given.is_empty() { "no" } else { "not all" };
    Ok(Some(match grant.revoke {
        false => ("01007", format!("{quantity} privileges were granted for \"{name}\"")),
        true => ("01006", format!("{quantity} privileges could be revoked for \"{name}\"")),
    }))
}

/// Gives or takes on one list; `above` is that of the table, for a column's.
fn change(
    acl: &mut Acl,
    above: Option<&Acl>,
    owner: &str,
    grantor: &str,
    given: PrivilegeSet,
    grant: &Grant,
) -> Result<()> {
    for role in &grant.roles {
        let role = role.as_deref();
        if grant.revoke {
            acl.take(role, grantor, given, grant.grant_option);
            continue;
        }
        let grantable = if grant.grant_option { given } else { PrivilegeSet::NONE };
        if role.is_some_and(|role| role != owner)
            && !may_pass_on(acl, above, owner, grantor, role).contains_all(grantable)
        {
            return Err(invalid_grant("grant options cannot be granted back to your own grantor"));
        }
        acl.add(role, grantor, Rights { held: given, grantable });
    }
    if grant.revoke { drop_orphans(acl, above, owner, grant.cascade) } else { Ok(()) }
}

/// Takes away what was granted by roles that may grant it no more.
fn drop_orphans(acl: &mut Acl, above: Option<&Acl>, owner: &str, cascade: bool) -> Result<()> {
    loop {
        let orphan = acl.0.iter().find_map(|item| {
            let rights = item.rights.held.union(item.rights.grantable);
            let lost = rights.without(may_pass_on(acl, above, owner, &item.by, None));
            (!lost.is_empty()).then(|| (item.to.clone(), item.by.clone(), lost))
        });
        let Some((to, by, lost)) = orphan else { return Ok(()) };
        if !cascade {
            return Err(Error::new(ErrorKind::DependentObjects, "dependent privileges exist")
                .with_hint("Use CASCADE to revoke them too."));
        }
        acl.take(to.as_deref(), &by, lost, false);
    }
}

/// What a role may pass on by a chain of grants that begins with the owner and does not run through `without`.
fn may_pass_on(
    acl: &Acl,
    above: Option<&Acl>,
    owner: &str,
    role: &str,
    without: Option<&str>,
) -> PrivilegeSet {
    let everything = PrivilegeSet::of(&Privilege::all().collect::<Vec<_>>());
    let mut reached: HashMap<&str, PrivilegeSet> = HashMap::from([(owner, everything)]);
    let items = || acl.0.iter().chain(above.into_iter().flat_map(|above| &above.0));
    loop {
        let mut grown = false;
        for item in items() {
            let (Some(to), Some(from)) = (item.to.as_deref(), reached.get(item.by.as_str())) else {
                continue;
            };
            let given = item.rights.grantable.intersection(*from);
            if to == owner || Some(to) == without || given.is_empty() {
                continue;
            }
            let known = reached.entry(to).or_default();
            grown |= !known.contains_all(given);
            *known = known.union(given);
        }
        if !grown {
            return reached.get(role).copied().unwrap_or_default();
        }
    }
}
