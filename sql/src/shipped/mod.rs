//! The schemas, tables and views that every warehouse has, as SQL.
//!
//! To plan the views takes most of a start. So their queries and columns, as the planner has them, ship beside the SQL
//! that they are made from: `views.json`, written by a test. After a change of the SQL they are planned until the file
//! is written anew.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use voxhouse_engine::catalog::ddl::{Ddl, Draft, RoleDdl, RoleOptions};
use voxhouse_engine::catalog::{Author, Column, QualifiedName};
use voxhouse_engine::{Error, Result};

use crate::dialect::{self, Statement, StatementKind};
use crate::instance::{Instance, OWNER};
use crate::query::names::fold;
use crate::statement::ddl::comment_of_qualified;

/// What the catalog's history says of their commit.
const STATEMENT: &str = concat!("shipped with voxhouse ", env!("CARGO_PKG_VERSION"));

/// In the order in which they depend on each other.
const SCRIPTS: [&str; 6] = [
    include_str!("schemas.sql"),
    include_str!("tables.sql"),
    include_str!("text.sql"),
    include_str!("identity.sql"),
    include_str!("views.sql"),
    include_str!("roi.sql"),
];

const VIEWS: &str = include_str!("views.json");

/// The views of [`SCRIPTS`], planned.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Views {
    /// A digest of the scripts that they are made from.
    scripts: String,
    views: BTreeMap<String, PlannedView>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct PlannedView {
    query: String,
    columns: Vec<Column>,
}

impl Views {
    /// Those that ship; none if they were made from other scripts.
    fn shipped() -> Result<Self> {
        let views: Self = serde_json::from_str(VIEWS)
            .map_err(|error| Error::internal(format!("the shipped views cannot be read: {error}")))?;
        Ok(if views.scripts == digest() { views } else { Self::none() })
    }

    fn none() -> Self {
        Self { scripts: digest(), views: BTreeMap::new() }
    }

    /// The definition that a statement makes, if it is that of a view which is planned.
    fn definition(&mut self, statement: &Statement) -> Option<Ddl> {
        let StatementKind::Sql(sql) = &statement.kind else { return None };
        let ast::Statement::CreateView(create) = sql.as_ref() else { return None };
        let [schema, name] = create.name.0.as_slice() else { return None };
        let name = QualifiedName::new(fold(schema.as_ident()?), fold(name.as_ident()?));
        let PlannedView { query, columns } = self.views.remove(&name.to_string())?;
        Some(Ddl::CreateView { name, query, columns, or_replace: create.or_replace })
    }
}

fn digest() -> String {
    let mut context = Context::new(&SHA256);
    SCRIPTS.iter().for_each(|script| context.update(script.as_bytes()));
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Brings the shipped schemas, tables and views up to those of this release, in one commit.
pub async fn install(instance: &Arc<Instance>) -> Result<()> {
    let operations = operations(instance, Views::shipped()?).await?;
    let author = Author { role: OWNER.to_owned(), statement: STATEMENT.to_owned() };
    instance.warehouse.register(&author, operations).await?;
    Ok(())
}

/// What the scripts define. Views that are not planned are planned over what comes before them.
async fn operations(instance: &Arc<Instance>, mut planned: Views) -> Result<Vec<Ddl>> {
    let mut operations = vec![first_role()];
    let mut session = instance.session(OWNER)?;
    let base = instance.warehouse.catalog().await?;
    let mut draft = Draft::new(&base, OWNER);
    for operation in &operations {
        draft.apply(operation)?;
    }
    for statement in SCRIPTS.iter().map(|script| dialect::parse(script)).collect::<Result<Vec<_>>>()?.concat()
    {
        let known = match comment_of_qualified(&statement)? {
            Some(comment) => Some(comment),
            None => planned.definition(&statement),
        };
        let operation = match known {
            Some(operation) => operation,
            None => {
                let planned = session.plan_ddl(&statement, draft.snapshot()).await;
                let planned = planned
                    .map_err(|error| error.in_context(format!("shipped statement {}", statement.text)))?
                    .ok_or_else(|| Error::internal(format!("not a definition: {}", statement.text)))?;
                with_log(instance, planned).await?
            }
        };
        draft.apply(&operation)?;
        operations.push(operation);
    }
    Ok(operations)
}

/// The superuser that every warehouse has, made once.
fn first_role() -> Ddl {
    let options = RoleOptions { superuser: Some(true), login: Some(true), ..RoleOptions::default() };
    Ddl::Role(RoleDdl::Create {
        name: OWNER.to_owned(),
        options,
        in_roles: Vec::new(),
        members: Vec::new(),
        if_not_exists: true,
    })
}

/// Views of the same script are planned over tables whose log must exist by then.
async fn with_log(instance: &Arc<Instance>, ddl: Ddl) -> Result<Ddl> {
    let Ddl::CreateTable { name, table, if_not_exists, .. } = ddl else { return Ok(ddl) };
    // The shipped tables lie at fixed places, so that two processes that start at once agree.
    let location = match instance.warehouse.catalog().await?.table(&name) {
        Ok(known) => known.location.clone(),
        Err(_) => format!("{}/{}", name.schema, name.name),
    };
    instance.warehouse.make_log(&name, &table, &location).await?;
    Ok(Ddl::CreateTable { name, table, location, if_not_exists })
}
