//! CALL of the procedures that the warehouse has.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Value,
};
use voxhouse_engine::catalog::access::{Secured, denied};
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::{identity, replay, rows, text, train};
use crate::query::names::parts;
use crate::session::Session;
use crate::wire::backend::Outcome;

/// How each procedure is called.
const PROCEDURES: &[&str] = &[
    "system.run_pipe('pipe')",
    "system.replay_rejects('table')",
    "system.reset_queries()",
    "system.refresh('relation')",
    "text.train_sentiment('relation', 'text', 'label')",
    "text.revert_sentiment()",
    "text.adopt_taxonomy('taxonomy')",
    "roi.train('name', 'method', 'relation', 'outcome', ARRAY['predictor'])",
];

const RUN_PIPE_COLUMNS: [&str; 5] = ["files_loaded", "files_failed", "files_skipped", "rows", "rejected"];

/// The columns that a procedure returns.
pub fn schema(call: &Function) -> Result<Option<SchemaRef>> {
    match parts(&call.name)?.join(".").as_str() {
        "system.run_pipe" => Ok(Some(run_pipe_schema())),
        "system.replay_rejects" => Ok(Some(replay::columns())),
        "system.reset_queries" => Ok(None),
        "roi.train" => Ok(Some(train::schema())),
        other if identity::schema(other).is_some() => Ok(identity::schema(other)),
        other => text::schema(other).ok_or_else(|| undefined(other)),
    }
}

pub async fn run(session: &mut Session, call: &Function) -> Result<Outcome> {
    match parts(&call.name)?.join(".").as_str() {
        "system.run_pipe" => run_pipe(session, &text_argument(call)?).await,
        "system.replay_rejects" => replay::run(session, call).await,
        "system.reset_queries" => {
            no_argument(call)?;
            reset_queries(session).await
        }
        "roi.train" => train::run(session, call).await,
        other if text::schema(other).is_some() => text::run(session, other, call).await,
        other if identity::schema(other).is_some() => identity::call(session, other, call).await,
        other => Err(undefined(other)),
    }
}

fn undefined(name: &str) -> Error {
    Error::new(ErrorKind::UndefinedFunction, format!("procedure {name} does not exist")).with_hint(format!(
        "The procedures are {} and {}.",
        PROCEDURES.join(", "),
        identity::PROCEDURES
    ))
}

fn run_pipe_schema() -> SchemaRef {
    Arc::new(Schema::new(
        RUN_PIPE_COLUMNS.iter().map(|name| Field::new(*name, DataType::Int64, false)).collect::<Vec<_>>(),
    ))
}

async fn run_pipe(session: &mut Session, pipe: &str) -> Result<Outcome> {
    session.require_no_block("CALL system.run_pipe")?;
    session.require_changeable("CALL", false)?;
    let context = session.context("CALL").await?;
    let catalog = &context.visible.catalog;
    if !context.visible.access().may(&Secured::pipe(catalog.pipe(pipe)?), Privilege::Usage) {
        return Err(denied("pipe", pipe));
    }
    let ingestion = Arc::clone(session.instance.ingestion()?);
    let report = ingestion.run_pipe(pipe, None).await?;
    for (file, error) in &report.errors {
        session.warning(error.sqlstate(), format!("file \"{file}\" was not loaded: {error}"));
    }
    let values =
        [report.files_loaded, report.files_failed, report.files_skipped, report.rows, report.rejected];
    let columns =
        values.iter().map(|value| Arc::new(Int64Array::from(vec![*value as i64])) as ArrayRef).collect();
    Ok(rows("CALL", RecordBatch::try_new(run_pipe_schema(), columns)?))
}

/// Forgets what `system.queries` shows.
async fn reset_queries(session: &mut Session) -> Result<Outcome> {
    let context = session.context("CALL").await?;
    if !context.visible.access().is_superuser() {
        return Err(denied("procedure", "system.reset_queries")
            .with_detail("Only a superuser may forget what statements have cost."));
    }
    session.instance.observer.queries.reset();
    Ok(Outcome::Done("CALL".into()))
}

fn no_argument(call: &Function) -> Result<()> {
    match &call.args {
        FunctionArguments::None => Ok(()),
        FunctionArguments::List(list) if list.args.is_empty() => Ok(()),
        _ => Err(Error::invalid_argument(format!("{} takes nothing", call.name))),
    }
}

fn text_argument(call: &Function) -> Result<String> {
    let wrong = || Error::invalid_argument(format!("{} takes one text", call.name));
    let FunctionArguments::List(list) = &call.args else { return Err(wrong()) };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] = list.args.as_slice() else {
        return Err(wrong());
    };
    match &value.value {
        Value::SingleQuotedString(text) => Ok(text.clone()),
        _ => Err(wrong()),
    }
}
