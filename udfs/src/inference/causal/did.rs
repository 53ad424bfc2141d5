//! Difference in differences of two groups and two periods.
//!
//! (Ȳ₁post − Ȳ₁pre) − (Ȳ₀post − Ȳ₀pre), the coefficient β₃ of y ~ t + p + t·p. Its variance is that of least
//! squares, s² Σ 1/n with n − 4 degrees of freedom, or, with clusters, Liang and Zeger's (1986) with the
//! factor G/(G − 1)·(n − 1)/(n − 4) and G − 1 degrees of freedom. It rests on parallel trends: without the
//! programme both groups would have moved by the same. Two periods cannot show whether they do.

use std::collections::HashMap;
use std::mem::size_of;

use super::Effect;
use crate::inference::bytes::{Reader, Writer};
use crate::inference::moments::Moments;
use crate::inference::{Invalid, confidence};

/// Moments of the four cells and, with clusters, count and sum of each cluster's part of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Did {
    cells: [Moments; 4],
    clusters: HashMap<u64, [Sum; 4]>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sum {
    n: f64,
    mean: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DidResult {
    pub(crate) effect: Effect,
    /// Means and counts: control pre, control post, treated pre, treated post.
    pub(crate) means: [f64; 4],
    pub(crate) n: [f64; 4],
    /// 0 without clusters.
    pub(crate) clusters: usize,
}

const SIGNS: [f64; 4] = [1.0, -1.0, -1.0, 1.0];

impl Did {
    /// `cluster` is a hash of what repeats, such as the customer; all rows have one, or none has.
    pub(crate) fn update(
        &mut self,
        outcome: f64,
        treated: bool,
        post: bool,
        cluster: Option<u64>,
    ) -> Result<(), Invalid> {
        let cell = 2 * usize::from(treated) + usize::from(post);
        self.cells[cell].update(outcome)?;
        if let Some(cluster) = cluster {
            let sum = &mut self.clusters.entry(cluster).or_default()[cell];
            sum.n += 1.0;
            sum.mean += (outcome - sum.mean) / sum.n;
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.cells.iter_mut().zip(&other.cells).for_each(|(cell, part)| cell.merge(part));
        for (cluster, sums) in &other.clusters {
            let mine = self.clusters.entry(*cluster).or_default();
            for (mine, sum) in mine.iter_mut().zip(sums).filter(|(_, sum)| sum.n > 0.0) {
                mine.n += sum.n;
                mine.mean += (sum.mean - mine.mean) * sum.n / mine.n;
            }
        }
    }

    /// `None` when a cell has no row.
    pub(crate) fn result(&self, conf: f64) -> Result<Option<DidResult>, Invalid> {
        let conf = confidence(conf)?;
        if self.cells.iter().any(|cell| cell.n == 0.0) {
            return Ok(None);
        }
        let n: f64 = self.cells.iter().map(|cell| cell.n).sum();
        let counted: f64 = self.clusters.values().flatten().map(|sum| sum.n).sum();
        if counted != 0.0 && counted != n {
            return Err(Invalid::new("some rows have a cluster and others have none"));
        }
        let estimate = self.cells.iter().zip(SIGNS).map(|(cell, sign)| sign * cell.mean).sum();
        let scale = self.cells.iter().map(|cell| cell.mean.abs() + cell.squares.sqrt()).fold(0.0, f64::max);
        let effect = if self.clusters.is_empty() {
            let squares: f64 = self.cells.iter().map(|cell| cell.squares).sum();
            let inverse: f64 = self.cells.iter().map(|cell| 1.0 / cell.n).sum();
            let std_error = (squares / (n - 4.0) * inverse).sqrt();
            Effect::student(estimate, std_error, n - 4.0, conf, scale)
        } else {
            let groups = self.clusters.len() as f64;
            let factor = groups / (groups - 1.0) * (n - 1.0) / (n - 4.0);
            Effect::student(estimate, (factor * self.meat()).sqrt(), groups - 1.0, conf, scale)
        };
        let [means, counts] = [self.cells.map(|cell| cell.mean), self.cells.map(|cell| cell.n)];
        Ok(Some(DidResult { effect, means, n: counts, clusters: self.clusters.len() }))
    }

    /// Σ over clusters of the squared sum of their rows' influence on the estimate.
    fn meat(&self) -> f64 {
        let influence = |sums: &[Sum; 4]| {
            let parts = sums.iter().zip(&self.cells).zip(SIGNS);
            parts.map(|((sum, cell), sign)| sign * sum.n * (sum.mean - cell.mean) / cell.n).sum::<f64>()
        };
        let mut squares: Vec<f64> = self.clusters.values().map(|sums| influence(sums).powi(2)).collect();
        // In the order of size, which does not depend on how the map was filled.
        squares.sort_unstable_by(f64::total_cmp);
        squares.iter().sum()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        for cell in &self.cells {
            writer.number(cell.n).number(cell.mean).number(cell.squares);
        }
        let mut clusters: Vec<(&u64, &[Sum; 4])> = self.clusters.iter().collect();
        clusters.sort_unstable_by_key(|(cluster, _)| **cluster);
        writer.integer(clusters.len() as u64);
        for (cluster, sums) in clusters {
            writer.integer(*cluster);
            for sum in sums {
                writer.number(sum.n).number(sum.mean);
            }
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut did = Self::default();
        for cell in &mut did.cells {
            *cell = Moments { n: reader.number()?, mean: reader.number()?, squares: reader.number()? };
        }
        for _ in 0..reader.length(72)? {
            let sums = did.clusters.entry(reader.integer()?).or_default();
            for sum in sums {
                *sum = Sum { n: reader.number()?, mean: reader.number()? };
            }
        }
        reader.finish()?;
        Ok(did)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.clusters.capacity() * (size_of::<[Sum; 4]>() + 9)
    }
}
