//! Where a cursor stands, and how it moves.

use arrow::array::{RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use futures::stream::Fuse;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::store::Store;
use crate::dialect::Direction;

/// The rows of a query and a place among them.
pub(super) struct Rows {
    source: Fuse<SendableRecordBatchStream>,
    /// What the source gave and nobody took yet.
    rest: Option<RecordBatch>,
    /// All that the source gave, if the cursor may go back; it is then the only place that rows are read from.
    store: Option<Store>,
    /// The number of the row that the cursor is on: 0 before the first, one more than there are behind the last.
    position: u64,
    /// Whether the cursor is on a row, rather than before the first or behind the last.
    on_row: bool,
}

/// What is left to do of a FETCH or a MOVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    Forward(u64),
    Backward(u64),
    /// To this row, and take it.
    Absolute(i64),
    Relative(i64),
    /// The row that the cursor is on.
    Again,
}

impl Job {
    pub(super) fn of(direction: Direction) -> Self {
        match direction {
            Direction::Forward(0) | Direction::Relative(0) => Self::Again,
            Direction::Forward(count) if count > 0 => Self::Forward(count.unsigned_abs()),
            Direction::Forward(count) => Self::Backward(count.unsigned_abs()),
            Direction::ForwardAll => Self::Forward(u64::MAX),
            Direction::BackwardAll => Self::Backward(u64::MAX),
            Direction::Absolute(row) => Self::Absolute(row),
            Direction::Relative(rows) => Self::Relative(rows),
        }
    }
}

impl Rows {
    pub(super) fn new(source: SendableRecordBatchStream, store: Option<Store>) -> Self {
        Self { source: source.fuse(), rest: None, store, position: 0, on_row: false }
    }

    pub(super) fn is_on_row(&self) -> bool {
        self.on_row
    }

    /// The next rows of a job and what is left of it; `None` at its end.
    pub(super) async fn step(&mut self, job: Job) -> Result<Option<(RecordBatch, Job)>> {
        let (batch, left) = match job {
            Job::Forward(0) | Job::Backward(0) => return Ok(None),
            Job::Forward(count) => (self.forward(count).await?, count),
            Job::Backward(count) => {
                let taken = self.backward(count).await?;
                return Ok(taken.map(|batch| {
                    let left = count - batch.num_rows() as u64;
                    (batch, Job::Backward(left))
                }));
            }
            Job::Absolute(row) => (if self.go_before(row).await? { self.forward(1).await? } else { None }, 1),
            Job::Relative(rows) if rows > 0 => {
                self.skip(rows.unsigned_abs() - 1).await?;
                (self.forward(1).await?, 1)
            }
            Job::Relative(rows) => {
                let mut left = rows.unsigned_abs() - 1;
                while left > 0
                    && let Some(batch) = self.backward(left).await?
                {
                    left -= batch.num_rows() as u64;
                }
                (self.backward(1).await?, 1)
            }
            Job::Again => {
                if !self.on_row {
                    return Ok(None);
                }
                self.require_store()?;
                self.position -= 1;
                (self.forward(1).await?, 1)
            }
        };
        Ok(batch.map(|batch| {
            let left = left - batch.num_rows() as u64;
            (batch, Job::Forward(left))
        }))
    }

    fn require_store(&self) -> Result<()> {
        if self.store.is_some() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::PortalNotRunnable, "cursor can only scan forward")
            .with_hint("Declare it with SCROLL option to enable backward scan."))
    }

    /// Up to `limit` rows behind the current one.
    async fn forward(&mut self, limit: u64) -> Result<Option<RecordBatch>> {
        let found = match &mut self.store {
            None => self.pull().await?,
            Some(_) => self.stored(self.position).await?,
        };
        let Some(batch) = found else {
            self.position += u64::from(self.on_row || self.position == 0);
            self.on_row = false;
            return Ok(None);
        };
        let taken = batch.num_rows().min(usize::try_from(limit).unwrap_or(usize::MAX));
        if self.store.is_none() && taken < batch.num_rows() {
            self.rest = Some(batch.slice(taken, batch.num_rows() - taken));
        }
        self.position += taken as u64;
        self.on_row = true;
        Ok(Some(batch.slice(0, taken)))
    }

    /// A batch that begins with a row, counted from 0.
    async fn stored(&mut self, row: u64) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(store) = &mut self.store
                && row < store.rows()
            {
                let (batch, place) = store.find(row).await?;
                return Ok(Some(batch.slice(place, batch.num_rows() - place)));
            }
            let Some(batch) = self.pull().await? else { return Ok(None) };
            if let Some(store) = &mut self.store {
                store.push(batch).await?;
            }
        }
    }

    /// What the source has next.
    async fn pull(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        while let Some(batch) = self.source.next().await.transpose()? {
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// Up to `limit` rows before the current one, the nearest first.
    async fn backward(&mut self, limit: u64) -> Result<Option<RecordBatch>> {
        self.require_store()?;
        let row = self.position.saturating_sub(1);
        if row == 0 {
            self.position = 0;
            self.on_row = false;
            return Ok(None);
        }
        let Some(store) = &mut self.store else { return Ok(None) };
        // The row before the current one, counted from 0.
        let (batch, place) = store.find(row - 1).await?;
        let taken = (place as u64 + 1).min(limit);
        let places = UInt64Array::from_iter_values((0..taken).map(|step| place as u64 - step));
        self.position -= taken;
        self.on_row = true;
        Ok(Some(take_record_batch(&batch, &places)?))
    }

    async fn skip(&mut self, mut rows: u64) -> Result<()> {
        while rows > 0
            && let Some(batch) = self.forward(rows).await?
        {
            rows -= batch.num_rows() as u64;
        }
        Ok(())
    }

    /// Goes to where the next row is the one wanted. `false`: there is no such row.
    async fn go_before(&mut self, row: i64) -> Result<bool> {
        if row > 0 {
            let before = row.unsigned_abs() - 1;
            if before < self.position {
                self.require_store()?;
                self.position = before;
                self.on_row = before > 0;
                return Ok(true);
            }
            if !self.on_row && self.position > 0 {
                return Ok(false);
            }
            self.skip(before - self.position).await?;
            return Ok(self.position == before && (self.on_row || before == 0));
        }
        self.require_store()?;
        if row < 0 {
            self.skip(u64::MAX).await?;
        }
        let rows = self.store.as_ref().map_or(0, Store::rows);
        let before = if row < 0 { rows.checked_sub(row.unsigned_abs()) } else { None };
        self.position = before.unwrap_or(0);
        self.on_row = self.position > 0;
        Ok(before.is_some())
    }
}
