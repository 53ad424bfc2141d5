//! Quantiles of numbers: exact while there are few, then from a sketch of sorted buffers that are halved when they
//! are full (Munro and Paterson 1980): a value of level `n` stands for 2ⁿ values.

use serde_json::{Value, json};

/// Values of a level.
const BUFFER: usize = 4_096;

#[derive(Debug, Clone, Default)]
pub(super) struct Quantiles {
    levels: Vec<Vec<f64>>,
    /// Which half stays, in turn, so that no end is favoured.
    keeps_second: bool,
}

impl Quantiles {
    pub(super) fn add(&mut self, value: f64) {
        self.put(0, value);
        self.compact(0);
    }

    fn put(&mut self, level: usize, value: f64) {
        while self.levels.len() <= level {
            self.levels.push(Vec::new());
        }
        self.levels[level].push(value);
    }

    /// Halves full levels from this one on.
    fn compact(&mut self, mut level: usize) {
        while self.levels.get(level).is_some_and(|values| values.len() > BUFFER) {
            let mut full = std::mem::take(&mut self.levels[level]);
            full.sort_unstable_by(f64::total_cmp);
            // Of an odd number the last one stays.
            if full.len() % 2 == 1
                && let Some(last) = full.pop()
            {
                self.levels[level].push(last);
            }
            let first = usize::from(self.keeps_second);
            self.keeps_second = !self.keeps_second;
            full.into_iter().skip(first).step_by(2).for_each(|value| self.put(level + 1, value));
            level += 1;
        }
    }

    /// The values below which these shares of all values lie; between two values it is interpolated.
    pub(super) fn at(&self, shares: &[f64]) -> Vec<Option<f64>> {
        let mut weighted: Vec<(f64, f64)> = Vec::new();
        for (level, values) in self.levels.iter().enumerate() {
            let weight = (level as f64).exp2();
            weighted.extend(values.iter().map(|value| (*value, weight)));
        }
        weighted.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
        shares.iter().map(|share| quantile(&weighted, total, *share)).collect()
    }

    pub(super) fn save(&self) -> Value {
        let bits = |values: &Vec<f64>| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        json!(self.levels.iter().map(bits).collect::<Vec<_>>())
    }

    pub(super) fn merge(&mut self, saved: &Value) -> Option<()> {
        for (level, values) in saved.as_array()?.iter().enumerate() {
            for value in values.as_array()? {
                self.put(level, f64::from_bits(value.as_u64()?));
            }
            self.compact(level);
        }
        Some(())
    }

    pub(super) fn size(&self) -> usize {
        self.levels.iter().map(|values| values.capacity() * size_of::<f64>()).sum()
    }
}

/// As `percentile_cont`, over values that stand for several: the position is that of the middle of what they stand for.
fn quantile(weighted: &[(f64, f64)], total: f64, share: f64) -> Option<f64> {
    let position = share * (total - 1.0);
    let mut before = 0.0;
    let mut last: Option<(f64, f64)> = None;
    for (value, weight) in weighted {
        let middle = before + (weight - 1.0) / 2.0;
        if middle >= position {
            return Some(match last {
                Some((earlier, at)) if middle > at => {
                    earlier + (value - earlier) * (position - at) / (middle - at)
                }
                _ => *value,
            });
        }
        last = Some((*value, middle));
        before += weight;
    }
    last.map(|(value, _)| value)
}
