//! The columns that a log tells of, beside those of the catalog.
//!
//! The catalog learns of a change first, and the log follows in a commit of its own; a process that dies in between leaves
//! the log behind. Whoever writes rows next brings it up, so a file never has a column that its log lacks or knows under
//! another type. A column of a wider type costs a rewrite of every data file, and one commit puts the new files in the
//! place of the old ones together with the new schema: any program that reads Delta tables finds one or the other.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::execution::SessionState;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake_core::kernel::{Action, MetadataExt as _, Protocol, StructField, StructType};
use deltalake_core::protocol::DeltaOperation;
use serde_json::Value;

use super::rewrite::{Order, Rewritten};
use super::snapshot::TableSnapshot;
use super::{CommitInfo, DeltaTable, jitter};
use crate::catalog::SqlType;
use crate::error::{Error, ErrorKind, Result};

/// How often a change of columns is tried again after other writers were quicker.
const ATTEMPTS: u32 = 12;

/// The feature of the Delta protocol that times without a zone need.
const TIMESTAMP_WITHOUT_ZONE: &str = "timestampNtz";

/// How the columns of a log stand to those of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Same,
    /// The log lacks a column, has one of a narrower type, or forbids a NULL that the catalog allows.
    Behind,
    /// The log has a column of a wider type: this view of the catalog is old.
    Ahead,
}

pub(crate) fn standing(log: &Schema, catalog: &Schema) -> Standing {
    let mut standing = Standing::Same;
    for field in catalog.fields() {
        match log.field_with_name(field.name()) {
            Ok(known) if is_same_type(known.data_type(), field.data_type()) => {
                if field.is_nullable() && !known.is_nullable() {
                    standing = Standing::Behind;
                }
            }
            Ok(known) if is_wider(field.data_type(), known.data_type()) => standing = Standing::Behind,
            Ok(_) => return Standing::Ahead,
            Err(_) => standing = Standing::Behind,
        }
    }
    standing
}

fn is_same_type(one: &DataType, other: &DataType) -> bool {
    one == other
        || matches!((SqlType::from_arrow(one), SqlType::from_arrow(other)), (Ok(one), Ok(other)) if one == other)
}

fn is_wider(wide: &DataType, narrow: &DataType) -> bool {
    match (SqlType::from_arrow(narrow), SqlType::from_arrow(wide)) {
        (Ok(narrow), Ok(wide)) => narrow.widened_by(&wide).as_ref() == Some(&wide),
        _ => false,
    }
}

/// Whether rows written for one version hold in another: no column has become wider.
pub(super) fn has_types_of(latest: &TableSnapshot, base: &TableSnapshot) -> bool {
    latest.has_definition_of(base) || standing(&latest.schema(), &base.schema()) != Standing::Ahead
}

/// What brings a log to the columns of the catalog.
struct Change {
    actions: Vec<Action>,
    operation: DeltaOperation,
    /// Whether the data files have to be written anew.
    retypes: bool,
}

impl Change {
    fn between(log: &TableSnapshot, columns: &SchemaRef) -> Result<Option<Self>> {
        if standing(&log.schema(), columns) != Standing::Behind {
            return Ok(None);
        }
        let schema: StructType = columns
            .as_ref()
            .try_into_kernel()
            .map_err(|error: arrow::error::ArrowError| Error::from(error))?;
        let metadata =
            log.metadata().clone().with_schema(&schema).map_err(deltalake_core::DeltaTableError::from)?;
        let mut actions = vec![Action::Metadata(metadata)];
        actions.extend(protocol_for(log, columns)?.map(Action::Protocol));
        let known = log.schema();
        let is_new = |field: &StructField| known.index_of(field.name()).is_err();
        let added: Vec<StructField> = schema.fields().filter(|field| is_new(field)).cloned().collect();
        let retypes = columns.fields().iter().any(|field| {
            known
                .field_with_name(field.name())
                .is_ok_and(|known| is_wider(field.data_type(), known.data_type()))
        });
        let operation = match added.is_empty() || retypes {
            true => DeltaOperation::UpdateFieldMetadata { fields: schema.fields().cloned().collect() },
            false => DeltaOperation::AddColumn { fields: added },
        };
        Ok(Some(Self { actions, operation, retypes }))
    }
}

/// The protocol that the columns need, if the log has another.
fn protocol_for(log: &TableSnapshot, columns: &Schema) -> Result<Option<Protocol>> {
    let is_without_zone =
        |field: &Arc<Field>| matches!(field.data_type(), DataType::Timestamp(TimeUnit::Microsecond, None));
    if !columns.fields().iter().any(is_without_zone) {
        return Ok(None);
    }
    let known = serde_json::to_value(log.protocol())?;
    let needed = with_feature(known.clone(), TIMESTAMP_WITHOUT_ZONE);
    Ok(if needed == known { None } else { Some(serde_json::from_value(needed)?) })
}

/// A protocol with one feature more, that readers and writers must know.
fn with_feature(mut protocol: Value, feature: &str) -> Value {
    let writer = protocol.get("minWriterVersion").and_then(Value::as_i64).unwrap_or(1);
    // What the versions below 7 mean without naming it.
    let implied: &[&str] = match writer {
        ..2 => &[],
        2 => &["appendOnly", "invariants"],
        3 => &["appendOnly", "invariants", "checkConstraints"],
        _ => &["appendOnly", "invariants", "checkConstraints", "changeDataFeed", "generatedColumns"],
    };
    for (features, version, newest, before) in [
        ("readerFeatures", "minReaderVersion", 3, &[][..]),
        ("writerFeatures", "minWriterVersion", 7, if writer < 7 { implied } else { &[] }),
    ] {
        let mut names: Vec<Value> =
            protocol.get(features).and_then(Value::as_array).cloned().unwrap_or_default();
        for name in before.iter().chain([&feature]) {
            if !names.iter().any(|known| known.as_str() == Some(*name)) {
                names.push((*name).into());
            }
        }
        protocol[features] = Value::Array(names);
        protocol[version] = newest.into();
    }
    protocol
}

impl DeltaTable {
    /// Brings the log to the columns of the catalog. Other writers of this process wait meanwhile; those of other
    /// processes do not, and their files are written anew too.
    pub(crate) async fn alter(&self, columns: &SchemaRef, state: &SessionState) -> Result<()> {
        let _turn = self.commit_queue.lock().await;
        let mut rewrites = BTreeMap::new();
        let altered = self.alter_with(columns, state, &mut rewrites).await;
        // After a commit, those that are left were in nobody's way; after an error nobody names them.
        let is_unknown = matches!(&altered, Err(error) if error.kind() == ErrorKind::OutcomeUnknown);
        if !is_unknown {
            self.discard(&rewrites.into_values().collect::<Vec<_>>()).await;
        }
        altered
    }

    /// `rewrites` holds files that no commit names, by that whose rows they have.
    async fn alter_with(
        &self,
        columns: &SchemaRef,
        state: &SessionState,
        rewrites: &mut BTreeMap<String, Rewritten>,
    ) -> Result<()> {
        let mut attempt = 0;
        loop {
            let latest = self.snapshot().await?;
            let Some(Change { mut actions, operation, retypes }) = Change::between(&latest, columns)? else {
                return Ok(());
            };
            if retypes {
                self.retype(&latest, columns, state, rewrites).await?;
                let removed: HashSet<String> = rewrites.keys().cloned().collect();
                actions.extend(latest.rearranged_actions(&removed));
                let added = rewrites.values().flat_map(|rewritten| rewritten.added.iter().cloned());
                actions.extend(added.map(Action::Add));
            }
            match self.commit_once(&latest, actions, operation, &CommitInfo::default()).await {
                Ok(_) => {
                    rewrites.clear();
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::SerializationFailure && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(jitter(attempt)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes each data file anew that is not among the rewrites yet, in its own order; drops the rewrites of files
    /// that have left the table.
    async fn retype(
        &self,
        latest: &Arc<TableSnapshot>,
        columns: &SchemaRef,
        state: &SessionState,
        rewrites: &mut BTreeMap<String, Rewritten>,
    ) -> Result<()> {
        let files = latest.files()?;
        let there: HashSet<String> = files.iter().map(|file| file.path.to_string()).collect();
        let gone: Vec<String> = rewrites.keys().filter(|path| !there.contains(*path)).cloned().collect();
        for path in gone {
            if let Some(rewritten) = rewrites.remove(&path) {
                self.discard(&[rewritten]).await;
            }
        }
        let new: Vec<String> = there.into_iter().filter(|path| !rewrites.contains_key(path)).collect();
        for path in new {
            let (file, order) = (HashSet::from([path.clone()]), Order::Columns(Vec::new()));
            let rewritten = self.rewrite_as(latest, &file, Arc::clone(columns), &order, state).await?;
            rewrites.insert(path, rewritten);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(fields: &[(&str, DataType, bool)]) -> Schema {
        let fields =
            fields.iter().map(|(name, data_type, nullable)| Field::new(*name, data_type.clone(), *nullable));
        Schema::new(fields.collect::<Vec<_>>())
    }

    #[test]
    fn a_log_is_the_same_behind_or_ahead() {
        use DataType::*;
        let log = schema(&[("id", Int32, false), ("amount", Decimal128(10, 2), true), ("more", Utf8, true)]);
        let of = |fields: &[(&str, DataType, bool)]| standing(&log, &schema(fields));
        let (id, amount) = (("id", Int32, false), ("amount", Decimal128(10, 2), true));
        // A column that the catalog does not know yet is in nobody's way.
        assert_eq!(of(&[id.clone(), amount.clone()]), Standing::Same);
        assert_eq!(of(&[("id", Int64, false), amount.clone()]), Standing::Behind);
        assert_eq!(of(&[("id", Int32, true), amount.clone()]), Standing::Behind);
        assert_eq!(of(&[id.clone(), ("amount", Decimal128(12, 4), true)]), Standing::Behind);
        assert_eq!(of(&[id.clone(), ("new", Utf8, true)]), Standing::Behind);
        assert_eq!(of(&[("id", Int16, false), amount]), Standing::Ahead);
        assert_eq!(of(&[id, ("amount", Decimal128(10, 4), true)]), Standing::Ahead);
    }

    #[test]
    fn a_protocol_keeps_what_its_version_meant() {
        let old = json!({"minReaderVersion": 1, "minWriterVersion": 2});
        let expected = json!({
            "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["timestampNtz"],
            "writerFeatures": ["appendOnly", "invariants", "timestampNtz"],
        });
        assert_eq!(with_feature(old, TIMESTAMP_WITHOUT_ZONE), expected);
        assert_eq!(with_feature(expected.clone(), TIMESTAMP_WITHOUT_ZONE), expected);
    }
}
