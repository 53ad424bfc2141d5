//! Whether a store refuses to create a key that exists. Commits rest on it: without, two writers would overwrite
//! each other's.

use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::Storage;
use super::failure;
use crate::error::{Error, ErrorKind, Result};

/// Refuses a root on which several writers would lose each other's commits, and one that cannot be written at all.
/// Somebody waits for the process to start: it takes seconds at most.
pub async fn require_conditional_put(storage: &Storage) -> Result<()> {
    let in_context = |error: Error| error.in_context(format!("warehouse root \"{}\"", storage.url()));
    let store = storage.impatient().map_err(in_context)?;
    match refuses_overwrite(store.as_ref(), storage).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(overwrites(storage)),
        Err(error) if lacks_conditional_put(&error) => Err(overwrites(storage).with_source(error)),
        Err(error) => Err(in_context(error.into())),
    }
}

async fn refuses_overwrite(store: &dyn ObjectStore, storage: &Storage) -> object_store::Result<bool> {
    let path = storage.path(&format!("_system/probe-{}", uuid::Uuid::new_v4()));
    let create = || PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    let first = store.put_opts(&path, PutPayload::from_static(b"first"), create()).await;
    // Nobody else has this name. If it is taken, the first request was answered too late, and sent again.
    if !is_refusal(&first) {
        first?;
    }
    let second = store.put_opts(&path, PutPayload::from_static(b"second"), create()).await;
    // What stays behind if this fails is one small object.
    if let Err(error) = store.delete(&path).await {
        tracing::warn!(%path, %error, "removing the probe of the store");
    }
    if is_refusal(&second) {
        return Ok(true);
    }
    second.map(|_| false)
}

fn is_refusal<T>(put: &object_store::Result<T>) -> bool {
    matches!(put, Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }))
}

/// The store, or its client by a setting, says that it does not know the condition.
fn lacks_conditional_put(error: &StoreError) -> bool {
    matches!(error, StoreError::NotImplemented { .. })
        || failure::status(error) == Some(501)
        || failure::code(error).as_deref() == Some("NotImplemented")
}

fn overwrites(storage: &Storage) -> Error {
    Error::new(
        ErrorKind::StorageIo,
        format!(
            "object store \"{}\" does not refuse to overwrite an object on a conditional put",
            storage.url()
        ),
    )
    .with_detail("A second writer could replace a commit of the first without noticing.")
    .with_hint(
        "Use a store that honours If-None-Match on PUT, or switch that on in its configuration; \
         docs/object-stores.md tells what is known of each.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_refuses_to_overwrite() {
        require_conditional_put(&Storage::in_memory().unwrap()).await.unwrap();
    }
}
