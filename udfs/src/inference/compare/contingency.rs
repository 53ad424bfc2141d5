//! Chi-square test of independence of a contingency table, with Cramér's V.
//!
//! X² = Σ (O − E)²/E without continuity correction, (r − 1)(c − 1) degrees of freedom; Pearson (1900).
//! V = √(X²/(n·(min(r, c) − 1))). Its interval inverts the non-central chi-square distribution: the
//! non-centralities λ at which X² has probability (1 ± conf)/2 give V = √(λ/(n·(min(r, c) − 1))).

use std::collections::{BTreeMap, BTreeSet};
use std::mem::size_of;

use crate::inference::bytes::{Reader, Writer};
use crate::inference::distribution::{chi_square_tail, noncentral_chi_square};
use crate::inference::{Invalid, confidence};

/// Counts of pairs of categories.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    cells: BTreeMap<(String, String), u64>,
}

/// The outcome of a test of independence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Independence {
    pub(crate) statistic: f64,
    pub(crate) freedom: f64,
    pub(crate) p_value: f64,
    pub(crate) cramers_v: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    pub(crate) n: f64,
    /// The smallest expected count; below 5 the p-value is a rough one.
    pub(crate) min_expected: f64,
}

/// A table of two rows and two columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FourFold<'a> {
    pub(crate) rows: [&'a str; 2],
    pub(crate) columns: [&'a str; 2],
    pub(crate) counts: [[u64; 2]; 2],
}

impl Table {
    pub(crate) fn update(&mut self, row: &str, column: &str) {
        self.add(row, column, 1);
    }

    fn add(&mut self, row: &str, column: &str, by: u64) {
        *self.cells.entry((row.to_owned(), column.to_owned())).or_default() += by;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for ((row, column), count) in &other.cells {
            self.add(row, column, *count);
        }
    }

    /// `None` for a table of one row or one column.
    pub(crate) fn test(&self, conf: f64) -> Result<Option<Independence>, Invalid> {
        let conf = confidence(conf)?;
        let (mut rows, mut columns) = (BTreeMap::<&str, f64>::new(), BTreeMap::<&str, f64>::new());
        for ((row, column), count) in &self.cells {
            *rows.entry(row).or_default() += *count as f64;
            *columns.entry(column).or_default() += *count as f64;
        }
        let n: f64 = rows.values().sum();
        let shorter = rows.len().min(columns.len());
        if shorter < 2 {
            return Ok(None);
        }
        // X² = Σ O²/E − n over the cells that are not empty, written as deviations to keep digits.
        let (mut statistic, mut met) = (0.0, 0.0);
        for ((row, column), count) in &self.cells {
            let expected = rows[row.as_str()] * columns[column.as_str()] / n;
            statistic += (*count as f64 - expected).powi(2) / expected;
            met += expected;
        }
        // An empty cell deviates by its whole expectation.
        statistic += (n - met).max(0.0);
        let smallest = |sums: &BTreeMap<&str, f64>| sums.values().copied().fold(f64::INFINITY, f64::min);
        let freedom = ((rows.len() - 1) * (columns.len() - 1)) as f64;
        let scale = n * (shorter - 1) as f64;
        let (low, high) = noncentralities(statistic, freedom, conf);
        let v = |statistic: f64| (statistic / scale).sqrt().min(1.0);
        Ok(Some(Independence {
            statistic,
            freedom,
            p_value: chi_square_tail(statistic, freedom),
            cramers_v: v(statistic),
            conf_low: v(low),
            conf_high: v(high),
            n,
            min_expected: smallest(&rows) * smallest(&columns) / n,
        }))
    }

    /// The counts of a table of two rows and two columns, in the order of their names; `None` for another.
    pub(crate) fn four_fold(&self) -> Option<FourFold<'_>> {
        let rows: BTreeSet<&str> = self.cells.keys().map(|(row, _)| row.as_str()).collect();
        let columns: BTreeSet<&str> = self.cells.keys().map(|(_, column)| column.as_str()).collect();
        let rows: [&str; 2] = rows.into_iter().collect::<Vec<_>>().try_into().ok()?;
        let columns: [&str; 2] = columns.into_iter().collect::<Vec<_>>().try_into().ok()?;
        let count = |row: &str, column: &str| {
            self.cells.get(&(row.to_owned(), column.to_owned())).copied().unwrap_or_default()
        };
        let counts = rows.map(|row| columns.map(|column| count(row, column)));
        Some(FourFold { rows, columns, counts })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.integer(self.cells.len() as u64);
        for ((row, column), count) in &self.cells {
            writer.text(row).text(column).integer(*count);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut table = Self::default();
        for _ in 0..reader.length(24)? {
            let (row, column) = (reader.text()?, reader.text()?);
            table.add(row, column, reader.integer()?);
        }
        reader.finish()?;
        Ok(table)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        let texts: usize = self.cells.keys().map(|(row, column)| row.len() + column.len()).sum();
        size_of::<Self>() + texts + self.cells.len() * (size_of::<(String, String)>() + 24)
    }
}

/// The non-centralities at which `statistic` is the upper and the lower (1 − conf)/2 quantile.
fn noncentralities(statistic: f64, freedom: f64, conf: f64) -> (f64, f64) {
    let solve = |probability: f64| {
        if noncentral_chi_square(statistic, freedom, 0.0) <= probability {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, statistic.max(1.0));
        while noncentral_chi_square(statistic, freedom, high) > probability && high < 1e12 {
            low = high;
            high *= 2.0;
        }
        while high - low > 1e-9 * high {
            let middle = 0.5 * (low + high);
            if noncentral_chi_square(statistic, freedom, middle) > probability {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    };
    (solve((1.0 + conf) / 2.0), solve((1.0 - conf) / 2.0))
}
