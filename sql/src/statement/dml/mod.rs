//! INSERT, UPDATE, DELETE, MERGE, TRUNCATE: from the syntax tree to plans over one table.

pub mod conflict;
pub mod insert;
pub mod merge;
pub mod returning;
pub mod rewrite;
pub mod target;
pub mod values;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Expr, SetExpr};
use voxhouse_engine::catalog::Table;
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::dml::Work;
use voxhouse_engine::{Error, ErrorKind, Result};

use self::merge::Merging;
use self::returning::finished;
use self::target::{Target, target_override};
use self::values::assignments;
use super::describe::ParameterTypes;
use super::literal::{bind, placeholder};
use crate::access::writes::{Need, writable_table};
use crate::dialect::Statement;
use crate::query::QueryContext;
use crate::query::names::existing_name;
use crate::session::Session;
use crate::wire::backend::Outcome;

/// Runs a statement that changes rows.
pub async fn run(
    session: &mut Session,
    statement: &Statement,
    sql: &ast::Statement,
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let mut sql = sql.clone();
    if !parameters.is_empty() {
        bind(&mut sql, parameters)?;
    }
    let context = session.context(&statement.text).await?;
    let author = session.author(statement);
    match sql {
        ast::Statement::Insert(insert) => {
            insert::run(session, &context, &author, &insert, &statement.moments).await
        }
        ast::Statement::Delete(delete) => rewrite::delete(session, &context, &author, &delete).await,
        ast::Statement::Update(update) => rewrite::update(session, &context, &author, &update).await,
        ast::Statement::Merge(merge) => {
            let merging = Merging { merge: &merge, as_update: false, beside: HashMap::new() };
            Ok(finished("MERGE", merging.run(session, &context, &author, None).await?, None))
        }
        ast::Statement::Truncate(truncate) => {
            let mut tables = Vec::with_capacity(truncate.table_names.len());
            for target in &truncate.table_names {
                let name = existing_name(&target.name, &context.visible)?;
                let needs = |_: &Table| Ok(vec![Need::table(Privilege::Truncate)]);
                tables.push(writable_table(&name, &context.visible, needs)?);
            }
            refuse(tables.len() > 1, "TRUNCATE of several tables")?;
            for table in tables {
                session.change_rows(&context, &author, table, &Work::Truncate).await?;
            }
            Ok(Outcome::Done("TRUNCATE TABLE".into()))
        }
        other => Err(Error::internal(format!("not a change of rows: {other}"))),
    }
}

fn refuse(present: bool, clause: &str) -> Result<()> {
    if present { Err(Error::not_supported(format!("{clause} is not supported"))) } else { Ok(()) }
}

pub fn require_column(table: &Table, column: &str) -> Result<()> {
    if table.column(column).is_some() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::UndefinedColumn,
        format!("column \"{column}\" of relation \"{}\" does not exist", table.name.name),
    ))
}

/// The types of a statement's parameters: as declared, else those of the columns they are written to or
/// compared with, else text.
pub async fn parameters(
    context: &QueryContext,
    sql: &ast::Statement,
    declared: &[Option<FieldRef>],
) -> Result<Vec<FieldRef>> {
    let mut types = ParameterTypes::declared(declared);
    types.imply_from_text(sql);
    match sql {
        ast::Statement::Insert(insert) => insert_parameters(context, insert, &mut types).await?,
        ast::Statement::Update(update) if update.from.is_some() => {
            merge::parameters(context, &rewrite::update_as_merge(update)?, &mut types).await?;
        }
        ast::Statement::Update(update) => {
            let target = rewrite::update_target(context, update)?;
            for (column, value) in assignments(target.table, &update.assignments)? {
                note(&mut types, &value, column_type(target.table, &column));
            }
            imply_condition(&target, update.selection.as_ref(), &mut types).await?;
        }
        ast::Statement::Delete(delete) => {
            let target = rewrite::delete_target(context, delete)?;
            let condition = match &delete.using {
                Some(_) => Some(rewrite::delete_condition(&target, delete).await?),
                None => delete.selection.clone(),
            };
            imply_condition(&target, condition.as_ref(), &mut types).await?;
        }
        ast::Statement::Merge(merge) if has_placeholders(sql) => {
            merge::parameters(context, merge, &mut types).await?;
        }
        _ => {}
    }
    Ok(types.finish())
}

async fn insert_parameters(
    context: &QueryContext,
    insert: &ast::Insert,
    types: &mut ParameterTypes,
) -> Result<()> {
    let table = insert::target(context, insert)?;
    let columns = insert::columns(table, insert)?;
    let Some(source) = &insert.source else { return Ok(()) };
    if let SetExpr::Values(values) = source.body.as_ref() {
        for row in &values.rows {
            for (value, column) in row.iter().zip(&columns) {
                note(types, value, column_type(table, column));
            }
        }
    }
    if has_placeholders(source.as_ref()) {
        let mut source = source.as_ref().clone();
        insert::fill_in_defaults(&mut source, table, &columns)?;
        types.imply(&context.plan_query(&source).await?.plan)?;
    }
    conflict::parameters(table, insert, types)
}

/// The columns that a statement returns; `None`: it returns no rows.
pub async fn returned_columns(context: &QueryContext, sql: &ast::Statement) -> Result<Option<SchemaRef>> {
    let returning = match sql {
        ast::Statement::Insert(insert) => insert::returning(context, insert).await?,
        ast::Statement::Update(update) => rewrite::update_returning(context, update).await?,
        ast::Statement::Delete(delete) => rewrite::delete_returning(context, delete).await?,
        _ => None,
    };
    Ok(returning.map(|returning| returning.columns()))
}

fn has_placeholders(sql: &impl ast::Visit) -> bool {
    let mut found = false;
    let _ = ast::visit_expressions(sql, |expression: &Expr| {
        found |= placeholder(expression).is_some();
        std::ops::ControlFlow::<()>::Continue(())
    });
    found
}

pub(super) fn column_type(table: &Table, column: &str) -> Option<FieldRef> {
    let data_type = &table.column(column)?.data_type;
    Some(Arc::new(data_type.to_field("", true, data_type.to_arrow())))
}

fn note(types: &mut ParameterTypes, value: &Expr, field: Option<FieldRef>) {
    if let Some(place) = placeholder(value) {
        types.note_field(place, field);
    }
}

async fn imply_condition(
    target: &Target<'_>,
    condition: Option<&Expr>,
    types: &mut ParameterTypes,
) -> Result<()> {
    let Some(condition) = condition else { return Ok(()) };
    let (context, first) = (target.context, &target.table.columns[0]);
    let query = target.select(vec![target.column(&first.name)], Some(condition.clone()))?;
    let scan = Arc::new(context.snapshots.scan(target.table).await?);
    types.imply(&context.plan_query_with(&query, target_override(scan)).await?.plan)
}
