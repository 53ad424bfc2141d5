use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};
use parquet::basic::Compression;
use parquet::data_type::{Int96, Int96Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use voxhouse_engine::ErrorKind;
use voxhouse_engine::source::FormatOptions;

use crate::conformance::{Shelf, assert_is_for_people, batches, write_parquet};

fn properties(codec: Compression, row_group: usize) -> WriterProperties {
    let properties = WriterProperties::builder().set_compression(codec).set_dictionary_enabled(false);
    properties.set_max_row_group_row_count(Some(row_group)).build()
}

async fn open(bytes: Vec<u8>) -> voxhouse_engine::source::OpenFile {
    Shelf::in_memory("a.parquet", bytes).await.open(&FormatOptions::new()).await.unwrap()
}

#[tokio::test]
async fn a_large_file_is_cut_into_splits_that_know_their_rows() {
    let rows: u64 = 12_000;
    let mut random = StdRng::seed_from_u64(5);
    let payload = (0..rows).map(|_| {
        let mut bytes = vec![0; 1024];
        random.fill_bytes(&mut bytes);
        Some(bytes)
    });
    let id: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=rows as i64));
    let payload: ArrayRef = Arc::new(payload.collect::<BinaryArray>());
    let batch = RecordBatch::try_from_iter([("id", id), ("payload", payload)]).unwrap();
    let file = open(write_parquet(&batch, properties(Compression::UNCOMPRESSED, 1000))).await;
    assert_eq!(file.row_count, Some(rows));
    assert_eq!(file.splits.len(), 3);
    let mut next = 1;
    for source in batches(&file).await.unwrap() {
        let ids = source.batch.column(0).as_primitive::<Int64Type>();
        for (index, number) in source.row_numbers.iter().enumerate() {
            assert_eq!((*number, ids.value(index)), (next, next as i64));
            next += 1;
        }
    }
    assert_eq!(next, rows + 1);
}

#[tokio::test]
async fn types_pass_through() {
    let text: ArrayRef = Arc::new(StringArray::from(vec![Some("1"), None, Some("2")]));
    let to = |data_type: &DataType| cast(&text, data_type).unwrap();
    let types = [
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        DataType::Decimal128(18, 2),
        DataType::Int32,
        DataType::Float64,
        DataType::LargeBinary,
        DataType::List(Arc::new(arrow::datatypes::Field::new("item", DataType::Utf8, true))),
    ];
    let mut columns: Vec<(String, ArrayRef)> =
        types.iter().enumerate().map(|(index, data_type)| (format!("c{index}"), to(data_type))).collect();
    let count = cast(&to(&DataType::Int32), &DataType::Int64).unwrap();
    for data_type in [DataType::Date64, DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))] {
        let column = cast(&count, &data_type).unwrap();
        columns.push((format!("t{}", columns.len()), column));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = open(write_parquet(&batch, properties(Compression::SNAPPY, 1000))).await;
    let found = batches(&file).await.unwrap().remove(0);
    assert_eq!(found.batch.schema(), file.schema);
    for (index, field) in batch.schema().fields().iter().enumerate() {
        assert_eq!(found.batch.schema().field(index).data_type(), field.data_type());
        assert_eq!(found.batch.column(index), batch.column(index), "{field}");
    }
}

#[tokio::test]
async fn every_codec_is_built_in() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["送货"; 1000]));
    let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(Default::default()),
        Compression::GZIP(Default::default()),
        Compression::LZ4_RAW,
        Compression::BROTLI(Default::default()),
    ];
    for codec in codecs {
        let file = open(write_parquet(&batch, properties(codec, 1000))).await;
        assert_eq!(batches(&file).await.unwrap()[0].batch.column(0), batch.column(0));
    }
}

/// Day 2,932,896 after 1970 is 9999-12-31, which nanoseconds cannot say.
#[tokio::test]
async fn int96_timestamps_are_read_to_the_microsecond() {
    const JULIAN_1970: u32 = 2_440_588;
    let message =
        "message m { optional int96 at; optional group g { optional int96 inner; } optional int64 n; }";
    let schema = Arc::new(parse_message_type(message).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut row_group = writer.next_row_group().unwrap();
    let day = |day: u32, nanos: u64| {
        let mut value = Int96::new();
        value.set_data(nanos as u32, (nanos >> 32) as u32, JULIAN_1970 + day);
        value
    };
    let values = [day(0, 1_234_567), day(2_932_896, 0)];
    for level in [1, 2] {
        let mut column = row_group.next_column().unwrap().unwrap();
        column.typed::<Int96Type>().write_batch(&values, Some(&[level, level]), None).unwrap();
        column.close().unwrap();
    }
    let mut column = row_group.next_column().unwrap().unwrap();
    column.typed::<parquet::data_type::Int64Type>().write_batch(&[], Some(&[0, 0]), None).unwrap();
    column.close().unwrap();
    row_group.close().unwrap();
    let file = open(writer.into_inner().unwrap()).await;
    let found = batches(&file).await.unwrap().remove(0).batch;
    assert_eq!(found.schema(), file.schema);
    let expected = [1_234, 2_932_896 * 86_400_000_000];
    let at = found.column(0).as_primitive::<TimestampMicrosecondType>();
    let inner = found.column(1).as_struct().column(0).as_primitive::<TimestampMicrosecondType>();
    assert_eq!((&at.values()[..], &inner.values()[..]), (&expected[..], &expected[..]));
    assert_eq!(found.column(2).null_count(), 2);
}

#[tokio::test]
async fn what_is_no_parquet_file_is_said_to_be_none() {
    for bytes in
        [b"PAR1".as_slice(), b"not parquet at all", b"PAR1PAR1", b"PAR1\xff\xff\xff\xffPAR1", &[0; 100]]
    {
        let shelf = Shelf::in_memory("a.parquet", bytes.to_vec()).await;
        let error = shelf.read(&FormatOptions::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataCorrupted);
        assert!(error.message().starts_with("invalid parquet file: "), "{error}");
        assert_is_for_people(error.message());
    }
}

/// Bytes flipped anywhere: rows, or one clear error, and never a panic.
#[tokio::test]
async fn a_damaged_file_never_panics() {
    let mut random = StdRng::seed_from_u64(11);
    let text: ArrayRef =
        Arc::new((0..3000).map(|index| Some(format!("note {}", index % 97))).collect::<StringArray>());
    let number: ArrayRef =
        Arc::new((0..3000).map(|index| (index % 5 != 0).then_some(index)).collect::<Int64Array>());
    let batch = RecordBatch::try_from_iter([("text", text), ("number", number)]).unwrap();
    let mut refused = 0;
    for codec in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(Default::default())] {
        let builder =
            WriterProperties::builder().set_compression(codec).set_max_row_group_row_count(Some(1000));
        let bytes = write_parquet(&batch, builder.build());
        for round in 0..300 {
            let mut damaged = bytes.clone();
            // Half of the damage goes to the footer, where the structure is.
            let first = if round % 2 == 0 { 0 } else { bytes.len().saturating_sub(1500) };
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(first..bytes.len());
                damaged[at] = random.random();
            }
            let shelf = Shelf::in_memory("a.parquet", damaged).await;
            let result = match shelf.open(&FormatOptions::new()).await {
                Ok(file) => batches(&file).await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                refused += 1;
                assert!(
                    matches!(error.kind(), ErrorKind::DataCorrupted | ErrorKind::NotSupported),
                    "{error:?}"
                );
                assert_is_for_people(error.message());
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// Decimals come as 32-bit and 64-bit integers, as bytes of a fixed length and as bytes of any.
#[tokio::test]
async fn decimals_of_every_encoding_are_exact() {
    let message = "message m { required int32 a (DECIMAL(9,2)); required int64 b (DECIMAL(18,4)); \
         required fixed_len_byte_array(16) c (DECIMAL(38,10)); required binary d (DECIMAL(20,3)); }";
    let schema = Arc::new(parse_message_type(message).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    let mut row_group = writer.next_row_group().unwrap();
    let big = -12_345_678_901_234_567_890_123_456_789_i128;
    macro_rules! column {
        ($kind:ty, $value:expr) => {
            let mut column = row_group.next_column().unwrap().unwrap();
            column.typed::<$kind>().write_batch(&[$value], None, None).unwrap();
            column.close().unwrap();
        };
    }
    column!(parquet::data_type::Int32Type, -12_345);
    column!(parquet::data_type::Int64Type, 123_456_789_012);
    column!(parquet::data_type::FixedLenByteArrayType, big.to_be_bytes().to_vec().into());
    column!(parquet::data_type::ByteArrayType, vec![0xFF, 0x38].into());
    row_group.close().unwrap();
    let file = open(writer.into_inner().unwrap()).await;
    let found = batches(&file).await.unwrap().remove(0).batch;
    let shown: Vec<String> = found
        .columns()
        .iter()
        .map(|column| arrow::util::display::array_value_to_string(column, 0).unwrap())
        .collect();
    assert_eq!(shown, ["-123.45", "12345678.9012", "-1234567890123456789.0123456789", "-0.200"]);
}

#[tokio::test]
async fn nested_and_rare_types_pass_through() {
    use arrow::array::{
        BooleanArray, Date32Array, FixedSizeBinaryArray, Float32Array, ListArray, MapBuilder, StringBuilder,
        StructArray, Time64MicrosecondArray, UInt64Array,
    };
    use arrow::datatypes::{Field, Int32Type};
    let list =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let inner: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("z")]));
    let nested: ArrayRef = Arc::new(list.clone());
    let record = StructArray::from(vec![
        (Arc::new(Field::new("text", DataType::Utf8, true)), inner),
        (Arc::new(Field::new("list", list.data_type().clone(), true)), nested),
    ]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for key in ["a", "b", "c"] {
        map.keys().append_value(key);
        map.values().append_null();
        map.append(true).unwrap();
    }
    let half = cast(&Float32Array::from(vec![0.5, 1.5, 2.5]), &DataType::Float16).unwrap();
    let uuid = FixedSizeBinaryArray::try_from_iter([[1_u8; 16], [2; 16], [3; 16]].into_iter()).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("list", Arc::new(list)),
        ("record", Arc::new(record)),
        ("map", Arc::new(map.finish())),
        ("half", half),
        ("uuid", Arc::new(uuid)),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("day", Arc::new(Date32Array::from(vec![-1, 0, 2_932_896]))),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![0, 1, 86_399_999_999]))),
        ("unsigned", Arc::new(UInt64Array::from(vec![0, 1, u64::MAX]))),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    );
    let batch = batch.unwrap();
    let file = open(write_parquet(&batch, properties(Compression::SNAPPY, 1000))).await;
    assert_eq!(batches(&file).await.unwrap().remove(0).batch, batch);
}

#[tokio::test]
async fn an_encrypted_file_is_not_taken_for_a_damaged_one() {
    let shelf = Shelf::in_memory("a.parquet", b"PAR1 secret \x08\0\0\0PARE".to_vec()).await;
    let error = shelf.read(&FormatOptions::new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::NotSupported, "encrypted parquet file is not supported")
    );
}
