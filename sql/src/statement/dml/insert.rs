//! INSERT: rows of a query or of VALUES, with the defaults of the columns that they leave out.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Query, SetExpr, TableObject};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Author, SqlType, Table};
use voxhouse_engine::dml::Work;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::conflict::{self, OnConflict};
use super::returning::{Returning, finished};
use super::values::fill_in_default;
use super::{refuse, require_column};
use crate::access::writes::{Need, writable_table};
use crate::dialect::Moment;
use crate::instance::plan_expression;
use crate::query::QueryContext;
use crate::query::names::{existing_name, fold, parts};
use crate::session::Session;
use crate::statement::describe;
use crate::wire::backend::Outcome;

pub async fn run(
    session: &mut Session,
    context: &QueryContext,
    author: &Author,
    insert: &ast::Insert,
    moments: &[Moment],
) -> Result<Outcome> {
    refuse(insert.overwrite || insert.replace_into || insert.partitioned.is_some(), "INSERT OVERWRITE")?;
    let table = target(context, insert)?;
    let returning = returning(context, insert).await?;
    let rows = rows(context, table, insert, moments).await?;
    let returned = returning.as_ref();
    let count = match conflict::of(table, insert)? {
        None => session.change_rows_returning(context, author, table, &Work::Insert(rows), returned).await,
        Some(OnConflict::Skip { keys }) => {
            let work = Work::InsertNew { rows, keys };
            session.change_rows_returning(context, author, table, &work, returned).await
        }
        Some(OnConflict::Update(update)) => {
            update.run(session, context, author, &alias(table, insert), rows, returned).await
        }
    }?;
    Ok(finished("INSERT 0", count, returning))
}

/// What the statement returns; planned before anything is changed.
pub async fn returning<'a>(context: &'a QueryContext, insert: &ast::Insert) -> Result<Option<Returning<'a>>> {
    let table = target(context, insert)?;
    Returning::of(context, table, &alias(table, insert), insert.returning.as_deref()).await
}

/// What the statement calls the table.
fn alias(table: &Table, insert: &ast::Insert) -> String {
    insert.table_alias.as_ref().map_or_else(|| table.name.name.clone(), |alias| fold(&alias.alias))
}

pub fn target<'a>(context: &'a QueryContext, insert: &ast::Insert) -> Result<&'a Table> {
    let TableObject::TableName(name) = &insert.table else {
        return Err(Error::syntax(format!("cannot insert into \"{}\"", insert.table)));
    };
    writable_table(&existing_name(name, &context.visible)?, &context.visible, |table| {
        let mut needs = vec![Need::columns(Privilege::Insert, columns(table, insert)?)];
        needs.extend(conflict::need(table, insert)?);
        Ok(needs)
    })
}

/// The columns that the rows of an INSERT fill, in order.
pub fn columns(table: &Table, insert: &ast::Insert) -> Result<Vec<String>> {
    if insert.columns.is_empty() {
        return Ok(table.columns.iter().map(|column| column.name.clone()).collect());
    }
    let mut columns: Vec<String> = Vec::with_capacity(insert.columns.len());
    for name in &insert.columns {
        let column = parts(name)?.pop().unwrap_or_default();
        require_column(table, &column)?;
        if columns.contains(&column) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("column \"{column}\" specified more than once"),
            ));
        }
        columns.push(column);
    }
    Ok(columns)
}

/// The rows to insert, in columns of the table's names.
async fn rows(
    context: &QueryContext,
    table: &Table,
    insert: &ast::Insert,
    moments: &[Moment],
) -> Result<LogicalPlan> {
    let columns = columns(table, insert)?;
    let plan = match &insert.source {
        Some(query) => {
            let mut query = query.as_ref().clone();
            fill_in_defaults(&mut query, table, &columns)?;
            describe::stored(context, context.plan_query_at(&query, moments).await?.plan)?
        }
        None => LogicalPlanBuilder::empty(true).build()?,
    };
    let columns = if insert.source.is_none() { Vec::new() } else { columns };
    if !insert.columns.is_empty() && plan.schema().fields().len() < columns.len() {
        return Err(Error::syntax("INSERT has more target columns than expressions"));
    }
    named(context, table, plan, &columns)
}

/// Puts the defaults in the places of DEFAULT among the values.
pub fn fill_in_defaults(query: &mut Query, table: &Table, columns: &[String]) -> Result<()> {
    let SetExpr::Values(values) = query.body.as_mut() else { return Ok(()) };
    for row in &mut values.rows {
        for (value, column) in row.iter_mut().zip(columns) {
            if let Some(column) = table.column(column) {
                fill_in_default(value, column)?;
            }
        }
    }
    Ok(())
}

/// Gives the columns of a plan the names of the table's, and adds the defaults of the others.
fn named(
    context: &QueryContext,
    table: &Table,
    plan: LogicalPlan,
    columns: &[String],
) -> Result<LogicalPlan> {
    let given = plan.schema().columns();
    let types: Vec<DataType> = plan.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    if given.len() > columns.len() && !columns.is_empty() {
        return Err(Error::syntax("INSERT has more expressions than target columns"));
    }
    let named = given.into_iter().zip(types).zip(columns);
    let mut output: Vec<PlanExpr> =
        named.map(|((column, given), name)| in_zone(table, column, &given, name).alias(name)).collect();
    let filled = &columns[..output.len().min(columns.len())];
    for column in table.columns.iter().filter(|column| !filled.contains(&column.name)) {
        if let Some(default) = &column.default {
            let value = plan_expression(&context.base, default, &DFSchema::empty())?;
            output.push(value.alias(&column.name));
        }
    }
    if output.is_empty() {
        // A row of nothing but NULLs still needs a column to stand in.
        let first = &table.columns[0];
        output.push(
            datafusion::prelude::lit(ScalarValue::try_from(&first.data_type.to_arrow())?).alias(&first.name),
        );
    }
    Ok(LogicalPlanBuilder::from(plan).project(output)?.build()?)
}

/// A value for a column. What is no instant becomes one here, where the session's zone is known.
fn in_zone(table: &Table, value: datafusion::common::Column, given: &DataType, name: &str) -> PlanExpr {
    let value = PlanExpr::Column(value);
    let is_time = given.is_string()
        || matches!(given, DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64);
    match table.column(name).map(|column| &column.data_type) {
        Some(column @ SqlType::TimestampTz) if is_time => {
            datafusion::prelude::cast(value, column.to_query_arrow())
        }
        _ => value,
    }
}
