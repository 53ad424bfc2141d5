//! Rows as the kernels take them: columns of equal length, the outcome first.

use super::Invalid;

/// Borrowed columns of equal length, with an optional weight and an optional mask for every row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) columns: &'a [&'a [f64]],
    /// One weight a row; every row weighs 1 without it.
    pub(crate) weights: Option<&'a [f64]>,
    /// Whether a row counts; every row does without it.
    pub(crate) valid: Option<&'a [bool]>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(columns: &'a [&'a [f64]]) -> Self {
        Self { columns, weights: None, valid: None }
    }

    pub(crate) fn weighted(columns: &'a [&'a [f64]], weights: &'a [f64]) -> Self {
        Self { columns, weights: Some(weights), valid: None }
    }

    /// Rows of the batch; an error unless it has `width` columns and everything is equally long.
    pub(super) fn rows(&self, width: usize) -> Result<usize, Invalid> {
        let found = self.columns.len();
        if found != width || width == 0 {
            return Err(Invalid::new(format!("batch has {found} columns where {width} are expected")));
        }
        let rows = self.columns[0].len();
        let equal = self.columns.iter().all(|column| column.len() == rows)
            && self.weights.is_none_or(|weights| weights.len() == rows)
            && self.valid.is_none_or(|valid| valid.len() == rows);
        if equal { Ok(rows) } else { Err(Invalid::new("columns of a batch are not equally long")) }
    }
}
