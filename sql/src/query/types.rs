//! What the types that a query casts to are: PostgreSQL's, where DataFusion has none or others.

use std::sync::Arc;

use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef, TimeUnit,
};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{
    self, ArrayElemTypeDef, CharacterLength, ExactNumberInfo, TimezoneInfo,
};
use voxhouse_engine::catalog::types::TYPE_KEY;

/// What stands for `numeric` without precision and scale where a plan needs both.
const UNBOUNDED: (u64, i64) = (38, 10);

#[derive(Debug)]
pub struct PostgresTypes;

impl TypePlanner for PostgresTypes {
    /// `None`: DataFusion's own idea is right.
    fn plan_type_field(&self, sql_type: &ast::DataType) -> DataFusionResult<Option<FieldRef>> {
        use ast::DataType as Sql;
        Ok(match sql_type {
            Sql::Uuid => Some(string("uuid")),
            Sql::JSON => Some(string("json")),
            Sql::JSONB => Some(string("jsonb")),
            Sql::Varchar(length)
            | Sql::CharacterVarying(length)
            | Sql::CharVarying(length)
            | Sql::Nvarchar(length) => match characters(length.as_ref()) {
                Some(length) => Some(string(&format!("character varying({length})"))),
                None => Some(string("character varying")),
            },
            Sql::Char(length) | Sql::Character(length) => {
                let length = characters(length.as_ref()).unwrap_or(1);
                Some(string(&format!("character({length})")))
            }
            Sql::Numeric(info) | Sql::Decimal(info) => numeric(info),
            // The same without the memory of it, for places where types must not differ in it.
            Sql::Dec(info) => {
                numeric(info).map(|field| Arc::new(Field::new("numeric", field.data_type().clone(), true)))
            }
            Sql::Custom(name, modifiers) if modifiers.is_empty() => match name.to_string().as_str() {
                "name" => Some(string("name")),
                "oid" => Some(named(DataType::Int64, "oid")),
                "xid" => Some(named(DataType::Int64, "xid")),
                "\"char\"" => Some(string("\"char\"")),
                _ => None,
            },
            Sql::Array(ArrayElemTypeDef::SquareBracket(item, None)) => {
                self.plan_type_field(item)?.map(|item| array_of(&item))
            }
            Sql::Text => Some(plain(DataType::Utf8View, "text")),
            Sql::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
                Some(plain(DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp"))
            }
            Sql::Timestamp(_, TimezoneInfo::Tz | TimezoneInfo::WithTimeZone) => {
                let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
                Some(plain(instant, "timestamptz"))
            }
            Sql::SmallInt(None) | Sql::Int2(None) => Some(plain(DataType::Int16, "smallint")),
            Sql::Int(None) | Sql::Integer(None) | Sql::Int4(None) => Some(plain(DataType::Int32, "integer")),
            Sql::BigInt(None) | Sql::Int8(None) => Some(plain(DataType::Int64, "bigint")),
            Sql::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
                Some(plain(DataType::Time64(TimeUnit::Microsecond), "time"))
            }
            _ => None,
        })
    }
}

/// The name is on the array: a list whose elements had one would be another Arrow type than the list of a column.
pub fn array_of(item: &Field) -> FieldRef {
    let array = Field::new("array", DataType::new_list(item.data_type().clone(), true), true);
    Arc::new(match item.metadata().get(TYPE_KEY) {
        Some(name) => array.with_metadata([(TYPE_KEY.to_owned(), format!("{name}[]"))].into()),
        None => array,
    })
}

/// A type that is stored as text.
fn string(name: &str) -> FieldRef {
    named(DataType::Utf8View, name)
}

/// A type that Arrow knows. It has a name, so that a cast does not hand on what the value was before, such as an oid.
fn plain(data_type: DataType, name: &str) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

/// A type that Arrow does not know, and what stores it.
fn named(stored: DataType, name: &str) -> FieldRef {
    let metadata = [(TYPE_KEY.to_owned(), name.to_owned())].into();
    Arc::new(Field::new("", stored, true).with_metadata(metadata))
}

/// `numeric(p,s)` remembers that it was asked for: what is merely computed has no precision and scale to a client.
/// `None`: not one that PostgreSQL knows either.
fn numeric(info: &ExactNumberInfo) -> Option<FieldRef> {
    let (precision, scale, name) = match info {
        ExactNumberInfo::None => (UNBOUNDED.0, UNBOUNDED.1, "numeric".to_owned()),
        ExactNumberInfo::Precision(precision) => (*precision, 0, format!("numeric({precision},0)")),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => {
            (*precision, *scale, format!("numeric({precision},{scale})"))
        }
    };
    let (precision, scale) = (u8::try_from(precision).ok()?, i8::try_from(scale).ok()?);
    let data_type = match precision {
        1..=DECIMAL128_MAX_PRECISION => DataType::Decimal128(precision, scale),
        ..=DECIMAL256_MAX_PRECISION => DataType::Decimal256(precision, scale),
        _ => return None,
    };
    let valid = precision > 0 && (0..=precision as i8).contains(&scale);
    valid.then(|| {
        Arc::new(Field::new("", data_type, true).with_metadata([(TYPE_KEY.to_owned(), name)].into()))
    })
}

/// The `n` of `varchar(n)`.
pub fn characters(length: Option<&CharacterLength>) -> Option<u64> {
    match length {
        Some(CharacterLength::IntegerLength { length, .. }) => Some(*length),
        _ => None,
    }
}
