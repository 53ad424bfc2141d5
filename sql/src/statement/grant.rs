//! GRANT, REVOKE and ALTER DEFAULT PRIVILEGES: names are looked up, the rest is the catalog's.

use datafusion::sql::sqlparser::ast::ObjectName;
use voxhouse_engine::catalog::acl::{ObjectClass, Privilege};
use voxhouse_engine::catalog::ddl::{DefaultGrant, Grant, GrantTarget, GrantedPrivilege};
use voxhouse_engine::catalog::{QualifiedName, undefined_relation};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::role::{role_name, role_names};
use crate::dialect::{DefaultPrivilegesStatement, GrantObjects, GrantStatement, NamedPrivilege, RoleSpec};
use crate::pg_catalog::{INFORMATION_SCHEMA, PG_CATALOG};
use crate::query::QueryContext;
use crate::query::context::DATABASE;
use crate::query::names::{existing_name, parts};

/// The schema that functions show in.
const FUNCTION_SCHEMAS: [&str; 2] = ["public", PG_CATALOG];

pub fn plan(context: &QueryContext, grant: &GrantStatement) -> Result<Grant> {
    Ok(Grant {
        revoke: grant.revoke,
        privileges: privileges(&grant.privileges)?,
        targets: targets(context, &grant.objects)?,
        roles: grantees(context, &grant.roles)?,
        grant_option: grant.grant_option,
        cascade: grant.cascade,
        granted_by: grant.granted_by.as_ref().map(|role| role_name(context, role)).transpose()?,
    })
}

pub fn plan_defaults(context: &QueryContext, statement: &DefaultPrivilegesStatement) -> Result<DefaultGrant> {
    let class = match statement.class.as_str() {
        "tables" => ObjectClass::Relation,
        "sequences" => ObjectClass::Sequence,
        "functions" | "routines" => ObjectClass::Function,
        "schemas" => ObjectClass::Schema,
        "pipes" => ObjectClass::Pipe,
        other => {
            return Err(Error::not_supported(format!("default privileges on {other} are not supported")));
        }
    };
    let for_roles = match statement.for_roles.as_slice() {
        [] => vec![context.visible.role.clone()],
        roles => role_names(context, roles)?,
    };
    Ok(DefaultGrant {
        for_roles,
        schemas: statement.schemas.clone(),
        class,
        revoke: statement.grant.revoke,
        privileges: privileges(&statement.grant.privileges)?,
        roles: grantees(context, &statement.grant.roles)?,
        grant_option: statement.grant.grant_option,
        cascade: statement.grant.cascade,
    })
}

fn privileges(named: &[NamedPrivilege]) -> Result<Vec<GrantedPrivilege>> {
    named
        .iter()
        .map(|NamedPrivilege { word, columns }| {
            let privilege = match word.as_str() {
                "all" => None,
                word => Some(
                    Privilege::of_word(word)
                        .ok_or_else(|| Error::syntax(format!("unrecognized privilege type \"{word}\"")))?,
                ),
            };
            Ok(GrantedPrivilege { privilege, columns: columns.clone() })
        })
        .collect()
}

fn grantees(context: &QueryContext, roles: &[RoleSpec]) -> Result<Vec<Option<String>>> {
    roles
        .iter()
        .map(|role| match role {
            RoleSpec::Public => Ok(None),
            other => role_name(context, other).map(Some),
        })
        .collect()
}

fn targets(context: &QueryContext, objects: &GrantObjects) -> Result<Vec<GrantTarget>> {
    Ok(match objects {
        GrantObjects::Tables(names) => {
            names.iter().map(|name| relation(context, name)).collect::<Result<_>>()?
        }
        GrantObjects::AllTablesIn(schemas) => {
            let mut targets = Vec::new();
            for schema in schemas {
                refuse_system_schema(schema)?;
                targets.push(GrantTarget::AllRelationsIn(schema.clone()));
                let built_in = context.visible.built_in.iter().filter(|known| known.schema == *schema);
                targets.extend(built_in.map(|known| {
                    let columns = known.columns.fields().iter().map(|field| field.name().clone());
                    let name = QualifiedName::new(&known.schema, &known.name);
                    GrantTarget::BuiltIn(name, columns.collect())
                }));
            }
            targets
        }
        GrantObjects::AllSequencesIn(schemas) => {
            schemas.iter().cloned().map(GrantTarget::AllSequencesIn).collect()
        }
        GrantObjects::Schemas(names) => {
            names.iter().try_for_each(|name| refuse_system_schema(name))?;
            names.iter().cloned().map(GrantTarget::Schema).collect()
        }
        GrantObjects::Pipes(names) => names.iter().cloned().map(GrantTarget::Pipe).collect(),
        GrantObjects::Databases(names) => {
            if let Some(other) = names.iter().find(|name| *name != DATABASE) {
                return Err(Error::new(
                    ErrorKind::UndefinedDatabase,
                    format!("database \"{other}\" does not exist"),
                ));
            }
            names.iter().cloned().map(GrantTarget::Database).collect()
        }
        GrantObjects::Functions(names) => {
            names.iter().map(|name| function(context, name)).collect::<Result<_>>()?
        }
        GrantObjects::AllFunctionsIn(schemas) => {
            let all = context.visible.functions.iter();
            let all = all.map(|function| GrantTarget::Function(canonical(context, &function.name)));
            if schemas.iter().any(|schema| schema == "public") { all.collect() } else { Vec::new() }
        }
        GrantObjects::Other(kind) => {
            return Err(Error::not_supported(format!("GRANT ON {} is not supported", kind.to_uppercase())));
        }
    })
}

/// The system's own schemas are open to everybody, and cannot be closed.
fn refuse_system_schema(schema: &str) -> Result<()> {
    if [PG_CATALOG, INFORMATION_SCHEMA].contains(&schema) {
        return Err(Error::not_supported(format!("privileges on schema \"{schema}\" cannot be changed")));
    }
    Ok(())
}

fn relation(context: &QueryContext, name: &ObjectName) -> Result<GrantTarget> {
    let name = existing_name(name, &context.visible)?;
    if context.visible.catalog.relation(&name).is_some() {
        return Ok(GrantTarget::Relation(name));
    }
    refuse_system_schema(&name.schema)?;
    let mut built_in = context.visible.built_in.iter();
    match built_in.find(|known| known.schema == name.schema && known.name == name.name) {
        Some(known) => {
            let columns = known.columns.fields().iter().map(|field| field.name().clone()).collect();
            Ok(GrantTarget::BuiltIn(name, columns))
        }
        None => Err(undefined_relation(&name)),
    }
}

fn function(context: &QueryContext, name: &ObjectName) -> Result<GrantTarget> {
    let mut written = parts(name)?;
    let last = written.pop().unwrap_or_default();
    let undefined = || Error::new(ErrorKind::UndefinedFunction, format!("function {name} does not exist"));
    if written.first().is_some_and(|schema| !FUNCTION_SCHEMAS.contains(&schema.as_str())) {
        return Err(undefined());
    }
    let known = context.base.scalar_functions().contains_key(&last)
        || context.base.aggregate_functions().contains_key(&last)
        || context.base.window_functions().contains_key(&last);
    if known { Ok(GrantTarget::Function(canonical(context, &last))) } else { Err(undefined()) }
}

/// The name by which plans call a function, which may have others.
fn canonical(context: &QueryContext, name: &str) -> String {
    let base = &context.base;
    let scalar = base.scalar_functions().get(name).map(|function| function.name());
    let aggregate = || base.aggregate_functions().get(name).map(|function| function.name());
    let window = || base.window_functions().get(name).map(|function| function.name());
    scalar.or_else(aggregate).or_else(window).unwrap_or(name).to_owned()
}
