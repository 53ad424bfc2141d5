//! Net Promoter Score: `nps`, `nps_low`, `nps_high`, `nps_n`, `nps_category`.
//!
//! On the 0–10 scale 9 and 10 are promoters, 7 and 8 passives, 0–6 detractors. With shares p and d of
//! promoters and detractors among n answers, NPS = 100 (p − d). The interval is the adjusted Wald interval
//! of Rocks (2016), *Interval estimation for the net promoter score*, The American Statistician 70(4): add
//! ¾, 1½ and ¾ to the detractors, passives and promoters, then NPS ± z·100·√((p + d − (p − d)²)/n), cut to
//! −100..100.
//!
//! NULL and answers that are not a whole number from 0 to 10 are left out, not counted as anything. A group
//! without a valid answer has no score: NULL, and `nps_n` is 0.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::aggregate::{self, Kernel, Output};
use crate::entry::{Definition, Entry};
use crate::normal;
use crate::scalar::{self, Columns, number};

const SECTION: &str = "Customer experience scores";

const NPS: Definition = Definition {
    name: "nps",
    arguments: "score",
    returns: "double precision",
    volatility: Volatility::Immutable,
    description: "Net Promoter Score of answers on the 0-10 scale: percentage of promoters (9-10) minus \
                  percentage of detractors (0-6). NULL and answers off the scale are left out.",
    example: "SELECT nps(score) FROM (VALUES (10), (9), (8), (3), (NULL), (99)) AS t(score)",
    example_result: "25.0",
};

const NPS_LOW: Definition = Definition {
    name: "nps_low",
    arguments: "score [, conf]",
    description: "Lower end of the confidence interval of the Net Promoter Score (adjusted Wald, cut to \
                  -100..100). conf is the confidence level, 0.95 unless given.",
    example: "SELECT round(nps_low(score), 4) FROM (VALUES (10), (9), (9), (8), (7), (3)) AS t(score)",
    example_result: "-26.7433",
    ..NPS
};

const NPS_HIGH: Definition = Definition {
    name: "nps_high",
    description: "Upper end of the confidence interval of the Net Promoter Score (adjusted Wald, cut to \
                  -100..100). conf is the confidence level, 0.95 unless given.",
    example: "SELECT round(nps_high(score), 4) FROM (VALUES (10), (9), (9), (8), (7), (3)) AS t(score)",
    example_result: "71.1877",
    ..NPS_LOW
};

const NPS_N: Definition = Definition {
    name: "nps_n",
    returns: "bigint",
    description: "Number of answers that count towards the Net Promoter Score: whole numbers from 0 to 10.",
    example: "SELECT nps_n(score) FROM (VALUES (10), (8), (3), (NULL), (99)) AS t(score)",
    example_result: "3",
    ..NPS
};

const NPS_CATEGORY: Definition = Definition {
    name: "nps_category",
    returns: "text",
    description: "What an answer on the 0-10 scale makes of a customer: promoter, passive or detractor. NULL \
                  for an answer off the scale.",
    example: "SELECT nps_category(10), nps_category(7), nps_category(6), nps_category(11)",
    example_result: "promoter|passive|detractor|",
    ..NPS
};

pub(crate) fn entries() -> Vec<Entry> {
    vec![
        aggregate::entry(NPS, SECTION, Output::Value(NpsCounts::score)),
        aggregate::entry(NPS_LOW, SECTION, Output::Bound(NpsCounts::low)),
        aggregate::entry(NPS_HIGH, SECTION, Output::Bound(NpsCounts::high)),
        aggregate::entry(NPS_N, SECTION, Output::Count(NpsCounts::answers)),
        scalar::entry(NPS_CATEGORY, &[number()], 0, DataType::Utf8, SECTION, run_category),
    ]
}

fn run_category(columns: &Columns) -> Result<ArrayRef> {
    let scores = columns.number(0)?;
    let name = |row| Category::of(scores.get(row)?).map(Category::as_str);
    Ok(Arc::new((0..columns.rows()).map(name).collect::<StringArray>()))
}

/// What an answer makes of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Category {
    Detractor,
    Passive,
    Promoter,
}

impl Category {
    /// `None` for what is not a whole number from 0 to 10.
    fn of(score: f64) -> Option<Self> {
        if score.fract() != 0.0 || !(0.0..=10.0).contains(&score) {
            return None;
        }
        Some(if score >= 9.0 {
            Category::Promoter
        } else if score >= 7.0 {
            Category::Passive
        } else {
            Category::Detractor
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Category::Detractor => "detractor",
            Category::Passive => "passive",
            Category::Promoter => "promoter",
        }
    }
}

/// Answers by category.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct NpsCounts {
    detractors: f64,
    passives: f64,
    promoters: f64,
}

impl NpsCounts {
    fn total(&self) -> f64 {
        self.detractors + self.passives + self.promoters
    }

    fn answers(&self) -> i64 {
        self.total() as i64
    }

    fn score(&self) -> Option<f64> {
        let n = self.total();
        (n > 0.0).then(|| 100.0 * (self.promoters - self.detractors) / n)
    }

    /// Adjusted Wald interval at confidence level `conf`.
    fn interval(&self, conf: f64) -> Option<(f64, f64)> {
        if self.total() <= 0.0 {
            return None;
        }
        let adjusted = Self {
            detractors: self.detractors + 0.75,
            passives: self.passives + 1.5,
            promoters: self.promoters + 0.75,
        };
        let n = adjusted.total();
        let net = (adjusted.promoters - adjusted.detractors) / n;
        let variance = (adjusted.promoters + adjusted.detractors) / n - net * net;
        let half = normal::two_sided(conf) * (variance / n).sqrt();
        Some(((100.0 * (net - half)).max(-100.0), (100.0 * (net + half)).min(100.0)))
    }

    fn low(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(low, _)| low)
    }

    fn high(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(_, high)| high)
    }

    fn count(&mut self, score: f64, by: f64) {
        match Category::of(score) {
            Some(Category::Detractor) => self.detractors += by,
            Some(Category::Passive) => self.passives += by,
            Some(Category::Promoter) => self.promoters += by,
            None => {}
        }
    }
}

impl Kernel<3> for NpsCounts {
    const STATE: [&'static str; 3] = ["detractors", "passives", "promoters"];
    const COLUMNS: usize = 1;

    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row[0], 1.0);
        Ok(())
    }

    fn remove(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row[0], -1.0);
        Ok(())
    }

    fn merge(&mut self, other: &Self) {
        self.detractors += other.detractors;
        self.passives += other.passives;
        self.promoters += other.promoters;
    }

    fn save(&self) -> [f64; 3] {
        [self.detractors, self.passives, self.promoters]
    }

    fn load([detractors, passives, promoters]: [f64; 3]) -> Self {
        Self { detractors, passives, promoters }
    }
}

#[cfg(test)]
mod tests;
