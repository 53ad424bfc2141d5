//! One statement under way: what the wire and the session note of it, and what becomes of that when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chrono::Utc;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricValue;
use parking_lot::Mutex;
use tracing::Span;

use super::Observer;
use super::queries::{Execution, Usage};
use super::spans;
use crate::dialect::Identity;

/// The SQLSTATE of a statement whose client went away.
pub const CONNECTION_LOST: &str = "08006";

/// What is noted while a statement runs, by whoever sees it.
#[derive(Debug)]
pub struct Progress {
    begun: Instant,
    /// Nanoseconds since it began; 0: not yet.
    planned: AtomicU64,
    first_row: AtomicU64,
    rows: AtomicU64,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    identity: Arc<Identity>,
    plan: Option<Arc<dyn ExecutionPlan>>,
}

impl Default for Progress {
    /// Of nothing that anybody counts.
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Progress {
    fn new(identity: Arc<Identity>) -> Self {
        Self {
            begun: Instant::now(),
            planned: AtomicU64::new(0),
            first_row: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            inside: Mutex::new(Inside { identity, plan: None }),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    /// What comes now is execution.
    pub fn is_planned(&self) {
        self.planned.store(self.now(), Relaxed);
    }

    /// The same, with the plan whose operators count what they read.
    pub fn has_plan(&self, plan: &Arc<dyn ExecutionPlan>) {
        self.is_planned();
        self.inside.lock().plan = Some(Arc::clone(plan));
    }

    /// It runs another statement, as EXECUTE does: that is the one to be counted.
    pub fn stands_for(&self, identity: &Arc<Identity>) {
        self.inside.lock().identity = Arc::clone(identity);
    }

    /// Rows that were sent to the client or changed.
    pub fn add_rows(&self, rows: u64) {
        self.rows.fetch_add(rows, Relaxed);
    }

    /// Rows of a result, as they leave.
    pub fn send_rows(&self, rows: u64) {
        if rows > 0 && self.rows.fetch_add(rows, Relaxed) == 0 {
            self.first_row.store(self.now(), Relaxed);
        }
    }
}

/// Who runs a statement whose end may be logged.
#[derive(Debug)]
pub struct LogAs {
    /// Statements that take less are not.
    pub threshold: Duration,
    pub application_name: String,
}

/// The wire's side of a statement. However it ends, it is counted once: one that is dropped in the middle of its
/// work counts as lost, one that is dropped while it waits for the client to ask for more has succeeded.
#[derive(Debug)]
pub struct Watch {
    observer: Arc<Observer>,
    progress: Arc<Progress>,
    span: Span,
    role: String,
    log: Option<LogAs>,
    started_at: i64,
    /// Spent on it before: when it was prepared.
    earlier: Duration,
    /// In turns that are over.
    worked: Duration,
    turn: Option<Instant>,
    is_counted: bool,
}

impl Watch {
    /// The statement begins now. `earlier` is what was spent on planning it before.
    pub fn begin(
        observer: &Arc<Observer>,
        identity: Arc<Identity>,
        role: String,
        earlier: Duration,
        log: Option<LogAs>,
    ) -> Self {
        let span = spans::statement(identity.query_id);
        let progress = Arc::new(Progress::new(identity));
        Self {
            observer: Arc::clone(observer),
            turn: Some(progress.begun),
            progress,
            span,
            role,
            log,
            started_at: Utc::now().timestamp_micros(),
            earlier,
            worked: Duration::ZERO,
            is_counted: false,
        }
    }

    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// The client has got the rows that it asked for, and may ask for more.
    pub fn rest(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.worked += turn.elapsed();
        }
    }

    pub fn resume(&mut self) {
        self.turn = Some(Instant::now());
    }

    /// The statement was only prepared: what that took counts with its first execution.
    pub fn forget(mut self) -> Duration {
        self.rest();
        self.is_counted = true;
        self.worked
    }

    /// The statement has ended; with nothing for an error, well.
    pub fn finish(mut self, sqlstate: Option<&'static str>) {
        self.count(sqlstate);
    }

    fn count(&mut self, sqlstate: Option<&'static str>) {
        if std::mem::replace(&mut self.is_counted, true) {
            return;
        }
        self.rest();
        let (identity, plan) = {
            let mut inside = self.progress.inside.lock();
            (Arc::clone(&inside.identity), inside.plan.take())
        };
        let nanos = |known: &AtomicU64| match known.load(Relaxed) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        };
        // One that failed before it had a plan has spent all its time on planning.
        let planning = nanos(&self.progress.planned).unwrap_or(self.worked).min(self.worked);
        let execution = Execution {
            started_at: self.started_at,
            planning: self.earlier + planning,
            running: self.worked - planning,
            first_row: nanos(&self.progress.first_row),
            rows: self.progress.rows.load(Relaxed),
            usage: plan.map(|plan| usage(plan.as_ref())),
            sqlstate,
        };
        let counters = &self.observer.counters;
        counters.statement(identity.verb, sqlstate, self.worked);
        counters.rows.add(execution.rows);
        counters.spilled_bytes.add(execution.usage.map_or(0, |usage| usage.spilled_bytes));
        self.observer.queries.add(&identity, &self.role, &execution);
        if let Some(log) = self.log.as_ref().filter(|log| self.worked >= log.threshold) {
            self.write(log, &identity, &execution);
        }
    }

    /// The values of its literals are in no log: they may be secrets.
    fn write(&self, log: &LogAs, identity: &Identity, execution: &Execution) {
        let milliseconds = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
        self.span.in_scope(|| {
            tracing::info!(
                duration_ms = milliseconds(self.worked),
                planning_ms = milliseconds(execution.planning),
                rows = execution.rows,
                sqlstate = execution.sqlstate.unwrap_or("00000"),
                application_name = log.application_name,
                statement = identity.text,
                "statement ended"
            );
        });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let sqlstate = self.turn.map(|_| CONNECTION_LOST);
        self.count(sqlstate);
    }
}

/// What the operators of a plan have counted, summed up.
fn usage(plan: &dyn ExecutionPlan) -> Usage {
    let mut sum = Usage::default();
    for metric in plan.metrics().iter().flat_map(|metrics| metrics.iter()) {
        match metric.value() {
            MetricValue::SpilledBytes(bytes) => sum.spilled_bytes += bytes.value() as u64,
            MetricValue::Count { name, count } if name == "bytes_scanned" => {
                sum.scanned_bytes += count.value() as u64;
            }
            _ => {}
        }
    }
    for child in plan.children() {
        let below = usage(child.as_ref());
        sum.scanned_bytes += below.scanned_bytes;
        sum.spilled_bytes += below.spilled_bytes;
    }
    sum
}
