//! A warehouse in this process, served on a port of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;
use voxhouse_engine::storage::{Storage, StoreOptions};
use voxhouse_sql::instance::{Instance, InstanceOptions, OWNER};
use voxhouse_sql::session::Session;
use voxhouse_sql::wire::{Server, ServerOptions};

use crate::clients;
use crate::postgres_text;
use crate::s3_server::{BUCKET, S3Server};

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct House {
    pub(crate) instance: Arc<Instance>,
    pub(crate) port: u16,
    shutdown: CancellationToken,
    _s3: Option<S3Server>,
}

impl House {
    /// A new warehouse in memory.
    pub(crate) async fn open() -> Self {
        Self::open_on(Storage::in_memory().unwrap(), None).await
    }

    /// A new warehouse on an S3 server of its own.
    pub(crate) async fn on_s3() -> Self {
        let s3 = S3Server::start();
        let settings = s3.environment().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let options = StoreOptions { settings, ..StoreOptions::default() };
        let storage = Storage::open(&format!("s3://{BUCKET}/房子"), &options).unwrap();
        Self::open_on(storage, Some(s3)).await
    }

    /// Another process over the same root, which remembers nothing.
    pub(crate) async fn open_again(&self) -> Self {
        Self::open_on(self.instance.warehouse.storage().clone(), None).await
    }

    async fn open_on(storage: Storage, s3: Option<S3Server>) -> Self {
        let instance = Instance::open(storage, &InstanceOptions::default()).await.unwrap();
        instance.set_password(OWNER, PASSWORD).await.unwrap();
        let mut options = ServerOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        options.shutdown_grace = Duration::from_millis(100);
        let server = Server::bind(options, Arc::new(Arc::clone(&instance))).unwrap();
        let port = server.local_addr().unwrap().port();
        let shutdown = CancellationToken::new();
        tokio::spawn(server.serve(shutdown.clone()));
        Self { instance, port, shutdown, _s3: s3 }
    }

    pub(crate) fn session(&self) -> Session {
        self.instance.session(OWNER).unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        clients::connect(self.port, PASSWORD).await.unwrap()
    }

    /// Runs statements in a session of their own.
    pub(crate) async fn run(&self, sql: &str) -> Vec<String> {
        let batches = self
            .session()
            .run(sql)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}: {sql}", error.sqlstate()));
        let rows = batches.iter().flat_map(|batch| postgres_text::of_batch(batch, chrono_tz::Tz::UTC));
        rows.map(line).collect()
    }

    /// Puts a file under the warehouse's root.
    pub(crate) async fn put(&self, path: &str, content: impl Into<bytes::Bytes>) {
        self.instance.warehouse.storage().put(path, content.into()).await.unwrap();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn line(row: Vec<Option<String>>) -> String {
    row.into_iter().map(|cell| cell.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join("|")
}

/// The rows of a query string in the simple protocol, cells with a bar between them.
pub(crate) async fn ask(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some(line((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect()))
        }
        _ => None,
    });
    rows.collect()
}

/// The SQLSTATE and the message of a statement that must fail.
pub(crate) async fn refusal(client: &Client, sql: &str) -> (String, String) {
    let Err(error) = client.simple_query(sql).await else { panic!("it did not fail: {sql}") };
    let error = error.as_db_error().unwrap_or_else(|| panic!("not the server's error: {error:?}"));
    (error.code().code().to_owned(), error.message().to_owned())
}
