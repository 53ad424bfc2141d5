//! Statements that change the rows of one table. Each is one commit, and returns the number of rows.
//!
//! DELETE and UPDATE copy on write: files with affected rows are written anew, the others stay. What was
//! computed against a version that another writer has moved on from is computed again.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use futures::TryStreamExt;

use crate::catalog::{Author, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::planning::{Planner, ROW_COLUMN};
use crate::table::contract::Contract;
use crate::table::load::{Destination, OnViolation, write_plan};
use crate::table::snapshot::TableSnapshot;
use crate::table::{CommitInfo, DeltaTable, jitter};
use crate::warehouse::Warehouse;

/// Tries of a statement whose files another writer keeps changing.
const ATTEMPTS: u32 = 8;

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
    /// Over the table with its file column: one row a file, its name and the number of affected rows in it.
    async fn affected(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan>;

    /// Over the files that hold affected rows: their new content.
    async fn remaining(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan>;
}

/// The plans of a merge, made anew for each try.
#[async_trait]
pub trait MergePlans: Send + Sync {
    /// Over the table with its file column: one row a file, its name, the number of matches that change a
    /// row of it, and how many of those delete.
    async fn affected(&self, scan: Arc<dyn TableProvider>) -> Result<LogicalPlan>;

    /// Over the files that hold affected rows: their new content. A row that matches twice comes out twice.
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
}

impl Dml<'_> {
    /// Adds the rows of a plan whose columns bear the names of the table's. The plan runs once. If it has a
    /// [`ROW_COLUMN`], an error of a row tells the row's number.
    pub async fn insert(&self, table: &Table, plan: LogicalPlan) -> Result<u64> {
        let delta = self.warehouse.delta(table)?;
        let mut base = delta.snapshot().await?;
        let contract = self.contract(table, &base, |_| true).await?;
        let loaded = self.write(&delta, &base, table, &contract, plan).await?;
        let rows = loaded.rows;
        if loaded.adds.is_empty() {
            return Ok(rows);
        }
        if !contract.has_keys() {
            delta.append(loaded.adds, self.commit_info(rows)).await?;
            return Ok(rows);
        }
        for attempt in 0.. {
            let operation =
                DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None };
            match delta.replace(&base, loaded.adds.clone(), operation, self.commit_info(rows)).await {
                Ok(_) => return Ok(rows),
                Err(error) => pause_or_give_up(attempt, error).await?,
            }
            // The rows are written, and may have come from a client that sends them once. What another writer
            // may have changed is whether their keys are new.
            base = delta.snapshot().await?;
            contract.learn_keys(self.warehouse.scan_snapshot(table, Arc::clone(&base))?, self.state).await?;
        }
        Ok(0)
    }

    /// Puts the rows of a plan in place of all rows of the table.
    pub async fn overwrite(&self, table: &Table, plan: LogicalPlan) -> Result<u64> {
        let delta = self.warehouse.delta(table)?;
        for attempt in 0.. {
            let base = delta.snapshot().await?;
            let contract = self.contract(table, &base, |_| false).await?;
            let loaded = self.write(&delta, &base, table, &contract, plan.clone()).await?;
            let mut actions = base.remove_actions(&all_files(&base)?);
            actions.extend(loaded.adds);
            let operation =
                DeltaOperation::Write { mode: SaveMode::Overwrite, partition_by: None, predicate: None };
            match delta.replace(&base, actions, operation, self.commit_info(loaded.rows)).await {
                Ok(_) => return Ok(loaded.rows),
                Err(error) => pause_or_give_up(attempt, error).await?,
            }
        }
        Ok(0)
    }

    pub async fn truncate(&self, table: &Table) -> Result<()> {
        let delta = self.warehouse.delta(table)?;
        for attempt in 0.. {
            let base = delta.snapshot().await?;
            let actions = base.remove_actions(&all_files(&base)?);
            if actions.is_empty() {
                return Ok(());
            }
            match delta.replace(&base, actions, Rewrite::Delete.operation(), self.commit_info(0)).await {
                Ok(_) => return Ok(()),
                Err(error) => pause_or_give_up(attempt, error).await?,
            }
        }
        Ok(())
    }

    /// Rewrites the files that hold affected rows. Returns the number of affected rows.
    pub async fn rewrite(&self, table: &Table, kind: Rewrite, plans: &dyn RewritePlans) -> Result<u64> {
        let delta = self.warehouse.delta(table)?;
        for attempt in 0.. {
            let base = delta.snapshot().await?;
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(&base))?.with_file_column();
            let plan = plans.affected(Arc::new(scan)).await?;
            refuse_volatile(&plan)?;
            let Affected { files, rows, .. } = self.affected(plan).await?;
            if files.is_empty() {
                return Ok(0);
            }
            let contract = self.contract(table, &base, |file| !files.contains(file)).await?;
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(&base))?.only_files(&files);
            let plan = plans.remaining(Arc::new(scan)).await?;
            let loaded = self.write(&delta, &base, table, &contract, plan).await?;
            let before = rows_of(&base, &files)?;
            let expected = if kind == Rewrite::Delete { before.saturating_sub(rows) } else { before };
            if loaded.rows != expected {
                // Another table that the condition reads has changed between the two plans.
                let moved = "the condition gave another answer while the rows were rewritten";
                pause_or_give_up(attempt, Error::new(ErrorKind::SerializationFailure, moved)).await?;
                continue;
            }
            let mut actions = base.remove_actions(&files);
            actions.extend(loaded.adds);
            match delta.replace(&base, actions, kind.operation(), self.commit_info(rows)).await {
                Ok(_) => return Ok(rows),
                Err(error) => pause_or_give_up(attempt, error).await?,
            }
        }
        Ok(0)
    }

    /// Changes and adds rows by those of a source, in one commit. Returns the number of rows changed, deleted
    /// and added.
    pub async fn merge(&self, table: &Table, plans: &dyn MergePlans) -> Result<u64> {
        let delta = self.warehouse.delta(table)?;
        for attempt in 0.. {
            let base = delta.snapshot().await?;
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(&base))?.with_file_column();
            let affected = self.affected(plans.affected(Arc::new(scan)).await?).await?;
            let contract = self.contract(table, &base, |file| !affected.files.contains(file)).await?;
            let mut actions = Vec::new();
            let mut rows = affected.rows;
            if !affected.files.is_empty() {
                let scan =
                    self.warehouse.scan_snapshot(table, Arc::clone(&base))?.only_files(&affected.files);
                let plan = plans.remaining(Arc::new(scan)).await?;
                let loaded = self.write(&delta, &base, table, &contract, plan).await?;
                refuse_double_match(&base, &affected, loaded.rows)?;
                actions = base.remove_actions(&affected.files);
                actions.extend(loaded.adds);
            }
            let scan = self.warehouse.scan_snapshot(table, Arc::clone(&base))?;
            if let Some(plan) = plans.added(Arc::new(scan)).await? {
                let loaded = self.write(&delta, &base, table, &contract, plan).await?;
                rows += loaded.rows;
                actions.extend(loaded.adds);
            }
            if actions.is_empty() {
                return Ok(rows);
            }
            let operation = DeltaOperation::Merge {
                predicate: None,
                merge_predicate: None,
                matched_predicates: Vec::new(),
                not_matched_predicates: Vec::new(),
                not_matched_by_source_predicates: Vec::new(),
            };
            match delta.replace(&base, actions, operation, self.commit_info(rows)).await {
                Ok(_) => return Ok(rows),
                Err(error) => pause_or_give_up(attempt, error).await?,
            }
        }
        Ok(0)
    }

    async fn affected(&self, plan: LogicalPlan) -> Result<Affected> {
        let physical = self.state.create_physical_plan(&plan).await?;
        let mut stream = execute_stream(physical, self.state.task_ctx())?;
        let mut affected = Affected::default();
        while let Some(batch) = stream.try_next().await? {
            let names = arrow::compute::cast(batch.column(0), &DataType::Utf8)?;
            affected.files.extend(names.as_string::<i32>().iter().flatten().map(str::to_owned));
            affected.rows += total(batch.column(1))?;
            if batch.num_columns() > 2 {
                affected.deleted += total(batch.column(2))?;
            }
        }
        Ok(affected)
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

    async fn write(
        &self,
        delta: &Arc<DeltaTable>,
        base: &Arc<TableSnapshot>,
        table: &Table,
        contract: &Arc<Contract>,
        plan: LogicalPlan,
    ) -> Result<crate::table::write::Written> {
        let destination =
            Destination { delta: Arc::clone(delta), base: Arc::clone(base), contract: Arc::clone(contract) };
        let loaded =
            write_plan(&destination, table, self.state, plan, Some(ROW_COLUMN), OnViolation::Fail).await?;
        Ok(loaded.written)
    }

    fn commit_info(&self, rows: u64) -> CommitInfo {
        CommitInfo {
            application: None,
            metadata: [
                ("role".to_owned(), self.author.role.clone().into()),
                ("statement".to_owned(), shortened(&self.author.statement).into()),
                ("rows".to_owned(), rows.into()),
            ]
            .into(),
        }
    }
}

/// What a statement changes.
#[derive(Default)]
struct Affected {
    files: HashSet<String>,
    rows: u64,
    deleted: u64,
}

fn total(counts: &ArrayRef) -> Result<u64> {
    let counts = arrow::compute::cast(counts, &DataType::Int64)?;
    Ok(counts.as_primitive::<Int64Type>().iter().flatten().sum::<i64>().unsigned_abs())
}

/// The rows in some files.
fn rows_of(base: &TableSnapshot, files: &HashSet<String>) -> Result<u64> {
    let all = base.files()?;
    let counted = all.iter().filter(|file| files.contains(file.path.as_ref())).map(|file| file.rows);
    counted.sum::<Option<u64>>().ok_or_else(|| {
        Error::not_supported("a data file of this table tells no row count")
            .with_hint("Rewrite the table: CREATE TABLE … AS SELECT …, and take the new one.")
    })
}

/// A condition is evaluated more than once, so it must give the same answer each time.
fn refuse_volatile(plan: &LogicalPlan) -> Result<()> {
    let mut volatile = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            volatile |= expression.is_volatile();
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    if volatile {
        return Err(Error::not_supported(
            "a volatile function in the condition of a change is not supported",
        )
        .with_hint("Store what the function gives in a table first."));
    }
    Ok(())
}

/// A row that two source rows match would have come out twice.
fn refuse_double_match(base: &TableSnapshot, affected: &Affected, written: u64) -> Result<()> {
    if written + affected.deleted == rows_of(base, &affected.files)? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::CardinalityViolation, "MERGE command cannot affect row a second time")
        .with_hint("Ensure that not more than one source row matches any one target row."))
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

async fn pause_or_give_up(attempt: u32, error: Error) -> Result<()> {
    if error.kind() != ErrorKind::SerializationFailure || attempt + 1 >= ATTEMPTS {
        return Err(error);
    }
    tokio::time::sleep(jitter(attempt)).await;
    Ok(())
}
