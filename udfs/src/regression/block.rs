//! A few rows copied close together, and their matrix of products.
//!
//! Passes over columns work block by block: usable rows are copied into one buffer that stays in the
//! first-level cache, and there they are centred, weighted and multiplied.

use super::Invalid;
use super::batch::Batch;

/// Rows of a full block.
pub(super) const ROWS: usize = 256;

/// Rows that are multiplied side by side.
const LANES: usize = 4;

/// Up to [`ROWS`] rows, column after column. The products take columns in pairs, so there is one more
/// column of zeros if the number of columns is odd.
#[derive(Debug, Clone)]
pub(super) struct Block {
    width: usize,
    rows: usize,
    values: Vec<f64>,
    weights: Vec<f64>,
    weighted: bool,
    /// Where in the batch each row stood.
    places: Vec<usize>,
    /// Sum of every column.
    sums: Vec<f64>,
    /// Rows of the last fill that were left out.
    skipped: u64,
}

impl Block {
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            rows: 0,
            values: vec![0.0; width.next_multiple_of(2) * ROWS],
            weights: vec![1.0; ROWS],
            weighted: false,
            places: vec![0; ROWS],
            sums: vec![0.0; width],
            skipped: 0,
        }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether rows weigh other than 1.
    pub(super) fn weighted(&self) -> bool {
        self.weighted
    }

    pub(super) fn weights(&self) -> &[f64] {
        &self.weights[..self.rows]
    }

    pub(super) fn places(&self) -> &[usize] {
        &self.places[..self.rows]
    }

    pub(super) fn sums(&self) -> &[f64] {
        &self.sums
    }

    pub(super) fn column(&self, column: usize) -> &[f64] {
        &self.values[column * ROWS..][..self.rows]
    }

    pub(super) fn column_mut(&mut self, column: usize) -> &mut [f64] {
        &mut self.values[column * ROWS..][..self.rows]
    }

    /// Subtracts from one column `factor` times a column before it.
    pub(super) fn subtract(&mut self, column: usize, factor: f64, before: usize) {
        let (left, right) = self.values.split_at_mut(column * ROWS);
        for (value, other) in right[..self.rows].iter_mut().zip(&left[before * ROWS..]) {
            *value -= factor * other;
        }
    }

    /// Takes the usable rows among the next [`ROWS`] of `batch`, whose columns have been checked, from row
    /// `start` on. Returns where the next block starts.
    pub(super) fn fill(&mut self, batch: &Batch, start: usize) -> Result<usize, Invalid> {
        let end = batch.columns[0].len().min(start + ROWS);
        match batch.valid {
            Some(valid) => self.gather(batch, (start..end).filter(|&row| valid[row])),
            None => self.copy(batch, start, end),
        }
        self.keep_usable(end - start)?;
        Ok(end)
    }

    /// Takes the usable ones of at most [`ROWS`] rows of `batch`, whose columns have been checked.
    pub(super) fn take(&mut self, batch: &Batch, rows: &[usize]) -> Result<(), Invalid> {
        let valid = |row: &usize| batch.valid.is_none_or(|valid| valid[*row]);
        self.gather(batch, rows.iter().copied().filter(valid));
        self.keep_usable(rows.len())
    }

    fn keep_usable(&mut self, offered: usize) -> Result<(), Invalid> {
        self.add_up();
        if !self.usable()? {
            self.drop_unusable();
            self.add_up();
        }
        self.skipped = (offered - self.rows) as u64;
        Ok(())
    }

    /// Where the next block starts if this one is not taken.
    pub(super) fn skip(&self, start: usize) -> usize {
        start + ROWS
    }

    /// Multiplies all weights by `factor`.
    pub(super) fn scale_weights(&mut self, factor: f64) {
        if self.weighted {
            self.weights[..self.rows].iter_mut().for_each(|weight| *weight *= factor);
        }
    }

    fn copy(&mut self, batch: &Batch, start: usize, end: usize) {
        self.rows = end - start;
        self.weighted = batch.weights.is_some();
        for (column, from) in batch.columns.iter().enumerate() {
            self.values[column * ROWS..][..self.rows].copy_from_slice(&from[start..end]);
        }
        if let Some(weights) = batch.weights {
            self.weights[..self.rows].copy_from_slice(&weights[start..end]);
        }
        for (offset, place) in self.places[..self.rows].iter_mut().enumerate() {
            *place = start + offset;
        }
    }

    fn gather(&mut self, batch: &Batch, rows: impl Iterator<Item = usize>) {
        self.rows = 0;
        self.weighted = batch.weights.is_some();
        for row in rows {
            self.places[self.rows] = row;
            self.rows += 1;
        }
        for (column, from) in batch.columns.iter().enumerate() {
            for (to, &row) in self.values[column * ROWS..].iter_mut().zip(&self.places[..self.rows]) {
                *to = from[row];
            }
        }
        if let Some(weights) = batch.weights {
            for (to, &row) in self.weights.iter_mut().zip(&self.places[..self.rows]) {
                *to = weights[row];
            }
        }
    }

    fn add_up(&mut self) {
        for (column, sum) in self.sums.iter_mut().enumerate() {
            *sum = total(&self.values[column * ROWS..][..self.rows]);
        }
    }

    /// Whether every row counts. A sum is finite only if all its terms are.
    fn usable(&self) -> Result<bool, Invalid> {
        let finite = self.sums.iter().all(|sum| sum.is_finite());
        if !self.weighted {
            return Ok(finite);
        }
        if let Some(weight) = self.weights().iter().find(|&&weight| weight < 0.0) {
            return Err(Invalid::new(format!("weight {weight} is negative")));
        }
        Ok(finite && self.weights().iter().all(|&weight| weight > 0.0 && weight.is_finite()))
    }

    fn drop_unusable(&mut self) {
        let counts = |row: &usize| {
            let values = (0..self.width).all(|column| self.values[column * ROWS + row].is_finite());
            values && (!self.weighted || (self.weights[*row] > 0.0 && self.weights[*row].is_finite()))
        };
        let kept: Vec<usize> = (0..self.rows).filter(counts).collect();
        for (to, &from) in kept.iter().enumerate() {
            for column in 0..self.width {
                self.values[column * ROWS + to] = self.values[column * ROWS + from];
            }
            self.weights[to] = self.weights[from];
            self.places[to] = self.places[from];
        }
        self.rows = kept.len();
    }

    /// Adds to `products`, a packed upper triangle, the sum over the rows of every product of two columns.
    pub(super) fn add_products(&mut self, products: &mut [f64]) {
        let padded = self.rows.next_multiple_of(LANES);
        for column in 0..self.width {
            self.values[column * ROWS + self.rows..column * ROWS + padded].fill(0.0);
        }
        let column = |column: usize| &self.values[column * ROWS..][..padded];
        for i in (0..self.width).step_by(2) {
            for j in (i..self.width).step_by(2) {
                let mut tile = [[0.0; LANES]; 4];
                multiply([column(i), column(i + 1), column(j), column(j + 1)], &mut tile);
                self.add_tile(products, i, j, &tile);
            }
        }
    }

    fn add_tile(&self, products: &mut [f64], i: usize, j: usize, tile: &[[f64; LANES]; 4]) {
        for (place, lanes) in tile.iter().enumerate() {
            let (row, column) = (i + place / 2, j + place % 2);
            if row <= column && column < self.width {
                products[packed(self.width, row, column)] += lanes.iter().sum::<f64>();
            }
        }
    }
}

/// Where the cell of a packed upper triangle is; needs `row <= column < width`.
pub(super) fn packed(width: usize, row: usize, column: usize) -> usize {
    row * width - row * (row + 1) / 2 + column
}

/// Cells of a packed upper triangle.
pub(super) fn packed_len(width: usize) -> usize {
    width * (width + 1) / 2
}

/// Sums of the products a·c, a·d, b·c, b·d, one for each lane: independent sums let the processor work on
/// several rows at once. Not inlined, so that the lanes stay what the compiler makes vectors of.
#[inline(never)]
fn multiply([a, b, c, d]: [&[f64]; 4], sums: &mut [[f64; LANES]; 4]) {
    let [mut ac, mut ad, mut bc, mut bd] = *sums;
    let left = a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0);
    let right = c.as_chunks::<LANES>().0.iter().zip(d.as_chunks::<LANES>().0);
    for ((a, b), (c, d)) in left.zip(right) {
        add_product(&mut ac, a, c);
        add_product(&mut ad, a, d);
        add_product(&mut bc, b, c);
        add_product(&mut bd, b, d);
    }
    *sums = [ac, ad, bc, bd];
}

#[inline(always)]
fn add_product(sums: &mut [f64; LANES], a: &[f64; LANES], b: &[f64; LANES]) {
    for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}

/// The sum of `values`.
pub(super) fn total(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value;
        }
    }
    sums.iter().sum::<f64>() + rest.iter().sum::<f64>()
}

/// The sum of `a·b`.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (left, left_rest) = a.as_chunks::<8>();
    let (right, right_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in left.iter().zip(right) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum::<f64>()
}
