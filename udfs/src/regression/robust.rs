//! Standard errors that allow for unequal variances (HC0 to HC3) or for rows that belong together.
//!
//! The covariance is a sandwich (XᵀWX)⁻¹·M·(XᵀWX)⁻¹. For HC0 M = Σ w²e²xxᵀ over rows, with Student's t of n − p degrees
//! of freedom (White 1980). HC1 is n/(n − p) times that; HC2 divides each e² by 1 − h and HC3 by (1 − h)², with the row's
//! leverage h (MacKinnon and White 1985). For clusters M = Σ s sᵀ with the sum s = Σ w e x of each cluster, times
//! G/(G − 1)·(n − 1)/(n − p), with Student's t of G − 1 degrees of freedom (Liang and Zeger 1986; Cameron and Miller
//! 2015). Rows that belong together in two ways have the sum of the covariances by either less that by both, with the
//! degrees of freedom of the fewer clusters (Cameron, Gelbach and Miller 2011).
//!
//! All are second passes over the rows that a [`LinearFit`] was made from. Where clusters are few,
//! [`super::clustered`] does the same in one pass.

use std::collections::HashMap;

use super::batch::Batch;
use super::block::{Block, packed_len};
use super::bytes::{Reader, Writer, damaged};
use super::linear::{LinearFit, Shape};
use super::matrix::Matrix;
use super::tails::Reference;
use super::term::{Term, unpacked};
use super::{Invalid, check_confidence};

/// A row whose leverage leaves less than this is alone in deciding a coefficient.
const LEAST_SLACK: f64 = 1e-10;

/// How residuals are made up for being smaller than errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Correction {
    Hc0,
    Hc1,
    Hc2,
    Hc3,
}

impl Correction {
    /// What a residual is divided by where 1 − h is `slack`.
    fn divisor(self, slack: f64) -> f64 {
        match self {
            Correction::Hc0 | Correction::Hc1 => 1.0,
            Correction::Hc2 => slack.sqrt(),
            Correction::Hc3 => slack,
        }
    }
}

/// Σ w²e²zzᵀ of the rows, where z is a constant and the centred columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResidualProducts {
    correction: Correction,
    width: usize,
    rows: u64,
    products: Vec<f64>,
}

impl ResidualProducts {
    /// For the rows that `fit` was made from.
    pub(crate) fn new(fit: &LinearFit, correction: Correction) -> Self {
        let width = fit.shape.means.len();
        Self { correction, width, rows: 0, products: vec![0.0; packed_len(width)] }
    }

    pub(crate) fn update(&mut self, fit: &LinearFit, batch: &Batch) -> Result<(), Invalid> {
        let rows = batch.rows(self.width)?;
        let mut block = Block::new(self.width);
        let mut start = 0;
        while start < rows {
            start = block.fill(batch, start)?;
            let mut residuals = score(&mut block, &fit.shape);
            if matches!(self.correction, Correction::Hc2 | Correction::Hc3) {
                self.make_up(&block, &fit.shape.bread, &mut residuals)?;
            }
            for column in 0..self.width {
                block.column_mut(column).iter_mut().zip(&residuals).for_each(|(z, residual)| *z *= residual);
            }
            block.add_products(&mut self.products);
            self.rows += block.rows() as u64;
        }
        Ok(())
    }

    /// Divides the residuals of rows that are z already by what their leverages wᵢzᵢᵀ(ZᵀWZ)⁻¹zᵢ leave.
    fn make_up(&self, block: &Block, bread: &Matrix, residuals: &mut [f64]) -> Result<(), Invalid> {
        let mut z = vec![0.0; self.width];
        for (row, residual) in residuals.iter_mut().enumerate() {
            for (column, value) in z.iter_mut().enumerate() {
                *value = block.column(column)[row];
            }
            let weight = if block.weighted() { block.weights()[row] } else { 1.0 };
            let leverage: f64 = bread.times(&z).iter().zip(&z).map(|(left, right)| left * right).sum();
            let slack = 1.0 - weight * leverage;
            if slack < LEAST_SLACK {
                return Err(Invalid::new("a coefficient of the regression hangs on one row alone").hint(
                    "Its error has no answer under hc2 and hc3: leave out the row or the column, or use hc1.",
                ));
            }
            *residual /= self.correction.divisor(slack);
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if (self.width, self.correction) != (other.width, other.correction) {
            return Err(Invalid::new("residuals of different regressions do not merge"));
        }
        self.rows += other.rows;
        self.products.iter_mut().zip(&other.products).for_each(|(own, other)| *own += other);
        Ok(())
    }

    /// The table of `fit` with these standard errors.
    pub(crate) fn terms(&self, fit: &LinearFit, conf: f64) -> Result<Vec<Term>, Invalid> {
        check_confidence(conf)?;
        if self.rows != fit.n_obs || self.width != fit.shape.means.len() {
            return Err(different_rows(self.rows, fit.n_obs));
        }
        let covariance = fit.shape.bread.around(&unpacked(self.width, &self.products));
        let scale = if self.correction == Correction::Hc1 { fit.n_obs as f64 / fit.freedom } else { 1.0 };
        Ok(fit.shape.terms(&covariance, scale, fit.sigma * fit.sigma, Reference::Student(fit.freedom), conf))
    }
}

/// The sum of w·e·z of every cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClusterScores {
    width: usize,
    rows: u64,
    scores: HashMap<u64, Vec<f64>>,
}

impl ClusterScores {
    /// For the rows that `fit` was made from.
    pub(crate) fn new(fit: &LinearFit) -> Self {
        Self { width: fit.shape.means.len(), rows: 0, scores: HashMap::new() }
    }

    /// `clusters` says for every row of the batch which cluster it belongs to.
    pub(crate) fn update(&mut self, fit: &LinearFit, batch: &Batch, clusters: &[u64]) -> Result<(), Invalid> {
        let rows = batch.rows(self.width)?;
        check_clusters(rows, clusters)?;
        let mut block = Block::new(self.width);
        let mut start = 0;
        while start < rows {
            start = block.fill(batch, start)?;
            let residuals = score(&mut block, &fit.shape);
            for (row, residual) in residuals.iter().enumerate() {
                let cluster = clusters[block.places()[row]];
                let sums = self.scores.entry(cluster).or_insert_with(|| vec![0.0; self.width]);
                for (column, sum) in sums.iter_mut().enumerate() {
                    *sum += residual * block.column(column)[row];
                }
            }
            self.rows += block.rows() as u64;
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        if self.width != other.width {
            return Err(Invalid::new("residuals of different regressions do not merge"));
        }
        self.rows += other.rows;
        for (&cluster, scores) in &other.scores {
            let own = self.scores.entry(cluster).or_insert_with(|| vec![0.0; scores.len()]);
            own.iter_mut().zip(scores).for_each(|(own, other)| *own += other);
        }
        Ok(())
    }

    /// The table of `fit` with standard errors robust to dependence within clusters.
    pub(crate) fn terms(&self, fit: &LinearFit, conf: f64) -> Result<Vec<Term>, Invalid> {
        cluster_terms(fit, &self.meat(fit)?, self.scores.len(), conf)
    }

    fn meat(&self, fit: &LinearFit) -> Result<Matrix, Invalid> {
        if self.rows != fit.n_obs {
            return Err(different_rows(self.rows, fit.n_obs));
        }
        let mut meat = Matrix::zero(self.width);
        for scores in self.scores.values() {
            add_square(&mut meat, scores);
        }
        Ok(meat)
    }

    pub(crate) fn size(&self) -> usize {
        let cluster = size_of::<(u64, Vec<f64>)>() + self.width * size_of::<f64>();
        size_of::<Self>() + self.scores.capacity() * (cluster + 1)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(self.width as u64);
        writer.integer(self.rows);
        writer.integer(self.scores.len() as u64);
        for (&cluster, scores) in &self.scores {
            writer.integer(cluster);
            writer.numbers(scores);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let width = usize::try_from(reader.integer()?).map_err(|_| damaged())?;
        let (rows, clusters) = (reader.integer()?, reader.count(8)?);
        let scores = (0..clusters).map(|_| Ok((reader.integer()?, reader.numbers(width)?)));
        let scores = scores.collect::<Result<_, Invalid>>()?;
        reader.finish()?;
        Ok(Self { width, rows, scores })
    }
}

/// The sandwich of clusters whose squared scores add up to `meat`.
pub(super) fn cluster_terms(
    fit: &LinearFit,
    meat: &Matrix,
    clusters: usize,
    conf: f64,
) -> Result<Vec<Term>, Invalid> {
    check_confidence(conf)?;
    let scale = cluster_scale(fit, clusters)?;
    let covariance = fit.shape.bread.around(meat);
    let reference = Reference::Student(clusters as f64 - 1.0);
    Ok(fit.shape.terms(&covariance, scale, fit.sigma * fit.sigma, reference, conf))
}

/// The table of `fit` where rows belong together in two ways; `both` are clusters of rows that do in both.
pub(crate) fn two_way_terms(
    fit: &LinearFit,
    [one, other, both]: [&ClusterScores; 3],
    conf: f64,
) -> Result<Vec<Term>, Invalid> {
    check_confidence(conf)?;
    let mut meat = Matrix::zero(one.width);
    for (clusters, sign) in [(one, 1.0), (other, 1.0), (both, -1.0)] {
        let (own, scale) = (clusters.meat(fit)?, sign * cluster_scale(fit, clusters.scores.len())?);
        meat = Matrix::from_fn(one.width, |row, column| meat.get(row, column) + scale * own.get(row, column));
    }
    let fewer = one.scores.len().min(other.scores.len()) as f64;
    let covariance = fit.shape.bread.around(&meat);
    Ok(fit.shape.terms(&covariance, 1.0, fit.sigma * fit.sigma, Reference::Student(fewer - 1.0), conf))
}

/// The correction for few clusters and few rows.
fn cluster_scale(fit: &LinearFit, clusters: usize) -> Result<f64, Invalid> {
    if clusters < 2 {
        return Err(Invalid::new(format!("cluster-robust standard errors have {clusters} cluster"))
            .hint("They need at least two clusters, and are trustworthy from about forty."));
    }
    let (groups, n) = (clusters as f64, fit.n_obs as f64);
    Ok(groups / (groups - 1.0) * (n - 1.0) / fit.freedom)
}

pub(super) fn add_square(meat: &mut Matrix, score: &[f64]) {
    for (row, left) in score.iter().enumerate() {
        for (column, right) in score.iter().enumerate() {
            meat.set(row, column, meat.get(row, column) + left * right);
        }
    }
}

pub(super) fn check_clusters(rows: usize, clusters: &[u64]) -> Result<(), Invalid> {
    if rows == clusters.len() { Ok(()) } else { Err(Invalid::new("columns of a batch are not equally long")) }
}

fn different_rows(found: u64, fitted: u64) -> Invalid {
    Invalid::new(format!("standard errors come from {found} rows, the regression from {fitted}"))
        .hint("Read the same rows twice.")
}

/// Turns the rows into z = (1, x − x̄) and returns their weighted residuals w·e.
fn score(block: &mut Block, shape: &Shape) -> Vec<f64> {
    let mut residuals: Vec<f64> = block.column(0).iter().map(|y| y - shape.means[0]).collect();
    for (place, slope) in shape.slopes.iter().enumerate() {
        let mean = shape.means[place + 1];
        for (x, residual) in block.column_mut(place + 1).iter_mut().zip(&mut residuals) {
            *x -= mean;
            *residual -= slope * *x;
        }
    }
    if block.weighted() {
        residuals.iter_mut().zip(block.weights()).for_each(|(residual, weight)| *residual *= weight);
    }
    block.column_mut(0).fill(1.0);
    residuals
}

#[cfg(test)]
mod tests;
