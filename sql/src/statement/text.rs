//! CALL of what learns from labels, and of refreshes: `text.train_sentiment`, `text.revert_sentiment`,
//! `text.adopt_taxonomy`, `system.refresh`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, UnaryOperator, Value,
};
use voxhouse_engine::catalog::QualifiedName;
use voxhouse_engine::catalog::access::not_owner;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::rows;
use crate::dialect::{self, OwnStatement, StatementKind};
use crate::query::names::parts;
use crate::session::Session;
use crate::text::kept::{Kept, qualified};
use crate::text::models;
use crate::text::refresh::{Scope, refresh};
use crate::wire::backend::Outcome;

const VERSION: [(&str, DataType); 1] = [("version", DataType::Int64)];

const TRAINED: [(&str, DataType); 4] = [
    ("version", DataType::Int64),
    ("n_obs", DataType::Int64),
    ("accuracy_before", DataType::Float64),
    ("accuracy_after", DataType::Float64),
];

/// The columns that a procedure returns, if it is one of these.
pub fn schema(procedure: &str) -> Option<Option<SchemaRef>> {
    match procedure {
        "text.train_sentiment" => Some(Some(columns(&TRAINED))),
        "text.revert_sentiment" | "text.adopt_taxonomy" => Some(Some(columns(&VERSION))),
        "system.refresh" => Some(None),
        _ => None,
    }
}

fn columns(columns: &[(&str, DataType)]) -> SchemaRef {
    let field = |(name, data_type): &(&str, DataType)| Field::new(*name, data_type.clone(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

pub async fn run(session: &mut Session, procedure: &str, call: &Function) -> Result<Outcome> {
    session.require_no_block(&format!("CALL {procedure}"))?;
    let wrong = |form: &str| Err(Error::invalid_argument(format!("it is called as {procedure}({form})")));
    let arguments = arguments(procedure, call)?;
    match (procedure, arguments.as_slice()) {
        ("text.train_sentiment", [relation, text, label]) => {
            let learnt = models::train(session, relation, text, label).await?;
            let trained = &learnt.trained;
            let values: Vec<ArrayRef> = vec![
                Arc::new(Int64Array::from(vec![learnt.version])),
                Arc::new(Int64Array::from(vec![trained.n_obs as i64])),
                Arc::new(Float64Array::from(vec![trained.accuracy_before])),
                Arc::new(Float64Array::from(vec![trained.accuracy_after])),
            ];
            Ok(rows("CALL", RecordBatch::try_new(columns(&TRAINED), values)?))
        }
        ("text.revert_sentiment", []) => version(models::revert(session, None).await?),
        ("text.revert_sentiment", [asked]) => match asked.parse() {
            Ok(asked) => version(models::revert(session, Some(asked)).await?),
            Err(_) => wrong("[version]"),
        },
        ("text.adopt_taxonomy", [shipped]) => version(models::adopt(session, shipped, shipped).await?),
        ("text.adopt_taxonomy", [shipped, name]) => version(models::adopt(session, shipped, name).await?),
        ("system.refresh", [name]) => {
            refresh_by_name(session, name).await?;
            Ok(Outcome::Done("CALL".into()))
        }
        ("text.train_sentiment", _) => wrong("'relation', 'text', 'label'"),
        ("text.revert_sentiment", _) => wrong("[version]"),
        ("text.adopt_taxonomy", _) => wrong("'taxonomy' [, 'name']"),
        _ => wrong("'relation'"),
    }
}

fn version(version: i64) -> Result<Outcome> {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![version]));
    Ok(rows("CALL", RecordBatch::try_new(columns(&VERSION), vec![values])?))
}

/// Constants, as texts.
fn arguments(procedure: &str, call: &Function) -> Result<Vec<String>> {
    let wrong = || Error::invalid_argument(format!("{procedure} takes constants"));
    let FunctionArguments::List(list) = &call.args else { return Ok(Vec::new()) };
    let text = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => constant(expr).ok_or_else(wrong),
        _ => Err(wrong()),
    };
    list.args.iter().map(text).collect()
}

fn constant(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => Some(number.to_string()),
            other => other.clone().into_string(),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(format!("-{}", constant(expr)?)),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => constant(expr),
        _ => None,
    }
}

/// `CALL system.refresh('x.opinions')` is REFRESH MATERIALIZED VIEW of that name.
async fn refresh_by_name(session: &mut Session, name: &str) -> Result<()> {
    let text = format!("REFRESH MATERIALIZED VIEW {name}");
    let statements = dialect::parse(&text)?;
    let is_refresh = matches!(
        statements.as_slice(),
        [statement] if matches!(&statement.kind, StatementKind::Own(OwnStatement::RefreshMaterializedView { .. }))
    );
    if !is_refresh {
        return Err(Error::syntax(format!("\"{name}\" is not the name of a relation")));
    }
    session.run(&text).await.map(|_| ())
}

/// The kept relation that a name stands for.
pub fn kept(name: &ObjectName) -> Result<Option<&'static Kept>> {
    Ok(match parts(name)?.as_slice() {
        [schema, name] => Kept::asked(&QualifiedName::new(schema, name)),
        _ => None,
    })
}

/// Brings `x.opinions` or `x.tags` up to date, rows of older words, models and taxonomies too.
pub async fn refresh_kept(session: &mut Session, kept: &Kept) -> Result<Outcome> {
    session.require_no_block("REFRESH of a kept relation")?;
    session.require_changeable("REFRESH MATERIALIZED VIEW", false)?;
    let context = session.context("REFRESH").await?;
    let store = context.visible.catalog.table(&qualified(kept.store))?;
    if !context.visible.access().owns(&store.owner) {
        return Err(not_owner("view", kept.asked_as));
    }
    let instance = Arc::clone(&session.instance);
    let files = refresh(&instance, kept, Scope::All).await.map_err(|error| match error.kind() {
        ErrorKind::SerializationFailure => error.with_hint("Somebody else refreshes it; run it again."),
        _ => error,
    })?;
    session.notice(format!("read {files} files of feedback"));
    Ok(Outcome::Done("REFRESH MATERIALIZED VIEW".into()))
}
