//! Arrays and records, in both formats.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field};
use bytes::{BufMut, BytesMut};
use voxhouse_engine::Result;

use super::{Cells, Style, Value, unsendable};
use crate::wire::types::{Format, PgType, array_element, is_list, oid};

/// Where the elements of a row are.
type Ranges = Box<dyn Fn(usize) -> Range<usize> + Send + Sync>;

/// `type_oid` is that of the array, or of text for a list of lists.
pub(super) fn list(array: &ArrayRef, type_oid: u32, style: Style) -> Result<Box<dyn Value>> {
    let (elements, ranges, field) = parts(array)?;
    let is_vector = matches!(type_oid, oid::INT2VECTOR | oid::OIDVECTOR);
    let element = match type_oid {
        oid::INT2VECTOR => oid::INT2,
        oid::OIDVECTOR => oid::OID,
        oid::TEXT => PgType::of_field(&field)?.oid,
        other => array_element(other).ok_or_else(|| unsendable(array.data_type()))?,
    };
    let holds_lists = is_list(field.data_type());
    let elements = Cells::new(&elements, element, style)?;
    Ok(match style.format {
        Format::Text if is_vector => Box::new(VectorText { elements, ranges }),
        Format::Text => Box::new(ListText { elements, ranges, holds_lists }),
        Format::Binary => {
            Box::new(ListBinary { elements, ranges, element, lower_bound: i32::from(!is_vector) })
        }
    })
}

fn parts(array: &ArrayRef) -> Result<(ArrayRef, Ranges, Field)> {
    Ok(match array.data_type() {
        DataType::List(field) => {
            let list = array.as_list::<i32>();
            let offsets = list.offsets().clone();
            let ranges: Ranges = Box::new(move |row| offsets[row] as usize..offsets[row + 1] as usize);
            (list.values().clone(), ranges, field.as_ref().clone())
        }
        DataType::LargeList(field) => {
            let list = array.as_list::<i64>();
            let offsets = list.offsets().clone();
            let ranges: Ranges = Box::new(move |row| offsets[row] as usize..offsets[row + 1] as usize);
            (list.values().clone(), ranges, field.as_ref().clone())
        }
        DataType::FixedSizeList(field, size) => {
            let size = *size as usize;
            let ranges: Ranges = Box::new(move |row| row * size..(row + 1) * size);
            (array.as_fixed_size_list().values().clone(), ranges, field.as_ref().clone())
        }
        DataType::ListView(field) => {
            let list = array.as_list_view::<i32>();
            let (offsets, sizes) = (list.offsets().clone(), list.sizes().clone());
            let ranges: Ranges =
                Box::new(move |row| offsets[row] as usize..(offsets[row] + sizes[row]) as usize);
            (list.values().clone(), ranges, field.as_ref().clone())
        }
        DataType::LargeListView(field) => {
            let list = array.as_list_view::<i64>();
            let (offsets, sizes) = (list.offsets().clone(), list.sizes().clone());
            let ranges: Ranges =
                Box::new(move |row| offsets[row] as usize..(offsets[row] + sizes[row]) as usize);
            (list.values().clone(), ranges, field.as_ref().clone())
        }
        other => return Err(unsendable(other)),
    })
}

/// `{1,NULL,"a b"}`
struct ListText {
    elements: Cells,
    ranges: Ranges,
    /// An inner `{…}` is not quoted.
    holds_lists: bool,
}

impl Value for ListText {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        out.put_u8(b'{');
        for (index, element) in (self.ranges)(row).enumerate() {
            if index > 0 {
                out.put_u8(b',');
            }
            if self.elements.is_null(element) {
                out.put_slice(b"NULL");
                continue;
            }
            let start = out.len();
            self.elements.value.put(element, out)?;
            if !self.holds_lists && array_needs_quotes(&out[start..]) {
                quote(start, |byte| if matches!(byte, b'"' | b'\\') { Some(b'\\') } else { None }, out);
            }
        }
        out.put_u8(b'}');
        Ok(())
    }
}

/// `1 2 3`
struct VectorText {
    elements: Cells,
    ranges: Ranges,
}

impl Value for VectorText {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        for (index, element) in (self.ranges)(row).enumerate() {
            if index > 0 {
                out.put_u8(b' ');
            }
            self.elements.value.put(element, out)?;
        }
        Ok(())
    }
}

/// Dimensions, a flag for NULLs, element type, length and lower bound, elements.
struct ListBinary {
    elements: Cells,
    ranges: Ranges,
    element: u32,
    /// Arrays count from 1, the vector types from 0.
    lower_bound: i32,
}

impl Value for ListBinary {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let range = (self.ranges)(row);
        out.put_i32(i32::from(!range.is_empty()));
        out.put_i32(i32::from(range.clone().any(|element| self.elements.is_null(element))));
        out.put_u32(self.element);
        if range.is_empty() {
            return Ok(());
        }
        out.put_u32(range.len() as u32);
        out.put_i32(self.lower_bound);
        range.into_iter().try_for_each(|element| self.elements.put_counted(element, out))
    }
}

pub(super) fn record(array: &StructArray, style: Style) -> Result<Box<dyn Value>> {
    let mut oids = Vec::with_capacity(array.num_columns());
    let mut fields = Vec::with_capacity(array.num_columns());
    for (field, column) in array.fields().iter().zip(array.columns()) {
        let pg = PgType::of_field(field)?;
        oids.push(pg.oid);
        fields.push(Cells::new(column, pg.oid, style)?);
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
