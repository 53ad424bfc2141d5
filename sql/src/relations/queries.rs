//! `system.queries` and `system.queries_info`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use voxhouse_engine::Result;
use voxhouse_engine::catalog::access::{Access, READ_STATS_ROLE};

use super::{bigint, text};
use crate::observe::Observer;
use crate::observe::queries::{Costs, Row};

/// In the place of a text that somebody may not see; PostgreSQL's words.
const HIDDEN: &str = "<insufficient privilege>";

fn moment(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true)
}

fn moments(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

pub(super) fn schema() -> SchemaRef {
    let milliseconds = |name: &str| Field::new(name, DataType::Float64, true);
    Arc::new(Schema::new(vec![
        bigint("query_id"),
        text("role"),
        text("query"),
        bigint("calls"),
        bigint("errors"),
        bigint("rows"),
        milliseconds("total_time_ms"),
        milliseconds("mean_time_ms"),
        milliseconds("min_time_ms"),
        milliseconds("max_time_ms"),
        milliseconds("stddev_time_ms"),
        milliseconds("planning_time_ms"),
        milliseconds("first_row_time_ms"),
        bigint("bytes_scanned"),
        bigint("bytes_spilled"),
        moment("last_started_at"),
        text("last_error_sqlstate"),
    ]))
}

/// Everybody sees that there are statements and what they cost; their texts are for those who could have run them.
pub(super) fn batch(observer: &Observer, access: &Access) -> Result<RecordBatch> {
    let rows = observer.queries.rows();
    let sees_all = access.has_role(READ_STATS_ROLE);
    let is_open = |row: &Row| sees_all || access.has_role(&row.role);
    let number = |value: fn(&Costs) -> u64| -> ArrayRef {
        let values = rows.iter().map(|row| i64::try_from(value(&row.costs)).unwrap_or(i64::MAX));
        Arc::new(Int64Array::from_iter_values(values))
    };
    let optional = |value: fn(&Costs) -> Option<u64>| -> ArrayRef {
        let values = rows.iter().map(|row| i64::try_from(value(&row.costs)?).ok());
        Arc::new(Int64Array::from_iter(values))
    };
    let milliseconds = |value: fn(&Costs) -> Option<f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| value(&row.costs))))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| is_open(row).then_some(row.identity.query_id)))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.role))),
        Arc::new(StringArray::from_iter_values(
            rows.iter().map(|row| if is_open(row) { row.identity.text.as_str() } else { HIDDEN }),
        )),
        number(|costs| costs.calls),
        number(|costs| costs.errors),
        number(|costs| costs.rows),
        milliseconds(|costs| Some(costs.total_ms)),
        milliseconds(|costs| Some(costs.mean_ms)),
        milliseconds(|costs| Some(costs.min_ms)),
        milliseconds(|costs| Some(costs.max_ms)),
        milliseconds(|costs| Some(costs.stddev_ms())),
        milliseconds(|costs| Some(costs.planning_ms)),
        milliseconds(Costs::first_row_ms),
        optional(|costs| Some(costs.usage?.scanned_bytes)),
        optional(|costs| Some(costs.usage?.spilled_bytes)),
        moments(rows.iter().map(|row| row.costs.last_started_at)),
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.costs.last_error))),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

pub(super) fn info_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        bigint("entries"),
        bigint("max_entries"),
        bigint("evictions"),
        moment("reset_at"),
    ]))
}

pub(super) fn info_batch(observer: &Observer) -> Result<RecordBatch> {
    let state = observer.queries.state();
    let number = |value: u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values([i64::try_from(value).unwrap_or(i64::MAX)]))
    };
    let columns = vec![
        number(state.entries as u64),
        number(state.limit as u64),
        number(state.evictions),
        moments([state.reset_at]),
    ];
    Ok(RecordBatch::try_new(info_schema(), columns)?)
}
