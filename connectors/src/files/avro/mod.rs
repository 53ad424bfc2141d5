//! Avro object container files: blocks of rows, with the schema in front.
//!
//! Primitive and logical types become columns of their kind: decimals stay exact, dates and moments what they
//! are. Enums are text; records, arrays, maps and unions of several types are JSON text, which `->` and `->>`
//! read. A union with null is the other type, nullable.
//!
//! The container is checked strictly: a block that does not end at its mark, has another number of rows than
//! it says, or cannot be unpacked, ends the file with an error and never with fewer rows.

mod columns;
mod container;
mod schema;
#[cfg(test)]
pub(crate) mod tests;
mod values;

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::{ObjectMeta, ObjectStore};
use voxhouse_engine::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};
use voxhouse_engine::{Error, ErrorKind, Result};

use self::columns::{Column, arrow_schema};
use self::container::{Block, Container};
use self::schema::Schema;
use self::values::{Cursor, Problem};
use super::MAX_FIELD_BYTES;
use super::object::Object;
use super::options;
use super::rows::{BATCH_BYTES, BATCH_ROWS, Batches, stopped, stream_from_thread};

/// The format `avro`.
#[derive(Debug, Clone, Copy)]
pub struct Avro;

#[async_trait]
impl FileFormat for Avro {
    fn name(&self) -> &'static str {
        "avro"
    }

    fn claims(&self, file_name: &str) -> bool {
        file_name.to_ascii_lowercase().ends_with(".avro")
    }

    fn check_options(&self, options: &FormatOptions) -> Result<()> {
        options::check_names("avro", options, &[])
    }

    async fn open(
        &self,
        store: Arc<dyn ObjectStore>,
        file: &ObjectMeta,
        options: &FormatOptions,
    ) -> Result<OpenFile> {
        self.check_options(options)?;
        if file.size == 0 {
            return Err(invalid("it is empty"));
        }
        let object = Object::new(store, file);
        let reader = object.reader().await?;
        let read = tokio::task::spawn_blocking(move || Schema::parse(&Container::open(reader)?.schema)).await;
        let schema = arrow_schema(&read.unwrap_or_else(|_| Err(stopped()))?);
        let split = AvroSplit { object, schema: Arc::clone(&schema) };
        Ok(OpenFile { schema, splits: vec![Arc::new(split)], row_count: None })
    }
}

/// The whole file: row numbers need all blocks before.
#[derive(Debug)]
struct AvroSplit {
    object: Object,
    schema: SchemaRef,
}

impl Split for AvroSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let (object, schema) = (self.object.clone(), Arc::clone(&self.schema));
        stream_from_thread(async move {
            let reader = object.reader().await?;
            Ok(move |batches: &_| {
                let mut container = Container::open(reader)?;
                let mut rows = Rows::new(Schema::parse(&container.schema)?, schema)?;
                while let Some(block) = container.next()? {
                    if !rows.read(&block, batches)? {
                        return Ok(());
                    }
                }
                rows.send(batches).map(drop)
            })
        })
    }
}

/// Rows on their way into batches.
struct Rows {
    schema: Schema,
    arrow: SchemaRef,
    columns: Vec<Column>,
    rows: u64,
    pending: usize,
    bytes: usize,
}

impl Rows {
    fn new(schema: Schema, arrow: SchemaRef) -> Result<Self> {
        let columns = schema.row_fields().iter().map(|(_, kind)| Column::new(kind));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Self { schema, arrow, columns, rows: 0, pending: 0, bytes: 0 })
    }

    /// False if nobody reads any more.
    fn read(&mut self, block: &Block, batches: &Batches) -> Result<bool> {
        let mut cursor = Cursor(&block.bytes);
        for _ in 0..block.rows {
            for (index, column) in self.columns.iter_mut().enumerate() {
                let read = column.read(&mut cursor, &self.schema);
                self.bytes +=
                    read.map_err(|problem| explained(problem, self.rows + 1, &self.arrow, index))?;
            }
            self.rows += 1;
            self.pending += 1;
            if (self.pending >= BATCH_ROWS || self.bytes >= BATCH_BYTES) && !self.send(batches)? {
                return Ok(false);
            }
        }
        match cursor.0 {
            [] => Ok(true),
            _ => Err(invalid("a block has more rows than it says")),
        }
    }

    fn send(&mut self, batches: &Batches) -> Result<bool> {
        if self.pending == 0 {
            return Ok(true);
        }
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.pending));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.arrow), columns, &options)?;
        let row_numbers = (self.rows - self.pending as u64 + 1..=self.rows).collect();
        (self.pending, self.bytes) = (0, 0);
        Ok(batches.send(SourceBatch { batch, row_numbers, bad_rows: Vec::new() }))
    }
}

fn explained(problem: Problem, row: u64, schema: &SchemaRef, column: usize) -> Error {
    let name = schema.fields().get(column).map(|field| field.name().as_str()).unwrap_or_default();
    match problem {
        Problem::Corrupt(what) => invalid(&format!("row {row}: column \"{name}\": {what}")),
        Problem::TooLarge => Error::new(
            ErrorKind::LimitExceeded,
            format!("row {row}: value of column \"{name}\" is larger than {} MiB", MAX_FIELD_BYTES >> 20),
        ),
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("invalid avro file: {what}"))
}
