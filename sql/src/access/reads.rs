//! What a query reads: schemas, relations, columns, functions.
//!
//! Every relation that the planner asks for is noted where it is looked up, a view's relations with the view. When
//! the plan is made, each of them must be readable by the role whose query it is: the caller's for a statement, the
//! owner's for the body of a view. Most roles may read the whole of each relation or nothing of it, which is known
//! at once; only where columns were granted is the query planned a second time, to see which ones it names.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::access::{Access, Secured, denied, relation_word};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{CatalogSnapshot, QualifiedName};

use super::columns::{self, Read};
use crate::query::catalog::Relations;
use crate::query::context::with_catalog;

/// Refuses a name in a schema that the role may not use, whether there is such a relation or not.
pub fn require_usage(catalog: &CatalogSnapshot, access: &Access, schema: &str) -> Result<()> {
    if may_use(catalog, access, schema) { Ok(()) } else { Err(denied("schema", schema)) }
}

pub fn may_use(catalog: &CatalogSnapshot, access: &Access, schema: &str) -> bool {
    access.is_superuser()
        || catalog.secured_schema(schema).is_none_or(|secured| access.may(&secured, Privilege::Usage))
}

/// Whether the role may read at least one column.
pub fn may_read_some(catalog: &CatalogSnapshot, access: &Access, relation: &QualifiedName) -> bool {
    may_read_all(catalog, access, relation)
        || catalog
            .column_acls(relation)
            .values()
            .any(|acl| access.held_on_column(Some(acl)).contains(Privilege::Select))
}

pub fn may_read_all(catalog: &CatalogSnapshot, access: &Access, relation: &QualifiedName) -> bool {
    access.may(&catalog.secured_relation(relation), Privilege::Select)
}

fn may_read(catalog: &CatalogSnapshot, access: &Access, read: &Read) -> bool {
    if may_read_all(catalog, access, &read.relation) {
        return true;
    }
    if read.columns.is_empty() {
        return read.is_target || may_read_some(catalog, access, &read.relation);
    }
    let acls = catalog.column_acls(&read.relation);
    read.columns
        .iter()
        .all(|column| access.held_on_column(acls.get(column.as_str()).copied()).contains(Privilege::Select))
}

pub fn relation_denied(catalog: &CatalogSnapshot, relation: &QualifiedName) -> voxhouse_engine::Error {
    denied(relation_word(catalog, relation), &relation.name)
}

/// Checks a query that has been planned over `relations`.
pub async fn check(relations: &Arc<Relations>, sql: &ast::Statement, plan: &LogicalPlan) -> Result<()> {
    let access = &relations.access;
    if access.is_superuser() {
        return Ok(());
    }
    let catalog = relations.catalog();
    let noted: Vec<QualifiedName> = relations.noted.lock().iter().cloned().collect();
    if !noted.iter().all(|relation| may_read_all(catalog, access, relation)) {
        let seen = Arc::new(relations.seen_only());
        let state = with_catalog(&relations.base, Arc::clone(&seen));
        let plan = state.statement_to_plan(DataFusionStatement::Statement(Box::new(sql.clone()))).await?;
        for read in columns::of_plan(&plan)? {
            if !may_read(catalog, access, &read) {
                return Err(relation_denied(catalog, &read.relation));
            }
        }
    }
    // The functions of a view are those of whoever reads it.
    if relations.depth == 0 && catalog.has_function_acls() {
        check_functions(catalog, access, plan)?;
    }
    Ok(())
}

fn check_functions(catalog: &CatalogSnapshot, access: &Access, plan: &LogicalPlan) -> Result<()> {
    let mut called: BTreeSet<String> = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                match part {
                    Expr::ScalarFunction(call) => called.insert(call.func.name().to_owned()),
                    Expr::AggregateFunction(call) => called.insert(call.func.name().to_owned()),
                    Expr::WindowFunction(call) => called.insert(call.fun.name().to_owned()),
                    _ => false,
                };
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    match called.iter().find(|name| !access.may(&Secured::function(catalog, name), Privilege::Execute)) {
        Some(name) => Err(denied("function", name)),
        None => Ok(()),
    }
}
