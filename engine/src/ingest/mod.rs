//! Loading files into tables, each exactly once.
//!
//! A run lists the files of a pipe, leaves out those it has seen, and loads the others in batches. The one commit
//! that decides a batch is that on the target table: it carries the batch number as the pipe's application
//! transaction, the data files, and in its metadata the fate of every source file and the files with the rejected
//! rows. `_system/loads` and `_system/rejects` only repeat what such a commit says ([`decision`]); a process that
//! dies before they do is caught up with by the next one that looks. So there is no state between "nothing
//! happened" and "the batch is loaded", whoever dies when, and of several processes that load the same files one
//! commit counts.

mod bisect;
mod columns;
mod decision;
mod envelope;
mod file_load;
mod files;
mod gather;
mod history;
mod job;
mod kafka;
mod ledger;
mod merge;
mod notify;
pub(crate) mod quality;
mod rejects;
mod replay;
mod rules;
mod run;
mod scheduler;
mod settle;
mod source_table;
mod spool;
mod state_table;
mod status;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;
use datafusion::catalog::TableProvider;
use object_store::{ObjectMeta, ObjectStore};
use parking_lot::Mutex;

use crate::catalog::{CatalogSnapshot, Object, QualifiedName};
use crate::error::{Error, ErrorKind, Result};
use crate::planning::Planner;
use crate::source::FormatOptions;
use crate::table::DeltaTable;
use crate::warehouse::Warehouse;
use job::Job;
pub use ledger::LOCATION as LOADS_LOCATION;
use ledger::{Key, Ledger};
use notify::Queues;
pub use notify::{Arrival, Noted};
pub use quality::LOCATION as QUALITY_LOCATION;
use quality::QualityTable;
pub use rejects::LOCATION as REJECTS_LOCATION;
use rejects::RejectTable;
pub use replay::{Replay, ReplayReport};
pub use rules::{NewColumns, Rules, TypeChanges};
use run::Scope;
pub use status::{PipeStatus, Waiting};
pub use tally::Loaded;
use tally::Tally;

/// How many files of a run are reported with their error.
const REPORTED_ERRORS: usize = 10;

/// What one batch may hold; the last file may pass the limit of bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub batch_files: usize,
    pub batch_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch_files: 512, batch_bytes: 1 << 30 }
    }
}

/// What became of a file.
#[derive(Debug, Clone)]
pub enum FileOutcome {
    Loaded {
        rows: u64,
        rejected: u64,
    },
    Failed(Error),
    /// Its content is in the table already.
    Skipped,
}

/// Told how a run advances. A batch that another process was quicker to load is told of, and then known.
pub trait Progress: Send + Sync {
    fn file_started(&self, _name: &str, _bytes: u64) {}
    /// Rows read from the file since the last call.
    fn rows(&self, _rows: u64) {}
    fn file_finished(&self, _name: &str, _outcome: &FileOutcome) {}
}

/// A run that nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Progress for Unwatched {}

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    pub batches: u64,
    pub files_loaded: u64,
    pub files_failed: u64,
    pub files_skipped: u64,
    pub rows: u64,
    pub rejected: u64,
    /// Of the files loaded.
    pub bytes: u64,
    /// Of the last batch: for how long its oldest file had lain there when its rows were in the table.
    pub lag: Option<TimeDelta>,
    /// The first few files that failed.
    pub errors: Vec<(String, Error)>,
}

impl RunReport {
    fn add(&mut self, name: &str, bytes: u64, outcome: &FileOutcome) {
        match outcome {
            FileOutcome::Loaded { rows, rejected } => {
                self.files_loaded += 1;
                self.rows += rows;
                self.rejected += rejected;
                self.bytes += bytes;
            }
            FileOutcome::Failed(error) => {
                self.files_failed += 1;
                if self.errors.len() < REPORTED_ERRORS {
                    self.errors.push((name.to_owned(), error.clone()));
                }
            }
            FileOutcome::Skipped => self.files_skipped += 1,
        }
    }

    fn merge(&mut self, other: RunReport) {
        self.batches += other.batches;
        self.files_loaded += other.files_loaded;
        self.files_failed += other.files_failed;
        self.files_skipped += other.files_skipped;
        self.rows += other.rows;
        self.rejected += other.rejected;
        self.bytes += other.bytes;
        self.lag = other.lag.or(self.lag);
        let room = REPORTED_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(other.errors.into_iter().take(room));
    }
}

/// Files that someone pushes into a table. Columns go by name; the same bytes enter the table once, whatever
/// their name.
#[derive(Debug, Clone)]
pub struct Push {
    pub store: Arc<dyn ObjectStore>,
    pub files: Vec<ObjectMeta>,
    pub into: QualifiedName,
    /// `None`: each file's name tells its format.
    pub format: Option<String>,
    pub options: FormatOptions,
}

/// The loading of files in this process.
pub struct Ingestion {
    warehouse: Arc<Warehouse>,
    planner: Arc<dyn Planner>,
    limits: Limits,
    ledger: Ledger,
    rejects: RejectTable,
    quality: QualityTable,
    tally: Tally,
    /// One run at a time of each pipe in this process.
    turns: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
    /// Files of which a notification has told.
    notified: Queues,
}

impl Ingestion {
    /// Reads nothing yet; the state tables are made when they are first needed.
    pub fn new(warehouse: Arc<Warehouse>, planner: Arc<dyn Planner>) -> Result<Self> {
        let ledger = Ledger::new(&warehouse)?;
        let rejects = RejectTable::new(&warehouse)?;
        let quality = QualityTable::new(&warehouse)?;
        let turns = Mutex::new(HashMap::new());
        Ok(Self {
            warehouse,
            planner,
            limits: Limits::default(),
            ledger,
            rejects,
            quality,
            tally: Tally::default(),
            turns,
            notified: Queues::default(),
        })
    }

    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Loads what is new under a pipe's prefix. A file that fails is in the report and stops no other; an error
    /// is one of the pipe itself, of its target or of the warehouse.
    pub async fn run_pipe(&self, name: &str, progress: Option<Arc<dyn Progress>>) -> Result<RunReport> {
        let catalog = self.warehouse.catalog().await?;
        self.run_pipe_files(&catalog, name, Scope::All, progress).await
    }

    async fn run_pipe_files(
        &self,
        catalog: &CatalogSnapshot,
        name: &str,
        scope: Scope<'_>,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<RunReport> {
        let pipe = catalog.pipe(name)?;
        if pipe.paused {
            return Err(status::paused(name));
        }
        let job = Job::of_pipe(&self.warehouse, catalog, pipe)?;
        self.run(&job, scope, progress).await
    }

    /// Loads files into a table on behalf of a role.
    pub async fn load_files(
        &self,
        role: &str,
        push: Push,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<RunReport> {
        let catalog = self.warehouse.catalog().await?;
        let job = Job::of_push(&self.warehouse, &catalog, role, push)?;
        self.run(&job, Scope::All, progress).await
    }

    async fn run(
        &self,
        job: &Job,
        scope: Scope<'_>,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<RunReport> {
        let outcome = run::run(self, job, scope, watched(progress)).await;
        self.tally.add(&job.name, &outcome);
        outcome
    }

    /// What this process has loaded so far, by the name of the pipe, or `load:` and the table.
    pub fn loaded(&self) -> Vec<(String, Loaded)> {
        self.tally.read()
    }

    /// Finishes what dead processes left: writes what their commits decided into `system.loads` and
    /// `system.rejects`, and loads the files that they had begun. What cannot be finished is logged.
    pub async fn recover(&self) -> Result<RunReport> {
        let catalog = self.warehouse.catalog().await?;
        self.ledger.refresh().await?;
        let mut report = RunReport::default();
        for key in self.ledger.keys() {
            match self.recover_key(&catalog, key).await {
                Ok(part) => report.merge(part),
                Err(error) => tracing::warn!(application = %key.application(), %error, "recovering a load"),
            }
        }
        Ok(report)
    }

    /// Writes what commits decided into `system.loads` and `system.rejects` where that is missing: before log entries
    /// that tell of it are removed.
    pub async fn settle(&self) -> Result<()> {
        let catalog = self.warehouse.catalog().await?;
        self.ledger.refresh().await?;
        for key in self.ledger.keys() {
            if let Some(Object::Table(table)) = key.target().and_then(|oid| catalog.object(oid)) {
                self.catch_up(key, &*self.warehouse.delta(table)?).await?;
            }
        }
        Ok(())
    }

    async fn recover_key(&self, catalog: &CatalogSnapshot, key: Key) -> Result<RunReport> {
        let Some(Object::Table(table)) = key.target().and_then(|oid| catalog.object(oid)) else {
            return Ok(RunReport::default());
        };
        self.catch_up(key, &*self.warehouse.delta(table)?).await?;
        let begun = self.ledger.begun(key);
        if begun.is_empty() {
            return Ok(RunReport::default());
        }
        match key.pipe().and_then(|oid| catalog.object(oid)) {
            // A pipe that is paused finishes when it is resumed.
            Some(Object::Pipe(pipe)) if pipe.into == table.name && pipe.paused => Ok(RunReport::default()),
            Some(Object::Pipe(pipe)) if pipe.into == table.name => {
                let files = begun.into_iter().map(|event| event.file).collect();
                self.run_pipe_files(catalog, &pipe.name, Scope::Only(&files), None).await
            }
            // The files of a push lie where only the one who pushed can reach them.
            _ => {
                let _turn = self.turn(key).await;
                self.ledger.record_interrupted(begun).await?;
                Ok(RunReport::default())
            }
        }
    }

    /// Repeats decided batches in the ledger and the rejects where that is missing. Returns the last batch
    /// decided.
    async fn catch_up(&self, key: Key, target: &DeltaTable) -> Result<i64> {
        self.ledger.refresh().await?;
        let base = target.snapshot().await?;
        let application = key.application();
        let decided = target.application_version(&base, &application).await?.unwrap_or(0);
        let finished = self.ledger.finished(key);
        if finished < decided {
            let missing = finished + 1..=decided;
            for (decision, version) in decision::find(target, base.version(), &application, missing).await? {
                self.repeat(key, decision, version).await?;
            }
            self.ledger.refresh().await?;
        }
        if self.ledger.finished(key) < decided {
            // Log entries between the last look and now may have been cleaned away.
            self.ledger.reload().await?;
        }
        if self.ledger.finished(key) < decided {
            // To go on would be to load files twice.
            return Err(Error::new(ErrorKind::DataCorrupted, "the record of loads is incomplete")
                .with_detail(format!("It lacks batch {decided} of \"{application}\".")));
        }
        Ok(decided)
    }

    /// Writes what a commit on the target decided into the rejects and the ledger, where it is not there yet.
    async fn repeat(&self, key: Key, decision: decision::Decision, version: u64) -> Result<()> {
        let application = key.at(decision.batch);
        self.rejects.commit(decision.rejects, application.clone()).await?;
        let loaded = |finding: quality::Finding| {
            let is_loaded = |event: &ledger::Event| {
                event.state == ledger::State::Loaded && finding.is_of_file(&event.file)
            };
            if decision.files.iter().any(is_loaded) { finding.at_version(version) } else { finding }
        };
        let findings: Vec<quality::Finding> = decision.quality.into_iter().map(loaded).collect();
        self.quality.add(&findings, Some(application.clone())).await?;
        self.ledger.finish(decision.files, version, application).await
    }

    async fn turn(&self, key: Key) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = Arc::clone(self.turns.lock().entry(key).or_default());
        turn.lock_owned().await
    }

    /// `system.loads`: the fate of each file in each batch.
    pub async fn loads_provider(&self) -> Result<Arc<dyn TableProvider>> {
        self.ledger.provider(self.planner.session_state()).await
    }

    /// `system.rejects`: the rows that did not enter a table, and when they did after all.
    pub async fn rejects_provider(&self) -> Result<Arc<dyn TableProvider>> {
        replay::with_replays(self.planner.session_state(), &self.rejects, &self.ledger).await
    }

    /// `system.quality`: how each rule fared with each load.
    pub async fn quality_provider(&self) -> Result<Arc<dyn TableProvider>> {
        self.quality.provider().await
    }
}

fn watched(progress: Option<Arc<dyn Progress>>) -> Arc<dyn Progress> {
    progress.unwrap_or_else(|| Arc::new(Unwatched))
}
