//! Shares of the best grades of a scale 1..`scale_max`: `csat`, `ces` and `top_box`, each with `_low`, `_high`, `_n`,
//! `_n_eff` and `_out`.
//!
//! Customer satisfaction is the percentage of answers in the two best grades, `top_box` in the best `top` grades.
//! Customer effort is the percentage above the middle of the scale (5 to 7 of 7, 4 and 5 of 5), for a question whose
//! best grade means the least effort. The interval is Wilson's, at Kish's effective number of answers.
//!
//! NULL and answers that are not a whole number on the scale are left out; `_out` counts the latter. A group without a
//! valid answer gives NULL. Answers on two scales have no common share: an error that names both.

use std::marker::PhantomData;

use datafusion::logical_expr::Volatility;
use voxhouse_engine::Error;

use crate::aggregate::{self, Kernel, Output};
use crate::answers::{Answers, checked_weight};
use crate::entry::{Definition, Entry};
use crate::wilson;

const SECTION: &str = "Customer experience scores";

/// The six functions of a family. `what` is what is computed; each function has an example with its result.
macro_rules! family {
    ($grades:ty, $columns:literal, $name:literal, $arguments:literal, $what:literal, $also:literal,
     [$($example:literal => $result:literal),+ $(,)?]) => {{
        const EXAMPLES: [(&str, &str); 6] = [$(($example, $result)),+];
        const BY_ROW: &str = concat!($arguments, " [, weight]");
        const WITH_CONF: &str = concat!($arguments, " [, conf, weight]");
        let definition = |place: usize, name, arguments, returns, description| Definition {
            name,
            arguments,
            returns,
            volatility: Volatility::Immutable,
            description,
            example: EXAMPLES[place].0,
            example_result: EXAMPLES[place].1,
        };
        let double = "double precision";
        vec![
            aggregate::entry(definition(0, $name, BY_ROW, double, concat!(
                $what, ". NULL and answers off the scale are left out; answers on two scales are an error. weight says how many \
                customers an answer stands for.", $also,
            )), SECTION, Output::Value(TopShare::<$grades, $columns>::percentage)),
            aggregate::entry(definition(1, concat!($name, "_low"), WITH_CONF, double, concat!(
                "Lower end of the confidence interval of ", $name, " (Wilson, at the effective number of answers). conf is the \
                confidence level, 0.95 unless given; weight is as in ", $name, ".",
            )), SECTION, Output::Bound(TopShare::<$grades, $columns>::low)),
            aggregate::entry(definition(2, concat!($name, "_high"), WITH_CONF, double, concat!(
                "Upper end of the confidence interval of ", $name, " (Wilson, at the effective number of answers). conf is the \
                confidence level, 0.95 unless given; weight is as in ", $name, ".",
            )), SECTION, Output::Bound(TopShare::<$grades, $columns>::high)),
            aggregate::entry(definition(3, concat!($name, "_n"), BY_ROW, "bigint", concat!(
                "Number of answers that count towards ", $name, ": whole numbers on the scale whose weight is not 0.",
            )), SECTION, Output::Count(TopShare::<$grades, $columns>::answers)),
            aggregate::entry(definition(4, concat!($name, "_n_eff"), BY_ROW, double, concat!(
                "Effective number of answers of ", $name, " (Kish): as many unweighted answers would have an interval as wide. \
                weight is as in ", $name, ".",
            )), SECTION, Output::Value(TopShare::<$grades, $columns>::effective)),
            aggregate::entry(definition(5, concat!($name, "_out"), BY_ROW, "bigint", concat!(
                "Number of answers left out of ", $name, " because they are not a whole number on the scale; NULL is no answer. \
                weight is as in ", $name, ".",
            )), SECTION, Output::Count(TopShare::<$grades, $columns>::out)),
        ]
    }};
}

pub(crate) fn entries() -> Vec<Entry> {
    [csat(), ces(), top_box()].into_iter().flatten().collect()
}

fn csat() -> Vec<Entry> {
    family!(Csat, 2, "csat", "score, scale_max",
    "Customer satisfaction: percentage of answers in the two best grades of the scale 1..scale_max", "", [
        "SELECT csat(score, 5) FROM (VALUES (5), (5), (4), (3), (NULL), (0)) AS t(score)" => "75.0",
        "SELECT round(csat_low(score, 5), 4) FROM (VALUES (5), (5), (4), (3)) AS t(score)" => "30.0642",
        "SELECT round(csat_high(score, 5), 4) FROM (VALUES (5), (5), (4), (3)) AS t(score)" => "95.4413",
        "SELECT csat_n(score, 5) FROM (VALUES (5), (5), (4), (3), (NULL), (0)) AS t(score)" => "4",
        "SELECT round(csat_n_eff(score, 5, weight), 4) FROM (VALUES (5, 1), (4, 2), (3, 5), (1, 3)) AS t(score, weight)" => "3.1026",
        "SELECT csat_out(score, 5) FROM (VALUES (5), (5), (4), (3), (NULL), (0)) AS t(score)" => "1",
    ])
}

fn ces() -> Vec<Entry> {
    family!(Ces, 2, "ces", "score, scale_max",
    "Customer effort: percentage of answers above the middle of the scale 1..scale_max, whose best grade means the least effort", "", [
        "SELECT ces(score, 7) FROM (VALUES (7), (5), (4), (1), (NULL), (8)) AS t(score)" => "50.0",
        "SELECT round(ces_low(score, 7), 4) FROM (VALUES (7), (5), (4), (1)) AS t(score)" => "15.0039",
        "SELECT round(ces_high(score, 7), 4) FROM (VALUES (7), (5), (4), (1)) AS t(score)" => "84.9961",
        "SELECT ces_n(score, 7) FROM (VALUES (7), (5), (4), (1), (NULL), (8)) AS t(score)" => "4",
        "SELECT round(ces_n_eff(score, 7, weight), 4) FROM (VALUES (7, 1), (5, 2), (4, 5), (1, 3)) AS t(score, weight)" => "3.1026",
        "SELECT ces_out(score, 7) FROM (VALUES (7), (5), (4), (1), (NULL), (8)) AS t(score)" => "1",
    ])
}

fn top_box() -> Vec<Entry> {
    family!(TopBox, 3, "top_box", "score, top, scale_max",
    "Percentage of answers in the best top grades of the scale 1..scale_max", " With top 1 it is the share of the best grade.", [
        "SELECT top_box(score, 1, 5) FROM (VALUES (5), (5), (4), (3), (NULL), (0)) AS t(score)" => "50.0",
        "SELECT round(top_box_low(score, 1, 5), 4) FROM (VALUES (5), (5), (4), (3)) AS t(score)" => "15.0039",
        "SELECT round(top_box_high(score, 1, 5), 4) FROM (VALUES (5), (5), (4), (3)) AS t(score)" => "84.9961",
        "SELECT top_box_n(score, 1, 5) FROM (VALUES (5), (5), (4), (3), (NULL), (0)) AS t(score)" => "4",
        "SELECT round(top_box_n_eff(score, 1, 5, weight), 4) FROM (VALUES (5, 1), (4, 2), (3, 5), (1, 3)) AS t(score, weight)" => "3.1026",
        "SELECT top_box_out(score, 1, 5) FROM (VALUES (5), (5), (4), (3), (NULL), (0)) AS t(score)" => "1",
    ])
}

/// Which grades are hits, by the arguments between the score and the weight.
trait Grades: Copy + Default + std::fmt::Debug + Send + Sync + 'static {
    fn top(arguments: &[f64]) -> Result<Top, Error>;
}

/// The grades from `from` to `scale_max`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Top {
    from: f64,
    scale_max: f64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Csat;
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Ces;
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct TopBox;

impl Grades for Csat {
    fn top(arguments: &[f64]) -> Result<Top, Error> {
        let scale_max = scale(arguments.first())?;
        Ok(Top { from: scale_max - 1.0, scale_max })
    }
}

impl Grades for Ces {
    fn top(arguments: &[f64]) -> Result<Top, Error> {
        let scale_max = scale(arguments.first())?;
        Ok(Top { from: ((scale_max + 1.0) / 2.0).floor() + 1.0, scale_max })
    }
}

impl Grades for TopBox {
    fn top(arguments: &[f64]) -> Result<Top, Error> {
        let scale_max = scale(arguments.get(1))?;
        let top = arguments.first().copied().unwrap_or(f64::NAN);
        if top.fract() == 0.0 && top >= 1.0 && top < scale_max {
            return Ok(Top { from: scale_max - top + 1.0, scale_max });
        }
        Err(Error::invalid_argument(format!("top {top} is not a number of grades of a scale of {scale_max}"))
            .with_hint("Give at least one grade, and fewer than the scale has."))
    }
}

fn scale(scale_max: Option<&f64>) -> Result<f64, Error> {
    let scale_max = scale_max.copied().unwrap_or(f64::NAN);
    if scale_max.fract() == 0.0 && (3.0..=1e6).contains(&scale_max) {
        return Ok(scale_max);
    }
    Err(Error::invalid_argument(format!("scale_max {scale_max} is not a whole number of at least 3"))
        .with_hint("Give the best grade of the scale, such as 5 for 1 to 5."))
}

/// Answers that are hits, and the others. `COLUMNS` are the arguments that a call must have.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct TopShare<G, const COLUMNS: usize> {
    hits: Answers,
    others: Answers,
    /// Answers off the scale.
    out: f64,
    /// Rows that were added.
    rows: f64,
    top: Top,
    grades: PhantomData<G>,
}

impl<G: Grades, const COLUMNS: usize> TopShare<G, COLUMNS> {
    fn total(&self) -> Answers {
        self.hits.plus(self.others)
    }

    /// Between 0 and 1; exact at both ends.
    fn share(&self) -> Option<f64> {
        let total = self.total();
        if total.n <= 0.0 {
            return None;
        }
        Some(if self.others.n == 0.0 { 1.0 } else { self.hits.weight / total.weight })
    }

    fn percentage(&self) -> Option<f64> {
        self.share().map(|share| 100.0 * share)
    }

    fn interval(&self, conf: f64) -> Option<(f64, f64)> {
        let n = self.total().effective();
        let (low, high) = self.share().map(|share| wilson::interval(share * n, n, conf))?;
        Some((100.0 * low, 100.0 * high))
    }

    fn low(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(low, _)| low)
    }

    fn high(&self, conf: f64) -> Option<f64> {
        self.interval(conf).map(|(_, high)| high)
    }

    fn answers(&self) -> i64 {
        self.total().n as i64
    }

    fn effective(&self) -> Option<f64> {
        let total = self.total();
        (total.n > 0.0).then(|| total.effective())
    }

    fn out(&self) -> i64 {
        self.out as i64
    }

    fn count(&mut self, row: &[f64], by: f64) -> Result<(), Error> {
        let [score, arguments @ .., weight] = row else {
            return Err(Error::internal("a share is counted without its arguments"));
        };
        let weight = checked_weight(*weight)?;
        self.agree(G::top(arguments)?)?;
        self.rows += by;
        if score.fract() != 0.0 || !(1.0..=self.top.scale_max).contains(score) {
            self.out += by;
        } else if *score >= self.top.from {
            self.hits.count(weight, by);
        } else {
            self.others.count(weight, by);
        }
        Ok(())
    }

    /// Answers on another scale, or another number of best grades, are not counted together.
    fn agree(&mut self, top: Top) -> Result<(), Error> {
        if top == self.top {
            return Ok(());
        }
        if self.rows > 0.0 {
            let scale = |top: Top| format!("{} to {} of 1 to {}", top.from, top.scale_max, top.scale_max);
            return Err(Error::invalid_argument(format!(
                "grades {} and {} have no common share",
                scale(self.top),
                scale(top)
            ))
            .with_hint("Group by the scale."));
        }
        self.top = top;
        Ok(())
    }
}

impl<G: Grades, const COLUMNS: usize> Kernel<10> for TopShare<G, COLUMNS> {
    const STATE: [&'static str; 10] = [
        "hits",
        "hits_weight",
        "hits_squares",
        "others",
        "others_weight",
        "others_squares",
        "out",
        "rows",
        "from",
        "scale_max",
    ];
    const COLUMNS: usize = COLUMNS;
    const OPTIONAL: &'static [f64] = &[1.0];

    fn add(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row, 1.0)
    }

    fn remove(&mut self, row: &[f64]) -> Result<(), Error> {
        self.count(row, -1.0)
    }

    fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if other.rows > 0.0 {
            self.agree(other.top)?;
        }
        self.hits = self.hits.plus(other.hits);
        self.others = self.others.plus(other.others);
        self.out += other.out;
        self.rows += other.rows;
        Ok(())
    }

    fn save(&self) -> [f64; 10] {
        let [h, hw, hs] = self.hits.save();
        let [o, ow, os] = self.others.save();
        [h, hw, hs, o, ow, os, self.out, self.rows, self.top.from, self.top.scale_max]
    }

    fn load([h, hw, hs, o, ow, os, out, rows, from, scale_max]: [f64; 10]) -> Self {
        Self {
            hits: Answers::load([h, hw, hs]),
            others: Answers::load([o, ow, os]),
            out,
            rows,
            top: Top { from, scale_max },
            grades: PhantomData,
        }
    }
}

#[cfg(test)]
mod tests;
