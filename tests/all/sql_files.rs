//! `slt/*.slt`: SQL and its answers, the same through every door.
//!
//! Each file runs on a new warehouse. `VOXHOUSE_SLT=name` runs the files whose name contains it;
//! `VOXHOUSE_BLESS=1` writes the answers given in the process into the files: the diff is what is reviewed.

use std::path::{Path, PathBuf};

use sqllogictest::{
    Record, Runner, default_normalizer, default_validator, parse_file, strict_column_validator,
};

use crate::connection::{Connection, Door};
use crate::server::House;

fn files() -> Vec<PathBuf> {
    let wanted = std::env::var("VOXHOUSE_SLT").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .filter(|path| path.file_stem().unwrap().to_string_lossy().contains(&wanted))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no file is called like \"{wanted}\"");
    files
}

/// What went wrong in a file.
async fn run_file(path: &Path, door: Door) -> Vec<String> {
    let house = &House::open().await;
    let mut runner = Runner::new(move || async move { Ok(Connection::open(house, door).await) });
    // For what only clients see: `onlyif wire`.
    runner.add_label(if door == Door::InProcess { "process" } else { "wire" });
    if door == Door::InProcess && std::env::var_os("VOXHOUSE_BLESS").is_some() {
        let blessed = runner.update_test_file(
            path,
            "  ",
            default_validator,
            default_normalizer,
            strict_column_validator,
        );
        blessed.await.unwrap();
    }
    let mut failures = Vec::new();
    for record in parse_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
        if matches!(record, Record::Halt { .. }) {
            break;
        }
        if let Err(failure) = runner.run_async(record).await {
            failures.push(failure.display(false).to_string());
        }
    }
    failures
}

async fn run(door: Door) {
    let mut failures = Vec::new();
    for file in files() {
        failures.extend(run_file(&file, door).await);
    }
    assert!(failures.is_empty(), "{} answers differ\n{}", failures.len(), failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_files_are_answered_in_the_process() {
    run(Door::InProcess).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_files_are_answered_over_the_simple_protocol() {
    run(Door::Simple).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_files_are_answered_over_the_extended_protocol() {
    run(Door::Extended).await;
}
