//! Statements that change the rows of one table. Each is one commit, or one step of a transaction.
//!
//! DELETE, UPDATE and MERGE copy on write: files with affected rows are written anew, the others stay. Outside of
//! a transaction, what was computed against a version that another writer has moved on from is computed again.

pub mod places;

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use deltalake_core::kernel::{Action, Add};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use futures::TryStreamExt;

use crate::catalog::{Author, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::planning::{Planner, ROW_COLUMN};
use crate::table::changes::{Changes, Depends, appending, several};
use crate::table::contract::Contract;
use crate::table::load::{Destination, OnViolation, write_plan};
use crate::table::snapshot::TableSnapshot;
use crate::table::write::Written;
use crate::table::{CommitInfo, DeltaTable, jitter};
use crate::transaction::Transaction;
use crate::warehouse::Warehouse;
use places::{Places, marked};

/// Tries of a statement whose files another writer keeps changing.
const ATTEMPTS: u32 = 8;

/// What a statement does to the rows of a table.
pub enum Work<'a> {
    /// Adds the rows of a plan whose columns bear the names of the table's. The plan runs once. If it has a
    /// [`ROW_COLUMN`], an error of a row tells the row's number.
    Insert(LogicalPlan),
    /// Puts the rows of such a plan in place of all rows.
    Overwrite(LogicalPlan),
    Truncate,
    Rewrite(Rewrite, &'a dyn RewritePlans),
    /// Changes, deletes and adds rows by those of a source.
    Merge(&'a dyn MergePlans),
}

impl Work<'_> {
    /// The statement's name in messages.
    pub fn verb(&self) -> &'static str {
        match self {
            Work::Insert(_) => "INSERT",
            Work::Overwrite(_) => "REFRESH MATERIALIZED VIEW",
            Work::Truncate => "TRUNCATE TABLE",
            Work::Rewrite(Rewrite::Delete, _) => "DELETE",
            Work::Rewrite(Rewrite::Update, _) => "UPDATE",
            Work::Merge(_) => "MERGE",
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

/// The plans of a rewrite, made anew for each try.
#[async_trait]
pub trait RewritePlans: Send + Sync {
    /// Over the table with the columns of each row's place: the places of the affected rows, file and number.
    async fn affected(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan>;

    /// Over the files that hold affected rows, with the column that marks those: their new content.
    async fn remaining(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan>;
}

/// The plans of a merge, made anew for each try.
#[async_trait]
pub trait MergePlans: Send + Sync {
    /// Over the table with the columns of each row's place: one row a match that changes something, with the
    /// place of the row and whether it is deleted.
    async fn affected(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan>;

    /// Over the files that hold affected rows: their new content.
    async fn remaining(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan>;

    /// Over the whole table: the rows to add. `None`: the merge adds none.
    async fn added(&self, scan: Arc<dyn TableProvider>) -> Result<Option<LogicalPlan>>;
}

/// Runs the statements of one session.
pub struct Dml<'a> {
    pub warehouse: &'a Warehouse,
    pub planner: &'a dyn Planner,
    pub state: &'a SessionState,
    pub author: &'a Author,
    /// Keeps the changes until it commits. `None`: each statement commits.
    pub transaction: Option<&'a Transaction>,
}

impl Dml<'_> {
    /// Returns the number of rows changed, deleted and added.
    pub async fn run(&self, table: &Table, work: &Work<'_>) -> Result<u64> {
        let Some(transaction) = self.transaction else { return self.run_alone(table, work).await };
        transaction.require_writable(table)?;
        let base = transaction.snapshot(table).await?;
        let changes = self.work_out(table, &base, work).await?;
        let rows = changes.rows;
        transaction.stage(table, changes, self.author).await?;
        Ok(rows)
    }

    async fn run_alone(&self, table: &Table, work: &Work<'_>) -> Result<u64> {
        if let Work::Insert(plan) = work {
            return self.insert_alone(table, plan).await;
        }
        let delta = self.warehouse.delta(table)?;
        let mut attempt = 0;
        loop {
            let base = delta.snapshot().await?;
            let changes = self.work_out(table, &base, work).await?;
            let rows = changes.rows;
            if changes.is_empty() {
                return Ok(rows);
            }
            match self.commit(&delta, &base, changes).await {
                Ok(()) => return Ok(rows),
                Err(error) => pause_or_give_up(&mut attempt, error).await?,
            }
        }
    }

    async fn insert_alone(&self, table: &Table, plan: &LogicalPlan) -> Result<u64> {
        let delta = self.warehouse.delta(table)?;
        let mut base = delta.snapshot().await?;
        let contract = self.contract(table, &base, |_| true).await?;
        let changes = self.insert(table, &base, &contract, plan).await?;
        let rows = changes.rows;
        let mut attempt = 0;
        while !changes.is_empty() {
            match self.commit(&delta, &base, changes.clone()).await {
                Ok(()) => break,
                Err(error) => pause_or_give_up(&mut attempt, error).await?,
            }
            // The rows are written, and may have come from a client that sends them once. What another writer may
            // have changed is whether their keys are new.
            base = delta.snapshot().await?;
            contract.learn_keys(self.warehouse.scan_snapshot(table, Arc::clone(&base))?, self.state).await?;
        }
        Ok(rows)
    }

    async fn commit(&self, delta: &DeltaTable, base: &TableSnapshot, changes: Changes) -> Result<()> {
        let info = commit_info(&self.author.role, &self.author.statement, changes.rows);
        let mut actions = base.remove_actions(&changes.removed);
        actions.extend(changes.added.into_iter().map(Action::Add));
        match changes.depends {
            Depends::OnNothing => delta.append(actions, info).await?,
            // It holds only against the version it was worked out from.
            Depends::OnFiles | Depends::OnTable => {
                delta.replace(base, actions, changes.operation, info).await?
            }
        };
        Ok(())
    }

    /// Writes new files and says what belongs to the table from now on. Nothing is committed.
    async fn work_out(&self, table: &Table, base: &Arc<TableSnapshot>, work: &Work<'_>) -> Result<Changes> {
        match work {
            Work::Insert(plan) => {
                let contract = self.contract(table, base, |_| true).await?;
                self.insert(table, base, &contract, plan).await
            }
            Work::Overwrite(plan) => self.overwrite(table, base, plan).await,
            Work::Truncate => Ok(Changes {
                removed: all_files(base)?,
                added: Vec::new(),
                rows: 0,
                depends: Depends::OnTable,
                operation: Rewrite::Delete.operation(),
            }),
            Work::Rewrite(kind, plans) => self.rewrite(table, base, *kind, *plans).await,
            Work::Merge(plans) => self.merge(table, base, *plans).await,
        }
    }

    async fn insert(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        contract: &Arc<Contract>,
        plan: &LogicalPlan,
    ) -> Result<Changes> {
        let (added, rows) = self.write(base, table, contract, plan.clone()).await?;
        let depends = if contract.has_keys() { Depends::OnTable } else { Depends::OnNothing };
        Ok(Changes { removed: HashSet::new(), added, rows, depends, operation: appending() })
    }

    async fn overwrite(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        plan: &LogicalPlan,
    ) -> Result<Changes> {
        let contract = self.contract(table, base, |_| false).await?;
        let (added, rows) = self.write(base, table, &contract, plan.clone()).await?;
        let operation =
            DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate: None };
        Ok(Changes { removed: all_files(base)?, added, rows, depends: Depends::OnTable, operation })
    }

    /// Rewrites the files that hold affected rows.
    async fn rewrite(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        kind: Rewrite,
        plans: &dyn RewritePlans,
    ) -> Result<Changes> {
        let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.with_places();
        let places = Arc::new(self.places(plans.affected(Arc::new(scan)).await?).await?);
        let removed = places.files();
        let is_delete = kind == Rewrite::Delete;
        // What a DELETE leaves has kept the rules before.
        let contract = self.contract(table, base, |file| !is_delete && !removed.contains(file)).await?;
        let mut rewritten = removed.clone();
        if is_delete {
            for file in base.files()?.iter() {
                if file.rows == Some(places.rows_in(file.path.as_ref())) {
                    rewritten.remove(file.path.as_ref());
                }
            }
        }
        let mut added = Vec::new();
        if !rewritten.is_empty() {
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.only_files(&rewritten);
            let plan = plans.remaining(marked(scan.with_places(), &places)?).await?;
            (added, _) = self.write(base, table, &contract, plan).await?;
        }
        let depends = if contract.has_keys() && !is_delete { Depends::OnTable } else { Depends::OnFiles };
        Ok(Changes { removed, added, rows: places.len(), depends, operation: kind.operation() })
    }

    /// Changes and adds rows by those of a source.
    async fn merge(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        plans: &dyn MergePlans,
    ) -> Result<Changes> {
        let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.with_places();
        let places = self.places(plans.affected(Arc::new(scan)).await?).await?;
        refuse_double_match(&places)?;
        let removed = places.files();
        let contract = self.contract(table, base, |file| !removed.contains(file)).await?;
        let (mut added, mut rows) = (Vec::new(), places.len());
        if !removed.is_empty() {
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?.only_files(&removed);
            let plan = plans.remaining(Arc::new(scan)).await?;
            let (files, written) = self.write(base, table, &contract, plan).await?;
            refuse_other_answer(base, &places, written)?;
            added = files;
        }
        let scan = self.warehouse.scan_snapshot(table, Arc::clone(base))?;
        let mut depends = Depends::OnFiles;
        if let Some(plan) = plans.added(Arc::new(scan)).await? {
            let (files, written) = self.write(base, table, &contract, plan).await?;
            rows += written;
            added.extend(files);
            // The new rows are those that no row of the table matches.
            depends = Depends::OnTable;
        }
        if contract.has_keys() {
            depends = Depends::OnTable;
        }
        Ok(Changes { removed, added, rows, depends, operation: several() })
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

    /// The table's contract, knowing the keys in the files that stay.
    async fn contract(
        &self,
        table: &Table,
        base: &Arc<TableSnapshot>,
        stays: impl Fn(&str) -> bool,
    ) -> Result<Arc<Contract>> {
        let contract = Contract::new(table, self.planner)?;
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
    ) -> Result<(Vec<Add>, u64)> {
        let delta = self.warehouse.delta(table)?;
        let destination = Destination { delta, base: Arc::clone(base), contract: Arc::clone(contract) };
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

/// What the log keeps of a statement.
pub(crate) fn commit_info(role: &str, statement: &str, rows: u64) -> CommitInfo {
    CommitInfo {
        application: None,
        metadata: [
            ("role".to_owned(), role.into()),
            ("statement".to_owned(), shortened(statement).into()),
            ("rows".to_owned(), rows.into()),
        ]
        .into(),
    }
}

fn refuse_double_match(places: &Places) -> Result<()> {
    if !places.twice {
        return Ok(());
    }
    Err(Error::new(ErrorKind::CardinalityViolation, "MERGE command cannot affect row a second time")
        .with_hint("Ensure that not more than one source row matches any one target row."))
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

/// A statement of a megabyte of VALUES does not belong into the log.
fn shortened(statement: &str) -> String {
    const KEPT: usize = 2_000;
    match statement.char_indices().nth(KEPT) {
        Some((end, _)) => format!("{} …", &statement[..end]),
        None => statement.to_owned(),
    }
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
