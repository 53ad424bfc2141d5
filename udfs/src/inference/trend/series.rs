//! Values by time: the state of tests of a trend.

use crate::inference::Invalid;
use crate::inference::rows::Rows;

/// Points of a series in any order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    rows: Rows,
}

impl Default for Series {
    fn default() -> Self {
        Self { rows: Rows::new(0, 2) }
    }
}

impl Series {
    /// Refuses NaN and infinity.
    pub(crate) fn update(&mut self, time: f64, value: f64) -> Result<(), Invalid> {
        self.rows.update(&[], &[time + 0.0, value + 0.0])
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        self.rows.merge(&other.rows)
    }

    /// Time and value, by time and then by value.
    pub(super) fn sorted(&self) -> Vec<(f64, f64)> {
        let point = |row: usize| match self.rows.values(row) {
            &[time, value] => Some((time, value)),
            _ => None,
        };
        self.rows.order().into_iter().filter_map(point).collect()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.rows.to_bytes()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let rows = Rows::from_bytes(bytes)?;
        if rows.columns() != 2 {
            return Err(Invalid::new("aggregate state is damaged"));
        }
        Ok(Self { rows })
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        self.rows.size()
    }
}
