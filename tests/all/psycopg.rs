//! psycopg 3: `python/client.py` holds the checks.

use std::path::Path;

use crate::clients::run_python;
use crate::server::{House, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn psycopg_reads_writes_and_is_cancelled() {
    let house = House::open().await;
    let port = house.port.to_string();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/client.py");
    let run = move || run_python(&script, &[&port], &[("PGPASSWORD", PASSWORD)]);
    let said = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(said.ends_with("all checks passed\n"), "{said}");
}
