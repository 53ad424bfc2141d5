//! The answer of a report: rows of named columns, carried as one list of structs.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::error::Result;
use datafusion::scalar::ScalarValue;
use voxhouse_engine::Error;

use super::Row;

/// A column of an answer.
pub(crate) type Column = (&'static str, Type);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Double,
    Bigint,
    Boolean,
    Timestamp,
}

impl Type {
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Type::Text => DataType::Utf8,
            Type::Double => DataType::Float64,
            Type::Bigint => DataType::Int64,
            Type::Boolean => DataType::Boolean,
            Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(|(name, kind)| Field::new(*name, kind.arrow(), true)).collect()
}

fn item(columns: &[Column]) -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields(columns)), true))
}

pub(crate) fn data_type(columns: &[Column]) -> DataType {
    DataType::List(item(columns))
}

/// One list that holds all rows.
pub(crate) fn list(columns: &[Column], rows: Vec<Row>) -> Result<ScalarValue> {
    let length = rows.len();
    let mut cells: Vec<Vec<ScalarValue>> = columns.iter().map(|_| Vec::with_capacity(length)).collect();
    for row in rows {
        if row.len() != columns.len() {
            return Err(Error::internal("a report answers with rows of another width").into());
        }
        cells.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
    }
    let arrays = cells.into_iter().zip(columns).map(|(cells, (_, kind))| array(cells, *kind));
    let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
    let structs = StructArray::try_new_with_length(fields(columns), arrays, None, length)?;
    let list =
        ListArray::try_new(item(columns), OffsetBuffer::from_lengths([length]), Arc::new(structs), None)?;
    Ok(ScalarValue::List(Arc::new(list)))
}

fn array(cells: Vec<ScalarValue>, kind: Type) -> Result<ArrayRef> {
    if cells.is_empty() {
        return Ok(arrow::array::new_empty_array(&kind.arrow()));
    }
    let cells = cells.into_iter().map(|cell| cell.cast_to(&kind.arrow())).collect::<Result<Vec<_>>>()?;
    ScalarValue::iter_to_array(cells)
}
