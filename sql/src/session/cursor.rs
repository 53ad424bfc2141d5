//! Cursors of a session: queries whose rows are fetched a few at a time, forward only.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use voxhouse_engine::{Error, ErrorKind, Result};

/// What is left of a query's rows.
struct Remaining {
    rows: futures::stream::Fuse<SendableRecordBatchStream>,
    /// The rest of a batch of which a FETCH took the first rows.
    rest: Option<RecordBatch>,
}

struct Cursor {
    /// The columns with their headings.
    columns: SchemaRef,
    remaining: Arc<Mutex<Remaining>>,
    /// Whether it outlives its transaction.
    hold: bool,
}

#[derive(Default)]
pub struct Cursors {
    open: HashMap<String, Cursor>,
}

impl Cursors {
    pub fn declare(
        &mut self,
        name: &str,
        columns: SchemaRef,
        rows: SendableRecordBatchStream,
        hold: bool,
    ) -> Result<()> {
        if self.open.contains_key(name) {
            return Err(Error::new(ErrorKind::DuplicatePortal, format!("cursor \"{name}\" already exists")));
        }
        let remaining = Arc::new(Mutex::new(Remaining { rows: rows.fuse(), rest: None }));
        self.open.insert(name.to_owned(), Cursor { columns, remaining, hold });
        Ok(())
    }

    fn cursor(&self, name: &str) -> Result<&Cursor> {
        self.open.get(name).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedPortal, format!("cursor \"{name}\" does not exist"))
        })
    }

    pub fn columns(&self, name: &str) -> Result<SchemaRef> {
        Ok(Arc::clone(&self.cursor(name)?.columns))
    }

    /// The next rows, at most `limit`.
    pub fn fetch(&self, name: &str, limit: Option<usize>) -> Result<SendableRecordBatchStream> {
        let cursor = self.cursor(name)?;
        Ok(Box::pin(Fetched {
            schema: Arc::clone(&cursor.columns),
            remaining: Arc::clone(&cursor.remaining),
            left: limit.unwrap_or(usize::MAX),
        }))
    }

    pub fn close(&mut self, name: &str) -> Result<()> {
        self.cursor(name)?;
        self.open.remove(name);
        Ok(())
    }

    pub fn close_all(&mut self) {
        self.open.clear();
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.open.keys().map(String::as_str)
    }

    /// Closes what was not open at a savepoint.
    pub fn close_except(&mut self, kept: &std::collections::HashSet<String>) {
        self.open.retain(|name, _| kept.contains(name));
    }

    /// Closes what does not outlive the transaction.
    pub fn end_transaction(&mut self) {
        self.open.retain(|_, cursor| cursor.hold);
    }
}

/// The rows of one FETCH. What it does not take stays with the cursor.
struct Fetched {
    schema: SchemaRef,
    remaining: Arc<Mutex<Remaining>>,
    left: usize,
}

impl Stream for Fetched {
    type Item = DataFusionResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let shared = Arc::clone(&self.remaining);
        let mut remaining = shared.lock();
        let batch = match remaining.rest.take() {
            Some(rest) => rest,
            None => match ready!(remaining.rows.poll_next_unpin(context)) {
                Some(Ok(batch)) => batch,
                other => return Poll::Ready(other),
            },
        };
        let taken = batch.num_rows().min(self.left);
        if taken < batch.num_rows() {
            remaining.rest = Some(batch.slice(taken, batch.num_rows() - taken));
        }
        self.left -= taken;
        Poll::Ready(Some(Ok(batch.slice(0, taken))))
    }
}

impl RecordBatchStream for Fetched {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
