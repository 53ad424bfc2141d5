//! Customer satisfaction: `csat`, `csat_low`, `csat_high`.
//!
//! The percentage of answers in the two best grades of a scale 1..`scale_max`, with Wilson's interval of
//! that share. NULL and answers that are not a whole number on the scale are left out; a group without a
//! valid answer gives NULL. `scale_max` may differ by row. A `scale_max` that is not a whole number of at
//! least 3 is an error, because two best grades would not set anything apart.

use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::aggregate::{self, Kernel, Output};
use crate::entry::{Definition, Entry};
use crate::wilson;

const SECTION: &str = "Customer experience scores";

const CSAT: Definition = Definition {
    name: "csat",
    arguments: "score, scale_max",
    returns: "double precision",
    volatility: Volatility::Immutable,
    description: "Customer satisfaction: percentage of answers in the two best grades of the scale \
                  1..scale_max. NULL and answers off the scale are left out.",
    example: "SELECT csat(score, 5) FROM (VALUES (5), (5), (4), (3), (NULL), (0)) AS t(score)",
    example_result: "75.0",
};

const CSAT_LOW: Definition = Definition {
    name: "csat_low",
    arguments: "score, scale_max [, conf]",
    description: "Lower end of the confidence interval of csat (Wilson). conf is the confidence level, 0.95 \
                  unless given.",
    example: "SELECT round(csat_low(score, 5), 4) FROM (VALUES (5), (5), (4), (3)) AS t(score)",
    example_result: "30.0642",
    ..CSAT
};

const CSAT_HIGH: Definition = Definition {
    name: "csat_high",
    description: "Upper end of the confidence interval of csat (Wilson). conf is the confidence level, 0.95 \
                  unless given.",
    example: "SELECT round(csat_high(score, 5), 4) FROM (VALUES (5), (5), (4), (3)) AS t(score)",
    example_result: "95.4413",
    ..CSAT_LOW
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        aggregate::entry(CSAT, SECTION, Output::Value(CsatCounts::percentage)),
        aggregate::entry(CSAT_LOW, SECTION, Output::Bound(CsatCounts::low)),
        aggregate::entry(CSAT_HIGH, SECTION, Output::Bound(CsatCounts::high)),
    ]
}

/// Answers, and those of them in the two best grades.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct CsatCounts {
    top: f64,
    answers: f64,
}

impl CsatCounts {
    fn percentage(&self) -> Option<f64> {
        (self.answers > 0.0).then(|| 100.0 * self.top / self.answers)
    }

    fn interval(&self, conf: f64) -> Option<(f64, f64)> {
        if self.answers <= 0.0 {
            return None;
        }
        let (low, high) = wilson::interval(self.top, self.answers, conf);
        Some((100.0 * low, 100.0 * high))
    }

    fn low(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(low, _)| low)
    }

    fn high(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(_, high)| high)
    }

    fn count(&mut self, score: f64, scale_max: f64, by: f64) -> Result<(), Error> {
        if scale_max.fract() != 0.0 || !(3.0..=1e6).contains(&scale_max) {
            let message = format!("scale_max {scale_max} is not a whole number of at least 3");
            return Err(Error::invalid_argument(message)
                .with_hint("Give the best grade of the scale, such as 5 for 1 to 5."));
        }
        if score.fract() == 0.0 && (1.0..=scale_max).contains(&score) {
            self.answers += by;
            if score >= scale_max - 1.0 {
                self.top += by;
            }
        }
        Ok(())
    }
}

impl Kernel<2> for CsatCounts {
    const STATE: [&'static str; 2] = ["top", "answers"];
    const COLUMNS: usize = 2;

    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row[0], row[1], 1.0)
    }

    fn remove(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row[0], row[1], -1.0)
    }

    fn merge(&mut self, other: &Self) {
        self.top += other.top;
        self.answers += other.answers;
    }

    fn save(&self) -> [f64; 2] {
        [self.top, self.answers]
    }

    fn load([top, answers]: [f64; 2]) -> Self {
        Self { top, answers }
    }
}

#[cfg(test)]
mod tests;
