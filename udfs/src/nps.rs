//! Net Promoter Score: `nps` with `nps_low`, `nps_high`, `nps_n`, `nps_n_eff` and `nps_out`, and `nps_category`.
//!
//! On the 0–10 scale 9 and 10 are promoters, 7 and 8 passives, 0–6 detractors; other breaks are arguments. With
//! weighted shares p and d of promoters and detractors, NPS = 100 (p − d). The interval is the adjusted Wald interval
//! of Rocks (2016), *Interval estimation for the net promoter score*, The American Statistician 70(4): add ¾, 1½ and ¾
//! to the detractors, passives and promoters, then NPS ± z·100·√((p + d − (p − d)²)/n), cut to −100..100, where n is
//! Kish's effective number of answers.
//!
//! NULL and answers that are not a whole number on the scale are left out; `nps_out` counts the latter. A group without
//! a valid answer has no score: NULL, and `nps_n` is 0. Answers on two scales have no common score: an error.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::aggregate::{self, Kernel, Output};
use crate::answers::{Answers, checked_weight};
use crate::entry::{Definition, Entry};
use crate::normal;
use crate::scalar::{self, Columns, number};

const SECTION: &str = "Customer experience scores";

const NPS: Definition = Definition {
    name: "nps",
    arguments: "score [, weight, lowest, detractors_to, passives_to, highest]",
    returns: "double precision",
    volatility: Volatility::Immutable,
    description: "Net Promoter Score: percentage of promoters (9-10) minus percentage of detractors (0-6) of answers on the \
                  0-10 scale. NULL and answers off the scale are left out. weight says how many customers an answer stands \
                  for; lowest, detractors_to, passives_to and highest are the breaks of another scale, 0, 6, 8 and 10 \
                  unless given.",
    example: "SELECT nps(score) FROM (VALUES (10), (9), (8), (3), (NULL), (99)) AS t(score)",
    example_result: "25.0",
};

const NPS_LOW: Definition = Definition {
    name: "nps_low",
    arguments: "score [, conf, weight, lowest, detractors_to, passives_to, highest]",
    description: "Lower end of the confidence interval of the Net Promoter Score (adjusted Wald, cut to -100..100, at the \
                  effective number of answers). conf is the confidence level, 0.95 unless given; weight, lowest, \
                  detractors_to, passives_to and highest are as in nps.",
    example: "SELECT round(nps_low(score), 4) FROM (VALUES (10), (9), (9), (8), (7), (3)) AS t(score)",
    example_result: "-26.7433",
    ..NPS
};

const NPS_HIGH: Definition = Definition {
    name: "nps_high",
    description: "Upper end of the confidence interval of the Net Promoter Score (adjusted Wald, cut to -100..100, at the \
                  effective number of answers). conf is the confidence level, 0.95 unless given; weight, lowest, \
                  detractors_to, passives_to and highest are as in nps.",
    example: "SELECT round(nps_high(score), 4) FROM (VALUES (10), (9), (9), (8), (7), (3)) AS t(score)",
    example_result: "71.1877",
    ..NPS_LOW
};

const NPS_N: Definition = Definition {
    name: "nps_n",
    returns: "bigint",
    description: "Number of answers that count towards the Net Promoter Score: whole numbers on the scale whose weight is \
                  not 0. weight, lowest, detractors_to, passives_to and highest are as in nps.",
    example: "SELECT nps_n(score) FROM (VALUES (10), (8), (3), (NULL), (99)) AS t(score)",
    example_result: "3",
    ..NPS
};

const NPS_N_EFF: Definition = Definition {
    name: "nps_n_eff",
    description: "Effective number of answers of the Net Promoter Score (Kish): as many unweighted answers would have an \
                  interval as wide. weight, lowest, detractors_to, passives_to and highest are as in nps.",
    example: "SELECT round(nps_n_eff(score, weight), 4) FROM (VALUES (10, 1), (8, 2), (3, 5), (9, 3)) AS t(score, weight)",
    example_result: "3.1026",
    ..NPS
};

const NPS_OUT: Definition = Definition {
    name: "nps_out",
    returns: "bigint",
    description: "Number of answers left out of the Net Promoter Score because they are not a whole number on the scale; \
                  NULL is no answer. weight, lowest, detractors_to, passives_to and highest are as in nps.",
    example: "SELECT nps_out(score) FROM (VALUES (10), (8), (3), (NULL), (99)) AS t(score)",
    example_result: "1",
    ..NPS
};

const NPS_CATEGORY: Definition = Definition {
    name: "nps_category",
    arguments: "score",
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
        aggregate::entry(NPS_N_EFF, SECTION, Output::Value(NpsCounts::effective)),
        aggregate::entry(NPS_OUT, SECTION, Output::Count(NpsCounts::out)),
        scalar::entry(NPS_CATEGORY, &[number()], 0, DataType::Utf8, SECTION, run_category),
    ]
}

fn run_category(columns: &Columns) -> Result<ArrayRef> {
    let scores = columns.number(0)?;
    let name = |row| Breaks::USUAL.category(scores.get(row)?).map(Category::as_str);
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
    fn as_str(self) -> &'static str {
        match self {
            Category::Detractor => "detractor",
            Category::Passive => "passive",
            Category::Promoter => "promoter",
        }
    }
}

/// A scale and what its grades mean.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Breaks {
    lowest: f64,
    detractors_to: f64,
    passives_to: f64,
    highest: f64,
}

impl Breaks {
    const USUAL: Self = Self { lowest: 0.0, detractors_to: 6.0, passives_to: 8.0, highest: 10.0 };

    /// `None` for what is not a whole number on the scale.
    fn category(&self, score: f64) -> Option<Category> {
        if score.fract() != 0.0 || !(self.lowest..=self.highest).contains(&score) {
            return None;
        }
        Some(if score > self.passives_to {
            Category::Promoter
        } else if score > self.detractors_to {
            Category::Passive
        } else {
            Category::Detractor
        })
    }

    fn check(self) -> Result<Self, Error> {
        let Self { lowest, detractors_to, passives_to, highest } = self;
        let whole = [lowest, detractors_to, passives_to, highest].iter().all(|grade| grade.fract() == 0.0);
        if whole && lowest <= detractors_to && detractors_to <= passives_to && passives_to < highest {
            return Ok(self);
        }
        let message = format!(
            "breaks {lowest}, {detractors_to}, {passives_to}, {highest} of a score do not make a scale"
        );
        Err(Error::invalid_argument(message).with_hint(
            "Give the lowest grade, the best grade of a detractor, that of a passive and the highest grade, such as 1, 3, 4, 5.",
        ))
    }
}

/// Answers by category.
#[derive(Debug, Clone, Copy, PartialEq)]
struct NpsCounts {
    detractors: Answers,
    passives: Answers,
    promoters: Answers,
    /// Answers off the scale.
    out: f64,
    /// Rows that were added.
    rows: f64,
    breaks: Breaks,
}

impl Default for NpsCounts {
    fn default() -> Self {
        let none = Answers::default();
        Self { detractors: none, passives: none, promoters: none, out: 0.0, rows: 0.0, breaks: Breaks::USUAL }
    }
}

impl NpsCounts {
    fn total(&self) -> Answers {
        self.detractors.plus(self.passives).plus(self.promoters)
    }

    fn answers(&self) -> i64 {
        self.total().n as i64
    }

    fn out(&self) -> i64 {
        self.out as i64
    }

    fn effective(&self) -> Option<f64> {
        let total = self.total();
        (total.n > 0.0).then(|| total.effective())
    }

    fn score(&self) -> Option<f64> {
        let total = self.total();
        (total.n > 0.0).then(|| 100.0 * (self.promoters.weight - self.detractors.weight) / total.weight)
    }

    /// Adjusted Wald interval at confidence level `conf`.
    fn interval(&self, conf: f64) -> Option<(f64, f64)> {
        let total = self.total();
        if total.n <= 0.0 {
            return None;
        }
        let scale = total.effective() / total.weight;
        let n = total.effective() + 3.0;
        let promoters = (self.promoters.weight * scale + 0.75) / n;
        let detractors = (self.detractors.weight * scale + 0.75) / n;
        let net = promoters - detractors;
        let variance = promoters + detractors - net * net;
        let half = normal::two_sided(conf) * (variance / n).sqrt();
        Some(((100.0 * (net - half)).max(-100.0), (100.0 * (net + half)).min(100.0)))
    }

    fn low(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(low, _)| low)
    }

    fn high(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(_, high)| high)
    }

    fn count(&mut self, row: &[f64], by: f64) -> Result<(), Error> {
        let &[score, weight, lowest, detractors_to, passives_to, highest] = row else {
            return Err(Error::internal("a score is counted without its arguments"));
        };
        let weight = checked_weight(weight)?;
        self.agree(Breaks { lowest, detractors_to, passives_to, highest })?;
        self.rows += by;
        match self.breaks.category(score) {
            Some(Category::Detractor) => self.detractors.count(weight, by),
            Some(Category::Passive) => self.passives.count(weight, by),
            Some(Category::Promoter) => self.promoters.count(weight, by),
            None => self.out += by,
        }
        Ok(())
    }

    /// Answers of other breaks are not counted together.
    fn agree(&mut self, breaks: Breaks) -> Result<(), Error> {
        if breaks == self.breaks {
            return Ok(());
        }
        let breaks = breaks.check()?;
        if self.rows > 0.0 {
            let scale = |breaks: Breaks| format!("{} to {}", breaks.lowest, breaks.highest);
            return Err(Error::invalid_argument(format!(
                "answers on a scale of {} and of {} have no common score",
                scale(self.breaks),
                scale(breaks)
            ))
            .with_hint("Group by the scale."));
        }
        self.breaks = breaks;
        Ok(())
    }
}

impl Kernel<15> for NpsCounts {
    const STATE: [&'static str; 15] = [
        "detractors",
        "detractors_weight",
        "detractors_squares",
        "passives",
        "passives_weight",
        "passives_squares",
        "promoters",
        "promoters_weight",
        "promoters_squares",
        "out",
        "rows",
        "lowest",
        "detractors_to",
        "passives_to",
        "highest",
    ];
    const COLUMNS: usize = 1;
    const OPTIONAL: &'static [f64] = &[
        1.0,
        Breaks::USUAL.lowest,
        Breaks::USUAL.detractors_to,
        Breaks::USUAL.passives_to,
        Breaks::USUAL.highest,
    ];

    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row, 1.0)
    }

    fn remove(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row, -1.0)
    }

    fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if other.rows > 0.0 {
            self.agree(other.breaks)?;
        }
        self.detractors = self.detractors.plus(other.detractors);
        self.passives = self.passives.plus(other.passives);
        self.promoters = self.promoters.plus(other.promoters);
        self.out += other.out;
        self.rows += other.rows;
        Ok(())
    }

    fn save(&self) -> [f64; 15] {
        let Breaks { lowest, detractors_to, passives_to, highest } = self.breaks;
        let [d, dw, ds] = self.detractors.save();
        let [a, aw, a_s] = self.passives.save();
        let [p, pw, ps] = self.promoters.save();
        [d, dw, ds, a, aw, a_s, p, pw, ps, self.out, self.rows, lowest, detractors_to, passives_to, highest]
    }

    fn load(state: [f64; 15]) -> Self {
        let [d, dw, ds, a, aw, a_s, p, pw, ps, out, rows, lowest, detractors_to, passives_to, highest] =
            state;
        Self {
            detractors: Answers::load([d, dw, ds]),
            passives: Answers::load([a, aw, a_s]),
            promoters: Answers::load([p, pw, ps]),
            out,
            rows,
            breaks: Breaks { lowest, detractors_to, passives_to, highest },
        }
    }
}

#[cfg(test)]
mod tests;
