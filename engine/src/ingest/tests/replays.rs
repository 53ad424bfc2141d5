//! Rejected rows are loaded once, whatever fails at whatever moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use object_store::ObjectStore;
use object_store::memory::InMemory;

use super::IDS;
use super::crash::fork;
use super::support::{Fault, FaultyStore, Process, author, notes};
use crate::catalog::ddl::{ConstraintDdl, Ddl};
use crate::ingest::{Replay, ReplayReport};

/// Two files with rows that a rule rejects, and the rule gone.
async fn mended() -> InMemory {
    let store = InMemory::new();
    let process = Process::start(Arc::new(store.clone())).await.unwrap();
    process.create_table(true).await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,text\n1,one\n2000,big\n3000,bigger\n4\n").await;
    process.put("b.lines", "id,text\n5000,biggest\n").await;
    let report = process.ingestion.run_pipe("notes", None).await.unwrap();
    assert_eq!((report.rows, report.rejected), (1, 4));
    let dropped = ConstraintDdl::Drop { table: notes(), name: "small".into(), if_exists: false };
    process.warehouse.run_ddl(&author(), vec![Ddl::Constraint(dropped)]).await.unwrap();
    store
}

async fn replay(process: &Process) -> ReplayReport {
    process.ingestion.replay_rejects("voxhouse", &Replay::IntoTable(notes()), None).await.unwrap()
}

async fn assert_replayed(process: &Process, when: &str) {
    let now = process.look().await;
    assert_eq!(now.query(IDS).await, ["1|one", "2000|big", "3000|bigger", "5000|biggest"], "{when}");
    let waiting = "SELECT file, row_number FROM rejects WHERE replayed_at IS NULL";
    assert_eq!(now.query(waiting).await, ["landing/notes/a.lines|4"], "{when}");
}

#[tokio::test]
async fn rows_are_replayed_once() {
    let process = Process::start(Arc::new(mended().await)).await.unwrap();
    let report = replay(&process).await;
    assert_eq!((report.run.files_loaded, report.run.rows, report.unreadable), (2, 3, 1));
    assert_replayed(&process, "once").await;
    let again = replay(&process).await;
    assert_eq!((again.run.files_loaded, again.run.rows, again.unreadable), (0, 0, 1));
    assert_replayed(&process, "twice").await;
    // The files themselves are known as before.
    assert_eq!(process.ingestion.run_pipe("notes", None).await.unwrap().rows, 0);
}

/// A replay on a store that fails at the given request; then one on a store that works.
async fn fail_at(mended: &InMemory, fault: Fault, request: usize) -> bool {
    let when = format!("{fault:?} at request {request}");
    let disk: Arc<dyn ObjectStore> = Arc::new(fork(mended).await);
    let faulty = FaultyStore::new(Arc::clone(&disk), fault, request);
    let doomed = Process::start(Arc::clone(&faulty) as _).await.unwrap();
    faulty.arm();
    let table = Replay::IntoTable(notes());
    tokio::select! {
        _ = doomed.ingestion.replay_rejects("voxhouse", &table, None) => {}
        () = faulty.hung.notified() => {}
    }
    let process = Process::start(disk).await.unwrap();
    if request.is_multiple_of(2) {
        process.ingestion.recover().await.unwrap();
    }
    replay(&process).await;
    assert_replayed(&process, &when).await;
    faulty.struck.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_replay_that_is_cut_off_anywhere_counts_once() {
    let mended = mended().await;
    for fault in [Fault::CutOff, Fault::AnswerLost, Fault::Hang] {
        let mut request = 0;
        while fail_at(&mended, fault, request).await {
            request += 1;
        }
        assert!(request >= 5, "{fault:?} struck only {request} times");
    }
}
