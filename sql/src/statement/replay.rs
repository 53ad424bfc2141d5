//! `CALL system.replay_rejects('schema.table')`, or `(pipe => 'name')`, perhaps with `since => '2026-01-31'`: rejected
//! rows are loaded again.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Value,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;
use voxhouse_engine::catalog::access::denied;
use voxhouse_engine::catalog::acl::Privilege;
use voxhouse_engine::ingest::Replay;
use voxhouse_engine::{Error, Result};

use super::rows;
use crate::access::writes::{Need, writable_table};
use crate::query::QueryContext;
use crate::query::context::parse_timestamp;
use crate::query::names::{existing_name, fold};
use crate::session::Session;
use crate::wire::backend::Outcome;

const COLUMNS: [&str; 5] = ["files_loaded", "files_failed", "rows", "rejected", "unreadable"];

pub(super) fn columns() -> SchemaRef {
    Arc::new(Schema::new(COLUMNS.map(|name| Field::new(name, DataType::Int64, false)).to_vec()))
}

pub(super) async fn run(session: &mut Session, call: &Function) -> Result<Outcome> {
    session.require_no_block("CALL system.replay_rejects")?;
    session.require_changeable("CALL", false)?;
    let context = session.context("CALL").await?;
    let said = Said::read(call)?;
    let replay = said.replay(&context)?;
    let ingestion = Arc::clone(session.instance.ingestion()?);
    let report = ingestion.replay_rejects(&context.visible.role, &replay, said.since).await?;
    for (file, error) in &report.run.errors {
        session.warning(error.sqlstate(), format!("rows of \"{file}\" were not loaded: {error}"));
    }
    let run = &report.run;
    let values = [run.files_loaded, run.files_failed, run.rows, run.rejected, report.unreadable];
    let column = |value: &u64| Arc::new(Int64Array::from(vec![*value as i64])) as ArrayRef;
    Ok(rows("CALL", RecordBatch::try_new(columns(), values.iter().map(column).collect())?))
}

/// What the call says.
#[derive(Default)]
struct Said {
    table: Option<String>,
    pipe: Option<String>,
    since: Option<DateTime<Utc>>,
}

impl Said {
    fn read(call: &Function) -> Result<Self> {
        let FunctionArguments::List(list) = &call.args else { return Err(wrong()) };
        let mut said = Self::default();
        for (place, argument) in list.args.iter().enumerate() {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) if place == 0 => {
                    said.table = Some(text_of(value)?);
                }
                FunctionArg::Named {
                    name,
                    arg: FunctionArgExpr::Expr(value),
                    operator: FunctionArgOperator::RightArrow | FunctionArgOperator::Assignment,
                } => said.name(&fold(name), text_of(value)?)?,
                _ => return Err(wrong()),
            }
        }
        Ok(said)
    }

    fn name(&mut self, argument: &str, text: String) -> Result<()> {
        match argument {
            "table" => self.table = Some(text),
            "pipe" => self.pipe = Some(text),
            "since" => self.since = Some(parse_timestamp(&text)?),
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn replay(&self, context: &QueryContext) -> Result<Replay> {
        match (&self.table, &self.pipe) {
            (Some(table), None) => {
                let name = existing_name(&relation(table)?, &context.visible)?;
                writable_table(&name, &context.visible, |_| Ok(vec![Need::table(Privilege::Insert)]))?;
                Ok(Replay::IntoTable(name))
            }
            (None, Some(pipe)) => {
                let known = context.visible.catalog.pipe(pipe)?;
                let secured = voxhouse_engine::catalog::access::Secured::pipe(known);
                if !context.visible.access().may(&secured, Privilege::Usage) {
                    return Err(denied("pipe", pipe));
                }
                Ok(Replay::OfPipe(pipe.clone()))
            }
            _ => Err(wrong()),
        }
    }
}

fn wrong() -> Error {
    Error::invalid_argument("system.replay_rejects takes a table or a pipe").with_hint(
        "Write system.replay_rejects('schema.table') or system.replay_rejects(pipe => 'name'), and perhaps since => '2026-01-31'.",
    )
}

fn text_of(value: &Expr) -> Result<String> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Ok(text.clone()),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// The name in a text.
fn relation(text: &str) -> Result<datafusion::sql::sqlparser::ast::ObjectName> {
    let invalid = || Error::invalid_argument(format!("\"{text}\" is not the name of a table"));
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).map_err(|_| invalid())?;
    let name = parser.parse_object_name(false).map_err(|_| invalid())?;
    if parser.peek_token().token == Token::EOF { Ok(name) } else { Err(invalid()) }
}
