//! The metrics page. `docs/observability.md` explains each of them, and a test holds the two together.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use voxhouse_engine::ingest::Loaded;
use voxhouse_engine::storage::StoreMeter;

use super::exposition::{Kind, Page};
use super::process;
use crate::instance::Instance;
use crate::processes::ProcessState;

/// The states of connections, as `pg_stat_activity` has them.
const STATES: [(ProcessState, &str); 5] = [
    (ProcessState::Starting, "starting"),
    (ProcessState::Active, "active"),
    (ProcessState::Idle, "idle"),
    (ProcessState::IdleInTransaction, "idle in transaction"),
    (ProcessState::IdleInFailedTransaction, "idle in transaction (aborted)"),
];

/// What there is to tell of a serving process.
pub struct Scrape {
    pub instance: Arc<Instance>,
    pub max_connections: usize,
    pub superuser_reserved: usize,
}

impl Scrape {
    /// The page as it is now.
    pub fn page(&self) -> String {
        let mut page = Page::default();
        self.process(&mut page);
        self.connections(&mut page);
        self.statements(&mut page);
        self.memory(&mut page);
        requests(&mut page, self.instance.warehouse.storage().meter());
        let loaded = self.instance.ingestion().map(|ingestion| ingestion.loaded()).unwrap_or_default();
        loads(&mut page, &loaded);
        page.text()
    }

    pub fn is_ending(&self) -> bool {
        self.instance.observer.is_ending()
    }

    fn process(&self, page: &mut Page) {
        let version = env!("CARGO_PKG_VERSION");
        page.family("voxhouse_build_info", Kind::Gauge, "Always 1; the version is a label.")
            .sample(&[("version", version)], 1);
        page.one(
            "process_start_time_seconds",
            Kind::Gauge,
            "When the process started, in seconds since 1970.",
            self.instance.started_at() as f64 / 1e6,
        );
        let usage = process::usage();
        if let Some(bytes) = usage.resident_bytes {
            let help = "Memory of the process that is in RAM.";
            page.one("process_resident_memory_bytes", Kind::Gauge, help, bytes);
        }
        if let Some(seconds) = usage.cpu_seconds {
            let help = "Processor time of the process.";
            page.one("process_cpu_seconds_total", Kind::Counter, help, seconds);
        }
        if let Some(files) = usage.open_files {
            page.one("process_open_fds", Kind::Gauge, "Open files and sockets of the process.", files);
        }
    }

    fn connections(&self, page: &mut Page) {
        let counters = &self.instance.observer.counters;
        let states = self.instance.processes.states();
        let mut family = page.family("voxhouse_connections", Kind::Gauge, "Sessions by their state.");
        for (state, name) in STATES {
            let count = states.iter().filter(|one| **one == state).count();
            family.sample(&[("state", name)], count);
        }
        let help = "Sessions that there may be at a time.";
        page.one("voxhouse_connections_max", Kind::Gauge, help, self.max_connections);
        let help = "Sessions, of those, that only superusers may have.";
        page.one("voxhouse_connections_reserved", Kind::Gauge, help, self.superuser_reserved);
        let help = "Sessions that have begun.";
        page.one("voxhouse_connections_total", Kind::Counter, help, counters.connections.get());
        let help = "Clients that were not let in, by reason.";
        let mut family = page.family("voxhouse_connections_refused_total", Kind::Counter, help);
        counters.refusals().for_each(|(reason, count)| family.sample(&[("reason", reason)], count));
        page.one(
            "voxhouse_authentication_failures_total",
            Kind::Counter,
            "Log-ins with a wrong password or an unknown role.",
            counters.authentication_failures.get(),
        );
        let help = "Connections that ended by a bug of the server.";
        page.one("voxhouse_connection_panics_total", Kind::Counter, help, counters.panics.load(Relaxed));
        let help = "Bytes sent to clients, before encryption.";
        page.one("voxhouse_sent_bytes_total", Kind::Counter, help, counters.sent_bytes.get());
        let help = "Bytes received from clients, after decryption.";
        page.one("voxhouse_received_bytes_total", Kind::Counter, help, counters.received_bytes.get());
    }

    fn statements(&self, page: &mut Page) {
        let counters = &self.instance.observer.counters;
        let verbs = counters.verbs();
        let help =
            "Statements that have ended, by first word and by outcome: ok, or the class of the SQLSTATE.";
        let mut family = page.family("voxhouse_statements_total", Kind::Counter, help);
        for of_verb in &verbs {
            for (outcome, count) in &of_verb.outcomes {
                family.sample(&[("statement", of_verb.verb), ("outcome", outcome)], count);
            }
        }
        let help = "How long statements took, from their arrival to their last row.";
        let mut family = page.family("voxhouse_statement_duration_seconds", Kind::Histogram, help);
        for of_verb in &verbs {
            family.histogram(&[("statement", of_verb.verb)], &of_verb.durations);
        }
        let help = "Query strings that could not be parsed.";
        page.one("voxhouse_syntax_errors_total", Kind::Counter, help, counters.syntax_errors.get());
        let help = "Statements that were stopped, by what stopped them.";
        let mut family = page.family("voxhouse_statements_cancelled_total", Kind::Counter, help);
        counters.cancellations().for_each(|(reason, count)| family.sample(&[("reason", reason)], count));
        let help = "Rows that statements have sent or changed.";
        page.one("voxhouse_rows_total", Kind::Counter, help, counters.rows.get());
        let state = self.instance.observer.queries.state();
        let help = "Statements that system.queries holds.";
        page.one("voxhouse_queries_entries", Kind::Gauge, help, state.entries);
        let help = "Statements that had to leave system.queries since it was last reset.";
        page.one("voxhouse_queries_evictions_total", Kind::Counter, help, state.evictions);
    }

    fn memory(&self, page: &mut Page) {
        let runtime = self.instance.runtime();
        let help = "Memory that queries hold for sorts, joins and aggregates.";
        page.one("voxhouse_memory_pool_used_bytes", Kind::Gauge, help, runtime.memory_pool.reserved());
        let help = "Memory that queries may hold before they spill.";
        page.one("voxhouse_memory_pool_limit_bytes", Kind::Gauge, help, self.instance.memory_limit());
        let help = "Bytes that queries which have ended wrote to disk for want of memory.";
        let spilled = self.instance.observer.counters.spilled_bytes.get();
        page.one("voxhouse_spilled_bytes_total", Kind::Counter, help, spilled);
        let help = "Bytes that queries hold on disk at the moment.";
        page.one("voxhouse_spill_disk_bytes", Kind::Gauge, help, runtime.disk_manager.used_disk_space());
    }
}

fn requests(page: &mut Page, meter: &StoreMeter) {
    let readings = meter.read();
    let help = "Requests to the object store, by operation and outcome.";
    let mut family = page.family("voxhouse_object_store_requests_total", Kind::Counter, help);
    for reading in &readings {
        for (outcome, count) in &reading.outcomes {
            family.sample(&[("operation", reading.operation), ("outcome", outcome)], count);
        }
    }
    let help = "How long the object store took to answer, with the tries of each request.";
    let mut family = page.family("voxhouse_object_store_request_duration_seconds", Kind::Histogram, help);
    for reading in &readings {
        family.histogram(&[("operation", reading.operation)], &reading.durations);
    }
    let help = "Bytes put into the object store.";
    page.one("voxhouse_object_store_sent_bytes_total", Kind::Counter, help, meter.sent_bytes());
    let help = "Bytes asked of the object store that it began to send.";
    page.one("voxhouse_object_store_received_bytes_total", Kind::Counter, help, meter.received_bytes());
}

fn loads(page: &mut Page, loaded: &[(String, Loaded)]) {
    let help = "Runs of pipes and loads of this process, by outcome.";
    let mut family = page.family("voxhouse_load_runs_total", Kind::Counter, help);
    for (pipe, one) in loaded {
        family.sample(&[("pipe", pipe), ("outcome", "ok")], one.runs - one.failed_runs);
        family.sample(&[("pipe", pipe), ("outcome", "failed")], one.failed_runs);
    }
    let help = "Files by what became of them. A file that fails again counts again.";
    let mut family = page.family("voxhouse_load_files_total", Kind::Counter, help);
    for (pipe, one) in loaded {
        family.sample(&[("pipe", pipe), ("state", "loaded")], one.files_loaded);
        family.sample(&[("pipe", pipe), ("state", "failed")], one.files_failed);
        family.sample(&[("pipe", pipe), ("state", "skipped")], one.files_skipped);
    }
    let help = "Rows that were loaded.";
    let mut family = page.family("voxhouse_load_rows_total", Kind::Counter, help);
    loaded.iter().for_each(|(pipe, one)| family.sample(&[("pipe", pipe)], one.rows));
    let help = "Rows that went to system.rejects.";
    let mut family = page.family("voxhouse_load_rejected_rows_total", Kind::Counter, help);
    loaded.iter().for_each(|(pipe, one)| family.sample(&[("pipe", pipe)], one.rejected));
    let help = "Bytes of the files that were loaded.";
    let mut family = page.family("voxhouse_load_bytes_total", Kind::Counter, help);
    loaded.iter().for_each(|(pipe, one)| family.sample(&[("pipe", pipe)], one.bytes));
    let help = "For how long the oldest file of the last batch had waited when its rows were in the table.";
    let mut family = page.family("voxhouse_load_lag_seconds", Kind::Gauge, help);
    for (pipe, lag) in loaded.iter().filter_map(|(pipe, one)| Some((pipe, one.lag?))) {
        family.sample(&[("pipe", pipe)], lag.num_milliseconds() as f64 / 1e3);
    }
    let help = "When a run last ended without an error, in seconds since 1970.";
    let mut family = page.family("voxhouse_load_last_success_timestamp_seconds", Kind::Gauge, help);
    for (pipe, at) in loaded.iter().filter_map(|(pipe, one)| Some((pipe, one.last_success_at?))) {
        family.sample(&[("pipe", pipe)], at.timestamp_millis() as f64 / 1e3);
    }
}
