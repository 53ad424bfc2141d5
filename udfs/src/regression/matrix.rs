//! Small square matrices: Cholesky with a check for dependence, inverse, eigenvectors.
//!
//! The matrices here have as many rows as a model has terms, so everything is dense and straightforward.
//! Cholesky factorisation and triangular solution after Golub and Van Loan, *Matrix Computations*, 4.2 and
//! 3.1; eigenvectors by cyclic Jacobi rotations, 8.5.

use super::block::Block;

/// A square matrix, row after row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    size: usize,
    cells: Vec<f64>,
}

/// A column that is a linear combination of columns before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependence {
    pub(super) column: usize,
    pub(super) on: Vec<usize>,
}

/// Weight below which a column has no part in a linear dependence, in units of standard deviations.
const NO_PART: f64 = 1e-6;

impl Matrix {
    pub(super) fn zero(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * size] }
    }

    pub(super) fn from_fn(size: usize, cell: impl Fn(usize, usize) -> f64) -> Self {
        let cells = (0..size * size).map(|place| cell(place / size, place % size)).collect();
        Self { size, cells }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn get(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.size + column] = value;
    }

    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.cells[row * self.size..][..self.size]
    }

    /// Without the rows and columns before `from`.
    pub(super) fn tail(&self, from: usize) -> Self {
        Self::from_fn(self.size - from, |row, column| self.get(row + from, column + from))
    }

    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        (0..self.size).map(|row| product(self.row(row), vector)).collect()
    }

    pub(super) fn largest_diagonal(&self) -> f64 {
        (0..self.size).map(|place| self.get(place, place)).fold(0.0, f64::max)
    }

    /// `self · middle · selfᵀ`.
    pub(super) fn around(&self, middle: &Self) -> Self {
        let left = Self::from_fn(self.size, |row, column| {
            (0..self.size).map(|inner| self.get(row, inner) * middle.get(inner, column)).sum()
        });
        Self::from_fn(self.size, |row, column| product(left.row(row), self.row(column)))
    }

    /// The factor L of a positive definite matrix, `self = L·Lᵀ`. A pivot that falls to `tolerance` of its
    /// diagonal makes its column a combination of those before it.
    pub(super) fn cholesky(&self, tolerance: f64) -> Result<Cholesky, Dependence> {
        let mut factor = Self::zero(self.size);
        for row in 0..self.size {
            for column in 0..row {
                let known = product(&factor.row(row)[..column], &factor.row(column)[..column]);
                factor.set(row, column, (self.get(row, column) - known) / factor.get(column, column));
            }
            let known = product(&factor.row(row)[..row], &factor.row(row)[..row]);
            let pivot = self.get(row, row) - known;
            if pivot.is_nan() || pivot <= tolerance * self.get(row, row).abs() {
                return Err(Dependence { column: row, on: self.parts(&factor, row) });
            }
            factor.set(row, row, pivot.sqrt());
        }
        Ok(Cholesky { factor })
    }

    /// Which columns before `column` it is made of.
    fn parts(&self, factor: &Self, column: usize) -> Vec<usize> {
        let mut weights = factor.row(column)[..column].to_vec();
        back_substitute(factor, &mut weights);
        let scale = |place: usize| self.get(place, place).abs().sqrt();
        let own = scale(column);
        (0..column).filter(|&place| weights[place].abs() * scale(place) > NO_PART * own).collect()
    }

    /// Eigenvalues and eigenvectors (as columns) of a symmetric matrix.
    pub(super) fn eigen(&self) -> (Vec<f64>, Self) {
        let mut work = self.clone();
        let mut vectors = Self::from_fn(self.size, |row, column| f64::from(u8::from(row == column)));
        for _ in 0..60 {
            let (mut off, mut on) = (0.0, 0.0);
            for row in 0..self.size {
                on += work.get(row, row) * work.get(row, row);
                off += product(&work.row(row)[row + 1..], &work.row(row)[row + 1..]);
            }
            if off.is_nan() || off <= 1e-30 * on {
                break;
            }
            for row in 0..self.size {
                for column in row + 1..self.size {
                    work.rotate(&mut vectors, row, column);
                }
            }
        }
        ((0..self.size).map(|place| work.get(place, place)).collect(), vectors)
    }

    /// One rotation that makes the cell (p, q) zero.
    fn rotate(&mut self, vectors: &mut Self, p: usize, q: usize) {
        let cell = self.get(p, q);
        if cell == 0.0 {
            return;
        }
        let theta = (self.get(q, q) - self.get(p, p)) / (2.0 * cell);
        let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
        let cos = 1.0 / t.hypot(1.0);
        let sin = t * cos;
        for place in 0..self.size {
            let (a, b) = (self.get(place, p), self.get(place, q));
            self.set(place, p, cos * a - sin * b);
            self.set(place, q, sin * a + cos * b);
        }
        for place in 0..self.size {
            let (a, b) = (self.get(p, place), self.get(q, place));
            self.set(p, place, cos * a - sin * b);
            self.set(q, place, sin * a + cos * b);
            let (a, b) = (vectors.get(place, p), vectors.get(place, q));
            vectors.set(place, p, cos * a - sin * b);
            vectors.set(place, q, sin * a + cos * b);
        }
    }
}

/// A positive definite matrix, factored.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    factor: Matrix,
}

impl Cholesky {
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        self.forward(&mut solution);
        back_substitute(&self.factor, &mut solution);
        solution
    }

    /// Solves `L·x = right` in place.
    pub(super) fn forward(&self, right: &mut [f64]) {
        for row in 0..right.len() {
            let known = product(&self.factor.row(row)[..row], &right[..row]);
            right[row] = (right[row] - known) / self.factor.get(row, row);
        }
    }

    /// Solves `Lᵀ·x = right` in place.
    pub(super) fn back(&self, right: &mut [f64]) {
        back_substitute(&self.factor, right);
    }

    /// One column of the solution of `L·x = z` for every row z of a block, the columns before it being solved.
    pub(super) fn forward_column(&self, block: &mut Block, column: usize) {
        for before in 0..column {
            block.subtract(column, self.factor.get(column, before), before);
        }
        let pivot = self.factor.get(column, column);
        block.column_mut(column).iter_mut().for_each(|value| *value /= pivot);
    }

    pub(super) fn inverse(&self) -> Matrix {
        let size = self.factor.size;
        let mut inverse = Matrix::zero(size);
        for column in 0..size {
            let mut unit = vec![0.0; size];
            unit[column] = 1.0;
            for (row, value) in self.solve(&unit).into_iter().enumerate() {
                inverse.set(row, column, value);
            }
        }
        Matrix::from_fn(size, |row, column| 0.5 * (inverse.get(row, column) + inverse.get(column, row)))
    }

    /// ln of the determinant.
    pub(super) fn ln_determinant(&self) -> f64 {
        (0..self.factor.size).map(|place| 2.0 * self.factor.get(place, place).ln()).sum()
    }
}

/// Solves `Lᵀ·x = right` in place, for as many rows as `right` has.
fn back_substitute(factor: &Matrix, right: &mut [f64]) {
    for row in (0..right.len()).rev() {
        right[row] /= factor.get(row, row);
        let value = right[row];
        for (column, other) in right[..row].iter_mut().enumerate() {
            *other -= factor.get(row, column) * value;
        }
    }
}

fn product(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests;
