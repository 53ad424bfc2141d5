//! Small symmetric positive definite systems, by Cholesky's decomposition.
//!
//! Matrices are row-major slices of `size * size` numbers.

/// The lower triangle L of A = LLᵀ.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

/// A pivot below this share of its diagonal element is taken for zero.
const SINGULAR: f64 = 1e-11;

impl Cholesky {
    /// Decomposes `matrix`. `Err` is the first column that the columns before it determine.
    pub(crate) fn new(matrix: &[f64], size: usize) -> Result<Self, usize> {
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let (above, here) = (&lower[column * size..], &lower[row * size..]);
                let known: f64 = (0..column).map(|k| above[k] * here[k]).sum();
                let rest = matrix[row * size + column] - known;
                if row != column {
                    lower[row * size + column] = rest / lower[column * size + column];
                    continue;
                }
                let diagonal = matrix[row * size + row];
                if !(rest > SINGULAR * diagonal && rest.is_finite()) {
                    return Err(row);
                }
                lower[row * size + row] = rest.sqrt();
            }
        }
        Ok(Self { size, lower })
    }

    /// x with Ax = `rhs`.
    pub(crate) fn solve(&self, rhs: &[f64]) -> Vec<f64> {
        let mut x = self.forward(rhs);
        let (size, lower) = (self.size, &self.lower);
        for row in (0..size).rev() {
            let known: f64 = (row + 1..size).map(|k| lower[k * size + row] * x[k]).sum();
            x[row] = (x[row] - known) / lower[row * size + row];
        }
        x
    }

    /// A⁻¹.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let size = self.size;
        let mut inverse = vec![0.0; size * size];
        let mut unit = vec![0.0; size];
        for column in 0..size {
            unit[column] = 1.0;
            for (row, value) in self.solve(&unit).into_iter().enumerate() {
                inverse[row * size + column] = value;
            }
            unit[column] = 0.0;
        }
        inverse
    }

    /// y with Ly = `rhs`; its squared length is rhsᵀA⁻¹rhs.
    pub(crate) fn forward(&self, rhs: &[f64]) -> Vec<f64> {
        let (size, lower) = (self.size, &self.lower);
        let mut y = rhs.to_vec();
        for row in 0..size {
            let known: f64 = (0..row).map(|k| lower[row * size + k] * y[k]).sum();
            y[row] = (y[row] - known) / lower[row * size + row];
        }
        y
    }
}

/// The product of two square matrices.
pub(crate) fn product(left: &[f64], right: &[f64], size: usize) -> Vec<f64> {
    let mut out = vec![0.0; size * size];
    for row in 0..size {
        for k in 0..size {
            let factor = left[row * size + k];
            for column in 0..size {
                out[row * size + column] += factor * right[k * size + column];
            }
        }
    }
    out
}

/// The sandwich BMB of a symmetric bread B and a meat M.
pub(crate) fn sandwich(bread: &[f64], meat: &[f64], size: usize) -> Vec<f64> {
    product(&product(bread, meat, size), bread, size)
}

/// Adds `factor`·v vᵀ to `matrix`.
pub(crate) fn add_outer(matrix: &mut [f64], vector: &[f64], factor: f64) {
    let size = vector.len();
    for (row, left) in vector.iter().enumerate() {
        for (cell, right) in matrix[row * size..(row + 1) * size].iter_mut().zip(vector) {
            *cell += factor * left * right;
        }
    }
}

pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}
