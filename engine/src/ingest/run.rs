//! One run: choose files that are new, load a batch of them, decide it with one commit, and again.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use chrono::{TimeDelta, Utc};

use super::decision::{self, Decision};
use super::file_load::{FileLoader, LoadedFile, Setback};
use super::files::{Identity, SourceFile, content_hash};
use super::job::Job;
use super::ledger::{Event, Standing, State};
use super::quality::Finding;
use super::rejects::Origin;
use super::{FileOutcome, Ingestion, Progress, RunReport};
use crate::catalog::{Object, undefined_relation};
use crate::error::{Error, ErrorKind, Result};
use crate::table::contract::Contract;
use crate::table::snapshot::TableSnapshot;
use crate::table::write::{TableWriter, Written};
use crate::table::{CommitInfo, CommitOutcome, DeltaTable};

/// Loads the files of a job; with `only`, no others than these.
pub(super) async fn run(
    ingestion: &Ingestion,
    job: &Job,
    only: Option<&HashSet<String>>,
    progress: Arc<dyn Progress>,
) -> Result<RunReport> {
    job.check_target()?;
    let _turn = ingestion.turn(job.key).await;
    let target = ingestion.warehouse.delta(&job.table)?;
    let mut run = Run {
        ingestion,
        job,
        target,
        progress,
        pending: VecDeque::new(),
        announced: HashSet::new(),
        row_by_row: HashSet::new(),
        report: RunReport::default(),
    };
    run.find_files(only).await?;
    while !run.pending.is_empty() {
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

struct Run<'a> {
    ingestion: &'a Ingestion,
    job: &'a Job,
    target: Arc<DeltaTable>,
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
    written: Written,
    rejects: Option<TableWriter>,
    loaded: Vec<(Candidate, Event)>,
    failed: Vec<(Candidate, Event, Error)>,
    quality: Vec<Finding>,
}

impl Attempt {
    fn new(batch: i64) -> Self {
        Self {
            batch,
            written: Written::default(),
            rejects: None,
            loaded: Vec::new(),
            failed: Vec::new(),
            quality: Vec::new(),
        }
    }
}

impl Run<'_> {
    async fn find_files(&mut self, only: Option<&HashSet<String>>) -> Result<()> {
        self.ingestion.catch_up(self.job.key, &self.target).await?;
        let mut files = self.job.files().await?;
        self.record_disappeared(&files).await?;
        if let Some(only) = only {
            files.retain(|file| only.contains(&file.name));
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
        let error = Error::new(ErrorKind::StorageIo, "the file disappeared before it was loaded");
        let begun = self.ingestion.ledger.begun(self.job.key).into_iter();
        let gone = begun.filter(|event| !there.contains(event.file.as_str()));
        self.ingestion.ledger.record(gone.map(|event| event.failed(&error)).collect()).await
    }

    /// Takes the files of the next batch from those that wait.
    async fn choose(&mut self, batch: i64) -> Result<Vec<Candidate>> {
        let limits = self.ingestion.limits;
        let (mut chosen, mut aside, mut twins) = (Vec::new(), Vec::new(), Vec::new());
        let (mut bytes, mut contents) = (0, HashSet::new());
        while chosen.len() < limits.batch_files.max(1)
            && bytes < limits.batch_bytes
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
                Err(error) => aside.extend(self.fail(batch, &candidate, error)),
            }
        }
        // They wait to see what becomes of the file with the same content.
        self.pending.extend(twins);
        self.ingestion.ledger.record(aside).await?;
        Ok(chosen)
    }

    async fn examine(&self, candidate: &mut Candidate) -> Result<Standing> {
        let (ledger, job) = (&self.ingestion.ledger, self.job);
        let (name, meta) = (&candidate.file.name, &candidate.file.meta);
        let standing = ledger.standing(job.key, name, &candidate.identity, &job.definition);
        if standing == Standing::Known && !job.is_push() {
            return Ok(standing);
        }
        if !job.tags_tell_content && candidate.identity.content_hash.is_none() {
            candidate.identity.content_hash = Some(content_hash(job.store.as_ref(), meta).await?);
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
        let event = self.event(batch, candidate).failed(&error);
        let name = &candidate.file.name;
        let outcome = FileOutcome::Failed(error);
        self.report.add(name, 0, &outcome);
        self.progress.file_finished(name, &outcome);
        (!self.ingestion.ledger.is_old_news(&event)).then_some(event)
    }

    /// The file begins now.
    fn event(&self, batch: i64, candidate: &Candidate) -> Event {
        let now = Utc::now();
        let (pipe_oid, target_oid) = self.job.key.oids();
        Event {
            pipe_oid,
            target_oid,
            pipe: self.job.name.clone(),
            target: self.job.table.name.to_string(),
            batch,
            file: candidate.file.name.clone(),
            identity: candidate.identity.clone(),
            definition: self.job.definition.clone(),
            state: State::Started,
            retry: false,
            rows: None,
            rejected: None,
            version: None,
            started_at: now,
            finished_at: None,
            sqlstate: None,
            error: None,
            recorded_at: now,
        }
    }

    async fn load_batch(&mut self, batch: i64, chosen: Vec<Candidate>) -> Result<()> {
        self.announce(batch, &chosen).await?;
        let base = self.target.snapshot().await?;
        let contract = Arc::new(self.contract(&base).await?);
        let mut attempt = Attempt::new(batch);
        let mut queue = VecDeque::from(chosen);
        while let Some(candidate) = queue.pop_front() {
            if !self.load_file(&base, &contract, &mut attempt, candidate).await? {
                break;
            }
        }
        while let Some(candidate) = queue.pop_back() {
            self.pending.push_front(candidate);
        }
        self.decide(attempt).await
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
        let table = &self.job.table;
        let contract = Contract::new(table, self.ingestion.planner.as_ref())?;
        if !contract.has_keys() {
            return Ok(contract);
        }
        let scan = self.ingestion.warehouse.scan_snapshot(table, Arc::clone(base))?;
        contract.learn_keys(scan, &self.ingestion.planner.session_state()).await?;
        Ok(contract)
    }

    /// Whether the batch goes on with the same contract.
    async fn load_file(
        &mut self,
        base: &Arc<TableSnapshot>,
        contract: &Arc<Contract>,
        attempt: &mut Attempt,
        candidate: Candidate,
    ) -> Result<bool> {
        let event = self.event(attempt.batch, &candidate);
        let file = &candidate.file;
        let loader = FileLoader {
            warehouse: &self.ingestion.warehouse,
            planner: self.ingestion.planner.as_ref(),
            job: self.job,
            target: &self.target,
            base,
            contract,
            progress: &self.progress,
        };
        let outcome = if self.row_by_row.contains(&file.name) {
            loader.load_row_by_row(file).await
        } else {
            self.progress.file_started(&file.name, file.meta.size);
            match loader.load(file).await {
                Err(Setback::NeedsRowByRow) if !contract.has_keys() => loader.load_row_by_row(file).await,
                outcome => outcome,
            }
        };
        let outcomes = contract.take_outcomes();
        if !matches!(outcome, Err(Setback::NeedsRowByRow)) {
            let expected = outcome.as_ref().map_or_else(Setback::outcomes, |loaded| &loaded.expected);
            let told = outcomes.into_iter().chain(expected.iter().cloned());
            attempt.quality.extend(told.filter(|outcome| outcome.is_told()).map(|outcome| {
                let table = &self.job.table.name;
                Finding::new(table, outcome).of_file(&self.job.name, &event.file, attempt.batch)
            }));
        }
        match outcome {
            Ok(loaded) => {
                self.take(attempt, candidate, event, loaded).await?;
                Ok(true)
            }
            Err(Setback::NeedsRowByRow) => {
                self.row_by_row.insert(file.name.clone());
                self.pending.push_front(candidate);
                Ok(false)
            }
            Err(Setback::Failed { error, checked_rows, .. }) => {
                attempt.failed.push((candidate, event, error));
                Ok(!(checked_rows && contract.has_keys()))
            }
        }
    }

    async fn take(
        &self,
        attempt: &mut Attempt,
        candidate: Candidate,
        event: Event,
        loaded: LoadedFile,
    ) -> Result<()> {
        let LoadedFile { written, rejects, .. } = loaded;
        let (rows, rejected) = (written.rows, rejects.len() as u64);
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
        attempt.written.extend(written);
        self.progress.file_finished(&candidate.file.name, &FileOutcome::Loaded { rows, rejected });
        let mut event = event.ended();
        event.state = State::Loaded;
        event.rows = i64::try_from(rows).ok();
        event.rejected = i64::try_from(rejected).ok();
        attempt.loaded.push((candidate, event));
        Ok(())
    }

    /// Commits the batch and reports it; or, when another process was quicker, lets the files wait again.
    async fn decide(&mut self, attempt: Attempt) -> Result<()> {
        let Attempt { batch, written, rejects, loaded, failed, quality } = attempt;
        if loaded.is_empty() {
            let failures = self.failures(batch, failed);
            let is_news = |finding: &Finding| failures.iter().any(|event| finding.is_of_file(&event.file));
            let findings: Vec<Finding> = quality.into_iter().filter(is_news).collect();
            self.ingestion.quality.add(&findings, None).await?;
            return self.ingestion.ledger.record(failures).await;
        }
        let rejects = match rejects {
            Some(writer) => writer.finish().await?.adds,
            None => Vec::new(),
        };
        let mut files: Vec<Event> = loaded.iter().map(|(_, event)| event.clone()).collect();
        files.extend(failed.iter().map(|(_, event, error)| event.clone().failed(error)));
        let pipe = self.job.name.clone();
        let attempt = uuid::Uuid::new_v4().to_string();
        let decision = Decision { pipe, batch, attempt, files, rejects, quality };
        let Some(version) = self.commit(&decision, written).await? else {
            for (candidate, _, _) in failed.into_iter().rev() {
                self.pending.push_front(candidate);
            }
            for (candidate, _) in loaded.into_iter().rev() {
                self.pending.push_front(candidate);
            }
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

    /// Reports failures; gives those that are news.
    fn failures(&mut self, batch: i64, failed: Vec<(Candidate, Event, Error)>) -> Vec<Event> {
        let events = failed.into_iter().filter_map(|(candidate, event, error)| {
            let failure = self.fail(batch, &candidate, error)?;
            Some(Event { started_at: event.started_at, ..failure })
        });
        events.collect()
    }

    /// The table version that decides the batch; `None` when another process has decided it.
    async fn commit(&self, decision: &Decision, written: Written) -> Result<Option<u64>> {
        self.check_target_exists().await?;
        let application = self.job.key.at(decision.batch);
        let info = CommitInfo { application: Some(application.clone()), metadata: decision.metadata()? };
        let newest = match self.target.append(written.adds, info).await? {
            CommitOutcome::Committed { version } => return Ok(Some(version)),
            CommitOutcome::AlreadyApplied { version } => version,
        };
        // It may be our own: the store took the commit, and its answer was lost.
        let only = decision.batch..=decision.batch;
        let decided = decision::find(&self.target, newest, &application.id, only).await?;
        let ours = decided.into_iter().find(|(decided, _)| decided.attempt == decision.attempt);
        Ok(ours.map(|(_, version)| version))
    }

    /// A table that was dropped meanwhile must not get a commit: another may lie there by now.
    async fn check_target_exists(&self) -> Result<()> {
        let catalog = self.ingestion.warehouse.catalog().await?;
        match catalog.object(self.job.table.oid) {
            Some(Object::Table(table)) if table.location == self.job.table.location => Ok(()),
            _ => Err(undefined_relation(&self.job.table.name)),
        }
    }
}
