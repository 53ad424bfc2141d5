//! Arrays and records, in both formats.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use bytes::{BufMut, BytesMut};
use voxhouse_engine::{Error, Result};

use super::{Cells, Style, Value, unsendable};
use crate::wire::types::{Format, PgType, is_list, oid};

/// Where the elements of a row are.
type Ranges = Box<dyn Fn(usize) -> Range<usize> + Send + Sync>;

/// `pg` is the type of the array, whatever its dimensions.
pub(super) fn list(array: &ArrayRef, pg: PgType, style: Style) -> Result<Box<dyn Value>> {
    let mut levels = vec![Level::new(array)?];
    let mut elements = levels[0].elements.clone();
    while is_list(elements.data_type()) {
        let level = Level::new(&elements)?;
        elements = level.elements.clone();
        levels.push(level);
    }
    let is_vector = matches!(pg.oid, oid::INT2VECTOR | oid::OIDVECTOR);
    let element = match pg.oid {
        oid::INT2VECTOR => PgType::new(oid::INT2),
        oid::OIDVECTOR => PgType::new(oid::OID),
        _ => pg.element().ok_or_else(|| unsendable(array.data_type()))?,
    };
    let elements = Cells::new(&elements, element, style)?;
    Ok(match style.format {
        Format::Text if is_vector => Box::new(VectorText { elements, levels }),
        Format::Text => Box::new(ListText { elements, levels }),
        Format::Binary => {
            let lower_bound = i32::from(!is_vector);
            Box::new(ListBinary { elements, levels, element: element.oid, lower_bound })
        }
    })
}

/// The lists of one dimension.
struct Level {
    nulls: Option<NullBuffer>,
    ranges: Ranges,
    elements: ArrayRef,
}

impl Level {
    fn new(array: &ArrayRef) -> Result<Self> {
        if let DataType::Dictionary(_, values) = array.data_type() {
            return Self::new(&cast(array, values)?);
        }
        let (elements, ranges) = parts(array)?;
        Ok(Self { nulls: array.nulls().cloned(), ranges, elements })
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

fn parts(array: &ArrayRef) -> Result<(ArrayRef, Ranges)> {
    Ok(match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.offsets().clone();
            let ranges: Ranges = Box::new(move |row| offsets[row] as usize..offsets[row + 1] as usize);
            (list.values().clone(), ranges)
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.offsets().clone();
            let ranges: Ranges = Box::new(move |row| offsets[row] as usize..offsets[row + 1] as usize);
            (list.values().clone(), ranges)
        }
        DataType::FixedSizeList(_, size) => {
            let size = *size as usize;
            let ranges: Ranges = Box::new(move |row| row * size..(row + 1) * size);
            (array.as_fixed_size_list().values().clone(), ranges)
        }
        DataType::ListView(_) => {
            let list = array.as_list_view::<i32>();
            let (offsets, sizes) = (list.offsets().clone(), list.sizes().clone());
            let ranges: Ranges =
                Box::new(move |row| offsets[row] as usize..(offsets[row] + sizes[row]) as usize);
            (list.values().clone(), ranges)
        }
        DataType::LargeListView(_) => {
            let list = array.as_list_view::<i64>();
            let (offsets, sizes) = (list.offsets().clone(), list.sizes().clone());
            let ranges: Ranges =
                Box::new(move |row| offsets[row] as usize..(offsets[row] + sizes[row]) as usize);
            (list.values().clone(), ranges)
        }
        other => return Err(unsendable(other)),
    })
}

/// `{1,NULL,"a b"}`, `{{1,2},{3,4}}`
struct ListText {
    elements: Cells,
    levels: Vec<Level>,
}

impl Value for ListText {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let start = out.len();
        let mut is_empty = true;
        self.put_level(0, row, &mut is_empty, out)?;
        if is_empty {
            // Without an element there are no dimensions either.
            out.truncate(start);
            out.put_slice(b"{}");
        }
        Ok(())
    }
}

impl ListText {
    fn put_level(&self, depth: usize, row: usize, is_empty: &mut bool, out: &mut BytesMut) -> Result<()> {
        let (level, inner) = (&self.levels[depth], self.levels.get(depth + 1));
        out.put_u8(b'{');
        for (index, element) in (level.ranges)(row).enumerate() {
            if index > 0 {
                out.put_u8(b',');
            }
            match inner {
                Some(inner) if inner.is_null(element) => {
                    *is_empty = false;
                    out.put_slice(b"NULL");
                }
                Some(_) => self.put_level(depth + 1, element, is_empty, out)?,
                None => {
                    *is_empty = false;
                    self.put_element(element, out)?;
                }
            }
        }
        out.put_u8(b'}');
        Ok(())
    }

    fn put_element(&self, element: usize, out: &mut BytesMut) -> Result<()> {
        if self.elements.is_null(element) {
            out.put_slice(b"NULL");
            return Ok(());
        }
        let start = out.len();
        self.elements.value.put(element, out)?;
        if array_needs_quotes(&out[start..]) {
            quote(start, |byte| if matches!(byte, b'"' | b'\\') { Some(b'\\') } else { None }, out);
        }
        Ok(())
    }
}

/// `1 2 3`
struct VectorText {
    elements: Cells,
    levels: Vec<Level>,
}

impl Value for VectorText {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        for (index, element) in (self.levels[0].ranges)(row).enumerate() {
            if index > 0 {
                out.put_u8(b' ');
            }
            self.elements.value.put(element, out)?;
        }
        Ok(())
    }
}

/// Dimensions, a flag for NULLs, element type, length and lower bound of each dimension, elements.
struct ListBinary {
    elements: Cells,
    levels: Vec<Level>,
    element: u32,
    /// Arrays count from 1, the vector types from 0.
    lower_bound: i32,
}

impl Value for ListBinary {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let range = (self.levels[0].ranges)(row);
        if self.levels.len() == 1 {
            return self.put_array(&[range.len()], range, out);
        }
        let (mut lengths, mut leaves) = (Vec::new(), Vec::new());
        self.measure(0, row, &mut lengths, &mut leaves)?;
        self.put_array(&lengths, leaves.iter().copied(), out)
    }
}

impl ListBinary {
    fn put_array(
        &self,
        lengths: &[usize],
        leaves: impl Iterator<Item = usize> + Clone,
        out: &mut BytesMut,
    ) -> Result<()> {
        let is_empty = leaves.clone().next().is_none();
        out.put_u32(if is_empty { 0 } else { lengths.len() as u32 });
        out.put_i32(i32::from(leaves.clone().any(|element| self.elements.is_null(element))));
        out.put_u32(self.element);
        if is_empty {
            return Ok(());
        }
        for length in lengths {
            out.put_u32(*length as u32);
            out.put_i32(self.lower_bound);
        }
        leaves.into_iter().try_for_each(|element| self.elements.put_counted(element, out))
    }

    /// The length of each dimension, which must be the same throughout, and the elements in order.
    fn measure(
        &self,
        depth: usize,
        row: usize,
        lengths: &mut Vec<usize>,
        leaves: &mut Vec<usize>,
    ) -> Result<()> {
        let range = (self.levels[depth].ranges)(row);
        match lengths.get(depth) {
            None => lengths.push(range.len()),
            Some(length) if *length == range.len() => (),
            Some(_) => return Err(ragged()),
        }
        let Some(inner) = self.levels.get(depth + 1) else {
            leaves.extend(range);
            return Ok(());
        };
        for element in range {
            if inner.is_null(element) {
                return Err(ragged());
            }
            self.measure(depth + 1, element, lengths, leaves)?;
        }
        Ok(())
    }
}

fn ragged() -> Error {
    Error::invalid_argument("multidimensional arrays must have sub-arrays with matching dimensions")
        .with_hint("Cast the column to text, or ask for it in the text format.")
}

pub(super) fn record(array: &StructArray, style: Style) -> Result<Box<dyn Value>> {
    let mut oids = Vec::with_capacity(array.num_columns());
    let mut fields = Vec::with_capacity(array.num_columns());
    for (field, column) in array.fields().iter().zip(array.columns()) {
        let pg = PgType::of_field(field)?;
        oids.push(pg.oid);
        fields.push(Cells::new(column, pg, style)?);
    }
    Ok(match style.format {
        Format::Text => Box::new(RecordText { fields }),
        Format::Binary => Box::new(RecordBinary { fields, oids }),
    })
}

/// `(1,,"a b")`
struct RecordText {
    fields: Vec<Cells>,
}

impl Value for RecordText {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        out.put_u8(b'(');
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                out.put_u8(b',');
            }
            if field.is_null(row) {
                continue;
            }
            let start = out.len();
            field.value.put(row, out)?;
            if record_needs_quotes(&out[start..]) {
                quote(start, |byte| matches!(byte, b'"' | b'\\').then_some(byte), out);
            }
        }
        out.put_u8(b')');
        Ok(())
    }
}

/// Number of fields, then type, length and value of each.
struct RecordBinary {
    fields: Vec<Cells>,
    oids: Vec<u32>,
}

impl Value for RecordBinary {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        out.put_u32(self.fields.len() as u32);
        for (field, &oid) in self.fields.iter().zip(&self.oids) {
            out.put_u32(oid);
            field.put_counted(row, out)?;
        }
        Ok(())
    }
}

fn array_needs_quotes(value: &[u8]) -> bool {
    value.is_empty()
        || value.eq_ignore_ascii_case(b"NULL")
        || value.iter().any(|byte| matches!(byte, b'{' | b'}' | b',' | b'"' | b'\\') || is_space(*byte))
}

fn record_needs_quotes(value: &[u8]) -> bool {
    value.is_empty()
        || value.iter().any(|byte| matches!(byte, b'(' | b')' | b',' | b'"' | b'\\') || is_space(*byte))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Puts what was written from `start` on in double quotes, with `escape` before the bytes that need it.
fn quote(start: usize, escape: impl Fn(u8) -> Option<u8>, out: &mut BytesMut) {
    let bare = out[start..].to_vec();
    out.truncate(start);
    out.put_u8(b'"');
    for byte in bare {
        if let Some(escape) = escape(byte) {
            out.put_u8(escape);
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
}
