//! How the pipes stand: for `system.pipes`.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::files::Identity;
use super::history::Standing;
use super::job::Job;
use super::ledger::{Event, Key};
use super::{Ingestion, Loaded};
use crate::catalog::{CatalogSnapshot, Pipe};
use crate::error::{Error, ErrorKind, Result};

/// A store that does not list a folder in this time is not waited for.
const LISTING_PATIENCE: Duration = Duration::from_secs(10);

/// How a pipe stands. Runs are those of this process; files are told for all.
#[derive(Debug, Clone, Default)]
pub struct PipeStatus {
    /// `paused`, `running`, `scheduled` or `on call`.
    pub state: &'static str,
    pub last_run_at: Option<DateTime<Utc>>,
    pub last_loaded_at: Option<DateTime<Utc>>,
    pub files_loaded: u64,
    /// Files whose last try failed.
    pub files_failed: u64,
    /// Files that are not tried any more.
    pub files_dead: u64,
    /// Why the last run or, since the last file that was loaded, a file failed.
    pub last_error: Option<String>,
    /// Offsets that are in none of the files of a Kafka sink.
    pub offset_gaps: Vec<String>,
    /// `None`: nobody asked, or the folder cannot be listed.
    pub waiting: Option<Waiting>,
}

/// Files that the next run will load or try again.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Waiting {
    pub files: u64,
    /// For how long the oldest has lain there, in seconds.
    pub lag_seconds: f64,
}

impl Ingestion {
    /// `list`: whether to look into the folder, which takes a request or more.
    pub async fn pipe_status(
        &self,
        catalog: &CatalogSnapshot,
        pipe: &Pipe,
        list: bool,
    ) -> Result<PipeStatus> {
        self.ledger.refresh().await?;
        let target = catalog.table(&pipe.into)?;
        let key = Key::new(Some(pipe.oid), target.oid);
        let known = self.ledger.summary(key);
        let own: Option<Loaded> =
            self.tally.read().into_iter().find(|(name, _)| *name == pipe.name).map(|(_, loaded)| loaded);
        let waiting = match list {
            true => tokio::time::timeout(LISTING_PATIENCE, self.waiting(catalog, pipe))
                .await
                .ok()
                .and_then(Result::ok),
            false => None,
        };
        let run_error = own.as_ref().and_then(|own| own.last_error.clone());
        Ok(PipeStatus {
            state: match (pipe.paused, self.is_running(key), pipe.every_seconds) {
                (true, ..) => "paused",
                (_, true, _) => "running",
                (_, _, Some(_)) => "scheduled",
                (_, _, None) => "on call",
            },
            last_run_at: own.and_then(|own| own.last_run_at),
            last_loaded_at: known.last_loaded_at,
            files_loaded: known.files_loaded,
            files_failed: known.files_failed,
            files_dead: known.files_dead,
            last_error: run_error.or(known.last_error),
            offset_gaps: known.gaps,
            waiting,
        })
    }

    async fn waiting(&self, catalog: &CatalogSnapshot, pipe: &Pipe) -> Result<Waiting> {
        let job = Job::of_pipe(&self.warehouse, catalog, pipe)?;
        let mut waiting = Waiting::default();
        for file in job.files().await? {
            let identity = Identity::of(&file.meta);
            if self.ledger.standing(job.key, &file.name, &identity, &job.definition) == Standing::Known {
                continue;
            }
            waiting.files += 1;
            let age = (Utc::now() - file.meta.last_modified).num_milliseconds().max(0) as f64 / 1e3;
            waiting.lag_seconds = waiting.lag_seconds.max(age);
        }
        Ok(waiting)
    }

    fn is_running(&self, key: Key) -> bool {
        self.turns.lock().get(&key).is_some_and(|turn| turn.try_lock().is_err())
    }

    /// Lets the files of a pipe that changed since a moment, or all, be loaded again at the next run. Returns how
    /// many they are.
    pub async fn replay_pipe(&self, name: &str, from: Option<DateTime<Utc>>) -> Result<u64> {
        let catalog = self.warehouse.catalog().await?;
        let pipe = catalog.pipe(name)?;
        let target = catalog.table(&pipe.into)?;
        let key = Key::new(Some(pipe.oid), target.oid);
        let _turn = self.turn(key).await;
        self.catch_up(key, &*self.warehouse.delta(target)?).await?;
        let from = from.unwrap_or(DateTime::UNIX_EPOCH);
        let files = self.ledger.files_since(key, from);
        self.ledger.record(vec![Event::replay(key, &pipe.name, &target.name.to_string(), from)]).await?;
        Ok(files)
    }
}

/// The error of who calls a pipe that is paused.
pub(super) fn paused(name: &str) -> Error {
    Error::new(ErrorKind::PortalNotRunnable, format!("pipe \"{name}\" is paused"))
        .with_hint(format!("ALTER PIPE {name} RESUME lets it run again."))
}
