use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use voxhouse_engine::Result;

use super::receive::read_all;
use super::send::write_all;
use super::*;
use crate::wire::types::PG_TYPE;

fn text() -> TextFormat {
    TextFormat {
        delimiter: b'\t',
        null: "\\N".into(),
        header: Header::None,
        csv: None,
        charset: Charset::Utf8,
    }
}

fn csv() -> TextFormat {
    let csv = CsvFormat {
        quote: b'"',
        escape: b'"',
        force_quote: Vec::new(),
        force_not_null: Vec::new(),
        force_null: Vec::new(),
    };
    TextFormat { delimiter: b',', null: String::new(), csv: Some(csv), ..text() }
}

fn formats() -> Vec<CopyFormat> {
    let odd_csv = CsvFormat {
        quote: b'\'',
        escape: b'\\',
        force_quote: vec![true; 30],
        force_not_null: Vec::new(),
        force_null: Vec::new(),
    };
    let odd = TextFormat { delimiter: b'1', null: "NULL".into(), csv: Some(odd_csv), ..text() };
    let minus = TextFormat { delimiter: b'-', null: "~".into(), ..text() };
    let gb18030 = TextFormat { charset: Charset::named("GB18030").unwrap(), ..csv() };
    let named = TextFormat { header: Header::Match, ..csv() };
    let texts = [text(), csv(), odd, minus, gb18030, named].map(CopyFormat::Text);
    texts.into_iter().chain([CopyFormat::Binary]).collect()
}

fn typed(name: &str, pg: &str, array: ArrayRef) -> (Field, ArrayRef) {
    let field = Field::new(name, array.data_type().clone(), true);
    (field.with_metadata([(PG_TYPE.to_owned(), pg.to_owned())].into()), array)
}

/// A column of every type that a table can have, with NULLs and the ends of the ranges.
fn every_type() -> RecordBatch {
    let decimal = Decimal128Array::from(vec![
        Some(0),
        Some(-12_345),
        Some(99_999_999_999_999_999_999_999_999_999_999_999_999),
        Some(7),
        None,
    ]);
    let numbers: Vec<Option<Vec<Option<i64>>>> =
        vec![Some(vec![Some(1), None]), Some(vec![]), None, Some(vec![Some(i64::MIN)]), Some(vec![None])];
    let mut list =
        ListBuilder::new(Int64Builder::new()).with_field(Field::new("element", DataType::Int64, true));
    numbers.iter().for_each(|row| list.append_option(row.clone()));
    let mut words =
        ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    for row in
        [Some(vec![Some("a,b"), None, Some("NULL")]), Some(vec![Some("q\"\\{}\n")]), None, Some(vec![]), None]
    {
        words.append_option(row);
    }
    let texts = vec![Some("plain"), Some(""), Some("\\N"), Some("a\tb,c\"d'e\\f\ng\rh\u{b}中\\."), None];
    let micros = vec![Some(0), Some(-1), Some(253_402_300_799_999_999), Some(1_700_000_000_500_000), None];
    let columns = vec![
        typed("flag", "bool", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None, None]))),
        typed(
            "small",
            "int2",
            Arc::new(Int16Array::from(vec![Some(i16::MIN), Some(i16::MAX), None, Some(0), None])),
        ),
        typed(
            "whole",
            "int4",
            Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(i32::MAX), None, Some(-7), None])),
        ),
        typed(
            "large",
            "int8",
            Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None, Some(1), None])),
        ),
        typed(
            "single",
            "float4",
            Arc::new(Float32Array::from(vec![
                Some(f32::INFINITY),
                Some(-0.1),
                None,
                Some(1e-40),
                Some(f32::NAN),
            ])),
        ),
        typed(
            "double",
            "float8",
            Arc::new(Float64Array::from(vec![
                Some(f64::NEG_INFINITY),
                Some(0.1),
                None,
                Some(5e-324),
                Some(1e300),
            ])),
        ),
        typed("amount", "numeric", Arc::new(decimal.with_precision_and_scale(38, 4).unwrap())),
        typed("body", "text", Arc::new(StringArray::from(texts.clone()))),
        typed("short", "varchar(40)", Arc::new(StringArray::from(texts))),
        typed(
            "bytes",
            "bytea",
            Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff\\"[..]), Some(b""), None, Some(b"abc"), None])),
        ),
        typed(
            "day",
            "date",
            Arc::new(Date32Array::from(vec![Some(0), Some(-719_162), Some(2_932_896), None, Some(19_000)])),
        ),
        typed("at", "timestamp", Arc::new(TimestampMicrosecondArray::from(micros.clone()))),
        typed(
            "instant",
            "timestamptz",
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC")),
        ),
        typed(
            "id",
            "uuid",
            Arc::new(StringArray::from(vec![
                Some("123e4567-e89b-12d3-a456-426614174000"),
                None,
                None,
                Some("00000000-0000-0000-0000-000000000000"),
                None,
            ])),
        ),
        typed(
            "document",
            "json",
            Arc::new(StringArray::from(vec![
                Some("{\"a\": [1, null, \"x\\n\"]}"),
                Some("null"),
                None,
                Some("3"),
                None,
            ])),
        ),
        typed("numbers", "int8[]", Arc::new(list.finish())),
        typed("words", "text[]", Arc::new(words.finish())),
    ];
    let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn copy_of(schema: SchemaRef, format: &CopyFormat) -> CopyIn {
    CopyIn { relation: "t".into(), format: format.clone(), columns: schema }
}

fn read(columns: &[(&str, &str, DataType)], format: &CopyFormat, parts: &[&[u8]]) -> Result<RecordBatch> {
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, pg, data_type)| {
            Field::new(*name, data_type.clone(), true)
                .with_metadata([(PG_TYPE.to_owned(), (*pg).to_owned())].into())
        })
        .collect();
    let copy = copy_of(Arc::new(Schema::new(fields)), format);
    let mut batches = read_all(&copy, parts)?;
    assert_eq!(batches.len(), 1);
    Ok(batches.remove(0))
}

fn pair(format: &CopyFormat, parts: &[&[u8]]) -> Result<RecordBatch> {
    read(&[("a", "int4", DataType::Int32), ("b", "text", DataType::Utf8)], format, parts)
}

#[test]
fn every_type_comes_back_in_every_format_however_the_bytes_are_cut() {
    let batch = every_type();
    for format in formats() {
        let messages = write_all(&batch, &format).unwrap();
        let bytes = messages.concat();
        let copy = copy_of(batch.schema(), &format);
        let halves: Vec<_> = [1, 10, 19, 20, bytes.len() / 2, bytes.len() - 1]
            .iter()
            .map(|&cut| vec![&bytes[..cut], &bytes[cut..]])
            .collect();
        let singly: Vec<&[u8]> = bytes.chunks(1).collect();
        let by_row: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        for parts in halves.into_iter().chain([singly, by_row, vec![&bytes[..]]]) {
            let read = read_all(&copy, &parts).unwrap_or_else(|error| {
                panic!("{format:?}: {error} {:?}\n{}", error.context(), String::from_utf8_lossy(&bytes))
            });
            assert_eq!(read.len(), 1);
            let columns = read[0].columns();
            for (index, array) in batch.columns().iter().enumerate() {
                assert_eq!(
                    columns[index].as_ref(),
                    array.as_ref(),
                    "{format:?}: {}",
                    batch.schema().field(index)
                );
            }
        }
    }
}

#[test]
fn lines_look_as_postgres_writes_them() {
    let fields = vec![Field::new("a", DataType::Utf8, true), Field::new("b,", DataType::Int32, true)];
    let texts = StringArray::from(vec![
        Some("x"),
        None,
        Some(""),
        Some("a\tb\nc\rd\\e\u{8}\u{c}\u{b}\u{1}|"),
        Some("it's \"5\""),
        Some("\\N"),
    ]);
    let numbers = Int32Array::from(vec![Some(-1), None, Some(0), None, Some(5), Some(6)]);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), vec![Arc::new(texts), Arc::new(numbers)])
        .unwrap();
    let lines = |format: TextFormat| {
        let messages = write_all(&batch, &CopyFormat::Text(format)).unwrap();
        String::from_utf8(messages.concat()).unwrap()
    };
    let header = Header::Line;
    assert_eq!(
        lines(TextFormat { header, ..text() }),
        "a\tb,\nx\t-1\n\\N\t\\N\n\t0\na\\tb\\nc\\rd\\\\e\\b\\f\\v\u{1}|\t\\N\nit's \"5\"\t5\n\\\\N\t6\n"
    );
    assert_eq!(
        lines(TextFormat { delimiter: b'|', null: "-".into(), ..text() }),
        "x|-1\n-|-\n|0\na\\tb\\nc\\rd\\\\e\\b\\f\\v\u{1}\\||-\nit's \"5\"|5\n\\\\N|6\n"
    );
    assert_eq!(
        lines(TextFormat { header, ..csv() }),
        "a,\"b,\"\nx,-1\n,\n\"\",0\n\"a\tb\nc\rd\\e\u{8}\u{c}\u{b}\u{1}|\",\n\"it's \"\"5\"\"\",5\n\\N,6\n"
    );
    let forced =
        CsvFormat { force_quote: vec![false, true], quote: b'\'', escape: b'!', ..csv().csv.unwrap() };
    assert_eq!(
        lines(TextFormat { csv: Some(forced), null: "5".into(), delimiter: b';', ..csv() }),
        "x;'-1'\n5;5\n;'0'\n'a\tb\nc\rd\\e\u{8}\u{c}\u{b}\u{1}|';5\n'it!'s \"5\"';'5'\n\\N;'6'\n"
    );
}

#[test]
fn a_lone_end_marker_is_quoted() {
    let batch = |name: &str| {
        let array: ArrayRef = Arc::new(StringArray::from(vec!["\\."]));
        RecordBatch::try_from_iter([(name, array)]).unwrap()
    };
    let messages = write_all(&batch("a"), &CopyFormat::Text(csv())).unwrap();
    assert_eq!(messages, [b"\"\\.\"\n".to_vec()]);
}

#[test]
fn binary_goes_in_the_messages_that_clients_expect() {
    let array: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let batch = RecordBatch::try_from_iter([("a", array)]).unwrap();
    let head = [&SIGNATURE[..], &[0; 8]].concat();
    let messages = write_all(&batch, &CopyFormat::Binary).unwrap();
    let first = [&head[..], &[0, 1, 0, 0, 0, 4, 0, 0, 0, 1]].concat();
    assert_eq!(messages, [first, vec![0, 1, 255, 255, 255, 255], vec![255, 255]]);
    let empty = write_all(&batch.slice(0, 0), &CopyFormat::Binary).unwrap();
    assert_eq!(empty, [[&head[..], &[255, 255]].concat()]);
}

#[test]
fn what_latin_1_lacks_is_an_error_and_what_it_has_is_one_byte() {
    let array: ArrayRef = Arc::new(StringArray::from(vec!["é"]));
    let batch = RecordBatch::try_from_iter([("a", array)]).unwrap();
    let format = CopyFormat::Text(TextFormat { charset: Charset::Latin1, ..text() });
    assert_eq!(write_all(&batch, &format).unwrap(), [vec![0xe9, b'\n']]);
    let array: ArrayRef = Arc::new(StringArray::from(vec!["中"]));
    let batch = RecordBatch::try_from_iter([("a", array)]).unwrap();
    let error = write_all(&batch, &format).unwrap_err();
    assert_eq!(error.sqlstate(), "22P05");
    assert_eq!(
        error.message(),
        "character with byte sequence 0xe4 0xb8 0xad in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\""
    );
}

#[test]
fn rows_have_the_numbers_of_their_lines() {
    let numbers = |format: TextFormat, data: &str| -> Vec<u64> {
        let batch = pair(&CopyFormat::Text(format), &[data.as_bytes()]).unwrap();
        batch.column(2).as_primitive::<UInt64Type>().values().to_vec()
    };
    assert_eq!(numbers(text(), "1\tx\n2\ty\\\nz\n3\tw"), [1, 2, 3]);
    assert_eq!(numbers(TextFormat { header: Header::Line, ..csv() }, "a,b\n1,\"x\n\ny\"\n2,z\n"), [4, 5]);
    assert_eq!(numbers(csv(), "1,\"x\r\ny\"\r\n2,z\r\n"), [2, 3]);
}

/// The same answer, good or bad, whether the bytes come at once or one by one.
fn assert_cut_does_not_matter(format: &CopyFormat, data: &[u8]) {
    let answer = |parts: &[&[u8]]| {
        pair(format, parts).map_err(|error| {
            (error.sqlstate(), error.message().to_owned(), error.context().map(str::to_owned))
        })
    };
    let singly: Vec<&[u8]> = data.chunks(1).collect();
    assert_eq!(answer(&[data]), answer(&singly), "{format:?}: {:?}", String::from_utf8_lossy(data));
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = StdRng::seed_from_u64(7);
    let alphabet: &[&[u8]] = &[
        b"\t",
        b",",
        b"\n",
        b"\r",
        b"\r\n",
        b"\\",
        b"\\.",
        b"\\N",
        b"\"",
        b"\"\"",
        b"1",
        b"x",
        b"\0",
        b"\xff",
        b"\xc3",
        b"\\x",
        b"\\7",
        b"'",
        "中".as_bytes(),
        b"1\tx\n",
        b"1,x\n",
    ];
    for format in formats().iter().filter(|format| matches!(format, CopyFormat::Text(_))) {
        for _ in 0..2_000 {
            let pieces = random.random_range(0..12);
            let data: Vec<u8> =
                (0..pieces).flat_map(|_| alphabet[random.random_range(0..alphabet.len())].to_vec()).collect();
            assert_cut_does_not_matter(format, &data);
        }
    }
}

#[test]
fn no_tuple_makes_it_panic() {
    let mut random = StdRng::seed_from_u64(8);
    let good = {
        let columns: [(&str, ArrayRef); 2] = [
            ("a", Arc::new(Int32Array::from(vec![1, 2]))),
            ("b", Arc::new(StringArray::from(vec!["x", "yz"]))),
        ];
        write_all(&RecordBatch::try_from_iter(columns).unwrap(), &CopyFormat::Binary).unwrap().concat()
    };
    for cut in 0..good.len() {
        assert_cut_does_not_matter(&CopyFormat::Binary, &good[..cut]);
    }
    for _ in 0..5_000 {
        let mut bad = good.clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bad.len());
            bad[at] = *[0, 1, 2, 127, 128, 254, 255].get(random.random_range(0..7)).unwrap();
        }
        assert_cut_does_not_matter(&CopyFormat::Binary, &bad);
    }
}

/// `(the tuple, SQLSTATE, message)`
#[test]
fn lengths_and_counts_are_not_believed() {
    let head = [&SIGNATURE[..], &[0; 8]].concat();
    for (tuple, sqlstate, message) in [
        (&[0, 2, 127, 255, 255, 255, 0][..], "53400", "a row exceeds the limit of 1048576 bytes"),
        (&[0, 2, 255, 255, 255, 254], "22P04", "invalid field size"),
        (&[127, 255], "22P04", "row field count is 32767, expected 2"),
        (&[128, 0], "22P04", "row field count is -32768, expected 2"),
        (&[0, 2, 0, 0, 0, 4, 0, 0], "22P04", "unexpected EOF in COPY data"),
        (&[255, 255, 0], "22P04", "received copy data after EOF marker"),
    ] {
        let error = pair(&CopyFormat::Binary, &[&head, tuple]).unwrap_err();
        assert_eq!((error.sqlstate(), error.message()), (sqlstate, message), "{tuple:?}");
    }
    let huge = [&SIGNATURE[..], &[0, 0, 0, 0, 127, 255, 255, 255]].concat();
    assert_eq!(pair(&CopyFormat::Binary, &[&huge]).unwrap_err().sqlstate(), "22P04");
}

#[test]
fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
    let part = vec![b'x'; 300 << 10];
    let parts: Vec<&[u8]> = vec![&part; 10];
    let error = pair(&CopyFormat::Text(text()), &parts).unwrap_err();
    assert_eq!((error.sqlstate(), error.context()), ("53400", Some("COPY t, line 1")));
    let open = [b"1,\"".to_vec(), b"y\n".repeat(600 << 10)].concat();
    let error = pair(&CopyFormat::Text(csv()), &[&open[..]]);
    // The line is there whole when it is looked at; that it is never closed is found at the end.
    assert_eq!(error.unwrap_err().sqlstate(), "53400");
}

#[test]
fn usual_values_are_read_as_unusual_ones_are() {
    let mut random = StdRng::seed_from_u64(9);
    let random_number = |random: &mut StdRng| {
        let digits = random.random_range(1..17);
        let whole: u64 = random.random_range(0..10_u64.pow(digits));
        let fraction: String =
            (0..random.random_range(0..6)).map(|_| char::from(random.random_range(b'0'..=b'9'))).collect();
        let sign = if random.random() { "-" } else { "" };
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    };
    let random_time = |random: &mut StdRng| {
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}",
            random.random_range(1..3000),
            random.random_range(1..13),
            random.random_range(1..32),
            random.random_range(0..24),
            random.random_range(0..60),
            random.random_range(0..60),
            random.random_range(0..1000)
        )
    };
    for _ in 0..3_000 {
        let number = random_number(&mut random);
        let time = random_time(&mut random);
        for (pg, data_type, usual, unusual) in [
            ("numeric(18,2)", DataType::Decimal128(18, 2), number.clone(), format!(" {number} ")),
            ("numeric(38,10)", DataType::Decimal128(38, 10), number.clone(), format!("{number}e0")),
            ("float8", DataType::Float64, number.clone(), format!(" {number} ")),
            ("int8", DataType::Int64, number.clone(), format!(" {number} ")),
            ("date", DataType::Date32, time[..10].to_owned(), format!(" {} ", &time[..10])),
            (
                "timestamp",
                DataType::Timestamp(TimeUnit::Microsecond, None),
                time.clone(),
                format!(" {time} "),
            ),
            (
                "timestamptz",
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                format!("{time}+00"),
                format!("{time}+00:00"),
            ),
        ] {
            let one = |value: &str| {
                let batch =
                    read(&[("v", pg, data_type.clone())], &CopyFormat::Text(text()), &[value.as_bytes()]);
                batch.map(|batch| Arc::clone(batch.column(0))).map_err(|error| error.sqlstate())
            };
            assert_eq!(one(&usual).ok(), one(&unusual).ok(), "{pg}: {usual}");
        }
    }
}
