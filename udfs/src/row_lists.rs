//! Lists of rows as an array: what a function returns whose value is a small table, such as the personal data in a
//! text. `FROM t, find_pii(t.comment) AS p` gives each row its columns.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, Float64Builder, Int32Builder, ListArray, NullBufferBuilder, StringBuilder,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::error::Result;

/// A column of such a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Double,
}

impl Kind {
    fn arrow(self) -> DataType {
        match self {
            Kind::Text => DataType::Utf8,
            Kind::Integer => DataType::Int32,
            Kind::Double => DataType::Float64,
        }
    }
}

pub(crate) type Column = (&'static str, Kind);

fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(|(name, kind)| Field::new(*name, kind.arrow(), true)).collect()
}

/// The type of a list of rows of these columns.
pub(crate) fn data_type(columns: &[Column]) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(fields(columns)), true)))
}

/// A value of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Text(&'a str),
    Integer(i64),
    Double(f64),
    Null,
}

enum Builder {
    Text(StringBuilder),
    Integer(Int32Builder),
    Double(Float64Builder),
}

pub(crate) struct RowLists {
    columns: &'static [Column],
    builders: Vec<Builder>,
    rows: usize,
    lengths: Vec<usize>,
    valid: NullBufferBuilder,
}

impl RowLists {
    pub(crate) fn new(columns: &'static [Column]) -> Self {
        let builder = |(_, kind): &Column| match kind {
            Kind::Text => Builder::Text(StringBuilder::new()),
            Kind::Integer => Builder::Integer(Int32Builder::new()),
            Kind::Double => Builder::Double(Float64Builder::new()),
        };
        let builders = columns.iter().map(builder).collect();
        Self { columns, builders, rows: 0, lengths: Vec::new(), valid: NullBufferBuilder::new(0) }
    }

    /// Adds a row to the list at hand; what does not fit its column, or is missing, is NULL.
    pub(crate) fn push(&mut self, row: &[Cell<'_>]) {
        for (place, builder) in self.builders.iter_mut().enumerate() {
            let cell = row.get(place).copied().unwrap_or(Cell::Null);
            match (builder, cell) {
                (Builder::Text(texts), Cell::Text(text)) => texts.append_value(text),
                (Builder::Text(texts), _) => texts.append_null(),
                (Builder::Integer(numbers), Cell::Integer(number)) => {
                    numbers.append_option(i32::try_from(number).ok());
                }
                (Builder::Integer(numbers), _) => numbers.append_null(),
                (Builder::Double(numbers), Cell::Double(number)) => numbers.append_value(number),
                (Builder::Double(numbers), _) => numbers.append_null(),
            }
        }
        self.rows += 1;
    }

    /// Ends the list at hand.
    pub(crate) fn end(&mut self) {
        self.close(true);
    }

    /// NULL instead of a list.
    pub(crate) fn null(&mut self) {
        self.close(false);
    }

    fn close(&mut self, is_list: bool) {
        self.lengths.push(std::mem::take(&mut self.rows));
        self.valid.append(is_list);
    }

    pub(crate) fn finish(mut self) -> Result<ArrayRef> {
        let arrays: Vec<ArrayRef> = self
            .builders
            .iter_mut()
            .map(|builder| match builder {
                Builder::Text(texts) => ArrayBuilder::finish(texts),
                Builder::Integer(numbers) => ArrayBuilder::finish(numbers),
                Builder::Double(numbers) => ArrayBuilder::finish(numbers),
            })
            .collect();
        let length = self.lengths.iter().sum();
        let rows = StructArray::try_new_with_length(fields(self.columns), arrays, None, length)?;
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields(self.columns)), true));
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(rows), self.valid.finish())?))
    }
}
