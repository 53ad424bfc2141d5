//! Survey weights by raking (iterative proportional fitting).
//!
//! Each dimension's weights are scaled in turn until the weighted share of every category equals its target:
//! Deming and Stephan (1940), Annals of Mathematical Statistics 11. Rows with the same categories have the
//! same weight, so the fit runs over distinct combinations and its state is their counts. Weights average 1.
//! With `trim` t, weights are cut to 1/t..t after a fit and the fit repeated, until both hold or the rounds
//! end.

use std::collections::BTreeMap;
use std::mem::size_of;

use crate::inference::bytes::{Reader, Writer};
use crate::inference::{Invalid, finite};

/// A category's code within its dimension: its position in the dimension's targets.
pub(crate) type Category = u32;

/// Counts of combinations of categories, one category a dimension.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Combinations {
    counts: BTreeMap<Vec<Category>, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    /// The largest weight, and the inverse of the smallest; `None` leaves weights free.
    pub(crate) trim: Option<f64>,
    /// Largest accepted difference between a weighted share and its target.
    pub(crate) tolerance: f64,
    pub(crate) max_rounds: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { trim: None, tolerance: 1e-9, max_rounds: 1000 }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raked {
    /// The weight of a row with these categories.
    pub(crate) weights: BTreeMap<Vec<Category>, f64>,
    pub(crate) rounds: usize,
    /// The largest difference left between a weighted share and its target.
    pub(crate) error: f64,
    /// Whether `error` is within the tolerance. Trimming can make the targets unreachable.
    pub(crate) converged: bool,
    pub(crate) n_effective: f64,
}

impl Combinations {
    /// Counts a row. Refuses a row of another number of dimensions.
    pub(crate) fn update(&mut self, categories: &[Category]) -> Result<(), Invalid> {
        self.add(categories, 1)
    }

    fn add(&mut self, categories: &[Category], by: u64) -> Result<(), Invalid> {
        if let Some((other, _)) = self.counts.first_key_value()
            && other.len() != categories.len()
        {
            return Err(Invalid::new("row has another number of dimensions than the rows before it"));
        }
        if let Some(count) = self.counts.get_mut(categories) {
            *count += by;
        } else {
            self.counts.insert(categories.to_vec(), by);
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Invalid> {
        other.counts.iter().try_for_each(|(categories, count)| self.add(categories, *count))
    }

    /// Weights whose margins are `targets`: per dimension the share of each category, in any unit (shares are
    /// divided by their sum). `names` are the dimensions' names, for messages.
    pub(crate) fn rake(
        &self,
        targets: &[Vec<f64>],
        names: &[&str],
        options: Options,
    ) -> Result<Raked, Invalid> {
        let targets = self.checked_targets(targets, names)?;
        if let Some(trim) = options.trim
            && (trim.is_nan() || trim <= 1.0)
        {
            return Err(Invalid::new(format!("trim {trim} is not above 1"))
                .with_hint("The trim is the largest weight, such as 5."));
        }
        let mut fit = Fit::new(&self.counts, targets);
        let (mut rounds, mut error) = (0, fit.error());
        while error > options.tolerance && rounds < options.max_rounds {
            fit.scale();
            if let Some(trim) = options.trim {
                fit.trim(trim);
            }
            rounds += 1;
            error = fit.error();
        }
        Ok(Raked {
            rounds,
            error,
            converged: error <= options.tolerance,
            n_effective: fit.n_effective(),
            weights: self.counts.keys().cloned().zip(fit.weights).collect(),
        })
    }

    /// Targets that sum to 1, after the checks that each can be reached.
    fn checked_targets(&self, targets: &[Vec<f64>], names: &[&str]) -> Result<Vec<Vec<f64>>, Invalid> {
        let Some((first, _)) = self.counts.first_key_value() else {
            return Err(Invalid::new("there are no rows to weight"));
        };
        if first.len() != targets.len() || targets.is_empty() {
            return Err(Invalid::new(format!(
                "rows have {} dimensions and the targets {}",
                first.len(),
                targets.len()
            )));
        }
        let mut shares = Vec::with_capacity(targets.len());
        for (dimension, target) in targets.iter().enumerate() {
            let name = names.get(dimension).copied().unwrap_or("dimension");
            for share in target {
                if finite(*share, "target share")? < 0.0 {
                    return Err(Invalid::new(format!("target share {share} of {name} is negative")));
                }
            }
            let sum: f64 = target.iter().sum();
            if !(sum > 0.0 && sum.is_finite()) {
                return Err(Invalid::new(format!("target shares of {name} do not have a positive sum")));
            }
            self.check_reachable(dimension, name, target)?;
            shares.push(target.iter().map(|share| share / sum).collect());
        }
        Ok(shares)
    }

    fn check_reachable(&self, dimension: usize, name: &str, target: &[f64]) -> Result<(), Invalid> {
        let mut seen = vec![false; target.len()];
        for categories in self.counts.keys() {
            let code = categories.get(dimension).map_or(usize::MAX, |code| *code as usize);
            match seen.get_mut(code) {
                Some(seen) if target[code] > 0.0 => *seen = true,
                _ => {
                    return Err(Invalid::new(format!(
                        "category {code} of {name} has rows but no target share"
                    ))
                    .with_hint("Give it a share above zero, or leave its rows out."));
                }
            }
        }
        match (0..target.len()).find(|code| target[*code] > 0.0 && !seen[*code]) {
            None => Ok(()),
            Some(code) => {
                Err(Invalid::new(format!("category {code} of {name} has a target share but no rows"))
                    .with_hint("Join it with a category that has rows."))
            }
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(self.counts.len() as u64);
        for (categories, count) in &self.counts {
            writer.integer(categories.len() as u64);
            for category in categories {
                writer.integer(u64::from(*category));
            }
            writer.integer(*count);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut combinations = Self::default();
        for _ in 0..reader.length(16)? {
            let mut categories = Vec::new();
            for _ in 0..reader.length(8)? {
                let code = Category::try_from(reader.integer()?);
                categories.push(code.map_err(|_| Invalid::new("aggregate state is damaged"))?);
            }
            combinations.add(&categories, reader.integer()?)?;
        }
        reader.finish()?;
        Ok(combinations)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        let codes: usize = self.counts.keys().map(Vec::len).sum();
        size_of::<Self>() + codes * size_of::<Category>() + self.counts.len() * 40
    }
}

struct Fit {
    targets: Vec<Vec<f64>>,
    /// Categories of each combination.
    codes: Vec<Vec<Category>>,
    counts: Vec<f64>,
    weights: Vec<f64>,
}

impl Fit {
    fn new(counts: &BTreeMap<Vec<Category>, u64>, targets: Vec<Vec<f64>>) -> Self {
        Self {
            targets,
            codes: counts.keys().cloned().collect(),
            counts: counts.values().map(|count| *count as f64).collect(),
            weights: vec![1.0; counts.len()],
        }
    }

    /// Weighted shares of the categories of one dimension.
    fn shares(&self, dimension: usize) -> Vec<f64> {
        let mut shares = vec![0.0; self.targets[dimension].len()];
        for ((codes, count), weight) in self.codes.iter().zip(&self.counts).zip(&self.weights) {
            shares[codes[dimension] as usize] += count * weight;
        }
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        shares
    }

    /// One round: every dimension once, then weights that average 1.
    fn scale(&mut self) {
        for dimension in 0..self.targets.len() {
            let shares = self.shares(dimension);
            for (codes, weight) in self.codes.iter().zip(&mut self.weights) {
                let code = codes[dimension] as usize;
                *weight *= self.targets[dimension][code] / shares[code];
            }
        }
        self.centre();
    }

    /// Cuts the weights, and again after averaging has moved them over the edge.
    fn trim(&mut self, trim: f64) {
        for _ in 0..100 {
            let outside = self.weights.iter().any(|w| *w > trim * (1.0 + 1e-9) || *w * trim < 1.0 - 1e-9);
            if !outside {
                return;
            }
            self.weights.iter_mut().for_each(|weight| *weight = weight.clamp(1.0 / trim, trim));
            self.centre();
        }
    }

    fn centre(&mut self) {
        let rows: f64 = self.counts.iter().sum();
        let sum: f64 = self.counts.iter().zip(&self.weights).map(|(count, weight)| count * weight).sum();
        self.weights.iter_mut().for_each(|weight| *weight *= rows / sum);
    }

    fn error(&self) -> f64 {
        let gap = |dimension: usize| {
            let shares = self.shares(dimension);
            let gaps =
                shares.iter().zip(&self.targets[dimension]).map(|(share, target)| (share - target).abs());
            gaps.fold(0.0, f64::max)
        };
        (0..self.targets.len()).map(gap).fold(0.0, f64::max)
    }

    fn n_effective(&self) -> f64 {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (count, weight) in self.counts.iter().zip(&self.weights) {
            sum += count * weight;
            squares += count * weight * weight;
        }
        sum * sum / squares
    }
}
