//! Which Postgres type a column has, and which Arrow type a declared parameter gets.
//!
//! The Arrow type decides, unless the field's metadata names a Postgres type under [`PG_TYPE`] that suits it:
//! `uuid`, `jsonb`, `varchar(20)`, `char(3)`, `oid`, `name`, `"char"`, `int2vector`, `text[]` …

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, Schema, TimeUnit};
use voxhouse_engine::{Error, ErrorKind, Result};

/// The key of the field metadata.
pub const PG_TYPE: &str = "pg.type";

/// The key that tells where a described column comes from: `16385.3` is the third column of that relation.
const ORIGIN: &str = "pg.origin";

/// The Arrow time zone of `timestamp with time zone`: an instant, whatever zone it is printed in.
pub const UTC: &str = "UTC";

/// Precision and scale of a parameter declared as `numeric`, which has neither: 28 digits before the point, 10
/// behind it.
pub const NUMERIC_PARAMETER: (u8, i8) = (38, 10);

/// What RowDescription says of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PgType {
    pub oid: u32,
    /// Bytes; −1 varies.
    pub length: i16,
    /// Precision and scale of `numeric`, length of `varchar`; −1 none.
    pub modifier: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    #[default]
    Text = 0,
    Binary = 1,
}

/// A result column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) pg: PgType,
    pub(super) data_type: DataType,
    /// The relation's object identifier and the number of its column, if the column is one of a relation as it is.
    pub(super) origin: Option<(u32, i16)>,
}

/// One row of what the wire knows of `pg_type`.
struct Known {
    /// As the catalog calls it, then as SQL does.
    names: &'static [&'static str],
    oid: u32,
    array: u32,
    length: i16,
}

const fn known(names: &'static [&'static str], oid: u32, array: u32, length: i16) -> Known {
    Known { names, oid, array, length }
}

pub mod oid {
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const CHAR: u32 = 18;
    pub const NAME: u32 = 19;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT2VECTOR: u32 = 22;
    pub const INT4: u32 = 23;
    pub const REGPROC: u32 = 24;
    pub const TEXT: u32 = 25;
    pub const OID: u32 = 26;
    pub const XID: u32 = 28;
    pub const CID: u32 = 29;
    pub const OIDVECTOR: u32 = 30;
    pub const JSON: u32 = 114;
    pub const PG_NODE_TREE: u32 = 194;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const UNKNOWN: u32 = 705;
    pub const INET: u32 = 869;
    pub const ACLITEM: u32 = 1033;
    pub const BPCHAR: u32 = 1042;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIME: u32 = 1083;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const INTERVAL: u32 = 1186;
    pub const NUMERIC: u32 = 1700;
    pub const REGPROCEDURE: u32 = 2202;
    pub const REGOPER: u32 = 2203;
    pub const REGOPERATOR: u32 = 2204;
    pub const REGCLASS: u32 = 2205;
    pub const REGTYPE: u32 = 2206;
    pub const RECORD: u32 = 2249;
    pub const ANYARRAY: u32 = 2277;
    pub const VOID: u32 = 2278;
    pub const UUID: u32 = 2950;
    pub const PG_LSN: u32 = 3220;
    pub const JSONB: u32 = 3802;
    pub const REGNAMESPACE: u32 = 4089;
    pub const REGROLE: u32 = 4096;
}

const KNOWN: &[Known] = &[
    known(&["bool", "boolean"], oid::BOOL, 1000, 1),
    known(&["bytea"], oid::BYTEA, 1001, -1),
    known(&["\"char\""], oid::CHAR, 1002, 1),
    known(&["name"], oid::NAME, 1003, 64),
    known(&["int8", "bigint"], oid::INT8, 1016, 8),
    known(&["int2", "smallint"], oid::INT2, 1005, 2),
    known(&["int2vector"], oid::INT2VECTOR, 1006, -1),
    known(&["int4", "integer", "int"], oid::INT4, 1007, 4),
    known(&["regproc"], oid::REGPROC, 1008, 4),
    known(&["text"], oid::TEXT, 1009, -1),
    known(&["oid"], oid::OID, 1028, 4),
    known(&["xid"], oid::XID, 1011, 4),
    known(&["cid"], oid::CID, 1012, 4),
    known(&["oidvector"], oid::OIDVECTOR, 1013, -1),
    known(&["json"], oid::JSON, 199, -1),
    known(&["pg_node_tree"], oid::PG_NODE_TREE, 0, -1),
    known(&["float4", "real"], oid::FLOAT4, 1021, 4),
    known(&["float8", "double precision"], oid::FLOAT8, 1022, 8),
    known(&["inet"], oid::INET, 1041, -1),
    known(&["aclitem"], oid::ACLITEM, 1034, 16),
    known(&["bpchar", "char", "character"], oid::BPCHAR, 1014, -1),
    known(&["varchar", "character varying"], oid::VARCHAR, 1015, -1),
    known(&["date"], oid::DATE, 1182, 4),
    known(&["time", "time without time zone"], oid::TIME, 1183, 8),
    known(&["timestamp", "timestamp without time zone"], oid::TIMESTAMP, 1115, 8),
    known(&["timestamptz", "timestamp with time zone"], oid::TIMESTAMPTZ, 1185, 8),
    known(&["interval"], oid::INTERVAL, 1187, 16),
    known(&["numeric", "decimal"], oid::NUMERIC, 1231, -1),
    known(&["regprocedure"], oid::REGPROCEDURE, 2207, 4),
    known(&["regoper"], oid::REGOPER, 2208, 4),
    known(&["regoperator"], oid::REGOPERATOR, 2209, 4),
    known(&["regclass"], oid::REGCLASS, 2210, 4),
    known(&["regtype"], oid::REGTYPE, 2211, 4),
    known(&["record"], oid::RECORD, 2287, -1),
    known(&["anyarray"], oid::ANYARRAY, 0, -1),
    known(&["void"], oid::VOID, 0, 4),
    known(&["uuid"], oid::UUID, 2951, 16),
    known(&["pg_lsn"], oid::PG_LSN, 3221, 8),
    known(&["jsonb"], oid::JSONB, 3807, -1),
    known(&["regnamespace"], oid::REGNAMESPACE, 4090, 4),
    known(&["regrole"], oid::REGROLE, 4097, 4),
];

impl PgType {
    pub(super) fn new(oid: u32) -> Self {
        let length = KNOWN.iter().find(|known| known.oid == oid).map_or(-1, |known| known.length);
        Self { oid, length, modifier: -1 }
    }

    /// `varchar(20)`, `numeric(18,2)`, `text[]`. `None`: the wire does not know it.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(element) = name.strip_suffix("[]") {
            return Self::from_name(element).and_then(Self::array);
        }
        let (base, arguments) = match name.split_once('(') {
            Some((base, rest)) => (base.trim_end(), Some(rest.strip_suffix(')')?)),
            None => (name, None),
        };
        let found =
            KNOWN.iter().find(|known| known.names.iter().any(|known| known.eq_ignore_ascii_case(base)))?;
        let mut pg = Self::new(found.oid);
        if let Some(arguments) = arguments {
            pg.modifier = modifier(found.oid, arguments)?;
        } else if name.eq_ignore_ascii_case("char") || name.eq_ignore_ascii_case("character") {
            pg.modifier = length_modifier(1);
        }
        Some(pg)
    }

    /// The length of `varchar(n)` or `char(n)`.
    pub(super) fn characters(self) -> Option<usize> {
        usize::try_from(self.modifier.checked_sub(length_modifier(0))?).ok()
    }

    /// Whether values of the Arrow type are values of this type without a cast: strings in any layout, decimals of
    /// any scale, the names of objects.
    pub(super) fn holds(self, data_type: &DataType) -> bool {
        let (object, stored) = match (self.element(), element_type(data_type)) {
            (Some(element), Some(stored)) => (element, stored),
            _ => (self, data_type),
        };
        if object.names_an_object() && stored.is_string() {
            return true;
        }
        let mut leaf = data_type;
        while let Some(element) = element_type(leaf) {
            leaf = element;
        }
        let is_plain = leaf.is_string() || leaf.is_decimal();
        is_plain && natural(data_type).is_some_and(|pg| pg.oid == self.oid)
    }

    /// Whether its values are numbers of objects that are shown by name.
    pub(super) fn names_an_object(self) -> bool {
        is_oid(self.oid) && !matches!(self.oid, oid::OID | oid::XID | oid::CID)
    }

    /// The array type with this element type.
    fn array(self) -> Option<Self> {
        let array = KNOWN.iter().find(|known| known.oid == self.oid).map(|known| known.array)?;
        (array != 0).then_some(Self { oid: array, length: -1, modifier: self.modifier })
    }

    /// The type of the elements of an array type.
    pub(super) fn element(self) -> Option<Self> {
        Some(Self { modifier: self.modifier, ..Self::new(array_element(self.oid)?) })
    }

    /// The type of a field of a result.
    ///
    /// # Errors
    /// Not supported, if the wire cannot send the Arrow type.
    pub fn of_field(field: &Field) -> Result<Self> {
        let natural = natural(field.data_type()).ok_or_else(|| {
            Error::not_supported(format!(
                "column \"{}\" has a type that the Postgres protocol cannot carry: {}",
                field.name(),
                field.data_type()
            ))
            .with_hint("Cast the column to text or select its parts.")
        })?;
        let named = field.metadata().get(PG_TYPE).and_then(|name| Self::from_name(name));
        Ok(named.filter(|named| suits(named.oid, field.data_type())).unwrap_or(natural))
    }

    /// The type of a parameter that the client did not declare. What is compared with 32 unsigned bits is an oid
    /// of the catalog far more often than anything else, and drivers bind oids as such.
    pub fn of_parameter(field: &Field) -> Self {
        match field.data_type() {
            DataType::UInt32 => Self::new(oid::OID),
            _ => Self::of_field(field).unwrap_or_else(|_| Self::new(oid::TEXT)),
        }
    }
}

/// The element's type oid, if the oid is that of an array.
pub(super) fn array_element(array: u32) -> Option<u32> {
    KNOWN.iter().find(|known| known.array == array && array != 0).map(|known| known.oid)
}

/// As `format_type` prints it, for messages.
pub(super) fn sql_name(type_oid: u32) -> &'static str {
    let known = KNOWN.iter().find(|known| known.oid == type_oid || known.array == type_oid);
    match type_oid {
        oid::BPCHAR => "character",
        oid::NUMERIC => "numeric",
        _ => known.and_then(|known| known.names.get(1).or(known.names.first())).copied().unwrap_or("unknown"),
    }
}

/// What the protocol can count.
const MAX_COLUMNS: usize = i16::MAX as usize;

pub(super) fn columns(schema: &Schema) -> Result<Vec<Column>> {
    if schema.fields().len() > MAX_COLUMNS {
        let message = format!("target lists can have at most {MAX_COLUMNS} entries");
        return Err(Error::new(ErrorKind::TooManyColumns, message));
    }
    schema
        .fields()
        .iter()
        .map(|field| {
            let (name, data_type) = (field.name().clone(), field.data_type().clone());
            let (mut pg, origin) = (PgType::of_field(field)?, origin(field));
            // Of what is computed, PostgreSQL knows neither precision nor scale.
            if data_type.is_decimal() && origin.is_none() && !field.metadata().contains_key(PG_TYPE) {
                pg.modifier = -1;
            }
            Ok(Column { name, pg, data_type, origin })
        })
        .collect()
}

/// A described column that is a column of a relation as it is.
pub fn with_origin(field: Field, relation: u32, number: i16) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(ORIGIN.to_owned(), format!("{relation}.{number}"));
    field.with_metadata(metadata)
}

fn origin(field: &Field) -> Option<(u32, i16)> {
    let (relation, number) = field.metadata().get(ORIGIN)?.split_once('.')?;
    Some((relation.parse().ok()?, number.parse().ok()?))
}

/// Whether two descriptions promise a client the same: a table that was made anew under its name does.
pub fn same_columns(one: &Schema, other: &Schema) -> bool {
    let promise = |field: &Field| {
        let named = field.metadata().get(PG_TYPE).cloned();
        (field.name().clone(), field.data_type().clone(), named)
    };
    one.fields().iter().map(|field| promise(field)).eq(other.fields().iter().map(|field| promise(field)))
}

/// The type that a client declares for a parameter, with the Postgres type where Arrow does not tell it.
/// `None`: the client left it open, or the wire does not know the type; the planner infers it.
pub fn field_of_oid(type_oid: u32) -> Option<FieldRef> {
    let field = Field::new("", from_oid(type_oid)?, true);
    let name = |oid: u32| KNOWN.iter().find(|known| known.oid == oid).map(|known| known.names[0]);
    let name = match array_element(type_oid) {
        Some(element) => name(element).map(|name| format!("{name}[]")),
        None => name(type_oid).map(str::to_owned),
    };
    let is_told = PgType::of_field(&field).is_ok_and(|pg| pg.oid == type_oid && pg.modifier == -1);
    Some(Arc::new(match name {
        Some(name) if !is_told => field.with_metadata([(PG_TYPE.to_owned(), name)].into()),
        _ => field,
    }))
}

/// The Arrow type of a Postgres type. `None`: there is none, or the wire does not know the type.
///
/// An array type maps to a list. The `reg…` types map to nothing, because their text is a name.
pub fn from_oid(type_oid: u32) -> Option<DataType> {
    if let Some(element) = array_element(type_oid) {
        return Some(DataType::List(Arc::new(Field::new("item", from_oid(element)?, true))));
    }
    Some(match type_oid {
        oid::BOOL => DataType::Boolean,
        oid::INT2 => DataType::Int16,
        oid::INT4 => DataType::Int32,
        oid::INT8 => DataType::Int64,
        oid::OID | oid::XID | oid::CID => DataType::UInt32,
        oid::FLOAT4 => DataType::Float32,
        oid::FLOAT8 => DataType::Float64,
        oid::NUMERIC => DataType::Decimal128(NUMERIC_PARAMETER.0, NUMERIC_PARAMETER.1),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::CHAR => DataType::Utf8,
        oid::JSON | oid::JSONB | oid::UUID => DataType::Utf8,
        oid::BYTEA => DataType::Binary,
        oid::DATE => DataType::Date32,
        oid::TIME => DataType::Time64(TimeUnit::Microsecond),
        oid::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        oid::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        oid::INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        _ => return None,
    })
}

/// The Postgres type of an Arrow type by itself. `None`: it cannot be sent.
fn natural(data_type: &DataType) -> Option<PgType> {
    let plain = |oid| Some(PgType::new(oid));
    match data_type {
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => plain(oid::TEXT),
        DataType::Boolean => plain(oid::BOOL),
        DataType::Int8 | DataType::UInt8 | DataType::Int16 => plain(oid::INT2),
        DataType::UInt16 | DataType::Int32 => plain(oid::INT4),
        DataType::UInt32 | DataType::Int64 => plain(oid::INT8),
        // Counters such as row_number(): a value beyond bigint is an error when it is sent.
        DataType::UInt64 => plain(oid::INT8),
        DataType::Float16 | DataType::Float32 => plain(oid::FLOAT4),
        DataType::Float64 => plain(oid::FLOAT8),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some(PgType {
            modifier: numeric_modifier((*precision).into(), (*scale).into()),
            ..PgType::new(oid::NUMERIC)
        }),
        DataType::Date32 | DataType::Date64 => plain(oid::DATE),
        DataType::Time32(_) | DataType::Time64(_) => plain(oid::TIME),
        DataType::Timestamp(_, None) => plain(oid::TIMESTAMP),
        DataType::Timestamp(_, Some(_)) => plain(oid::TIMESTAMPTZ),
        DataType::Interval(_) | DataType::Duration(_) => plain(oid::INTERVAL),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            plain(oid::BYTEA)
        }
        DataType::Dictionary(_, values) => natural(values),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => list(element),
        DataType::Struct(fields) => {
            fields.iter().all(|field| natural(field.data_type()).is_some()).then(|| PgType::new(oid::RECORD))
        }
        DataType::Map(..) => plain(oid::JSON),
        DataType::Union(..) | DataType::RunEndEncoded(..) => None,
    }
}

/// An array of arrays has the type of an array: PostgreSQL counts dimensions in the value. What it has no array type
/// for, and records, whose arrays drivers cannot open, travel as JSON.
fn list(element: &Field) -> Option<PgType> {
    let pg = PgType::of_field(element).ok()?;
    match pg.oid {
        _ if is_list(element.data_type()) => Some(pg),
        oid::RECORD | oid::JSON => Some(PgType::new(oid::JSON)),
        _ => pg.array(),
    }
}

pub(super) fn is_list(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => true,
        DataType::Dictionary(_, values) => is_list(values),
        _ => false,
    }
}

/// Whether values stored as `data_type` can be sent as the type that the metadata names.
fn suits(type_oid: u32, data_type: &DataType) -> bool {
    use DataType::{
        FixedSizeBinary, Int8, Int16, Int32, Int64, LargeUtf8, UInt8, UInt16, UInt32, Utf8, Utf8View,
    };
    match data_type {
        DataType::Dictionary(_, values) => suits(type_oid, values),
        Utf8 | LargeUtf8 | Utf8View => matches!(
            type_oid,
            oid::TEXT
                | oid::VARCHAR
                | oid::BPCHAR
                | oid::NAME
                | oid::CHAR
                | oid::JSON
                | oid::JSONB
                | oid::UUID
                | oid::PG_NODE_TREE
                | oid::ACLITEM
                | oid::INET
                | oid::PG_LSN
                | oid::ANYARRAY
                | oid::VOID
        ),
        FixedSizeBinary(16) => matches!(type_oid, oid::UUID | oid::BYTEA),
        Int8 | UInt8 => matches!(type_oid, oid::INT2 | oid::INT4 | oid::INT8),
        Int16 => matches!(type_oid, oid::INT2 | oid::INT4 | oid::INT8),
        Int32 | Int64 | UInt16 | UInt32 => is_oid(type_oid) || matches!(type_oid, oid::INT4 | oid::INT8),
        list if is_list(list) => match (array_element(type_oid), element_type(list)) {
            (Some(element), Some(stored)) => {
                suits(element, stored) || natural(stored).is_some_and(|pg| pg.oid == element)
            }
            (None, Some(DataType::Int16)) => type_oid == oid::INT2VECTOR,
            (None, Some(Int32 | Int64 | UInt32)) => type_oid == oid::OIDVECTOR,
            _ => false,
        },
        other => natural(other).is_some_and(|pg| pg.oid == type_oid),
    }
}

/// `oid` and its aliases: four bytes, unsigned.
pub(super) fn is_oid(type_oid: u32) -> bool {
    matches!(
        type_oid,
        oid::OID
            | oid::XID
            | oid::CID
            | oid::REGPROC
            | oid::REGPROCEDURE
            | oid::REGOPER
            | oid::REGOPERATOR
            | oid::REGCLASS
            | oid::REGTYPE
            | oid::REGNAMESPACE
            | oid::REGROLE
    )
}

fn element_type(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => Some(element.data_type()),
        _ => None,
    }
}

fn modifier(type_oid: u32, arguments: &str) -> Option<i32> {
    let mut numbers = arguments.split(',').map(|number| number.trim().parse::<i32>());
    let first = numbers.next()?.ok()?;
    match type_oid {
        oid::VARCHAR | oid::BPCHAR => Some(length_modifier(first)),
        oid::NUMERIC => Some(numeric_modifier(first, numbers.next().unwrap_or(Ok(0)).ok()?)),
        // Digits of a second; the values have six.
        oid::TIME | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::INTERVAL => Some(-1),
        _ => None,
    }
}

/// PostgreSQL counts its own four header bytes in.
fn length_modifier(characters: i32) -> i32 {
    characters.saturating_add(4)
}

fn numeric_modifier(precision: i32, scale: i32) -> i32 {
    ((precision << 16) | (scale & 0x7ff)) + 4
}
