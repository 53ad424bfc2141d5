//! `slt/*.slt`: SQL and its answers, the same through every door.
//!
//! Those in `slt/pg_compat` are answered by PostgreSQL 15 as well, whose answers they hold.
//!
//! Each file runs on a new warehouse. `VOXHOUSE_SLT=name` runs the files whose name contains it;
//! `VOXHOUSE_BLESS=1` writes the answers given in the process into the files: the diff is what is reviewed.

use std::path::{Path, PathBuf};

use sqllogictest::{
    MakeConnection, Record, Runner, default_normalizer, default_validator, parse_file,
    strict_column_validator,
};

use crate::connection::{Connection, Door};
use crate::postgres::Postgres;
use crate::server::House;

const OWN: &str = "slt";
const COMPATIBLE: &str = "slt/pg_compat";

fn files(folders: &[&str]) -> Vec<PathBuf> {
    let wanted = std::env::var("VOXHOUSE_SLT").unwrap_or_default();
    let mut files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap())
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
    let is_own = !path.parent().is_some_and(|folder| folder.ends_with(COMPATIBLE));
    if door == Door::InProcess && is_own {
        bless(&mut runner, path).await;
    }
    failures_in(&mut runner, path).await
}

/// Writes the answers into the file, if that is asked for.
async fn bless<M>(runner: &mut Runner<Connection, M>, path: &Path)
where
    M: MakeConnection<Conn = Connection>,
{
    if std::env::var_os("VOXHOUSE_BLESS").is_none() {
        return;
    }
    let blessed =
        runner.update_test_file(path, "  ", default_validator, default_normalizer, strict_column_validator);
    blessed.await.unwrap();
}

async fn failures_in<M>(runner: &mut Runner<Connection, M>, path: &Path) -> Vec<String>
where
    M: MakeConnection<Conn = Connection>,
{
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
    for file in files(&[OWN, COMPATIBLE]) {
        failures.extend(run_file(&file, door).await);
    }
    assert!(failures.is_empty(), "{} answers differ\n{}", failures.len(), failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_gives_the_answers_of_the_compatible_files() {
    let postgres = Postgres::shared();
    let mut failures = Vec::new();
    for file in files(&[COMPATIBLE]) {
        let database = &postgres.database().await;
        let mut runner =
            Runner::new(move || async move { Ok(Connection::to_postgres(postgres, database).await) });
        runner.add_label("postgres");
        bless(&mut runner, &file).await;
        failures.extend(failures_in(&mut runner, &file).await);
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
