//! Sufficient statistics of columns: count, weights, means and co-moments.
//!
//! For rows z with weights w the state is n, Σw, Σw², the means m = Σwz/Σw and the co-moments
//! C = Σw(z − m)(z − m)ᵀ. Everything linear follows from it: covariances, correlations, least squares, key
//! drivers. Blocks of rows are centred on their own means before they are multiplied, and blocks are merged
//! by the formula of Chan, Golub and LeVeque (1979), so that columns far from zero keep their digits.

use super::Invalid;
use super::batch::Batch;
use super::block::{self, Block, packed, packed_len};
use super::bytes::{Reader, Writer, damaged};
use super::matrix::Matrix;

/// A spread below this share of the mean is rounding: the column is constant.
const CONSTANT: f64 = 1e-12;

/// Weights and co-moments below this, or above its inverse, are not computed with.
const SMALLEST: f64 = 1e-200;

/// Most columns a state may have.
const MOST_COLUMNS: usize = 1000;

/// Count, weights, means and co-moments of the usable rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    width: usize,
    rows: u64,
    skipped: u64,
    weight: f64,
    squared_weight: f64,
    means: Vec<f64>,
    /// Upper triangle, row after row.
    comoments: Vec<f64>,
}

impl Moments {
    /// The state of no rows of `width` columns.
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            rows: 0,
            skipped: 0,
            weight: 0.0,
            squared_weight: 0.0,
            means: vec![0.0; width],
            comoments: vec![0.0; packed_len(width)],
        }
    }

    pub(crate) fn update(&mut self, batch: &Batch) -> Result<(), Invalid> {
        let rows = batch.rows(self.width)?;
        let mut block = Block::new(self.width);
        let mut products = vec![0.0; packed_len(self.width)];
        let mut start = 0;
        while start < rows {
            start = block.fill(batch, start)?;
            self.add_block(&mut block, &mut products);
        }
        Ok(())
    }

    /// Adds the rows of a block. The block is left centred; `products` is room for its co-moments.
    pub(super) fn add_block(&mut self, block: &mut Block, products: &mut [f64]) {
        self.skipped += block.skipped();
        if block.rows() == 0 {
            return;
        }
        let (mut weight, mut squared_weight) = (block.rows() as f64, block.rows() as f64);
        if block.weighted() {
            weight = block::total(block.weights());
            squared_weight = block::dot(block.weights(), block.weights());
        }
        let means: Vec<f64> = (0..self.width).map(|column| mean(block, column, weight)).collect();
        let weighted = block.weighted();
        let roots: Vec<f64> =
            block.weights().iter().filter(|_| weighted).map(|weight| weight.sqrt()).collect();
        for (column, mean) in means.iter().enumerate() {
            let values = block.column_mut(column);
            if weighted {
                values.iter_mut().zip(&roots).for_each(|(value, root)| *value = (*value - mean) * root);
            } else {
                values.iter_mut().for_each(|value| *value -= mean);
            }
        }
        products.fill(0.0);
        block.add_products(products);
        self.absorb(block.rows() as u64, weight, squared_weight, &means, products);
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if self.width != other.width {
            let (left, right) = (self.width, other.width);
            return Err(Invalid::new(format!(
                "moments of {left} columns do not merge with moments of {right}"
            )));
        }
        self.skipped += other.skipped;
        self.absorb(other.rows, other.weight, other.squared_weight, &other.means, &other.comoments);
        Ok(())
    }

    /// Adds rows known by their own sums.
    pub(super) fn absorb(&mut self, rows: u64, weight: f64, squared: f64, means: &[f64], comoments: &[f64]) {
        if rows == 0 {
            return;
        }
        let total = self.weight + weight;
        let share = weight / total;
        let between: Vec<f64> = means.iter().zip(&self.means).map(|(other, own)| other - own).collect();
        let scale = self.weight * share;
        let mut cell = 0;
        for (row, apart) in between.iter().enumerate() {
            let scaled = apart * scale;
            let length = self.width - row;
            let own = &mut self.comoments[cell..cell + length];
            for ((own, other), between) in own.iter_mut().zip(&comoments[cell..]).zip(&between[row..]) {
                *own += other + scaled * between;
            }
            cell += length;
        }
        for (mean, between) in self.means.iter_mut().zip(&between) {
            *mean += between * share;
        }
        self.rows += rows;
        self.weight = total;
        self.squared_weight += squared;
    }

    /// The moments of some of the columns, in this order. A row that was left out for another column stays left out.
    pub(crate) fn select(&self, columns: &[usize]) -> Self {
        let mut comoments = Vec::with_capacity(packed_len(columns.len()));
        for (place, &row) in columns.iter().enumerate() {
            comoments.extend(columns[place..].iter().map(|&column| self.comoment(row, column)));
        }
        let means = columns.iter().map(|&column| self.means[column]).collect();
        Self { width: columns.len(), means, comoments, ..*self }
    }

    /// Upper triangle, row after row.
    pub(super) fn packed_comoments(&self) -> &[f64] {
        &self.comoments
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Rows that count.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows left out for a value or a weight that cannot be used.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// Kish's effective number of rows, (Σw)²/Σw²; 0 without rows.
    pub(crate) fn effective_rows(&self) -> f64 {
        if self.squared_weight > 0.0 { self.weight * self.weight / self.squared_weight } else { 0.0 }
    }

    pub(crate) fn mean(&self, column: usize) -> f64 {
        self.means[column]
    }

    pub(super) fn means(&self) -> &[f64] {
        &self.means
    }

    /// Σw(a − ā)(b − b̄).
    pub(crate) fn comoment(&self, a: usize, b: usize) -> f64 {
        self.comoments[packed(self.width, a.min(b), a.max(b))]
    }

    /// Root of a column's own co-moment.
    pub(super) fn spread(&self, column: usize) -> f64 {
        self.comoment(column, column).sqrt()
    }

    /// Whether a column has the same value in all rows, up to rounding.
    pub(crate) fn constant(&self, column: usize) -> bool {
        let rounding = CONSTANT * self.means[column];
        self.comoment(column, column) <= rounding * rounding * self.weight
    }

    /// Whether weights and co-moments are so far from the ends of the numbers that quotients of them exist.
    pub(super) fn in_range(&self) -> bool {
        let usual = |value: f64| value > SMALLEST && value < 1.0 / SMALLEST;
        let spread =
            |column: usize| self.comoment(column, column) == 0.0 || usual(self.comoment(column, column));
        usual(self.weight) && usual(self.squared_weight) && (0..self.width).all(spread)
    }

    /// Correlations of all columns; meaningless where a column is constant.
    pub(crate) fn correlations(&self) -> Matrix {
        let spreads: Vec<f64> = (0..self.width).map(|column| self.spread(column)).collect();
        Matrix::from_fn(self.width, |a, b| {
            if a == b { 1.0 } else { (self.comoment(a, b) / spreads[a] / spreads[b]).clamp(-1.0, 1.0) }
        })
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + (self.means.capacity() + self.comoments.capacity()) * size_of::<f64>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let moments = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(moments)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.integer(self.width as u64);
        writer.integer(self.rows);
        writer.integer(self.skipped);
        writer.numbers(&[self.weight, self.squared_weight]);
        writer.numbers(&self.means);
        writer.numbers(&self.comoments);
    }

    pub(super) fn read(reader: &mut Reader) -> Result<Self, Invalid> {
        let width = reader.count(8)?;
        if width > MOST_COLUMNS {
            return Err(damaged());
        }
        Ok(Self {
            width,
            rows: reader.integer()?,
            skipped: reader.integer()?,
            weight: reader.number()?,
            squared_weight: reader.number()?,
            means: reader.numbers(width)?,
            comoments: reader.numbers(packed_len(width))?,
        })
    }
}

fn mean(block: &Block, column: usize, weight: f64) -> f64 {
    let sum = if block.weighted() {
        block::dot(block.column(column), block.weights())
    } else {
        block.sums()[column]
    };
    sum / weight
}

#[cfg(test)]
mod tests;
