//! Names in SQL text: reading them, and making them independent of the search path.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Ident, ObjectName, ObjectNamePart, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    Statement, TableFactor, VisitMut, VisitorMut, visit_relations, visit_relations_mut,
};
use voxhouse_engine::catalog::{QualifiedName, TEMPORARY_SCHEMA};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::context::DATABASE;
use crate::access::reads;
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
    std::iter::once(TEMPORARY_SCHEMA).chain(path(visible))
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

/// The schemas of the search path that the role may use.
fn path(visible: &Visible) -> impl Iterator<Item = &str> {
    let named = visible.search_path.iter();
    let named = named.map(|schema| if schema == "$user" { visible.role.as_str() } else { schema.as_str() });
    named.filter(|schema| reads::may_use(&visible.catalog, visible.access(), schema))
}

fn creation_schema(visible: &Visible) -> Result<String> {
    path(visible).find(|schema| visible.catalog.schema(schema).is_some()).map(str::to_owned).ok_or_else(
        || {
            Error::new(ErrorKind::UndefinedSchema, "no schema has been selected to create in")
                .with_hint("Set search_path, or write the schema before the name.")
        },
    )
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
        [schema, name] => {
            reads::require_usage(&visible.catalog, visible.access(), schema)?;
            Ok(QualifiedName::new(schema, name))
        }
        _ => Err(Error::syntax(format!("improper qualified name (too many dotted names): {name}"))),
    }
}

/// A name as SQL text.
pub fn object_name(name: &QualifiedName) -> ObjectName {
    ObjectName::from(vec![Ident::with_quote('"', &name.schema), Ident::with_quote('"', &name.name)])
}

/// Writes the schema before every relation of a query, so that it means the same under any search path. The names in
/// `own` stand for relations of the query alone.
pub fn qualify(query: &mut Query, visible: &Visible, built_ins: &BuiltIns, own: &[&str]) {
    let mut qualifier = Qualifier { visible, built_ins, own, scopes: Vec::new() };
    let _ = query.visit(&mut qualifier);
}

struct Qualifier<'a> {
    visible: &'a Visible,
    built_ins: &'a BuiltIns,
    own: &'a [&'a str],
    /// The queries around the current place, the innermost last.
    scopes: Vec<Scope>,
}

/// The WITH clause of a query, and how far it is known.
#[derive(Default)]
struct Scope {
    names: Vec<String>,
    /// A table expression sees those before it; all see each other if they are recursive.
    known: usize,
}

impl VisitorMut for Qualifier<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let mut scope = Scope::default();
        if let Some(with) = &query.with {
            scope.names = with.cte_tables.iter().map(|cte| fold(&cte.alias.name)).collect();
            scope.known = if with.recursive { scope.names.len() } else { 0 };
        }
        self.scopes.push(scope);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.scopes.pop();
        // The table expressions come first among the queries directly inside of one.
        if let Some(around) = self.scopes.last_mut() {
            around.known = (around.known + 1).min(around.names.len());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        let [ObjectNamePart::Identifier(identifier)] = name.0.as_slice() else {
            return ControlFlow::Continue(());
        };
        let relation = fold(identifier);
        let is_common = self.scopes.iter().any(|scope| scope.names[..scope.known].contains(&relation));
        if !is_common
            && !self.own.contains(&relation.as_str())
            && let Some(schema) = schema_on_path(&relation, self.visible, self.built_ins)
        {
            name.0.insert(0, ObjectNamePart::Identifier(Ident::with_quote('"', schema)));
        }
        ControlFlow::Continue(())
    }
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

/// Writes `t.*` as `s.t.*` where the relation was named `s.t`: the planner wants the name as it stands in FROM.
pub fn qualify_wildcards(statement: &mut Statement) {
    struct Wildcards;
    impl VisitorMut for Wildcards {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            qualify_wildcards_of(&mut query.body);
            ControlFlow::Continue(())
        }
    }
    let _ = statement.visit(&mut Wildcards);
}

fn qualify_wildcards_of(body: &mut SetExpr) {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::SetOperation { left, right, .. } => {
            qualify_wildcards_of(left);
            return qualify_wildcards_of(right);
        }
        _ => return,
    };
    let joined = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    let qualified: Vec<ObjectName> = joined
        .filter_map(|relation| match relation {
            TableFactor::Table { name, alias: None, .. } if name.0.len() > 1 => Some(name.clone()),
            _ => None,
        })
        .collect();
    for item in &mut select.projection {
        if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item
            && let [ObjectNamePart::Identifier(short)] = name.0.as_slice()
            && let Some(full) = qualified.iter().find(|full| {
                full.0.last().and_then(ObjectNamePart::as_ident).is_some_and(|last| fold(last) == fold(short))
            })
        {
            *name = full.clone();
        }
    }
}

/// Whether a query names another relation than this one.
pub fn reads_beside(query: &Query, relation: &QualifiedName) -> bool {
    let is_other = |name: &ObjectName| {
        !parts(name).is_ok_and(|parts| parts == [relation.schema.as_str(), relation.name.as_str()])
    };
    visit_relations(query, |name: &ObjectName| match is_other(name) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    })
    .is_break()
}
