//! Numbers for tests, from a seed.

use super::batch::Batch;
use super::term::Term;

/// SplitMix64.
pub(super) struct Generator(pub(super) u64);

impl Generator {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.uniform() * limit as f64) as usize
    }

    /// Standard normal, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for end in (1..values.len()).rev() {
            let other = self.below(end + 1);
            values.swap(end, other);
        }
    }
}

/// Columns that own their values.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) columns: Vec<Vec<f64>>,
}

impl Table {
    /// `rows` rows of an outcome and `predictors` correlated predictors, each with an effect.
    pub(super) fn linear(seed: u64, rows: usize, predictors: usize) -> Self {
        let mut random = Generator(seed);
        let mut columns = vec![Vec::with_capacity(rows); predictors + 1];
        for _ in 0..rows {
            let common = random.normal();
            let mut outcome = random.normal();
            for place in 0..predictors {
                let x = 0.6 * common + random.normal() + place as f64;
                outcome += x * (0.3 - 0.1 * place as f64);
                columns[place + 1].push(x);
            }
            columns[0].push(outcome);
        }
        Self { columns }
    }

    /// The same with an outcome of 0 or 1.
    pub(super) fn logistic(seed: u64, rows: usize, predictors: usize) -> Self {
        let mut table = Self::linear(seed, rows, predictors);
        let mut random = Generator(seed ^ 1);
        for y in &mut table.columns[0] {
            *y = f64::from(u8::from(random.uniform() < 1.0 / (1.0 + (-0.5 * *y).exp())));
        }
        table
    }

    /// Comma-separated numbers under a header.
    pub(super) fn parse(text: &str) -> Self {
        let mut columns = Vec::new();
        for line in text.lines().skip(1) {
            for (place, cell) in line.split(',').enumerate() {
                if columns.len() <= place {
                    columns.push(Vec::new());
                }
                columns[place].push(cell.parse().unwrap());
            }
        }
        Self { columns }
    }

    pub(super) fn rows(&self) -> usize {
        self.columns[0].len()
    }

    /// These columns, in this order.
    pub(super) fn pick(&self, places: &[usize]) -> Self {
        Self { columns: places.iter().map(|&place| self.columns[place].clone()).collect() }
    }

    /// These rows, in this order.
    pub(super) fn take(&self, rows: &[usize]) -> Self {
        let take = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect();
        Self { columns: self.columns.iter().map(take).collect() }
    }

    pub(super) fn shuffled(&self, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.rows()).collect();
        Generator(seed).shuffle(&mut order);
        self.take(&order)
    }

    pub(super) fn slices(&self) -> Vec<&[f64]> {
        self.columns.iter().map(Vec::as_slice).collect()
    }

    /// Calls `see` with all rows as one batch.
    pub(super) fn batch<T>(&self, weights: Option<&[f64]>, see: impl FnOnce(&Batch) -> T) -> T {
        see(&Batch { columns: &self.slices(), weights, valid: None })
    }
}

/// Whether `found` is `expected` up to a relative error; numbers below 1 in size count as 1.
pub(super) fn near(found: f64, expected: f64, error: f64) -> bool {
    (found - expected).abs() <= error * expected.abs().max(1.0) || found == expected
}

/// Whether `found` is `expected` up to a relative error.
pub(super) fn same_digits(found: f64, expected: f64, error: f64) -> bool {
    (found - expected).abs() <= error * expected.abs()
}

/// Reference figures, by case and name.
pub(super) struct Golden(&'static str);

pub(super) const EXPECTED: Golden = Golden(include_str!("../../golden/regression/expected.csv"));

pub(super) const TELCO: Golden = Golden(include_str!("../../golden/regression/telco_expected.csv"));

impl Golden {
    pub(super) fn row(&self, case: &str, name: &str) -> Vec<f64> {
        let prefix = format!("{case},{name},");
        let line = self.0.lines().find_map(|line| line.strip_prefix(&prefix));
        let line = line.unwrap_or_else(|| panic!("no reference for {case} {name}"));
        line.split(',').map(|cell| cell.parse().unwrap()).collect()
    }

    pub(super) fn figure(&self, case: &str, name: &str) -> f64 {
        self.row(case, name)[0]
    }

    /// Panics unless every term agrees with the reference up to a relative error of its numbers.
    pub(super) fn check_terms(&self, case: &str, terms: &[Term], error: f64) {
        for term in terms {
            let expected = self.row(case, &term.term);
            let found = [
                term.estimate,
                term.std_error,
                term.statistic.unwrap(),
                term.p_value.unwrap(),
                term.conf_low,
                term.conf_high,
            ];
            for (found, expected) in found.iter().zip(&expected) {
                assert!(same_digits(*found, *expected, error), "{case} {}: {found} {expected}", term.term);
            }
        }
    }
}

/// The simulated survey: nps, churned, stars, speed, price, staff, app, weight, cluster.
pub(super) fn survey() -> Table {
    Table::parse(include_str!("../../golden/regression/survey.csv"))
}

/// Columns of [`survey`].
pub(super) const NPS: usize = 0;
pub(super) const CHURNED: usize = 1;
pub(super) const STARS: usize = 2;
pub(super) const WEIGHT: usize = 7;
pub(super) const CLUSTER: usize = 8;

/// The predictors of [`survey`].
pub(super) const DRIVERS: [&str; 4] = ["speed", "price", "staff", "app"];

impl Table {
    /// One column of [`survey`] and its predictors.
    pub(super) fn outcome(&self, outcome: usize) -> Self {
        self.pick(&[outcome, 3, 4, 5, 6])
    }

    pub(super) fn clusters(&self) -> Vec<u64> {
        self.columns[CLUSTER].iter().map(|&cluster| cluster as u64).collect()
    }
}
