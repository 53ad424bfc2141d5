//! What every format must do alike, on every kind of object store; and the means to test one format alone.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::CompressionType;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value};
use voxhouse_engine::source::{BadRow, FileFormat, FormatOptions, OpenFile, SourceBatch};
use voxhouse_engine::{ErrorKind, Result};

use crate::formats;
use crate::writers::{
    AvroCodec, Workbook, arrow_file, arrow_stream, avro_file, avro_long, avro_text, text_cells, zip_archive,
};

pub(crate) type Row = Vec<Option<String>>;

/// A file as text, with the number of each row.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<(u64, Row)>,
    pub(crate) bad_rows: Vec<BadRow>,
}

/// An object store with one file, listed.
pub(crate) struct Shelf {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) file: ObjectMeta,
    _directory: Option<tempfile::TempDir>,
}

impl Shelf {
    pub(crate) async fn in_memory(name: &str, bytes: impl Into<PutPayload>) -> Self {
        Self::with(Arc::new(InMemory::new()), None, name, bytes.into()).await
    }

    pub(crate) async fn on_disk(name: &str, bytes: impl Into<PutPayload>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalFileSystem::new_with_prefix(directory.path()).unwrap();
        Self::with(Arc::new(store), Some(directory), name, bytes.into()).await
    }

    async fn with(
        store: Arc<dyn ObjectStore>,
        directory: Option<tempfile::TempDir>,
        name: &str,
        bytes: PutPayload,
    ) -> Self {
        let path = Path::from(name);
        store.put(&path, bytes).await.unwrap();
        let file = store.head(&path).await.unwrap();
        Self { store, file, _directory: directory }
    }

    pub(crate) async fn open(&self, options: &FormatOptions) -> Result<OpenFile> {
        let format = formats().by_file_name(self.file.location.as_ref())?;
        format.open(Arc::clone(&self.store), &self.file, options).await
    }

    pub(crate) async fn read(&self, options: &FormatOptions) -> Result<Contents> {
        contents(&self.open(options).await?).await
    }
}

/// Reads a file from memory.
pub(crate) async fn read(
    name: &str,
    bytes: impl Into<Vec<u8>>,
    options: &[(&str, &str)],
) -> Result<Contents> {
    Shelf::in_memory(name, bytes.into()).await.read(&format_options(options)).await
}

pub(crate) fn format_options(options: &[(&str, &str)]) -> FormatOptions {
    options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn row<const N: usize>(cells: [Option<&str>; N]) -> Row {
    cells.iter().map(|cell| cell.map(str::to_owned)).collect()
}

pub(crate) async fn batches(file: &OpenFile) -> Result<Vec<SourceBatch>> {
    let mut all = Vec::new();
    for split in &file.splits {
        all.extend(split.read().try_collect::<Vec<_>>().await?);
    }
    Ok(all)
}

/// Reads the splits of a file whose columns are all text, and checks what holds for every file.
pub(crate) async fn contents(file: &OpenFile) -> Result<Contents> {
    let columns = file.schema.fields().iter().map(|field| field.name().clone()).collect();
    let mut found = Contents { columns, ..Contents::default() };
    for source in batches(file).await? {
        assert_eq!(source.batch.schema(), file.schema);
        assert_eq!(source.batch.num_rows(), source.row_numbers.len());
        for (index, number) in source.row_numbers.iter().enumerate() {
            found.rows.push((*number, text_row(&source.batch, index)));
        }
        found.bad_rows.extend(source.bad_rows);
    }
    let mut numbers: Vec<u64> = found.rows.iter().map(|(number, _)| *number).collect();
    assert!(numbers.is_sorted());
    numbers.extend(found.bad_rows.iter().map(|bad| bad.row_number));
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "every row is numbered once");
    if let Some(count) = file.row_count {
        assert_eq!(count, numbers.len() as u64);
    }
    Ok(found)
}

fn text_row(batch: &RecordBatch, index: usize) -> Row {
    let cell = |column: &ArrayRef| {
        let column = column.as_string::<i32>();
        column.is_valid(index).then(|| column.value(index).to_owned())
    };
    batch.columns().iter().map(cell).collect()
}

/// Rows with what breaks a naive reader: nulls beside empty text, quotes, line ends, delimiters, Chinese.
pub(crate) fn sample(count: usize) -> Vec<Row> {
    let notes = [
        Some("送货很快"),
        None,
        Some(""),
        Some("says \"hi\""),
        Some("two\nlines"),
        Some("a,b\tc;d"),
        Some("007"),
        Some(" padded "),
        Some("back\\slash"),
    ];
    let rows =
        (0..count).map(|index| row([Some(&format!("{index:06}")), notes[index % notes.len()], Some("x")]));
    rows.collect()
}

const COLUMNS: [&str; 3] = ["id", "note", "last"];

fn csv(rows: &[Row], delimiter: &str) -> Vec<u8> {
    let line = |row: &Row| {
        let field = |cell: &Option<String>| match cell {
            None => String::new(),
            Some(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        };
        row.iter().map(field).collect::<Vec<_>>().join(delimiter) + "\r\n"
    };
    let header = COLUMNS.join(delimiter) + "\r\n";
    (header + &rows.iter().map(line).collect::<String>()).into_bytes()
}

fn ndjson(rows: &[Row]) -> Vec<u8> {
    let line = |row: &Row| {
        let members = COLUMNS.iter().zip(row).map(|(name, cell)| ((*name).to_owned(), cell.clone().into()));
        Value::Object(members.collect::<Map<_, _>>()).to_string() + "\n"
    };
    rows.iter().map(line).collect::<String>().into_bytes()
}

fn json(rows: &[Row]) -> Vec<u8> {
    let lines = String::from_utf8(ndjson(rows)).unwrap();
    let objects: Vec<String> = lines.lines().map(|line| line.replace("\":\"", "\" :\n\"")).collect();
    format!("[\n{}\n]", objects.join(",\n")).into_bytes()
}

fn xlsx(rows: &[Row]) -> Vec<u8> {
    let header = text_cells(&COLUMNS.map(|name| Some(name.to_owned())));
    let data: String = rows.iter().map(|row| text_cells(row)).collect();
    Workbook::new(&[], &[], &[("rows", &(header + &data))]).bytes()
}

fn avro(rows: &[Row]) -> Vec<u8> {
    let fields = COLUMNS.map(|name| format!("{{\"name\":\"{name}\",\"type\":[\"null\",\"string\"]}}"));
    let schema = format!("{{\"type\":\"record\",\"name\":\"r\",\"fields\":[{}]}}", fields.join(","));
    let cell = |cell: &Option<String>| match cell {
        None => avro_long(0),
        Some(text) => [avro_long(1), avro_text(text)].concat(),
    };
    let block = |rows: &[Row]| (rows.len() as i64, rows.iter().flatten().flat_map(cell).collect());
    avro_file(&schema, AvroCodec::Deflate, &rows.chunks(1000).map(block).collect::<Vec<_>>())
}

fn batch(rows: &[Row]) -> RecordBatch {
    let fields = COLUMNS.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect::<Vec<_>>();
    let column = |index: usize| {
        let cells = rows.iter().map(|row| row[index].as_deref());
        Arc::new(StringArray::from_iter(cells)) as ArrayRef
    };
    let schema = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, (0..COLUMNS.len()).map(column).collect()).unwrap()
}

fn parquet(rows: &[Row]) -> Vec<u8> {
    write_parquet(&batch(rows), WriterProperties::builder().set_max_row_group_row_count(Some(4000)).build())
}

pub(crate) fn write_parquet(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// A file of each kind with the same rows.
pub(crate) fn files(rows: &[Row]) -> Vec<(&'static str, Vec<u8>)> {
    let (csv_text, lines, array, batch) = (csv(rows, ","), ndjson(rows), json(rows), batch(rows));
    vec![
        ("rows.csv.zip", zip_archive(&[("deep/rows.csv", &csv_text)])),
        ("rows.parquet", parquet(rows)),
        ("rows.pq", parquet(rows)),
        ("rows.csv.gz", gzip(&csv_text)),
        ("rows.csv.zst", zstd(&csv_text)),
        ("ROWS.CSV", csv_text),
        ("rows.tsv", csv(rows, "\t")),
        ("rows.ndjson.gz", gzip(&lines)),
        ("rows.ndjson.zst", zstd(&lines)),
        ("rows.jsonl", lines),
        ("rows.json.gz", gzip(&array)),
        ("rows.json", array),
        ("rows.xlsx", xlsx(rows)),
        ("rows.avro", avro(rows)),
        ("rows.arrow", arrow_file(&batch, None)),
        ("rows.feather", arrow_file(&batch, Some(CompressionType::LZ4_FRAME))),
        ("rows.arrows", arrow_stream(&batch)),
    ]
}

async fn shelves(name: &str, bytes: &[u8]) -> [Shelf; 2] {
    [Shelf::in_memory(name, bytes.to_vec()).await, Shelf::on_disk(name, bytes.to_vec()).await]
}

#[tokio::test]
async fn every_format_yields_the_same_rows() {
    let rows = sample(9_000);
    let expected = Contents {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: (1..).zip(rows.iter().cloned()).collect(),
        bad_rows: Vec::new(),
    };
    for (name, bytes) in files(&rows) {
        for shelf in shelves(name, &bytes).await {
            let found = shelf.read(&FormatOptions::new()).await.unwrap();
            assert!(found == expected, "{name} on {}", shelf.store);
        }
    }
}

#[tokio::test]
async fn a_split_can_be_read_twice() {
    for (name, bytes) in files(&sample(10)) {
        let file = Shelf::in_memory(name, bytes).await;
        let file = file.open(&FormatOptions::new()).await.unwrap();
        assert_eq!(contents(&file).await.unwrap(), contents(&file).await.unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_early_does_no_harm() {
    for (name, bytes) in files(&sample(9_000)) {
        for shelf in shelves(name, &bytes).await {
            let file = shelf.open(&FormatOptions::new()).await.unwrap();
            let first = file.splits[0].read().try_next().await.unwrap();
            assert_eq!(first.unwrap().row_numbers[0], 1, "{name}");
        }
    }
}

#[tokio::test]
async fn a_file_without_rows_has_a_schema() {
    for (name, bytes) in files(&[]) {
        if name.contains("json") {
            continue;
        }
        for shelf in shelves(name, &bytes).await {
            let file = shelf.open(&FormatOptions::new()).await.unwrap();
            assert!(!file.splits.is_empty());
            let found = contents(&file).await.unwrap();
            assert_eq!(
                (found.columns, found.rows),
                (COLUMNS.map(str::to_owned).to_vec(), Vec::new()),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    for (name, _) in files(&[]) {
        let (kind, message) = match name {
            "rows.parquet" | "rows.pq" => (ErrorKind::DataCorrupted, "invalid parquet file: it is empty"),
            "rows.xlsx" => (ErrorKind::DataCorrupted, "invalid xlsx file: it is empty"),
            "rows.avro" => (ErrorKind::DataCorrupted, "invalid avro file: it is empty"),
            "rows.arrow" | "rows.arrows" | "rows.feather" => {
                (ErrorKind::DataCorrupted, "invalid arrow file: it is empty")
            }
            _ if name.ends_with(".zip") => {
                (ErrorKind::DataCorrupted, "invalid zip data: it has no directory, it may be truncated")
            }
            _ if name.ends_with(".gz") => (ErrorKind::DataCorrupted, "invalid gzip data: it is truncated"),
            _ if name.ends_with(".zst") => (ErrorKind::DataCorrupted, "invalid zstd data: it is truncated"),
            _ => (ErrorKind::InvalidText, "file is empty"),
        };
        for shelf in shelves(name, b"").await {
            let error = shelf.read(&FormatOptions::new()).await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (kind, message), "{name}");
        }
    }
}

#[tokio::test]
async fn a_truncated_file_is_an_error_and_never_fewer_rows() {
    for (name, bytes) in files(&sample(9_000)) {
        // Text that merely stops is a shorter text.
        if [".tsv", ".CSV", ".jsonl"].iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        for length in [bytes.len() - 1, bytes.len() / 2, bytes.len() / 10, 5] {
            for shelf in shelves(name, &bytes[..length]).await {
                let error = shelf.read(&FormatOptions::new()).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::DataCorrupted, "{name}: {error}");
                assert_is_for_people(error.message());
            }
        }
    }
}

/// Bytes at random from those that mean something: rows, bad rows or an error, but never a panic, and every
/// row numbered once.
#[tokio::test]
async fn garbage_does_no_harm() {
    let pieces: [&[u8]; 15] = [
        b"a",
        b",",
        b"\"",
        b"\n",
        b"\r",
        b"\r\n",
        b"{\"a\":",
        b"}",
        b"1",
        b"\\",
        b"\t",
        b"\xff",
        b"\xe4\xb8\xad",
        b"\x81\x30",
        b"\0",
    ];
    let options: [&[(&str, &str)]; 6] = [
        &[],
        &[("encoding", "gb18030")],
        &[("encoding", "utf-16le")],
        &[("header", "false"), ("escape", "\\")],
        &[("quote", "none"), ("skip_rows", "1")],
        &[("delimiter", "\t"), ("null", "a")],
    ];
    let mut random = StdRng::seed_from_u64(3);
    for round in 0..1500 {
        let count = random.random_range(0..40);
        let bytes: Vec<u8> =
            (0..count).flat_map(|_| pieces[random.random_range(0..pieces.len())]).copied().collect();
        let options = options[round % options.len()];
        for name in ["a.csv", "a.ndjson", "a.json"] {
            if name != "a.csv" && options.iter().any(|(option, _)| *option != "encoding") {
                continue;
            }
            if let Err(error) = read(name, bytes.clone(), options).await {
                // Only an array and its values can be cut off.
                let cut = name == "a.json" && error.kind() == ErrorKind::DataCorrupted;
                assert!(cut || error.kind() == ErrorKind::InvalidText, "{bytes:?}: {error}");
            }
        }
    }
}

/// One line, lower case, no full stop, nothing of the program's inside.
pub(crate) fn assert_is_for_people(message: &str) {
    assert!(!message.contains('\n') && !message.ends_with('.'), "{message}");
    assert!(message.starts_with(char::is_lowercase), "{message}");
    for inside in ["::", "Error", "src/", "Custom", "kind:", "External", "EOF"] {
        assert!(!message.contains(inside), "{message}");
    }
}

#[tokio::test]
async fn a_file_deleted_before_it_is_read_is_the_stores_failure() {
    for (name, bytes) in files(&sample(100)) {
        for shelf in shelves(name, &bytes).await {
            let file = shelf.open(&FormatOptions::new()).await.unwrap();
            shelf.store.delete(&shelf.file.location).await.unwrap();
            let error = contents(&file).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageIo, "{name}: {error}");
            assert_eq!(error.message(), format!("object \"{name}\" does not exist"));
            let error = shelf.open(&FormatOptions::new()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageIo, "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn a_file_replaced_before_it_is_read_is_not_mixed_with_its_successor() {
    for (name, bytes) in files(&sample(100)) {
        for shelf in shelves(name, &bytes).await {
            let file = shelf.open(&FormatOptions::new()).await.unwrap();
            let longer = [bytes.as_slice(), b"x"].concat();
            shelf.store.put(&shelf.file.location, longer.into()).await.unwrap();
            let error = contents(&file).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageIo, "{name}: {error}");
            assert!(error.message().ends_with("changed after it was listed"), "{error}");
        }
    }
}

#[test]
fn an_unknown_option_is_refused_with_the_list() {
    for name in formats().names() {
        let format = formats().by_name(name).unwrap();
        assert!(format.check_options(&FormatOptions::new()).is_ok());
        let error = format.check_options(&format_options(&[("colour", "red")])).unwrap_err();
        assert_eq!(error.sqlstate(), "22023");
        assert_eq!(error.message(), format!("option \"colour\" does not exist for format {name}"));
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_file_name_tells_the_format() {
    let cases = [
        ("a/b.parquet", Some("parquet")),
        ("part-0.snappy.parquet", Some("parquet")),
        ("a.PQ", Some("parquet")),
        ("a.csv", Some("csv")),
        ("a.csv.gz", Some("csv")),
        ("a.Csv.ZST", Some("csv")),
        ("a.tsv", Some("csv")),
        ("a.ndjson", Some("ndjson")),
        ("a.jsonl.zst", Some("ndjson")),
        ("a.json", Some("json")),
        ("a.json.gz", Some("json")),
        ("a.csv.zip", Some("csv")),
        ("a.zip", None),
        ("A.XLSX", Some("xlsx")),
        ("a.xls", None),
        ("a.avro", Some("avro")),
        ("a.arrow", Some("arrow")),
        ("a.feather", Some("arrow")),
        ("a.txt", None),
        ("a.parquet.gz", None),
        ("csv", None),
        ("_SUCCESS", None),
    ];
    for (file_name, format) in cases {
        let found = formats().by_file_name(file_name).ok().map(|format| format.name());
        assert_eq!(found, format, "{file_name}");
    }
}

#[test]
fn formats_claim_different_names() {
    let all: Vec<Arc<dyn FileFormat>> =
        formats().names().iter().map(|name| formats().by_name(name).unwrap()).collect();
    for (name, _) in files(&[]) {
        assert_eq!(all.iter().filter(|format| format.claims(name)).count(), 1, "{name}");
    }
}
