//! Moments kept by block of rows, to draw from: the bootstrap without the rows.
//!
//! Every row belongs to one of [`BLOCKS`] blocks, by a hash of its key. A draw takes as many blocks as there
//! are, with replacement, and adds up their moments (a block bootstrap: Davison and Hinkley 1997). What
//! shares a key stays together, so that the key of a customer makes intervals that allow for several answers
//! of one customer. The key alone decides, so that neither the order of the rows nor their splits matter.
//!
//! A hash of the values alone would put all equal answers into one block and make intervals far too wide;
//! [`row_keys`] therefore numbers equal rows.

use std::collections::HashMap;

use super::Invalid;
use super::batch::Batch;
use super::block::{Block, ROWS, packed, packed_len};
use super::bytes::{Reader, Writer, damaged};
use super::moments::Moments;
use super::robust::check_clusters;

/// Number of blocks.
pub(crate) const BLOCKS: usize = 256;

/// Most draws.
pub(crate) const MOST_DRAWS: usize = 100_000;

/// Moments of every block of rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BlockedMoments {
    blocks: Vec<Moments>,
}

impl BlockedMoments {
    /// The state of no rows of `width` columns.
    pub(crate) fn new(width: usize) -> Self {
        Self { blocks: vec![Moments::new(width); BLOCKS] }
    }

    /// `keys` has a key for every row of the batch.
    pub(crate) fn update(&mut self, batch: &Batch, keys: &[u64]) -> Result<(), Invalid> {
        let width = self.blocks[0].width();
        let rows = batch.rows(width)?;
        check_clusters(rows, keys)?;
        let mut members = vec![Vec::new(); BLOCKS];
        for (row, key) in keys.iter().enumerate() {
            members[(mix(*key) >> 56) as usize].push(row);
        }
        let mut block = Block::new(width);
        let mut products = vec![0.0; packed_len(width)];
        for (moments, members) in self.blocks.iter_mut().zip(&members) {
            for rows in members.chunks(ROWS) {
                block.take(batch, rows)?;
                moments.add_block(&mut block, &mut products);
            }
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        self.blocks.iter_mut().zip(&other.blocks).try_for_each(|(own, other)| own.merge(other))
    }

    /// Moments of all rows.
    pub(crate) fn total(&self) -> Result<Moments, Invalid> {
        let mut total = Moments::new(self.blocks[0].width());
        self.blocks.iter().try_for_each(|block| total.merge(block))?;
        Ok(total)
    }

    /// Moments of `draws` draws of as many blocks as have rows.
    pub(crate) fn draws(&self, draws: usize, seed: u64) -> Result<impl Iterator<Item = Moments>, Invalid> {
        if draws == 0 || draws > MOST_DRAWS {
            return Err(Invalid::new(format!(
                "number of bootstrap draws {draws} is not between 1 and {MOST_DRAWS}"
            )));
        }
        let sums = Sums::new(self, &self.total()?);
        let mut random = Random(seed);
        Ok((0..draws).map(move |_| sums.draw(&mut random)))
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.blocks.iter().map(Moments::size).sum::<usize>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.blocks.iter().for_each(|block| block.write(&mut writer));
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let blocks: Vec<Moments> =
            (0..BLOCKS).map(|_| Moments::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.finish()?;
        let equal = blocks.iter().all(|block| block.width() == blocks[0].width());
        if equal { Ok(Self { blocks }) } else { Err(damaged()) }
    }
}

/// A key for every row of every batch: a hash of its values, its weight, and how many equal rows came
/// before it. Equal rows are interchangeable, so that the keys do not depend on the order.
pub(crate) fn row_keys(batches: &[Batch]) -> Vec<Vec<u64>> {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let mut keys = Vec::with_capacity(batches.len());
    for batch in batches {
        let rows = batch.columns.first().map_or(0, |column| column.len());
        let mut hashes = vec![0; rows];
        for column in batch.columns.iter().copied().chain(batch.weights) {
            for (hash, value) in hashes.iter_mut().zip(column) {
                // Adding 0 makes −0 and 0 the same.
                *hash = mix(*hash ^ (value + 0.0).to_bits());
            }
        }
        for hash in &mut hashes {
            let before = seen.entry(*hash).or_insert(0);
            *hash = mix(hash.wrapping_add(*before));
            *before += 1;
        }
        keys.push(hashes);
    }
    keys
}

/// The values with probability `conf` between them, cutting off as much on either side; linear between order
/// statistics. `None` without values.
pub(super) fn percentiles(values: &mut [f64], conf: f64) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (values.len() as f64 - 1.0);
        let (low, rest) = (values.get(place as usize)?, place.fract());
        Some(values.get(place as usize + 1).map_or(*low, |high| low + rest * (high - low)))
    };
    Some((at((1.0 - conf) / 2.0)?, at(f64::midpoint(1.0, conf))?))
}

/// Blocks with rows, as sums around the means of all rows: those of a draw are then plain sums.
struct Sums {
    width: usize,
    centre: Vec<f64>,
    /// Rows, weight, squared weight, sums of the columns, packed sums of their products.
    blocks: Vec<Vec<f64>>,
}

/// Where things are in the sums of a block.
const SUMS: usize = 3;

impl Sums {
    fn new(blocks: &BlockedMoments, total: &Moments) -> Self {
        let filled = blocks.blocks.iter().filter(|block| block.rows() > 0);
        let sums = filled.map(|block| {
            let apart: Vec<f64> =
                (0..block.width()).map(|column| block.mean(column) - total.mean(column)).collect();
            let squared = block.weight() * block.weight() / block.effective_rows();
            let mut sums = vec![block.rows() as f64, block.weight(), squared];
            sums.extend(apart.iter().map(|apart| block.weight() * apart));
            for row in 0..block.width() {
                for column in row..block.width() {
                    sums.push(block.comoment(row, column) + block.weight() * apart[row] * apart[column]);
                }
            }
            sums
        });
        Self { width: total.width(), centre: total.means().to_vec(), blocks: sums.collect() }
    }

    fn draw(&self, random: &mut Random) -> Moments {
        let mut times = vec![0u32; self.blocks.len()];
        for _ in 0..self.blocks.len() {
            times[random.below(self.blocks.len())] += 1;
        }
        let mut sums = vec![0.0; SUMS + self.width + packed_len(self.width)];
        for (block, &times) in self.blocks.iter().zip(&times).filter(|(_, times)| **times > 0) {
            let times = f64::from(times);
            sums.iter_mut().zip(block).for_each(|(sum, own)| *sum += times * own);
        }
        self.moments(&sums)
    }

    fn moments(&self, sums: &[f64]) -> Moments {
        let mut moments = Moments::new(self.width);
        let weight = sums[1];
        let (columns, products) = sums[SUMS..].split_at(self.width);
        let means: Vec<f64> =
            columns.iter().zip(&self.centre).map(|(sum, centre)| centre + sum / weight).collect();
        let mut comoments = products.to_vec();
        for row in 0..self.width {
            for column in row..self.width {
                comoments[packed(self.width, row, column)] -= columns[row] * columns[column] / weight;
            }
        }
        moments.absorb(sums[0] as u64, weight, sums[2], &means, &comoments);
        moments
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    /// Evenly distributed below `limit`, which is far below 2³².
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((u128::from(mix(self.0)) * limit as u128) >> 64) as usize
    }
}

/// Every bit of the result depends on every bit of `value`: the finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
