//! Counters of the process, which every connection adds to without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use voxhouse_engine::meter::{Histogram, Reading};

use crate::dialect::{VERBS, Verb};

/// How a statement can end: well, or with an error of one of the classes of SQLSTATE. The last is for all others.
pub const OUTCOMES: [&str; 24] = [
    "ok", "08", "0A", "0L", "21", "22", "23", "25", "26", "28", "2B", "34", "3B", "3D", "3F", "40", "42",
    "53", "54", "55", "57", "58", "XX", "other",
];

/// Why somebody was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// All places are taken.
    Full,
    /// Those that are left are for superusers.
    Reserved,
    /// The role has as many sessions as it may have.
    RoleLimit,
    /// Too many are logging in.
    StartUps,
    Authentication,
    Unencrypted,
    Timeout,
    Other,
}

pub const REFUSALS: [&str; 8] = [
    "too_many_connections",
    "reserved_for_superusers",
    "role_limit",
    "too_many_start_ups",
    "authentication",
    "unencrypted",
    "timeout",
    "other",
];

/// What stopped a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    Request,
    Timeout,
    /// The connection ended: the client went away, or the server told it to go.
    Connection,
}

pub const CANCELLATIONS: [&str; 3] = ["request", "statement_timeout", "connection_lost"];

#[derive(Debug, Default)]
struct OfVerb {
    outcomes: [AtomicU64; OUTCOMES.len()],
    durations: Histogram,
}

#[derive(Debug)]
pub struct Counters {
    verbs: Vec<OfVerb>,
    refusals: [AtomicU64; REFUSALS.len()],
    cancellations: [AtomicU64; CANCELLATIONS.len()],
    pub connections: Counter,
    pub authentication_failures: Counter,
    /// Strings that were no statements.
    pub syntax_errors: Counter,
    pub rows: Counter,
    pub sent_bytes: Counter,
    pub received_bytes: Counter,
    pub spilled_bytes: Counter,
    /// Connections that ended by a bug of ours.
    pub panics: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            verbs: VERBS.iter().map(|_| OfVerb::default()).collect(),
            refusals: Default::default(),
            cancellations: Default::default(),
            connections: Counter::default(),
            authentication_failures: Counter::default(),
            syntax_errors: Counter::default(),
            rows: Counter::default(),
            sent_bytes: Counter::default(),
            received_bytes: Counter::default(),
            spilled_bytes: Counter::default(),
            panics: Arc::default(),
        }
    }
}

/// The statements of one verb.
pub struct VerbReading {
    pub verb: &'static str,
    /// Those that have occurred.
    pub outcomes: Vec<(&'static str, u64)>,
    pub durations: Reading,
}

impl Counters {
    pub fn statement(&self, verb: Verb, sqlstate: Option<&str>, duration: Duration) {
        let Some(counts) = self.verbs.get(verb.place()) else { return };
        counts.outcomes[outcome(sqlstate)].fetch_add(1, Relaxed);
        counts.durations.add(duration);
    }

    pub fn refused(&self, why: Refusal) {
        self.refusals[why as usize].fetch_add(1, Relaxed);
    }

    pub fn cancelled(&self, by: Cancellation) {
        self.cancellations[by as usize].fetch_add(1, Relaxed);
    }

    /// The verbs that were used.
    pub fn verbs(&self) -> Vec<VerbReading> {
        let readings = VERBS.iter().zip(&self.verbs).map(|(verb, counts)| {
            let outcomes = OUTCOMES.iter().zip(&counts.outcomes);
            let outcomes = outcomes.map(|(outcome, count)| (*outcome, count.load(Relaxed)));
            let outcomes = outcomes.filter(|(_, count)| *count > 0).collect();
            VerbReading { verb, outcomes, durations: counts.durations.read() }
        });
        readings.filter(|reading| !reading.outcomes.is_empty()).collect()
    }

    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REFUSALS.iter().zip(&self.refusals).map(|(why, count)| (*why, count.load(Relaxed)))
    }

    pub fn cancellations(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CANCELLATIONS.iter().zip(&self.cancellations).map(|(by, count)| (*by, count.load(Relaxed)))
    }
}

fn outcome(sqlstate: Option<&str>) -> usize {
    let Some(sqlstate) = sqlstate else { return 0 };
    let class = sqlstate.get(..2).unwrap_or_default();
    OUTCOMES.iter().position(|known| *known == class).unwrap_or(OUTCOMES.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_counts_by_its_class() {
        let named = |sqlstate| OUTCOMES[outcome(sqlstate)];
        assert_eq!((named(None), named(Some("42P01")), named(Some("HV000"))), ("ok", "42", "other"));
        assert_eq!(REFUSALS[Refusal::Other as usize], "other");
        assert_eq!(CANCELLATIONS[Cancellation::Connection as usize], "connection_lost");
    }
}
