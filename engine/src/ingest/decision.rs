//! What the commit that decides a batch says in the target's log.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use deltalake_core::kernel::Action;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ledger::Event;
use super::quality::Finding;
use crate::error::{Error, ErrorKind, Result};
use crate::table::DeltaTable;

/// The key of the commit's metadata.
const METADATA_KEY: &str = "voxhouse";

/// The outcome of a batch: stored with the commit on the target, and repeated from there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Decision {
    pub(super) pipe: String,
    pub(super) batch: i64,
    /// Tells this process's commit from that of another.
    pub(super) attempt: String,
    pub(super) files: Vec<Event>,
    /// Files of the table of rejects, written but not committed there yet.
    pub(super) rejects: Vec<Action>,
    /// How the rules fared; the version is that of this commit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) quality: Vec<Finding>,
}

impl Decision {
    pub(super) fn metadata(&self) -> Result<HashMap<String, Value>> {
        Ok([(METADATA_KEY.to_owned(), serde_json::to_value(self)?)].into())
    }
}

/// The decisions of an application on some batches and the table versions that made them, in order. Looks
/// backwards from `newest`.
pub(super) async fn find(
    target: &DeltaTable,
    newest: u64,
    application: &str,
    batches: RangeInclusive<i64>,
) -> Result<Vec<(Decision, u64)>> {
    let mut found = Vec::new();
    let mut version = newest;
    let mut missing = batches.clone().last();
    while let Some(wanted) = missing {
        let Some(bytes) = target.log_store().read_commit_entry(version).await? else { break };
        if let Some(decision) = read(&bytes, application)?
            && decision.batch == wanted
        {
            missing = Some(wanted - 1).filter(|next| batches.contains(next));
            found.push((decision, version));
        }
        let Some(before) = version.checked_sub(1) else { break };
        version = before;
    }
    if let Some(wanted) = missing {
        return Err(Error::new(
            ErrorKind::DataCorrupted,
            format!("the table log no longer tells which files batch {wanted} of \"{application}\" loaded"),
        )
        .with_detail(format!("The log of \"{}\" was read back to version {version}.", target.location())));
    }
    found.reverse();
    Ok(found)
}

/// The decision in a log entry, if the application made one. Reads the two actions that matter: other
/// programs may write actions that are not known here.
fn read(entry: &[u8], application: &str) -> Result<Option<Decision>> {
    let mut metadata = None;
    let mut decides = false;
    for action in serde_json::Deserializer::from_slice(entry).into_iter::<Value>() {
        let mut action = action?;
        if action.pointer("/txn/appId").and_then(Value::as_str) == Some(application) {
            decides = true;
        }
        if let Some(value) = action.get_mut("commitInfo").and_then(|info| info.get_mut(METADATA_KEY)) {
            metadata = Some(value.take());
        }
    }
    match metadata.filter(|_| decides) {
        Some(metadata) => Ok(Some(serde_json::from_value(metadata).map_err(|error| {
            Error::new(ErrorKind::DataCorrupted, "the outcome of a load cannot be read from the table log")
                .with_detail(error.to_string())
        })?)),
        None => Ok(None),
    }
}
