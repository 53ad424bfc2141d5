//! Why two records are, or are not, one customer.

use std::collections::HashSet;

use super::key::normalise;
use super::matching::{COLUMNS, Matcher, Record, Step};
use super::reading::Reader;
use super::stored::{self, table};
use crate::catalog::QualifiedName;
use crate::error::{Error, ErrorKind, Result};

/// A line of an explanation, with what the two records hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub step: Step,
    pub value_a: Option<String>,
    pub value_b: Option<String>,
}

/// The lines for two records, named `source_system/record_id`; their weights sum to that of the pair. A pair that
/// `id.edges` holds is explained as the last refresh weighed it, any other as it is now.
pub async fn explain(
    reader: &Reader<'_>,
    matcher: &dyn Matcher,
    record_a: &str,
    record_b: &str,
) -> Result<Vec<Line>> {
    let Some((model, _, _)) = stored::model(reader).await? else { return Err(not_refreshed()) };
    let mut found = records(reader, &[record_a, record_b]).await?;
    let taken =
        |name: &str| found.iter().find(|record| record.name() == name).cloned().ok_or_else(|| unknown(name));
    let (a, b) = (taken(record_a)?, taken(record_b)?);
    let pattern = pattern(reader, record_a, record_b).await?;
    if pattern.is_none() {
        block(reader, &mut found).await?;
    }
    let named =
        |name: &str| found.iter().find(|record| record.name() == name).cloned().ok_or_else(|| unknown(name));
    let steps = matcher.explain(&model, &named(record_a)?, &named(record_b)?, pattern)?;
    let value = |record: &Record, column: &str| {
        let at = COLUMNS.iter().position(|(name, _)| *name == column)?;
        record.values.get(at)?.as_deref().map(str::to_owned)
    };
    let line = |step: Step| Line { value_a: value(&a, &step.column), value_b: value(&b, &step.column), step };
    Ok(steps.into_iter().map(line).collect())
}

pub fn not_refreshed() -> Error {
    Error::new(ErrorKind::PortalNotRunnable, "customers have not been resolved yet")
        .with_hint("CALL id.refresh() resolves them.")
}

pub fn unknown(record: &str) -> Error {
    Error::new(ErrorKind::UndefinedObject, format!("record \"{record}\" does not exist"))
        .with_hint("A record is named by its source system and its id: 'shop/17'.")
}

/// The records of these names.
async fn records(reader: &Reader<'_>, names: &[&str]) -> Result<Vec<Record>> {
    let columns: Vec<&str> =
        ["source_system", "record_id"].into_iter().chain(COLUMNS.map(|(name, _)| name)).collect();
    let mut found: Vec<Record> = Vec::new();
    reader
        .each_row(&QualifiedName::new("o", "customers"), &columns, |values| {
            let (Some(system), Some(record)) = (values[0], values[1]) else { return };
            let is_named = |name: &&str| {
                name.strip_prefix(system).and_then(|rest| rest.strip_prefix('/')) == Some(record)
            };
            if names.iter().any(is_named) {
                let text =
                    |value: &Option<&str>| value.filter(|text| !text.trim().is_empty()).map(Into::into);
                found.push(Record {
                    source_system: system.into(),
                    record_id: record.into(),
                    values: values[2..].iter().map(text).collect(),
                });
            }
        })
        .await?;
    found.sort_by(|a, b| a.values.cmp(&b.values));
    Ok(found)
}

/// The comparison levels that the last refresh kept of a pair.
async fn pattern(reader: &Reader<'_>, record_a: &str, record_b: &str) -> Result<Option<u64>> {
    let mut found = None;
    reader
        .each_row(&table("edges"), &["record_a", "record_b", "pattern"], |values| {
            let pair = (values[0], values[1]);
            if pair == (Some(record_a), Some(record_b)) || pair == (Some(record_b), Some(record_a)) {
                found = values[2].and_then(|pattern| pattern.parse::<i64>().ok());
            }
        })
        .await?;
    Ok(found.map(|pattern| pattern as u64))
}

/// Takes out the values that the last refresh blocked.
async fn block(reader: &Reader<'_>, records: &mut [Record]) -> Result<()> {
    let mut blocked: HashSet<(String, String)> = HashSet::new();
    reader
        .each_row(&table("blocked_values"), &["key_type", "key_value"], |values| {
            if let (Some(key_type), Some(value)) = (values[0], values[1]) {
                blocked.insert((key_type.to_owned(), value.to_owned()));
            }
        })
        .await?;
    for record in records {
        for ((column, _), value) in COLUMNS.iter().zip(&mut record.values) {
            let normal = value.as_deref().and_then(|value| normalise(column, value));
            if normal.is_some_and(|normal| blocked.contains(&((*column).to_owned(), normal))) {
                *value = None;
            }
        }
    }
    Ok(())
}
