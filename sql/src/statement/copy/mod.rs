//! COPY between a relation and the client.

mod options;
mod source;

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{DFSchema, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder, col};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::lit;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Ident, ObjectName, Query, SetExpr};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::catalog::{Relation, Table};
use voxhouse_engine::dml::Work;
use voxhouse_engine::planning::ROW_COLUMN;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::describe;
use super::dml::require_column;
use crate::access::writes::{Need, writable_table};
use crate::dialect::{Copy, CopyDirection, CopyEnd, CopyRelation, Statement};
use crate::instance::plan_expression;
use crate::query::QueryContext;
use crate::query::names::{existing_name, fold};
use crate::query::pipe::parse_query;
use crate::session::Session;
use crate::wire::backend::Outcome;
use crate::wire::copy::CopyIn;
use options::Known;
use source::ClientRows;

/// Begins a COPY: its rows are sent, or asked for, by the wire.
pub async fn run(session: &mut Session, statement: &Statement, copy: &Copy) -> Result<Outcome> {
    refuse_server_access(copy)?;
    let context = session.context(&statement.text).await?;
    match copy.direction {
        CopyDirection::To => send(session, &context, statement, copy).await,
        CopyDirection::From => {
            let target = Target::new(&context, copy)?;
            session.require_changeable("COPY FROM", target.table.name.is_temporary())?;
            let known = Known { copied: &target.columns, table: Some(target.table) };
            let format = options::format(&copy.options, copy.direction, &known)?;
            let columns = target.schema();
            // What is wrong with the statement is said before the client sends a gigabyte.
            target.plan(&context, copy, Arc::new(ClientRows::none(&columns)))?;
            let relation = target.table.name.name.clone();
            Ok(Outcome::CopyIn(CopyIn { relation, format, columns }))
        }
    }
}

/// Writes the rows that the client sends for a COPY FROM. The last column is the number of each row's line.
pub async fn receive(
    session: &mut Session,
    statement: &Statement,
    copy: &Copy,
    rows: SendableRecordBatchStream,
) -> Result<u64> {
    let context = session.context(&statement.text).await?;
    let target = Target::new(&context, copy)?;
    if rows.schema().fields()[..target.columns.len().min(rows.schema().fields().len() - 1)]
        != target.schema().fields()[..]
    {
        let message = format!("table \"{}\" was changed during COPY", target.table.name.name);
        return Err(Error::new(ErrorKind::SerializationFailure, message));
    }
    let plan = target.plan(&context, copy, Arc::new(ClientRows::new(rows)))?;
    let author = session.author(statement);
    session.change_rows(&context, &author, target.table, &Work::Load(plan)).await
}

/// The server's files belong to nobody who can log in.
fn refuse_server_access(copy: &Copy) -> Result<()> {
    let (what, preposition) = match (&copy.end, copy.direction) {
        (CopyEnd::Client, _) => return Ok(()),
        (CopyEnd::File, CopyDirection::From) => ("a file of the server", "from"),
        (CopyEnd::File, CopyDirection::To) => ("a file of the server", "to"),
        (CopyEnd::Program, CopyDirection::From) => ("a program on the server", "from"),
        (CopyEnd::Program, CopyDirection::To) => ("a program on the server", "to"),
    };
    let message = format!("permission denied to COPY {preposition} {what}");
    Err(Error::new(ErrorKind::InsufficientPrivilege, message).with_hint(
        "COPY to stdout or from stdin instead. psql's \\copy command does so with a file of yours.",
    ))
}

async fn send(
    session: &mut Session,
    context: &QueryContext,
    statement: &Statement,
    copy: &Copy,
) -> Result<Outcome> {
    if copy.filter.is_some() {
        return Err(Error::syntax("WHERE clause not allowed with COPY TO")
            .with_hint("Try the COPY (SELECT ... WHERE ...) TO variant."));
    }
    let (query, table) = match &copy.relation {
        CopyRelation::Query(query) => {
            if matches!(
                query.body.as_ref(),
                SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
            ) {
                return Err(Error::not_supported("COPY of a statement that changes rows is not supported"));
            }
            (query.as_ref().clone(), None)
        }
        CopyRelation::Table { name, columns } => table_query(context, name, columns)?,
    };
    let plan = context.plan_query_at(&query, &statement.moments).await?.plan;
    if let Some(parameter) = plan.get_parameter_names()?.into_iter().min() {
        return Err(Error::new(ErrorKind::UndefinedObject, format!("there is no parameter {parameter}")));
    }
    let columns = describe::labelled(context, &plan, &query)?;
    let names: Vec<String> = columns.fields().iter().map(|field| field.name().clone()).collect();
    let format = options::format(&copy.options, copy.direction, &Known { copied: &names, table })?;
    let state = context.state();
    let physical = state.create_physical_plan(&plan).await?;
    session.note_plan(&physical);
    let rows = execute_stream(physical, state.task_ctx())?;
    Ok(Outcome::CopyOut { rows: session.instance.workers.run(rows), columns, format })
}

/// `SELECT columns FROM table`, and the table, unless it is one that the server makes up.
fn table_query<'a>(
    context: &'a QueryContext,
    name: &ObjectName,
    columns: &[Ident],
) -> Result<(Query, Option<&'a Table>)> {
    let found = existing_name(name, &context.visible)?;
    let table = match context.visible.catalog.relation(&found) {
        Some(Relation::View(view)) => {
            return Err(Error::new(
                ErrorKind::WrongObjectType,
                format!("cannot copy from view \"{}\"", view.name.name),
            )
            .with_hint("Try the COPY (SELECT ...) TO variant."));
        }
        Some(Relation::Table(table)) => {
            listed(table, columns)?;
            Some(table)
        }
        _ => None,
    };
    let columns = match columns {
        [] => "*".to_owned(),
        columns => columns
            .iter()
            .map(|column| Ident::with_quote('"', fold(column)).to_string())
            .collect::<Vec<_>>()
            .join(", "),
    };
    Ok((parse_query(&format!("SELECT {columns} FROM {name}"))?, table))
}

/// The columns of a list, which may be empty: all of the table's.
fn listed(table: &Table, columns: &[Ident]) -> Result<Vec<String>> {
    if columns.is_empty() {
        return Ok(table.columns.iter().map(|column| column.name.clone()).collect());
    }
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns.iter().map(fold) {
        require_column(table, &column)?;
        if names.contains(&column) {
            return Err(Error::new(
                ErrorKind::DuplicateColumn,
                format!("column \"{column}\" specified more than once"),
            ));
        }
        names.push(column);
    }
    Ok(names)
}

/// Where the rows of a COPY FROM go.
struct Target<'a> {
    table: &'a Table,
    /// Those that the client sends, in its order.
    columns: Vec<String>,
}

impl<'a> Target<'a> {
    fn new(context: &'a QueryContext, copy: &Copy) -> Result<Self> {
        let CopyRelation::Table { name, columns } = &copy.relation else {
            return Err(Error::internal("COPY FROM into a query"));
        };
        let table = writable_table(&existing_name(name, &context.visible)?, &context.visible, |table| {
            Ok(vec![Need::columns(Privilege::Insert, listed(table, columns)?)])
        })?;
        Ok(Self { table, columns: listed(table, columns)? })
    }

    /// As the table stores them, so that nothing has to be converted twice.
    fn schema(&self) -> SchemaRef {
        let columns = self.columns.iter().filter_map(|name| self.table.column(name));
        let fields =
            columns.map(|column| column.data_type.to_field(&column.name, true, column.data_type.to_arrow()));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The rows to insert: those of the client, with defaults for the other columns, and without those that the
    /// condition leaves out.
    fn plan(&self, context: &QueryContext, copy: &Copy, rows: Arc<ClientRows>) -> Result<LogicalPlan> {
        let mut output: Vec<PlanExpr> = self.columns.iter().map(|name| column(name)).collect();
        for other in self.table.columns.iter().filter(|column| !self.columns.contains(&column.name)) {
            let value = match &other.default {
                Some(default) => plan_expression(&context.base, default, &DFSchema::empty())?,
                None if copy.filter.is_some() => lit(ScalarValue::try_from(&other.data_type.to_arrow())?),
                None => continue,
            };
            output.push(value.alias(&other.name));
        }
        output.push(column(ROW_COLUMN));
        let plan = LogicalPlanBuilder::scan("client", provider_as_source(rows), None)?
            .project(output)?
            .alias(TableReference::bare(self.table.name.name.as_str()))?;
        let Some(filter) = &copy.filter else { return Ok(plan.build()?) };
        refuse_in_filter(filter)?;
        let condition = plan_expression(&context.base, &filter.to_string(), plan.schema())?;
        Ok(plan.filter(condition)?.build()?)
    }
}

/// A column by its exact name.
fn column(name: &str) -> PlanExpr {
    col(datafusion::common::Column::from_name(name))
}

fn refuse_in_filter(filter: &ast::Expr) -> Result<()> {
    use std::ops::ControlFlow;
    let mut found = ControlFlow::Continue(());
    let _ = ast::visit_expressions(filter, |part: &ast::Expr| {
        if matches!(part, ast::Expr::Subquery(_) | ast::Expr::Exists { .. } | ast::Expr::InSubquery { .. }) {
            found = ControlFlow::Break(());
        }
        found
    });
    if found.is_break() {
        return Err(Error::not_supported("cannot use subquery in COPY FROM WHERE condition"));
    }
    Ok(())
}
