//! The bytes on the wire beside PostgreSQL's: `python/oracle.py` holds the values.

use std::path::Path;

use crate::clients::run_python;
use crate::postgres::Postgres;
use crate::server::{House, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn values_and_their_descriptions_are_those_of_postgres() {
    let (house, postgres) = (House::open().await, Postgres::shared());
    let database = postgres.database().await;
    let (port, peer) = (house.port.to_string(), postgres.port.to_string());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/oracle.py");
    let run = move || run_python(&script, &[&port, &peer, &database], &[("PGPASSWORD", PASSWORD)]);
    let said = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(said.ends_with("all checks passed\n"), "{said}");
}
