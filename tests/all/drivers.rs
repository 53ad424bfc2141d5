//! Drivers in their own processes. Each runs one script against Voxhouse and against PostgreSQL 15, and what it says
//! of every step must be the same: values, types, errors.
//!
//! `drivers/KNOWN` lists the steps that still differ, with the reason. A listed step that no longer differs fails the
//! test as well, so that the list stays true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use voxhouse_sql::instance::OWNER;

use crate::clients::{python, repository};
use crate::postgres::Postgres;
use crate::server::{House, PASSWORD};

/// What came of each step, by its name and in order.
pub(crate) type Transcript = Vec<(String, String)>;

async fn compare(client: &'static str, command: impl Fn() -> Command) {
    let (house, postgres) = (House::open().await, Postgres::shared());
    let database = postgres.database().await;
    let ours = run(command(), house.port, "voxhouse".to_owned()).await;
    let theirs = run(command(), postgres.port, database).await;
    assert_same(client, &ours, &theirs);
}

/// Every step has the same outcome, but for those that are known to differ and still do.
pub(crate) fn assert_same(client: &str, ours: &Transcript, theirs: &Transcript) {
    assert!(!theirs.is_empty(), "{client}: the script says nothing");
    let found: BTreeMap<&str, &str> =
        ours.iter().map(|(step, said)| (step.as_str(), said.as_str())).collect();
    let mut known = known(client);
    let mut differences = String::new();
    for (step, expected) in theirs {
        let said = found.get(step.as_str()).copied().unwrap_or("nothing: the script ended before");
        match (said == expected, known.remove(step)) {
            (true, false) | (false, true) => (),
            (true, true) => {
                differences.push_str(&format!("\n{step}: no longer differs, take it out of KNOWN"))
            }
            (false, false) => {
                differences.push_str(&format!("\n{step}:\n  voxhouse {said}\n  postgres {expected}"));
            }
        }
    }
    for step in &known {
        differences.push_str(&format!("\n{step}: in KNOWN, but there is no such step"));
    }
    assert!(differences.is_empty(), "{client} finds differences:{differences}");
}

async fn run(mut command: Command, port: u16, database: String) -> Transcript {
    target(&mut command, port, &database);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    // The server shares this runtime: the client must not block its threads.
    let output = tokio::task::spawn_blocking(move || {
        command
            .output()
            .unwrap_or_else(|error| panic!("{command:?} could not be started ({error}): run ./test"))
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    said.lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(step, said)| (step.to_owned(), said.to_owned()))
        .collect()
}

/// Tells a client of libpq, and those that read the same variables, where to connect.
pub(crate) fn target(command: &mut Command, port: u16, database: &str) {
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", port.to_string())
        .env("PGUSER", OWNER)
        .env("PGPASSWORD", PASSWORD)
        .env("PGDATABASE", database)
        .env_remove("PGOPTIONS");
}

/// The steps of `client step: reason`, a line each.
fn known(client: &str) -> BTreeSet<String> {
    let list = include_str!("../drivers/KNOWN");
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(place, _)| {
            let (name, step) = place.split_once(' ')?;
            (name == client).then(|| step.to_owned())
        })
        .collect()
}

fn script(name: &str) -> PathBuf {
    repository("tests/drivers").join(name)
}

fn python_script(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(python());
    command.arg(script(name)).args(arguments);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn psycopg_3() {
    compare("psycopg3", || python_script("psycopg3.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn psycopg_2() {
    compare("psycopg2", || python_script("psycopg2_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asyncpg() {
    compare("asyncpg", || python_script("asyncpg_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pg8000() {
    compare("pg8000", || python_script("pg8000_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlalchemy() {
    compare("sqlalchemy", || python_script("sqlalchemy_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pandas() {
    compare("pandas", || python_script("pandas_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polars() {
    compare("polars", || python_script("polars_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adbc() {
    compare("adbc", || python_script("adbc_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connectorx() {
    compare("connectorx", || python_script("connectorx_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb() {
    compare("duckdb", || python_script("duckdb_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pgcli() {
    compare("pgcli", || python_script("pgcli_client.py", &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn psql_at_a_terminal() {
    compare("psql_terminal", || python_script("psql_terminal.py", &[])).await;
}

/// PostgreSQL itself is the client: of the warehouse, and of another of its own databases.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_fdw() {
    let (house, postgres) = (House::open().await, Postgres::shared());
    let database = postgres.database().await;
    let ours = run(through(postgres).await, house.port, "voxhouse".to_owned()).await;
    let theirs = run(through(postgres).await, postgres.port, database).await;
    assert_same("postgres_fdw", &ours, &theirs);
}

/// The script, with a new database whose foreign server it makes.
async fn through(postgres: &Postgres) -> Command {
    let mut command = python_script("postgres_fdw.py", &[]);
    command.env("VIA_PORT", postgres.port.to_string()).env("VIA_DATABASE", postgres.database().await);
    command
}

/// dbt has a Python environment of its own: what it pins is older than what the other clients need.
#[tokio::test(flavor = "multi_thread")]
async fn dbt() {
    let python =
        std::env::var_os("VOXHOUSE_DBT_PYTHON").map_or_else(|| cache().join("dbt/bin/python"), PathBuf::from);
    compare("dbt", || {
        let mut command = Command::new(&python);
        command.arg(script("postgres_dbt.py"));
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odbc() {
    compare("odbc", || python_script("odbc.py", &["0"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odbc_with_cursors() {
    compare("odbc_with_cursors", || python_script("odbc.py", &["1"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node() {
    let modules = std::env::var_os("VOXHOUSE_NODE_MODULES")
        .map_or_else(|| cache().join("node/node_modules"), PathBuf::from);
    compare("node", || {
        let mut command = Command::new("node");
        command.arg("--no-deprecation").arg(script("node.js")).env("VOXHOUSE_NODE_MODULES", &modules);
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jdbc() {
    let driver =
        std::env::var("VOXHOUSE_JDBC").unwrap_or_else(|_| "/usr/share/java/postgresql.jar".to_owned());
    assert!(std::path::Path::new(&driver).exists(), "{driver} is missing: run ./test");
    compare("jdbc", || {
        let mut command = Command::new("java");
        command.args(["-XX:TieredStopAtLevel=1", "-cp", &driver]).arg(script("Jdbc.java"));
        command
    })
    .await;
}

/// Where `./test` puts what it installs.
fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/tmp".into())).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("voxhouse")
}
