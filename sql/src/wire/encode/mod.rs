//! Record batches to DataRow messages.
//!
//! What a column needs is decided once per batch: its typed array and a closure for its Arrow type, Postgres
//! type and format. A cell then costs a null test, one virtual call and the bytes themselves, written straight
//! into the output buffer with the length put in afterwards.

mod binary;
mod calendar;
mod digits;
mod interval;
mod json;
mod leaf;
mod nested;
#[cfg(test)]
mod tests;
mod text;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use bytes::{BufMut, BytesMut};
use voxhouse_engine::{Error, ErrorKind, Result};

use super::style::TextStyle;
use super::types::{Column, Format, PgType, is_list, oid};

pub(super) use calendar::{MICROS_PER_DAY, PG_EPOCH_DAYS};

/// The bytes of one value that is not NULL.
trait Value: Send + Sync {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()>;
}

/// How the closures of a leaf write: as text or in binary. One implementation for each format.
trait Form: Clone + Send + Sync + 'static {
    fn boolean(&self, value: bool, out: &mut BytesMut);
    fn integer(&self, value: i64, width: Width, out: &mut BytesMut) -> Result<()>;
    fn float4(&self, value: f32, out: &mut BytesMut);
    fn float8(&self, value: f64, out: &mut BytesMut);
    /// `size * 10^-scale`, of at most [`leaf::SMALL_SCALE`] digits behind the point.
    fn small_numeric(&self, negative: bool, size: u64, scale: u32, out: &mut BytesMut);
    /// `digits` may begin with a minus and stand for `digits * 10^-scale`.
    fn numeric(&self, digits: &str, scale: i32, out: &mut BytesMut);
    fn string(&self, value: &str, kind: StringKind, out: &mut BytesMut) -> Result<()>;
    fn bytes(&self, value: &[u8], out: &mut BytesMut);
    fn uuid(&self, value: &[u8], out: &mut BytesMut);
    /// Days since 1970-01-01.
    fn date(&self, days: i32, out: &mut BytesMut) -> Result<()>;
    /// Microseconds since midnight.
    fn time(&self, micros: i64, out: &mut BytesMut);
    /// Microseconds since 1970-01-01 00:00, of the clock or of UTC.
    fn timestamp(&self, micros: i64, out: &mut BytesMut) -> Result<()>;
    fn timestamptz(&self, micros: i64, out: &mut BytesMut) -> Result<()>;
    fn interval(&self, value: Interval, out: &mut BytesMut);
}

/// How many bytes an integer has in binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Two,
    Four,
    Eight,
    /// Four, unsigned.
    Oid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StringKind {
    Plain,
    /// `char(n)`: stored as written, sent with blanks up to so many characters.
    Padded(usize),
    /// `"char"`: one byte, of which zero is the empty string.
    Char,
    Jsonb,
    Uuid,
    Inet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    months: i32,
    days: i32,
    micros: i64,
}

/// A column of one batch, or the elements of a list, ready to be written.
struct Cells {
    nulls: Option<NullBuffer>,
    value: Box<dyn Value>,
}

impl Cells {
    /// # Errors
    /// Not supported, if `pg` and the array's type have nothing in common.
    fn new(array: &ArrayRef, pg: PgType, style: Style) -> Result<Self> {
        // Of a dictionary, the nulls of keys and values together.
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let value: Box<dyn Value> = match array.data_type() {
            DataType::Null => Box::new(Nothing),
            DataType::Dictionary(..) => Box::new(Indirect::new(array, pg, style)?),
            DataType::Struct(_) if pg.oid == oid::RECORD => nested::record(array.as_struct(), style)?,
            DataType::Struct(_) | DataType::Map(..) => Box::new(json::Json::new(array)?),
            list if is_list(list) && pg.oid == oid::JSON => Box::new(json::Json::new(array)?),
            list if is_list(list) => nested::list(array, pg, style)?,
            _ => match style.format {
                Format::Text => leaf::resolve(array, pg, text::Text(style.text))?,
                Format::Binary => leaf::resolve(array, pg, binary::Binary)?,
            },
        };
        Ok(Self { nulls, value })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The length, −1 for NULL, and the value.
    fn put_counted(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        if self.is_null(row) {
            out.put_i32(-1);
            return Ok(());
        }
        let start = out.len();
        out.put_i32(0);
        self.value.put(row, out)?;
        let length = i32::try_from(out.len() - start - 4).map_err(|_| too_large("value"))?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

/// What the client asked for and where it lives.
#[derive(Debug, Clone, Copy)]
struct Style {
    format: Format,
    text: TextStyle,
}

/// The rows of a record batch with their encoders.
pub(super) struct Rows {
    columns: Vec<Cells>,
    pub(super) count: usize,
}

impl Rows {
    /// `formats` is as long as `columns`. A batch whose Arrow types have drifted from the described ones, such as
    /// a 64-bit number instead of one of 32, is cast, unless it can be sent as the described type as it is.
    pub(super) fn new(
        arrays: &[ArrayRef],
        count: usize,
        columns: &[Column],
        formats: &[Format],
        text: TextStyle,
    ) -> Result<Self> {
        if arrays.len() != columns.len() {
            return Err(Error::internal(format!(
                "a batch of {} columns for a result of {}",
                arrays.len(),
                columns.len()
            )));
        }
        let resolve = |((array, column), &format): ((&ArrayRef, &Column), &Format)| {
            let style = Style { format, text };
            let cells = if array.data_type() == &column.data_type || column.pg.holds(array.data_type()) {
                Cells::new(array, column.pg, style)
            } else {
                Cells::new(&cast(array, &column.data_type)?, column.pg, style)
            };
            cells.map_err(|error| error.in_context(format!("column \"{}\"", column.name)))
        };
        let columns = arrays.iter().zip(columns).zip(formats).map(resolve).collect::<Result<_>>()?;
        Ok(Self { columns, count })
    }

    /// Appends a DataRow; after an error `out` is as it was.
    pub(super) fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let start = out.len();
        let result = self.put_body(row, start, out);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// The number of fields, and each behind its length: a row of a DataRow and of a binary COPY.
    pub(super) fn put_fields(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        out.put_u16(self.columns.len() as u16);
        for cells in &self.columns {
            cells.put_counted(row, out)?;
        }
        Ok(())
    }

    /// One value without its length. `false`: it is NULL, and nothing has been written.
    pub(super) fn put_value(&self, column: usize, row: usize, out: &mut BytesMut) -> Result<bool> {
        let cells = &self.columns[column];
        if cells.is_null(row) {
            return Ok(false);
        }
        cells.value.put(row, out)?;
        Ok(true)
    }

    fn put_body(&self, row: usize, start: usize, out: &mut BytesMut) -> Result<()> {
        out.put_u8(b'D');
        out.put_u32(0);
        self.put_fields(row, out)?;
        let length = i32::try_from(out.len() - start - 1).map_err(|_| too_large("row"))?;
        out[start + 1..start + 5].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

/// The value of a column that is NULL throughout.
struct Nothing;

impl Value for Nothing {
    fn put(&self, _: usize, _: &mut BytesMut) -> Result<()> {
        Ok(())
    }
}

/// A dictionary: the encoder of its values, reached through the keys.
struct Indirect {
    keys: Vec<usize>,
    values: Cells,
}

impl Indirect {
    fn new(array: &ArrayRef, pg: PgType, style: Style) -> Result<Self> {
        let dictionary = array.as_any_dictionary();
        let keys = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
        Ok(Self { keys, values: Cells::new(dictionary.values(), pg, style)? })
    }
}

impl Value for Indirect {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        self.values.value.put(self.keys[row], out)
    }
}

/// The values of a column as PostgreSQL prints them, for functions that write values as text.
pub(crate) struct Texts {
    cells: Cells,
    is_json: bool,
}

impl Texts {
    /// # Errors
    /// Not supported, for types that Postgres has none for.
    pub(crate) fn new(array: &ArrayRef, field: &Field, text: TextStyle) -> Result<Self> {
        let pg = PgType::of_field(field)?;
        let cells = Cells::new(array, pg, Style { format: Format::Text, text })?;
        Ok(Self { cells, is_json: matches!(pg.oid, oid::JSON | oid::JSONB) })
    }

    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// The text of a value that is not NULL.
    pub(crate) fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        self.cells.value.put(row, out)
    }
}

fn too_large(what: &str) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("{what} exceeds the 2 GB that a message of the protocol can hold"),
    )
}

fn unsendable(data_type: &DataType) -> Error {
    Error::not_supported(format!(
        "the Postgres protocol cannot carry values of type {data_type} in this form"
    ))
}
