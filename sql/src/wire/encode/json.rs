//! What PostgreSQL has no type for, as JSON: maps, and lists of records.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Field, FieldRef};
use arrow::json::writer::{EncoderOptions, make_encoder};
use bytes::{BufMut, BytesMut};
use voxhouse_engine::Result;

use super::Value;

/// The values of a column one behind the other.
pub(super) struct Json {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Json {
    pub(super) fn new(array: &ArrayRef) -> Result<Self> {
        let field: FieldRef = Arc::new(Field::new("value", array.data_type().clone(), true));
        let options = EncoderOptions::default().with_explicit_nulls(true);
        let mut encoder = make_encoder(&field, array.as_ref(), &options)?;
        let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(array.len()));
        for row in 0..array.len() {
            if array.is_valid(row) {
                encoder.encode(row, &mut text);
            }
            ends.push(text.len());
        }
        Ok(Self { text, ends })
    }
}

impl Value for Json {
    fn put(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        out.put_slice(&self.text[start..self.ends[row]]);
        Ok(())
    }
}
