//! What this process is doing and what it failed to do; it is forgotten with the process. What was done stands in the
//! logs of the tables.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::Utc;
use parking_lot::Mutex;

use super::Kind;
use super::history::Action;
use crate::catalog::{QualifiedName, Table};
use crate::error::Error;

/// Older entries are forgotten.
const KEPT: usize = 1_000;

#[derive(Default)]
pub(super) struct Journal {
    entries: Arc<Mutex<VecDeque<(u64, Action)>>>,
    next: std::sync::atomic::AtomicU64,
}

/// An action under way. Dropped without an end, it was cancelled.
pub(super) struct Running {
    entries: Arc<Mutex<VecDeque<(u64, Action)>>>,
    number: u64,
    pub(super) started_ms: i64,
    is_finished: bool,
}

impl Journal {
    pub(super) fn begin(&self, table: &Table, kind: Kind, role: &str) -> Running {
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let started_ms = Utc::now().timestamp_millis();
        let QualifiedName { schema, name } = table.name.clone();
        let action = Action {
            schema,
            table: name,
            started_ms: Some(started_ms),
            role: Some(role.to_owned()),
            ..Action::new(kind.as_str(), "running")
        };
        let mut entries = self.entries.lock();
        entries.push_back((number, action));
        if entries.len() > KEPT {
            entries.pop_front();
        }
        Running { entries: Arc::clone(&self.entries), number, started_ms, is_finished: false }
    }

    pub(super) fn actions(&self) -> Vec<Action> {
        self.entries.lock().iter().map(|(_, action)| action.clone()).collect()
    }
}

impl Running {
    /// Done, and told by the table's log from now on.
    pub(super) fn end_in_log(mut self) {
        self.is_finished = true;
        self.entries.lock().retain(|(number, _)| *number != self.number);
    }

    /// Done, and told by nothing else.
    pub(super) fn removed(mut self, files: u64) {
        self.end("done", |action| action.files_in = Some(files));
    }

    pub(super) fn failed(mut self, error: &Error) {
        self.end("failed", |action| action.error = Some(error.to_string()));
    }

    fn end(&mut self, state: &'static str, tell: impl FnOnce(&mut Action)) {
        self.is_finished = true;
        let mut entries = self.entries.lock();
        if let Some((_, action)) = entries.iter_mut().find(|(number, _)| *number == self.number) {
            action.state = state;
            action.finished_ms = Some(Utc::now().timestamp_millis());
            tell(action);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_finished {
            self.end("cancelled", |_| {});
        }
    }
}
