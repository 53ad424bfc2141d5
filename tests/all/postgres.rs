//! A PostgreSQL 15 beside the server under test: what it answers is what a client expects.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clients;
use crate::server::PASSWORD;

/// The cluster that the tests of this process share.
pub(crate) struct Postgres {
    pub(crate) port: u16,
    databases: AtomicUsize,
    /// When this pipe closes, which no end of this process can prevent, the cluster is stopped and removed.
    _lifeline: ChildStdin,
}

impl Postgres {
    /// Started by the first test that asks; its superuser has the name and the password of the warehouse's.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    #[allow(
        clippy::zombie_processes,
        reason = "it ends by itself when its input is closed, with this process"
    )]
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("voxhouse-postgres-").tempdir().unwrap().keep();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("sh")
            .args(["-c", include_str!("postgres.sh"), "postgres.sh"])
            .arg(&folder)
            .args([&port.to_string(), PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lifeline = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        output.read_line(&mut said).unwrap();
        if said.trim() != "ready" {
            output.read_to_string(&mut said).unwrap();
            panic!("PostgreSQL did not start: {said}");
        }
        Self { port, databases: AtomicUsize::new(0), _lifeline: lifeline }
    }

    /// The name of a new database.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut config = clients::config(self.port, PASSWORD);
        let (client, connection) = config.dbname("postgres").connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.unwrap();
        name
    }
}
