//! What the wire needs of the SQL side, and nothing more: sessions that parse, prepare and execute.
//!
//! The wire knows messages, formats and portals; it knows no table, no plan and no catalog.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::scalar::ScalarValue;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::Result;

/// Who connects, from the start-up message.
#[derive(Debug, Clone)]
pub struct Login {
    /// Process id of the backend, as `pg_backend_pid()` tells it.
    pub process_id: i32,
    pub role: String,
    pub database: String,
    /// The other start-up parameters: `application_name`, `TimeZone`, `options` …
    pub parameters: Vec<(String, String)>,
    pub client_address: String,
    pub tls: bool,
}

/// What is stored of a password (RFC 5803): enough to check one, not enough to log in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramVerifier {
    pub iterations: u32,
    pub salt: Vec<u8>,
    pub stored_key: Vec<u8>,
    pub server_key: Vec<u8>,
}

/// The letter of ReadyForQuery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    Idle,
    InTransaction,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `NOTICE` or `WARNING`.
    pub severity: &'static str,
    pub sqlstate: &'static str,
    pub message: String,
}

/// The answer to one statement.
pub enum Outcome {
    /// The statement was empty or only comments.
    Empty,
    /// A whole command tag: `CREATE TABLE`, `INSERT 0 5`.
    Done(String),
    /// Rows that have not been computed yet. The tag is `verb` and the number of rows sent.
    Rows { verb: &'static str, rows: SendableRecordBatchStream },
}

/// A statement planned far enough to describe it.
#[derive(Debug, Clone)]
pub struct Description {
    /// By position: `$1` first.
    pub parameters: Vec<DataType>,
    /// `None`: the statement returns no rows (NoData).
    pub columns: Option<SchemaRef>,
}

/// One per process.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    type Session: Session;

    /// `None` for an unknown role or one without a password; the wire then goes through the motions with a
    /// made-up verifier, so that both fail alike.
    async fn verifier(&self, role: &str) -> Result<Option<ScramVerifier>>;

    /// After authentication.
    async fn connect(&self, login: Login) -> Result<Self::Session>;
}

/// One per connection; statements come one at a time.
///
/// Every method that plans or executes is cancelled by dropping its future or its stream. The token of
/// `execute` is for work that outlives a future, such as a commit that must not stop half-way.
#[async_trait]
pub trait Session: Send + 'static {
    type Statement: Clone + Send + Sync + 'static;
    type Prepared: Send + Sync + 'static;

    /// The parameters that the server reports after log-in.
    fn parameter_status(&self) -> Vec<(String, String)>;

    /// Reported parameters that have changed since the last call.
    fn take_parameter_changes(&mut self) -> Vec<(String, String)>;

    fn take_notices(&mut self) -> Vec<Notice>;

    /// The columns of a cursor that DECLARE has opened: to a client that describes it, it is a portal.
    fn cursor_columns(&self, _name: &str) -> Option<SchemaRef> {
        None
    }

    /// The zone in which `timestamp with time zone` is printed and read.
    fn time_zone(&self) -> chrono_tz::Tz;

    fn transaction_status(&self) -> TransactionStatus;

    /// `None`: no limit. Covers a statement from its arrival to its last row.
    fn statement_timeout(&self) -> Option<Duration>;

    /// Splits and parses a query string. An empty string gives no statement.
    fn parse(&self, sql: &str) -> Result<Vec<Self::Statement>>;

    /// Plans a statement. `parameters` are the types that the client declared, by position; `None` where it
    /// left them to the server.
    async fn prepare(
        &mut self,
        statement: Self::Statement,
        parameters: &[Option<DataType>],
    ) -> Result<Arc<Self::Prepared>>;

    fn describe(&self, prepared: &Self::Prepared) -> Description;

    async fn execute(
        &mut self,
        prepared: &Arc<Self::Prepared>,
        parameters: Vec<ScalarValue>,
        cancel: CancellationToken,
    ) -> Result<Outcome>;

    /// Tells the session that an error was answered, so that an open transaction becomes a failed one: a
    /// statement failed, was cancelled or timed out at any point up to its last row, or the wire itself refused
    /// a message, such as a Bind with a bad parameter.
    fn statement_failed(&mut self);

    /// Tells of the statement that comes next whether it shares an implicit transaction with others: those of one
    /// query string, or those up to Sync.
    fn set_company(&mut self, _in_company: bool) {}

    /// Set while a commit runs. What has begun to be committed is not stopped half-way.
    fn commit_flag(&self) -> Arc<AtomicBool> {
        Arc::default()
    }

    /// Every query string and every Sync ends here: an implicit transaction commits.
    async fn sync(&mut self) -> Result<()>;
}
