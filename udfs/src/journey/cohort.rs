//! Cohort retention: of the customers first seen in a period, how many are seen k periods later.
//!
//! A customer's cohort is the period of the first event; the customer is retained in a period with at least
//! one event in it. A cell is the cohort's customers retained k periods later; its rate has a Wilson interval.
//! Every cell up to the last observed period is given, 0 where nobody came back; later ones are not known and
//! not given. A period that was not observed to its end is given as incomplete.

use std::collections::BTreeMap;

use super::Invalid;
use super::bytes::{Reader, put_i64, put_u64};
use super::period::Period;
use crate::wilson;

/// Periods in which one customer was seen; 8 bytes each.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActivePeriods {
    numbers: Vec<i64>,
}

impl ActivePeriods {
    /// `number` is [`Period::number`] of an event's time.
    pub(crate) fn update(&mut self, number: i64) {
        if self.numbers.last() == Some(&number) {
            return;
        }
        if self.numbers.len() == self.numbers.capacity() {
            self.sorted();
        }
        self.numbers.push(number);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        other.numbers.iter().for_each(|number| self.update(*number));
    }

    /// The periods in order, each once.
    pub(crate) fn sorted(&mut self) -> &[i64] {
        if !self.numbers.is_sorted() {
            self.numbers.sort_unstable();
        }
        self.numbers.dedup();
        &self.numbers
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.numbers.capacity() * size_of::<i64>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 8 * self.numbers.len());
        put_u64(&mut out, self.numbers.len() as u64);
        self.numbers.iter().for_each(|number| put_i64(&mut out, *number));
        out
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes, "active periods");
        let count = reader.count(8)?;
        let numbers = (0..count).map(|_| reader.i64()).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self { numbers })
    }
}

/// Customers by cohort and periods since.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cohorts {
    cells: BTreeMap<(i64, i64), u64>,
}

/// One cell of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CohortCell {
    /// First microsecond of the cohort's period.
    pub(crate) cohort: i64,
    /// Periods since the cohort's own.
    pub(crate) k: i64,
    /// Customers of the cohort.
    pub(crate) n: u64,
    pub(crate) retained: u64,
    pub(crate) rate: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
    /// Whether the period was observed to its end.
    pub(crate) complete: bool,
}

impl Cohorts {
    /// Counts a customer, once.
    pub(crate) fn add(&mut self, customer: &mut ActivePeriods) {
        let periods = customer.sorted();
        let Some(cohort) = periods.first().copied() else { return };
        for period in periods {
            *self.cells.entry((cohort, period.saturating_sub(cohort))).or_default() += 1;
        }
    }

    /// Adds the counts of other customers.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (cell, count) in &other.cells {
            *self.cells.entry(*cell).or_default() += count;
        }
    }

    /// The table by cohort and k. `until` is the time up to which events were observed; `conf` the confidence
    /// level. At most `most_cells` cells, or the table is refused.
    pub(crate) fn cells(
        &self,
        period: Period,
        until: i64,
        conf: f64,
        most_cells: usize,
    ) -> Result<Vec<CohortCell>, Invalid> {
        let last = period.number(until);
        let sizes = self.cells.iter().filter(|((cohort, k), _)| *k == 0 && *cohort <= last);
        let mut found = Vec::new();
        for ((cohort, _), n) in sizes {
            for k in 0..=last.saturating_sub(*cohort) {
                if found.len() == most_cells {
                    let message = format!("cohort table has more than {most_cells} cells");
                    return Err(Invalid::new(message).with_hint("Choose longer periods or fewer of them."));
                }
                let retained = self.cells.get(&(*cohort, k)).copied().unwrap_or(0);
                let (conf_low, conf_high) = wilson::interval(retained as f64, *n as f64, conf);
                found.push(CohortCell {
                    cohort: period.start(*cohort),
                    k,
                    n: *n,
                    retained,
                    rate: retained as f64 / *n as f64,
                    conf_low,
                    conf_high,
                    complete: period.start((cohort + k).saturating_add(1)) <= until,
                });
            }
        }
        Ok(found)
    }

    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.cells.len() * 2 * size_of::<((i64, i64), u64)>()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 24 * self.cells.len());
        put_u64(&mut out, self.cells.len() as u64);
        for ((cohort, k), count) in &self.cells {
            put_i64(&mut out, *cohort);
            put_i64(&mut out, *k);
            put_u64(&mut out, *count);
        }
        out
    }

    /// Refuses bytes that [`Self::to_bytes`] did not write.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes, "cohorts");
        let mut cells = BTreeMap::new();
        for _ in 0..reader.count(24)? {
            let cell = (reader.i64()?, reader.i64()?);
            cells.insert(cell, reader.u64()?);
        }
        reader.end()?;
        Ok(Self { cells })
    }
}

#[cfg(test)]
mod tests;
