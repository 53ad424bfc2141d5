//! The background task that reads new feedback for the kept relations after loads.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use voxhouse_engine::Result;
use voxhouse_engine::table::snapshot::TableSnapshot;

use super::kept::{KEPT, SOURCE, qualified};
use super::refresh::{Scope, refresh};
use crate::instance::Instance;

/// How soon new feedback is read: a look at one log entry each time.
const EVERY: Duration = Duration::from_secs(20);

/// Runs until the server stops. Rows that older words or models have made stay until somebody refreshes them.
pub async fn run(instance: Arc<Instance>, shutdown: CancellationToken) {
    let mut seen = Weak::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let read = tokio::select! {
            () = shutdown.cancelled() => return,
            read = read_new(&instance, &seen) => read,
        };
        match read {
            Ok(version) => seen = version,
            Err(error) => tracing::warn!(%error, "reading new feedback"),
        }
    }
}

/// Reads what is new since the version that was seen. A load that lost a race is met again the next time.
async fn read_new(instance: &Arc<Instance>, seen: &Weak<TableSnapshot>) -> Result<Weak<TableSnapshot>> {
    let catalog = instance.warehouse.known_catalog();
    let table = catalog.table(&qualified(SOURCE))?;
    let version = instance.warehouse.delta(table)?.snapshot().await?;
    if !std::ptr::eq(seen.as_ptr(), Arc::as_ptr(&version)) {
        for kept in &KEPT {
            refresh(instance, kept, Scope::New).await?;
        }
    }
    Ok(Arc::downgrade(&version))
}
