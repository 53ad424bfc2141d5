//! One run: choose files that are new, load a batch of them, decide it with one commit, and again.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};

use super::columns::Alteration;
use super::decision::Decision;
use super::file_load::{FileLoader, LoadedFile, Setback, Tried, gone, if_gone};
use super::files::{Identity, SourceFile, content_hash};
use super::gather::{Intake, keyed_contract};
use super::history::Standing;
use super::job::Job;
use super::ledger::{Event, State};
use super::quality::{self, Finding};
use super::rejects::Origin;
use super::spool::Spooled;
use super::{FileOutcome, Ingestion, Progress, RunReport};
use crate::catalog::{LoadMode, Object};
use crate::error::{Error, ErrorKind, Result};
use crate::table::DeltaTable;
use crate::table::contract::Contract;
use crate::table::snapshot::TableSnapshot;
use crate::table::write::TableWriter;

/// Files that are read side by side, where their rows do not depend on each other.
const FILES_AT_ONCE: usize = 4;

/// Which files a run looks at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    All,
    /// Of all that are there, these; the others wait for a later run.
    Only(&'a HashSet<String>),
    /// These, without a look at what else is there.
    Named(&'a HashSet<String>),
}

/// Loads the files of a job.
pub(super) async fn run(
    ingestion: &Ingestion,
    job: &Job,
    scope: Scope<'_>,
    progress: Arc<dyn Progress>,
) -> Result<RunReport> {
    job.check_target()?;
    let _turn = ingestion.turn(job.key).await;
    let target = ingestion.warehouse.delta(&job.table)?;
    let mut run = Run {
        ingestion,
        job: Arc::new(job.clone()),
        target,
        progress,
        pending: VecDeque::new(),
        announced: HashSet::new(),
        row_by_row: HashSet::new(),
        report: RunReport::default(),
    };
    run.find_files(scope).await?;
    while !run.pending.is_empty() && run.goes_on().await? {
        let decided = ingestion.catch_up(job.key, &run.target).await?;
        let chosen = run.choose(decided + 1).await?;
        if !chosen.is_empty() {
            run.load_batch(decided + 1, chosen).await?;
        }
    }
    ingestion.ledger.compact().await?;
    ingestion.rejects.compact().await?;
    ingestion.quality.compact().await?;
    Ok(run.report)
}

/// A file that may have to be loaded.
#[derive(Debug, Clone)]
struct Candidate {
    file: SourceFile,
    /// The content hash is filled in when it is first needed.
    identity: Identity,
    /// It failed in an earlier run.
    again: bool,
}

pub(super) struct Run<'a> {
    pub(super) ingestion: &'a Ingestion,
    pub(super) job: Arc<Job>,
    pub(super) target: Arc<DeltaTable>,
    progress: Arc<dyn Progress>,
    pending: VecDeque<Candidate>,
    announced: HashSet<String>,
    /// Files with rows that the query cannot evaluate.
    row_by_row: HashSet<String>,
    report: RunReport,
}

/// What is to be decided with one commit.
struct Attempt {
    batch: i64,
    rows: Spooled,
    rejects: Option<TableWriter>,
    loaded: Vec<(Candidate, Event)>,
    failed: Vec<(Candidate, Event, Error)>,
    quality: Vec<Finding>,
}

impl Attempt {
    fn new(batch: i64) -> Self {
        Self {
            batch,
            rows: Spooled::default(),
            rejects: None,
            loaded: Vec::new(),
            failed: Vec::new(),
            quality: Vec::new(),
        }
    }
}

/// How a batch goes on after a file.
enum Next {
    Go,
    /// Without the files after it.
    Stop,
    /// Without it and the files after it: its turn comes again.
    Again,
    /// As before, once the table has these columns.
    Alter(Vec<Alteration>),
}

impl Run<'_> {
    async fn find_files(&mut self, scope: Scope<'_>) -> Result<()> {
        self.ingestion.catch_up(self.job.key, &self.target).await?;
        let mut files = match scope {
            Scope::Named(names) => self.job.files_named(names).await?,
            Scope::All | Scope::Only(_) => {
                let files = self.job.files().await?;
                self.record_disappeared(&files).await?;
                files
            }
        };
        files.retain(|file| self.job.is_settled(file));
        if let Scope::Only(names) = scope {
            files.retain(|file| names.contains(&file.name));
        }
        let candidate =
            |file: SourceFile| Candidate { identity: Identity::of(&file.meta), file, again: false };
        self.pending = files.into_iter().map(candidate).collect();
        Ok(())
    }

    /// Files that a process began to load and that are gone.
    async fn record_disappeared(&self, files: &[SourceFile]) -> Result<()> {
        if !self.job.is_folder() {
            return Ok(());
        }
        let there: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        let error = gone();
        let begun = self.ingestion.ledger.begun(self.job.key).into_iter();
        let gone = begun.filter(|event| !there.contains(event.file.as_str()));
        self.ingestion.ledger.record(gone.map(|event| event.failed(&error)).collect()).await
    }

    /// Whether nobody has paused or dropped the pipe meanwhile.
    async fn goes_on(&self) -> Result<bool> {
        let Some(oid) = self.job.key.pipe() else { return Ok(true) };
        let catalog = self.ingestion.warehouse.catalog().await?;
        Ok(matches!(catalog.object(oid), Some(Object::Pipe(pipe)) if !pipe.paused))
    }

    fn replaces_partitions(&self) -> bool {
        self.job.mode == LoadMode::ReplacePartition
    }

    /// Takes the files of the next batch from those that wait.
    async fn choose(&mut self, batch: i64) -> Result<Vec<Candidate>> {
        let limits = self.ingestion.limits;
        let (mut chosen, mut aside, mut twins) = (Vec::new(), Vec::new(), Vec::new());
        let (mut bytes, mut contents, mut failed) = (0, HashSet::new(), false);
        // The files of a partition that is replaced must not be in two batches, of which the second replaces the first.
        let whole = self.replaces_partitions();
        while (whole || chosen.len() < limits.batch_files.max(1) && bytes < limits.batch_bytes)
            && let Some(mut candidate) = self.pending.pop_front()
        {
            match self.examine(&mut candidate).await {
                Ok(Standing::Known) => {}
                Ok(Standing::Repeated { first }) => aside.extend(self.skip(batch, &candidate, &first)),
                Ok(Standing::New | Standing::Retry) => {
                    let content = candidate.identity.content_hash.clone();
                    if self.job.is_push() && !contents.insert(content) {
                        twins.push(candidate);
                        continue;
                    }
                    bytes += candidate.file.meta.size;
                    chosen.push(candidate);
                }
                Err(error) => {
                    failed = true;
                    aside.extend(self.fail(batch, &candidate, error));
                }
            }
        }
        if whole && failed {
            chosen.clear();
        }
        // They wait to see what becomes of the file with the same content.
        self.pending.extend(twins);
        self.ingestion.ledger.record(aside).await?;
        Ok(chosen)
    }

    async fn examine(&self, candidate: &mut Candidate) -> Result<Standing> {
        let (ledger, job) = (&self.ingestion.ledger, &self.job);
        let (name, meta) = (&candidate.file.name, &candidate.file.meta);
        let standing = ledger.standing(job.key, name, &candidate.identity, &job.definition);
        if standing == Standing::Known && !job.is_push() {
            return Ok(standing);
        }
        if !job.tags_tell_content && candidate.identity.content_hash.is_none() {
            let hash = content_hash(job.store.as_ref(), meta).await.map_err(if_gone)?;
            candidate.identity.content_hash = Some(hash);
        }
        candidate.again = standing == Standing::Retry;
        let first = match &candidate.identity.content_hash {
            Some(content) if job.is_push() => ledger.loaded_as(job.key, content),
            _ => ledger.has_version(job.key, name, &candidate.identity).then(|| name.clone()),
        };
        Ok(first.map_or(Standing::New, |first| Standing::Repeated { first }))
    }

    fn skip(&mut self, batch: i64, candidate: &Candidate, first: &str) -> Option<Event> {
        let name = &candidate.file.name;
        self.report.add(name, 0, &FileOutcome::Skipped);
        self.progress.file_finished(name, &FileOutcome::Skipped);
        let ledger = &self.ingestion.ledger;
        let standing = ledger.standing(self.job.key, name, &candidate.identity, &self.job.definition);
        let mut event = self.event(batch, candidate).ended();
        event.state = State::Skipped;
        event.error = Some(format!("the same content was loaded before from \"{first}\""));
        (standing != Standing::Known).then_some(event)
    }

    /// A failure that is no news is not recorded again.
    fn fail(&mut self, batch: i64, candidate: &Candidate, error: Error) -> Option<Event> {
        let event = self.failure(self.event(batch, candidate), &error);
        let name = &candidate.file.name;
        let outcome = FileOutcome::Failed(error);
        self.report.add(name, 0, &outcome);
        self.progress.file_finished(name, &outcome);
        // Where tries are counted, each counts.
        let counts = self.job.rules.max_tries.is_some() || !self.ingestion.ledger.is_old_news(&event);
        counts.then_some(event)
    }

    /// The event of a file that fails so: perhaps for the last time.
    fn failure(&self, event: Event, error: &Error) -> Event {
        let tries = 1 + self.ingestion.ledger.tries(self.job.key, &event.file, &event.identity);
        let mut event = event.failed(error);
        // What replaces a partition is complete or is not loaded.
        event.retry |= self.replaces_partitions();
        match self.job.rules.max_tries {
            Some(most) if tries >= most => event.dead(tries),
            _ => event,
        }
    }

    /// The file begins now.
    fn event(&self, batch: i64, candidate: &Candidate) -> Event {
        Event::started(&self.job, batch, &candidate.file.name, candidate.identity.clone())
    }

    async fn load_batch(&mut self, batch: i64, chosen: Vec<Candidate>) -> Result<()> {
        self.announce(batch, &chosen).await?;
        let base = self.writable().await?;
        let planner = Arc::clone(&self.ingestion.planner);
        let contract = self.contract(&base).await?;
        let at_once = if contract.has_keys() { 1 } else { FILES_AT_ONCE };
        let intake = Arc::new(Intake::new(&self.job, planner.as_ref(), &self.target, &base, contract)?);
        let loader = || FileLoader {
            planner: Arc::clone(&planner),
            job: Arc::clone(&self.job),
            intake: intake.of_file(),
            progress: Arc::clone(&self.progress),
        };
        let loads: Vec<BoxFuture<'_, _>> = chosen
            .iter()
            .enumerate()
            .map(|(place, candidate)| {
                let (loader, row_by_row) = (loader(), self.row_by_row.contains(&candidate.file.name));
                Box::pin(async move { loader.try_load(&candidate.file, place, row_by_row).await }) as _
            })
            .collect();
        let mut loads = stream::iter(loads).buffered(at_once);
        let mut attempt = Attempt::new(batch);
        let (mut done, mut alter) = (0, None);
        while let Some(tried) = loads.next().await {
            let candidate = chosen[done].clone();
            match self.accept(&intake, &mut attempt, candidate, tried).await? {
                Next::Go => done += 1,
                Next::Stop => {
                    done += 1;
                    break;
                }
                Next::Again => break,
                Next::Alter(changes) => {
                    alter = Some((chosen[done].file.name.clone(), changes));
                    break;
                }
            }
        }
        drop(loads);
        let rest = chosen.into_iter().skip(done).collect();
        self.close(&intake, attempt, rest).await?;
        match alter {
            Some((file, changes)) => self.alter_columns(batch, &file, changes).await,
            None => Ok(()),
        }
    }

    /// Widens the table for a file, which then waits for its turn; or fails the file.
    async fn alter_columns(&mut self, batch: i64, file: &str, changes: Vec<Alteration>) -> Result<()> {
        let Err(error) = self.alter(changes).await else { return Ok(()) };
        let place = self.pending.iter().position(|candidate| candidate.file.name == file);
        let Some(candidate) = place.and_then(|place| self.pending.remove(place)) else { return Err(error) };
        if self.replaces_partitions() {
            self.pending.clear();
        }
        let event = self.fail(batch, &candidate, error);
        self.ingestion.ledger.record(event.into_iter().collect()).await
    }

    /// Decides a batch, of which `rest` was left out.
    async fn close(&mut self, intake: &Intake, mut attempt: Attempt, rest: Vec<Candidate>) -> Result<()> {
        if !self.replaces_partitions() || rest.is_empty() && attempt.failed.is_empty() {
            self.wait_again(rest);
            return self.decide(intake, attempt).await;
        }
        std::mem::take(&mut attempt.rows).discard(&intake.place).await;
        let Some((culprit, ..)) = attempt.failed.first() else {
            // Nothing failed: all of them are loaded in another way.
            self.wait_again(rest);
            self.wait_again(attempt.loaded.into_iter().map(|(candidate, _)| candidate).collect());
            return Ok(());
        };
        let reason = format!("file \"{}\", which was to be loaded with it, failed", culprit.file.name);
        let error = Error::new(ErrorKind::PortalNotRunnable, reason).with_hint(
            "Partitions are replaced by all files that are there, or by none: mend or remove that file.",
        );
        let innocent = attempt.loaded.into_iter();
        let untried: Vec<Candidate> = rest.into_iter().chain(self.pending.drain(..)).collect();
        let innocent: Vec<_> = innocent
            .chain(untried.into_iter().map(|one| (one.clone(), self.event(attempt.batch, &one))))
            .collect();
        let mut events = self.failures(attempt.batch, attempt.failed);
        for (candidate, event) in innocent {
            let name = &candidate.file.name;
            self.report.add(name, 0, &FileOutcome::Failed(error.clone()));
            let mut event = event.failed(&error);
            event.retry = true;
            if !self.ingestion.ledger.is_old_news(&event) {
                events.push(event);
            }
        }
        self.record_refused(events, attempt.quality).await
    }

    fn wait_again(&mut self, candidates: Vec<Candidate>) {
        for candidate in candidates.into_iter().rev() {
            self.pending.push_front(candidate);
        }
    }

    /// Tells that files are being loaded. One that keeps failing is not told of each time.
    async fn announce(&mut self, batch: i64, chosen: &[Candidate]) -> Result<()> {
        let mut events = Vec::new();
        for candidate in chosen.iter().filter(|candidate| !candidate.again) {
            if self.announced.insert(candidate.file.name.clone()) {
                events.push(self.event(batch, candidate));
            }
        }
        self.ingestion.ledger.record(events).await
    }

    /// The contract of a batch, which knows the keys that are in the table.
    async fn contract(&self, base: &Arc<TableSnapshot>) -> Result<Contract> {
        let (table, planner) = (&self.job.table, self.ingestion.planner.as_ref());
        if let Some(key) = self.job.mode.key() {
            return keyed_contract(table, key, planner);
        }
        let contract = Contract::new(table, planner)?;
        // Keys of other partitions than those that are replaced are other keys.
        if contract.has_keys() && !self.replaces_partitions() {
            let scan = self.ingestion.warehouse.scan_snapshot(table, Arc::clone(base))?;
            contract.learn_keys(scan, &planner.session_state()).await?;
        }
        Ok(contract)
    }

    async fn accept(
        &mut self,
        intake: &Intake,
        attempt: &mut Attempt,
        candidate: Candidate,
        tried: Tried,
    ) -> Result<Next> {
        let event = self.event(attempt.batch, &candidate);
        let Tried { outcome, rules } = tried;
        attempt.quality.extend(quality::of_file(&self.job, &event, rules));
        match outcome {
            Ok(loaded) => {
                self.take(intake, attempt, candidate, event, loaded).await?;
                Ok(Next::Go)
            }
            Err(Setback::NeedsRowByRow) => {
                self.row_by_row.insert(candidate.file.name);
                Ok(Next::Again)
            }
            Err(Setback::NeedsColumns(changes)) => Ok(Next::Alter(changes)),
            Err(Setback::Failed { error, checked_rows, .. }) => {
                attempt.failed.push((candidate, event, error));
                let is_tainted = checked_rows && intake.contract.has_keys();
                Ok(if is_tainted { Next::Stop } else { Next::Go })
            }
        }
    }

    async fn take(
        &self,
        intake: &Intake,
        attempt: &mut Attempt,
        candidate: Candidate,
        event: Event,
        loaded: LoadedFile,
    ) -> Result<()> {
        let LoadedFile { spooled, rows, rejects, records, .. } = loaded;
        let rejected = rejects.len() as u64;
        if !rejects.is_empty() {
            let mut writer = match attempt.rejects.take() {
                Some(writer) => writer,
                None => self.ingestion.rejects.writer().await?,
            };
            let file = &candidate.file.name;
            let target = self.job.table.name.to_string();
            let origin = Origin { pipe: &self.job.name, target: &target, batch: attempt.batch, file };
            self.ingestion.rejects.write(&mut writer, &origin, &rejects).await?;
            attempt.rejects = Some(writer);
        }
        attempt.rows.extend(spooled);
        if attempt.rows.is_heavy() {
            let state = self.ingestion.planner.session_state();
            attempt.rows.pour(&intake.place, &state, &self.job.table.cluster_by).await?;
        }
        self.progress.file_finished(&candidate.file.name, &FileOutcome::Loaded { rows, rejected });
        let mut event = event.ended();
        event.state = State::Loaded;
        event.rows = i64::try_from(rows).ok();
        event.rejected = i64::try_from(rejected).ok();
        event.records = i64::try_from(records).ok();
        attempt.loaded.push((candidate, event));
        Ok(())
    }

    /// Commits the batch and reports it; or, when another process was quicker, lets the files wait again.
    async fn decide(&mut self, intake: &Intake, attempt: Attempt) -> Result<()> {
        let Attempt { batch, rows, rejects, loaded, failed, quality } = attempt;
        if loaded.is_empty() {
            let failures = self.failures(batch, failed);
            return self.record_refused(failures, quality).await;
        }
        let rejects = match rejects {
            Some(writer) => writer.finish().await?.adds,
            None => Vec::new(),
        };
        let mut files: Vec<Event> = loaded.iter().map(|(_, event)| event.clone()).collect();
        files.extend(failed.iter().map(|(_, event, error)| self.failure(event.clone(), error)));
        let pipe = self.job.name.clone();
        let attempt = uuid::Uuid::new_v4().to_string();
        let decision = Decision { pipe, batch, attempt, files, rejects, quality };
        let Some(version) = self.commit(&decision, intake, rows).await? else {
            self.wait_again(failed.into_iter().map(|(candidate, ..)| candidate).collect());
            self.wait_again(loaded.into_iter().map(|(candidate, _)| candidate).collect());
            return Ok(());
        };
        self.ingestion.repeat(self.job.key, decision, version).await?;
        self.report.batches += 1;
        let oldest = loaded.iter().map(|(candidate, _)| candidate.file.meta.last_modified).min();
        self.report.lag = oldest.map(|oldest| (Utc::now() - oldest).max(TimeDelta::zero()));
        for (candidate, event) in loaded {
            let count = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            let outcome = FileOutcome::Loaded { rows: count(event.rows), rejected: count(event.rejected) };
            self.report.add(&candidate.file.name, candidate.file.meta.size, &outcome);
        }
        self.failures(batch, failed);
        Ok(())
    }

    /// Records files of which nothing enters the table, and how the rules fared with them.
    async fn record_refused(&self, events: Vec<Event>, mut quality: Vec<Finding>) -> Result<()> {
        quality.retain(|finding| events.iter().any(|event| finding.is_of_file(&event.file)));
        self.ingestion.quality.add(&quality, None).await?;
        self.ingestion.ledger.record(events).await
    }

    /// Reports failures; gives those that are news.
    fn failures(&mut self, batch: i64, failed: Vec<(Candidate, Event, Error)>) -> Vec<Event> {
        let events = failed.into_iter().filter_map(|(candidate, event, error)| {
            let failure = self.fail(batch, &candidate, error)?;
            Some(Event { started_at: event.started_at, ..failure })
        });
        events.collect()
    }
}
