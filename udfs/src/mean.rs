//! Confidence interval of a mean: `mean_low`, `mean_high`.
//!
//! Student's interval x̄ ± t(1 − α/2; n − 1) · s/√n with the sample standard deviation s. NULLs are left out.
//! Fewer than two values have no interval: NULL. A NaN or infinite value makes both ends NaN.
//!
//! Sums of squares are updated by Welford (1962) and merged by Chan, Golub and LeVeque (1979).

use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::aggregate::{self, Kernel, Output};
use crate::entry::{Definition, Entry};
use crate::student;

const SECTION: &str = "Statistics";

const MEAN_LOW: Definition = Definition {
    name: "mean_low",
    arguments: "x [, conf]",
    returns: "double precision",
    volatility: Volatility::Immutable,
    description: "Lower end of the confidence interval of a mean (Student). conf is the confidence level, \
                  0.95 unless given. NULL for fewer than two values.",
    example: "SELECT round(mean_low(x), 4) FROM (VALUES (2), (4), (4), (4), (5), (5), (7), (9)) AS t(x)",
    example_result: "3.2125",
};

const MEAN_HIGH: Definition = Definition {
    name: "mean_high",
    description: "Upper end of the confidence interval of a mean (Student). conf is the confidence level, \
                  0.95 unless given. NULL for fewer than two values.",
    example: "SELECT round(mean_high(x), 4) FROM (VALUES (2), (4), (4), (4), (5), (5), (7), (9)) AS t(x)",
    example_result: "6.7875",
    ..MEAN_LOW
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        aggregate::entry(MEAN_LOW, SECTION, Output::Bound(Moments::low)),
        aggregate::entry(MEAN_HIGH, SECTION, Output::Bound(Moments::high)),
    ]
}

/// Count, mean and sum of squared deviations of the finite values, and how many values were not finite.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
    not_finite: f64,
}

impl Moments {
    fn interval(&self, conf: f64) -> Option<(f64, f64)> {
        if self.n + self.not_finite < 2.0 {
            return None;
        }
        if self.not_finite > 0.0 {
            return Some((f64::NAN, f64::NAN));
        }
        let std_error = (self.squares / (self.n - 1.0) / self.n).sqrt();
        let half = student::two_sided(conf, self.n - 1.0) * std_error;
        Some((self.mean - half, self.mean + half))
    }

    fn low(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(low, _)| low)
    }

    fn high(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(_, high)| high)
    }
}

impl Kernel<4> for Moments {
    const STATE: [&'static str; 4] = ["n", "mean", "squares", "not_finite"];
    const COLUMNS: usize = 1;

    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        let x = row[0];
        if !x.is_finite() {
            self.not_finite += 1.0;
            return Ok(());
        }
        self.n += 1.0;
        let before = x - self.mean;
        self.mean += before / self.n;
        self.squares += before * (x - self.mean);
        Ok(())
    }

    fn remove(&mut self, row: &[f64]) -> Result<(), Error> {
        let x = row[0];
        if !x.is_finite() {
            self.not_finite -= 1.0;
            return Ok(());
        }
        if self.n <= 1.0 {
            *self = Self { not_finite: self.not_finite, ..Self::default() };
            return Ok(());
        }
        let after = x - self.mean;
        self.n -= 1.0;
        self.mean -= after / self.n;
        self.squares = (self.squares - after * (x - self.mean)).max(0.0);
        Ok(())
    }

    fn merge(&mut self, other: &Self) -> Result<(), Error> {
        self.not_finite += other.not_finite;
        if other.n == 0.0 {
            return Ok(());
        }
        let n = self.n + other.n;
        let between = other.mean - self.mean;
        self.mean += between * other.n / n;
        self.squares += other.squares + between * between * (self.n * other.n / n);
        self.n = n;
        Ok(())
    }

    fn save(&self) -> [f64; 4] {
        [self.n, self.mean, self.squares, self.not_finite]
    }

    fn load([n, mean, squares, not_finite]: [f64; 4]) -> Self {
        Self { n, mean, squares, not_finite }
    }
}

#[cfg(test)]
mod tests;
