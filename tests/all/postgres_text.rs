//! PostgreSQL's text form of values, from record batches and from the binary format.
//!
//! Written a second time on purpose: the server's own encoder is under test.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::*;
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;
use tokio_postgres::types::{Kind, Type};

/// The rows of a record batch; `None` is NULL.
pub(crate) fn of_batch(batch: &RecordBatch, zone: Tz) -> Vec<Vec<Option<String>>> {
    let cell = |column: &ArrayRef, row: usize| column.is_valid(row).then(|| of_array(column, row, zone));
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| cell(column, row)).collect())
        .collect()
}

fn of_array(array: &ArrayRef, row: usize, zone: Tz) -> String {
    macro_rules! value {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row)
        };
    }
    match array.data_type() {
        DataType::Null => String::new(),
        DataType::Boolean => boolean(array.as_boolean().value(row)),
        DataType::Int8 => value!(Int8Type).to_string(),
        DataType::Int16 => value!(Int16Type).to_string(),
        DataType::Int32 => value!(Int32Type).to_string(),
        DataType::Int64 => value!(Int64Type).to_string(),
        DataType::UInt8 => value!(UInt8Type).to_string(),
        DataType::UInt16 => value!(UInt16Type).to_string(),
        DataType::UInt32 => value!(UInt32Type).to_string(),
        DataType::UInt64 => value!(UInt64Type).to_string(),
        DataType::Float32 => {
            float(&format!("{:e}", value!(Float32Type)), &value!(Float32Type).to_string(), 6)
        }
        DataType::Float64 => float8(value!(Float64Type)),
        DataType::Decimal128(_, _) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Decimal256(_, _) => array.as_primitive::<Decimal256Type>().value_as_string(row),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => array.as_string_view().value(row).to_owned(),
        DataType::Binary => bytea(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => bytea(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => bytea(array.as_binary_view().value(row)),
        DataType::Date32 => date(value!(Date32Type)),
        DataType::Timestamp(unit, with_zone) => {
            let micros = match unit {
                TimeUnit::Second => value!(TimestampSecondType) * 1_000_000,
                TimeUnit::Millisecond => value!(TimestampMillisecondType) * 1_000,
                TimeUnit::Microsecond => value!(TimestampMicrosecondType),
                TimeUnit::Nanosecond => value!(TimestampNanosecondType).div_euclid(1_000),
            };
            if with_zone.is_some() { timestamptz(micros, zone) } else { timestamp(micros) }
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            clock(NaiveTime::MIN + Duration::microseconds(value!(Time64MicrosecondType)))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let value = value!(IntervalMonthDayNanoType);
            interval(value.months, value.days, value.nanoseconds / 1_000)
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            list((0..items.len()).map(|item| items.is_valid(item).then(|| of_array(&items, item, zone))))
        }
        other => panic!("a test asks for a type that it cannot show yet: {other}"),
    }
}

/// A value in the binary format.
pub(crate) fn of_binary(pg: &Type, bytes: &[u8], zone: Tz) -> String {
    if let Kind::Array(element) = pg.kind() {
        return array_of_binary(element, bytes, zone);
    }
    let text = || String::from_utf8(bytes.to_vec()).unwrap();
    match *pg {
        Type::BOOL => boolean(bytes == [1]),
        Type::INT2 => i16::from_be_bytes(bytes.try_into().unwrap()).to_string(),
        Type::INT4 => int4(bytes).to_string(),
        Type::INT8 => int8(bytes).to_string(),
        Type::OID => (int4(bytes) as u32).to_string(),
        Type::FLOAT4 => {
            let value = f32::from_be_bytes(bytes.try_into().unwrap());
            float(&format!("{value:e}"), &value.to_string(), 6)
        }
        Type::FLOAT8 => float8(f64::from_be_bytes(bytes.try_into().unwrap())),
        Type::NUMERIC => numeric(bytes),
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::JSON
        | Type::UNKNOWN
        | Type::CHAR
        | Type::ACLITEM => text(),
        Type::JSONB => text().trim_start_matches('\u{1}').to_owned(),
        Type::BYTEA => bytea(bytes),
        Type::UUID => {
            let hex = bytea(bytes);
            let hex = &hex[2..];
            [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
        }
        Type::DATE => date(int4(bytes) + DAYS_TO_2000),
        Type::TIME => clock(NaiveTime::MIN + Duration::microseconds(int8(bytes))),
        Type::TIMESTAMP => timestamp(int8(bytes) + MICROS_TO_2000),
        Type::TIMESTAMPTZ => timestamptz(int8(bytes) + MICROS_TO_2000, zone),
        Type::INTERVAL => interval(int4(&bytes[12..]), int4(&bytes[8..12]), int8(&bytes[..8])),
        ref other => panic!("a test asks for a type that it cannot show yet: {other}"),
    }
}

const DAYS_TO_2000: i32 = 10_957;
const MICROS_TO_2000: i64 = DAYS_TO_2000 as i64 * 86_400_000_000;

fn int4(bytes: &[u8]) -> i32 {
    i32::from_be_bytes(bytes[..4].try_into().unwrap())
}

fn int8(bytes: &[u8]) -> i64 {
    i64::from_be_bytes(bytes[..8].try_into().unwrap())
}

fn array_of_binary(element: &Type, bytes: &[u8], zone: Tz) -> String {
    let dimensions = int4(bytes);
    if dimensions == 0 {
        return "{}".to_owned();
    }
    assert_eq!(dimensions, 1);
    let mut rest = &bytes[20..];
    let items = (0..int4(&bytes[12..])).map(|_| {
        let length = int4(rest);
        rest = &rest[4..];
        if length < 0 {
            return None;
        }
        let (value, after) = rest.split_at(length as usize);
        rest = after;
        Some(of_binary(element, value, zone))
    });
    list(items.collect::<Vec<_>>())
}

fn boolean(value: bool) -> String {
    if value { "t" } else { "f" }.to_owned()
}

fn float8(value: f64) -> String {
    float(&format!("{value:e}"), &value.to_string(), 15)
}

/// `scientific` and `plain` are the shortest forms that read back.
fn float(scientific: &str, plain: &str, limit: i32) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return plain.replace("inf", "Infinity");
    };
    let exponent: i32 = exponent.parse().unwrap();
    if (-4..limit).contains(&exponent) {
        return plain.to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Groups of four decimal digits, the first of weight 10000 to the power of `weight`.
fn numeric(bytes: &[u8]) -> String {
    let short = |at: usize| i16::from_be_bytes(bytes[at..at + 2].try_into().unwrap());
    let (count, weight, sign, scale) = (short(0), short(2), short(4) as u16, short(6) as usize);
    assert!(matches!(sign, 0 | 0x4000), "not a number");
    let group = |place: i16| {
        let index = weight - place;
        if (0..count).contains(&index) { short(8 + 2 * index as usize) } else { 0 }
    };
    let whole: String = (0..=weight.max(0)).rev().map(|place| format!("{:04}", group(place))).collect();
    let whole = whole.trim_start_matches('0');
    let groups = scale.div_ceil(4) as i16;
    let fraction: String = (1..=groups).map(|place| format!("{:04}", group(-place))).collect();
    let minus = if sign == 0 { "" } else { "-" };
    let whole = if whole.is_empty() { "0" } else { whole };
    if scale == 0 { format!("{minus}{whole}") } else { format!("{minus}{whole}.{}", &fraction[..scale]) }
}

fn bytea(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{hex}")
}

fn date(days: i32) -> String {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    (epoch + Duration::days(days.into())).to_string()
}

fn timestamp(micros: i64) -> String {
    let value = DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
    format!("{} {}", value.date(), clock(value.time()))
}

fn clock(time: NaiveTime) -> String {
    let text = time.format("%H:%M:%S%.6f").to_string();
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn timestamptz(micros: i64, zone: Tz) -> String {
    let utc: NaiveDateTime = DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc).fix().local_minus_utc();
    let local = timestamp(micros + i64::from(offset) * 1_000_000);
    let (sign, size) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    match size % 3600 {
        0 => format!("{local}{sign}{:02}", size / 3600),
        rest => format!("{local}{sign}{:02}:{:02}", size / 3600, rest / 60),
    }
}

/// Without negative parts, which no test needs.
fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut parts = Vec::new();
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            parts.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if micros != 0 || parts.is_empty() {
        let time = NaiveTime::MIN + Duration::microseconds(micros);
        parts.push(clock(time));
    }
    parts.join(" ")
}

fn list(items: impl IntoIterator<Item = Option<String>>) -> String {
    let shown = items.into_iter().map(|item| match item {
        None => "NULL".to_owned(),
        Some(text)
            if text.is_empty()
                || text.eq_ignore_ascii_case("null")
                || text.contains(|c: char| c.is_ascii_whitespace() || "{},\"\\".contains(c)) =>
        {
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(text) => text,
    });
    format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
}

#[test]
fn the_clock_keeps_its_seconds() {
    assert_eq!(timestamp(0), "1970-01-01 00:00:00");
    assert_eq!(timestamp(10_500_000), "1970-01-01 00:00:10.5");
    assert_eq!(timestamp(600_000_000), "1970-01-01 00:10:00");
}
