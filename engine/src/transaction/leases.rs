//! The folders of temporary tables: one a process under `_temp/`, with a sign of life in it. What the sessions of a
//! process that died have left there is removed by another.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt};
use tokio::sync::OnceCell;

use crate::error::Result;
use crate::storage::{Storage, delete_folder};

/// Where temporary tables lie under the root.
pub const TEMPORARY_LOCATION: &str = "_temp";

/// How often a process says that it is alive, and for how long it is then taken to be.
const BEAT: Duration = Duration::from_secs(300);
const ALIVE_FOR: TimeDelta = TimeDelta::hours(1);

/// Rewritten at each beat.
const SIGN: &str = "alive";

pub struct Leases {
    storage: Storage,
    process: String,
    /// Held by the process; the task that beats stops without it.
    heart: OnceCell<Arc<()>>,
}

impl Leases {
    pub fn new(storage: &Storage) -> Self {
        let process = uuid::Uuid::new_v4().simple().to_string();
        Self { storage: storage.clone(), process, heart: OnceCell::new() }
    }

    fn folder(&self) -> String {
        format!("{TEMPORARY_LOCATION}/{}", self.process)
    }

    /// A new folder for the tables of one session.
    pub async fn session_folder(&self) -> Result<String> {
        self.heart.get_or_try_init(|| self.start()).await?;
        Ok(format!("{}/{}", self.folder(), uuid::Uuid::new_v4().simple()))
    }

    async fn start(&self) -> Result<Arc<()>> {
        let sign = format!("{}/{SIGN}", self.folder());
        self.storage.put(&sign, bytes::Bytes::new()).await?;
        let heart = Arc::new(());
        let (storage, alive) = (self.storage.clone(), Arc::downgrade(&heart));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                if alive.strong_count() == 0 {
                    return;
                }
                if let Err(error) = storage.put(&sign, bytes::Bytes::new()).await {
                    tracing::warn!(%error, "renewing the lease on temporary tables");
                }
            }
        });
        Ok(heart)
    }

    /// Removes the folders of processes that have been silent for long. Returns how many objects.
    pub async fn sweep(&self) -> Result<usize> {
        let store = self.storage.store();
        let root = self.storage.path(TEMPORARY_LOCATION);
        let mut removed = 0;
        for folder in store.list_with_delimiter(Some(&root)).await?.common_prefixes {
            let Some(process) = folder.filename().filter(|process| *process != self.process) else {
                continue;
            };
            if !self.is_alive(&folder).await? {
                removed += delete_folder(&self.storage, &format!("{TEMPORARY_LOCATION}/{process}")).await?;
            }
        }
        Ok(removed)
    }

    async fn is_alive(&self, folder: &Path) -> Result<bool> {
        match self.storage.store().head(&folder.clone().join(SIGN)).await {
            Ok(sign) => Ok(Utc::now() - sign.last_modified < ALIVE_FOR),
            // The sign comes before everything else, and goes with it.
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes what this process has left, at its end.
    pub async fn close(&self) -> Result<()> {
        if self.heart.get().is_some() {
            delete_folder(&self.storage, &self.folder()).await?;
        }
        Ok(())
    }

    #[cfg(test)]
    async fn objects(&self) -> usize {
        use futures::TryStreamExt;
        let root = self.storage.path(TEMPORARY_LOCATION);
        self.storage.store().list(Some(&root)).try_collect::<Vec<_>>().await.unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn folders_of_the_dead_go_and_those_of_the_living_stay() {
        let storage = Storage::in_memory().unwrap();
        let (one, other) = (Leases::new(&storage), Leases::new(&storage));
        assert_eq!(other.sweep().await.unwrap(), 0);
        let folder = one.session_folder().await.unwrap();
        storage.put(&format!("{folder}/t/part"), bytes::Bytes::from_static(b"rows")).await.unwrap();
        assert_eq!((other.sweep().await.unwrap(), other.objects().await), (0, 2));
        // Of a process that nobody has heard of there is no sign.
        storage.put("_temp/dead/s/part", bytes::Bytes::from_static(b"rows")).await.unwrap();
        assert_eq!((one.sweep().await.unwrap(), one.objects().await), (1, 2));
        one.close().await.unwrap();
        assert_eq!(one.objects().await, 0);
    }
}
