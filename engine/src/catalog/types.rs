//! Column types as a user writes them, and how each is stored.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// Field metadata that carries the SQL type where the Arrow type does not tell it.
pub const TYPE_KEY: &str = "pg.type";

/// A SQL type. Its text form is PostgreSQL's `format_type`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SqlType {
    Boolean,
    SmallInt,
    Integer,
    BigInt,
    Real,
    DoublePrecision,
    Numeric { precision: u8, scale: i8 },
    Text,
    Varchar(u32),
    Char(u32),
    Bytea,
    Date,
    Timestamp,
    TimestampTz,
    Uuid,
    Json,
    Jsonb,
    Array(Box<SqlType>),
}

impl SqlType {
    /// `numeric` without precision, wide enough for money and for sums of it.
    pub const DEFAULT_NUMERIC: SqlType = SqlType::Numeric { precision: 38, scale: 9 };

    /// The Arrow type that tables hold.
    pub fn to_arrow(&self) -> DataType {
        match self {
            SqlType::Boolean => DataType::Boolean,
            SqlType::SmallInt => DataType::Int16,
            SqlType::Integer => DataType::Int32,
            SqlType::BigInt => DataType::Int64,
            SqlType::Real => DataType::Float32,
            SqlType::DoublePrecision => DataType::Float64,
            SqlType::Numeric { precision, scale } => DataType::Decimal128(*precision, *scale),
            SqlType::Text
            | SqlType::Varchar(_)
            | SqlType::Char(_)
            | SqlType::Uuid
            | SqlType::Json
            | SqlType::Jsonb => DataType::Utf8,
            SqlType::Bytea => DataType::Binary,
            SqlType::Date => DataType::Date32,
            SqlType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            SqlType::TimestampTz => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            SqlType::Array(item) => DataType::List(Arc::new(Field::new("element", item.to_arrow(), true))),
        }
    }

    /// The type as queries see it: strings as views, which the reader produces without copying.
    pub fn to_query_arrow(&self) -> DataType {
        match self.to_arrow() {
            DataType::Utf8 => DataType::Utf8View,
            DataType::Binary => DataType::BinaryView,
            other => other,
        }
    }

    /// A field that remembers a type which Arrow alone would lose.
    pub fn to_field(&self, name: &str, nullable: bool, arrow: DataType) -> Field {
        let field = Field::new(name, arrow, nullable);
        match self {
            SqlType::Varchar(_) | SqlType::Char(_) | SqlType::Uuid | SqlType::Json | SqlType::Jsonb => {
                field.with_metadata([(TYPE_KEY.to_owned(), self.to_string())].into())
            }
            _ => field,
        }
    }

    /// The type for a column made from a query (`CREATE TABLE AS`).
    pub fn from_field(field: &Field) -> Result<Self> {
        if let Some(declared) = field.metadata().get(TYPE_KEY)
            // Without precision and scale, the values have those of their Arrow type.
            && declared != "numeric"
            && let Ok(found) = declared.parse()
        {
            return Ok(found);
        }
        Self::from_arrow(field.data_type())
            .map_err(|error| error.in_context(format!("column \"{}\"", field.name())))
    }

    /// The narrowest type that holds every value of both as it is, where one is a wider form of the other; `None` if
    /// there is none.
    pub fn widened_by(&self, other: &SqlType) -> Option<SqlType> {
        Some(match (self, other) {
            (SqlType::SmallInt, SqlType::Integer) => SqlType::Integer,
            (SqlType::SmallInt | SqlType::Integer, SqlType::BigInt) => SqlType::BigInt,
            (SqlType::Real, SqlType::DoublePrecision) => SqlType::DoublePrecision,
            (SqlType::Date, SqlType::Timestamp) => SqlType::Timestamp,
            (
                SqlType::Numeric { precision, scale },
                SqlType::Numeric { precision: other_precision, scale: other_scale },
            ) => {
                let whole = |precision: u8, scale: i8| i16::from(precision) - i16::from(scale);
                let digits = whole(*precision, *scale).max(whole(*other_precision, *other_scale));
                let scale = *scale.max(other_scale);
                let precision = u8::try_from(digits + i16::from(scale)).ok().filter(|all| *all <= 38)?;
                SqlType::Numeric { precision, scale }
            }
            _ => return None,
        })
    }

    /// Whether every value is one of the other type, and stored or read as it is there.
    pub fn widens_to(&self, wider: &SqlType) -> bool {
        match (self, wider) {
            (SqlType::Varchar(length), SqlType::Varchar(longer)) => length <= longer,
            (SqlType::Varchar(_), SqlType::Text) => true,
            _ => self != wider && self.widened_by(wider).as_ref() == Some(wider),
        }
    }

    pub fn from_arrow(arrow: &DataType) -> Result<Self> {
        Ok(match arrow {
            DataType::Boolean => SqlType::Boolean,
            DataType::Int8 | DataType::UInt8 | DataType::Int16 => SqlType::SmallInt,
            DataType::UInt16 | DataType::Int32 => SqlType::Integer,
            DataType::UInt32 | DataType::Int64 => SqlType::BigInt,
            DataType::UInt64 => SqlType::Numeric { precision: 20, scale: 0 },
            DataType::Float16 | DataType::Float32 => SqlType::Real,
            DataType::Float64 => SqlType::DoublePrecision,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => {
                SqlType::Numeric { precision: *p, scale: *s }
            }
            DataType::Decimal256(p, s) => SqlType::Numeric { precision: (*p).min(38), scale: *s },
            // A column of nothing but NULL literals is text, as in PostgreSQL.
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => SqlType::Text,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => SqlType::Bytea,
            DataType::Date32 | DataType::Date64 => SqlType::Date,
            DataType::Timestamp(_, None) => SqlType::Timestamp,
            DataType::Timestamp(_, Some(_)) => SqlType::TimestampTz,
            DataType::Dictionary(_, value) => Self::from_arrow(value)?,
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                SqlType::Array(Box::new(Self::from_arrow(item.data_type())?))
            }
            other => {
                return Err(Error::not_supported(format!(
                    "values of type {other} cannot be stored in a table"
                ))
                .with_hint("Cast the column to text, or select its parts."));
            }
        })
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::Boolean => f.write_str("boolean"),
            SqlType::SmallInt => f.write_str("smallint"),
            SqlType::Integer => f.write_str("integer"),
            SqlType::BigInt => f.write_str("bigint"),
            SqlType::Real => f.write_str("real"),
            SqlType::DoublePrecision => f.write_str("double precision"),
            SqlType::Numeric { precision, scale } => write!(f, "numeric({precision},{scale})"),
            SqlType::Text => f.write_str("text"),
            SqlType::Varchar(length) => write!(f, "character varying({length})"),
            SqlType::Char(length) => write!(f, "character({length})"),
            SqlType::Bytea => f.write_str("bytea"),
            SqlType::Date => f.write_str("date"),
            SqlType::Timestamp => f.write_str("timestamp without time zone"),
            SqlType::TimestampTz => f.write_str("timestamp with time zone"),
            SqlType::Uuid => f.write_str("uuid"),
            SqlType::Json => f.write_str("json"),
            SqlType::Jsonb => f.write_str("jsonb"),
            SqlType::Array(item) => write!(f, "{item}[]"),
        }
    }
}

impl FromStr for SqlType {
    type Err = Error;

    /// Reads the text form and the common aliases.
    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim().to_lowercase();
        if let Some(item) = text.strip_suffix("[]") {
            return Ok(SqlType::Array(Box::new(item.parse()?)));
        }
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => (name.trim().to_owned(), rest.trim_end_matches(')').to_owned()),
            None => (text.clone(), String::new()),
        };
        let numbers: Vec<u32> = arguments.split(',').filter_map(|part| part.trim().parse().ok()).collect();
        Ok(match (name.as_str(), numbers.as_slice()) {
            ("boolean" | "bool", _) => SqlType::Boolean,
            ("smallint" | "int2", _) => SqlType::SmallInt,
            ("integer" | "int" | "int4", _) => SqlType::Integer,
            ("bigint" | "int8", _) => SqlType::BigInt,
            ("real" | "float4", _) => SqlType::Real,
            ("double precision" | "float8" | "double" | "float", _) => SqlType::DoublePrecision,
            ("numeric" | "decimal", []) => SqlType::DEFAULT_NUMERIC,
            ("numeric" | "decimal", [precision]) => numeric(*precision, 0)?,
            ("numeric" | "decimal", [precision, scale]) => numeric(*precision, *scale)?,
            ("text" | "character varying" | "varchar" | "string", []) => SqlType::Text,
            ("character varying" | "varchar", [length]) => SqlType::Varchar(*length),
            ("character" | "char" | "bpchar", []) => SqlType::Char(1),
            ("character" | "char" | "bpchar", [length]) => SqlType::Char(*length),
            ("bytea", _) => SqlType::Bytea,
            ("date", _) => SqlType::Date,
            ("timestamp" | "timestamp without time zone", _) => SqlType::Timestamp,
            ("timestamptz" | "timestamp with time zone", _) => SqlType::TimestampTz,
            ("uuid", _) => SqlType::Uuid,
            ("json", _) => SqlType::Json,
            ("jsonb", _) => SqlType::Jsonb,
            _ => {
                return Err(Error::new(
                    ErrorKind::UndefinedObject,
                    format!("type \"{text}\" does not exist"),
                ));
            }
        })
    }
}

fn numeric(precision: u32, scale: u32) -> Result<SqlType> {
    if (1..=38).contains(&precision) && scale <= precision {
        return Ok(SqlType::Numeric { precision: precision as u8, scale: scale as i8 });
    }
    Err(Error::invalid_argument(format!("numeric({precision},{scale}) is out of range"))
        .with_hint("The precision lies between 1 and 38, the scale between 0 and the precision."))
}

impl Serialize for SqlType {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SqlType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_reads_back() {
        for text in [
            "boolean",
            "smallint",
            "integer",
            "bigint",
            "real",
            "double precision",
            "numeric(18,2)",
            "text",
            "character varying(20)",
            "character(3)",
            "bytea",
            "date",
            "timestamp without time zone",
            "timestamp with time zone",
            "uuid",
            "json",
            "jsonb",
            "text[]",
        ] {
            let parsed: SqlType = text.parse().unwrap();
            assert_eq!(parsed.to_string(), text);
        }
    }

    #[test]
    fn types_widen_and_do_not_narrow() {
        let parse = |text: &str| text.parse::<SqlType>().unwrap();
        for (one, other, both) in [
            ("smallint", "bigint", Some("bigint")),
            ("integer", "bigint", Some("bigint")),
            ("real", "double precision", Some("double precision")),
            ("date", "timestamp", Some("timestamp")),
            ("numeric(10,2)", "numeric(12,2)", Some("numeric(12,2)")),
            ("numeric(10,2)", "numeric(8,4)", Some("numeric(12,4)")),
            ("numeric(38,2)", "numeric(38,4)", None),
            ("bigint", "integer", None),
            ("integer", "double precision", None),
            ("date", "timestamptz", None),
            ("text", "bigint", None),
        ] {
            assert_eq!(parse(one).widened_by(&parse(other)), both.map(parse), "{one} {other}");
        }
        for (narrow, wide) in
            [("integer", "bigint"), ("numeric(10,2)", "numeric(12,4)"), ("varchar(3)", "text")]
        {
            assert!(
                parse(narrow).widens_to(&parse(wide)) && !parse(wide).widens_to(&parse(narrow)),
                "{narrow}"
            );
        }
        assert!(!parse("numeric(10,2)").widens_to(&parse("numeric(10,4)")));
    }

    #[test]
    fn a_numeric_out_of_range_is_refused() {
        assert_eq!("numeric(39,2)".parse::<SqlType>().unwrap_err().sqlstate(), "22023");
    }
}
