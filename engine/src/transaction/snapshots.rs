//! Which version of each table a statement reads.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Temporary, Transaction};
use crate::catalog::Table;
use crate::error::Result;
use crate::table::scan::TableScan;
use crate::table::snapshot::TableSnapshot;
use crate::warehouse::Warehouse;

/// One for each statement: it reads one version of each table throughout.
pub struct Snapshots {
    warehouse: Arc<Warehouse>,
    transaction: Option<Arc<Transaction>>,
    temporary: Arc<Temporary>,
    read: Mutex<HashMap<String, Arc<TableSnapshot>>>,
}

impl Snapshots {
    /// The newest versions, and the temporary tables of a session.
    pub fn newest(warehouse: &Arc<Warehouse>, temporary: Arc<Temporary>) -> Self {
        Self { warehouse: Arc::clone(warehouse), transaction: None, temporary, read: Mutex::default() }
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
        let found = self.warehouse.delta(table)?.snapshot().await?;
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
