//! Upkeep of tables, so that they stay fast: small files merged, rows in order, old files and log entries removed.
//!
//! Everything here is a commit on the table's own log like any other, so it is safe beside loads and readers of any
//! process; what was done is read from the logs again ([`history`]). Two processes that merge the same files at once
//! do the work twice, and one commit counts.

mod background;
mod history;
mod journal;
mod optimize;
mod vacuum;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;

use crate::catalog::CatalogSnapshot;
use crate::error::Result;
use crate::ingest::Ingestion;
use crate::planning::Planner;
use crate::warehouse::Warehouse;
use history::History;
use journal::Journal;
pub use optimize::{Optimize, OptimizeReport};
pub use vacuum::{SAFE_RETENTION, Vacuum};

/// What is done to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By the background.
    Compaction,
    Optimize,
    ZOrder,
    Vacuum,
    LogCleanup,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Compaction => "compaction",
            Kind::Optimize => "optimize",
            Kind::ZOrder => "zorder",
            Kind::Vacuum => "vacuum",
            Kind::LogCleanup => "log cleanup",
        }
    }
}

/// The upkeep of one process.
pub struct Maintenance {
    warehouse: Arc<Warehouse>,
    ingestion: Arc<Ingestion>,
    planner: Arc<dyn Planner>,
    journal: Journal,
    history: History,
    /// One rewrite at a time of each table in this process, by location.
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Maintenance {
    /// Reads nothing yet.
    pub fn new(warehouse: Arc<Warehouse>, ingestion: Arc<Ingestion>, planner: Arc<dyn Planner>) -> Self {
        Self {
            warehouse,
            ingestion,
            planner,
            journal: Journal::default(),
            history: History::default(),
            turns: Mutex::default(),
        }
    }

    fn turn(&self, location: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.lock().entry(location.to_owned()).or_default())
    }

    /// The rows of `system.maintenance`: what the logs of the tables tell, and what this process is doing or failed
    /// to do.
    pub async fn actions(&self, catalog: &CatalogSnapshot) -> Result<RecordBatch> {
        let mut actions = self.history.actions(&self.warehouse, catalog).await?;
        actions.extend(self.journal.actions());
        history::batch(actions)
    }

    pub fn actions_schema() -> SchemaRef {
        history::schema()
    }
}
