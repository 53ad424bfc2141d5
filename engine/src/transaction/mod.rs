//! A transaction: one moment for all that it reads, and changes that nobody else sees before they are committed.
//!
//! Reads. The catalog is the one of the moment at which the transaction began; a table is read at the last version
//! that was committed by then.
//!
//! Writes. Data files are written as the statements run, and are named by no commit: [`Staged`] keeps which files
//! the tables will have. A commit of the store covers one log, so a transaction changes the rows of one table that
//! exists, or the catalog: the logs of tables that it creates are committed before the catalog names them.
//!
//! A savepoint is a copy of what is staged.

mod commit;
pub mod leases;
mod snapshots;
mod staged;
mod temporary;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::path::Path;
use parking_lot::Mutex;

pub use snapshots::Snapshots;
pub use temporary::{OnCommit, Temporary, TemporaryFolder};

use crate::catalog::ddl::{Ddl, Effect, check_columns};
use crate::catalog::{Author, CatalogSnapshot, Table};
use crate::error::{Error, Result};
use crate::table::changes::Changes;
use crate::table::snapshot::{TableSnapshot, added_path};
use crate::warehouse::{Warehouse, unique_location};
use staged::Staged;

/// A commit dated in the future is that of a node whose clock is ahead. A transaction that has just begun sees it.
const JUST_BEGUN: TimeDelta = TimeDelta::seconds(2);

/// One open transaction of one session. Dropped without a commit it is rolled back.
pub struct Transaction {
    warehouse: Arc<Warehouse>,
    moment: DateTime<Utc>,
    state: Mutex<State>,
}

struct State {
    staged: Staged,
    /// By location. What has been read once is read again at the same version.
    read: HashMap<String, Arc<TableSnapshot>>,
    rubbish: Rubbish,
}

/// What was written, and is in the way unless the commit needs it.
#[derive(Debug, Default)]
struct Rubbish {
    /// Folders of tables that were created.
    folders: HashSet<String>,
    /// Data files by the folder of their table and their path in it.
    files: HashSet<(String, Path)>,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("moment", &self.moment).finish()
    }
}

impl Transaction {
    /// Begins now. `temporary` is what the session has of temporary relations.
    pub async fn begin(warehouse: &Arc<Warehouse>, temporary: Arc<Temporary>) -> Result<Self> {
        let catalog = warehouse.catalog().await?;
        // After the catalog, so that the tables in it are there at that moment.
        let moment = Utc::now();
        let state = State {
            staged: Staged::new(catalog, temporary),
            read: HashMap::new(),
            rubbish: Rubbish::default(),
        };
        Ok(Self { warehouse: Arc::clone(warehouse), moment, state: Mutex::new(state) })
    }

    /// The catalog as this transaction sees it: with its own definitions and the temporary relations.
    pub fn catalog(&self) -> Arc<CatalogSnapshot> {
        self.state.lock().staged.visible_catalog()
    }

    pub fn temporary(&self) -> Arc<Temporary> {
        Arc::clone(&self.state.lock().staged.temporary)
    }

    /// The files of a table as this transaction sees them.
    pub async fn snapshot(&self, table: &Table) -> Result<Arc<TableSnapshot>> {
        let is_new = {
            let state = self.state.lock();
            if let Some(known) = state.staged.snapshot(table) {
                return Ok(known);
            }
            if let Some(known) = state.read.get(&table.location) {
                return Ok(Arc::clone(known));
            }
            state.staged.creates(&table.location)
        };
        let delta = self.warehouse.delta(table)?;
        let found =
            if is_new { delta.snapshot().await? } else { delta.snapshot_seen(|at| self.sees(at)).await? };
        let mut state = self.state.lock();
        Ok(Arc::clone(state.read.entry(table.location.clone()).or_insert(found)))
    }

    /// Whether nobody else can see the table: it is made here, or belongs to the session.
    pub fn creates(&self, table: &Table) -> bool {
        table.name.is_temporary() || self.state.lock().staged.creates(&table.location)
    }

    fn sees(&self, committed_at: DateTime<Utc>) -> bool {
        if committed_at <= self.moment {
            return true;
        }
        let now = Utc::now();
        committed_at > now && now - self.moment < JUST_BEGUN
    }

    /// Refuses a table whose rows could not be committed together with what is staged already.
    pub fn require_writable(&self, table: &Table) -> Result<()> {
        self.state.lock().staged.require_writable(table)
    }

    /// Keeps what a statement did to a table. The changes were worked out from [`Self::snapshot`].
    pub async fn stage(&self, table: &Table, changes: Changes, author: &Author) -> Result<()> {
        let base = self.snapshot(table).await?;
        let mut state = self.state.lock();
        for add in &changes.added {
            state.rubbish.files.insert((table.location.clone(), added_path(add)));
        }
        state.staged.change(table, base, changes, author)
    }

    /// Keeps definitions; the effects come in their order. Logs of new tables are made, and named by nobody yet.
    pub async fn define(&self, author: &Author, mut definitions: Vec<Ddl>) -> Result<Vec<Effect>> {
        for definition in &mut definitions {
            self.state.lock().staged.require_definable(definition)?;
            let Ddl::CreateTable { name, table, location, .. } = definition else { continue };
            check_columns(table)?;
            if !self.warehouse.make_log(name, table, location).await? {
                *location = unique_location(name);
                self.warehouse.make_log(name, table, location).await?;
            }
            self.state.lock().rubbish.folders.insert(location.clone());
        }
        let mut state = self.state.lock();
        // All of the statement, or nothing.
        let mut staged = state.staged.clone();
        let effects =
            definitions.into_iter().map(|one| staged.define(author, one)).collect::<Result<Vec<_>>>()?;
        state.staged = staged;
        Ok(effects)
    }

    /// Says what becomes of a temporary table at the end of each transaction.
    pub fn on_commit(&self, table: &Table, action: OnCommit) {
        Arc::make_mut(&mut self.state.lock().staged.temporary).set_on_commit(table.oid, action);
    }

    /// What is staged now, to come back to.
    pub fn savepoint(&self) -> Savepoint {
        Savepoint(self.state.lock().staged.clone())
    }

    pub fn roll_back_to(&self, savepoint: &Savepoint) {
        self.state.lock().staged = savepoint.0.clone();
    }

    /// Whether a commit would change what others see.
    pub fn has_changes(&self) -> bool {
        self.state.lock().staged.has_changes()
    }
}

/// What was staged at a moment.
pub struct Savepoint(Staged);

fn refused(message: &str, detail: String) -> Error {
    Error::not_supported(message).with_detail(detail)
}
