//! How a batch enters the table: the one commit that decides it, by the mode of its pipe.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::common::ScalarValue;
use deltalake_core::kernel::{Action, Add};
use deltalake_core::protocol::{DeltaOperation, SaveMode};

use super::columns::Alteration;
use super::decision::{self, Decision};
use super::gather::Intake;
use super::merge::Merge;
use super::run::Run;
use super::spool::Spooled;
use crate::catalog::{Author, LoadMode, Object, undefined_relation};
use crate::error::{Error, ErrorKind, Result};
use crate::table::changes::several;
use crate::table::snapshot::{TableSnapshot, partition_scalar};
use crate::table::{CommitInfo, CommitOutcome, jitter};

/// How often a batch is worked out again when others change the table all the time.
const ATTEMPTS: u32 = 12;

impl Run<'_> {
    /// The table version that decides the batch; `None` when another process has decided it.
    pub(super) async fn commit(
        &self,
        decision: &Decision,
        intake: &Intake,
        rows: Spooled,
    ) -> Result<Option<u64>> {
        self.check_target_exists().await?;
        let application = self.job.key.at(decision.batch);
        let info = CommitInfo { application: Some(application.clone()), metadata: decision.metadata()? };
        let outcome = match &self.job.mode {
            LoadMode::Append => self.append(intake, rows, info).await?,
            LoadMode::ReplacePartition => self.replace_partitions(intake, rows, info).await?,
            LoadMode::Upsert { .. } | LoadMode::ChangeFeed { .. } => self.merge(intake, rows, info).await?,
        };
        let newest = match outcome {
            CommitOutcome::Committed { version } => return Ok(Some(version)),
            CommitOutcome::AlreadyApplied { version } => version,
        };
        // It may be our own: the store took the commit, and its answer was lost.
        let only = decision.batch..=decision.batch;
        let decided = decision::find(&self.target, newest, &application.id, only).await?;
        let ours = decided.into_iter().find(|(decided, _)| decided.attempt == decision.attempt);
        Ok(ours.map(|(_, version)| version))
    }

    async fn append(&self, intake: &Intake, rows: Spooled, info: CommitInfo) -> Result<CommitOutcome> {
        let adds = self.written(intake, rows).await?;
        let adds = adds.into_iter().map(Action::Add).collect();
        self.target.append_to(&intake.place.base, adds, info).await
    }

    async fn written(&self, intake: &Intake, mut rows: Spooled) -> Result<Vec<Add>> {
        let state = self.ingestion.planner.session_state();
        rows.pour(&intake.place, &state, &self.job.table.cluster_by).await?;
        Ok(rows.into_adds())
    }

    /// Takes away every file of the partitions that the new rows belong to.
    async fn replace_partitions(
        &self,
        intake: &Intake,
        rows: Spooled,
        info: CommitInfo,
    ) -> Result<CommitOutcome> {
        let adds = self.written(intake, rows).await?;
        let mut attempt = 0;
        loop {
            let base = self.writable().await?;
            let mut actions = base.remove_actions(&self.files_beside(&base, &adds)?);
            actions.extend(adds.iter().cloned().map(Action::Add));
            let operation = DeltaOperation::Write {
                mode: SaveMode::Overwrite,
                partition_by: Some(self.job.table.partition_by.clone()),
                predicate: None,
            };
            match self.target.replace(&base, actions, operation, info.clone()).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => pause_or_give_up(&mut attempt, error).await?,
            }
        }
    }

    /// The files of a version in the partitions of some new ones, by path.
    fn files_beside(&self, base: &TableSnapshot, adds: &[Add]) -> Result<HashSet<String>> {
        let new: Vec<Vec<ScalarValue>> =
            adds.iter().map(|add| self.partition(&add.partition_values)).collect::<Result<_>>()?;
        let new: HashSet<Vec<ScalarValue>> = new.into_iter().collect();
        let mut beside = HashSet::new();
        for file in base.files()?.iter() {
            if new.contains(&self.partition(&file.partition_values)?) {
                beside.insert(file.path.to_string());
            }
        }
        Ok(beside)
    }

    /// Values rather than texts: programs write them in different ways.
    fn partition(&self, values: &HashMap<String, Option<String>>) -> Result<Vec<ScalarValue>> {
        let table = &self.job.table;
        let value = |name: &String| {
            let Some(column) = table.column(name) else {
                return Err(Error::internal(format!("partition column {name} is not in the catalog")));
            };
            let text = values.get(name).and_then(Option::as_deref);
            partition_scalar(text, &column.data_type.to_arrow())
        };
        table.partition_by.iter().map(value).collect()
    }

    /// Puts the rows in the place of those with the same key.
    async fn merge(&self, intake: &Intake, rows: Spooled, info: CommitInfo) -> Result<CommitOutcome> {
        let merge =
            Merge::new(&self.ingestion.warehouse, self.ingestion.planner.as_ref(), &self.job, &self.target);
        let winners = merge.winners(intake, &rows).await?;
        let mut attempt = 0;
        let outcome = loop {
            let base = self.writable().await?;
            let changes = merge.changes(&base, &winners).await?;
            let mut actions = base.remove_actions(&changes.removed);
            actions.extend(changes.added.into_iter().map(Action::Add));
            match self.target.replace(&base, actions, several(), info.clone()).await {
                Ok(outcome) => break outcome,
                Err(error) => pause_or_give_up(&mut attempt, error).await?,
            }
        };
        rows.discard(&intake.place).await;
        winners.discard().await;
        Ok(outcome)
    }

    /// The newest version of the table, to write rows for.
    pub(super) async fn writable(&self) -> Result<Arc<TableSnapshot>> {
        let newest = self.target.snapshot().await?;
        self.ingestion.warehouse.writable(&self.job.table, newest).await
    }

    /// Gives the table the columns that its files have.
    pub(super) async fn alter(&mut self, changes: Vec<Alteration>) -> Result<()> {
        let table = self.job.table.name.clone();
        let told: Vec<String> = changes.iter().map(Alteration::to_string).collect();
        let statement = format!("pipe {} {}", self.job.name, told.join(", "));
        let author = Author { role: self.job.role.clone(), statement };
        let warehouse = &self.ingestion.warehouse;
        let changes = changes.into_iter().map(|change| change.of_table(&table)).collect();
        warehouse.run_ddl(&author, changes).await?;
        let widened = warehouse.catalog().await?.table(&table)?.clone();
        self.job = Arc::new(self.job.as_ref().clone().with_table(widened));
        Ok(())
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

async fn pause_or_give_up(attempt: &mut u32, error: Error) -> Result<()> {
    *attempt += 1;
    if error.kind() != ErrorKind::SerializationFailure || *attempt >= ATTEMPTS {
        return Err(error);
    }
    tokio::time::sleep(jitter(*attempt)).await;
    Ok(())
}
