//! A warehouse in a temporary folder, with its runtime.

use std::sync::Arc;

use arrow::array::RecordBatch;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use voxhouse_engine::storage::{Storage, StoreOptions};
use voxhouse_engine::{Error, Result};
use voxhouse_sql::instance::{Instance, InstanceOptions, OWNER};
use voxhouse_sql::session::Session;

use crate::orders;

/// Gone, with its folder, when dropped.
pub struct House {
    pub runtime: Runtime,
    pub instance: Arc<Instance>,
    session: Session,
    _folder: TempDir,
}

impl House {
    pub fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let root =
            folder.path().to_str().ok_or_else(|| Error::internal("a temporary folder without a name"))?;
        let storage = Storage::open(root, &StoreOptions::default())?;
        let instance = runtime.block_on(Instance::open(storage, &InstanceOptions::default()))?;
        let session = instance.session(OWNER)?;
        Ok(Self { runtime, instance, session, _folder: folder })
    }

    /// Runs statements; the rows of the last one.
    pub fn run(&mut self, sql: &str) -> Result<Vec<RecordBatch>> {
        self.runtime.block_on(self.session.run(sql))
    }

    /// Puts a file where a pipe looks.
    pub fn drop_in(&self, path: &str, bytes: Vec<u8>) -> Result<()> {
        self.runtime.block_on(self.instance.warehouse.storage().put(path, bytes.into()))?;
        Ok(())
    }

    /// Runs a pipe; the rows it loaded.
    pub fn run_pipe(&self, name: &str) -> Result<u64> {
        let report = self.runtime.block_on(self.instance.ingestion()?.run_pipe(name, None))?;
        match report.errors.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(report.rows),
        }
    }

    /// The table `bench.orders` with `rows` rows.
    pub fn with_orders(rows: usize) -> Result<Self> {
        let mut house = Self::open()?;
        house.run(&format!("CREATE SCHEMA bench; CREATE TABLE bench.orders ({})", orders::COLUMNS))?;
        house.drop_in("landing/orders/orders.parquet", orders::parquet_file(rows, 1)?)?;
        house.run("CREATE PIPE orders FROM 'landing/orders/' INTO bench.orders FORMAT parquet ON CALL")?;
        house.run_pipe("orders")?;
        Ok(house)
    }
}
