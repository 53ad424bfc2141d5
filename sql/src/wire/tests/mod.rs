//! Over real sockets: tokio-postgres for what a good client does, raw bytes for the rest.

mod bytes;
mod clients;
mod copy;
mod fake;
mod hostile;
mod interrupts;
mod limits;
mod login;
mod model;
mod protocol;
mod raw;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::Result;

use super::server::{Server, ServerOptions};
use fake::{Fake, Seen};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    port: u16,
    seen: Arc<Seen>,
    panics: Arc<AtomicUsize>,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<()>>,
}

impl House {
    fn open() -> Self {
        Self::with(Fake::new(), |_| ())
    }

    fn with(fake: Fake, change: impl FnOnce(&mut ServerOptions)) -> Self {
        let mut options = ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        options.shutdown_grace = Duration::from_millis(200);
        change(&mut options);
        let seen = Arc::clone(&fake.seen);
        let server = Server::bind(options, Arc::new(fake)).unwrap();
        let port = server.local_addr().unwrap().port();
        let panics = server.panics();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(server.serve(shutdown.clone()));
        Self { port, seen, panics, shutdown, serving }
    }
}

/// How many cases a randomised test tries: so many, or as many as the environment says for a long run. The second is
/// where its random numbers start.
fn fuzz_cases(usual: u64) -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    (number("VOXHOUSE_FUZZ_CASES").unwrap_or(usual), number("VOXHOUSE_FUZZ_SEED").unwrap_or(0))
}

/// Waits until the condition holds.
async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
