//! Values of catalog rows, and Arrow arrays made of them.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int16Array, Int16Builder, Int32Array, Int32Builder,
    Int64Array, Int64Builder, ListBuilder, StringArray, StringBuilder, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use voxhouse_engine::{Error, Result};

/// One value of a catalog row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'static, str>),
    /// Microseconds since 1970.
    Timestamp(i64),
    Ints(Vec<i64>),
    Texts(Vec<String>),
}

impl Cell {
    /// Reads PostgreSQL's text form.
    pub(super) fn parse(text: &str, data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Cell::Bool(text == "t"),
            DataType::Int16 | DataType::Int32 | DataType::Int64 => text.parse().map_or(Cell::Null, Cell::Int),
            DataType::Float32 | DataType::Float64 => text.parse().map_or(Cell::Null, Cell::Float),
            DataType::List(item) => {
                let parts = text
                    .trim_matches(['{', '}'])
                    .split([',', ' '])
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned);
                if item.data_type() == &DataType::Utf8 {
                    Cell::Texts(parts.collect())
                } else {
                    Cell::Ints(parts.filter_map(|part| part.parse().ok()).collect())
                }
            }
            _ => Cell::Text(Cow::Owned(text.to_owned())),
        }
    }

    /// What a column holds that says nothing of its own: NULL, or the zero of a column that is not null.
    pub(super) fn absent(field: &Field) -> Self {
        if field.is_nullable() {
            return Cell::Null;
        }
        match field.data_type() {
            DataType::Boolean => Cell::Bool(false),
            DataType::Int16 | DataType::Int32 | DataType::Int64 => Cell::Int(0),
            DataType::Float32 | DataType::Float64 => Cell::Float(0.0),
            DataType::Utf8 => Cell::Text(Cow::Borrowed("")),
            DataType::List(item) if item.data_type() == &DataType::Utf8 => Cell::Texts(Vec::new()),
            DataType::List(_) => Cell::Ints(Vec::new()),
            _ => Cell::Null,
        }
    }

    fn int(&self) -> Option<i64> {
        match self {
            Cell::Int(value) => Some(*value),
            Cell::Bool(value) => Some((*value).into()),
            _ => None,
        }
    }

    fn float(&self) -> Option<f64> {
        match self {
            Cell::Float(value) => Some(*value),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Cell::Text(value) => Some(value),
            _ => None,
        }
    }
}

macro_rules! int_cells {
    ($($int:ty),*) => {
        $(impl From<$int> for Cell {
            fn from(value: $int) -> Self {
                Cell::Int(value.into())
            }
        })*
    };
}
int_cells!(i16, i32, i64, u32);

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Cell::Bool(value)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Cell::Float(value)
    }
}

impl From<&'static str> for Cell {
    fn from(value: &'static str) -> Self {
        Cell::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Cell::Text(Cow::Owned(value))
    }
}

impl From<&String> for Cell {
    fn from(value: &String) -> Self {
        Cell::Text(Cow::Owned(value.clone()))
    }
}

impl From<char> for Cell {
    fn from(value: char) -> Self {
        Cell::Text(Cow::Owned(value.to_string()))
    }
}

impl From<Vec<i64>> for Cell {
    fn from(value: Vec<i64>) -> Self {
        Cell::Ints(value)
    }
}

impl From<Vec<String>> for Cell {
    fn from(value: Vec<String>) -> Self {
        Cell::Texts(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// The Arrow type that holds a Postgres type. What the catalog never fills is text.
pub(super) fn arrow_type(postgres: &str) -> DataType {
    if let Some(item) = postgres.strip_suffix("[]") {
        return list_of(arrow_type(item));
    }
    match postgres {
        "boolean" => DataType::Boolean,
        "smallint" => DataType::Int16,
        "integer" => DataType::Int32,
        "bigint" | "oid" | "xid" => DataType::Int64,
        number if number.starts_with("reg") => DataType::Int64,
        "real" => DataType::Float32,
        "double precision" => DataType::Float64,
        "bytea" => DataType::Binary,
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        "timestamp with time zone" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "int2vector" => list_of(DataType::Int16),
        "oidvector" => list_of(DataType::Int64),
        _ => DataType::Utf8,
    }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// # Errors
/// Internal, if a cell does not suit the type.
pub(super) fn to_array(cells: &[Cell], data_type: &DataType) -> Result<ArrayRef> {
    let array: ArrayRef = match data_type {
        DataType::Boolean => Arc::new(BooleanArray::from_iter(cells.iter().map(|cell| match cell {
            Cell::Bool(value) => Some(*value),
            _ => None,
        }))),
        DataType::Int16 => Arc::new(Int16Array::from_iter(
            cells.iter().map(|cell| cell.int().and_then(|v| i16::try_from(v).ok())),
        )),
        DataType::Int32 => Arc::new(Int32Array::from_iter(
            cells.iter().map(|cell| cell.int().and_then(|v| i32::try_from(v).ok())),
        )),
        DataType::Int64 => Arc::new(Int64Array::from_iter(cells.iter().map(Cell::int))),
        DataType::Float32 => {
            Arc::new(Float32Array::from_iter(cells.iter().map(|cell| cell.float().map(|v| v as f32))))
        }
        DataType::Float64 => Arc::new(Float64Array::from_iter(cells.iter().map(Cell::float))),
        DataType::Utf8 => Arc::new(StringArray::from_iter(cells.iter().map(Cell::text))),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let values = cells.iter().map(|cell| match cell {
                Cell::Timestamp(value) => Some(*value),
                _ => None,
            });
            Arc::new(TimestampMicrosecondArray::from_iter(values).with_timezone_opt(zone.clone()))
        }
        DataType::List(item) => to_list(cells, item.data_type())?,
        other => new_null_array(other, cells.len()),
    };
    let nulls = cells.iter().filter(|cell| matches!(cell, Cell::Null)).count();
    if array.null_count() != nulls {
        return Err(Error::internal(format!("a catalog value does not fit {data_type}")));
    }
    Ok(array)
}

fn to_list(cells: &[Cell], item: &DataType) -> Result<ArrayRef> {
    Ok(match item {
        DataType::Int16 => {
            let mut list = ListBuilder::new(Int16Builder::new());
            for cell in cells {
                list.append_option(
                    ints(cell).map(|values| {
                        values.iter().map(|value| i16::try_from(*value).ok()).collect::<Vec<_>>()
                    }),
                );
            }
            Arc::new(list.finish())
        }
        DataType::Int32 => {
            let mut list = ListBuilder::new(Int32Builder::new());
            for cell in cells {
                list.append_option(
                    ints(cell).map(|values| {
                        values.iter().map(|value| i32::try_from(*value).ok()).collect::<Vec<_>>()
                    }),
                );
            }
            Arc::new(list.finish())
        }
        DataType::Int64 => {
            let mut list = ListBuilder::new(Int64Builder::new());
            for cell in cells {
                list.append_option(
                    ints(cell).map(|values| values.iter().copied().map(Some).collect::<Vec<_>>()),
                );
            }
            Arc::new(list.finish())
        }
        DataType::Utf8 => {
            let mut list = ListBuilder::new(StringBuilder::new());
            for cell in cells {
                match cell {
                    Cell::Texts(values) => list.append_value(values.iter().map(Some)),
                    _ => list.append_null(),
                }
            }
            Arc::new(list.finish())
        }
        other => new_null_array(&list_of(other.clone()), cells.len()),
    })
}

fn ints(cell: &Cell) -> Option<&[i64]> {
    match cell {
        Cell::Ints(values) => Some(values),
        _ => None,
    }
}
