//! What each statement has cost so far, by its text without literals and by role: the content of `system.queries`.
//!
//! A statement that was seen before takes a shared lock for as long as a look into a map takes, and then its own one.
//! A new one takes the map for itself, and where it is full, those that nobody ran for the longest time make room.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use chrono::Utc;
use parking_lot::{Mutex, RwLock};

use crate::dialect::Identity;

/// How many are kept. Texts are bounded, so this is some tens of megabytes at the very most.
const MAX_ENTRIES: usize = 5_000;

/// What goes at a time when they are too many, so that it happens rarely: one in twenty.
const EVICTED_SHARE: usize = 20;

#[derive(Debug)]
pub struct Queries {
    limit: usize,
    known: RwLock<Known>,
    /// Rises with every execution; the age of an entry is when it was last seen.
    clock: AtomicU64,
    evictions: AtomicU64,
    /// Microseconds since 1970.
    reset_at: AtomicI64,
}

#[derive(Debug, Default)]
struct Known {
    /// By query id; each role that ran it has its own.
    entries: HashMap<i64, Vec<Arc<Entry>>>,
    count: usize,
}

#[derive(Debug)]
struct Entry {
    identity: Arc<Identity>,
    role: String,
    used: AtomicU64,
    costs: Mutex<Costs>,
}

/// One execution.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Microseconds since 1970.
    pub started_at: i64,
    pub planning: Duration,
    /// From the plan to the last row.
    pub running: Duration,
    /// Until the first row was there to be sent.
    pub first_row: Option<Duration>,
    pub rows: u64,
    /// Nothing, where the plan is not known: for all but queries.
    pub usage: Option<Usage>,
    /// Nothing: it succeeded.
    pub sqlstate: Option<&'static str>,
}

/// What the operators of a plan count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read from the store.
    pub scanned_bytes: u64,
    pub spilled_bytes: u64,
}

/// The sum of all executions.
#[derive(Debug, Clone, Default)]
pub struct Costs {
    pub calls: u64,
    pub errors: u64,
    pub rows: u64,
    /// Milliseconds, as the others.
    pub total_ms: f64,
    pub min_ms: f64,
    pub max_ms: f64,
    pub mean_ms: f64,
    /// Welford's sum of squared differences from the mean.
    squares: f64,
    pub planning_ms: f64,
    first_rows: u64,
    first_rows_ms: f64,
    pub usage: Option<Usage>,
    /// Microseconds since 1970.
    pub last_started_at: i64,
    pub last_error: Option<&'static str>,
}

/// A statement of a role with its costs.
#[derive(Debug)]
pub struct Row {
    pub identity: Arc<Identity>,
    pub role: String,
    pub costs: Costs,
}

/// How the list itself stands.
#[derive(Debug, Clone, Copy)]
pub struct State {
    pub entries: usize,
    pub limit: usize,
    pub evictions: u64,
    pub reset_at: i64,
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

impl Costs {
    fn add(&mut self, execution: &Execution) {
        let running = milliseconds(execution.running);
        self.calls += 1;
        self.rows += execution.rows;
        self.total_ms += running;
        self.min_ms = if self.calls == 1 { running } else { self.min_ms.min(running) };
        self.max_ms = self.max_ms.max(running);
        let before = running - self.mean_ms;
        self.mean_ms += before / self.calls as f64;
        self.squares += before * (running - self.mean_ms);
        self.planning_ms += milliseconds(execution.planning);
        if let Some(first_row) = execution.first_row {
            self.first_rows += 1;
            self.first_rows_ms += milliseconds(first_row);
        }
        if let Some(usage) = execution.usage {
            let sum = self.usage.get_or_insert_default();
            sum.scanned_bytes += usage.scanned_bytes;
            sum.spilled_bytes += usage.spilled_bytes;
        }
        self.last_started_at = self.last_started_at.max(execution.started_at);
        if execution.sqlstate.is_some() {
            self.errors += 1;
            self.last_error = execution.sqlstate;
        }
    }

    /// Of the population, as PostgreSQL has it.
    pub fn stddev_ms(&self) -> f64 {
        if self.calls == 0 { 0.0 } else { (self.squares / self.calls as f64).sqrt() }
    }

    /// How long the first row took on average; nothing if there never was one.
    pub fn first_row_ms(&self) -> Option<f64> {
        (self.first_rows > 0).then(|| self.first_rows_ms / self.first_rows as f64)
    }
}

impl Default for Queries {
    fn default() -> Self {
        Self::with_limit(MAX_ENTRIES)
    }
}

impl Queries {
    fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            known: RwLock::default(),
            clock: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            reset_at: AtomicI64::new(Utc::now().timestamp_micros()),
        }
    }

    pub fn add(&self, identity: &Arc<Identity>, role: &str, execution: &Execution) {
        if identity.query_id == 0 {
            return;
        }
        let entry = self.entry(identity, role);
        entry.used.store(self.clock.fetch_add(1, Relaxed), Relaxed);
        entry.costs.lock().add(execution);
    }

    fn entry(&self, identity: &Arc<Identity>, role: &str) -> Arc<Entry> {
        if let Some(entry) = self.known.read().find(identity.query_id, role) {
            return entry;
        }
        let mut known = self.known.write();
        // Somebody may have been quicker.
        if let Some(entry) = known.find(identity.query_id, role) {
            return entry;
        }
        if known.count >= self.limit {
            let evicted = known.evict((self.limit / EVICTED_SHARE).max(1));
            self.evictions.fetch_add(evicted as u64, Relaxed);
        }
        known.insert(identity, role, self.clock.load(Relaxed))
    }

    /// Forgets everything.
    pub fn reset(&self) {
        *self.known.write() = Known::default();
        self.evictions.store(0, Relaxed);
        self.reset_at.store(Utc::now().timestamp_micros(), Relaxed);
    }

    pub fn state(&self) -> State {
        State {
            entries: self.known.read().count,
            limit: self.limit,
            evictions: self.evictions.load(Relaxed),
            reset_at: self.reset_at.load(Relaxed),
        }
    }

    /// All of them at about this moment. Nobody waits while they are copied, but for the one being copied.
    pub fn rows(&self) -> Vec<Row> {
        let entries: Vec<Arc<Entry>> = self.known.read().entries.values().flatten().map(Arc::clone).collect();
        entries
            .iter()
            .map(|entry| Row {
                identity: Arc::clone(&entry.identity),
                role: entry.role.clone(),
                costs: entry.costs.lock().clone(),
            })
            // One that is being counted for the first time.
            .filter(|row| row.costs.calls > 0)
            .collect()
    }
}

impl Known {
    fn find(&self, query_id: i64, role: &str) -> Option<Arc<Entry>> {
        self.entries.get(&query_id)?.iter().find(|entry| entry.role == role).map(Arc::clone)
    }

    fn insert(&mut self, identity: &Arc<Identity>, role: &str, now: u64) -> Arc<Entry> {
        let entry = Arc::new(Entry {
            identity: Arc::clone(identity),
            role: role.to_owned(),
            used: AtomicU64::new(now),
            costs: Mutex::default(),
        });
        self.entries.entry(identity.query_id).or_default().push(Arc::clone(&entry));
        self.count += 1;
        entry
    }

    /// Removes those that were not used for the longest time.
    fn evict(&mut self, wanted: usize) -> usize {
        let mut ages: Vec<u64> =
            self.entries.values().flatten().map(|entry| entry.used.load(Relaxed)).collect();
        let Some(last) = wanted.min(ages.len()).checked_sub(1) else { return 0 };
        let (_, oldest, _) = ages.select_nth_unstable(last);
        let oldest = *oldest;
        let before = self.count;
        self.entries.retain(|_, of_roles| {
            let held = of_roles.len();
            of_roles.retain(|entry| entry.used.load(Relaxed) > oldest);
            self.count -= held - of_roles.len();
            !of_roles.is_empty()
        });
        before - self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(query_id: i64) -> Arc<Identity> {
        Arc::new(Identity { query_id, text: format!("q{query_id}"), ..Identity::default() })
    }

    fn took(milliseconds: u64) -> Execution {
        Execution {
            started_at: 7,
            planning: Duration::from_millis(2),
            running: Duration::from_millis(milliseconds),
            first_row: None,
            rows: 3,
            usage: None,
            sqlstate: None,
        }
    }

    #[test]
    fn costs_add_up() {
        let queries = Queries::default();
        for milliseconds in [2, 4, 9] {
            queries.add(&identity(1), "ana", &took(milliseconds));
        }
        let failed = Execution { sqlstate: Some("22012"), rows: 0, ..took(1) };
        queries.add(&identity(1), "ana", &failed);
        queries.add(&identity(1), "bob", &took(5));
        let mut rows = queries.rows();
        rows.sort_by(|one, other| one.role.cmp(&other.role));
        let costs = &rows[0].costs;
        assert_eq!((costs.calls, costs.errors, costs.rows), (4, 1, 9));
        assert_eq!((costs.min_ms, costs.max_ms, costs.total_ms, costs.mean_ms), (1.0, 9.0, 16.0, 4.0));
        // Of 2, 4, 9, 1.
        assert!((costs.stddev_ms() - 9.5f64.sqrt()).abs() < 1e-9);
        assert_eq!((costs.planning_ms, costs.last_error, costs.first_row_ms()), (8.0, Some("22012"), None));
        assert_eq!((rows[1].role.as_str(), rows[1].costs.calls), ("bob", 1));
    }

    #[test]
    fn the_least_recently_used_make_room() {
        let queries = Queries::with_limit(40);
        for id in 1..=40 {
            queries.add(&identity(id), "ana", &took(1));
        }
        queries.add(&identity(1), "ana", &took(1));
        queries.add(&identity(41), "ana", &took(1));
        let mut left: Vec<i64> = queries.rows().iter().map(|row| row.identity.query_id).collect();
        left.sort_unstable();
        assert_eq!((left.len(), left[0], left[1], left[38]), (39, 1, 4, 41));
        let state = queries.state();
        assert_eq!((state.entries, state.evictions), (39, 2));
        for id in 100..10_000 {
            queries.add(&identity(id), &format!("role {}", id % 7), &took(1));
        }
        assert!(queries.state().entries <= 40 && queries.rows().len() == queries.state().entries);
        queries.reset();
        assert_eq!((queries.state().entries, queries.state().evictions), (0, 0));
    }

    #[test]
    fn many_threads_lose_no_execution() {
        let queries = Queries::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope
                    .spawn(|| (0..1_000).for_each(|id| queries.add(&identity(1 + id % 10), "ana", &took(1))));
            }
        });
        assert_eq!(queries.rows().iter().map(|row| row.costs.calls).sum::<u64>(), 8_000);
    }
}
