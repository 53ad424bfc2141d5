//! OPTIMIZE, VACUUM, and the options of a table.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::Duration;
use datafusion::sql::sqlparser::ast::{self, Expr, ObjectName};
use voxhouse_engine::catalog::Table;
use voxhouse_engine::catalog::access::not_owner;
use voxhouse_engine::catalog::ddl::refuse_external;
use voxhouse_engine::maintenance::{Maintenance, Optimize, OptimizeReport, Vacuum};
use voxhouse_engine::table::options::duration;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::rows;
use crate::dialect::{Statement, UpkeepStatement, VacuumOptions};
use crate::query::names::existing_name;
use crate::session::Session;
use crate::wire::backend::Outcome;

const OPTIMIZE_COLUMNS: [&str; 6] =
    ["files_before", "files_after", "bytes_before", "bytes_after", "files_rewritten", "version"];

/// The columns that a statement returns.
pub fn schema(statement: &UpkeepStatement) -> Option<SchemaRef> {
    match statement {
        UpkeepStatement::Optimize { .. } => Some(optimize_schema()),
        UpkeepStatement::Vacuum { .. } => None,
    }
}

fn optimize_schema() -> SchemaRef {
    Arc::new(Schema::new(OPTIMIZE_COLUMNS.map(|name| Field::new(name, DataType::Int64, false)).to_vec()))
}

pub async fn run(session: &mut Session, statement: &Statement, upkeep: &UpkeepStatement) -> Result<Outcome> {
    match upkeep {
        UpkeepStatement::Optimize { table, filter, zorder } => {
            optimize(session, statement, table, filter.as_deref(), zorder).await
        }
        UpkeepStatement::Vacuum { table, options } => {
            vacuum(session, statement, table.as_ref(), options).await
        }
    }
}

/// A table of whoever asks.
async fn own_table(session: &Session, text: &str, name: &ObjectName) -> Result<Table> {
    let context = session.context(text).await?;
    let table = context.visible.catalog.table(&existing_name(name, &context.visible)?)?;
    if table.name.is_temporary() {
        return Err(Error::new(
            ErrorKind::WrongObjectType,
            format!("\"{}\" is a temporary table", table.name.name),
        )
        .with_detail("The files of temporary tables go with their session."));
    }
    refuse_external(table)?;
    match context.visible.access().owns(&table.owner) {
        true => Ok(table.clone()),
        false => Err(not_owner("table", &table.name.name)),
    }
}

fn maintenance(session: &Session) -> Result<Arc<Maintenance>> {
    session.instance.maintenance().cloned()
}

async fn optimize(
    session: &mut Session,
    statement: &Statement,
    name: &ObjectName,
    filter: Option<&Expr>,
    zorder: &[String],
) -> Result<Outcome> {
    session.require_no_block("OPTIMIZE")?;
    session.require_changeable("OPTIMIZE", false)?;
    let table = own_table(session, &statement.text, name).await?;
    let author = session.author(statement);
    let filter = filter.map(ToString::to_string);
    let request = Optimize { table: &table, filter: filter.as_deref(), zorder, author: &author };
    let report = maintenance(session)?.optimize(&request).await?;
    if report.swapped.abandoned > 0 {
        session.notice("files that others changed meanwhile were left as they are");
    }
    Ok(rows("OPTIMIZE", report_batch(&report)?))
}

fn report_batch(report: &OptimizeReport) -> Result<RecordBatch> {
    let values = [
        report.files_before,
        report.files_after,
        report.bytes_before,
        report.bytes_after,
        report.swapped.files_removed,
        report.version,
    ];
    let columns = values.map(|value| Arc::new(Int64Array::from(vec![value as i64])) as ArrayRef);
    Ok(RecordBatch::try_new(optimize_schema(), columns.to_vec())?)
}

/// VACUUM of one table, or of all.
async fn vacuum(
    session: &mut Session,
    statement: &Statement,
    name: Option<&ObjectName>,
    options: &VacuumOptions,
) -> Result<Outcome> {
    session.require_no_block("VACUUM")?;
    let vacuum = Vacuum { retention: retention(options)?, dry_run: options.dry_run, force: options.force };
    vacuum.check()?;
    let context = session.context(&statement.text).await?;
    let catalog = &context.visible.catalog;
    let tables: Vec<Table> = match name {
        Some(name) => vec![catalog.table(&existing_name(name, &context.visible)?)?.clone()],
        None => catalog.tables().cloned().collect(),
    };
    let maintenance = maintenance(session)?;
    let author = session.author(statement);
    let mut removed = 0;
    if name.is_none() && !vacuum.dry_run {
        removed += session.instance.warehouse.leases().sweep().await?;
    }
    // The files of temporary tables go with their session, those of external ones with the program that wrote them.
    let is_ours = |table: &Table| !table.name.is_temporary() && table.external.is_none();
    for table in tables.into_iter().filter(is_ours) {
        if !context.visible.access().owns(&table.owner) {
            let message =
                format!("skipping \"{}\" --- only table or database owner can vacuum it", table.name.name);
            session.warning("01000", message);
            continue;
        }
        removed += maintenance.vacuum(&table, &vacuum, &author).await?;
    }
    if name.is_none() && !vacuum.dry_run {
        session.instance.ingestion()?.settle().await?;
        removed += session.instance.warehouse.vacuum_system().await?;
    }
    session.notice(match vacuum.dry_run {
        true => format!("would remove {removed} files"),
        false => format!("removed {removed} files"),
    });
    Ok(Outcome::Done("VACUUM".into()))
}

fn retention(options: &VacuumOptions) -> Result<Option<Duration>> {
    let Some(text) = &options.retain else { return Ok(None) };
    let invalid = || {
        Error::invalid_argument(format!("invalid interval \"{text}\""))
            .with_hint("Write a time such as '7 days'.")
    };
    duration(text).map(Some).ok_or_else(invalid)
}

/// `ALTER TABLE … SET (…)`.
pub async fn set_options(
    session: &mut Session,
    statement: &Statement,
    alter: &ast::AlterTable,
) -> Result<Outcome> {
    session.require_no_block("ALTER TABLE … SET")?;
    session.require_changeable("ALTER TABLE", false)?;
    let table = own_table(session, &statement.text, &alter.name).await?;
    let changes = super::table_options::changes(alter, &table.columns)?;
    session.instance.warehouse.delta(&table)?.set_properties(&changes).await?;
    Ok(Outcome::Done("ALTER TABLE".into()))
}
