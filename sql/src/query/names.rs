//! Names in SQL text: reading them, and making them independent of the search path.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, ObjectNamePart, Query, Statement, visit_relations, visit_relations_mut,
};
use voxhouse_engine::catalog::{CatalogSnapshot, QualifiedName, TEMPORARY_SCHEMA};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::context::DATABASE;
use crate::pg_catalog::Visible;
use crate::relations::BuiltIns;

/// PostgreSQL folds names that are not quoted to lower case.
pub fn fold(identifier: &Ident) -> String {
    match identifier.quote_style {
        Some(_) => identifier.value.clone(),
        None => identifier.value.to_lowercase(),
    }
}

/// The parts of a name, without the database in front.
pub fn parts(name: &ObjectName) -> Result<Vec<String>> {
    let mut parts = Vec::with_capacity(name.0.len());
    for part in &name.0 {
        match part {
            ObjectNamePart::Identifier(identifier) => parts.push(fold(identifier)),
            ObjectNamePart::Function(_) => {
                return Err(Error::syntax(format!("\"{name}\" is not a name")));
            }
        }
    }
    if parts.len() == 3 {
        if parts[0] != DATABASE {
            return Err(Error::not_supported(format!(
                "cross-database references are not implemented: \"{name}\""
            )));
        }
        parts.remove(0);
    }
    Ok(parts)
}

/// The schemas in which relations are looked for, temporary ones first.
fn searched(visible: &Visible) -> impl Iterator<Item = &str> {
    std::iter::once(TEMPORARY_SCHEMA).chain(visible.search_path.iter().map(|schema| match schema.as_str() {
        "$user" => visible.role.as_str(),
        other => other,
    }))
}

/// The name of a temporary relation to be created.
pub fn new_temporary_name(name: &ObjectName) -> Result<QualifiedName> {
    match parts(name)?.as_slice() {
        [name] => Ok(QualifiedName::new(TEMPORARY_SCHEMA, name)),
        [schema, name] if schema == TEMPORARY_SCHEMA => Ok(QualifiedName::new(schema, name)),
        [_, _] => Err(Error::new(
            ErrorKind::InvalidTableDefinition,
            "cannot create temporary relation in non-temporary schema",
        )),
        _ => Err(Error::syntax(format!("improper qualified name (too many dotted names): {name}"))),
    }
}

/// The name of something to be created: in the first schema of the search path if none is given.
pub fn new_name(name: &ObjectName, visible: &Visible) -> Result<QualifiedName> {
    let parts = parts(name)?;
    match parts.as_slice() {
        [name] => Ok(QualifiedName::new(creation_schema(visible)?, name)),
        [schema, name] => Ok(QualifiedName::new(schema, name)),
        _ => Err(Error::syntax(format!("improper qualified name (too many dotted names): {name}"))),
    }
}

fn creation_schema(visible: &Visible) -> Result<String> {
    visible
        .search_path
        .iter()
        .map(|schema| if schema == "$user" { visible.role.as_str() } else { schema.as_str() })
        .find(|schema| visible.catalog.schema(schema).is_some())
        .map(str::to_owned)
        .ok_or_else(|| {
            Error::new(ErrorKind::UndefinedSchema, "no schema has been selected to create in")
                .with_hint("Set search_path, or write the schema before the name.")
        })
}

/// The name of something that exists: found through the search path if no schema is given.
pub fn existing_name(name: &ObjectName, visible: &Visible) -> Result<QualifiedName> {
    let parts = parts(name)?;
    match parts.as_slice() {
        [name] => {
            let found = searched(visible)
                .map(|schema| QualifiedName::new(schema, name))
                .find(|name| visible.catalog.relation(name).is_some());
            Ok(found.unwrap_or_else(|| QualifiedName::new("public", name)))
        }
        [schema, name] => Ok(QualifiedName::new(schema, name)),
        _ => Err(Error::syntax(format!("improper qualified name (too many dotted names): {name}"))),
    }
}

/// A name as SQL text.
pub fn object_name(name: &QualifiedName) -> ObjectName {
    ObjectName::from(vec![Ident::with_quote('"', &name.schema), Ident::with_quote('"', &name.name)])
}

/// Writes the schema before every relation of a query, so that it means the same under any search path.
pub fn qualify(query: &mut Query, visible: &Visible, built_ins: &BuiltIns) {
    let mut local: HashSet<String> = HashSet::new();
    collect_ctes(query, &mut local);
    let _ = visit_relations_mut(query, |name: &mut ObjectName| {
        if let [ObjectNamePart::Identifier(identifier)] = name.0.as_slice() {
            let relation = fold(identifier);
            if !local.contains(&relation)
                && let Some(schema) = schema_on_path(&relation, visible, built_ins)
            {
                name.0.insert(0, ObjectNamePart::Identifier(Ident::new(schema)));
            }
        }
        ControlFlow::<()>::Continue(())
    });
}

fn schema_on_path(relation: &str, visible: &Visible, built_ins: &BuiltIns) -> Option<String> {
    searched(visible)
        .find(|schema| {
            let name = QualifiedName::new(*schema, relation);
            visible.catalog.relation(&name).is_some() || built_ins.contains(&name)
        })
        .map(str::to_owned)
}

/// Whether a query, made independent of the search path, reads a temporary relation.
pub fn reads_temporary(query: &Query) -> bool {
    visit_relations(query, |name: &ObjectName| {
        match parts(name).is_ok_and(|parts| parts.len() == 2 && parts[0] == TEMPORARY_SCHEMA) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })
    .is_break()
}

/// Names that WITH clauses define anywhere in the query.
fn collect_ctes(query: &Query, names: &mut HashSet<String>) {
    use datafusion::sql::sqlparser::ast::{Visit, Visitor};
    struct Ctes<'a>(&'a mut HashSet<String>);
    impl Visitor for Ctes<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            if let Some(with) = &query.with {
                self.0.extend(with.cte_tables.iter().map(|cte| fold(&cte.alias.name)));
            }
            ControlFlow::Continue(())
        }
    }
    let _ = query.visit(&mut Ctes(names));
}

/// The schema that a statement writes before a relation, found by the relation's last part.
pub fn schema_of_relation(statement: &Statement, relation: &str) -> Option<String> {
    let mut schema = None;
    let _ = visit_relations(statement, |name: &ObjectName| {
        if let Ok(parts) = parts(name)
            && let [written, last] = parts.as_slice()
            && last == relation
        {
            schema = Some(written.clone());
        }
        ControlFlow::<()>::Continue(())
    });
    schema
}

/// Takes the database's name off relations, as in `voxhouse.x.feedback`.
pub fn unqualify_database(statement: &mut Statement) {
    let _ = visit_relations_mut(statement, |name: &mut ObjectName| {
        if let [ObjectNamePart::Identifier(database), _, _] = name.0.as_slice()
            && fold(database) == DATABASE
        {
            name.0.remove(0);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// The table of a name, or why it cannot be written to.
pub fn writable_table<'a>(
    name: &QualifiedName,
    catalog: &'a CatalogSnapshot,
) -> Result<&'a voxhouse_engine::catalog::Table> {
    let table = catalog.table(name).map_err(|error| match error.kind() {
        ErrorKind::WrongObjectType => {
            Error::new(ErrorKind::NotSupported, format!("cannot change view \"{}\"", name.name))
                .with_hint("Change the tables that the view reads.")
        }
        _ => error,
    })?;
    if table.query.is_some() {
        return Err(Error::new(
            ErrorKind::WrongObjectType,
            format!("cannot change materialized view \"{}\"", name.name),
        )
        .with_hint("REFRESH MATERIALIZED VIEW computes it again."));
    }
    Ok(table)
}
