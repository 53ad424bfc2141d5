//! Envelopes in JSON.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use chrono::{DateTime, NaiveDate, TimeDelta};
use futures::TryStreamExt;
use serde_json::{Map, Value};

use super::{Change, Changes, texts, unknown_op};
use crate::catalog::{SqlType, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{BadRow, OpenFile, SourceBatch};

/// Below these numbers a time counts milliseconds, microseconds, and above them nanoseconds since 1970.
const MILLISECONDS_BELOW: u64 = 100_000_000_000_000;
const MICROSECONDS_BELOW: u64 = 100_000_000_000_000_000;

/// A file that begins with deletions only is searched so far for a whole row.
const MAX_SAMPLED_BATCHES: usize = 64;

/// Which members of `before` and `after` are columns, and of which type the table has them.
#[derive(Debug)]
pub(super) struct JsonEvents {
    schema: SchemaRef,
    places: HashMap<String, usize>,
    types: Vec<Option<SqlType>>,
}

/// One event.
struct Event {
    change: Change,
    row: Map<String, Value>,
}

/// The parts of an envelope, of which some may be missing.
#[derive(Default)]
struct Parts {
    op: Option<String>,
    before: Value,
    after: Value,
    source: Value,
    ts_ms: Option<i64>,
}

impl JsonEvents {
    /// The columns are the members of the first events, in order: of so many as it takes to find one that tells of a
    /// whole row, for a deletion may tell of the key alone.
    pub(super) async fn read(table: &Table, file: &OpenFile) -> Result<Self> {
        let mut names = Vec::new();
        let mut places = HashMap::new();
        let mut sampled = 0;
        'splits: for split in &file.splits {
            let mut batches = split.read();
            while let Some(source) = batches.try_next().await? {
                sampled += 1;
                if add_members(&source.batch, &mut names, &mut places)? || sampled >= MAX_SAMPLED_BATCHES {
                    break 'splits;
                }
            }
        }
        if names.is_empty() {
            return Err(Error::new(ErrorKind::InvalidText, "file has no event that tells of a row")
                .with_hint("An event has op, and the row in before or after."));
        }
        let type_of = |name: &String| table.column(name).map(|column| column.data_type.clone());
        let types = names.iter().map(type_of).collect();
        let fields: Vec<Field> =
            names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        Ok(Self { schema: Arc::new(Schema::new(fields)), places, types })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(super) fn unwrap(&self, source: SourceBatch, changes: &Changes) -> Result<SourceBatch> {
        let SourceBatch { batch, row_numbers, mut bad_rows } = source;
        let mut columns: Vec<StringBuilder> = self.types.iter().map(|_| StringBuilder::new()).collect();
        let (mut kept, mut noted) = (Vec::new(), Vec::new());
        for (event, row_number) in events(&batch)?.into_iter().zip(row_numbers) {
            match event.and_then(|event| event.map(|event| self.cells(event)).transpose()) {
                Ok(None) => {}
                Ok(Some((change, cells))) => {
                    columns.iter_mut().zip(cells).for_each(|(column, cell)| column.append_option(cell));
                    kept.push(row_number);
                    noted.push((row_number, change));
                }
                Err((reason, raw)) => bad_rows.push(BadRow { row_number, reason, raw }),
            }
        }
        changes.note(noted);
        let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(kept.len()));
        let batch = RecordBatch::try_new_with_options(self.schema(), columns, &options)?;
        Ok(SourceBatch { batch, row_numbers: kept, bad_rows })
    }

    fn cells(&self, event: Event) -> Result<(Change, Vec<Option<String>>), Bad> {
        let mut cells = vec![None; self.types.len()];
        for (name, value) in &event.row {
            let Some(place) = self.places.get(name) else {
                let reason = format!("member \"{name}\" does not occur in the first events of the file");
                return Err((reason, Value::Object(event.row)));
            };
            cells[*place] = text(value, self.types[*place].as_ref());
        }
        Ok((event.change, cells))
    }
}

/// Adds the members of a batch's rows; whether one of them is a whole row.
fn add_members(
    batch: &RecordBatch,
    names: &mut Vec<String>,
    places: &mut HashMap<String, usize>,
) -> Result<bool> {
    let mut is_whole = false;
    for event in events(batch)?.into_iter().filter_map(|event| event.ok().flatten()) {
        is_whole |= !event.change.deleted;
        for name in event.row.keys() {
            if !places.contains_key(name) {
                places.insert(name.clone(), names.len());
                names.push(name.clone());
            }
        }
    }
    Ok(is_whole)
}

/// A reason, and the event as it came.
type Bad = (String, Value);

/// The events of a batch; nothing for a tombstone or a message that tells of no row.
fn events(batch: &RecordBatch) -> Result<Vec<Result<Option<Event>, Bad>>> {
    let column = |name: &str| texts(batch, name);
    if let Some(payload) = column("payload")? {
        return Ok((0..payload.len()).map(|row| event(in_payload(cell(Some(&payload), row)))).collect());
    }
    let [op, before, after] = [column("op")?, column("before")?, column("after")?];
    let [source, ts_ms] = [column("source")?, column("ts_ms")?];
    let parts = |row: usize| {
        Ok(Parts {
            op: cell(op.as_ref(), row).map(str::to_owned),
            before: parsed(cell(before.as_ref(), row))?,
            after: parsed(cell(after.as_ref(), row))?,
            source: parsed(cell(source.as_ref(), row))?,
            ts_ms: cell(ts_ms.as_ref(), row).and_then(|text| text.parse().ok()),
        })
    };
    Ok((0..batch.num_rows()).map(|row| event(parts(row))).collect())
}

fn cell(column: Option<&StringArray>, row: usize) -> Option<&str> {
    column.filter(|column| column.is_valid(row)).map(|column| column.value(row))
}

fn parsed(text: Option<&str>) -> Result<Value, Bad> {
    let Some(text) = text else { return Ok(Value::Null) };
    serde_json::from_str(text)
        .map_err(|error| (format!("event is not valid JSON: {error}"), Value::String(text.to_owned())))
}

fn in_payload(text: Option<&str>) -> Result<Parts, Bad> {
    match parsed(text)? {
        Value::Null => Ok(Parts::default()),
        Value::Object(mut members) => {
            let mut take = |name: &str| members.remove(name).unwrap_or(Value::Null);
            Ok(Parts {
                op: take("op").as_str().map(str::to_owned),
                before: take("before"),
                after: take("after"),
                source: take("source"),
                ts_ms: take("ts_ms").as_i64(),
            })
        }
        other => Err(("payload is not an object".to_owned(), other)),
    }
}

fn event(parts: Result<Parts, Bad>) -> Result<Option<Event>, Bad> {
    let Parts { op, before, after, source, ts_ms } = parts?;
    let (deleted, row) = match op.as_deref() {
        Some("c" | "r" | "u") => (false, after),
        Some("d") => (true, before),
        // A tombstone behind a deletion, and a message of the database.
        None if before.is_null() && after.is_null() => return Ok(None),
        Some("m") => return Ok(None),
        other => return Err((unknown_op(other.unwrap_or("NULL")), after)),
    };
    let lsn = match source.get("lsn").or_else(|| source.get("scn")) {
        Some(Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_i64(),
        None => None,
    };
    match row {
        Value::Object(row) => Ok(Some(Event { change: Change { deleted, lsn, ts_ms }, row })),
        other => {
            let part = if deleted { "before" } else { "after" };
            let op = op.unwrap_or_default();
            Err((format!("event with op \"{op}\" has no row in {part}"), other))
        }
    }
}

/// A value as text. Times are numbers in Debezium's JSON; which unit they count is seen from their size.
fn text(value: &Value, data_type: Option<&SqlType>) -> Option<String> {
    let number = value.as_i64();
    match (value, data_type, number) {
        (Value::Null, _, _) => None,
        (Value::String(text), _, _) => Some(text.clone()),
        (_, Some(SqlType::Date), Some(days)) => {
            let epoch = NaiveDate::default();
            TimeDelta::try_days(days)
                .and_then(|days| epoch.checked_add_signed(days))
                .map_or_else(|| Some(value.to_string()), |day| Some(day.to_string()))
        }
        (_, Some(SqlType::Timestamp | SqlType::TimestampTz), Some(since)) => {
            let at = match since.unsigned_abs() {
                size if size < MILLISECONDS_BELOW => DateTime::from_timestamp_millis(since),
                size if size < MICROSECONDS_BELOW => DateTime::from_timestamp_micros(since),
                _ => Some(DateTime::from_timestamp_nanos(since)),
            };
            let zone = if data_type == Some(&SqlType::TimestampTz) { "+00:00" } else { "" };
            at.map_or_else(
                || Some(value.to_string()),
                |at| Some(format!("{}{zone}", at.format("%Y-%m-%d %H:%M:%S%.6f"))),
            )
        }
        _ => Some(value.to_string()),
    }
}
