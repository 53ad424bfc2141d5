//! What becomes of files that are late, grow, are replaced, vanish or fail; and of pipes that are paused or replayed.

use std::sync::Arc;

use arrow::datatypes::DataType;
use chrono::{TimeDelta, Utc};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::support::{Meddler, Process, Setup, author, notes};
use super::{FATES, IDS, run};
use crate::catalog::ddl::{Ddl, Draft};
use crate::catalog::{Column, LoadMode, SqlType};
use crate::error::ErrorKind;
use crate::table::CommitInfo;
use crate::table::rewrite::Order;

async fn house(options: &[(&str, &str)]) -> Process {
    let process = Process::with_table().await;
    process.create(Setup { options: options.to_vec(), ..Setup::default() }).await;
    process
}

#[tokio::test]
async fn a_file_that_is_deleted_before_its_turn_fails_and_holds_nobody_up() {
    let (process, meddler) = Process::meddled().await;
    process.put("a.lines", "id,text\n1,one\n").await;
    process.put("b.lines", "id,text\n2,two\n").await;
    meddler.at_first_read_of("landing/notes/a.lines", None);
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_failed), (1, 1));
    assert_eq!(report.errors[0].1.message(), "the file disappeared before it was loaded");
    assert_eq!(process.query(IDS).await, ["2|two"]);
    assert_eq!(run(&process).await.files_failed, 0);
    let fate = "SELECT state, sqlstate FROM loads WHERE file LIKE '%a.lines'";
    assert_eq!(process.query(fate).await, ["failed|58030"]);
}

#[tokio::test]
async fn a_file_that_grows_while_it_is_read_is_loaded_whole_at_the_next_run() {
    let (process, meddler) = Process::meddled().await;
    process.put("a.lines", "id,text\n1,one\n").await;
    meddler.at_first_read_of("landing/notes/a.lines", Some("id,text\n1,one\n2,two\n"));
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_failed), (0, 1), "{:?}", report.errors);
    assert_eq!(report.errors[0].1.kind(), ErrorKind::StorageIo);
    assert!(process.query(IDS).await.is_empty());
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
}

#[tokio::test]
async fn a_file_that_is_replaced_under_its_name_is_another_file() {
    let process = Process::with_table().await;
    let mode = LoadMode::Upsert { key: vec!["id".into()], newest_by: None };
    process.create(Setup { mode, ..Setup::default() }).await;
    process.put("a.lines", "id,text\n1,one\n2,two\n").await;
    run(&process).await;
    process.put("a.lines", "id,text\n1,first\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(process.query(IDS).await, ["1|first", "2|two"]);
    assert_eq!(
        process.query(FATES).await,
        ["landing/notes/a.lines|loaded|2|0", "landing/notes/a.lines|loaded|1|0"]
    );
}

#[tokio::test]
async fn a_late_file_is_loaded_when_it_comes() {
    let process = house(&[]).await;
    process.put("b.lines", "id,text\n2,two\n").await;
    run(&process).await;
    // By its name it belongs before the one that was loaded.
    process.put("a.lines", "id,text\n1,one\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
}

#[tokio::test]
async fn a_young_file_waits() {
    let process = house(&[("min_age", "1 hour")]).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    assert_eq!(run(&process).await.files_loaded, 0);
    process.create(Setup { options: vec![("min_age", "0")], ..Setup::default() }).await;
    assert_eq!(run(&process).await.files_loaded, 1);
}

#[tokio::test]
async fn a_file_that_keeps_failing_is_a_dead_letter() {
    let (process, meddler) = Process::meddled().await;
    process.create(Setup { options: vec![("max_tries", "3")], ..Setup::default() }).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    process.put("b.lines", "id,text\n2,two\n").await;
    meddler.refuse("landing/notes/a.lines", true);
    for failed in [1, 1, 1, 0, 0] {
        assert_eq!(run(&process).await.files_failed, failed);
    }
    let states =
        process.query("SELECT state FROM loads WHERE file LIKE '%a.lines' ORDER BY finished_at").await;
    assert_eq!(states, ["failed", "failed", "dead"]);
    let error = process.query("SELECT error FROM loads WHERE state = 'dead'").await.concat();
    assert!(error.ends_with("It was tried 3 times"), "{error}");
    let catalog = process.warehouse.catalog().await.unwrap();
    let status = process.ingestion.pipe_status(&catalog, catalog.pipe("notes").unwrap(), true).await.unwrap();
    assert_eq!((status.files_dead, status.files_failed, status.waiting.unwrap().files), (1, 0, 0));
    assert!(status.last_error.unwrap().contains("tried 3 times"));
    // Another process knows it too, and a replay brings it back.
    let other = Process::start(Arc::clone(&process.store)).await.unwrap();
    meddler.refuse("landing/notes/a.lines", false);
    assert_eq!(run(&other).await.files_loaded, 0);
    other.ingestion.replay_pipe("notes", None).await.unwrap();
    assert_eq!(run(&process).await.files_loaded, 2);
    assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
}

#[tokio::test]
async fn a_replay_goes_back_to_a_moment() {
    let process = Process::with_table().await;
    let mode = LoadMode::Upsert { key: vec!["id".into()], newest_by: None };
    process.create(Setup { mode, ..Setup::default() }).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    run(&process).await;
    let later = Utc::now() + TimeDelta::hours(1);
    assert_eq!(process.ingestion.replay_pipe("notes", Some(later)).await.unwrap(), 0);
    assert_eq!(run(&process).await.files_loaded, 0);
    let before = Utc::now() - TimeDelta::hours(1);
    assert_eq!(process.ingestion.replay_pipe("notes", Some(before)).await.unwrap(), 1);
    // It is kept in the warehouse, not in a process.
    let other = Process::start(Arc::clone(&process.store)).await.unwrap();
    assert_eq!(run(&other).await.files_loaded, 1);
    assert_eq!(run(&process).await.files_loaded, 0);
}

#[tokio::test]
async fn a_paused_pipe_loads_nothing() {
    let process = house(&[]).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    let pause = |paused| vec![Ddl::PausePipe { name: "notes".into(), paused }];
    process.warehouse.run_ddl(&super::author(), pause(true)).await.unwrap();
    let error = process.ingestion.run_pipe("notes", None).await.unwrap_err();
    assert_eq!((error.sqlstate(), error.message()), ("55000", "pipe \"notes\" is paused"));
    process.ingestion.recover().await.unwrap();
    let catalog = process.warehouse.catalog().await.unwrap();
    let status = process.ingestion.pipe_status(&catalog, catalog.pipe("notes").unwrap(), true).await.unwrap();
    assert_eq!((status.state, status.waiting.unwrap().files), ("paused", 1));
    // It stays so when it is defined anew.
    process.create(Setup::default()).await;
    assert!(process.ingestion.run_pipe("notes", None).await.is_err());
    process.warehouse.run_ddl(&super::author(), pause(false)).await.unwrap();
    assert_eq!(run(&process).await.files_loaded, 1);
}

#[tokio::test]
async fn headers_are_matched_whatever_their_form() {
    let process = house(&[]).await;
    process.put("a.lines", "\u{feff}ID,Ｔｅｘｔ\n1,one\n").await;
    process.put("b.lines", "Text,id,TEXT\nx,2,y\n").await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_failed), (1, 1));
    assert_eq!(report.errors[0].1.message(), "columns \"Text\" and \"TEXT\" of the file are both \"text\"");
    assert_eq!(process.query(IDS).await, ["1|one"]);
    process.create(Setup { query: Some("SELECT id, text FROM source"), ..Setup::default() }).await;
    process.put("c.lines", "ID , TEXT\n3,three\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
}

#[tokio::test]
async fn a_new_column_is_refused_ignored_or_added() {
    let file = "id,text,Extra\n1,one,1\n";
    let process = house(&[]).await;
    process.put("a.lines", file).await;
    assert_eq!(run(&process).await.files_failed, 1);
    process.create(Setup { options: vec![("new_columns", "ignore")], ..Setup::default() }).await;
    assert_eq!(run(&process).await.files_loaded, 1);
    process.create(Setup { options: vec![("new_columns", "add")], ..Setup::default() }).await;
    process.put("b.lines", "id,text\n2,two\n").await;
    process.put("c.lines", "id,text,Extra\n3,three,3\n").await;
    process.put("d.lines", "id,text,EXTRA,more\n4,four,4,m\n").await;
    assert_eq!(run(&process).await.files_loaded, 3);
    let all = "SELECT id, text, mark, extra, more FROM notes ORDER BY id";
    assert_eq!(
        process.query(all).await,
        [
            "1|one|unmarked|NULL|NULL",
            "2|two|unmarked|NULL|NULL",
            "3|three|unmarked|3|NULL",
            "4|four|unmarked|4|m"
        ]
    );
}

#[tokio::test]
async fn a_missing_column_is_an_error_where_the_pipe_says_so() {
    let process = Process::with_table().await;
    process.create(Setup { options: vec![("missing_columns", "error")], ..Setup::default() }).await;
    process.put("a.lines", "text\none\n").await;
    process.put("b.lines", "id,text\n2,two\n").await;
    let report = run(&process).await;
    assert_eq!((report.files_loaded, report.files_failed), (1, 1));
    assert_eq!(report.errors[0].1.message(), "column \"id\" of relation \"notes\" is missing");
}

#[tokio::test]
async fn a_column_of_a_wider_type_is_refused_by_name() {
    let query = Some("SELECT CAST(id AS bigint) AS id, text FROM source");
    let process = Process::with_table().await;
    process.create(Setup { query, options: vec![("type_changes", "refuse")], ..Setup::default() }).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    let report = run(&process).await;
    assert_eq!(
        report.errors[0].1.message(),
        "column \"id\" is of type integer but the file has bigint, which is wider"
    );
    let type_of_id = async || {
        let catalog = process.warehouse.catalog().await.unwrap();
        catalog.table(&notes()).unwrap().column("id").unwrap().data_type.to_string()
    };
    process.create(Setup { query, ..Setup::default() }).await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(type_of_id().await, "integer");
    process.create(Setup { query, options: vec![("type_changes", "widen")], ..Setup::default() }).await;
    process.put("b.lines", "id,text\n2,two\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert_eq!(type_of_id().await, "bigint");
    assert_eq!(process.query(IDS).await, ["1|one", "2|two"]);
}

#[tokio::test]
async fn many_small_files_become_one_data_file() {
    let process = Process::with_table().await;
    process.warehouse.run_ddl(&super::author(), vec![super::drop_notes()]).await.unwrap();
    process.create_table(false).await;
    process.create(Setup::default()).await;
    let ingestion = process.ingestion_with_batches_of(512);
    for file in 0..500 {
        let rows: String = (0..2).map(|row| format!("{},x\n", (file * 2 + row) % 1000)).collect();
        process.put(&format!("{file:04}.lines"), &format!("id,text\n{rows}")).await;
    }
    let started = std::time::Instant::now();
    let report = ingestion.run_pipe("notes", None).await.unwrap();
    println!("500 files in {:?}", started.elapsed());
    assert_eq!((report.batches, report.files_loaded, report.rows), (1, 500, 1000));
    assert_eq!(process.files().await.len(), 1);
    assert_eq!(process.query("SELECT count(*) FROM notes").await, ["1000"]);
}

#[tokio::test]
async fn a_meddler_changes_nothing_by_itself() {
    let (process, _meddler): (Process, Arc<Meddler>) = Process::meddled().await;
    process.put("a.lines", "id,text\n1,one\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
    assert!(process.store.head(&Path::from("landing/notes/a.lines")).await.is_ok());
}

/// Columns of which only the catalog knows: the process that defined them died before it told the log of the table.
#[tokio::test]
async fn columns_that_a_crash_left_out_of_the_log_are_there_before_rows_are() {
    let process = Process::with_table().await;
    process.create(Setup::default()).await;
    process.put("a.lines", "id,text\n1,one\n").await;
    run(&process).await;
    let definitions = [
        Ddl::AddColumn { table: notes(), column: Column::new("later", SqlType::Text), if_not_exists: false },
        Ddl::WidenColumn { table: notes(), column: "id".into(), data_type: SqlType::BigInt, at_least: false },
    ];
    let author = author();
    let committed = process.warehouse.catalog_log().commit(&author, |base| {
        let mut draft = Draft::new(base, &author.role);
        for definition in &definitions {
            draft.apply(definition)?;
        }
        Ok((draft.into_changes(), ()))
    });
    committed.await.unwrap();
    let rows = "SELECT id, text, later FROM notes ORDER BY id";
    assert_eq!(process.query(rows).await, ["1|one|NULL"]);
    process.put("b.lines", "id,text,later\n2,two,x\n").await;
    assert_eq!(run(&process).await.files_loaded, 1);
    // Files are merged with the columns of the log.
    let catalog = process.warehouse.catalog().await.unwrap();
    let delta = process.warehouse.delta(catalog.table(&notes()).unwrap()).unwrap();
    let base = delta.snapshot().await.unwrap();
    let (schema, files) = (base.schema(), process.files().await.into_iter().collect());
    assert_eq!(schema.field_with_name("id").unwrap().data_type(), &DataType::Int64);
    let state = process.ingestion.planner.session_state();
    let rewritten = delta.rewrite(&base, &files, &Order::Columns(Vec::new()), &state).await.unwrap();
    delta.swap(&base, vec![rewritten], CommitInfo::default()).await.unwrap();
    assert_eq!(process.files().await.len(), 1);
    assert_eq!(process.query(rows).await, ["1|one|NULL", "2|two|x"]);
}
