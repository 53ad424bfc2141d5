//! One closure for each Arrow type that is not nested, over either [`Form`].

use arrow::array::{
    Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray,
};
use arrow::datatypes::*;
use bytes::{BufMut, BytesMut};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::digits::{Digits, Whole};
use super::{Form, Interval, StringKind, Value, Width, unsendable};
use crate::wire::types::{PgType, is_oid, oid};

/// Digits behind the point up to which a number of 64 bits takes the quick way: 16 fill four groups of four.
pub(super) const SMALL_SCALE: u32 = 16;

struct Primitive<T: ArrowPrimitiveType, F> {
    array: PrimitiveArray<T>,
    put: F,
}

impl<T, F> Value for Primitive<T, F>
where
    T: ArrowPrimitiveType,
    F: Fn(T::Native, &mut BytesMut) -> Result<()> + Send + Sync,
{
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        (self.put)(self.array.value(row), out)
    }
}

struct Booleans<F> {
    array: BooleanArray,
    form: F,
}

impl<F: Form> Value for Booleans<F> {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        self.form.boolean(self.array.value(row), out);
        Ok(())
    }
}

struct Strings<A, F> {
    array: A,
    kind: StringKind,
    form: F,
}

impl<A, F: Form> Value for Strings<A, F>
where
    A: Array,
    for<'a> &'a A: ArrayAccessor<Item = &'a str>,
{
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        self.form.string((&self.array).value(row), self.kind, out)
    }
}

struct Binaries<A, F> {
    array: A,
    is_uuid: bool,
    form: F,
}

impl<A, F: Form> Value for Binaries<A, F>
where
    A: Array,
    for<'a> &'a A: ArrayAccessor<Item = &'a [u8]>,
{
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let value = (&self.array).value(row);
        if self.is_uuid {
            self.form.uuid(value, out)
        } else {
            self.form.bytes(value, out)
        }
        Ok(())
    }
}

fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    put: impl Fn(T::Native, &mut BytesMut) -> Result<()> + Send + Sync + 'static,
) -> Box<dyn Value> {
    Box::new(Primitive { array: array.as_primitive::<T>().clone(), put })
}

fn integer<T: ArrowPrimitiveType>(array: &ArrayRef, width: Width, form: impl Form) -> Box<dyn Value>
where
    T::Native: Into<i64>,
{
    primitive::<T>(array, move |value, out| form.integer(value.into(), width, out))
}

/// The encoder of an array whose values are sent as `pg`.
pub(super) fn resolve<F: Form>(array: &ArrayRef, pg: PgType, form: F) -> Result<Box<dyn Value>> {
    let width = width(pg.oid);
    let kind = string_kind(pg);
    let is_uuid = pg.oid == oid::UUID;
    Ok(match array.data_type() {
        DataType::Boolean => Box::new(Booleans { array: array.as_boolean().clone(), form }),
        DataType::Int8 => integer::<Int8Type>(array, width, form),
        DataType::Int16 => integer::<Int16Type>(array, width, form),
        DataType::Int32 => integer::<Int32Type>(array, width, form),
        DataType::Int64 => integer::<Int64Type>(array, width, form),
        DataType::UInt8 => integer::<UInt8Type>(array, width, form),
        DataType::UInt16 => integer::<UInt16Type>(array, width, form),
        DataType::UInt32 => integer::<UInt32Type>(array, width, form),
        DataType::Utf8 => Box::new(Strings { array: array.as_string::<i32>().clone(), kind, form }),
        DataType::LargeUtf8 => Box::new(Strings { array: array.as_string::<i64>().clone(), kind, form }),
        DataType::Utf8View => Box::new(Strings { array: array.as_string_view().clone(), kind, form }),
        DataType::Binary => Box::new(Binaries { array: array.as_binary::<i32>().clone(), is_uuid, form }),
        DataType::LargeBinary => {
            Box::new(Binaries { array: array.as_binary::<i64>().clone(), is_uuid, form })
        }
        DataType::BinaryView => Box::new(Binaries { array: array.as_binary_view().clone(), is_uuid, form }),
        DataType::FixedSizeBinary(_) => {
            Box::new(Binaries { array: array.as_fixed_size_binary().clone(), is_uuid, form })
        }
        DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) => {
            clock(array, form)?
        }
        DataType::Timestamp(..) => timestamp(array, form)?,
        DataType::Interval(_) | DataType::Duration(_) => interval(array, form)?,
        _ => number(array, width, form)?,
    })
}

fn number<F: Form>(array: &ArrayRef, width: Width, form: F) -> Result<Box<dyn Value>> {
    macro_rules! decimal {
        ($type:ty, $scale:expr) => {{
            let scale = i32::from(*$scale);
            let small = u32::try_from(scale).ok().filter(|scale| *scale <= SMALL_SCALE);
            primitive::<$type>(array, move |value, out| {
                match (small, value.small()) {
                    (Some(scale), Some((negative, size))) => form.small_numeric(negative, size, scale, out),
                    _ => form.numeric(Digits::of(value).as_str(), scale, out),
                }
                Ok(())
            })
        }};
    }
    Ok(match array.data_type() {
        DataType::UInt64 => primitive::<UInt64Type>(array, move |value, out| {
            let value = i64::try_from(value).map_err(|_| out_of_range("bigint"))?;
            form.integer(value, width, out)
        }),
        DataType::Decimal32(_, scale) => decimal!(Decimal32Type, scale),
        DataType::Decimal64(_, scale) => decimal!(Decimal64Type, scale),
        DataType::Decimal128(_, scale) => decimal!(Decimal128Type, scale),
        DataType::Decimal256(_, scale) => decimal!(Decimal256Type, scale),
        DataType::Float16 => primitive::<Float16Type>(array, move |value, out| {
            form.float4(value.to_f32(), out);
            Ok(())
        }),
        DataType::Float32 => primitive::<Float32Type>(array, move |value, out| {
            form.float4(value, out);
            Ok(())
        }),
        DataType::Float64 => primitive::<Float64Type>(array, move |value, out| {
            form.float8(value, out);
            Ok(())
        }),
        other => return Err(unsendable(other)),
    })
}

fn clock<F: Form>(array: &ArrayRef, form: F) -> Result<Box<dyn Value>> {
    macro_rules! time {
        ($type:ty, $micros:expr) => {
            primitive::<$type>(array, move |value, out| {
                form.time($micros(i64::from(value)), out);
                Ok(())
            })
        };
    }
    Ok(match array.data_type() {
        DataType::Date32 => primitive::<Date32Type>(array, move |days, out| form.date(days, out)),
        DataType::Date64 => primitive::<Date64Type>(array, move |millis, out| {
            let days = i32::try_from(millis.div_euclid(86_400_000)).map_err(|_| out_of_range("date"))?;
            form.date(days, out)
        }),
        DataType::Time32(TimeUnit::Second) => time!(Time32SecondType, |value| value * 1_000_000),
        DataType::Time32(TimeUnit::Millisecond) => time!(Time32MillisecondType, |value| value * 1_000),
        DataType::Time64(TimeUnit::Microsecond) => time!(Time64MicrosecondType, |value| value),
        DataType::Time64(TimeUnit::Nanosecond) => {
            time!(Time64NanosecondType, |value: i64| value.div_euclid(1_000))
        }
        other => return Err(unsendable(other)),
    })
}

fn timestamp<F: Form>(array: &ArrayRef, form: F) -> Result<Box<dyn Value>> {
    let DataType::Timestamp(unit, zone) = array.data_type() else {
        return Err(unsendable(array.data_type()));
    };
    let (unit, is_instant) = (*unit, zone.is_some());
    let put = move |value: i64, out: &mut BytesMut| {
        let micros = micros(value, unit).ok_or_else(|| out_of_range("timestamp"))?;
        if is_instant { form.timestamptz(micros, out) } else { form.timestamp(micros, out) }
    };
    Ok(match unit {
        TimeUnit::Second => primitive::<TimestampSecondType>(array, put),
        TimeUnit::Millisecond => primitive::<TimestampMillisecondType>(array, put),
        TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(array, put),
        TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(array, put),
    })
}

fn interval<F: Form>(array: &ArrayRef, form: F) -> Result<Box<dyn Value>> {
    macro_rules! duration {
        ($type:ty, $unit:expr) => {
            primitive::<$type>(array, move |value, out| {
                let micros = micros(value, $unit).ok_or_else(|| out_of_range("interval"))?;
                form.interval(Interval { months: 0, days: 0, micros }, out);
                Ok(())
            })
        };
    }
    Ok(match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            primitive::<IntervalYearMonthType>(array, move |months, out| {
                form.interval(Interval { months, days: 0, micros: 0 }, out);
                Ok(())
            })
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            primitive::<IntervalDayTimeType>(array, move |value, out| {
                let micros = i64::from(value.milliseconds) * 1_000;
                form.interval(Interval { months: 0, days: value.days, micros }, out);
                Ok(())
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            primitive::<IntervalMonthDayNanoType>(array, move |value, out| {
                let micros = value.nanoseconds / 1_000;
                form.interval(Interval { months: value.months, days: value.days, micros }, out);
                Ok(())
            })
        }
        DataType::Duration(TimeUnit::Second) => duration!(DurationSecondType, TimeUnit::Second),
        DataType::Duration(TimeUnit::Millisecond) => {
            duration!(DurationMillisecondType, TimeUnit::Millisecond)
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            duration!(DurationMicrosecondType, TimeUnit::Microsecond)
        }
        DataType::Duration(TimeUnit::Nanosecond) => duration!(DurationNanosecondType, TimeUnit::Nanosecond),
        other => return Err(unsendable(other)),
    })
}

/// PostgreSQL's clock ticks in microseconds; what is finer is cut off towards the past.
fn micros(value: i64, unit: TimeUnit) -> Option<i64> {
    match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond => Some(value.div_euclid(1_000)),
    }
}

fn width(type_oid: u32) -> Width {
    match type_oid {
        oid::INT2 | oid::INT2VECTOR => Width::Two,
        oid::INT4 => Width::Four,
        oid::OIDVECTOR => Width::Oid,
        other if is_oid(other) => Width::Oid,
        _ => Width::Eight,
    }
}

fn string_kind(pg: PgType) -> StringKind {
    match pg.oid {
        oid::JSONB => StringKind::Jsonb,
        oid::UUID => StringKind::Uuid,
        oid::CHAR => StringKind::Char,
        oid::INET => StringKind::Inet,
        oid::BPCHAR => pg.characters().map_or(StringKind::Plain, StringKind::Padded),
        _ => StringKind::Plain,
    }
}

/// A string in the form that text and binary share.
pub(super) fn put_string(value: &str, kind: StringKind, out: &mut BytesMut) {
    out.put_slice(value.as_bytes());
    if let StringKind::Padded(characters) = kind {
        out.put_bytes(b' ', characters.saturating_sub(value.chars().count()));
    }
}

pub(super) fn out_of_range(what: &str) -> Error {
    Error::new(ErrorKind::NumericOutOfRange, format!("{what} out of range"))
}
