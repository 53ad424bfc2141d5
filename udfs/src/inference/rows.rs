//! The state of models that need every row: keys and numbers, row after row.

use std::mem::size_of;

use super::bytes::{Reader, Writer};
use super::{Invalid, finite};

/// Rows of `key_columns` keys (hashes of units, clusters, groups) and `columns` finite numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rows {
    key_columns: usize,
    columns: usize,
    count: usize,
    keys: Vec<u64>,
    values: Vec<f64>,
}

impl Rows {
    pub(crate) fn new(key_columns: usize, columns: usize) -> Self {
        Self { key_columns, columns, ..Self::default() }
    }

    /// Adds a row. Refuses one of another shape, and NaN and infinity.
    pub(crate) fn update(&mut self, keys: &[u64], values: &[f64]) -> Result<(), Invalid> {
        if keys.len() != self.key_columns || values.len() != self.columns {
            return Err(Invalid::new("row has another number of columns than the rows before it"));
        }
        for value in values {
            finite(*value, "value")?;
        }
        self.keys.extend_from_slice(keys);
        self.values.extend_from_slice(values);
        self.count += 1;
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if self.count == 0 {
            *self = other.clone();
            return Ok(());
        }
        if other.count == 0 {
            return Ok(());
        }
        if (self.key_columns, self.columns) != (other.key_columns, other.columns) {
            return Err(Invalid::new("rows to merge have different numbers of columns"));
        }
        self.keys.extend_from_slice(&other.keys);
        self.values.extend_from_slice(&other.values);
        self.count += other.count;
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Numbers in a row.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The numbers of row `row`; empty past the end.
    pub(crate) fn values(&self, row: usize) -> &[f64] {
        self.values.get(row * self.columns..(row + 1) * self.columns).unwrap_or(&[])
    }

    /// The keys of row `row`; empty past the end.
    pub(crate) fn keys(&self, row: usize) -> &[u64] {
        self.keys.get(row * self.key_columns..(row + 1) * self.key_columns).unwrap_or(&[])
    }

    /// Row numbers in an order that depends on the rows' contents alone.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.count).collect();
        order.sort_unstable_by(|&a, &b| {
            let values = || {
                let pairs = self.values(a).iter().zip(self.values(b));
                pairs.map(|(x, y)| x.total_cmp(y)).find(|order| order.is_ne())
            };
            self.keys(a).cmp(self.keys(b)).then_with(|| values().unwrap_or(std::cmp::Ordering::Equal))
        });
        order
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(self.key_columns as u64).integer(self.columns as u64).integer(self.count as u64);
        for key in &self.keys {
            writer.integer(*key);
        }
        for value in &self.values {
            writer.number(*value);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let shape = |value: u64| usize::try_from(value).ok().filter(|columns| *columns < 1 << 20);
        let damaged = || Invalid::new("aggregate state is damaged");
        let key_columns = shape(reader.integer()?).ok_or_else(damaged)?;
        let columns = shape(reader.integer()?).ok_or_else(damaged)?;
        let count = reader.length(8 * (key_columns + columns))?;
        let mut rows = Self { count, ..Self::new(key_columns, columns) };
        for _ in 0..count * key_columns {
            rows.keys.push(reader.integer()?);
        }
        for _ in 0..count * columns {
            rows.values.push(reader.number()?);
        }
        reader.finish()?;
        Ok(rows)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + 8 * (self.keys.capacity() + self.values.capacity())
    }
}
