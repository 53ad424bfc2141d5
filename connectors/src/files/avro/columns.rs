//! Columns of record batches under construction, one for each field of a row.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float32Builder,
    Float64Builder, Int32Builder, Int64Builder, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, TimestampNanosecondBuilder,
};
use arrow::datatypes::{DataType, Field, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::schema::{Kind, Schema, Unit};
use super::values::{Cursor, Problem, append_json};

/// One column.
pub(super) struct Column {
    /// Without the null that a union of two may have.
    kind: Kind,
    /// The branches of that union: which of them is null.
    null_branch: Option<i64>,
    builder: Builder,
}

enum Builder {
    Boolean(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Binary(BinaryBuilder),
    Text(StringBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Micros(TimestampMicrosecondBuilder),
    Nanos(TimestampNanosecondBuilder),
    Decimal(Decimal128Builder),
}

/// The columns of a row, as they are seen by SQL: nested values and unions are JSON text.
pub(super) fn arrow_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.row_fields().iter().map(|(name, kind)| {
        let (kind, _) = nullable(kind);
        Field::new(name, data_type(&kind), true)
    });
    Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()))
}

fn nullable(kind: &Kind) -> (Kind, Option<i64>) {
    match kind {
        Kind::Union(branches) => match branches.as_slice() {
            [Kind::Null, other] => (other.clone(), Some(0)),
            [other, Kind::Null] => (other.clone(), Some(1)),
            _ => (kind.clone(), None),
        },
        _ => (kind.clone(), None),
    }
}

fn data_type(kind: &Kind) -> DataType {
    match kind {
        Kind::Boolean => DataType::Boolean,
        Kind::Int => DataType::Int32,
        Kind::Long => DataType::Int64,
        Kind::Float => DataType::Float32,
        Kind::Double => DataType::Float64,
        Kind::Bytes | Kind::Fixed(_) => DataType::Binary,
        Kind::Date => DataType::Date32,
        Kind::TimeMillis | Kind::TimeMicros => DataType::Time64(TimeUnit::Microsecond),
        Kind::Timestamp { unit, local } => {
            let unit = if *unit == Unit::Nanos { TimeUnit::Nanosecond } else { TimeUnit::Microsecond };
            DataType::Timestamp(unit, (!local).then(|| "UTC".into()))
        }
        Kind::Decimal { precision, scale, .. } => DataType::Decimal128(*precision, *scale),
        _ => DataType::Utf8,
    }
}

impl Column {
    pub(super) fn new(kind: &Kind) -> Result<Self, ArrowError> {
        let (kind, null_branch) = nullable(kind);
        let data_type = data_type(&kind);
        let builder = match &data_type {
            DataType::Boolean => Builder::Boolean(BooleanBuilder::new()),
            DataType::Int32 => Builder::Int(Int32Builder::new()),
            DataType::Int64 => Builder::Long(Int64Builder::new()),
            DataType::Float32 => Builder::Float(Float32Builder::new()),
            DataType::Float64 => Builder::Double(Float64Builder::new()),
            DataType::Binary => Builder::Binary(BinaryBuilder::new()),
            DataType::Date32 => Builder::Date(Date32Builder::new()),
            DataType::Time64(_) => Builder::Time(Time64MicrosecondBuilder::new()),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                Builder::Nanos(TimestampNanosecondBuilder::new().with_data_type(data_type))
            }
            DataType::Timestamp(_, _) => {
                Builder::Micros(TimestampMicrosecondBuilder::new().with_data_type(data_type))
            }
            DataType::Decimal128(precision, scale) => {
                Builder::Decimal(Decimal128Builder::new().with_precision_and_scale(*precision, *scale)?)
            }
            _ => Builder::Text(StringBuilder::new()),
        };
        Ok(Self { kind, null_branch, builder })
    }

    /// Reads a value, and says how much memory it takes.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>, schema: &Schema) -> Result<usize, Problem> {
        if let Some(null_branch) = self.null_branch {
            match cursor.long()? {
                branch if branch == null_branch => {
                    self.append_null();
                    return Ok(1);
                }
                branch if branch == 1 - null_branch => {}
                _ => return Err(Problem::Corrupt("a union has no such branch")),
            }
        }
        match &mut self.builder {
            Builder::Boolean(builder) => builder.append_value(cursor.boolean()?),
            Builder::Int(builder) => builder.append_value(cursor.int()?),
            Builder::Long(builder) => builder.append_value(cursor.long()?),
            Builder::Float(builder) => builder.append_value(cursor.float()?),
            Builder::Double(builder) => builder.append_value(cursor.double()?),
            Builder::Date(builder) => builder.append_value(cursor.int()?),
            Builder::Time(builder) => builder.append_value(match self.kind {
                Kind::TimeMillis => i64::from(cursor.int()?) * 1000,
                _ => cursor.long()?,
            }),
            Builder::Nanos(builder) => builder.append_value(cursor.long()?),
            Builder::Micros(builder) => builder.append_value(micros(cursor.long()?, &self.kind)?),
            Builder::Decimal(builder) => builder.append_value(match &self.kind {
                Kind::Decimal { fixed, precision, .. } => within(cursor.unscaled(*fixed)?, *precision)?,
                _ => 0,
            }),
            Builder::Binary(builder) => {
                let bytes = match &self.kind {
                    Kind::Fixed(size) => cursor.take(*size)?,
                    _ => cursor.bytes()?,
                };
                builder.append_value(bytes);
                return Ok(bytes.len());
            }
            Builder::Text(builder) => return append_text(builder, &self.kind, cursor, schema),
        }
        Ok(8)
    }

    fn append_null(&mut self) {
        match &mut self.builder {
            Builder::Boolean(builder) => builder.append_null(),
            Builder::Int(builder) => builder.append_null(),
            Builder::Long(builder) => builder.append_null(),
            Builder::Float(builder) => builder.append_null(),
            Builder::Double(builder) => builder.append_null(),
            Builder::Binary(builder) => builder.append_null(),
            Builder::Text(builder) => builder.append_null(),
            Builder::Date(builder) => builder.append_null(),
            Builder::Time(builder) => builder.append_null(),
            Builder::Micros(builder) => builder.append_null(),
            Builder::Nanos(builder) => builder.append_null(),
            Builder::Decimal(builder) => builder.append_null(),
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        match &mut self.builder {
            Builder::Boolean(builder) => Arc::new(builder.finish()),
            Builder::Int(builder) => Arc::new(builder.finish()),
            Builder::Long(builder) => Arc::new(builder.finish()),
            Builder::Float(builder) => Arc::new(builder.finish()),
            Builder::Double(builder) => Arc::new(builder.finish()),
            Builder::Binary(builder) => Arc::new(builder.finish()),
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Date(builder) => Arc::new(builder.finish()),
            Builder::Time(builder) => Arc::new(builder.finish()),
            Builder::Micros(builder) => Arc::new(builder.finish()),
            Builder::Nanos(builder) => Arc::new(builder.finish()),
            Builder::Decimal(builder) => Arc::new(builder.finish()),
        }
    }
}

fn append_text(
    builder: &mut StringBuilder,
    kind: &Kind,
    cursor: &mut Cursor<'_>,
    schema: &Schema,
) -> Result<usize, Problem> {
    let nested;
    let text = match kind {
        Kind::String => cursor.string()?,
        Kind::Enum(symbols) => cursor.symbol(symbols)?,
        Kind::Null => {
            builder.append_null();
            return Ok(1);
        }
        _ => {
            let mut json = String::new();
            append_json(cursor, kind, schema, 0, &mut json)?;
            nested = json;
            &nested
        }
    };
    // A union's null is no JSON text.
    if text == "null" && matches!(kind, Kind::Union(_)) {
        builder.append_null();
        return Ok(1);
    }
    builder.append_value(text);
    Ok(text.len() + 8)
}

fn micros(value: i64, kind: &Kind) -> Result<i64, Problem> {
    match kind {
        Kind::Timestamp { unit: Unit::Millis, .. } => {
            value.checked_mul(1000).ok_or(Problem::Corrupt("a date is outside of the calendar"))
        }
        _ => Ok(value),
    }
}

fn within(value: i128, precision: u8) -> Result<i128, Problem> {
    let limit = 10_i128.pow(u32::from(precision));
    if (1 - limit..limit).contains(&value) {
        Ok(value)
    } else {
        Err(Problem::Corrupt("a decimal is too large for its type"))
    }
}
