//! Sizes of relations, where a snapshot is known, and their print.

use voxhouse_engine::{Error, Result};

use super::{Call, Cell, Function, function};
use crate::pg_catalog::entities::Relation;
use crate::pg_catalog::relations::schemas::DEFAULT_TABLESPACE;

pub(super) const FUNCTIONS: &[Function] = &[
    function("pg_relation_size", "o?t", "bigint", relation_size),
    function("pg_table_size", "o", "bigint", relation_size),
    function("pg_total_relation_size", "o", "bigint", relation_size),
    // Declared keys have no files of their own.
    function("pg_indexes_size", "o", "bigint", |_| Ok(Cell::Int(0))),
    function("pg_database_size", "o", "bigint", |call| {
        let known = call.visible.entities().relations.iter().filter_map(|relation| relation.bytes);
        Ok(known.sum::<i64>().into())
    }),
    function("pg_tablespace_size", "o", "bigint", |call| {
        // All tables are in the default one.
        let is_default = match (call.int(0), call.text(0)) {
            (Some(oid), _) => oid == DEFAULT_TABLESPACE,
            (None, name) => name == Some("pg_default"),
        };
        let known = call.visible.entities().relations.iter().filter_map(|relation| relation.bytes);
        Ok(if is_default { known.sum::<i64>() } else { 0 }.into())
    }),
    function("pg_relation_filenode", "o", "oid", |call| {
        let relation = call.relation_oid(0)?.and_then(|oid| call.visible.entities().relation(oid));
        Ok(relation.filter(|relation| relation.kind != 'v').map(|relation| relation.oid).into())
    }),
    // An index exists in name only, so nobody scans it.
    function("pg_stat_get_numscans", "n", "bigint", |_| Ok(Cell::Int(0))),
    function("pg_size_pretty", "i", "text", |call| Ok(call.int(0).map(pretty).into())),
    function("pg_size_bytes", "t", "bigint", size_bytes),
];

/// NULL while nobody has looked at the table's log.
fn relation_size(call: &Call<'_>) -> Result<Cell> {
    let relation: Option<&Relation> =
        call.relation_oid(0)?.and_then(|oid| call.visible.entities().relation(oid));
    Ok(relation.and_then(|relation| if relation.is_system() { Some(0) } else { relation.bytes }).into())
}

/// As PostgreSQL rounds: the next unit from 10240 of one, halves away from zero.
fn pretty(bytes: i64) -> String {
    const LIMIT: u64 = 10 * 1024;
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    let sign = if bytes < 0 { "-" } else { "" };
    let mut size = bytes.unsigned_abs();
    if size < LIMIT {
        return format!("{sign}{size} bytes");
    }
    // One bit more than the unit, to round at the end.
    size >>= 9;
    for (place, unit) in UNITS.iter().enumerate() {
        let rounded = size.div_ceil(2);
        if rounded < LIMIT || place == UNITS.len() - 1 {
            return format!("{sign}{rounded} {unit}");
        }
        size >>= 10;
    }
    format!("{sign}{size}")
}

fn size_bytes(call: &Call<'_>) -> Result<Cell> {
    let text = call.text(0).unwrap_or_default().trim();
    let split = text.find(|letter: char| letter.is_alphabetic()).unwrap_or(text.len());
    let factor: f64 = match text[split..].to_lowercase().as_str() {
        "" | "b" | "bytes" => 1.0,
        "kb" => 1024.0,
        "mb" => 1024f64.powi(2),
        "gb" => 1024f64.powi(3),
        "tb" => 1024f64.powi(4),
        "pb" => 1024f64.powi(5),
        _ => return Err(invalid(text)),
    };
    let number: f64 = text[..split].trim().parse().map_err(|_| invalid(text))?;
    Ok(Cell::Int((number * factor).round() as i64))
}

fn invalid(text: &str) -> Error {
    Error::invalid_argument(format!("invalid size: \"{text}\""))
        .with_hint("Valid units are bytes, kB, MB, GB, TB and PB.")
}
