//! The connections of this process by process id: who may cancel what is running, and how.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::scram::same;

/// What CancelRequest, `pg_cancel_backend` and `pg_terminate_backend` reach. Cheap to clone; one per process.
#[derive(Debug, Clone, Default)]
pub struct Processes(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    last: AtomicI32,
    entries: Mutex<HashMap<i32, Entry>>,
}

#[derive(Debug)]
struct Entry {
    secret: Vec<u8>,
    terminate: CancellationToken,
    /// The statement that runs now.
    running: Option<CancellationToken>,
}

impl Processes {
    /// Stops the statement that runs on the connection. `false`: no such connection.
    pub fn cancel(&self, process_id: i32) -> bool {
        match self.0.entries.lock().get(&process_id) {
            Some(entry) => {
                entry.cancel();
                true
            }
            None => false,
        }
    }

    /// Ends the connection with 57P01. `false`: no such connection.
    pub fn terminate(&self, process_id: i32) -> bool {
        match self.0.entries.lock().get(&process_id) {
            Some(entry) => {
                entry.terminate.cancel();
                true
            }
            None => false,
        }
    }

    /// A CancelRequest: nothing is answered, and an unknown process id costs what a wrong secret costs.
    pub(super) fn cancel_with_secret(&self, process_id: i32, secret: &[u8]) {
        let entries = self.0.entries.lock();
        let entry = entries.get(&process_id);
        let nobody = vec![0; secret.len()];
        let expected = entry.map_or(&nobody, |entry| &entry.secret);
        let matches = same(secret, expected);
        if let Some(entry) = entry.filter(|_| matches) {
            entry.cancel();
        }
    }

    /// Adds a connection; it leaves when the [`Process`] is dropped.
    pub(super) fn register(&self, secret: Vec<u8>, terminate: CancellationToken) -> Process {
        let mut entries = self.0.entries.lock();
        let id = loop {
            let id = self.0.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX;
            if id != 0 && !entries.contains_key(&id) {
                break id;
            }
        };
        entries.insert(id, Entry { secret, terminate, running: None });
        Process { id, table: Arc::clone(&self.0) }
    }
}

impl Entry {
    fn cancel(&self) {
        if let Some(running) = &self.running {
            running.cancel();
        }
    }
}

/// A connection's own entry.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) id: i32,
    table: Arc<Table>,
}

impl Process {
    /// From now on a cancellation reaches `token`; between statements it reaches nothing.
    pub(super) fn set_running(&self, token: Option<CancellationToken>) {
        if let Some(entry) = self.table.entries.lock().get_mut(&self.id) {
            entry.running = token;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.table.entries.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_cancels_and_only_what_runs() {
        let processes = Processes::default();
        let process = processes.register(vec![1, 2, 3, 4], CancellationToken::new());
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
}
