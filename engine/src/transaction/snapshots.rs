//! Which version of each table a statement reads.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

use super::{Temporary, Transaction};
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::table::scan::TableScan;
use crate::table::snapshot::TableSnapshot;
use crate::warehouse::Warehouse;

/// One for each statement: it reads one version of each table throughout.
pub struct Snapshots {
    warehouse: Arc<Warehouse>,
    transaction: Option<Arc<Transaction>>,
    temporary: Arc<Temporary>,
    /// The past moment at which all tables are read.
    moment: Option<DateTime<Utc>>,
    read: Mutex<HashMap<String, Arc<TableSnapshot>>>,
}

impl Snapshots {
    /// The newest versions, and the temporary tables of a session.
    pub fn newest(warehouse: &Arc<Warehouse>, temporary: Arc<Temporary>) -> Self {
        let warehouse = Arc::clone(warehouse);
        Self { warehouse, transaction: None, temporary, moment: None, read: Mutex::default() }
    }

    /// The last versions that were committed by a moment.
    pub fn at(warehouse: &Arc<Warehouse>, moment: DateTime<Utc>) -> Self {
        Self { moment: Some(moment), ..Self::newest(warehouse, Arc::default()) }
    }

    /// Whether tables are read as they were at a moment.
    pub fn is_of_a_moment(&self) -> bool {
        self.moment.is_some()
    }

    /// What a transaction sees.
    pub fn of_transaction(warehouse: &Arc<Warehouse>, transaction: Arc<Transaction>) -> Self {
        Self { transaction: Some(transaction), ..Self::newest(warehouse, Arc::default()) }
    }

    pub fn transaction(&self) -> Option<&Arc<Transaction>> {
        self.transaction.as_ref()
    }

    pub async fn of(&self, table: &Table) -> Result<Arc<TableSnapshot>> {
        if let Some(transaction) = &self.transaction {
            return transaction.snapshot(table).await;
        }
        if table.name.is_temporary()
            && let Some(content) = self.temporary.content(&table.location)
        {
            return Ok(content);
        }
        if let Some(known) = self.read.lock().get(&table.location) {
            return Ok(Arc::clone(known));
        }
        let delta = self.warehouse.delta(table)?;
        let found = match self.moment {
            Some(_) if table.name.is_temporary() => {
                return Err(Error::not_supported("temporary tables keep no past versions"));
            }
            Some(moment) => delta
                .snapshot_at(moment)
                .await
                .map_err(|error| error.in_context(format!("table \"{}\"", table.name)))?,
            None => delta.snapshot().await?,
        };
        Ok(Arc::clone(self.read.lock().entry(table.location.clone()).or_insert(found)))
    }

    pub async fn scan(&self, table: &Table) -> Result<TableScan> {
        self.warehouse.scan_snapshot(table, self.of(table).await?)
    }

    /// Lets a statement that is tried again see the versions of then.
    pub fn forget(&self) {
        self.read.lock().clear();
    }
}
