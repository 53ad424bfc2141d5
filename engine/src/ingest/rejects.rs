//! `_system/rejects`: rows that did not enter a table, with the reason and the row as it came.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;
use chrono::{DateTime, Utc};
use datafusion::catalog::TableProvider;
use deltalake_core::kernel::Action;
use futures::TryStreamExt;
use serde::Serialize;

use super::ledger::told;
use super::state_table::StateTable;
use crate::error::Result;
use crate::source::{BadRow, OpenFile};
use crate::table::Application;
use crate::table::load::RejectedRow;
use crate::table::write::TableWriter;
use crate::warehouse::Warehouse;

/// Where it lies under the root.
pub const LOCATION: &str = "_system/rejects";

/// Of a row that the format could not read; PostgreSQL's code for a line that COPY cannot.
pub(super) const UNREADABLE_ROW: &str = "22P04";

/// A rejected row of one file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Reject {
    pub(super) row_number: Option<i64>,
    pub(super) reason: String,
    pub(super) sqlstate: String,
    pub(super) raw: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    pipe: &'a str,
    target: &'a str,
    batch: i64,
    file: &'a str,
    #[serde(flatten)]
    reject: &'a Reject,
    rejected_at: DateTime<Utc>,
}

pub(super) struct RejectTable {
    table: StateTable,
}

/// Where rejects come from.
pub(super) struct Origin<'a> {
    pub(super) pipe: &'a str,
    pub(super) target: &'a str,
    pub(super) batch: i64,
    pub(super) file: &'a str,
}

impl RejectTable {
    pub(super) fn new(warehouse: &Warehouse) -> Result<Self> {
        Ok(Self { table: StateTable::new(warehouse, LOCATION, schema())? })
    }

    pub(super) async fn writer(&self) -> Result<TableWriter> {
        self.table.writer().await
    }

    /// Writes rows that [`commit`](Self::commit) makes visible.
    pub(super) async fn write(
        &self,
        to: &mut TableWriter,
        from: &Origin<'_>,
        rejects: &[Reject],
    ) -> Result<()> {
        let Origin { pipe, target, batch, file } = *from;
        let rejected_at = Utc::now();
        let row = |reject| Row { pipe, target, batch, file, reject, rejected_at };
        let rows: Vec<Row<'_>> = rejects.iter().map(row).collect();
        to.write(&self.table.to_batch(&rows)?).await
    }

    /// Commits the rejects of a batch, once.
    pub(super) async fn commit(&self, adds: Vec<Action>, batch: Application) -> Result<()> {
        if adds.is_empty() {
            return Ok(());
        }
        self.table.commit(adds, Some(batch)).await
    }

    pub(super) async fn compact(&self) -> Result<()> {
        self.table.compact().await
    }

    pub(super) async fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        Ok(Arc::new(self.table.scan().await?))
    }
}

fn schema() -> Schema {
    let required = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    Schema::new(vec![
        required("pipe", DataType::Utf8),
        required("target", DataType::Utf8),
        required("batch", DataType::Int64),
        required("file", DataType::Utf8),
        Field::new("row_number", DataType::Int64, true),
        required("reason", DataType::Utf8),
        required("sqlstate", DataType::Utf8),
        Field::new("raw", DataType::Utf8, true),
        required("rejected_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
    ])
}

/// The rejects of a file, with the rows as they came: these are read a second time.
pub(super) async fn of_file(
    file: &OpenFile,
    rejected: Vec<RejectedRow>,
    unreadable: Vec<BadRow>,
) -> Result<Vec<Reject>> {
    let wanted: BTreeSet<u64> = rejected.iter().filter_map(|row| row.row_number).collect();
    let raw = raw_rows(file, wanted).await?;
    let number = |row: u64| i64::try_from(row).ok();
    let mut rejects: Vec<Reject> = rejected
        .into_iter()
        .map(|row| Reject {
            row_number: row.row_number.and_then(number),
            reason: told(&row.error),
            sqlstate: row.error.sqlstate().to_owned(),
            raw: row.row_number.and_then(|number| raw.get(&number).cloned()),
        })
        .collect();
    rejects.extend(unreadable.into_iter().map(|row| Reject {
        row_number: number(row.row_number),
        reason: row.reason,
        sqlstate: UNREADABLE_ROW.to_owned(),
        raw: Some(row.raw.to_string()),
    }));
    rejects.sort_by_key(|reject| reject.row_number);
    Ok(rejects)
}

async fn raw_rows(file: &OpenFile, mut wanted: BTreeSet<u64>) -> Result<HashMap<u64, String>> {
    let mut found = HashMap::new();
    for split in &file.splits {
        let mut rows = split.read();
        while !wanted.is_empty()
            && let Some(source) = rows.try_next().await?
        {
            let (Some(first), Some(last)) = (source.row_numbers.first(), source.row_numbers.last()) else {
                continue;
            };
            if first > last || wanted.range(*first..=*last).next().is_none() {
                continue;
            }
            let here = source.row_numbers.iter().enumerate().filter(|(_, number)| wanted.contains(number));
            let (places, numbers): (Vec<u64>, Vec<u64>) =
                here.map(|(place, number)| (place as u64, *number)).unzip();
            let rows = take_record_batch(&source.batch, &UInt64Array::from(places))?;
            for (number, line) in numbers.into_iter().zip(json_lines(&rows)) {
                wanted.remove(&number);
                found.insert(number, line);
            }
        }
    }
    Ok(found)
}

/// Each row as a JSON object. Values of a type that JSON cannot show give no lines at all.
fn json_lines(rows: &RecordBatch) -> Vec<String> {
    let mut bytes = Vec::new();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut bytes);
    if writer.write(rows).and_then(|()| writer.finish()).is_err() {
        return Vec::new();
    }
    drop(writer);
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}
