//! PREPARE, EXECUTE and DEALLOCATE. The names are those of the protocol's prepared statements too.

use std::sync::Arc;

use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::FieldRef;
use datafusion::logical_expr::{self as plan, LogicalPlan};
use datafusion::physical_plan::collect;
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::{self, Expr, SelectItem, SetExpr};
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::ddl::sql_type;
use super::literal;
use crate::dialect::{Identity, Statement, StatementKind};
use crate::query::pipe::parse_query;
use crate::session::{Prepared, Session};
use crate::wire::backend::{Outcome, Session as _};
use crate::wire::portal::Prepared as Named;

pub async fn prepare(
    session: &mut Session,
    statement: &Statement,
    name: &str,
    types: &[ast::DataType],
    inner: &ast::Statement,
) -> Result<Outcome> {
    use ast::Statement as S;
    if !matches!(inner, S::Query(_) | S::Insert(_) | S::Update(_) | S::Delete(_) | S::Merge(_)) {
        return Err(Error::syntax("only SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE can be prepared"));
    }
    session.statements.check_new(name)?;
    let declared = types.iter().map(declared_type).collect::<Result<Vec<_>>>()?;
    let identity = Arc::new(Identity::of_text(&inner.to_string()));
    let kind = StatementKind::Sql(Box::new(inner.clone()));
    let inner = Statement { kind, identity: Arc::clone(&identity), ..statement.clone() };
    let prepared = Box::pin(session.prepare(inner, &declared)).await?;
    let description = session.describe(&prepared);
    session.statements.put(name, Named::of_sql(prepared, description, &statement.text, identity)?);
    Ok(Outcome::Done("PREPARE".into()))
}

/// `unknown` leaves the type to the statement.
fn declared_type(data_type: &ast::DataType) -> Result<Option<FieldRef>> {
    if data_type.to_string().eq_ignore_ascii_case("unknown") {
        return Ok(None);
    }
    let known = sql_type(data_type)?;
    Ok(Some(Arc::new(known.to_field("", true, known.to_arrow()))))
}

/// The statement of a name.
pub fn named(session: &Session, name: &str) -> Result<Arc<Prepared>> {
    let named = session.statements.get(name)?;
    let prepared = named.plan().ok_or_else(|| Error::syntax(format!("statement \"{name}\" is empty")))?;
    match prepared.statement.kind {
        StatementKind::Session(_) => Err(Error::not_supported(format!(
            "EXECUTE of \"{name}\", which is not a query or a change of rows, is not supported"
        ))),
        _ => Ok(Arc::clone(prepared)),
    }
}

pub async fn execute(
    session: &mut Session,
    name: &str,
    arguments: &[Expr],
    parameters: &[ScalarValue],
) -> Result<Outcome> {
    let prepared = named(session, name)?;
    session.count_as(&prepared.statement);
    let values = values(session, name, &prepared.parameters, arguments, parameters).await?;
    Box::pin(session.execute(&prepared, values, CancellationToken::new())).await
}

/// The arguments of EXECUTE in the types of the statement's parameters.
pub async fn values(
    session: &Session,
    name: &str,
    types: &[FieldRef],
    arguments: &[Expr],
    parameters: &[ScalarValue],
) -> Result<Vec<ScalarValue>> {
    if arguments.len() != types.len() {
        let message = format!("wrong number of parameters for prepared statement \"{name}\"");
        let detail = format!("Expected {} parameters but got {}.", types.len(), arguments.len());
        return Err(Error::syntax(message).with_detail(detail));
    }
    if arguments.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = parse_query("SELECT 1")?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        let mut arguments = arguments.to_vec();
        for argument in &mut arguments {
            literal::bind_expression(argument, parameters)?;
        }
        select.projection = arguments.into_iter().map(SelectItem::UnnamedExpr).collect();
    }
    let context = session.context("EXECUTE").await?;
    let planned = context.plan_query(&query).await?;
    let state = context.state();
    let physical = state.create_physical_plan(&read_texts(planned.plan, types)?).await?;
    let batches = collect(physical, state.task_ctx()).await?;
    let row = batches.first().filter(|batch| batch.num_rows() == 1);
    let row = row.ok_or_else(|| {
        Error::new(
            ErrorKind::CardinalityViolation,
            "set-returning functions are not allowed in EXECUTE parameters",
        )
    })?;
    // What cannot be converted is an error, never NULL.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let values = row.columns().iter().zip(types).map(|(column, field)| {
        Ok(ScalarValue::try_from_array(&cast_with_options(column, field.data_type(), &strict)?, 0)?)
    });
    values.collect()
}

/// Texts as values of the types, read as the session reads them.
fn read_texts(plan: LogicalPlan, types: &[FieldRef]) -> Result<LogicalPlan> {
    let columns = plan.schema().columns().into_iter().zip(plan.schema().fields().iter().zip(types));
    let outputs = columns.enumerate().map(|(place, (column, (given, wanted)))| {
        let is_read = given.data_type().is_string() && !wanted.data_type().is_string();
        let value = plan::Expr::Column(column);
        let value = if is_read { plan::cast(value, wanted.data_type().clone()) } else { value };
        value.alias(format!("p{place}"))
    });
    let outputs: Vec<plan::Expr> = outputs.collect();
    Ok(plan::LogicalPlanBuilder::from(plan).project(outputs)?.build()?)
}

pub fn deallocate(session: &mut Session, name: Option<&str>) -> Result<Outcome> {
    match name {
        None => {
            session.statements.remove_all();
            Ok(Outcome::Done("DEALLOCATE ALL".into()))
        }
        Some(name) => {
            session.statements.get(name)?;
            session.statements.remove(name);
            Ok(Outcome::Done("DEALLOCATE".into()))
        }
    }
}
