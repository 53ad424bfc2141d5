//! The schema of an Avro file: from its JSON to types.

use std::collections::HashMap;

use serde_json::Value;
use voxhouse_engine::{Error, Result};

use super::invalid;

/// Types nested deeper than this are of no use in a table.
const MAX_DEPTH: usize = 64;

const MAX_FIXED_BYTES: usize = 1 << 20;

/// What a value looks like in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum(Vec<String>),
    Array(Box<Kind>),
    Map(Box<Kind>),
    Union(Vec<Kind>),
    /// A record by its number in [`Schema::records`], so that a type may contain itself.
    Record(usize),
    Date,
    TimeMillis,
    TimeMicros,
    /// A moment, or a reading of a clock somewhere.
    Timestamp {
        unit: Unit,
        local: bool,
    },
    /// An unscaled number, as bytes of this many or of their own length.
    Decimal {
        fixed: Option<usize>,
        precision: u8,
        scale: i8,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Millis,
    Micros,
    Nanos,
}

/// The fields of a record.
pub(super) type Fields = Vec<(String, Kind)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Schema {
    pub(super) records: Vec<Fields>,
    /// Which of them a row is.
    pub(super) row: usize,
}

impl Schema {
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(json).map_err(|_| malformed())?;
        let mut reading = Reading::default();
        match reading.kind(&value, "", 0)? {
            Kind::Record(row) => Ok(Self { records: reading.records, row }),
            _ => Err(Error::not_supported("avro file whose rows are not records is not supported")),
        }
    }

    pub(super) fn row_fields(&self) -> &[(String, Kind)] {
        self.records.get(self.row).map(Vec::as_slice).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Reading {
    records: Vec<Fields>,
    named: HashMap<String, Kind>,
}

impl Reading {
    fn kind(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<Kind> {
        if depth > MAX_DEPTH {
            return Err(Error::not_supported("avro type nested so deep is not supported"));
        }
        match schema {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => {
                let kinds = branches.iter().map(|branch| self.kind(branch, namespace, depth + 1));
                Ok(Kind::Union(kinds.collect::<Result<_>>()?))
            }
            Value::Object(_) => self.object(schema, namespace, depth),
            _ => Err(malformed()),
        }
    }

    fn by_name(&self, name: &str, namespace: &str) -> Result<Kind> {
        Ok(match name {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "bytes" => Kind::Bytes,
            "string" => Kind::String,
            _ => {
                let found = self.named.get(&full_name(name, namespace)).or_else(|| self.named.get(name));
                found.cloned().ok_or_else(malformed)?
            }
        })
    }

    fn object(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<Kind> {
        let kind = schema.get("type").ok_or_else(malformed)?;
        let Some(name) = kind.as_str() else { return self.kind(kind, namespace, depth + 1) };
        let inner = |key: &str| schema.get(key).ok_or_else(malformed);
        match name {
            "array" => Ok(Kind::Array(Box::new(self.kind(inner("items")?, namespace, depth + 1)?))),
            "map" => Ok(Kind::Map(Box::new(self.kind(inner("values")?, namespace, depth + 1)?))),
            "record" | "error" => self.record(schema, namespace, depth),
            "enum" => {
                let symbols = inner("symbols")?.as_array().ok_or_else(malformed)?;
                let symbols = symbols.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(malformed));
                let kind = Kind::Enum(symbols.collect::<Result<_>>()?);
                self.define(schema, namespace, kind)
            }
            "fixed" => {
                let size = inner("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                let size = size.filter(|size| *size <= MAX_FIXED_BYTES).ok_or_else(malformed)?;
                self.define(schema, namespace, logical(schema, Kind::Fixed(size)))
            }
            _ => Ok(logical(schema, self.by_name(name, namespace)?)),
        }
    }

    fn record(&mut self, schema: &Value, namespace: &str, depth: usize) -> Result<Kind> {
        let place = self.records.len();
        self.records.push(Vec::new());
        // Before its fields, which may refer to it.
        self.define(schema, namespace, Kind::Record(place))?;
        let own = schema.get("namespace").and_then(Value::as_str);
        let namespace = own.unwrap_or_else(|| {
            let name = schema.get("name").and_then(Value::as_str).unwrap_or_default();
            name.rsplit_once('.').map_or(namespace, |(before, _)| before)
        });
        let fields = schema.get("fields").and_then(Value::as_array).ok_or_else(malformed)?;
        let mut found = Fields::new();
        for field in fields {
            let name = field.get("name").and_then(Value::as_str).ok_or_else(malformed)?;
            let kind = field.get("type").ok_or_else(malformed)?;
            found.push((name.to_owned(), self.kind(kind, namespace, depth + 1)?));
        }
        if let Some(fields) = self.records.get_mut(place) {
            *fields = found;
        }
        Ok(Kind::Record(place))
    }

    fn define(&mut self, schema: &Value, namespace: &str, kind: Kind) -> Result<Kind> {
        let name = schema.get("name").and_then(Value::as_str).ok_or_else(malformed)?;
        let namespace = schema.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
        self.named.insert(full_name(name, namespace), kind.clone());
        Ok(kind)
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if namespace.is_empty() || name.contains('.') { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// The meaning of a type; one that is not known, or does not fit, leaves the type as it is.
fn logical(schema: &Value, kind: Kind) -> Kind {
    let timestamp = |unit, local| Kind::Timestamp { unit, local };
    match (schema.get("logicalType").and_then(Value::as_str), &kind) {
        (Some("date"), Kind::Int) => Kind::Date,
        (Some("time-millis"), Kind::Int) => Kind::TimeMillis,
        (Some("time-micros"), Kind::Long) => Kind::TimeMicros,
        (Some("timestamp-millis"), Kind::Long) => timestamp(Unit::Millis, false),
        (Some("timestamp-micros"), Kind::Long) => timestamp(Unit::Micros, false),
        (Some("timestamp-nanos"), Kind::Long) => timestamp(Unit::Nanos, false),
        (Some("local-timestamp-millis"), Kind::Long) => timestamp(Unit::Millis, true),
        (Some("local-timestamp-micros"), Kind::Long) => timestamp(Unit::Micros, true),
        (Some("local-timestamp-nanos"), Kind::Long) => timestamp(Unit::Nanos, true),
        (Some("decimal"), Kind::Bytes) => decimal(schema, None).unwrap_or(kind),
        (Some("decimal"), Kind::Fixed(size)) => decimal(schema, Some(*size)).unwrap_or(kind),
        _ => kind,
    }
}

fn decimal(schema: &Value, fixed: Option<usize>) -> Option<Kind> {
    let precision = u8::try_from(schema.get("precision")?.as_u64()?).ok()?;
    let scale = match schema.get("scale") {
        Some(scale) => i8::try_from(scale.as_i64()?).ok()?,
        None => 0,
    };
    let valid = (1..=38).contains(&precision) && (0..=i16::from(precision)).contains(&i16::from(scale));
    valid.then_some(Kind::Decimal { fixed, precision, scale })
}

fn malformed() -> Error {
    invalid("its schema is not one of Avro")
}
