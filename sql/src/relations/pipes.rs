//! `system.pipes`: the pipes, and how they stand.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::{MemTable, TableType};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use voxhouse_engine::Result;
use voxhouse_engine::catalog::Pipe;
use voxhouse_engine::ingest::PipeStatus;

use super::{bigint, text};
use crate::instance::Background;
use crate::query::catalog::Relations;

/// Columns for which the folders of the pipes are listed.
const LISTED: [&str; 2] = ["files_waiting", "lag_seconds"];

pub(super) fn schema() -> SchemaRef {
    let at =
        |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    Arc::new(Schema::new(vec![
        text("name"),
        text("from_location"),
        text("into_table"),
        text("format"),
        text("options"),
        bigint("every_seconds"),
        text("query"),
        text("owner"),
        text("comment"),
        text("mode"),
        text("state"),
        at("last_run_at"),
        at("last_loaded_at"),
        bigint("files_loaded"),
        bigint("files_failed"),
        bigint("files_dead"),
        bigint("files_waiting"),
        Field::new("lag_seconds", DataType::Float64, true),
        text("last_error"),
        text("offset_gaps"),
    ]))
}

/// Read when it is scanned, and no more of it than is asked for.
pub(super) struct Pipes {
    schema: SchemaRef,
    relations: Arc<Relations>,
    background: Arc<Background>,
}

impl std::fmt::Debug for Pipes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("system.pipes")
    }
}

impl Pipes {
    pub(super) fn new(relations: &Arc<Relations>, background: &Arc<Background>) -> Self {
        Self { schema: schema(), relations: Arc::clone(relations), background: Arc::clone(background) }
    }

    async fn batch(&self, list: bool) -> Result<RecordBatch> {
        let catalog = self.relations.catalog();
        let ingestion = self.background.ingestion()?;
        let pipes: Vec<&Pipe> = catalog.pipes().collect();
        let statuses = pipes.iter().map(|pipe| ingestion.pipe_status(catalog, pipe, list));
        let statuses = futures::future::join_all(statuses).await;
        // A pipe whose state cannot be read is listed with the reason.
        let statuses: Vec<PipeStatus> = statuses
            .into_iter()
            .map(|status| {
                status.unwrap_or_else(|error| PipeStatus {
                    last_error: Some(error.to_string()),
                    ..PipeStatus::default()
                })
            })
            .collect();
        let mut columns = defined(&pipes);
        columns.extend(standing(&statuses));
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

/// What CREATE PIPE has said.
fn defined(pipes: &[&Pipe]) -> Vec<ArrayRef> {
    let texts = |value: fn(&Pipe) -> Option<String>| -> ArrayRef {
        Arc::new(pipes.iter().map(|pipe| value(pipe)).collect::<StringArray>())
    };
    vec![
        texts(|pipe| Some(pipe.name.clone())),
        texts(|pipe| Some(pipe.from.clone())),
        texts(|pipe| Some(pipe.into.to_string())),
        texts(|pipe| Some(pipe.format.clone())),
        texts(|pipe| Some(serde_json::json!(pipe.options).to_string())),
        Arc::new(Int64Array::from_iter(
            pipes.iter().map(|pipe| pipe.every_seconds.map(|every| every as i64)),
        )),
        texts(|pipe| pipe.query.clone()),
        texts(|pipe| Some(pipe.owner.clone())),
        texts(|pipe| pipe.comment.clone()),
        texts(|pipe| Some(pipe.mode.to_string())),
    ]
}

/// What has become of them.
fn standing(statuses: &[PipeStatus]) -> Vec<ArrayRef> {
    let texts = |value: fn(&PipeStatus) -> Option<String>| -> ArrayRef {
        Arc::new(statuses.iter().map(value).collect::<StringArray>())
    };
    let times = |value: fn(&PipeStatus) -> Option<DateTime<Utc>>| -> ArrayRef {
        let micros = statuses.iter().map(|status| value(status).map(|at| at.timestamp_micros()));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let counts = |value: fn(&PipeStatus) -> Option<u64>| -> ArrayRef {
        Arc::new(
            statuses.iter().map(|status| value(status).map(|count| count as i64)).collect::<Int64Array>(),
        )
    };
    vec![
        texts(|status| Some(status.state.to_owned()).filter(|state| !state.is_empty())),
        times(|status| status.last_run_at),
        times(|status| status.last_loaded_at),
        counts(|status| Some(status.files_loaded)),
        counts(|status| Some(status.files_failed)),
        counts(|status| Some(status.files_dead)),
        counts(|status| status.waiting.map(|waiting| waiting.files)),
        Arc::new(
            statuses
                .iter()
                .map(|status| status.waiting.map(|waiting| waiting.lag_seconds))
                .collect::<Float64Array>(),
        ),
        texts(|status| status.last_error.clone()),
        texts(|status| Some(status.offset_gaps.join(", ")).filter(|gaps| !gaps.is_empty())),
    ]
}

#[async_trait]
impl TableProvider for Pipes {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let is_listed = |column: &usize| LISTED.contains(&self.schema.field(*column).name().as_str());
        let list = projection.is_none_or(|columns| columns.iter().any(is_listed));
        let batch = self.batch(list).await?;
        let rows = MemTable::try_new(Arc::clone(&self.schema), vec![vec![batch]])?;
        rows.scan(state, projection, filters, limit).await
    }
}
