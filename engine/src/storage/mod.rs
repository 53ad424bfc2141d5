//! The object store under a warehouse, and where things lie in it.
//!
//! A root is any object-store URL: `file://`, `s3://`, `gs://`, `az://`, `memory://` (tests). Credentials and
//! endpoints come from the usual environment (`AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID`, …) and from options.

mod client;
mod create_by_copy;
pub(crate) mod failure;
mod measured;
mod probe;
mod resume;

use std::fmt;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::execution::object_store::ObjectStoreUrl;
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use futures::{StreamExt, TryStreamExt};
use object_store::path::{Path, PathPart};
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use url::Url;

pub use client::StoreOptions;
pub use measured::{OperationReading, StoreMeter};
pub use probe::require_conditional_put;

use crate::error::{Error, Result};

/// Where query plans find the store; the same for every root.
pub const STORE_URL: &str = "voxhouse://root";

/// One warehouse root. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    url: Url,
    /// Serves the whole bucket or file system: Delta tables are addressed from there.
    store: Arc<dyn ObjectStore>,
    /// The root inside `store`.
    prefix: Path,
    options: StoreOptions,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("url", &self.url.as_str()).finish()
    }
}

impl Storage {
    /// Opens the store of a root, which may be a URL or a local path. Touches nothing yet.
    pub fn open(root: &str, options: &StoreOptions) -> Result<Self> {
        let url = root_url(root)?;
        if url.scheme() == "file" {
            let path = local_path(&url)?;
            std::fs::create_dir_all(&path)
                .map_err(|error| Error::from(error).in_context(format!("warehouse root \"{root}\"")))?;
        }
        let (store, prefix) = client::open(&url, options)
            .map_err(|error| Error::from(error).in_context(format!("warehouse root \"{root}\"")))?;
        Ok(Self { url, store, prefix, options: options.clone() })
    }

    /// Another place that is not of this warehouse, talked to in the same way.
    pub fn elsewhere(&self, url: &str) -> Result<Self> {
        Self::open(url, &self.options)
    }

    /// The same store through a client that gives up soon.
    fn impatient(&self) -> Result<Arc<dyn ObjectStore>> {
        if matches!(self.url.scheme(), "file" | "memory") {
            return Ok(self.store());
        }
        Ok(client::open(&self.url, &self.options.impatient())?.0)
    }

    /// The requests that were sent so far.
    pub fn meter(&self) -> &Arc<StoreMeter> {
        &self.options.meter
    }

    /// For how long something that must be known is asked for. What does not lie across a network does not come back
    /// by waiting.
    pub fn patience(&self) -> Duration {
        match self.url.scheme() {
            "file" | "memory" => Duration::ZERO,
            _ => self.options.retry_timeout,
        }
    }

    /// A root that lives as long as the process.
    pub fn in_memory() -> Result<Self> {
        Self::open("memory:///", &StoreOptions::default())
    }

    /// A root on a store of the test's own.
    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn ObjectStore>) -> Result<Self> {
        Ok(Self { store, ..Self::in_memory()? })
    }

    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The folder of a `file://` root.
    pub fn local_folder(&self) -> Option<std::path::PathBuf> {
        (self.url.scheme() == "file").then(|| self.url.to_file_path().ok()).flatten()
    }

    /// The store that plans and Delta logs address by full path.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// The store seen from the root.
    pub fn rooted(&self) -> Arc<dyn ObjectStore> {
        Arc::new(PrefixStore::new(Arc::clone(&self.store), self.prefix.clone()))
    }

    pub fn object_store_url() -> ObjectStoreUrl {
        // The constant is a valid URL; a test holds it to that.
        ObjectStoreUrl::parse(STORE_URL).unwrap_or_else(|_| ObjectStoreUrl::local_filesystem())
    }

    /// The full path of something given by its path under the root.
    pub fn path(&self, relative: &str) -> Path {
        relative.split('/').filter(|part| !part.is_empty()).fold(self.prefix.clone(), |path, part| {
            match PathPart::parse(part) {
                // As it is written: 订单 stays 订单.
                Ok(part) => path.join(part),
                Err(_) => path.join(part),
            }
        })
    }

    /// The full path of a file of the table that lies at `location` under the root.
    pub fn file(&self, location: &str, file: &Path) -> Path {
        file.parts().fold(self.path(location), |path, part| path.join(part))
    }

    /// The Delta log of the table that lies at `location` under the root.
    pub fn log_store(&self, location: &str) -> Result<LogStoreRef> {
        let path = self.path(location);
        let url = self.table_url(location)?;
        let config = StorageConfig::default();
        let table_store = Arc::new(PrefixStore::new(Arc::clone(&self.store), path));
        Ok(default_logstore(table_store, Arc::clone(&self.store), &url, &config))
    }

    fn table_url(&self, location: &str) -> Result<Url> {
        let mut url = self.url.clone();
        let folder = format!("{}/{}/", url.path().trim_end_matches('/'), location.trim_matches('/'));
        url.set_path(&folder);
        Ok(url)
    }

    pub async fn put(&self, relative: &str, bytes: Bytes) -> Result<()> {
        self.store.put(&self.path(relative), bytes.into()).await?;
        Ok(())
    }
}

fn root_url(root: &str) -> Result<Url> {
    let invalid = |reason: String| {
        Error::invalid_argument(format!("invalid warehouse root \"{root}\": {reason}"))
            .with_hint("Give a folder or a URL such as s3://bucket/folder, gs://…, az://… or file:///folder.")
    };
    if root.contains("://") {
        let mut url = Url::parse(root).map_err(|error| invalid(error.to_string()))?;
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        return Ok(url);
    }
    let path = std::path::absolute(FilePath::new(root)).map_err(|error| invalid(error.to_string()))?;
    Url::from_directory_path(&path).map_err(|()| invalid("not a path".into()))
}

fn local_path(url: &Url) -> Result<std::path::PathBuf> {
    url.to_file_path()
        .map_err(|()| Error::invalid_argument(format!("invalid warehouse root \"{url}\": not a local path")))
}

/// Deletes everything under a folder of the root. Returns how many objects. Of a table the first entry of the log
/// goes last: until nothing else is left, nobody takes the place for a free one.
pub async fn delete_folder(storage: &Storage, relative: &str) -> Result<usize> {
    let store = storage.store();
    let mut paths: Vec<Path> =
        store.list(Some(&storage.path(relative))).map_ok(|meta| meta.location).try_collect().await?;
    paths.sort_by_cached_key(|path| {
        (path.parts().any(|part| part.as_ref() == "_delta_log"), std::cmp::Reverse(path.to_string()))
    });
    let first_entry = paths.pop();
    let mut count = 0;
    // The last one on its own: a store may delete the others in any order.
    for group in [paths, first_entry.into_iter().collect()] {
        let mut deleted = store.delete_stream(futures::stream::iter(group.into_iter().map(Ok)).boxed());
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) => count += 1,
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    if let Some(root) = storage.local_folder() {
        // Object stores have no folders; on a disk the empty ones would stay behind.
        remove_empty_folders(&root.join(relative));
    }
    Ok(count)
}

/// A folder that something has been put into meanwhile stays.
fn remove_empty_folders(folder: &FilePath) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty_folders(&entry.path());
        }
    }
    let _ = std::fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_url_parses() {
        assert!(ObjectStoreUrl::parse(STORE_URL).is_ok());
    }

    #[test]
    fn a_relative_folder_is_a_root() {
        let url = root_url("./somewhere").unwrap();
        assert_eq!(url.scheme(), "file");
        assert!(url.path().ends_with("/somewhere/"));
    }
}
