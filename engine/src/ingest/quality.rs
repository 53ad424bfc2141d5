//! `_system/quality`: how each rule of a table fared with each load.
//!
//! The commit that decides a batch carries these rows, and they are repeated here from there, as its rejects are. Of
//! statements only those are told that let rows in which a rule warns of: all others keep every rule.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use serde::{Deserialize, Serialize};

use super::job::Job;
use super::ledger::Event;
use super::state_table::StateTable;
use crate::catalog::QualifiedName;
use crate::error::Result;
use crate::table::Application;
use crate::table::tally::RuleOutcome;
use crate::warehouse::Warehouse;

/// Where it lies under the root.
pub const LOCATION: &str = "_system/quality";

/// One rule and one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Finding {
    table_name: String,
    rule: String,
    kind: String,
    on_violation: String,
    pipe: Option<String>,
    file: Option<String>,
    batch: Option<i64>,
    /// The table version with the rows, unless the load was refused.
    version: Option<i64>,
    rows_checked: i64,
    rows_violating: i64,
    passed: bool,
    example: Option<String>,
    checked_at: DateTime<Utc>,
}

impl Finding {
    pub(crate) fn new(table: &QualifiedName, outcome: RuleOutcome) -> Self {
        let count = |rows: u64| i64::try_from(rows).unwrap_or(i64::MAX);
        Self {
            table_name: table.to_string(),
            rule: outcome.rule,
            kind: outcome.kind,
            on_violation: outcome.on_violation.word().to_owned(),
            pipe: None,
            file: None,
            batch: None,
            version: None,
            rows_checked: count(outcome.rows_checked),
            rows_violating: count(outcome.rows_violating),
            passed: outcome.rows_violating == 0,
            example: outcome.example,
            checked_at: Utc::now(),
        }
    }

    /// The same of a file.
    pub(super) fn of_file(self, pipe: &str, file: &str, batch: i64) -> Self {
        Self { pipe: Some(pipe.to_owned()), file: Some(file.to_owned()), batch: Some(batch), ..self }
    }

    pub(super) fn is_of_file(&self, file: &str) -> bool {
        self.file.as_deref() == Some(file)
    }

    pub(crate) fn at_version(self, version: u64) -> Self {
        Self { version: i64::try_from(version).ok(), ..self }
    }
}

/// What is told of the rules and one file.
pub(super) fn of_file(job: &Job, event: &Event, rules: Vec<RuleOutcome>) -> Vec<Finding> {
    let told = rules.into_iter().filter(RuleOutcome::is_told);
    let finding =
        |outcome| Finding::new(&job.table.name, outcome).of_file(&job.name, &event.file, event.batch);
    told.map(finding).collect()
}

pub(crate) struct QualityTable {
    table: StateTable,
}

impl QualityTable {
    pub(crate) fn new(warehouse: &Warehouse) -> Result<Self> {
        Ok(Self { table: StateTable::new(warehouse, LOCATION, schema())? })
    }

    /// Adds rows; with the application of a batch, once.
    pub(crate) async fn add(&self, findings: &[Finding], batch: Option<Application>) -> Result<()> {
        if findings.is_empty() {
            return Ok(());
        }
        self.table.append(findings, batch).await
    }

    pub(super) async fn compact(&self) -> Result<()> {
        self.table.compact().await
    }

    pub(super) async fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        Ok(Arc::new(self.table.scan().await?))
    }
}

/// Tells of what a committed statement let in. It is done whether or not this can be told.
pub(crate) async fn note_statement(
    warehouse: &Warehouse,
    table: &QualifiedName,
    warned: &[RuleOutcome],
    version: u64,
) {
    if warned.is_empty() {
        return;
    }
    let findings: Vec<Finding> =
        warned.iter().map(|outcome| Finding::new(table, outcome.clone()).at_version(version)).collect();
    let noted = async { QualityTable::new(warehouse)?.add(&findings, None).await };
    if let Err(error) = noted.await {
        tracing::warn!(%table, %error, "telling of rows that a rule warns of");
    }
}

fn schema() -> Schema {
    let required = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    Schema::new(vec![
        required("table_name", DataType::Utf8),
        required("rule", DataType::Utf8),
        required("kind", DataType::Utf8),
        required("on_violation", DataType::Utf8),
        text("pipe"),
        text("file"),
        Field::new("batch", DataType::Int64, true),
        Field::new("version", DataType::Int64, true),
        required("rows_checked", DataType::Int64),
        required("rows_violating", DataType::Int64),
        required("passed", DataType::Boolean),
        text("example"),
        required("checked_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
    ])
}
