use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, TimestampMicrosecondType};
use arrow::util::display::array_value_to_string;
use voxhouse_engine::ErrorKind;
use voxhouse_engine::source::FormatOptions;

use crate::conformance::{Shelf, assert_is_for_people, batches, read};
use crate::writers::{AvroCodec, avro_file, avro_header, avro_long, avro_text};

async fn batch(bytes: Vec<u8>) -> RecordBatch {
    let file = Shelf::in_memory("a.avro", bytes).await.open(&FormatOptions::new()).await.unwrap();
    let found = batches(&file).await.unwrap().remove(0).batch;
    assert_eq!(found.schema(), file.schema);
    found
}

fn record(fields: &str) -> String {
    format!("{{\"type\":\"record\",\"name\":\"r\",\"namespace\":\"n\",\"fields\":[{fields}]}}")
}

#[tokio::test]
async fn types_keep_their_values() {
    let schema = record(
        r#"{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":["long","null"]},
           {"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"x","type":"bytes"},
           {"name":"e","type":{"type":"enum","name":"E","symbols":["low","high"]}},
           {"name":"day","type":{"type":"int","logicalType":"date"}},
           {"name":"t","type":{"type":"long","logicalType":"time-micros"}},
           {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
           {"name":"n","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":2}},
           {"name":"m","type":["null",{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":9,"scale":3}]}"#,
    );
    let row = [
        vec![1],
        avro_long(-7),
        [avro_long(0), avro_long(i64::MIN)].concat(),
        1.5_f32.to_le_bytes().to_vec(),
        (-0.1_f64).to_le_bytes().to_vec(),
        [avro_long(2), vec![0, 255]].concat(),
        avro_long(1),
        avro_long(19_727),
        avro_long(1_000_001),
        avro_long(1_704_449_109_120),
        // -1234567890123456789012345678 hundredths, two's complement.
        [avro_long(12), (-1_234_567_890_123_456_789_012_345_678_i128).to_be_bytes()[4..].to_vec()].concat(),
        [avro_long(1), 12_345_i32.to_be_bytes().to_vec()].concat(),
    ]
    .concat();
    for codec in [AvroCodec::Null, AvroCodec::Deflate, AvroCodec::Snappy, AvroCodec::Zstandard] {
        let found = batch(avro_file(&schema, codec, &[(2, row.repeat(2)), (1, row.clone())])).await;
        assert_eq!(found.num_rows(), 3, "{codec:?}");
        let shown: Vec<String> =
            found.columns().iter().map(|column| array_value_to_string(column, 2).unwrap()).collect();
        let expected = [
            "true",
            "-7",
            "-9223372036854775808",
            "1.5",
            "-0.1",
            "00ff",
            "high",
            "2024-01-05",
            "00:00:01.000001",
            "2024-01-05T10:05:09.120Z",
            "-12345678901234567890123456.78",
            "12.345",
        ];
        assert_eq!(shown, expected, "{codec:?}");
        assert_eq!(found.column(2).as_primitive::<Int64Type>().value(0), i64::MIN);
        assert_eq!(
            found.column(9).as_primitive::<TimestampMicrosecondType>().value(0),
            1_704_449_109_120_000
        );
        assert_eq!(found.column(10).as_primitive::<Decimal128Type>().precision(), 38);
    }
}

#[tokio::test]
async fn nested_values_are_json() {
    let schema = record(
        r#"{"name":"tags","type":{"type":"array","items":"string"}},
           {"name":"scores","type":{"type":"map","values":["null","long"]}},
           {"name":"who","type":["null",{"type":"record","name":"Who","fields":[
               {"name":"name","type":"string"},{"name":"boss","type":["null","Who"]}]}]},
           {"name":"any","type":["null","string","int"]}"#,
    );
    let row = [
        [avro_long(-2), avro_long(5), avro_text("a\""), avro_text("送"), avro_long(0)].concat(),
        [avro_long(1), avro_text("k"), avro_long(1), avro_long(9), avro_long(0)].concat(),
        [avro_long(1), avro_text("x"), avro_long(1), avro_text("y"), avro_long(0)].concat(),
        [avro_long(2), avro_long(3)].concat(),
    ]
    .concat();
    let empty = [avro_long(0), avro_long(0), avro_long(0), avro_long(0)].concat();
    let found = batch(avro_file(&schema, AvroCodec::Null, &[(2, [row, empty].concat())])).await;
    assert!(found.schema().fields().iter().all(|field| field.data_type() == &DataType::Utf8));
    let cell = |column: usize, row: usize| {
        let column = found.column(column).as_string::<i32>();
        column.is_valid(row).then(|| column.value(row))
    };
    assert_eq!(cell(0, 0), Some("[\"a\\\"\",\"送\"]"));
    assert_eq!(cell(1, 0), Some("{\"k\":9}"));
    assert_eq!(cell(2, 0), Some("{\"name\":\"x\",\"boss\":{\"name\":\"y\",\"boss\":null}}"));
    assert_eq!(cell(3, 0), Some("3"));
    assert_eq!([cell(0, 1), cell(1, 1), cell(2, 1), cell(3, 1)], [Some("[]"), Some("{}"), None, None]);
}

#[tokio::test]
async fn what_contradicts_itself_is_refused_with_its_place() {
    let schema = record(r#"{"name":"a","type":"string"}"#);
    let rows = [avro_text("one"), avro_text("two")].concat();
    let file = |count, bytes: &[u8]| avro_file(&schema, AvroCodec::Null, &[(count, bytes.to_vec())]);
    let mut unsynchronised = file(2, &rows);
    let end = unsynchronised.len() - 1;
    unsynchronised[end] = b'X';
    for (bytes, message) in [
        (file(1, &rows), "a block has more rows than it says"),
        (file(3, &rows), "row 3: column \"a\": a value is cut off"),
        (file(-1, &rows), "a block has negative rows"),
        (file(1 << 40, &rows), "a block says it has more rows than bytes"),
        (file(1, &[4, 0xFF, 0xFE]), "row 1: column \"a\": a string is not UTF-8"),
        (unsynchronised, "a block does not end where it says"),
        (avro_header("{\"type\":\"record\"}", "null"), "its schema is not one of Avro"),
        (b"Obj\x02 and so on".to_vec(), "it does not begin as one"),
    ] {
        let error = read("a.avro", bytes, &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DataCorrupted);
        assert_eq!(error.message(), format!("invalid avro file: {message}"));
        assert_is_for_people(error.message());
    }
    let error = read("a.avro", avro_header(&schema, "xz"), &[]).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::NotSupported, "avro compression \"xz\" is not supported")
    );
    let error = read("a.avro", avro_header("\"string\"", "null"), &[]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}
