//! Parquet files, cut into splits at their row groups.
//!
//! The footer is read once, when the file is opened, and shared by the splits; it tells each split the number
//! of its first row. Types pass through as the file has them, but for the old INT96 timestamps: they are read
//! to the microsecond, because in nanoseconds a 64-bit integer ends in the year 2262 and Hive and Spark wrote
//! dates beyond it.
//!
//! A damaged file may say anything about itself. Ranges are checked against the size of the file, rows are
//! counted, and a panic of the decoder counts as damage.

#[cfg(test)]
mod tests;

use std::fmt::{self, Debug, Formatter};
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};
use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::{OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, ObjectStore, coalesce_ranges};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{
    AsyncFileReader, ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder,
};
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, ParquetStatisticsPolicy};
use voxhouse_engine::source::{FileFormat, FormatOptions, OpenFile, SourceBatch, Split};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::object::Object;
use super::options;

const BATCH_ROWS: usize = 8192;

/// A split has at most so many compressed bytes, unless one row group has more.
const MAX_SPLIT_BYTES: u64 = 128 << 20;

/// Below this a split is not worth its task.
const MIN_SPLIT_BYTES: u64 = 4 << 20;

/// A file between the two limits is cut into about so many: enough for the cores of one machine, and for a
/// slow split not to leave the others idle.
const SPLITS: u64 = 16;

/// Read together with the end of the file, in one request; the footer is rarely larger.
const FOOTER_BYTES: usize = 256 << 10;

/// The format `parquet`.
#[derive(Debug, Clone, Copy)]
pub struct Parquet;

#[async_trait]
impl FileFormat for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn claims(&self, file_name: &str) -> bool {
        let name = file_name.to_ascii_lowercase();
        name.ends_with(".parquet") || name.ends_with(".pq")
    }

    fn check_options(&self, options: &FormatOptions) -> Result<()> {
        options::check_names("parquet", options, &[])
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
        let metadata = guarded(load(ObjectRanges(object.clone()))).await?;
        // A batch does not repeat what the file says about itself as a whole.
        let schema = Arc::new(Schema::new(metadata.schema().fields().clone()));
        let (splits, rows) = cut(&object, &metadata)?;
        Ok(OpenFile { schema, splits, row_count: Some(rows) })
    }
}

async fn load(mut file: ObjectRanges) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = || {
        ArrowReaderOptions::new()
            .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
    };
    let metadata = ArrowReaderMetadata::load_async(&mut file, options()).await?;
    match with_microseconds(&metadata) {
        Some(schema) => ArrowReaderMetadata::try_new(
            Arc::clone(metadata.metadata()),
            options().with_schema(Arc::new(schema)),
        ),
        None => Ok(metadata),
    }
}

/// The schema with INT96 columns in microseconds; none if there are no such columns.
fn with_microseconds(metadata: &ArrowReaderMetadata) -> Option<Schema> {
    let mut leaves = metadata.parquet_schema().columns().iter().map(|leaf| leaf.physical_type());
    if !leaves.clone().any(|leaf| leaf == PhysicalType::INT96) {
        return None;
    }
    let schema = metadata.schema();
    let fields: Vec<FieldRef> = schema.fields().iter().map(|field| coarsen(field, &mut leaves)).collect();
    Some(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// Walks a field along with the file's leaf columns, which come in the same order.
fn coarsen(field: &FieldRef, leaves: &mut impl Iterator<Item = PhysicalType>) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|inner| coarsen(inner, leaves)).collect())
        }
        DataType::List(inner) => DataType::List(coarsen(inner, leaves)),
        DataType::LargeList(inner) => DataType::LargeList(coarsen(inner, leaves)),
        DataType::FixedSizeList(inner, size) => DataType::FixedSizeList(coarsen(inner, leaves), *size),
        DataType::Map(inner, sorted) => DataType::Map(coarsen(inner, leaves), *sorted),
        leaf => match (leaves.next(), leaf) {
            (Some(PhysicalType::INT96), DataType::Timestamp(_, zone)) => {
                DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
            }
            _ => leaf.clone(),
        },
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}

/// Groups neighbouring row groups into splits of about equal size, and counts the rows.
fn cut(object: &Object, metadata: &ArrowReaderMetadata) -> Result<(Vec<Arc<dyn Split>>, u64)> {
    let mut row_groups = Vec::new();
    for row_group in metadata.metadata().row_groups() {
        let mut sizes = row_group.columns().iter().map(|column| u64::try_from(column.compressed_size()).ok());
        let bytes = sizes.try_fold(0_u64, |sum, size| sum.checked_add(size?));
        // A column without lists has a value, or a NULL, for each row.
        let disagrees = row_group.columns().iter().any(|column| {
            column.column_descr().max_rep_level() == 0 && column.num_values() != row_group.num_rows()
        });
        if disagrees {
            return Err(invalid("a row group has another number of rows than its columns have values"));
        }
        let rows = u64::try_from(row_group.num_rows()).ok();
        row_groups.push(bytes.zip(rows).ok_or_else(|| invalid("a row group has a negative size"))?);
    }
    let total = row_groups.iter().fold(0_u64, |sum, (bytes, _)| sum.saturating_add(*bytes));
    let split_bytes = (total / SPLITS).clamp(MIN_SPLIT_BYTES, MAX_SPLIT_BYTES);
    let mut splits: Vec<Arc<dyn Split>> = Vec::new();
    let (mut first_group, mut first_row, mut bytes, mut rows) = (0, 0, 0_u64, 0_u64);
    for (index, (group_bytes, group_rows)) in row_groups.iter().enumerate() {
        bytes = bytes.saturating_add(*group_bytes);
        rows = rows.checked_add(*group_rows).ok_or_else(|| invalid("it has too many rows"))?;
        let last = index + 1 == row_groups.len();
        let next = row_groups.get(index + 1).map_or(0, |(next, _)| *next);
        if last || bytes.saturating_add(next / 2) >= split_bytes {
            splits.push(Arc::new(ParquetSplit {
                object: object.clone(),
                metadata: metadata.clone(),
                row_groups: first_group..index + 1,
                rows: first_row..rows,
            }));
            (first_group, first_row, bytes) = (index + 1, rows, 0);
        }
    }
    if u64::try_from(metadata.metadata().file_metadata().num_rows()).ok() != Some(rows) {
        return Err(invalid("its row groups have another number of rows than its footer says"));
    }
    if splits.is_empty() {
        let (object, metadata) = (object.clone(), metadata.clone());
        splits.push(Arc::new(ParquetSplit { object, metadata, row_groups: 0..0, rows: 0..0 }));
    }
    Ok((splits, rows))
}

/// Neighbouring row groups of a file.
struct ParquetSplit {
    object: Object,
    metadata: ArrowReaderMetadata,
    row_groups: Range<usize>,
    /// 0-based.
    rows: Range<u64>,
}

impl Debug for ParquetSplit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParquetSplit")
            .field("row_groups", &self.row_groups)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Split for ParquetSplit {
    fn read(&self) -> BoxStream<'static, Result<SourceBatch>> {
        let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(
            ObjectRanges(self.object.clone()),
            self.metadata.clone(),
        );
        let builder = builder.with_batch_size(BATCH_ROWS).with_row_groups(self.row_groups.clone().collect());
        let rows = self.rows.clone();
        let start = async move {
            match guarded(async { builder.build() }).await {
                Ok(batches) => stream::try_unfold(Some(Reading { batches, rows }), read_next).boxed(),
                Err(error) => stream::once(async { Err(error) }).boxed(),
            }
        };
        stream::once(start).flatten().boxed()
    }
}

struct Reading {
    batches: ParquetRecordBatchStream<ObjectRanges>,
    /// What is still to come by the footer's account.
    rows: Range<u64>,
}

async fn read_next(reading: Option<Reading>) -> Result<Option<(SourceBatch, Option<Reading>)>> {
    let Some(mut reading) = reading else { return Ok(None) };
    let next = guarded(reading.batches.next().map(Option::transpose)).await?;
    let left = reading.rows.end - reading.rows.start;
    let count = next.as_ref().map_or(0, |batch: &RecordBatch| batch.num_rows() as u64);
    match next {
        Some(batch) if count <= left => {
            let row_numbers = (reading.rows.start + 1..=reading.rows.start + count).collect();
            reading.rows.start += count;
            Ok(Some((SourceBatch { batch, row_numbers, bad_rows: Vec::new() }, Some(reading))))
        }
        None if left == 0 => Ok(None),
        _ => Err(invalid("it has another number of rows than its footer says")),
    }
}

/// Awaits what decodes bytes of unknown origin: neither an error nor a panic of the decoder is a bug of ours.
async fn guarded<T>(decoding: impl Future<Output = Result<T, ParquetError>>) -> Result<T> {
    match AssertUnwindSafe(decoding).catch_unwind().await {
        Ok(result) => result.map_err(explained),
        Err(_) => Err(invalid("its structure contradicts itself")),
    }
}

/// An object as the decoder reads it.
struct ObjectRanges(Object);

impl ObjectRanges {
    async fn bytes(&self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        if range.start > range.end || range.end > self.0.size() {
            return Err(ParquetError::EOF("it is truncated, or its footer is corrupt".into()));
        }
        self.0.bytes(range).await.map_err(|error| ParquetError::External(Box::new(error)))
    }
}

impl AsyncFileReader for ObjectRanges {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        self.bytes(range).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move { coalesce_ranges(&ranges, |range| self.bytes(range), OBJECT_STORE_COALESCE_DEFAULT).await }
            .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let size = self.0.size();
        let reader = ParquetMetaDataReader::new()
            .with_arrow_reader_options(options)
            .with_prefetch_hint(Some(FOOTER_BYTES));
        async move { reader.load_and_finish(self, size).await.map(Arc::new) }.boxed()
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::DataCorrupted, format!("invalid parquet file: {what}"))
}

/// A failure of the store passes through unharmed; the rest is the file's fault, or of a build without its
/// codec.
fn explained(error: ParquetError) -> Error {
    let text = match &error {
        ParquetError::External(inner) => match inner.downcast_ref::<Error>() {
            Some(ours) => return ours.clone(),
            None => inner.to_string(),
        },
        ParquetError::General(text) | ParquetError::EOF(text) | ParquetError::ArrowError(text) => {
            text.clone()
        }
        ParquetError::NYI(text) => {
            return Error::not_supported(format!("parquet file is not supported: {}", phrase(text)))
                .with_source(error);
        }
        _ => "its structure contradicts itself".to_owned(),
    };
    if text.contains("encrypt") {
        return Error::not_supported("encrypted parquet file is not supported")
            .with_hint("Write the file without parquet modular encryption.")
            .with_source(error);
    }
    if let Some((_, codec)) = text.split_once("Disabled feature at compile time: ") {
        return Error::not_supported(format!("parquet compression {codec} is not supported"))
            .with_source(error);
    }
    invalid(&phrase(&text)).with_source(error)
}

/// What the decoder says as one line for a person: without what the caller says already, and without the
/// values of the decoder's own types that it prints behind a colon.
fn phrase(text: &str) -> String {
    const SAID: [&str; 6] = [
        "Parquet error: ",
        "Parquet argument error: ",
        "External: ",
        "EOF: ",
        "Arrow: ",
        "Invalid Parquet file. ",
    ];
    let mut text = text.lines().next().unwrap_or_default();
    while let Some(rest) = SAID.iter().find_map(|said| text.strip_prefix(said)) {
        text = rest;
    }
    if let Some(inside) = ["{", "::", "(\"", "Error"].iter().filter_map(|mark| text.find(mark)).min() {
        text =
            text[..inside].rsplit_once(": ").map_or("its structure contradicts itself", |(before, _)| before);
    }
    let text = text.trim_end_matches('.').replace("EOF", "end of file");
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !letters.clone().next().is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text,
    }
}
