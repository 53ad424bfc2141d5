//! Clients as users have them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tokio_postgres::{Client, Config, Error, NoTls};
use voxhouse_sql::instance::OWNER;

pub(crate) fn config(port: u16, password: &str) -> Config {
    let mut config = Config::new();
    config.host("127.0.0.1").port(port).user(OWNER).dbname("voxhouse").password(password);
    config
}

pub(crate) async fn connect(port: u16, password: &str) -> Result<Client, Error> {
    let (client, connection) = config(port, password).connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Runs psql without start-up files, with unaligned output.
pub(crate) fn psql(port: u16, password: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("psql");
    command.args(["-X", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", OWNER, "-d", "voxhouse"]);
    command.args(["-v", "ON_ERROR_STOP=1", "-P", "pager=off", "-A"]).args(arguments);
    command.env("PGPASSWORD", password).env("PGCONNECT_TIMEOUT", "20").env_remove("PGOPTIONS");
    command.output().unwrap_or_else(|error| {
        panic!("psql could not be started ({error}): install the package postgresql-client")
    })
}

/// What psql prints for statements that succeed.
pub(crate) fn psql_says(port: u16, password: &str, arguments: &[&str]) -> String {
    let output = psql(port, password, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("ERROR"), "psql {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The Python of `./test`, which has psycopg; any Python 3 for scripts that need the standard library only.
pub(crate) fn python() -> PathBuf {
    std::env::var_os("VOXHOUSE_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from)
}

/// Runs a Python script; its output, if it succeeds.
pub(crate) fn run_python(script: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(python());
    command.arg(script).args(arguments).envs(environment.iter().copied()).env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap_or_else(|error| {
        panic!("python3 could not be started ({error}): install the package python3")
    });
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{} {arguments:?} failed\n{said}\n{}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}
