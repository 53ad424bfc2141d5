//! The rows that a cursor has seen, for going back: the latest in memory, the others on disk.

use std::io::Cursor as ByteCursor;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::spill_file::SpillFile;
use futures::TryStreamExt;
use voxhouse_engine::{Error, Result};

/// Rows up to this size lie together. One such part is being filled, and one may have been read back.
const PART_BYTES: usize = 8 << 20;

pub(super) struct Store {
    disk: Arc<DiskManager>,
    /// Parts that are full, in order.
    full: Vec<Part>,
    last: Vec<RecordBatch>,
    last_first_row: u64,
    last_bytes: usize,
    rows: u64,
    /// The part that was read last, by its place.
    read: Option<(usize, Arc<Vec<RecordBatch>>)>,
}

struct Part {
    first_row: u64,
    file: Arc<dyn SpillFile>,
}

impl Store {
    pub(super) fn new(disk: Arc<DiskManager>) -> Self {
        Self {
            disk,
            full: Vec::new(),
            last: Vec::new(),
            last_first_row: 0,
            last_bytes: 0,
            rows: 0,
            read: None,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) async fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        self.last_bytes += batch.get_array_memory_size();
        self.last.push(batch);
        if self.last_bytes < PART_BYTES {
            return Ok(());
        }
        let batches = std::mem::take(&mut self.last);
        let file = self.disk.create_tmp_file("keeping the rows of a cursor")?;
        let target = Arc::clone(&file);
        tokio::task::spawn_blocking(move || write(target.as_ref(), &batches))
            .await
            .map_err(|error| Error::internal(error.to_string()))??;
        self.full.push(Part { first_row: self.last_first_row, file });
        self.last_first_row = self.rows;
        self.last_bytes = 0;
        Ok(())
    }

    /// The batch that holds a row, and the row's place in it. Rows count from 0.
    pub(super) async fn find(&mut self, row: u64) -> Result<(RecordBatch, usize)> {
        if row >= self.last_first_row {
            return place(&self.last, row - self.last_first_row);
        }
        let part = self.full.partition_point(|part| part.first_row <= row) - 1;
        let first_row = self.full[part].first_row;
        let batches = match &self.read {
            Some((read, batches)) if *read == part => Arc::clone(batches),
            _ => {
                let batches = Arc::new(read(self.full[part].file.as_ref()).await?);
                self.read = Some((part, Arc::clone(&batches)));
                batches
            }
        };
        place(&batches, row - first_row)
    }
}

fn place(batches: &[RecordBatch], row: u64) -> Result<(RecordBatch, usize)> {
    let mut before = 0;
    for batch in batches {
        let rows = batch.num_rows() as u64;
        if row < before + rows {
            return Ok((batch.clone(), (row - before) as usize));
        }
        before += rows;
    }
    Err(Error::internal("a cursor has lost a row"))
}

fn write(file: &dyn SpillFile, batches: &[RecordBatch]) -> Result<()> {
    let Some(first) = batches.first() else { return Ok(()) };
    let mut target = file.open_writer()?;
    let mut writer = StreamWriter::try_new(&mut target, &first.schema())?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    drop(writer);
    Ok(target.finish()?)
}

async fn read(file: &dyn SpillFile) -> Result<Vec<RecordBatch>> {
    let mut bytes = Vec::new();
    let mut chunks = file.read_stream()?;
    while let Some(chunk) = chunks.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    let reader = StreamReader::try_new(ByteCursor::new(bytes), None)?;
    Ok(reader.collect::<std::result::Result<_, _>>()?)
}
