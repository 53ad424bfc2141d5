//! Statements that change the rows of one table. Each is one commit, or one step of a transaction.
//!
//! DELETE, UPDATE and MERGE copy on write: files with affected rows are written anew, the others stay. Outside of
//! a transaction, what was computed against a version that another writer has moved on from is computed again.

mod log_entry;
pub mod places;
mod replace;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use deltalake_core::kernel::{Action, Add};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::catalog::{Author, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::quality::note_statement;
use crate::planning::{Planner, ROW_COLUMN};
use crate::table::changes::{Changes, Depends, appending, disturbed, several};
use crate::table::contract::Contract;
use crate::table::expectations;
use crate::table::load::{ColumnMapping, Destination, OnViolation, TakenRows, write_plan};
use crate::table::snapshot::TableSnapshot;
use crate::table::tally::RuleOutcome;
use crate::table::write::Written;
use crate::table::{DeltaTable, jitter};
use crate::transaction::Transaction;
use crate::warehouse::Warehouse;
pub(crate) use log_entry::commit_info;
use places::{Places, marked};

/// Tries of a statement whose files another writer keeps changing.
const ATTEMPTS: u32 = 8;

/// What a statement does to the rows of a table.
pub enum Work<'a> {
    /// Adds the rows of a plan whose columns bear the names of the table's. The plan runs once. If it has a
    /// [`ROW_COLUMN`], an error of a row tells the row's number.
    Insert(LogicalPlan),
    /// The same for rows that a client sends as one load, which must meet the table's expectations.
    Load(LogicalPlan),
    /// Adds those of the rows of such a plan whose keys are new, as far as the keys are of these constraints.
    InsertNew {
        rows: LogicalPlan,
        keys: Vec<String>,
    },
    /// Puts the rows of such a plan in place of all rows.
    Overwrite(LogicalPlan),
    Truncate,
    Rewrite(Rewrite, &'a dyn RewritePlans),
    /// Changes, deletes and adds rows by those of a source, for the statement of this name.
    Merge(&'static str, &'a dyn MergePlans),
}

impl Work<'_> {
    /// The statement's name in messages.
    pub fn verb(&self) -> &'static str {
        match self {
            Work::Insert(_) | Work::InsertNew { .. } => "INSERT",
            Work::Load(_) => "COPY FROM",
            Work::Overwrite(_) => "REFRESH MATERIALIZED VIEW",
            Work::Truncate => "TRUNCATE TABLE",
            Work::Rewrite(Rewrite::Delete, _) => "DELETE",
            Work::Rewrite(Rewrite::Update, _) => "UPDATE",
            Work::Merge(verb, _) => verb,
        }
    }
}

/// Which statement rewrites files; it decides the operation in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewrite {
    Delete,
    Update,
}

impl Rewrite {
    fn operation(self) -> DeltaOperation {
        match self {
            Rewrite::Delete => DeltaOperation::Delete { predicate: None },
            Rewrite::Update => DeltaOperation::Update { predicate: None },
        }
    }
}

/// Which rows of the affected files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    All,
    /// Those that the statement changes, with their new values. For a DELETE: those that go away.
    Affected,
    Others,
}

/// What RETURNING makes of the rows that a statement adds, changes or deletes.
pub trait Returning: Send + Sync {
    /// Asked before the commit, so that an error undoes the statement; asked again if the statement is tried again.
    fn answer<'a>(&'a self, rows: Vec<RecordBatch>) -> BoxFuture<'a, Result<()>>;
}

/// The plans of a rewrite, made anew for each try.
pub trait RewritePlans: Send + Sync {
    /// Over the table with the columns of each row's place: the places of the affected rows, file and number.
    fn affected<'a>(&'a self, scan: Arc<dyn TableProvider>) -> BoxFuture<'a, Result<LogicalPlan>>;

    /// Over the files that hold affected rows, with the column that marks those: their new content.
    fn remaining<'a>(
        &'a self,
        scan: Arc<dyn TableProvider>,
        part: Part,
    ) -> BoxFuture<'a, Result<LogicalPlan>>;
}

/// The plans of a merge, made anew for each try.
pub trait MergePlans: Send + Sync {
    /// Over the table with the columns of each row's place: one row a match that changes something, with the
    /// place of the row and whether it is deleted.
    fn affected<'a>(&'a self, scan: Arc<dyn TableProvider>) -> BoxFuture<'a, Result<LogicalPlan>>;

    /// Over the files that hold affected rows: their new content.
    fn remaining<'a>(
        &'a self,
        scan: Arc<dyn TableProvider>,
        part: Part,
    ) -> BoxFuture<'a, Result<LogicalPlan>>;

    /// Over the whole table: the rows to add. `None`: the merge adds none.
    fn added<'a>(&'a self, scan: Arc<dyn TableProvider>) -> BoxFuture<'a, Result<Option<LogicalPlan>>>;

    /// The error when two rows of the source match one row of the table.
    fn double_match(&self) -> Error;
}

/// Runs the statements of one session.
pub struct Dml<'a> {
    pub warehouse: &'a Warehouse,
    pub planner: &'a dyn Planner,
    pub state: &'a SessionState,
    pub author: &'a Author,
    /// Keeps the changes until it commits. `None`: each statement commits.
    pub transaction: Option<&'a Transaction>,
    pub returning: Option<&'a dyn Returning>,
    /// Told to the client: rules that warn of rows which the statement has added.
    pub warned: Mutex<Vec<RuleOutcome>>,
}

impl Dml<'_> {
    /// Returns the number of rows changed, deleted and added.
    pub async fn run(&self, table: &Table, work: &Work<'_>) -> Result<u64> {
        let Some(transaction) = self.transaction else { return self.run_alone(table, work).await };
        transaction.require_writable(table)?;
        let base = transaction.snapshot(table).await?;
        if !transaction.creates(table) {
            self.require_writable(table, &base).await?;
        }
        let changes = self.work_out(table, &base, work).await?;
        let rows = changes.rows;
        transaction.stage(table, changes, self.author).await?;
        Ok(rows)
    }

    /// Refuses a version whose log has not the columns of the catalog; the next one has them.
    async fn require_writable(&self, table: &Table, base: &Arc<TableSnapshot>) -> Result<()> {
        match self.warehouse.writable(table, Arc::clone(base)).await?.version() == base.version() {
            true => Ok(()),
            false => Err(disturbed("The table was altered meanwhile.")),
        }
    }

    async fn run_alone(&self, table: &Table, work: &Work<'_>) -> Result<u64> {
        if let Work::Insert(plan) | Work::Load(plan) = work {
            return self.insert_alone(table, plan, matches!(work, Work::Load(_))).await;
        }
        let delta = self.warehouse.delta(table)?;
        let mut attempt = 0;
        loop {
            let base = self.warehouse.writable(table, delta.snapshot().await?).await?;
            let changes = self.work_out(table, &base, work).await?;
            let rows = changes.rows;
            if changes.is_empty() {
                return Ok(rows);
            }
            match self.commit(table, &delta, &base, changes).await {
                Ok(()) => return Ok(rows),
                Err(error) => pause_or_give_up(&mut attempt, error).await?,
            }
        }
    }

    async fn insert_alone(&self, table: &Table, plan: &LogicalPlan, is_load: bool) -> Result<u64> {
        let delta = self.warehouse.delta(table)?;
        let mut base = self.warehouse.writable(table, delta.snapshot().await?).await?;
        let contract = self.contract(table, &base, |_| true).await?;
        let taken = self.taken();
        let mut changes = self.insert(table, &base, &contract, plan, taken.as_ref()).await?;
        if is_load {
            self.examine(table, &base, &mut changes).await?;
        }
        self.answer(taken).await?;
        let rows = changes.rows;
        let mut attempt = 0;
        while !changes.is_empty() {
            match self.commit(table, &delta, &base, changes.clone()).await {
                Ok(()) => break,
                Err(error) => pause_or_give_up(&mut attempt, error).await?,
            }
            // The rows are written, and may have come from a client that sends them once. What another writer may
            // have changed is whether their keys are new.
            base = self.warehouse.writable(table, delta.snapshot().await?).await?;
            contract.learn_keys(self.warehouse.scan_snapshot(table, Arc::clone(&base))?, self.state).await?;
        }
        Ok(rows)
    }

    async fn commit(
        &self,
        table: &Table,
        delta: &DeltaTable,
        base: &TableSnapshot,
        changes: Changes,
    ) -> Result<()> {
        let info = commit_info(&self.author.role, &self.author.statement, changes.rows, &changes.warned)?;
        let mut actions = base.remove_actions(&changes.removed);
        actions.extend(changes.added.into_iter().map(Action::Add));
        let committed = match changes.depends {
            Depends::OnNothing => delta.append_to(base, actions, info).await?,
            // It holds only against the version it was worked out from.
            Depends::OnFiles | Depends::OnTable => {
                delta.replace(base, actions, changes.operation, info).await?
            }
        };
        let version = committed.version();
        note_statement(self.warehouse, &table.name, &changes.warned, version).await;
        Ok(())
    }

    /// Writes new files and says what belongs to the table from now on. Nothing is committed.
    async fn work_out(&self, table: &Table, base: &Arc<TableSnapshot>, work: &Work<'_>) -> Result<Changes> {
        let taken = self.taken();
        let to_return = taken.as_ref();
        let changes = match work {
            Work::Insert(plan) => {
                let contract = self.contract(table, base, |_| true).await?;
                self.insert(table, base, &contract, plan, to_return).await
            }
            Work::Load(plan) => {
                let contract = self.contract(table, base, |_| true).await?;
                let mut changes = self.insert(table, base, &contract, plan, to_return).await?;
                self.examine(table, base, &mut changes).await?;
                Ok(changes)
            }
            Work::InsertNew { rows, keys } => {
                let contract = Contract::new(table, self.planner)?.skipping(keys);
                let contract = self.knowing_keys(contract, table, base, |_| true).await?;
                self.insert(table, base, &contract, rows, to_return).await
            }
            Work::Overwrite(plan) => self.overwrite(table, base, plan).await,
            Work::Truncate => Ok(Changes {
                removed: all_files(base)?,
                added: Vec::new(),
                rows: 0,
                depends: Depends::OnTable,
                operation: Rewrite::Delete.operation(),
                warned: Vec::new(),
            }),
            Work::Rewrite(kind, plans) => self.rewrite(table, base, *kind, *plans, to_return).await,
            Work::Merge(_, plans) => self.merge(table, base, *plans, to_return).await,
        }?;
        self.answer(taken).await?;
        Ok(changes)
    }

    /// Where the rows for RETURNING gather, if it is there.
    fn taken(&self) -> Option<Arc<TakenRows>> {
        self.returning.map(|_| Arc::new(TakenRows::new(self.state)))
    }

    async fn answer(&self, taken: Option<Arc<TakenRows>>) -> Result<()> {
        match (self.returning, taken) {
            (Some(returning), Some(taken)) => returning.answer(taken.batches()).await,
            _ => Ok(()),
        }
    }

    async fn insert(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        contract: &Arc<Contract>,
        plan: &LogicalPlan,
        taken: Option<&Arc<TakenRows>>,
    ) -> Result<Changes> {
        let (added, rows) = self.write(base, table, contract, plan.clone(), taken).await?;
        let depends = if contract.has_keys() { Depends::OnTable } else { Depends::OnNothing };
        let warned: Vec<RuleOutcome> =
            contract.take_outcomes().into_iter().filter(RuleOutcome::has_warned).collect();
        self.warned.lock().extend(warned.iter().cloned());
        Ok(Changes { removed: HashSet::new(), added, rows, depends, operation: appending(), warned })
    }

    /// Asks what the table expects of a load about the files that a statement adds.
    async fn examine(&self, table: &Table, base: &TableSnapshot, changes: &mut Changes) -> Result<()> {
        let storage = self.warehouse.storage();
        let outcomes = expectations::examine(self.planner, storage, table, base, &changes.added).await?;
        if let Some(error) = expectations::refusal(table, &outcomes) {
            return Err(error);
        }
        let warned = outcomes.into_iter().filter(RuleOutcome::has_warned);
        let warned: Vec<RuleOutcome> = warned.collect();
        self.warned.lock().extend(warned.iter().cloned());
        changes.warned.extend(warned);
        Ok(())
    }

    async fn overwrite(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        plan: &LogicalPlan,
    ) -> Result<Changes> {
        let contract = self.contract(table, base, |_| false).await?;
        let (added, rows) = self.write(base, table, &contract, plan.clone(), None).await?;
        let operation =
            DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate: None };
        let (depends, warned) = (Depends::OnTable, Vec::new());
        Ok(Changes { removed: all_files(base)?, added, rows, depends, operation, warned })
    }

    /// Rewrites the files that hold affected rows.
    async fn rewrite(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        kind: Rewrite,
        plans: &dyn RewritePlans,
        taken: Option<&Arc<TakenRows>>,
    ) -> Result<Changes> {
        let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.with_places();
        let places = Arc::new(self.places(plans.affected(Arc::new(scan)).await?).await?);
        let removed = places.files();
        let is_delete = kind == Rewrite::Delete;
        // What a DELETE leaves has kept the rules before.
        let contract = self.contract(table, base, |file| !is_delete && !removed.contains(file)).await?;
        if let Some(taken) = taken.filter(|_| is_delete) {
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.only_files(&removed);
            let plan = plans.remaining(marked(scan.with_places(), &places)?, Part::Affected).await?;
            self.take(plan, taken).await?;
        }
        let mut rewritten = removed.clone();
        if is_delete {
            for file in base.files()?.iter() {
                if file.rows == Some(places.rows_in(file.path.as_ref())) {
                    rewritten.remove(file.path.as_ref());
                }
            }
        }
        let mut added = Vec::new();
        let parts = parts_to_write(rewritten.is_empty(), taken.is_some() && !is_delete);
        for part in parts {
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.only_files(&rewritten);
            let plan = plans.remaining(marked(scan.with_places(), &places)?, *part).await?;
            let taken = taken.filter(|_| *part == Part::Affected);
            added.extend(self.write(base, table, &contract, plan, taken).await?.0);
        }
        let depends = if contract.has_keys() && !is_delete { Depends::OnTable } else { Depends::OnFiles };
        let (rows, operation, warned) = (places.len(), kind.operation(), Vec::new());
        Ok(Changes { removed, added, rows, depends, operation, warned })
    }

    /// Changes and adds rows by those of a source.
    async fn merge(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        plans: &dyn MergePlans,
        taken: Option<&Arc<TakenRows>>,
    ) -> Result<Changes> {
        let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.with_places();
        let places = self.places(plans.affected(Arc::new(scan)).await?).await?;
        if places.twice {
            return Err(plans.double_match());
        }
        let removed = places.files();
        let contract = self.contract(table, base, |file| !removed.contains(file)).await?;
        let (mut added, mut rows, mut rewritten) = (Vec::new(), places.len(), 0);
        let parts = parts_to_write(removed.is_empty(), taken.is_some());
        for part in parts {
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.only_files(&removed);
            let plan = plans.remaining(Arc::new(scan), *part).await?;
            let taken = taken.filter(|_| *part == Part::Affected);
            let (files, written) = self.write(base, table, &contract, plan, taken).await?;
            added.extend(files);
            rewritten += written;
        }
        if !parts.is_empty() {
            refuse_other_answer(base, &places, rewritten)?;
        }
        let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?;
        let mut depends = Depends::OnFiles;
        if let Some(plan) = plans.added(Arc::new(scan)).await? {
            let (files, written) = self.write(base, table, &contract, plan, taken).await?;
            rows += written;
            added.extend(files);
            // The new rows are those that no row of the table matches.
            depends = Depends::OnTable;
        }
        if contract.has_keys() {
            depends = Depends::OnTable;
        }
        Ok(Changes { removed, added, rows, depends, operation: several(), warned: Vec::new() })
    }

    async fn places(&self, plan: LogicalPlan) -> Result<Places> {
        let physical = self.state.create_physical_plan(&plan).await?;
        let mut stream = execute_stream(physical, self.state.task_ctx())?;
        let mut places = Places::default();
        while let Some(batch) = stream.try_next().await? {
            places.extend(&batch)?;
        }
        Ok(places)
    }

    /// The rows of a plan as they would enter the table if their keys were new.
    pub async fn proposed(&self, table: &Table, plan: &LogicalPlan) -> Result<TakenRows> {
        let contract = Contract::new(table, self.planner)?.without_keys();
        let mapping = ColumnMapping::by_name(table, plan.schema().inner(), Some(ROW_COLUMN))?;
        let physical = self.state.create_physical_plan(plan).await?;
        let mut rows = execute_stream(physical, self.state.task_ctx())?;
        let taken = TakenRows::new(self.state);
        while let Some(batch) = rows.try_next().await? {
            let checked = contract.check(&mapping.columns(&batch, &contract), batch.num_rows()).await?;
            if let Some(violation) = checked.violations.into_iter().next() {
                return Err(violation.error);
            }
            taken.add(checked.good)?;
        }
        Ok(taken)
    }

    /// Keeps the rows of a plan.
    async fn take(&self, plan: LogicalPlan, taken: &TakenRows) -> Result<()> {
        let physical = self.state.create_physical_plan(&plan).await?;
        let mut stream = execute_stream(physical, self.state.task_ctx())?;
        while let Some(batch) = stream.try_next().await? {
            taken.add(batch)?;
        }
        Ok(())
    }

    /// The table's contract, knowing the keys in the files that stay.
    async fn contract(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        stays: impl Fn(&str) -> bool,
    ) -> Result<Arc<Contract>> {
        self.knowing_keys(Contract::new(table, self.planner)?, table, base, stays).await
    }

    async fn knowing_keys(
        &self,
        contract: Contract,
        table: &Table,
        base: &Arc<TableSnapshot>,
        stays: impl Fn(&str) -> bool,
    ) -> Result<Arc<Contract>> {
        if contract.has_keys() {
            let files: HashSet<String> = all_files(base)?.into_iter().filter(|file| stays(file)).collect();
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.only_files(&files);
            contract.learn_keys(scan, self.state).await?;
        }
        Ok(Arc::new(contract))
    }

    /// Files with the rows of a plan, and how many rows.
    async fn write(
        &self,
        base: &Arc<TableSnapshot>,
        table: &Table,
        contract: &Arc<Contract>,
        plan: LogicalPlan,
        taken: Option<&Arc<TakenRows>>,
    ) -> Result<(Vec<Add>, u64)> {
        let (base, contract, taken) = (Arc::clone(base), Arc::clone(contract), taken.cloned());
        let destination = Destination { delta: self.warehouse.delta(table)?, base, contract, taken };
        let loaded =
            write_plan(&destination, table, self.state, plan, Some(ROW_COLUMN), OnViolation::Fail).await?;
        let Written { adds, rows } = loaded.written;
        let files = adds.into_iter().filter_map(|action| match action {
            Action::Add(add) => Some(add),
            _ => None,
        });
        Ok((files.collect(), rows))
    }
}

/// In which parts the files with affected rows are written anew: the affected rows alone if they are to be returned.
fn parts_to_write(nothing_to_do: bool, returned: bool) -> &'static [Part] {
    match (nothing_to_do, returned) {
        (true, _) => &[],
        (false, true) => &[Part::Affected, Part::Others],
        (false, false) => &[Part::All],
    }
}

/// The source of a merge is read more than once; what it says must stay the same.
fn refuse_other_answer(base: &TableSnapshot, places: &Places, written: u64) -> Result<()> {
    let files = base.files()?;
    let before = files.iter().filter(|file| places.rows_in(file.path.as_ref()) > 0).map(|file| file.rows);
    let Some(before) = before.sum::<Option<u64>>() else { return Ok(()) };
    if written + places.deleted == before {
        return Ok(());
    }
    let other = "the source of MERGE gave other rows when it was read again";
    Err(Error::new(ErrorKind::SerializationFailure, other)
        .with_hint("Run the statement again; if it calls volatile functions, store what they give first."))
}

fn all_files(base: &TableSnapshot) -> Result<HashSet<String>> {
    Ok(base.files()?.iter().map(|file| file.path.to_string()).collect())
}

async fn pause_or_give_up(attempt: &mut u32, error: Error) -> Result<()> {
    *attempt += 1;
    if error.kind() != ErrorKind::SerializationFailure || *attempt >= ATTEMPTS {
        return Err(error);
    }
    tokio::time::sleep(jitter(*attempt)).await;
    Ok(())
}
