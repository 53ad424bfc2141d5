//! Files that somebody says have come: they are loaded at once, without a look at all the others of their pipe.
//!
//! What was said is held in memory only. It is a hint that saves time: a file whose notification is lost is found by the
//! next run of the pipe.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::files::Folder;
use super::run::Scope;
use super::{Ingestion, status};
use crate::catalog::{LoadMode, Oid, Pipe};
use crate::error::{Error, ErrorKind, Result};

/// Files of a pipe that may wait for their turn.
const MOST_WAITING: usize = 100_000;

/// An object, as an event of its store names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    pub bucket: String,
    pub key: String,
}

/// What becomes of some arrivals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    pub accepted: usize,
    /// Files that the pipe does not load: they lie elsewhere, are hidden or not finished.
    pub ignored: usize,
}

/// The files that wait, by pipe. A pipe that is in it is being run.
#[derive(Default)]
pub(super) struct Queues(Mutex<HashMap<Oid, HashSet<String>>>);

impl Queues {
    /// Whether nobody runs the pipe yet.
    fn add(&self, pipe: Oid, files: HashSet<String>) -> Result<bool> {
        let mut waiting = self.0.lock();
        let is_first = !waiting.contains_key(&pipe);
        let known = waiting.entry(pipe).or_default();
        if known.len() + files.len() > MOST_WAITING {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("more than {MOST_WAITING} files wait for the pipe"),
            )
            .with_hint("Send the notification again later."));
        }
        known.extend(files);
        Ok(is_first)
    }

    /// The files of the next run; `None` when there are none, and the pipe is not run any more.
    fn take(&self, pipe: Oid) -> Option<HashSet<String>> {
        let mut waiting = self.0.lock();
        let files = waiting.get_mut(&pipe).map(std::mem::take).filter(|files| !files.is_empty());
        if files.is_none() {
            waiting.remove(&pipe);
        }
        files
    }
}

impl Ingestion {
    /// Loads files of a pipe soon, in the background. 55000 for a pipe that is paused.
    pub fn notify(self: &Arc<Self>, pipe: &Pipe, arrivals: &[Arrival]) -> Result<Noted> {
        if pipe.paused {
            return Err(status::paused(&pipe.name));
        }
        let folder = Folder::open(self.warehouse.storage(), &pipe.from)?;
        let files: Vec<String> = arrivals.iter().filter_map(|arrival| folder.name_of(arrival)).collect();
        let noted = Noted { accepted: files.len(), ignored: arrivals.len() - files.len() };
        if !files.is_empty() && self.notified.add(pipe.oid, files.into_iter().collect())? {
            tokio::spawn(Arc::clone(self).run_notified(pipe.oid));
        }
        Ok(noted)
    }

    async fn run_notified(self: Arc<Self>, pipe: Oid) {
        while let Some(files) = self.notified.take(pipe) {
            if let Err(error) = self.run_files(pipe, &files).await {
                tracing::warn!(pipe, files = files.len(), %error, "loading files of a notification");
            }
        }
    }

    async fn run_files(&self, oid: Oid, files: &HashSet<String>) -> Result<()> {
        let catalog = self.warehouse.catalog().await?;
        let Some(pipe) = catalog.pipes().find(|pipe| pipe.oid == oid) else { return Ok(()) };
        // A partition is replaced by all files that are there.
        let scope = match pipe.mode {
            LoadMode::ReplacePartition => Scope::All,
            _ => Scope::Named(files),
        };
        let report = self.run_pipe_files(&catalog, &pipe.name, scope, None).await?;
        tracing::info!(
            pipe = %pipe.name,
            loaded = report.files_loaded,
            failed = report.files_failed,
            rows = report.rows,
            "pipe was notified"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> HashSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn files_wait_for_one_run_at_a_time() {
        let waiting = Queues::default();
        assert!(waiting.add(1, files(&["a", "b"])).unwrap());
        assert!(!waiting.add(1, files(&["b", "c"])).unwrap());
        assert!(waiting.add(2, files(&["a"])).unwrap());
        assert_eq!(waiting.take(1), Some(files(&["a", "b", "c"])));
        // It is being run, and what comes meanwhile is loaded behind it.
        assert!(!waiting.add(1, files(&["d"])).unwrap());
        assert_eq!(waiting.take(1), Some(files(&["d"])));
        assert_eq!(waiting.take(1), None);
        assert!(waiting.add(1, files(&["e"])).unwrap());
        let many: HashSet<String> = (0..MOST_WAITING).map(|file| file.to_string()).collect();
        assert_eq!(waiting.add(1, many).unwrap_err().sqlstate(), "53400");
    }
}
