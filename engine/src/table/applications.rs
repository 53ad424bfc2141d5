//! What applications last committed to a table, so that the log need not be read for it each time.

use std::collections::HashMap;

use deltalake_core::logstore::LogStore;
use futures::FutureExt;
use parking_lot::Mutex;
use serde_json::Value;

use super::Application;
use super::snapshot::TableSnapshot;
use crate::error::Result;

/// Reading more entries than this one by one takes longer than going through the log at once.
const FEW_ENTRIES: u64 = 32;

#[derive(Debug, Clone, Copy)]
struct Known {
    /// The version of the table up to which the log was read.
    at: u64,
    version: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Applications(Mutex<HashMap<String, Known>>);

impl Applications {
    /// The last version of an application in the log up to a snapshot.
    pub(super) async fn version(
        &self,
        log: &dyn LogStore,
        base: &TableSnapshot,
        id: &str,
    ) -> Result<Option<i64>> {
        let at = base.version();
        let known = self.0.lock().get(id).copied();
        let version = match known {
            Some(known) if known.at == at => return Ok(known.version),
            Some(known) if known.at < at && at - known.at <= FEW_ENTRIES => {
                match read_on(log, known, at, id).await? {
                    Some(version) => version,
                    None => base.state().transaction_version(log, id).boxed().await?,
                }
            }
            _ => base.state().transaction_version(log, id).boxed().await?,
        };
        let mut all = self.0.lock();
        if all.get(id).is_none_or(|known| known.at < at) {
            all.insert(id.to_owned(), Known { at, version });
        }
        Ok(version)
    }

    /// A commit of this process on `base` is in the log.
    pub(super) fn committed(&self, base: u64, application: Option<&Application>) {
        for (id, known) in self.0.lock().iter_mut().filter(|(_, known)| known.at == base) {
            known.at = base + 1;
            if let Some(application) = application.filter(|application| application.id == *id) {
                known.version = Some(application.version);
            }
        }
    }
}

/// `None` when an entry is gone.
async fn read_on(log: &dyn LogStore, known: Known, up_to: u64, id: &str) -> Result<Option<Option<i64>>> {
    let mut version = known.version;
    for entry in known.at + 1..=up_to {
        let Some(bytes) = log.read_commit_entry(entry).await? else { return Ok(None) };
        // Other programs may write actions that are not known here.
        for action in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
            let action = action?;
            if action.pointer("/txn/appId").and_then(Value::as_str) == Some(id) {
                version = action.pointer("/txn/version").and_then(Value::as_i64).or(version);
            }
        }
    }
    Ok(Some(version))
}
