//! Transaction blocks: what BEGIN opens, and the implicit transaction of statements that arrive together.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::logical_expr::LogicalPlan;
use tokio::sync::OnceCell;
use voxhouse_engine::catalog::ddl::{Ddl, Effect};
use voxhouse_engine::catalog::{Author, CatalogSnapshot, QualifiedName, Table};
use voxhouse_engine::dml::{self, Dml, Work};
use voxhouse_engine::table::load::TakenRows;
use voxhouse_engine::table::tally::RuleOutcome;
use voxhouse_engine::transaction::{Savepoint, Snapshots, TemporaryFolder, Transaction};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::Session;
use super::settings::Saved;
use crate::query::QueryContext;
use crate::statement::ddl::tag_of;
use crate::statement::dml::returning::Returning;
use crate::wire::backend::TransactionStatus;

/// The open transaction of a session.
pub(crate) struct Block {
    /// From the first statement on that reads or writes: its moment counts, not that of BEGIN.
    transaction: OnceCell<Arc<Transaction>>,
    /// Ends with the query string, or at Sync.
    is_implicit: bool,
    savepoints: Vec<Point>,
}

/// A savepoint.
struct Point {
    name: String,
    staged: Savepoint,
    settings: Saved,
    cursors: HashSet<String>,
}

/// The transaction that a statement works in.
pub(crate) enum Scope {
    /// That of the block.
    Block(Arc<Transaction>),
    /// One of its own.
    Statement(Arc<Transaction>),
}

impl Scope {
    pub(crate) fn transaction(&self) -> &Arc<Transaction> {
        match self {
            Scope::Block(transaction) | Scope::Statement(transaction) => transaction,
        }
    }
}

/// Set for as long as it lives: a commit is under way, and nothing may stop it half-way.
struct Committing<'a>(&'a AtomicBool);

impl<'a> Committing<'a> {
    fn new(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::SeqCst);
        Self(flag)
    }
}

impl Drop for Committing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Session {
    pub(crate) fn in_block(&self) -> bool {
        self.block.is_some()
    }

    pub(crate) fn in_implicit_block(&self) -> bool {
        self.block.as_ref().is_some_and(|block| block.is_implicit)
    }

    /// Whether a statement of the block has read or written.
    pub(crate) fn has_begun(&self) -> bool {
        self.block.as_ref().is_some_and(|block| block.transaction.initialized())
    }

    pub(crate) fn begin_block(&mut self, is_implicit: bool) {
        self.block = Some(Block { transaction: OnceCell::new(), is_implicit, savepoints: Vec::new() });
        self.transaction = TransactionStatus::InTransaction;
        self.before_block = Some(self.settings.begin());
    }

    /// BEGIN after statements of the same query string: what they did belongs to the block.
    pub(crate) fn adopt_implicit_block(&mut self) {
        if let Some(block) = &mut self.block {
            block.is_implicit = false;
        }
    }

    /// The transaction of the block, begun at its first use.
    pub(super) async fn block_transaction(&self) -> Result<Option<Arc<Transaction>>> {
        let Some(block) = &self.block else { return Ok(None) };
        let begin = || async {
            let temporary = Arc::clone(&self.temporary);
            Ok::<_, Error>(Arc::new(Transaction::begin(&self.instance.warehouse, temporary).await?))
        };
        Ok(Some(Arc::clone(block.transaction.get_or_try_init(begin).await?)))
    }

    /// The catalog and the table versions that a statement which starts now sees.
    pub(super) async fn sight(&self) -> Result<(Arc<CatalogSnapshot>, Snapshots)> {
        let warehouse = &self.instance.warehouse;
        if let Some(transaction) = self.block_transaction().await? {
            return Ok((transaction.catalog(), Snapshots::of_transaction(warehouse, transaction)));
        }
        let catalog = self.temporary.over(&warehouse.catalog().await?);
        Ok((catalog, Snapshots::newest(warehouse, Arc::clone(&self.temporary))))
    }

    /// Commits; after an error everything is undone.
    pub(crate) async fn commit_block(&mut self) -> Result<()> {
        let Some(block) = self.block.take() else { return Ok(()) };
        let committed = match block.transaction.get() {
            Some(transaction) => {
                let flag = Arc::clone(&self.committing);
                let _committing = Committing::new(&flag);
                transaction.commit().await.map(Some)
            }
            None => Ok(None),
        };
        self.end_block(committed.is_err());
        if let Some(temporary) = committed? {
            self.temporary = temporary;
        }
        Ok(())
    }

    pub(crate) async fn roll_back_block(&mut self) {
        let Some(block) = self.block.take() else { return };
        self.end_block(true);
        if let Some(transaction) = block.transaction.get() {
            transaction.roll_back().await;
        }
    }

    fn end_block(&mut self, rolled_back: bool) {
        self.transaction = TransactionStatus::Idle;
        self.cursors.end_transaction(!rolled_back);
        if let Some(before) = self.before_block.take() {
            if rolled_back {
                self.settings.restore(&before);
            }
            self.settings.end_transaction();
        }
    }

    /// The transaction for a statement that needs one, which [`Self::finish`] ends if it is the statement's own.
    pub(crate) async fn scope(&self) -> Result<Scope> {
        if let Some(transaction) = self.block_transaction().await? {
            return Ok(Scope::Block(transaction));
        }
        let temporary = Arc::clone(&self.temporary);
        let transaction = Transaction::begin(&self.instance.warehouse, temporary).await?;
        Ok(Scope::Statement(Arc::new(transaction)))
    }

    pub(crate) async fn finish(&mut self, scope: Scope) -> Result<()> {
        if let Scope::Statement(transaction) = scope {
            let flag = Arc::clone(&self.committing);
            let _committing = Committing::new(&flag);
            self.temporary = transaction.commit().await?;
        }
        Ok(())
    }

    /// Changes the rows of a table: in the open transaction, or as a commit of its own. Every statement that
    /// changes rows comes here.
    pub(crate) async fn change_rows(
        &mut self,
        context: &QueryContext,
        author: &Author,
        table: &Table,
        work: &Work<'_>,
    ) -> Result<u64> {
        self.change_rows_returning(context, author, table, work, None).await
    }

    pub(crate) async fn change_rows_returning(
        &mut self,
        context: &QueryContext,
        author: &Author,
        table: &Table,
        work: &Work<'_>,
        returning: Option<&Returning<'_>>,
    ) -> Result<u64> {
        self.require_changeable(work.verb(), table.name.is_temporary())?;
        let scope = match self.in_block() || table.name.is_temporary() {
            true => Some(self.scope().await?),
            false => None,
        };
        let transaction = scope.as_ref().map(|scope| scope.transaction().as_ref());
        let rows = self.change_rows_in(transaction, context, author, table, work, returning).await?;
        if let Some(scope) = scope {
            self.finish(scope).await?;
        }
        Ok(rows)
    }

    /// The same in a transaction that is at hand.
    pub(crate) async fn change_rows_in(
        &mut self,
        transaction: Option<&Transaction>,
        context: &QueryContext,
        author: &Author,
        table: &Table,
        work: &Work<'_>,
        returning: Option<&Returning<'_>>,
    ) -> Result<u64> {
        let state = context.state();
        let planner = self.instance.planner();
        let instance = Arc::clone(&self.instance);
        let (warehouse, planner) = (&instance.warehouse, planner.as_ref());
        let returning = returning.map(|returning| returning as &dyn dml::Returning);
        let warned = Default::default();
        let dml = Dml { warehouse, planner, state: &state, author, transaction, returning, warned };
        let rows = dml.run(table, work).await?;
        for outcome in dml.warned.into_inner() {
            self.warning("01000", warning(table, &outcome));
        }
        Ok(rows)
    }

    /// The rows of a plan as they would enter the table if their keys were new.
    pub(crate) async fn proposed_rows(
        &self,
        context: &QueryContext,
        author: &Author,
        table: &Table,
        rows: &LogicalPlan,
    ) -> Result<TakenRows> {
        let state = context.state();
        let planner = self.instance.planner();
        let (warehouse, planner) = (&self.instance.warehouse, planner.as_ref());
        let (transaction, returning, warned) = (None, None, Default::default());
        let dml = Dml { warehouse, planner, state: &state, author, transaction, returning, warned };
        dml.proposed(table, rows).await
    }

    /// Runs definitions: in the open transaction, or as a commit of their own. Every definition comes here.
    pub(crate) async fn define(&mut self, author: &Author, definitions: Vec<Ddl>) -> Result<Vec<Effect>> {
        self.require_changeable(definitions.first().map_or("DDL", tag_of), false)?;
        if !self.in_block() && !definitions.iter().any(Ddl::is_temporary) {
            return self.instance.warehouse.run_ddl(author, definitions).await;
        }
        let scope = self.scope().await?;
        let effects = scope.transaction().define(author, definitions).await?;
        self.finish(scope).await?;
        Ok(effects)
    }

    /// Where a new table will lie.
    pub(crate) async fn free_location(&mut self, name: &QualifiedName) -> Result<String> {
        if !name.is_temporary() {
            return self.instance.warehouse.free_location(name).await;
        }
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => TemporaryFolder::open(&self.instance.warehouse).await?,
        };
        Ok(self.folder.insert(folder).location())
    }

    /// Drops what the session has of temporary relations.
    pub(crate) async fn drop_temporary(&mut self, author: &Author) -> Result<()> {
        let scope = self.scope().await?;
        let drops = scope.transaction().temporary().drops();
        scope.transaction().define(author, drops).await?;
        self.finish(scope).await
    }

    /// Refuses changes in a read-only transaction; temporary tables may be filled in one.
    pub(crate) fn require_changeable(&self, what: &str, temporary_rows: bool) -> Result<()> {
        let setting = if self.in_block() { "transaction_read_only" } else { "default_transaction_read_only" };
        if !temporary_rows && self.settings.is_on(setting) {
            let message = format!("cannot execute {what} in a read-only transaction");
            return Err(Error::new(ErrorKind::ReadOnlyTransaction, message));
        }
        if self.in_block() && self.settings.value("transaction_isolation") == "serializable" {
            return Err(Error::not_supported("changes in a serializable transaction are not supported")
                .with_detail("The highest isolation level of a transaction that writes is REPEATABLE READ.")
                .with_hint("Begin the transaction with ISOLATION LEVEL REPEATABLE READ."));
        }
        Ok(())
    }

    /// Refuses a statement that is a transaction, or several, by itself.
    pub(crate) fn require_no_block(&self, what: &str) -> Result<()> {
        if !self.in_block() && !self.in_company {
            return Ok(());
        }
        let message = format!("{what} cannot run inside a transaction block");
        Err(Error::new(ErrorKind::ActiveTransaction, message)
            .with_hint("Send it as a statement of its own, outside of BEGIN and COMMIT."))
    }

    pub(crate) async fn savepoint(&mut self, name: String) -> Result<()> {
        let Some(transaction) = self.block_transaction().await? else { return Ok(()) };
        let point = Point {
            name,
            staged: transaction.savepoint(),
            settings: self.settings.save(),
            cursors: self.cursors.names(),
        };
        if let Some(block) = &mut self.block {
            block.savepoints.push(point);
        }
        Ok(())
    }

    /// Undoes what came after a savepoint, which stays.
    pub(crate) async fn roll_back_to(&mut self, name: &str) -> Result<()> {
        let transaction = self.block_transaction().await?;
        let at = self.savepoint_at(name)?;
        let (Some(block), Some(transaction)) = (&mut self.block, transaction) else { return Ok(()) };
        block.savepoints.truncate(at + 1);
        let point = &block.savepoints[at];
        transaction.roll_back_to(&point.staged);
        self.settings.restore(&point.settings);
        self.cursors.close_except(&point.cursors);
        self.transaction = TransactionStatus::InTransaction;
        Ok(())
    }

    /// Forgets a savepoint and those after it; what was done stays.
    pub(crate) fn release(&mut self, name: &str) -> Result<()> {
        let at = self.savepoint_at(name)?;
        if let Some(block) = &mut self.block {
            block.savepoints.truncate(at);
        }
        Ok(())
    }

    /// The newest savepoint of a name hides those before it.
    fn savepoint_at(&self, name: &str) -> Result<usize> {
        let points = self.block.as_ref().map_or(&[][..], |block| &block.savepoints);
        points.iter().rposition(|point| point.name == name).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedSavepoint, format!("savepoint \"{name}\" does not exist"))
        })
    }
}

/// Tells of rows that entered although a rule warns of them.
fn warning(table: &Table, outcome: &RuleOutcome) -> String {
    let RuleOutcome { rule, kind, rows_checked, rows_violating, example, .. } = outcome;
    let example = example.as_ref().map_or(String::new(), |example| format!(", such as {example}"));
    let relation = &table.name.name;
    format!(
        "{rows_violating} of {rows_checked} new rows of relation \"{relation}\" violate {kind} \"{rule}\"{example}"
    )
}
