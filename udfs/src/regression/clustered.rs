//! Moments per cluster: regression with cluster-robust standard errors in one pass.
//!
//! A cluster's score Σ w e z, with z = (1, x − x̄) and e the residual of a fit that is only known afterwards,
//! is linear in its co-moments: with weight W, means apart from the overall ones by d, and co-moments C, it
//! is W(d_y − bᵀd_x) for the constant and C_xy + W d_x d_y − (C_xx + W d_x d_xᵀ)b for the columns. A cluster
//! costs 8·(2 + m + m(m + 1)/2) bytes for m columns; with many small clusters the second pass of
//! [`super::robust::ClusterScores`] takes less memory.

use std::collections::HashMap;

use super::Invalid;
use super::batch::Batch;
use super::block::{Block, packed, packed_len};
use super::bytes::{Reader, Writer, damaged};
use super::linear::{self, LinearFit};
use super::matrix::Matrix;
use super::moments::Moments;
use super::robust::{add_square, check_clusters, cluster_terms};
use super::term::Term;

/// Where things are in the numbers of a cluster.
const WEIGHT: usize = 0;
const MEANS: usize = 1;

/// Moments of all rows, and weight, means and co-moments of every cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClusteredMoments {
    total: Moments,
    places: HashMap<u64, usize>,
    /// Cluster after cluster: weight, means, packed co-moments.
    cells: Vec<f64>,
}

impl ClusteredMoments {
    /// The state of no rows of `width` columns.
    pub(crate) fn new(width: usize) -> Self {
        Self { total: Moments::new(width), places: HashMap::new(), cells: Vec::new() }
    }

    /// `clusters` says for every row of the batch which cluster it belongs to.
    pub(crate) fn update(&mut self, batch: &Batch, clusters: &[u64]) -> Result<(), Invalid> {
        let rows = batch.rows(self.total.width())?;
        check_clusters(rows, clusters)?;
        let mut block = Block::new(self.total.width());
        let mut products = vec![0.0; packed_len(self.total.width())];
        let mut row_values = vec![0.0; self.total.width()];
        let mut start = 0;
        while start < rows {
            start = block.fill(batch, start)?;
            for row in 0..block.rows() {
                for (column, value) in row_values.iter_mut().enumerate() {
                    *value = block.column(column)[row];
                }
                let weight = if block.weighted() { block.weights()[row] } else { 1.0 };
                add(self.cluster(clusters[block.places()[row]]), weight, &row_values, &[]);
            }
            self.total.add_block(&mut block, &mut products);
        }
        Ok(())
    }

    /// Adds rows of one cluster that are known by their moments.
    pub(crate) fn absorb(&mut self, cluster: u64, moments: &Moments) -> Result<(), Invalid> {
        self.total.merge(moments)?;
        if moments.rows() > 0 {
            add(self.cluster(cluster), moments.weight(), moments.means(), moments.packed_comoments());
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        self.total.merge(&other.total)?;
        let width = self.total.width();
        for (&cluster, &place) in &other.places {
            let cell = &other.cells[place * self.stride()..][..self.stride()];
            let (means, comoments) = cell[MEANS..].split_at(width);
            add(self.cluster(cluster), cell[WEIGHT], means, comoments);
        }
        Ok(())
    }

    /// Moments of all rows together.
    pub(crate) fn total(&self) -> &Moments {
        &self.total
    }

    pub(crate) fn clusters(&self) -> usize {
        self.places.len()
    }

    /// Regression of column 0 on the others with cluster-robust standard errors, intervals and p values.
    pub(crate) fn fit(&self, names: &[&str], conf: f64) -> Result<LinearFit, Invalid> {
        let fit = linear::fit(&self.total, names, conf)?;
        let terms = self.terms(&fit, conf)?;
        Ok(LinearFit { terms, ..fit })
    }

    fn terms(&self, fit: &LinearFit, conf: f64) -> Result<Vec<Term>, Invalid> {
        let mut meat = Matrix::zero(self.total.width());
        for cell in self.cells.chunks_exact(self.stride()) {
            add_square(&mut meat, &self.score(cell, &fit.shape.slopes));
        }
        cluster_terms(fit, &meat, self.clusters(), conf)
    }

    /// Σ w e z of a cluster.
    fn score(&self, cell: &[f64], slopes: &[f64]) -> Vec<f64> {
        let width = self.total.width();
        let weight = cell[WEIGHT];
        let (means, comoments) = cell[MEANS..].split_at(width);
        let apart: Vec<f64> = means.iter().zip(self.total.means()).map(|(own, all)| own - all).collect();
        // Co-moments around the overall means.
        let around =
            |a: usize, b: usize| comoments[packed(width, a.min(b), a.max(b))] + weight * apart[a] * apart[b];
        let fitted: f64 = slopes.iter().zip(&apart[1..]).map(|(slope, apart)| slope * apart).sum();
        let mut score = vec![weight * (apart[0] - fitted)];
        for column in 1..width {
            let fitted: f64 =
                slopes.iter().enumerate().map(|(place, slope)| slope * around(place + 1, column)).sum();
            score.push(around(0, column) - fitted);
        }
        score
    }

    fn stride(&self) -> usize {
        MEANS + self.total.width() + packed_len(self.total.width())
    }

    fn cluster(&mut self, cluster: u64) -> &mut [f64] {
        let stride = self.stride();
        let next = self.places.len();
        let place = *self.places.entry(cluster).or_insert(next);
        if place == next {
            self.cells.resize((next + 1) * stride, 0.0);
        }
        &mut self.cells[place * stride..][..stride]
    }

    pub(crate) fn size(&self) -> usize {
        let places = self.places.capacity() * (size_of::<(u64, usize)>() + 1);
        self.total.size() + size_of::<Self>() + places + self.cells.capacity() * size_of::<f64>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.total.write(&mut writer);
        writer.integer(self.places.len() as u64);
        for (&cluster, &place) in &self.places {
            writer.integer(cluster);
            writer.numbers(&self.cells[place * self.stride()..][..self.stride()]);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let total = Moments::read(&mut reader)?;
        let mut clustered = Self { total, places: HashMap::new(), cells: Vec::new() };
        let stride = clustered.stride();
        for place in 0..reader.count(8 + 8 * stride)? {
            if clustered.places.insert(reader.integer()?, place).is_some() {
                return Err(damaged());
            }
            clustered.cells.extend(reader.numbers(stride)?);
        }
        reader.finish()?;
        Ok(clustered)
    }
}

/// Adds rows with this weight, these means and these co-moments to a cluster; no co-moments are all zero.
fn add(cell: &mut [f64], weight: f64, means: &[f64], comoments: &[f64]) {
    let total = cell[WEIGHT] + weight;
    let share = weight / total;
    let scale = cell[WEIGHT] * share;
    cell[WEIGHT] = total;
    let (own_means, own) = cell[MEANS..].split_at_mut(means.len());
    let mut place = 0;
    for (row, (mean, own_mean)) in means.iter().zip(&*own_means).enumerate() {
        let scaled = (mean - own_mean) * scale;
        for (mean, own_mean) in means[row..].iter().zip(&own_means[row..]) {
            own[place] += scaled * (mean - own_mean);
            place += 1;
        }
    }
    own.iter_mut().zip(comoments).for_each(|(own, other)| *own += other);
    for (own, other) in own_means.iter_mut().zip(means) {
        *own += (other - *own) * share;
    }
}

#[cfg(test)]
mod tests;
