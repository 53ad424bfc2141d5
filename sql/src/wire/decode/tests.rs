use arrow::datatypes::TimeUnit;
use chrono_tz::Tz;

use super::*;

fn decode(type_oid: u32, target: &DataType, bytes: &[u8], format: Format) -> Result<ScalarValue> {
    Parameter { type_oid, target, style: Tz::Asia__Shanghai.into() }.decode(Some(bytes), format)
}

fn text(type_oid: u32, value: &str) -> Result<ScalarValue> {
    let target = from_oid(type_oid).unwrap();
    decode(type_oid, &target, value.as_bytes(), Format::Text)
}

#[test]
fn text_is_read_as_postgres_reads_it() {
    let instant = |micros| ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC.into()));
    let local = |micros| ScalarValue::TimestampMicrosecond(Some(micros), None);
    let interval = |months, days, nanos| {
        ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano::new(months, days, nanos)))
    };
    for (type_oid, value, expected) in [
        (oid::BOOL, "tr", ScalarValue::Boolean(Some(true))),
        (oid::BOOL, "0", ScalarValue::Boolean(Some(false))),
        (oid::INT4, " 42 ", ScalarValue::Int32(Some(42))),
        (oid::FLOAT8, "-Infinity", ScalarValue::Float64(Some(f64::NEG_INFINITY))),
        (oid::NUMERIC, "1.5", ScalarValue::Decimal128(Some(15), 2, 1)),
        (oid::NUMERIC, "-0.0450", ScalarValue::Decimal128(Some(-450), 4, 4)),
        (oid::NUMERIC, "+12e3", ScalarValue::Decimal128(Some(12_000), 5, 0)),
        (oid::NUMERIC, "1.25e-3", ScalarValue::Decimal128(Some(125), 5, 5)),
        (oid::NUMERIC, ".5", ScalarValue::Decimal128(Some(5), 1, 1)),
        (oid::NUMERIC, "000", ScalarValue::Decimal128(Some(0), 1, 0)),
        (oid::BYTEA, "\\xDEad", ScalarValue::Binary(Some(vec![0xde, 0xad]))),
        (oid::BYTEA, "a\\\\b\\001", ScalarValue::Binary(Some(vec![b'a', b'\\', b'b', 1]))),
        (oid::DATE, "2024-03-09", ScalarValue::Date32(Some(19_791))),
        (oid::DATE, "20240309", ScalarValue::Date32(Some(19_791))),
        (oid::TIMESTAMP, "2024-03-09T10:14:56", local(1_709_979_296_000_000)),
        (oid::TIMESTAMP, "2024-03-09 10:14:56.5+08", local(1_709_979_296_500_000)),
        (oid::TIMESTAMPTZ, "2024-03-09 18:14:56", instant(1_709_979_296_000_000)),
        (oid::TIMESTAMPTZ, "2024-03-09 15:44:56+05:30", instant(1_709_979_296_000_000)),
        (oid::TIMESTAMPTZ, "2024-03-09T10:14:56Z", instant(1_709_979_296_000_000)),
        (oid::TIMESTAMPTZ, "2024-03-09 05:14:56 America/New_York", instant(1_709_979_296_000_000)),
        (oid::INTERVAL, "1 year -2 mons +3 days -25:00:01.5", interval(10, 3, -90_001_500_000_000)),
        (oid::INTERVAL, "1.5 hours ago", interval(0, 0, -5_400_000_000_000)),
        (oid::INTERVAL, "2w 5", interval(0, 14, 5_000_000_000)),
        (oid::INTERVAL, "1 02:03:04", interval(0, 1, 7_384_000_000_000)),
        (oid::INTERVAL, "1 day 02:03:04", interval(0, 1, 7_384_000_000_000)),
        (oid::INTERVAL, "P1Y2M3DT4H5M6.5S", interval(14, 3, 14_706_500_000_000)),
        (oid::INTERVAL, "P2W", interval(0, 14, 0)),
        (oid::INTERVAL, "1.5 years 1.5 days", interval(18, 1, 43_200_000_000_000)),
        (oid::INTERVAL, "0.5 months", interval(0, 15, 0)),
        (oid::DATE, "2026/3/4", ScalarValue::Date32(Some(20_516))),
        (oid::DATE, "3/4/2026", ScalarValue::Date32(Some(20_516))),
        (oid::TIMESTAMP, "epoch", ScalarValue::TimestampMicrosecond(Some(0), None)),
        (
            oid::UUID,
            "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}",
            ScalarValue::Utf8(Some("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11".into())),
        ),
    ] {
        assert_eq!(text(type_oid, value).unwrap(), expected, "{value}");
    }
}

#[test]
fn bad_text_has_the_sqlstate_of_postgres() {
    for (type_oid, value, sqlstate) in [
        (oid::INT4, "seven", "22P02"),
        (oid::INT4, "", "22P02"),
        (oid::INT2, "70000", "22003"),
        (oid::BOOL, "maybe", "22P02"),
        (oid::NUMERIC, "1,5", "22P02"),
        (oid::NUMERIC, "1e80", "22003"),
        (oid::NUMERIC, "1e", "22P02"),
        (oid::NUMERIC, "", "22P02"),
        (oid::NUMERIC, "NaN", "22003"),
        (oid::BYTEA, "\\x0", "22023"),
        (oid::BYTEA, "\\xzz", "22023"),
        (oid::FLOAT8, "1e400", "22003"),
        (oid::FLOAT4, "1e-60", "22003"),
        (oid::JSON, "{", "22P02"),
        (oid::BYTEA, "\\9", "22P02"),
        (oid::DATE, "2024-02-30", "22008"),
        (oid::DATE, "0000-01-01", "22008"),
        (oid::TIMESTAMPTZ, "2024-02-29 12:00 Mars/Olympus", "22023"),
        (oid::TIMESTAMP, "infinity", "22008"),
        (oid::TIMESTAMP, "2024-03-09 10:14:56+99", "22009"),
        (oid::TIME, "25:00", "22008"),
        (oid::INTERVAL, "soon", "22007"),
        (oid::INTERVAL, "3000000000 years", "22007"),
        (oid::INTERVAL, "99999999999:00", "22007"),
        (oid::UUID, "é0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "22P02"),
        (1007, "{1,2", "22P02"),
        (1007, "{1,}", "22P02"),
        (1007, "{{1}}", "22P02"),
        (1009, "{\"a\"b}", "22P02"),
    ] {
        assert_eq!(text(type_oid, value).unwrap_err().sqlstate(), sqlstate, "{value}");
    }
}

#[test]
fn odd_numbers_are_values_or_errors_and_never_a_panic() {
    for value in [
        "",
        "-",
        "+",
        ".",
        "1.",
        ".5",
        "-.5e1",
        "1e2147483648",
        "1e-2147483649",
        "1e99999999999999999999",
        "1e-60",
        "NaN",
        "-Infinity",
        "0x10",
        "1_000",
        "٣",
        "1e+",
        "--1",
        "9999999999999999999999999999999999999999",
    ] {
        for type_oid in
            [oid::NUMERIC, oid::INT8, oid::FLOAT8, oid::INTERVAL, oid::DATE, oid::TIMESTAMPTZ, oid::TIME]
        {
            let _ = text(type_oid, value);
        }
    }
}

#[test]
fn broken_binary_is_an_error_and_never_a_panic() {
    for type_oid in [
        oid::BOOL,
        oid::INT2,
        oid::INT4,
        oid::INT8,
        oid::OID,
        oid::FLOAT4,
        oid::FLOAT8,
        oid::NUMERIC,
        oid::DATE,
        oid::TIME,
        oid::TIMESTAMP,
        oid::TIMESTAMPTZ,
        oid::INTERVAL,
        oid::UUID,
        oid::JSONB,
        oid::TEXT,
        1007,
        1009,
        1231,
    ] {
        let target = from_oid(type_oid).unwrap();
        for length in 0..40 {
            for byte in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                // Whether it is a value or an error is not the question.
                let _ = decode(type_oid, &target, &vec![byte; length], Format::Binary);
                let _ = decode(type_oid, &target, &vec![byte; length], Format::Text);
            }
        }
    }
    let four_billion_elements =
        [[0, 0, 0, 1], [0; 4], [0, 0, 0, 23], [0x7f, 255, 255, 255], [0, 0, 0, 1]].concat();
    let target = from_oid(1007).unwrap();
    assert!(decode(1007, &target, &four_billion_elements, Format::Binary).is_err());
}

#[test]
fn the_plan_decides_the_arrow_type() {
    let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
    let value = decode(oid::TIMESTAMP, &nanos, b"2024-03-09 10:14:56", Format::Text).unwrap();
    assert_eq!(value, ScalarValue::TimestampNanosecond(Some(1_709_979_296_000_000_000), None));
    let value = decode(oid::INT4, &DataType::Int64, &[0, 0, 0, 9], Format::Binary).unwrap();
    assert_eq!(value, ScalarValue::Int64(Some(9)));
    // Not rounded to what was planned for: it would equal other numbers.
    let value = decode(oid::NUMERIC, &DataType::Decimal128(18, 2), b"12.505", Format::Text).unwrap();
    assert_eq!(value, ScalarValue::Decimal128(Some(12_505), 5, 3));
    let list = DataType::new_list(DataType::Decimal128(18, 2), true);
    let value = decode(1231, &list, b"{1.5,NULL,-12.125}", Format::Text).unwrap();
    assert_eq!(value.data_type(), DataType::new_list(DataType::Decimal128(5, 3), true));
    let value = decode(oid::TEXT, &DataType::Null, b"free", Format::Text).unwrap();
    assert_eq!(value, ScalarValue::Utf8(Some("free".into())));
}
