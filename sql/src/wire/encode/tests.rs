use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;

use super::*;
use crate::wire::decode::Parameter;
use crate::wire::style::{ByteaStyle, DateOrder, DateStyle, IntervalStyle};
use crate::wire::types::{PG_TYPE, columns};

const SHANGHAI: Tz = Tz::Asia__Shanghai;

fn encoded(
    array: &ArrayRef,
    pg_type: Option<&str>,
    format: Format,
    style: impl Into<TextStyle>,
) -> Result<Vec<Option<Vec<u8>>>> {
    let mut field = Field::new("c", array.data_type().clone(), true);
    if let Some(name) = pg_type {
        field = field.with_metadata([(PG_TYPE.to_owned(), name.to_owned())].into());
    }
    let schema = Schema::new(vec![field]);
    let batch = RecordBatch::try_new(Arc::new(schema.clone()), vec![Arc::clone(array)])?;
    let rows = Rows::new(batch.columns(), batch.num_rows(), &columns(&schema)?, &[format], style.into())?;
    (0..rows.count)
        .map(|row| {
            let mut out = BytesMut::new();
            rows.put(row, &mut out)?;
            let length = i32::from_be_bytes(out[7..11].try_into().unwrap());
            assert_eq!(u32::from_be_bytes(out[1..5].try_into().unwrap()) as usize, out.len() - 1);
            Ok((length >= 0).then(|| out[11..].to_vec()))
        })
        .collect()
}

fn texts_in(array: ArrayRef, pg_type: Option<&str>, style: impl Into<TextStyle>) -> Vec<String> {
    let values = encoded(&array, pg_type, Format::Text, style).unwrap();
    values
        .into_iter()
        .map(|value| value.map_or("NULL".into(), |value| String::from_utf8(value).unwrap()))
        .collect()
}

fn texts(array: impl Array + 'static) -> Vec<String> {
    texts_in(Arc::new(array), None, Tz::UTC)
}

fn binaries(array: impl Array + 'static, pg_type: Option<&str>) -> Vec<Option<Vec<u8>>> {
    encoded(&(Arc::new(array) as ArrayRef), pg_type, Format::Binary, Tz::UTC).unwrap()
}

#[test]
fn floats_print_as_postgres_prints_them() {
    let values = [
        0.0,
        -0.0,
        0.1,
        1.0,
        -1.5,
        100.0,
        1e14,
        123_456_789_012_345.0,
        1e15,
        1e20,
        0.0001,
        0.00001,
        1.5e-7,
        1e100,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    assert_eq!(
        texts(Float64Array::from(values.to_vec())),
        [
            "0",
            "-0",
            "0.1",
            "1",
            "-1.5",
            "100",
            "100000000000000",
            "123456789012345",
            "1e+15",
            "1e+20",
            "0.0001",
            "1e-05",
            "1.5e-07",
            "1e+100",
            "1.7976931348623157e+308",
            "2.2250738585072014e-308",
            "NaN",
            "Infinity",
            "-Infinity",
        ]
    );
    assert_eq!(
        texts(Float32Array::from(vec![0.1, 123456.0, 1e6, 3.4e38, 1.0e-4])),
        ["0.1", "123456", "1e+06", "3.4e+38", "0.0001"]
    );
}

#[test]
fn numerics_of_every_width_and_scale() {
    let wide = "9".repeat(38).parse::<i128>().unwrap();
    let array = Decimal128Array::from(vec![Some(0), Some(-5), Some(123_456), None, Some(wide), Some(-wide)]);
    let array = array.with_precision_and_scale(38, 2).unwrap();
    let big = "9".repeat(36);
    assert_eq!(
        texts(array),
        ["0.00", "-0.05", "1234.56", "NULL", &format!("{big}.99"), &format!("-{big}.99")]
    );
    let negative = Decimal128Array::from(vec![12, 0]).with_precision_and_scale(10, -3).unwrap();
    assert_eq!(texts(negative), ["12000", "0"]);
    let widest = i256::from_string(&"9".repeat(76)).unwrap();
    let array = Decimal256Array::from(vec![widest]).with_precision_and_scale(76, 0).unwrap();
    assert_eq!(texts(array), ["9".repeat(76)]);
    assert_eq!(texts(UInt64Array::from(vec![i64::MAX as u64])), ["9223372036854775807"]);
    let beyond: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert_eq!(encoded(&beyond, None, Format::Text, Tz::UTC).unwrap_err().sqlstate(), "22003");
    assert_eq!(texts(Decimal32Array::from(vec![-12]).with_precision_and_scale(9, 1).unwrap()), ["-1.2"]);
    assert_eq!(texts(Decimal64Array::from(vec![7]).with_precision_and_scale(18, 4).unwrap()), ["0.0007"]);
}

#[test]
fn binary_numerics_are_groups_of_four_digits() {
    let words = |value: i128, scale: i8| -> Vec<i16> {
        let array = Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
        let bytes = binaries(array, None).remove(0).unwrap();
        bytes.chunks(2).map(|word| i16::from_be_bytes([word[0], word[1]])).collect()
    };
    // As PostgreSQL's numeric_send writes them: count, weight, sign, scale, groups.
    assert_eq!(words(12_345_678, 3), [3, 1, 0, 3, 1, 2345, 6780]);
    assert_eq!(words(-5, 2), [1, -1, 0x4000, 2, 500]);
    assert_eq!(words(0, 2), [0, 0, 0, 2]);
    assert_eq!(words(10_000, 0), [1, 1, 0, 0, 1]);
    assert_eq!(words(1, 8), [1, -2, 0, 8, 1]);
    assert_eq!(words(12, -3), [2, 1, 0, 0, 1, 2000]);
    assert_eq!(words(100, 2), [1, 0, 0, 2, 1]);
}

#[test]
fn dates_and_times() {
    assert_eq!(
        texts(Date32Array::from(vec![0, 19_791, -719_163, -735_160, 2_932_897, -719_162])),
        ["1970-01-01", "2024-03-09", "0001-12-31 BC", "0044-03-15 BC", "10000-01-01", "0001-01-01"]
    );
    assert_eq!(texts(Date64Array::from(vec![86_400_000 * 19_791 + 5])), ["2024-03-09"]);
    assert_eq!(
        texts(Time64MicrosecondArray::from(vec![0, 45_296_500_000, 86_399_999_999])),
        ["00:00:00", "12:34:56.5", "23:59:59.999999"]
    );
    assert_eq!(texts(Time64NanosecondArray::from(vec![1_999])), ["00:00:00.000001"]);
    assert_eq!(texts(Time32SecondArray::from(vec![61])), ["00:01:01"]);
    let micros = 1_709_979_296_123_400;
    assert_eq!(texts(TimestampMicrosecondArray::from(vec![micros])), ["2024-03-09 10:14:56.1234"]);
    assert_eq!(texts(TimestampSecondArray::from(vec![-1])), ["1969-12-31 23:59:59"]);
    assert_eq!(texts(TimestampNanosecondArray::from(vec![-1])), ["1969-12-31 23:59:59.999999"]);
    assert_eq!(
        texts(TimestampMillisecondArray::from(vec![-62_167_219_200_001])),
        ["0002-12-31 23:59:59.999 BC"]
    );
}

#[test]
fn instants_are_told_in_the_zone_of_the_session() {
    let instants =
        |values: Vec<i64>| Arc::new(TimestampSecondArray::from(values).with_timezone("UTC")) as ArrayRef;
    for (zone, expected) in [
        (Tz::UTC, "2024-03-09 10:14:56+00"),
        (SHANGHAI, "2024-03-09 18:14:56+08"),
        (Tz::Asia__Kolkata, "2024-03-09 15:44:56+05:30"),
        (Tz::America__New_York, "2024-03-09 05:14:56-05"),
    ] {
        assert_eq!(texts_in(instants(vec![1_709_979_296]), None, zone), [expected]);
    }
    // Local mean time has seconds.
    assert_eq!(
        texts_in(instants(vec![-2_208_988_800]), None, Tz::Asia__Shanghai),
        ["1900-01-01 08:05:43+08:05:43"]
    );
    assert_eq!(texts_in(instants(vec![-63_517_824_000]), None, Tz::UTC), ["0044-03-15 00:00:00+00 BC"]);
    let error = encoded(&instants(vec![i64::MAX]), None, Format::Text, Tz::UTC).unwrap_err();
    assert_eq!(error.sqlstate(), "22003");
}

/// The answers are PostgreSQL 15's, which `tests/drivers/text_styles.sql` asks for more.
#[test]
fn the_styles_of_the_session_shape_text() {
    let plain = TextStyle::from(Tz::America__New_York);
    let dates = |dates, order| TextStyle { dates, order, ..plain };
    for (style, date, instant) in [
        (dates(DateStyle::Sql, DateOrder::MonthDayYear), "03/15/0044 BC", "07/04/2026 20:00:00 EDT"),
        (dates(DateStyle::Sql, DateOrder::DayMonthYear), "15/03/0044 BC", "04/07/2026 20:00:00 EDT"),
        (
            dates(DateStyle::Postgres, DateOrder::YearMonthDay),
            "03-15-0044 BC",
            "Sat Jul 04 20:00:00 2026 EDT",
        ),
        (
            dates(DateStyle::Postgres, DateOrder::DayMonthYear),
            "15-03-0044 BC",
            "Sat 04 Jul 20:00:00 2026 EDT",
        ),
        (dates(DateStyle::German, DateOrder::MonthDayYear), "15.03.0044 BC", "04.07.2026 20:00:00 EDT"),
    ] {
        assert_eq!(texts_in(Arc::new(Date32Array::from(vec![-735_160])), None, style), [date]);
        let instants = TimestampSecondArray::from(vec![1_783_209_600]).with_timezone("UTC");
        assert_eq!(texts_in(Arc::new(instants), None, style), [instant]);
    }
    for (intervals, expected) in [
        (IntervalStyle::Verbose, ["@ 1 year 2 mons -3 days 4 hours 5 mins 6.5 secs ago", "@ 0"]),
        (IntervalStyle::SqlStandard, ["-1-2 +3 -4:05:06.5", "0"]),
        (IntervalStyle::Iso8601, ["P-1Y-2M3DT-4H-5M-6.5S", "PT0S"]),
    ] {
        let values = [IntervalMonthDayNano::new(-14, 3, -14_706_500_000_000), IntervalMonthDayNano::ZERO];
        let array = IntervalMonthDayNanoArray::from(values.to_vec());
        assert_eq!(texts_in(Arc::new(array), None, TextStyle { intervals, ..plain }), expected);
    }
    let bytes = Arc::new(BinaryArray::from_vec(vec![b"\0A\\\xff"]));
    let escaped = TextStyle { bytes: ByteaStyle::Escape, ..plain };
    assert_eq!(texts_in(bytes, None, escaped), ["\\000A\\\\\\377"]);
    let floats = || Arc::new(Float64Array::from(vec![1.0 / 3.0, 1e20, 123_456.75, f64::NAN]));
    let rounded = |extra_float_digits| TextStyle { extra_float_digits, ..plain };
    assert_eq!(texts_in(floats(), None, rounded(0)), ["0.333333333333333", "1e+20", "123456.75", "NaN"]);
    assert_eq!(texts_in(floats(), None, rounded(-15)), ["0.3", "1e+20", "1e+05", "NaN"]);
}

#[test]
fn intervals() {
    let array = IntervalMonthDayNanoArray::from(vec![
        Some(IntervalMonthDayNano::new(1, 2, 11_045_500_000_000)),
        Some(IntervalMonthDayNano::new(14, 0, 0)),
        Some(IntervalMonthDayNano::new(-14, 3, -14_706_000_000_000)),
        Some(IntervalMonthDayNano::new(0, -1, 3_600_000_000_000)),
        Some(IntervalMonthDayNano::new(0, 0, 0)),
        Some(IntervalMonthDayNano::new(0, 1, 90_000_000_000_000)),
        None,
    ]);
    assert_eq!(
        texts(array.clone()),
        [
            "1 mon 2 days 03:04:05.5",
            "1 year 2 mons",
            "-1 years -2 mons +3 days -04:05:06",
            "-1 days +01:00:00",
            "00:00:00",
            "1 day 25:00:00",
            "NULL",
        ]
    );
    assert_eq!(binaries(array, None)[6], None);
    assert_eq!(texts(IntervalYearMonthArray::from(vec![25])), ["2 years 1 mon"]);
    assert_eq!(texts(IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, 1_500)])), ["1 day 00:00:01.5"]);
    assert_eq!(texts(DurationSecondArray::from(vec![90_061])), ["25:01:01"]);
    assert_eq!(texts(DurationNanosecondArray::from(vec![-1_500_000_000])), ["-00:00:01.5"]);
}

#[test]
fn strings_bytes_and_what_metadata_makes_of_them() {
    assert_eq!(texts(BooleanArray::from(vec![Some(true), Some(false), None])), ["t", "f", "NULL"]);
    assert_eq!(texts(BinaryArray::from(vec![&b"\x00\xffa"[..], b""])), ["\\x00ff61", "\\x"]);
    let uuid = FixedSizeBinaryArray::try_from_iter([[0xab; 16]].into_iter()).unwrap();
    let expected = "abababab-abab-abab-abab-abababababab";
    assert_eq!(texts_in(Arc::new(uuid.clone()), Some("uuid"), Tz::UTC), [expected]);
    assert_eq!(binaries(uuid, Some("uuid")), [Some(vec![0xab; 16])]);
    assert_eq!(binaries(StringArray::from(vec![expected]), Some("uuid")), [Some(vec![0xab; 16])]);
    let broken: ArrayRef = Arc::new(StringArray::from(vec!["not a uuid"]));
    assert_eq!(encoded(&broken, Some("uuid"), Format::Binary, Tz::UTC).unwrap_err().sqlstate(), "22P02");
    assert_eq!(binaries(StringViewArray::from(vec!["{}"]), Some("jsonb")), [Some(b"\x01{}".to_vec())]);
    assert_eq!(binaries(StringArray::from(vec!["{}"]), Some("json")), [Some(b"{}".to_vec())]);
    assert_eq!(
        binaries(Int64Array::from(vec![4_000_000_000]), Some("oid")),
        [Some(vec![0xee, 0x6b, 0x28, 0x00])]
    );
    assert_eq!(binaries(Int8Array::from(vec![-2]), None), [Some(vec![0xff, 0xfe])]);
    assert_eq!(binaries(NullArray::new(2), None), [None, None]);
    let odd: ArrayRef = Arc::new(Int64Array::from(vec![-1]));
    assert_eq!(encoded(&odd, Some("oid"), Format::Binary, Tz::UTC).unwrap_err().sqlstate(), "22003");
}

#[test]
fn dictionaries_with_nulls_in_keys_and_values() {
    let keys = Int32Array::from(vec![Some(1), None, Some(0), Some(1)]);
    let array = DictionaryArray::new(keys, Arc::new(StringArray::from(vec![None, Some("b")])));
    assert_eq!(texts(array), ["b", "NULL", "NULL", "b"]);
    let empty = DictionaryArray::new(
        Int32Array::from(vec![None, None]),
        Arc::new(StringArray::from(Vec::<&str>::new())),
    );
    assert_eq!(texts(empty), ["NULL", "NULL"]);
}

#[test]
fn arrays_quote_what_needs_quoting() {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for word in
        [Some("plain"), Some("two words"), Some(""), Some("null"), None, Some("a\"b\\c"), Some("{x,y}")]
    {
        builder.values().append_option(word);
    }
    builder.append(true);
    builder.append(true);
    builder.append(false);
    let array = builder.finish();
    let expected = r#"{plain,"two words","","null",NULL,"a\"b\\c","{x,y}"}"#;
    assert_eq!(texts(array.clone()), [expected, "{}", "NULL"]);
    assert_eq!(texts(array.slice(1, 2)), ["{}", "NULL"]);
    assert_eq!(binaries(array, None)[1], Some(vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]));

    let numbers = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(7), None])]);
    assert_eq!(
        binaries(numbers.clone(), None)[0].as_deref().unwrap(),
        [
            &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1][..],
            &[0, 0, 0, 4, 0, 0, 0, 7],
            &[255; 4]
        ]
        .concat()
    );
    let nested = ListArray::new(
        Arc::new(Field::new("item", numbers.data_type().clone(), true)),
        arrow::buffer::OffsetBuffer::new(vec![0, 1].into()),
        Arc::new(numbers.clone()),
        None,
    );
    assert_eq!(texts(nested.clone()), ["{{7,NULL}}"]);
    assert_eq!(
        binaries(nested, None)[0].as_deref().unwrap(),
        [
            &[0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 23][..],
            &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1],
            &[0, 0, 0, 4, 0, 0, 0, 7],
            &[255; 4]
        ]
        .concat()
    );
    let ragged = ListArray::new(
        Arc::new(Field::new("item", numbers.data_type().clone(), true)),
        arrow::buffer::OffsetBuffer::new(vec![0, 2].into()),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1)]), Some(vec![])])),
        None,
    );
    assert_eq!(texts(ragged.clone()), ["{{1},{}}"]);
    let ragged: ArrayRef = Arc::new(ragged);
    assert_eq!(encoded(&ragged, None, Format::Binary, Tz::UTC).unwrap_err().sqlstate(), "22023");
    let hollow = ListArray::new(
        Arc::new(Field::new("item", numbers.data_type().clone(), true)),
        arrow::buffer::OffsetBuffer::new(vec![0, 2].into()),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![]), Some(vec![])])),
        None,
    );
    assert_eq!(texts(hollow.clone()), ["{}"]);
    assert_eq!(binaries(hollow, None)[0].as_deref(), Some(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23][..]));
    let vector = ListArray::from_iter_primitive::<Int16Type, _, _>([Some(vec![Some(1), Some(2), Some(3)])]);
    assert_eq!(texts_in(Arc::new(vector), Some("int2vector"), Tz::UTC), ["1 2 3"]);
    let fixed =
        FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>([None, Some(vec![Some(3), Some(4)])], 2);
    assert_eq!(texts(fixed.slice(1, 1)), ["{3,4}"]);
}

#[test]
fn records() {
    let record = StructArray::from(vec![
        (
            Arc::new(Field::new("a", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("x \"y\""), Some("")])) as ArrayRef,
        ),
    ]);
    assert_eq!(texts(record.clone()), [r#"(1,"x ""y""")"#, r#"(,"")"#]);
    assert_eq!(
        binaries(record, None)[1].as_deref().unwrap(),
        [0, 0, 0, 2, 0, 0, 0, 23, 255, 255, 255, 255, 0, 0, 0, 25, 0, 0, 0, 0]
    );
}

#[test]
fn what_postgres_has_no_type_for_is_json() {
    let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    builder.keys().append_value("a \"b\"");
    builder.values().append_value(1);
    builder.keys().append_value("c");
    builder.values().append_null();
    builder.append(true).unwrap();
    builder.append(false).unwrap();
    builder.append(true).unwrap();
    let map = builder.finish();
    assert_eq!(texts(map.clone()), [r#"{"a \"b\"":1,"c":null}"#, "NULL", "{}"]);
    assert_eq!(texts(map.slice(2, 1)), ["{}"]);
    let record = StructArray::from(vec![(
        Arc::new(Field::new("n", DataType::Int32, true)),
        Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
    )]);
    let records = ListArray::new(
        Arc::new(Field::new("item", record.data_type().clone(), true)),
        arrow::buffer::OffsetBuffer::new(vec![0, 2].into()),
        Arc::new(record),
        None,
    );
    assert_eq!(texts(records.clone()), [r#"[{"n":1},{"n":null}]"#]);
    assert_eq!(binaries(records, None), [Some(br#"[{"n":1},{"n":null}]"#.to_vec())]);
}

#[test]
fn char_is_padded_and_the_one_letter_type_has_a_zero_byte() {
    let words: ArrayRef = Arc::new(StringArray::from(vec!["ab", "好", "", "abcd"]));
    assert_eq!(texts_in(Arc::clone(&words), Some("char(3)"), Tz::UTC), ["ab ", "好  ", "   ", "abcd"]);
    assert_eq!(texts_in(Arc::clone(&words), Some("bpchar"), Tz::UTC), ["ab", "好", "", "abcd"]);
    let letters = binaries(StringArray::from(vec!["r", ""]), Some("\"char\""));
    assert_eq!(letters, [Some(b"r".to_vec()), Some(vec![0])]);
}

#[test]
fn small_numerics_and_wide_ones_print_alike() {
    let mut sizes: Vec<i128> = vec![0, 1, 9, 10, 99, 100, 9_999, 10_000, 123_456_789, u64::MAX.into()];
    sizes.extend((0..19).map(|power| 10_i128.pow(power)));
    for scale in 0..=16_i8 {
        for size in &sizes {
            for value in [*size, -*size] {
                let narrow = Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
                // Beyond 64 bits the other way is taken: the same digits behind a far larger number.
                let text = texts(narrow.clone()).remove(0);
                let back: f64 = text.parse().unwrap();
                let expected = value as f64 / 10_f64.powi(scale.into());
                assert!((back - expected).abs() <= expected.abs() * 1e-12, "{text} is not {expected}");
                let fraction = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
                assert_eq!(fraction, scale as usize, "{text}");
                let bytes = binaries(narrow, None).remove(0).unwrap();
                let target = DataType::Decimal128(38, scale);
                let type_oid = crate::wire::types::oid::NUMERIC;
                let parameter = Parameter { type_oid, target: &target, style: Tz::UTC.into() };
                let back = parameter.decode(Some(&bytes), Format::Binary).unwrap().cast_to(&target).unwrap();
                assert_eq!(back, ScalarValue::Decimal128(Some(value), 38, scale), "{text}");
            }
        }
    }
}

#[test]
fn a_batch_that_has_drifted_is_cast() {
    let described = Schema::new(vec![Field::new("c", DataType::Utf8, true)]);
    let array: ArrayRef = Arc::new(StringViewArray::from(vec!["view"]));
    let batch = RecordBatch::try_from_iter([("c", array)]).unwrap();
    let rows = Rows::new(batch.columns(), 1, &columns(&described).unwrap(), &[Format::Text], Tz::UTC.into())
        .unwrap();
    let mut out = BytesMut::new();
    rows.put(0, &mut out).unwrap();
    assert!(out.ends_with(b"view"));
}

/// What is sent can be bound again and is the same value, in both formats and in a zone that is not UTC.
#[test]
fn every_type_comes_back() {
    let zoned = Some("UTC".into());
    for scalar in [
        ScalarValue::Boolean(Some(true)),
        ScalarValue::Int16(Some(i16::MIN)),
        ScalarValue::Int32(Some(i32::MIN)),
        ScalarValue::Int64(Some(i64::MIN)),
        ScalarValue::UInt64(Some(7)),
        ScalarValue::Float32(Some(1.5e-10)),
        ScalarValue::Float64(Some(-1.0e300)),
        ScalarValue::Decimal128(Some(-120_450), 20, 4),
        ScalarValue::Decimal128(Some(10_i128.pow(37)), 38, 10),
        ScalarValue::Decimal256(Some(i256::from_i128(-12_345)), 50, 3),
        ScalarValue::Utf8(Some("评论 \\ \"x\" {}".into())),
        ScalarValue::Utf8View(Some("view".into())),
        ScalarValue::Binary(Some(vec![0, 92, 255])),
        ScalarValue::Date32(Some(-719_163)),
        ScalarValue::Date32(Some(20_000)),
        ScalarValue::Time64Microsecond(Some(86_399_999_999)),
        ScalarValue::TimestampMicrosecond(Some(1_709_979_296_123_456), None),
        ScalarValue::TimestampMicrosecond(Some(-62_167_219_200_000_001), None),
        ScalarValue::TimestampMicrosecond(Some(1_709_979_296_123_456), zoned.clone()),
        ScalarValue::TimestampNanosecond(Some(1_709_979_296_123_456_000), None),
        ScalarValue::TimestampMillisecond(Some(-1), zoned),
        ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(14, 3, 3_600_500_000_000))),
        ScalarValue::List(ScalarValue::new_list(
            &[
                ScalarValue::Utf8(Some("a \"b\"".into())),
                ScalarValue::Utf8(None),
                ScalarValue::Utf8(Some("NULL".into())),
            ],
            &DataType::Utf8,
            true,
        )),
        ScalarValue::List(ScalarValue::new_list(&[], &DataType::Int64, true)),
        ScalarValue::List(ScalarValue::new_list(&[ScalarValue::Int32(Some(-7))], &DataType::Int32, true)),
    ] {
        let array = scalar.to_array().unwrap();
        let target = scalar.data_type();
        let type_oid = crate::wire::types::PgType::of_parameter(&Field::new("", target.clone(), true)).oid;
        for format in [Format::Text, Format::Binary] {
            let bytes = encoded(&array, None, format, SHANGHAI).unwrap().remove(0).unwrap();
            let back =
                Parameter { type_oid, target: &target, style: SHANGHAI.into() }.decode(Some(&bytes), format);
            let back = back.unwrap().cast_to(&target).unwrap();
            assert_eq!(back, scalar, "{target} as {format:?}: {}", String::from_utf8_lossy(&bytes));
        }
        let null = Parameter { type_oid, target: &target, style: SHANGHAI.into() }
            .decode(None, Format::Binary)
            .unwrap();
        assert!(null.is_null() && null.data_type() == target);
    }
}
