//! Cursors of a session: queries whose rows are fetched a few at a time.
//!
//! A cursor reads its rows from the versions of the tables that were there when it was declared, and those stay
//! readable after the transaction. So one WITH HOLD need not be computed at COMMIT: it goes on where it is, and
//! holds no more than any other. A SCROLL cursor keeps the rows that it has seen, on disk when they are many.

mod rows;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::disk_manager::DiskManager;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use parking_lot::Mutex;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::dialect::Direction;
use crate::pg_catalog::CursorRow;
use rows::{Job, Rows};
use store::Store;

/// A cursor that is to be opened.
pub struct NewCursor {
    pub name: String,
    /// The DECLARE.
    pub statement: String,
    /// The columns with their headings.
    pub columns: SchemaRef,
    pub rows: SendableRecordBatchStream,
    pub hold: bool,
    pub binary: bool,
    /// Where the rows of a SCROLL cursor are kept.
    pub kept_on: Option<Arc<DiskManager>>,
}

#[derive(Clone)]
struct Cursor {
    statement: String,
    columns: SchemaRef,
    rows: Arc<tokio::sync::Mutex<Rows>>,
    hold: bool,
    binary: bool,
    scroll: bool,
    created_at: i64,
    /// Whether the transaction that opened it still runs.
    is_new: bool,
}

/// The open cursors by name. A clone is another handle on the same ones.
#[derive(Clone, Default)]
pub struct Cursors(Arc<Mutex<HashMap<String, Cursor>>>);

impl Cursors {
    /// # Errors
    /// Duplicate portal, if the name is taken.
    pub fn check_new(&self, name: &str) -> Result<()> {
        if self.0.lock().contains_key(name) {
            return Err(Error::new(ErrorKind::DuplicatePortal, format!("cursor \"{name}\" already exists")));
        }
        Ok(())
    }

    pub fn declare(&self, new: NewCursor) -> Result<()> {
        self.check_new(&new.name)?;
        let scroll = new.kept_on.is_some();
        let cursor = Cursor {
            statement: new.statement,
            columns: new.columns,
            rows: Arc::new(tokio::sync::Mutex::new(Rows::new(new.rows, new.kept_on.map(Store::new)))),
            hold: new.hold,
            binary: new.binary,
            scroll,
            created_at: chrono::Utc::now().timestamp_micros(),
            is_new: true,
        };
        self.0.lock().insert(new.name, cursor);
        Ok(())
    }

    fn cursor(&self, name: &str) -> Result<Cursor> {
        self.0.lock().get(name).cloned().ok_or_else(|| {
            Error::new(ErrorKind::UndefinedPortal, format!("cursor \"{name}\" does not exist"))
        })
    }

    pub fn columns(&self, name: &str) -> Result<SchemaRef> {
        Ok(self.cursor(name)?.columns)
    }

    pub fn is_binary(&self, name: &str) -> bool {
        self.0.lock().get(name).is_some_and(|cursor| cursor.binary)
    }

    /// The rows of a FETCH. Those that nobody takes stay with the cursor.
    pub fn fetch(&self, name: &str, direction: Direction) -> Result<SendableRecordBatchStream> {
        let cursor = self.cursor(name)?;
        let batches =
            futures::stream::try_unfold((cursor.rows, Job::of(direction)), |(rows, job)| async move {
                let step = rows.lock().await.step(job).await.map_err(DataFusionError::from)?;
                Ok::<_, DataFusionError>(step.map(|(batch, left)| (batch, (rows, left))))
            });
        Ok(Box::pin(RecordBatchStreamAdapter::new(cursor.columns, batches)))
    }

    /// Goes past the rows that a FETCH would give; how many they are.
    pub async fn go(&self, name: &str, direction: Direction) -> Result<u64> {
        let cursor = self.cursor(name)?;
        let mut rows = cursor.rows.lock().await;
        let (mut job, mut passed) = (Job::of(direction), 0);
        if job == Job::Again {
            return Ok(rows.is_on_row().into());
        }
        while let Some((batch, left)) = rows.step(job).await? {
            passed += batch.num_rows() as u64;
            job = left;
        }
        Ok(passed)
    }

    pub fn close(&self, name: &str) -> Result<()> {
        self.cursor(name)?;
        self.0.lock().remove(name);
        Ok(())
    }

    pub fn close_all(&self) {
        self.0.lock().clear();
    }

    pub fn names(&self) -> HashSet<String> {
        self.0.lock().keys().cloned().collect()
    }

    /// Closes what was not open at a savepoint.
    pub fn close_except(&self, kept: &HashSet<String>) {
        self.0.lock().retain(|name, _| kept.contains(name));
    }

    /// Closes what does not outlive the transaction: after a rollback also what it has opened to be held.
    pub fn end_transaction(&self, committed: bool) {
        self.0.lock().retain(|_, cursor| {
            let stays = cursor.hold && (committed || !cursor.is_new);
            cursor.is_new = false;
            stays
        });
    }

    pub fn rows(&self) -> Vec<CursorRow> {
        let open = self.0.lock();
        let mut rows: Vec<CursorRow> = open
            .iter()
            .map(|(name, cursor)| CursorRow {
                name: name.clone(),
                statement: cursor.statement.clone(),
                holdable: cursor.hold,
                binary: cursor.binary,
                scrollable: cursor.scroll,
                created_at: cursor.created_at,
            })
            .collect();
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        rows
    }
}
