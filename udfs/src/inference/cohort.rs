//! Cohort retention: of the customers who began in one period, how many were active in each later one.
//!
//! Customers are counted exactly once a cell, whatever the number of rows. The share is active customers over
//! the customers of the cohort, with Wilson's interval.

use std::mem::size_of;

use super::bytes::{Reader, Writer};
use super::{Invalid, confidence};
use crate::wilson;

/// A customer's activity: cohort, period of activity, customer.
type Visit = (i64, i64, u64);

/// Distinct visits. Memory follows their number: new ones wait unsorted until there are as many as known ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Retention {
    known: Vec<Visit>,
    waiting: Vec<Visit>,
}

/// A cell of the retention table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    pub(crate) cohort: i64,
    /// Periods since the cohort began.
    pub(crate) offset: i64,
    pub(crate) customers: u64,
    pub(crate) active: u64,
    pub(crate) share: f64,
    pub(crate) conf_low: f64,
    pub(crate) conf_high: f64,
}

const WAITING: usize = 1 << 14;

impl Retention {
    /// `customer` is a hash of the customer's key; `cohort` and `activity` are numbers of periods. Refuses
    /// activity before the cohort began.
    pub(crate) fn update(&mut self, customer: u64, cohort: i64, activity: i64) -> Result<(), Invalid> {
        if activity < cohort || activity.checked_sub(cohort).is_none() {
            return Err(Invalid::new(format!(
                "activity in period {activity} lies before the cohort {cohort}"
            ))
            .with_hint("A customer's cohort is the period of the first activity."));
        }
        self.waiting.push((cohort, activity, customer));
        if self.waiting.len() >= WAITING.max(self.known.len()) {
            self.fold();
        }
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.waiting.extend_from_slice(&other.known);
        self.waiting.extend_from_slice(&other.waiting);
        self.fold();
    }

    fn fold(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        self.known.append(&mut self.waiting);
        self.known.sort_unstable();
        self.known.dedup();
    }

    /// Cells by cohort and offset. Every cohort has all offsets from 0 to the last period seen in any row,
    /// those without activity too.
    pub(crate) fn table(&mut self, conf: f64) -> Result<Vec<Cell>, Invalid> {
        let conf = confidence(conf)?;
        self.fold();
        let Some(last) = self.known.iter().map(|(_, activity, _)| *activity).max() else {
            return Ok(Vec::new());
        };
        let mut cells = Vec::new();
        for visits in self.known.chunk_by(|a, b| a.0 == b.0) {
            let mut customers: Vec<u64> = visits.iter().map(|(_, _, customer)| *customer).collect();
            customers.sort_unstable();
            customers.dedup();
            let Some((cohort, ..)) = visits.first() else { continue };
            check_width(*cohort, last)?;
            let mut active = vec![0; (last - cohort) as usize + 1];
            visits.iter().for_each(|(_, activity, _)| active[(activity - cohort) as usize] += 1);
            let n = customers.len() as u64;
            let cell = |(offset, active): (usize, u64)| Cell::new(*cohort, offset as i64, n, active, conf);
            cells.extend(active.into_iter().enumerate().map(cell));
        }
        Ok(cells)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut all = self.clone();
        all.fold();
        let mut writer = Writer::default();
        writer.integer(all.known.len() as u64);
        for (cohort, activity, customer) in &all.known {
            writer.integer(cohort.cast_unsigned()).integer(activity.cast_unsigned()).integer(*customer);
        }
        writer.finish()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(bytes);
        let mut retention = Self::default();
        for _ in 0..reader.length(24)? {
            let (cohort, activity) = (reader.integer()?.cast_signed(), reader.integer()?.cast_signed());
            retention.update(reader.integer()?, cohort, activity)?;
        }
        reader.finish()?;
        retention.fold();
        Ok(retention)
    }

    /// Bytes of memory held.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + (self.known.capacity() + self.waiting.capacity()) * size_of::<Visit>()
    }
}

/// Most periods between a cohort and the last activity.
const WIDEST: i64 = 100_000;

fn check_width(cohort: i64, last: i64) -> Result<(), Invalid> {
    if last.checked_sub(cohort).is_some_and(|width| width <= WIDEST) {
        return Ok(());
    }
    Err(Invalid::new(format!("more than {WIDEST} periods lie between a cohort and the last activity"))
        .with_hint("Number the periods, such as months since the first one, instead of using timestamps."))
}

impl Cell {
    fn new(cohort: i64, offset: i64, customers: u64, active: u64, conf: f64) -> Self {
        let (hits, n) = (active as f64, customers as f64);
        let (conf_low, conf_high) = wilson::interval(hits, n, conf);
        Self { cohort, offset, customers, active, share: hits / n, conf_low, conf_high }
    }
}

#[cfg(test)]
mod tests;
