//! Fisher's exact test of a 2×2 table.
//!
//! Given the margins the upper left count is hypergeometric. The two-sided p-value sums the tables that are
//! no more probable than the one seen (within 1e-7, against rounding). The estimate is the conditional
//! maximum likelihood odds ratio; its interval holds the odds ratios under which neither tail from the table
//! seen is below (1 − conf)/2. Fisher (1935); Cornfield (1956).
//!
//! Probabilities are walked outwards from the mode, so the work grows with the square root of the counts.

use crate::inference::{Invalid, confidence};

/// The outcome of Fisher's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Exact {
    pub(crate) p_value: f64,
    /// Infinite when one of the off-diagonal cells is empty; NaN when a margin is.
    pub(crate) odds_ratio: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    pub(crate) n: u64,
}

/// Larger counts are refused: there the chi-square test is as good as exact.
const LARGEST: u64 = 1 << 24;

/// Relative probabilities below this count as none. Below the normal numbers a product with a ratio above a half
/// would stand still.
const VANISHED: f64 = 1e-300;

/// Tests `[[a, b], [c, d]]`.
pub(crate) fn test([[a, b], [c, d]]: [[u64; 2]; 2], conf: f64) -> Result<Exact, Invalid> {
    let conf = confidence(conf)?;
    if [a, b, c, d].iter().any(|count| *count > LARGEST) {
        return Err(Invalid::new("counts are too large for an exact test")
            .with_hint("Use the chi-square test for counts of this size."));
    }
    let margins = Margins::new(a, b, c, d);
    let n = a + b + c + d;
    if margins.least == margins.most {
        return Ok(Exact { p_value: 1.0, odds_ratio: f64::NAN, conf_low: 0.0, conf_high: f64::INFINITY, n });
    }
    let tail = (1.0 - conf) / 2.0;
    let seen = a as f64;
    Ok(Exact {
        p_value: margins.p_value(seen),
        odds_ratio: margins.solve(seen, |at| at.mean - seen),
        conf_low: if seen == margins.least { 0.0 } else { margins.solve(seen, |at| at.at_least - tail) },
        conf_high: if seen == margins.most {
            f64::INFINITY
        } else {
            margins.solve(seen, |at| tail - at.at_most)
        },
        n,
    })
}

/// The hypergeometric family of a table's margins.
struct Margins {
    row: f64,
    column: f64,
    /// d − a, the same in every table of these margins.
    rest: f64,
    least: f64,
    most: f64,
}

/// Mean and tails of the upper left count under one odds ratio.
struct Tails {
    mean: f64,
    at_least: f64,
    at_most: f64,
}

impl Margins {
    fn new(a: u64, b: u64, c: u64, d: u64) -> Self {
        let (row, column) = ((a + b) as f64, (a + c) as f64);
        let rest = d as f64 - a as f64;
        Self { row, column, rest, least: (-rest).max(0.0), most: row.min(column) }
    }

    /// P(x + 1) / P(x) under odds ratio 1.
    fn ratio(&self, x: f64) -> f64 {
        (self.row - x) * (self.column - x) / ((x + 1.0) * (self.rest + x + 1.0))
    }

    /// Calls `visit` with every count and its probability relative to the mode's, until it vanishes.
    fn walk(&self, ln_odds: f64, mut visit: impl FnMut(f64, f64)) {
        let odds = ln_odds.exp();
        let mode = self.mode(odds);
        let (mut x, mut weight) = (mode, 1.0);
        while weight > VANISHED {
            visit(x, weight);
            weight *= if x < self.most { odds * self.ratio(x) } else { 0.0 };
            x += 1.0;
        }
        let (mut x, mut weight) = (mode, 1.0);
        while x > self.least && weight > VANISHED {
            x -= 1.0;
            weight /= odds * self.ratio(x);
            if weight > VANISHED {
                visit(x, weight);
            }
        }
    }

    /// The first count whose successor is less probable: found by bisection, as the ratio falls.
    fn mode(&self, odds: f64) -> f64 {
        let (mut low, mut high) = (self.least, self.most);
        while low < high {
            let middle = ((low + high) / 2.0).floor();
            if odds * self.ratio(middle) > 1.0 {
                low = middle + 1.0;
            } else {
                high = middle;
            }
        }
        low
    }

    fn p_value(&self, seen: f64) -> f64 {
        let mut weight_seen = 0.0;
        self.walk(0.0, |x, weight| {
            if x == seen {
                weight_seen = weight;
            }
        });
        let (mut total, mut unlikely) = (0.0, 0.0);
        self.walk(0.0, |_, weight| {
            total += weight;
            if weight <= weight_seen * (1.0 + 1e-7) {
                unlikely += weight;
            }
        });
        (unlikely / total).min(1.0)
    }

    fn tails(&self, seen: f64, ln_odds: f64) -> Tails {
        let (mut total, mut moment, mut at_least, mut at_most) = (0.0, 0.0, 0.0, 0.0);
        self.walk(ln_odds, |x, weight| {
            total += weight;
            moment += (x - seen) * weight;
            at_least += if x >= seen { weight } else { 0.0 };
            at_most += if x <= seen { weight } else { 0.0 };
        });
        Tails { mean: seen + moment / total, at_least: at_least / total, at_most: at_most / total }
    }

    /// The odds ratio at which `rising`, which grows with it, crosses zero.
    fn solve(&self, seen: f64, rising: impl Fn(&Tails) -> f64) -> f64 {
        const WIDEST: f64 = 200.0;
        let value = |ln_odds: f64| rising(&self.tails(seen, ln_odds));
        if value(-WIDEST) >= 0.0 {
            return 0.0;
        }
        if value(WIDEST) <= 0.0 {
            return f64::INFINITY;
        }
        let (mut low, mut high) = (-WIDEST, WIDEST);
        for _ in 0..64 {
            let middle = 0.5 * (low + high);
            if value(middle) < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        (0.5 * (low + high)).exp()
    }
}
