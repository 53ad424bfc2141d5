//! The connections of this process by process id: who is there, what each does, and how others may stop it.
//!
//! The wire writes here as connections come, work and go; `pg_stat_activity`, `pg_cancel_backend` and
//! `pg_terminate_backend` read it.

use std::collections::HashMap;
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use chrono::Utc;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::dialect::without_passwords;

/// How much of a statement's text is shown; PostgreSQL's `track_activity_query_size`.
const SHOWN_QUERY_BYTES: usize = 1_024;

/// What CancelRequest, `pg_cancel_backend` and `pg_terminate_backend` reach. Cheap to clone; one per process.
#[derive(Debug, Clone, Default)]
pub struct Processes(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    last: AtomicI32,
    entries: Mutex<HashMap<i32, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    secret: Vec<u8>,
    terminate: CancellationToken,
    /// The statement that runs now.
    running: Mutex<Option<CancellationToken>>,
    activity: Mutex<Activity>,
}

/// What a connection is and does. Moments are microseconds since 1970.
#[derive(Debug, Clone)]
pub struct Activity {
    pub process_id: i32,
    pub role: String,
    pub database: String,
    pub client: SocketAddr,
    pub application_name: String,
    pub connected_at: i64,
    pub state: ProcessState,
    pub state_changed_at: i64,
    /// The statement that runs, or the last one that ran.
    pub query: String,
    pub query_started_at: Option<i64>,
    pub transaction_started_at: Option<i64>,
    /// Of that statement, once it is known which it is.
    pub query_id: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// Logged in; the session is being made.
    Starting,
    Active,
    Idle,
    IdleInTransaction,
    IdleInFailedTransaction,
}

impl ProcessState {
    /// As `pg_stat_activity` says it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            ProcessState::Starting => None,
            ProcessState::Active => Some("active"),
            ProcessState::Idle => Some("idle"),
            ProcessState::IdleInTransaction => Some("idle in transaction"),
            ProcessState::IdleInFailedTransaction => Some("idle in transaction (aborted)"),
        }
    }
}

impl Processes {
    /// Stops the statement that runs on the connection. `false`: no such connection.
    pub fn cancel(&self, process_id: i32) -> bool {
        self.entry(process_id).inspect(|entry| entry.cancel()).is_some()
    }

    /// Ends the connection with 57P01. `false`: no such connection.
    pub fn terminate(&self, process_id: i32) -> bool {
        self.entry(process_id).inspect(|entry| entry.terminate.cancel()).is_some()
    }

    /// The role that is logged in on the connection.
    pub fn role_of(&self, process_id: i32) -> Option<String> {
        self.entry(process_id).map(|entry| entry.activity.lock().role.clone())
    }

    /// What every connection does at this moment, by process id.
    pub fn activity(&self) -> Vec<Activity> {
        let entries: Vec<_> = self.0.entries.lock().values().map(Arc::clone).collect();
        let mut all: Vec<_> = entries.iter().map(|entry| entry.activity.lock().clone()).collect();
        all.sort_by_key(|activity| activity.process_id);
        all
    }

    /// The state of every connection.
    pub fn states(&self) -> Vec<ProcessState> {
        self.0.entries.lock().values().map(|entry| entry.activity.lock().state).collect()
    }

    /// A CancelRequest: nothing is answered, and an unknown process id costs what a wrong secret costs.
    pub(crate) fn cancel_with_secret(&self, process_id: i32, secret: &[u8]) {
        let entry = self.entry(process_id);
        let nobody = vec![0; secret.len()];
        let expected = entry.as_ref().map_or(&nobody, |entry| &entry.secret);
        let matches = same(secret, expected);
        if let Some(entry) = entry.filter(|_| matches) {
            entry.cancel();
        }
    }

    /// Adds a connection; it leaves when the [`Process`] is dropped.
    pub(crate) fn register(
        &self,
        secret: Vec<u8>,
        terminate: CancellationToken,
        role: &str,
        database: &str,
        client: SocketAddr,
    ) -> Process {
        let now = now();
        let mut entries = self.0.entries.lock();
        let id = loop {
            let id = self.0.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX;
            if id != 0 && !entries.contains_key(&id) {
                break id;
            }
        };
        let activity = Activity {
            process_id: id,
            role: role.to_owned(),
            database: database.to_owned(),
            client,
            application_name: String::new(),
            connected_at: now,
            state: ProcessState::Starting,
            state_changed_at: now,
            query: String::new(),
            query_started_at: None,
            transaction_started_at: None,
            query_id: None,
        };
        let entry =
            Arc::new(Entry { secret, terminate, running: Mutex::default(), activity: Mutex::new(activity) });
        entries.insert(id, Arc::clone(&entry));
        Process { id, entry, table: Arc::clone(&self.0) }
    }

    fn entry(&self, process_id: i32) -> Option<Arc<Entry>> {
        self.0.entries.lock().get(&process_id).map(Arc::clone)
    }
}

impl Entry {
    fn cancel(&self) {
        if let Some(running) = &*self.running.lock() {
            running.cancel();
        }
    }
}

/// A connection's own entry.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: i32,
    entry: Arc<Entry>,
    table: Arc<Table>,
}

impl Process {
    /// From now on a cancellation reaches `token`; between statements it reaches nothing.
    pub(crate) fn set_running(&self, token: Option<CancellationToken>) {
        *self.entry.running.lock() = token;
    }

    pub(crate) fn set_application_name(&self, name: &str) {
        name.clone_into(&mut self.entry.activity.lock().application_name);
    }

    /// A statement begins.
    pub(crate) fn begin(&self, query: &str) {
        let now = now();
        let mut activity = self.entry.activity.lock();
        activity.state = ProcessState::Active;
        activity.state_changed_at = now;
        activity.query_started_at = Some(now);
        activity.transaction_started_at.get_or_insert(now);
        activity.query_id = None;
        // What others may look at.
        activity.query = without_passwords(shown(query)).into_owned();
    }

    /// Who has logged in, and where.
    pub(crate) fn role(&self) -> String {
        self.entry.activity.lock().role.clone()
    }

    pub(crate) fn database(&self) -> String {
        self.entry.activity.lock().database.clone()
    }

    /// Which statement it is that has begun.
    pub(crate) fn set_query_id(&self, query_id: i64) {
        self.entry.activity.lock().query_id = (query_id != 0).then_some(query_id);
    }

    /// The connection waits for its client.
    pub(crate) fn rest(&self, state: ProcessState) {
        let mut activity = self.entry.activity.lock();
        activity.state = state;
        activity.state_changed_at = now();
        if state == ProcessState::Idle {
            activity.transaction_started_at = None;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.table.entries.lock().remove(&self.id);
    }
}

/// The beginning of a statement, cut between two characters.
pub(crate) fn shown(query: &str) -> &str {
    &query[..query.floor_char_boundary(SHOWN_QUERY_BYTES)]
}

/// Equality in time that depends on the lengths only.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (a, b)| black_box(difference | (a ^ b))) == 0
}

fn now() -> i64 {
    Utc::now().timestamp_micros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(processes: &Processes, secret: Vec<u8>) -> Process {
        let client = SocketAddr::from(([127, 0, 0, 1], 4711));
        processes.register(secret, CancellationToken::new(), "ana", "voxhouse", client)
    }

    #[test]
    fn only_the_secret_cancels_and_only_what_runs() {
        let processes = Processes::default();
        let process = register(&processes, vec![1, 2, 3, 4]);
        processes.cancel_with_secret(process.id, &[1, 2, 3, 4]);
        let token = CancellationToken::new();
        process.set_running(Some(token.clone()));
        for wrong in [&[1, 2, 3, 5][..], &[], &[1, 2, 3, 4, 0], &[0, 0, 0, 0]] {
            processes.cancel_with_secret(process.id, wrong);
        }
        processes.cancel_with_secret(process.id + 1, &[0, 0, 0, 0]);
        assert!(!token.is_cancelled());
        processes.cancel_with_secret(process.id, &[1, 2, 3, 4]);
        assert!(token.is_cancelled());
        let id = process.id;
        drop(process);
        assert!(!processes.cancel(id) && !processes.terminate(id));
    }

    #[test]
    fn activity_tells_what_runs_and_since_when() {
        let processes = Processes::default();
        let process = register(&processes, vec![1]);
        assert_eq!(processes.activity()[0].state.name(), None);
        process.begin(&"é".repeat(SHOWN_QUERY_BYTES));
        let active = processes.activity().remove(0);
        assert_eq!((active.state, active.query.len()), (ProcessState::Active, SHOWN_QUERY_BYTES));
        process.rest(ProcessState::IdleInTransaction);
        process.begin("SELECT 2");
        let second = processes.activity().remove(0);
        assert_eq!(second.transaction_started_at, active.transaction_started_at);
        process.rest(ProcessState::Idle);
        let idle = processes.activity().remove(0);
        assert_eq!((idle.transaction_started_at, idle.query.as_str()), (None, "SELECT 2"));
        drop(process);
        assert!(processes.activity().is_empty());
    }
}
