mod crash;
mod fates;
mod modes;
mod replays;
mod support;

use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Progress, Push, RunReport};
use crate::catalog::ddl::{Ddl, DropKind};
use crate::error::ErrorKind;
use crate::source::FormatOptions;
use support::{Process, author, notes};

const IDS: &str = "SELECT id, text FROM notes ORDER BY id, text";
const FATES: &str = "SELECT file, state, rows, rejected FROM loads ORDER BY started_at, file, state";
const REJECTS: &str = "SELECT file, row_number, sqlstate, reason, raw FROM rejects ORDER BY file, row_number";

async fn run(process: &Process) -> RunReport {
    process.ingestion.run_pipe("notes", None).await.unwrap()
}

#[tokio::test]
async fn new_files_load_once() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    for (name, text) in [("a.lines", "id,text\n1,one\n2,two\n"), ("b.lines", "text,id\nthree,3\n")] {
        process.put(name, text).await;
    }
    process.put("c.lines", "id,text\n4,four\n").await;
    let report = run(&process).await;
    assert_eq!((report.batches, report.files_loaded, report.rows, report.rejected), (2, 3, 4, 0));
    assert_eq!(process.query(IDS).await, ["1|one", "2|two", "3|three", "4|four"]);
    let again = run(&process).await;
    assert_eq!((again.batches, again.files_loaded, again.files_skipped), (0, 0, 0));
    assert_eq!(process.query("SELECT DISTINCT mark FROM notes").await, ["unmarked"]);
    let fates =
        "SELECT pipe, target, file, state, rows, rejected, version, batch, error FROM loads ORDER BY file";
    assert_eq!(
        process.query(fates).await,
        [
            "notes|x.notes|landing/notes/a.lines|loaded|2|0|1|1|NULL",
            "notes|x.notes|landing/notes/b.lines|loaded|1|0|1|1|NULL",
            "notes|x.notes|landing/notes/c.lines|loaded|1|0|2|2|NULL",
        ]
    );
}

#[tokio::test]
async fn another_process_knows_what_was_loaded() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    run(&process).await;
    let other = Process::start(Arc::clone(&process.store)).await.unwrap();
    assert_eq!(run(&other).await.files_loaded, 0);
    assert_eq!(other.query(IDS).await, ["1|one"]);
}

#[tokio::test]
async fn the_same_content_under_the_same_name_is_skipped_once() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    run(&process).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_skipped), (0, 1));
    assert_eq!(run(&process).await.files_skipped, 0);
    assert_eq!(
        process.query("SELECT state, error FROM loads ORDER BY started_at").await,
        ["loaded|NULL", "skipped|the same content was loaded before from \"landing/notes/a.lines\""]
    );
    assert_eq!(process.query(IDS).await, ["1|one"]);
}

#[tokio::test]
async fn changed_content_under_the_same_name_is_a_new_file() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    run(&process).await;
    process.put("a.lines", "id,text\n2,two\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
}

#[tokio::test]
async fn hidden_and_unfinished_files_and_those_of_other_formats_wait() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    for name in
        ["_SUCCESS", ".a.lines", "_temporary/0/a.lines", "a.lines.tmp", "a.lines._COPYING_", "a.other"]
    {
        process.put(name, "id,text\n1,one\n").await;
    }
    process.put("deep/b.lines", "id,text\n2,two\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(process.query(IDS).await, ["2|two"]);
}

#[tokio::test]
async fn a_corrupt_file_fails_alone_and_is_not_tried_again() {
    for keyed in [true, false] {
        let process = Process::with_table().await;
        process.warehouse.run_ddl(&author(), vec![drop_notes()]).await.unwrap();
        process.create_table(keyed).await;
        process.create_pipe(None).await;
        let path = Path::from("landing/notes/a.lines");
        process.store.put(&path, vec![0xff, 0xfe, 0xfd].into()).await.unwrap();
        process.put("b.lines", "id,text\n1,one\n2,two\n3,three\nDAMAGE\n").await;
        process.put("c.lines", "id,text\n1,one\n").await;
        process.put("d.lines", "id,text\n2,two\n").await;
        let report = run(&process).await;
        assert_eq!((report.files_loaded, report.files_failed), (2, 2));
        let errors: Vec<String> =
            report.errors.iter().map(|(name, error)| format!("{name}: {error}")).collect();
        assert_eq!(
            errors,
            [
                "landing/notes/a.lines: invalid lines file",
                "landing/notes/b.lines: the rest of the file is damaged"
            ]
        );
        // The keys of the file that failed are free.
        assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
        assert_eq!(run(&process).await.files_failed, 0);
        let failed = "SELECT file, sqlstate, error FROM loads WHERE state = 'failed' ORDER BY file";
        assert_eq!(
            process.query(failed).await,
            [
                "landing/notes/a.lines|XX001|invalid lines file",
                "landing/notes/b.lines|XX001|the rest of the file is damaged"
            ]
        );
        assert!(process.query(REJECTS).await.is_empty());
    }
}

fn drop_notes() -> Ddl {
    Ddl::DropRelation { name: notes(), kind: DropKind::Table, if_exists: false, cascade: true }
}

#[tokio::test]
async fn a_bad_row_is_rejected_with_its_number_reason_and_content() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    let rows = "1,one\n2,two\n3,three\n4,four\n5,five\n6,six\nseven,7\n8\n9,\n1000,many\n1,again\n11,eleven";
    process.put("a.lines", &format!("id,text\n{rows}\n")).await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.rows, report.rejected), (1, 7, 5));
    assert_eq!(
        process.query(REJECTS).await,
        [
            "landing/notes/a.lines|7|22P02|column \"id\": invalid input syntax for type integer: \"seven\"\
             |{\"id\":\"seven\",\"text\":\"7\"}",
            "landing/notes/a.lines|8|22P04|1 values for 2 columns|\"8\"",
            "landing/notes/a.lines|9|23502|null value in column \"text\" of relation \"notes\" violates not-null \
             constraint|{\"id\":\"9\",\"text\":null}",
            "landing/notes/a.lines|10|23514|new row for relation \"notes\" violates check constraint \"small\"\
             |{\"id\":\"1000\",\"text\":\"many\"}",
            "landing/notes/a.lines|11|23505|duplicate key value violates unique constraint \"notes_pkey\". \
             Key (id)=(1) already exists: primary key of relation \"notes\"|{\"id\":\"1\",\"text\":\"again\"}",
        ]
    );
    assert_eq!(process.query(FATES).await, ["landing/notes/a.lines|loaded|7|5"]);
}

#[tokio::test]
async fn a_file_that_gives_no_rows_is_loaded_once_too() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,text\n").await;
    process.put("b.lines", "id,text\nx,bad\n").await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.rows, report.rejected), (2, 0, 1));
    assert_eq!(run(&process).await.files_loaded, 0);
    assert_eq!(
        process.query(FATES).await,
        ["landing/notes/a.lines|loaded|0|0", "landing/notes/b.lines|loaded|0|1"]
    );
    assert_eq!(process.query("SELECT count(*) FROM rejects").await, ["1"]);
}

#[tokio::test]
async fn keys_hold_across_files_batches_and_runs() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    for name in ["a.lines", "b.lines", "c.lines"] {
        process.put(name, &format!("id,text\n1,{name}\n")).await;
    }
    assert_eq!((run(&process).await.rejected, process.query(IDS).await), (2, vec!["1|a.lines".to_owned()]));
    process.put("d.lines", "id,text\n1,later\n2,two\n").await;
    assert_eq!(run(&process).await.rejected, 1);
    assert_eq!(process.query(IDS).await, ["1|a.lines", "2|two"]);
}

#[tokio::test]
async fn a_row_that_the_query_cannot_evaluate_is_rejected() {
    for keyed in [true, false] {
        let process = Process::with_table().await;
        process.warehouse.run_ddl(&author(), vec![drop_notes()]).await.unwrap();
        process.create_table(keyed).await;
        process
            .create_pipe(Some("SELECT CAST(id AS integer) AS id, text FROM source WHERE text <> 'no'"))
            .await;
        process.put("a.lines", "id,text\n1,one\n").await;
        process.put("b.lines", "id,text\n2,two\n3,no\nx,no\nfour,four\n5,five\n6\nsix,six\n7,seven\n").await;
        process.put("c.lines", "id,text\n8,eight\n").await;
        let report = run(&process).await;
        assert_eq!((report.files_loaded, report.rows, report.rejected), (3, 5, 3), "{:?}", report.errors);
        assert_eq!(process.query(IDS).await, ["1|one", "2|two", "5|five", "7|seven", "8|eight"]);
        assert_eq!(
            process.query("SELECT row_number, sqlstate, reason, raw FROM rejects ORDER BY row_number").await,
            [
                "4|22P02|invalid input syntax for type integer: \"four\"|{\"id\":\"four\",\"text\":\"four\"}",
                "6|22P04|1 values for 2 columns|\"6\"",
                "7|22P02|invalid input syntax for type integer: \"six\"|{\"id\":\"six\",\"text\":\"six\"}",
            ]
        );
    }
}

#[tokio::test]
async fn a_query_over_many_rows_fails_as_a_whole() {
    let process = Process::with_table().await;
    let grouped = "SELECT CAST(id AS integer) AS id, max(text) AS text FROM source GROUP BY id";
    process.create_pipe(Some(grouped)).await;
    process.put("a.lines", "id,text\n1,a\n1,b\n").await;
    process.put("b.lines", "id,text\n2,a\nx,b\n").await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_failed), (1, 1));
    assert_eq!(report.errors[0].1.sqlstate(), "22P02");
    assert_eq!(process.query(IDS).await, ["1|b"]);
    // With a window the other rows would have other numbers.
    let numbered = "SELECT CAST(id AS integer) AS id, CAST(row_number() OVER () AS text) AS text FROM source";
    process.create_pipe(Some(numbered)).await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_failed), (0, 1));
}

#[tokio::test]
async fn a_missing_column_is_told_and_a_mended_pipe_tries_again() {
    let process = Process::with_table().await;
    process.create_pipe(Some("SELECT id, comment AS text FROM source")).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    process.put("b.lines", "id,comment\n2,two\n").await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_failed), (1, 1));
    assert_eq!(
        process.query("SELECT file, sqlstate, error FROM loads WHERE state = 'failed'").await,
        [
            "landing/notes/a.lines|42703|column \"comment\" does not exist. The columns of the file are id, text"
        ]
    );
    process.create_pipe(Some("SELECT id, text FROM source")).await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
}

#[tokio::test]
async fn a_file_without_a_required_column_or_with_an_unknown_one_fails() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,mark\n1,one\n").await;
    process.put("b.lines", "id,text,extra\n2,two,2\n").await;
    process.put("c.lines", "id,text\n3,three\n").await;
    assert_eq!(run(&process).await.files_failed, 2);
    assert_eq!(
        process.query("SELECT error FROM loads WHERE state = 'failed' ORDER BY file").await,
        [
            "column \"text\" of relation \"notes\" is missing. The column is NOT NULL and has no default. \
             The columns given are id, mark",
            "column \"extra\" of relation \"notes\" does not exist. The columns are id, text, mark",
        ]
    );
    assert_eq!(process.query(IDS).await, ["3|three"]);
}

#[tokio::test]
async fn a_table_made_again_gets_the_files_again() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    run(&process).await;
    process.warehouse.run_ddl(&author(), vec![drop_notes()]).await.unwrap();
    process.create_table(true).await;
    process.create_pipe(None).await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(process.query(IDS).await, ["1|one"]);
}

async fn push(process: &Process, files: &[(&str, &str)]) -> RunReport {
    let store: Arc<dyn ObjectStore> = Arc::new(object_store::memory::InMemory::new());
    let mut metas = Vec::new();
    for (name, text) in files {
        let path = Path::from(*name);
        store.put(&path, (*text).to_owned().into()).await.unwrap();
        metas.push(store.head(&path).await.unwrap());
    }
    let push = Push { store, files: metas, into: notes(), format: None, options: FormatOptions::new() };
    process.ingestion.load_files("voxhouse", push, None).await.unwrap()
}

#[tokio::test]
async fn pushed_content_enters_a_table_once_whatever_its_name() {
    let process = Process::with_table().await;
    let report = push(&process, &[("a.lines", "id,text\n1,one\n"), ("twin.lines", "id,text\n1,one\n")]).await;
    assert_eq!((report.files_loaded, report.files_skipped, report.rows), (1, 1, 1));
    let report = push(&process, &[("b.lines", "id,text\n1,one\n"), ("a.lines", "id,text\n2,two\n")]).await;
    assert_eq!((report.files_loaded, report.files_skipped), (1, 1));
    assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
    assert_eq!(process.query("SELECT DISTINCT pipe FROM loads").await, ["load:x.notes"]);
    // A failure is no obstacle to the next push.
    for _ in 0..2 {
        let report = push(&process, &[("bad.lines", "id,wrong\n1,one\n"), ("x.unknown", "")]).await;
        assert_eq!(report.files_failed, 2);
        assert_eq!(report.errors[1].1.kind(), ErrorKind::NotSupported);
    }
}

#[tokio::test]
async fn a_disk_is_a_source_too() {
    let folder = std::env::temp_dir().join(format!("ingest-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let process = Process::with_table().await;
    let url = url::Url::from_directory_path(&folder).unwrap();
    let pipe = crate::catalog::ddl::NewPipe {
        name: "disk".into(),
        from: url.to_string(),
        into: notes(),
        format: "lines".into(),
        options: FormatOptions::new(),
        mode: crate::catalog::LoadMode::Append,
        every_seconds: None,
        query: None,
    };
    let ddl = Ddl::CreatePipe { pipe, or_replace: false, if_not_exists: false };
    process.warehouse.run_ddl(&author(), vec![ddl]).await.unwrap();
    std::fs::write(folder.join("a.lines"), "id,text\n1,one\n").unwrap();
    let first = process.ingestion.run_pipe("disk", None).await.unwrap();
    // The file is written again: its time is new, its content is not.
    std::fs::write(folder.join("a.lines"), "id,text\n1,one\n").unwrap();
    let second = process.ingestion.run_pipe("disk", None).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((first.files_loaded, second.files_loaded, second.files_skipped), (1, 0, 1));
    let file = format!("{url}a.lines");
    assert_eq!(process.query("SELECT DISTINCT file FROM loads").await, [file]);
}

#[derive(Default)]
struct Recorder(parking_lot::Mutex<Vec<String>>);

impl Progress for Recorder {
    fn file_started(&self, name: &str, bytes: u64) {
        self.0.lock().push(format!("start {name} {bytes}"));
    }

    fn rows(&self, rows: u64) {
        self.0.lock().push(format!("rows {rows}"));
    }

    fn file_finished(&self, name: &str, outcome: &super::FileOutcome) {
        self.0.lock().push(format!("end {name} {outcome:?}"));
    }
}

#[tokio::test]
async fn progress_is_told() {
    let process = Process::with_table().await;
    process.create_pipe(None).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    let recorder = Arc::new(Recorder::default());
    let progress: Arc<dyn Progress> = Arc::clone(&recorder) as _;
    process.ingestion.run_pipe("notes", Some(progress)).await.unwrap();
    let file = "landing/notes/a.lines";
    let expected = [
        format!("start {file} 14"),
        "rows 1".into(),
        format!("end {file} Loaded {{ rows: 1, rejected: 0 }}"),
    ];
    assert_eq!(*recorder.0.lock(), expected);
}

#[tokio::test]
async fn many_small_batches_are_compacted_and_still_known() {
    let process = Process::with_table().await;
    process.warehouse.run_ddl(&author(), vec![drop_notes()]).await.unwrap();
    process.create_table(false).await;
    process.create_pipe(None).await;
    for round in 0..70 {
        process.put(&format!("{round}.lines"), &format!("id,text\n{round},x\nbad,x\n")).await;
        assert_eq!(run(&process).await.rows, 1);
    }
    let ledger = process.warehouse.delta_at("_system/loads").unwrap().snapshot().await.unwrap();
    assert!(ledger.files().unwrap().len() < 70, "{} files", ledger.files().unwrap().len());
    assert_eq!(run(&process).await.files_loaded, 0);
    let other = Process::start(Arc::clone(&process.store)).await.unwrap();
    assert_eq!(run(&other).await.files_loaded, 0);
    assert_eq!(other.query("SELECT count(*) FROM loads").await, ["70"]);
    assert_eq!(other.query("SELECT count(*) FROM rejects").await, ["70"]);
}

#[tokio::test]
async fn the_scheduler_runs_what_is_due_and_sees_new_pipes() {
    let process = Process::with_table().await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let scheduler = tokio::spawn(Arc::clone(&process.ingestion).run_scheduler(stopped));
    process.put("a.lines", "id,text\n1,one\n").await;
    process.create_pipe_every(None, Some(1)).await;
    for (round, expected) in [(1, "1"), (2, "2")] {
        let mut waited = 0;
        while process.query("SELECT count(*) FROM notes").await != [expected] {
            assert!(waited < 100, "round {round}");
            waited += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        process.put("b.lines", "id,text\n2,two\n").await;
    }
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(5), scheduler).await.unwrap().unwrap();
}
