//! UPDATE and DELETE: the rows for which a condition holds are found, and the files that hold them written anew.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{
    self, Expr, FromTable, ObjectName, TableFactor, TableWithJoins, UpdateTableFromKind, Value,
};
use futures::future::BoxFuture;
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Author, Table};
use voxhouse_engine::dml::{Part, Rewrite, RewritePlans, Work};
use voxhouse_engine::{Error, Result};

use super::merge::{self, Merging};
use super::refuse;
use super::returning::{Returning, finished};
use super::target::{Target, in_memory};
use super::values::assignments;
use crate::access::writes::{Need, writable_table};
use crate::query::QueryContext;
use crate::query::names::{existing_name, fold, parts};
use crate::query::pipe::parse_query;
use crate::session::Session;
use crate::wire::backend::Outcome;

pub async fn delete(
    session: &mut Session,
    context: &QueryContext,
    author: &Author,
    delete: &ast::Delete,
) -> Result<Outcome> {
    refuse(!delete.order_by.is_empty() || delete.limit.is_some(), "DELETE … LIMIT")?;
    let returning = delete_returning(context, delete).await?;
    let target = delete_target(context, delete)?;
    let condition = delete_condition(&target, delete).await?;
    let table = target.table;
    let columns: Vec<_> = table.columns.iter().map(|column| target.column(&column.name)).collect();
    let plans = TargetQueries {
        kind: Rewrite::Delete,
        places: target.affected(&condition)?,
        affected: target.select(columns.clone(), Some(target.is_affected(true)))?,
        others: target.select(columns, Some(target.is_affected(false)))?,
        target,
    };
    let work = Work::Rewrite(Rewrite::Delete, &plans);
    let count = session.change_rows_returning(context, author, table, &work, returning.as_ref()).await?;
    Ok(finished("DELETE", count, returning))
}

pub async fn delete_returning<'a>(
    context: &'a QueryContext,
    delete: &ast::Delete,
) -> Result<Option<Returning<'a>>> {
    let target = delete_target(context, delete)?;
    Returning::of(context, target.table, &target.alias, delete.returning.as_deref()).await
}

pub fn delete_target<'a>(context: &'a QueryContext, delete: &ast::Delete) -> Result<Target<'a>> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let (name, alias) = single_table(from)?;
    let needs = |_: &Table| Ok(vec![Need::table(Privilege::Delete)]);
    let table = writable_table(&existing_name(name, &context.visible)?, &context.visible, needs)?;
    Ok(Target { context, table, alias })
}

/// Which rows go: `USING s WHERE c` is `WHERE EXISTS (SELECT 1 FROM s WHERE c)`.
pub async fn delete_condition(target: &Target<'_>, delete: &ast::Delete) -> Result<Expr> {
    let condition = delete.selection.clone().unwrap_or_else(|| Expr::value(Value::Boolean(true)));
    let Some(using) = &delete.using else {
        if delete.selection.is_some() {
            target.check(Vec::new(), &condition).await?;
        }
        return Ok(condition);
    };
    let using = using.iter().map(TableWithJoins::to_string).collect::<Vec<_>>().join(", ");
    // Side by side first: a column that both have is ambiguous, while in EXISTS the inner one would be taken.
    let empty = in_memory(target.table, &[])?;
    target.plan(&[target.beside(&using, &condition)?], empty).await?;
    let subquery = parse_query(&format!("SELECT 1 FROM {using} WHERE {condition}"))?;
    let exists = Expr::Exists { subquery: Box::new(subquery), negated: false };
    target.check(Vec::new(), &exists).await?;
    Ok(exists)
}

pub async fn update(
    session: &mut Session,
    context: &QueryContext,
    author: &Author,
    update: &ast::Update,
) -> Result<Outcome> {
    refuse(!update.order_by.is_empty() || update.limit.is_some() || update.or.is_some(), "UPDATE … LIMIT")?;
    let returning = update_returning(context, update).await?;
    let returned = returning.as_ref();
    let count = match from(update)? {
        Some(_) => {
            let merge = update_as_merge(update)?;
            Merging { merge: &merge, as_update: true, beside: HashMap::new() }
                .run(session, context, author, returned)
                .await?
        }
        None => {
            let plans = update_queries(context, update).await?;
            let table = plans.target.table;
            let work = Work::Rewrite(Rewrite::Update, &plans);
            session.change_rows_returning(context, author, table, &work, returned).await?
        }
    };
    Ok(finished("UPDATE", count, returning))
}

pub async fn update_returning<'a>(
    context: &'a QueryContext,
    update: &ast::Update,
) -> Result<Option<Returning<'a>>> {
    let target = update_target(context, update)?;
    Returning::of(context, target.table, &target.alias, update.returning.as_deref()).await
}

pub fn update_target<'a>(context: &'a QueryContext, update: &ast::Update) -> Result<Target<'a>> {
    let (name, alias) = single_table(std::slice::from_ref(&update.table))?;
    let table = writable_table(&existing_name(name, &context.visible)?, &context.visible, |table| {
        let columns = assignments(table, &update.assignments)?.into_keys().collect();
        Ok(vec![Need::columns(Privilege::Update, columns)])
    })?;
    Ok(Target { context, table, alias })
}

async fn update_queries<'a>(context: &'a QueryContext, update: &ast::Update) -> Result<TargetQueries<'a>> {
    let target = update_target(context, update)?;
    let assigned = assignments(target.table, &update.assignments)?;
    let condition = update.selection.clone().unwrap_or_else(|| Expr::value(Value::Boolean(true)));
    target.check(assigned.values().cloned().collect(), &condition).await?;
    let changed = target.table.columns.iter().map(|column| match assigned.get(&column.name) {
        Some(value) => (value.clone(), column.name.clone()),
        None => target.column(&column.name),
    });
    let kept = target.table.columns.iter().map(|column| target.column(&column.name));
    // Two halves rather than a CASE: a subquery is planned as a join only in WHERE.
    Ok(TargetQueries {
        kind: Rewrite::Update,
        places: target.affected(&condition)?,
        affected: target.select(changed.collect(), Some(target.is_affected(true)))?,
        others: target.select(kept.collect(), Some(target.is_affected(false)))?,
        target,
    })
}

/// The relation of `UPDATE … FROM`.
pub fn from(update: &ast::Update) -> Result<Option<&TableFactor>> {
    match &update.from {
        None => Ok(None),
        Some(UpdateTableFromKind::AfterSet(from)) => match from.as_slice() {
            [TableWithJoins { relation, joins }] if joins.is_empty() => Ok(Some(relation)),
            _ => Err(Error::not_supported("UPDATE … FROM several relations is not supported")
                .with_hint("Join them in a subquery: FROM (SELECT … FROM a JOIN b …) AS s.")),
        },
        Some(UpdateTableFromKind::BeforeSet(_)) => Err(Error::syntax("FROM comes after SET")),
    }
}

/// `UPDATE t SET … FROM s WHERE c` as `MERGE INTO t USING s ON c WHEN MATCHED THEN UPDATE SET …`.
pub fn update_as_merge(update: &ast::Update) -> Result<ast::Merge> {
    let source = from(update)?.ok_or_else(|| Error::internal("UPDATE without FROM"))?;
    let condition = update.selection.as_ref().map_or_else(|| "true".to_owned(), Expr::to_string);
    let set: Vec<String> = update.assignments.iter().map(ast::Assignment::to_string).collect();
    merge::parse(&format!(
        "MERGE INTO {} USING {source} ON {condition} WHEN MATCHED THEN UPDATE SET {}",
        update.table,
        set.join(", ")
    ))
}

/// The one table of an UPDATE or DELETE, and the name that its conditions use.
fn single_table(tables: &[TableWithJoins]) -> Result<(&ObjectName, String)> {
    let [TableWithJoins { relation: TableFactor::Table { name, alias, .. }, joins }] = tables else {
        return Err(Error::not_supported("a change of several tables at once is not supported"));
    };
    refuse(!joins.is_empty(), "a join in the target of a change")?;
    let alias = match alias {
        Some(alias) => fold(&alias.name),
        None => parts(name)?.pop().unwrap_or_default(),
    };
    Ok((name, alias))
}

/// The queries of a rewrite.
struct TargetQueries<'a> {
    target: Target<'a>,
    kind: Rewrite,
    /// Where the affected rows are.
    places: ast::Query,
    /// The affected rows: as they will be, or, of a DELETE, as they were.
    affected: ast::Query,
    others: ast::Query,
}

impl RewritePlans for TargetQueries<'_> {
    fn affected<'a>(&'a self, scan: Arc<dyn TableProvider>) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            self.target.context.snapshots.forget();
            let plans = self.target.plan(std::slice::from_ref(&self.places), scan).await?;
            plans.into_iter().next().ok_or_else(|| Error::internal("a query without a plan"))
        })
    }

    fn remaining<'a>(
        &'a self,
        scan: Arc<dyn TableProvider>,
        part: Part,
    ) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let queries = match (part, self.kind) {
                (Part::Affected, _) => vec![self.affected.clone()],
                (Part::Others, _) | (Part::All, Rewrite::Delete) => vec![self.others.clone()],
                (Part::All, Rewrite::Update) => vec![self.affected.clone(), self.others.clone()],
            };
            let plans = self.target.plan(&queries, scan).await?;
            let parts = plans.into_iter().map(|plan| stored_types(self.target.table, plan));
            let parts = parts.collect::<Result<Vec<_>>>()?;
            let mut parts = parts.into_iter();
            let first = parts.next().ok_or_else(|| Error::internal("a rewrite without a query"))?;
            parts.try_fold(first, |all, part| Ok(LogicalPlanBuilder::from(all).union(part)?.build()?))
        })
    }
}

/// Values take the type of their column, so that the parts of a union agree.
fn stored_types(table: &Table, plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let columns = schema.columns().into_iter().zip(schema.fields()).zip(&table.columns);
    let cast = columns.map(|((column, field), target)| {
        let wanted = target.data_type.to_query_arrow();
        let value = PlanExpr::Column(column);
        let value =
            if *field.data_type() == wanted { value } else { datafusion::prelude::cast(value, wanted) };
        value.alias(&target.name)
    });
    Ok(LogicalPlanBuilder::from(plan).project(cast.collect::<Vec<_>>())?.build()?)
}
