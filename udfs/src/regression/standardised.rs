//! Rows that are read several times, with columns brought to mean 0 and standard deviation 1.
//!
//! Iterative fits work on standardised columns and on weights with mean 1, so that neither units nor the
//! scale of the weights has a say in when they have converged.

use super::batch::Batch;
use super::block::{Block, packed_len};
use super::moments::Moments;
use super::{Invalid, linear};

/// Batches and the moments of all their rows.
pub(super) struct Standardised<'a> {
    batches: &'a [Batch<'a>],
    pub(super) moments: Moments,
    /// Means and standard deviations of the columns after the outcome.
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
    /// Variance inflation factor of the same columns.
    pub(super) vifs: Vec<f64>,
    mean_weight: f64,
}

impl<'a> Standardised<'a> {
    /// Reads the rows once. `check` sees every block before it is standardised and may refuse it. Constant
    /// and collinear columns are errors.
    pub(super) fn new(
        batches: &'a [Batch<'a>],
        names: &[&str],
        mut check: impl FnMut(&Block) -> Result<(), Invalid>,
    ) -> Result<Self, Invalid> {
        let mut moments = Moments::new(names.len() + 1);
        let mut products = vec![0.0; packed_len(moments.width())];
        read(batches, moments.width(), 1, |block| {
            check(block)?;
            moments.add_block(block, &mut products);
            Ok(())
        })?;
        linear::check(&moments, names)?;
        let inverse = linear::invert(&moments.correlations().tail(1), names)?;
        let columns = 1..moments.width();
        let weight = moments.weight();
        Ok(Self {
            batches,
            means: moments.means()[1..].to_vec(),
            scales: columns.clone().map(|column| moments.spread(column) / weight.sqrt()).collect(),
            vifs: (0..names.len()).map(|place| inverse.get(place, place)).collect(),
            mean_weight: weight / moments.rows() as f64,
            moments,
        })
    }

    pub(super) fn width(&self) -> usize {
        self.moments.width()
    }

    /// Shows every block of which the number is a multiple of `every`, standardised; column 0 is as it was.
    pub(super) fn each_block(
        &self,
        every: usize,
        mut see: impl FnMut(&mut Block) -> Result<(), Invalid>,
    ) -> Result<(), Invalid> {
        read(self.batches, self.width(), every, |block| {
            for (place, (mean, scale)) in self.means.iter().zip(&self.scales).enumerate() {
                let factor = 1.0 / scale;
                block.column_mut(place + 1).iter_mut().for_each(|x| *x = (*x - mean) * factor);
            }
            block.scale_weights(1.0 / self.mean_weight);
            see(block)
        })
    }
}

fn read(
    batches: &[Batch],
    width: usize,
    every: usize,
    mut see: impl FnMut(&mut Block) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let mut block = Block::new(width);
    let mut number = 0usize;
    for batch in batches {
        let rows = batch.rows(width)?;
        let mut start = 0;
        while start < rows {
            if number.is_multiple_of(every) {
                start = block.fill(batch, start)?;
                see(&mut block)?;
            } else {
                start = block.skip(start);
            }
            number += 1;
        }
    }
    Ok(())
}
