//! The events of a change feed: Debezium's envelopes, and its flattened form, as the rows that they tell of.
//!
//! An envelope has `op` (`c` created, `r` read in a snapshot, `u` updated, `d` deleted), the row `before` and `after`,
//! and the `source` with its log position. It comes as JSON, with or without the `schema` and `payload` around it, or
//! as structs of a Parquet file. The flattened form is the row itself with `__op` or `__deleted` beside it.

mod json;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StructArray};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{cast, filter, filter_record_batch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use futures::StreamExt;
use futures::stream::BoxStream;
use parking_lot::Mutex;

use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::source::{BadRow, OpenFile, SourceBatch, Split};
use json::JsonEvents;

/// What an event says beside the row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) deleted: bool,
    /// The position in the log of the database, where it is a number.
    pub(super) lsn: Option<i64>,
    pub(super) ts_ms: Option<i64>,
}

/// The events of a file, by row number.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<HashMap<u64, Change>>);

impl Changes {
    pub(super) fn of(&self, row_number: u64) -> Change {
        self.0.lock().get(&row_number).copied().unwrap_or_default()
    }

    fn note(&self, changes: impl IntoIterator<Item = (u64, Change)>) {
        self.0.lock().extend(changes);
    }
}

/// The file as rows.
pub(super) async fn unwrapped(file: OpenFile, table: &Table) -> Result<(OpenFile, Arc<Changes>)> {
    let layout = Arc::new(Layout::of(&file, table).await?);
    let changes = Arc::new(Changes::default());
    let splits = file.splits.into_iter().map(|inner| {
        let (layout, changes) = (Arc::clone(&layout), Arc::clone(&changes));
        Arc::new(Unwrapped { inner, layout, changes }) as Arc<dyn Split>
    });
    let open = OpenFile { schema: layout.schema(), splits: splits.collect(), row_count: file.row_count };
    Ok((open, changes))
}

#[derive(Debug)]
struct Unwrapped {
    inner: Arc<dyn Split>,
    layout: Arc<Layout>,
    changes: Arc<Changes>,
}

impl Split for Unwrapped {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let (layout, changes) = (Arc::clone(&self.layout), Arc::clone(&self.changes));
        let batches = self.inner.read();
        batches.map(move |batch| batch.and_then(|batch| layout.unwrap(batch, &changes))).boxed()
    }
}

/// How a file tells of changes.
#[derive(Debug)]
enum Layout {
    Json(JsonEvents),
    Structs(SchemaRef),
    Flat(Flat),
}

#[derive(Debug)]
struct Flat {
    schema: SchemaRef,
    columns: Vec<usize>,
}

impl Layout {
    async fn of(file: &OpenFile, table: &Table) -> Result<Self> {
        let names: Vec<&str> = file.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let has = |name: &str| names.contains(&name);
        if let Ok(after) = file.schema.field_with_name("after")
            && let DataType::Struct(fields) = after.data_type()
            && has("op")
        {
            return Ok(Layout::Structs(Arc::new(Schema::new(fields.clone()))));
        }
        if has("payload") || has("op") && (has("after") || has("before")) {
            return Ok(Layout::Json(JsonEvents::read(table, file).await?));
        }
        if has("__op") || has("__deleted") {
            let columns: Vec<usize> =
                (0..names.len()).filter(|column| !names[*column].starts_with("__")).collect();
            let schema = Arc::new(file.schema.project(&columns)?);
            return Ok(Layout::Flat(Flat { schema, columns }));
        }
        Err(Error::new(ErrorKind::InvalidText, "file is not a change feed")
            .with_detail(format!("Its columns are {}.", names.join(", ")))
            .with_hint(
                "Debezium's envelopes have op, before and after; flattened events have __op or __deleted.",
            ))
    }

    fn schema(&self) -> SchemaRef {
        match self {
            Layout::Json(events) => events.schema(),
            Layout::Structs(schema) => Arc::clone(schema),
            Layout::Flat(flat) => Arc::clone(&flat.schema),
        }
    }

    fn unwrap(&self, batch: SourceBatch, changes: &Changes) -> Result<SourceBatch> {
        match self {
            Layout::Json(events) => events.unwrap(batch, changes),
            Layout::Structs(schema) => unwrap_structs(schema, batch, changes),
            Layout::Flat(flat) => flat.unwrap(batch, changes),
        }
    }
}

impl Flat {
    fn unwrap(&self, source: SourceBatch, changes: &Changes) -> Result<SourceBatch> {
        let SourceBatch { batch, row_numbers, bad_rows } = source;
        let (op, gone) = (texts(&batch, "__op")?, texts(&batch, "__deleted")?);
        let lsn = numbers(&batch, &["__lsn", "__source_lsn"])?;
        let ts_ms = numbers(&batch, &["__ts_ms", "__source_ts_ms"])?;
        changes.note(row_numbers.iter().enumerate().map(|(row, number)| {
            let is = |column: &Option<StringArray>, value: &str| {
                column.as_ref().is_some_and(|column| column.is_valid(row) && column.value(row) == value)
            };
            let deleted = is(&op, "d") || is(&gone, "true");
            (*number, Change { deleted, lsn: at(&lsn, row), ts_ms: at(&ts_ms, row) })
        }));
        Ok(SourceBatch { batch: batch.project(&self.columns)?, row_numbers, bad_rows })
    }
}

fn unwrap_structs(schema: &SchemaRef, source: SourceBatch, changes: &Changes) -> Result<SourceBatch> {
    let SourceBatch { batch, row_numbers, mut bad_rows } = source;
    let Some(op) = texts(&batch, "op")? else { return Err(Error::internal("the column op is gone")) };
    let known: BooleanArray = op.iter().map(|op| Some(matches!(op, Some("c" | "r" | "u" | "d")))).collect();
    for row in (0..op.len()).filter(|row| !known.value(*row) && (op.is_null(*row) || op.value(*row) != "m")) {
        let shown = if op.is_valid(row) { op.value(row) } else { "NULL" };
        bad_rows.push(BadRow {
            row_number: row_numbers[row],
            reason: unknown_op(shown),
            raw: serde_json::Value::String(shown.to_owned()),
        });
    }
    let kept = filter_record_batch(&batch, &known)?;
    let row_numbers: Vec<u64> =
        row_numbers.iter().enumerate().filter(|(row, _)| known.value(*row)).map(|(_, n)| *n).collect();
    let op = filter(&op, &known)?;
    let deleted: BooleanArray = op.as_string::<i32>().iter().map(|op| Some(op == Some("d"))).collect();
    let lsn = match kept.column_by_name("source").and_then(|source| source.as_struct_opt()) {
        Some(source) => number_in(source, "lsn")?,
        None => None,
    };
    let ts_ms = numbers(&kept, &["ts_ms"])?;
    changes.note(row_numbers.iter().enumerate().map(|(row, number)| {
        (*number, Change { deleted: deleted.value(row), lsn: at(&lsn, row), ts_ms: at(&ts_ms, row) })
    }));
    let rows = chosen_rows(schema, &kept, &deleted)?;
    Ok(SourceBatch { batch: rows, row_numbers, bad_rows })
}

/// The row before for what is deleted, the row after for all else.
fn chosen_rows(schema: &SchemaRef, batch: &RecordBatch, deleted: &BooleanArray) -> Result<RecordBatch> {
    let part = |name: &str| -> Option<&StructArray> { batch.column_by_name(name)?.as_struct_opt() };
    let Some(after) = part("after") else { return Err(Error::internal("the column after is gone")) };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for (place, field) in schema.fields().iter().enumerate() {
        let kept = after.column(place);
        let gone = part("before").and_then(|before| before.column_by_name(field.name()));
        columns.push(match gone {
            Some(gone) => zip(deleted, &cast(gone, field.data_type())?, kept)?,
            None => Arc::clone(kept),
        });
    }
    let fields: Vec<Field> =
        schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn unknown_op(op: &str) -> String {
    match op {
        "t" => "op \"t\": a truncated table is not followed; empty the table and replay the pipe".to_owned(),
        other => format!("op \"{other}\" is none of c, r, u and d"),
    }
}

/// A column as text, if it is there.
fn texts(batch: &RecordBatch, name: &str) -> Result<Option<StringArray>> {
    let Some(column) = batch.column_by_name(name) else { return Ok(None) };
    Ok(Some(cast(column, &DataType::Utf8)?.as_string::<i32>().clone()))
}

/// The first of some columns that is there, as numbers; what is none is NULL.
fn numbers(batch: &RecordBatch, names: &[&str]) -> Result<Option<ArrayRef>> {
    match names.iter().find_map(|name| batch.column_by_name(name)) {
        Some(column) => Ok(Some(cast(column, &DataType::Int64)?)),
        None => Ok(None),
    }
}

fn number_in(source: &StructArray, name: &str) -> Result<Option<ArrayRef>> {
    match source.column_by_name(name) {
        Some(column) => Ok(Some(cast(column, &DataType::Int64)?)),
        None => Ok(None),
    }
}

fn at(numbers: &Option<ArrayRef>, row: usize) -> Option<i64> {
    let numbers = numbers.as_ref()?.as_primitive_opt::<Int64Type>()?;
    numbers.is_valid(row).then(|| numbers.value(row))
}
