//! A table at one version: its files, with what is known of each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use deltalake_core::kernel::{Action, Add};
use deltalake_core::table::state::DeltaTableState;
use object_store::path::Path;
use serde_json::Value;

use super::options::{self, TableOptions};
use crate::error::{Error, ErrorKind, Result};

/// A data file of a snapshot.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Under the table's folder.
    pub path: Path,
    pub size: u64,
    pub modified_at_ms: i64,
    pub rows: Option<u64>,
    pub partition_values: HashMap<String, Option<String>>,
    minimums: Value,
    maximums: Value,
    null_counts: Value,
}

impl DataFile {
    fn new(
        path: Path,
        size: i64,
        modified_at_ms: i64,
        stats: Option<&str>,
        partition_values: HashMap<String, Option<String>>,
    ) -> Self {
        let stats: Value = stats.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        let of = |name: &str| stats.get(name).cloned().unwrap_or(Value::Null);
        Self {
            path,
            size: size.max(0) as u64,
            modified_at_ms,
            rows: stats.get("numRecords").and_then(Value::as_u64),
            partition_values,
            minimums: of("minValues"),
            maximums: of("maxValues"),
            null_counts: of("nullCount"),
        }
    }

    /// A file of which nothing matters but its size.
    #[cfg(test)]
    pub(super) fn sized(path: &str, size: u64, partition: &str) -> Self {
        let partition_values = [("part".to_owned(), Some(partition.to_owned()))].into();
        Self::new(Path::from(path), size as i64, 0, None, partition_values)
    }

    /// A file that no commit has named yet.
    pub(crate) fn added(add: &Add) -> Self {
        let stats = add.stats.as_deref();
        Self::new(added_path(add), add.size, add.modification_time, stats, add.partition_values.clone())
    }

    /// What is known of the columns of `schema`, partition columns included.
    ///
    /// Bounds of strings may be cut and those of decimals rounded, so both stay unknown; bounds of timestamps
    /// are kept to the millisecond in the log and widened here.
    pub fn statistics(&self, schema: &Schema) -> Statistics {
        let column_statistics =
            schema.fields().iter().map(|field| self.column(field.name(), field.data_type()));
        Statistics {
            num_rows: self.rows.map_or(Precision::Absent, |rows| Precision::Exact(rows as usize)),
            total_byte_size: Precision::Inexact(self.size as usize),
            column_statistics: column_statistics.collect(),
        }
    }

    /// Bounds within which every value lies: for leaving files out, not for answering `min` and `max`.
    pub fn bounds(&self, schema: &Schema) -> Statistics {
        let mut bounds = self.statistics(schema);
        for column in &mut bounds.column_statistics {
            column.min_value = exact(std::mem::take(&mut column.min_value));
            column.max_value = exact(std::mem::take(&mut column.max_value));
        }
        bounds
    }

    /// Whether a value from `low` to `high` may stand in a column. What is not known may.
    pub(crate) fn may_hold(&self, column: &Field, low: &ScalarValue, high: &ScalarValue) -> bool {
        let name = column.name();
        if let (ScalarValue::Utf8(Some(low)), ScalarValue::Utf8(Some(high))) = (low, high)
            && !self.partition_values.contains_key(name)
        {
            return self.may_hold_text(name, low, high);
        }
        let known = self.column(name, column.data_type());
        let all_null = known.null_count.get_value().is_some_and(|nulls| self.rows == Some(*nulls as u64));
        let is_below = known.max_value.get_value().is_some_and(|greatest| greatest < low);
        let is_above = known.min_value.get_value().is_some_and(|least| least > high);
        !(all_null || is_below || is_above)
    }

    /// Bounds of texts may be cut: a lower bound is one still, and as much of a text as the upper bound is long may be
    /// compared with it.
    fn may_hold_text(&self, name: &str, low: &str, high: &str) -> bool {
        let least = self.minimums.get(name).and_then(Value::as_str);
        let greatest = self.maximums.get(name).and_then(Value::as_str);
        let is_above = least.is_some_and(|least| high < least);
        let is_below = greatest.is_some_and(|greatest| {
            let beginning = &low.as_bytes()[..low.len().min(greatest.len())];
            beginning > greatest.as_bytes()
        });
        !(is_above || is_below)
    }

    fn column(&self, name: &str, data_type: &DataType) -> ColumnStatistics {
        if let Some(text) = self.partition_values.get(name) {
            return self.partition_column(text.as_deref(), data_type);
        }
        let mut known = ColumnStatistics::new_unknown();
        if let Some(nulls) = self.null_counts.get(name).and_then(Value::as_u64) {
            known.null_count = Precision::Exact(nulls as usize);
        }
        let bound = |bounds: &Value, widen_ms: i64| match bounds
            .get(name)
            .and_then(|v| scalar(v, data_type, widen_ms))
        {
            Some(value) => Precision::Exact(value),
            None => Precision::Absent,
        };
        known.min_value = bound(&self.minimums, 0);
        known.max_value = bound(&self.maximums, 1);
        // A widened bound is a bound, but not the extreme value itself.
        if matches!(data_type, DataType::Timestamp(_, _)) {
            known.min_value = known.min_value.to_inexact();
            known.max_value = known.max_value.to_inexact();
        }
        known
    }

    fn partition_column(&self, text: Option<&str>, data_type: &DataType) -> ColumnStatistics {
        let mut known = ColumnStatistics::new_unknown();
        match partition_scalar(text, data_type) {
            Ok(value) if !value.is_null() => {
                known.null_count = Precision::Exact(0);
                known.min_value = Precision::Exact(value.clone());
                known.max_value = Precision::Exact(value);
            }
            Ok(_) => {
                known.null_count =
                    self.rows.map_or(Precision::Absent, |rows| Precision::Exact(rows as usize));
            }
            Err(_) => {}
        }
        known
    }
}

fn exact(bound: Precision<ScalarValue>) -> Precision<ScalarValue> {
    match bound {
        Precision::Inexact(value) => Precision::Exact(value),
        other => other,
    }
}

/// The text of a partition value in the log, as a value of the column's type.
pub fn partition_scalar(text: Option<&str>, data_type: &DataType) -> Result<ScalarValue> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(ScalarValue::try_from(data_type)?);
    };
    if let DataType::Timestamp(unit, zone) = data_type {
        let wall = ScalarValue::from(text).cast_to(&DataType::Timestamp(*unit, None))?;
        return Ok(wall.cast_to(&DataType::Timestamp(*unit, zone.clone()))?);
    }
    Ok(ScalarValue::from(text).cast_to(data_type)?)
}

fn scalar(value: &Value, data_type: &DataType, widen_ms: i64) -> Option<ScalarValue> {
    Some(match data_type {
        DataType::Boolean => ScalarValue::Boolean(Some(value.as_bool()?)),
        DataType::Int16 => ScalarValue::Int16(Some(i16::try_from(value.as_i64()?).ok()?)),
        DataType::Int32 => ScalarValue::Int32(Some(i32::try_from(value.as_i64()?).ok()?)),
        DataType::Int64 => ScalarValue::Int64(Some(value.as_i64()?)),
        DataType::Date32 => ScalarValue::from(value.as_str()?).cast_to(&DataType::Date32).ok()?,
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let wall = ScalarValue::from(value.as_str()?.trim_end_matches('Z'));
            match wall.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None)).ok()? {
                ScalarValue::TimestampMicrosecond(Some(at), _) => {
                    ScalarValue::TimestampMicrosecond(Some(at.checked_add(widen_ms * 1000)?), zone.clone())
                }
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// The path of a file to be added, as a snapshot gives it once it is there.
pub(crate) fn added_path(add: &Add) -> Path {
    log_path(&add.path)
}

pub(super) fn log_path(path: &str) -> Path {
    Path::parse(path).unwrap_or_else(|_| Path::from(path))
}

/// Immutable; shared by every query that reads this version.
#[derive(Debug)]
pub struct TableSnapshot {
    state: DeltaTableState,
    files: OnceLock<Arc<Vec<DataFile>>>,
    /// When the version was committed; read from the log when a transaction asks.
    pub(super) committed_at: tokio::sync::OnceCell<Option<DateTime<Utc>>>,
}

impl TableSnapshot {
    pub(super) fn new(state: DeltaTableState) -> Result<Self> {
        Ok(Self { state, files: OnceLock::new(), committed_at: tokio::sync::OnceCell::new() })
    }

    /// This version as it will be with files taken away and others added: what an open transaction sees of a
    /// table that it changes.
    pub(crate) fn with_changes(&self, removed: &HashSet<String>, added: &[Add]) -> Result<Self> {
        let files = self.files()?;
        let kept = files.iter().filter(|file| !removed.contains(file.path.as_ref())).cloned();
        let files = kept.chain(added.iter().map(DataFile::added)).collect();
        let changed = Self::new(self.state.clone())?;
        let _ = changed.files.set(Arc::new(files));
        Ok(changed)
    }

    /// Whether the log says the same of the table itself in both versions: columns, partitioning, properties.
    pub(crate) fn has_definition_of(&self, other: &TableSnapshot) -> bool {
        self.state.metadata() == other.state.metadata() && self.state.protocol() == other.state.protocol()
    }

    pub(super) fn state(&self) -> &DeltaTableState {
        &self.state
    }

    pub fn version(&self) -> u64 {
        self.state.version()
    }

    /// The schema in the log, strings as Utf8.
    pub fn schema(&self) -> SchemaRef {
        self.state.snapshot().arrow_schema()
    }

    pub fn partition_columns(&self) -> &[String] {
        self.state.metadata().partition_columns()
    }

    /// What the table says of its upkeep.
    pub fn options(&self) -> TableOptions {
        TableOptions::of(self.state.metadata().configuration())
    }

    /// The options that the table sets, as a statement would write them.
    pub fn shown_options(&self) -> BTreeMap<&'static str, String> {
        options::shown(self.state.metadata().configuration())
    }

    /// Whether these files belong to this version.
    pub(super) fn holds(&self, paths: &HashSet<String>) -> Result<bool> {
        Ok(paths.is_empty()
            || self.files()?.iter().filter(|file| paths.contains(file.path.as_ref())).count() == paths.len())
    }

    pub(super) fn protocol(&self) -> &deltalake_core::kernel::Protocol {
        self.state.protocol()
    }

    pub(crate) fn metadata(&self) -> &deltalake_core::kernel::Metadata {
        self.state.metadata()
    }

    /// The files of this version. Built once a snapshot.
    pub fn files(&self) -> Result<Arc<Vec<DataFile>>> {
        if let Some(files) = self.files.get() {
            return Ok(Arc::clone(files));
        }
        let files = Arc::new(self.read_files()?);
        Ok(Arc::clone(self.files.get_or_init(|| files)))
    }

    /// Whether files hold the rows and columns of the table as they are: none deleted by a vector beside the file,
    /// none under another name.
    pub fn is_plain(&self) -> bool {
        !self.has_mapped_columns()
            && self.state.log_data().iter().all(|view| view.deletion_vector_descriptor().is_none())
    }

    fn has_mapped_columns(&self) -> bool {
        let mode = self.state.metadata().configuration().get("delta.columnMapping.mode");
        mode.is_some_and(|mode| mode != "none")
    }

    fn read_files(&self) -> Result<Vec<DataFile>> {
        if self.has_mapped_columns() {
            return Err(Error::not_supported("tables with column mapping cannot be changed"));
        }
        let log = self.state.log_data();
        let mut files = Vec::with_capacity(log.num_files());
        for view in log.iter() {
            if view.deletion_vector_descriptor().is_some() {
                return Err(Error::new(
                    ErrorKind::NotSupported,
                    "tables with deletion vectors cannot be read yet",
                )
                .with_hint(
                    "Purge the vectors with the program that wrote them (REORG TABLE … APPLY (PURGE)).",
                ));
            }
            files.push(DataFile::new(
                view.object_store_path(),
                view.size(),
                view.modification_time(),
                view.stats().as_deref(),
                view.partition_values_map(),
            ));
        }
        Ok(files)
    }

    /// The log's removal of some files, by path. Files that no commit has named have none.
    pub(crate) fn remove_actions(&self, paths: &HashSet<String>) -> Vec<Action> {
        self.removals(paths, true)
    }

    /// The same for files whose rows are in others from now on.
    pub(super) fn rearranged_actions(&self, paths: &HashSet<String>) -> Vec<Action> {
        self.removals(paths, false)
    }

    fn removals(&self, paths: &HashSet<String>, data_change: bool) -> Vec<Action> {
        let log = self.state.log_data();
        log.iter()
            .filter(|view| paths.contains(view.object_store_path().as_ref()))
            .map(|view| view.remove_action(data_change).into())
            .collect()
    }

    /// Rows, when every file's count is known.
    pub fn row_count(&self) -> Result<Option<u64>> {
        Ok(self.files()?.iter().map(|file| file.rows).sum())
    }
}
