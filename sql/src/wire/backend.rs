//! What the wire needs of the SQL side, and nothing more: sessions that parse, prepare and execute.
//!
//! The wire knows messages, formats and portals; it knows no table, no plan and no catalog.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::scalar::ScalarValue;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::Result;

use super::copy::{CopyFormat, CopyIn};
use super::portal::Statements;
use super::style::TextStyle;
use crate::dialect::Identity;
use crate::observe::Observer;
use crate::observe::watch::{LogAs, Progress};
use crate::processes::Processes;

/// Who connects, from the start-up message.
#[derive(Debug, Clone)]
pub struct Login {
    /// Process id of the backend, as `pg_backend_pid()` tells it.
    pub process_id: i32,
    pub role: String,
    pub database: String,
    /// The other start-up parameters: `application_name`, `TimeZone`, `options` …
    pub parameters: Vec<(String, String)>,
    /// `None`: a session of the process itself.
    pub client: Option<SocketAddr>,
    pub tls: bool,
}

/// What log-in must know of a role that may log in.
#[derive(Debug, Clone)]
pub struct LoginRole {
    /// `None`: it has no password.
    pub verifier: Option<ScramVerifier>,
    /// Superusers may have the reserved slots, and no limit of their own applies to them.
    pub superuser: bool,
    /// How many sessions of the role there may be at a time; `None`: as many as fit.
    pub connection_limit: Option<usize>,
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
    /// Rows for COPY TO STDOUT. `columns` are their labels and types.
    CopyOut { rows: SendableRecordBatchStream, columns: SchemaRef, format: CopyFormat },
    /// COPY FROM STDIN: the client is asked for rows, which go to [`Session::copy_in`].
    CopyIn(CopyIn),
}

/// The column behind those of a [`CopyIn`]: the number of each row's line, for errors.
pub const LINE_COLUMN: &str = "__line";

/// A statement planned far enough to describe it.
#[derive(Debug, Clone)]
pub struct Description {
    /// By position: `$1` first. Names do not matter; metadata may name the Postgres type, as for columns.
    pub parameters: Vec<FieldRef>,
    /// `None`: the statement returns no rows (NoData).
    pub columns: Option<SchemaRef>,
}

/// Names of objects, as text shows them.
pub trait ObjectNames: Send + Sync {
    /// The name of the object that a value of the type, such as `regclass`, means.
    fn name(&self, type_oid: u32, number: i64) -> String;
}

/// One per process.
pub trait Backend: Send + Sync + 'static {
    type Session: Session;

    /// Where the connections register.
    fn processes(&self) -> &Processes;

    /// Who is told what the connections do.
    fn observer(&self) -> &Arc<Observer>;

    /// `None` for an unknown role or one that may not log in; the wire then goes through the motions with a
    /// made-up verifier, so that all fail alike.
    fn role<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<LoginRole>>>;

    /// After authentication.
    fn connect<'a>(&'a self, login: Login) -> BoxFuture<'a, Result<Self::Session>>;
}

/// One per connection; statements come one at a time.
///
/// Every method that plans or executes is cancelled by dropping its future or its stream. The token of
/// `execute` is for work that outlives a future, such as a commit that must not stop half-way.
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

    /// Closes such a cursor, if there is one.
    fn close_cursor(&mut self, _name: &str) {}

    /// The prepared statements: what the protocol names, SQL can execute, and the other way round.
    fn statements(&self) -> Statements<Self::Prepared> {
        Statements::default()
    }

    /// Whether rows go out in binary though nobody has asked for it: those of a binary cursor.
    fn sends_binary(&self, _prepared: &Self::Prepared) -> bool {
        false
    }

    /// What gives objects their names: the values of `regclass` and its kin are numbers.
    fn object_names(&self) -> Option<Arc<dyn ObjectNames>> {
        None
    }

    /// How values are printed and read.
    fn text_style(&self) -> TextStyle;

    fn transaction_status(&self) -> TransactionStatus;

    /// `None`: no limit. Covers a statement from its arrival to its last row.
    fn statement_timeout(&self) -> Option<Duration>;

    /// How long the client may leave the connection waiting in the state it is in now; `None`: for ever.
    fn idle_timeout(&self) -> Option<Duration> {
        None
    }

    /// The client has not asked for anything for a while: memory that can be made again is given back.
    fn rest(&mut self) {}

    /// Splits and parses a query string. An empty string gives no statement.
    fn parse(&self, sql: &str) -> Result<Vec<Self::Statement>>;

    /// What a statement is counted as.
    fn identity(&self, _statement: &Self::Statement) -> Arc<Identity> {
        Arc::default()
    }

    /// The role whose statements they are.
    fn acting_role(&self) -> String {
        String::new()
    }

    /// How long a statement must take to be logged, and for which program; `None`: none is.
    fn log_as(&self) -> Option<LogAs> {
        None
    }

    /// The statement that is prepared or executed next is watched.
    fn watch(&mut self, _progress: &Arc<Progress>) {}

    /// Plans a statement. `parameters` are the types that the client declared, by position; `None` where it
    /// left them to the server.
    fn prepare<'a>(
        &'a mut self,
        statement: Self::Statement,
        parameters: &'a [Option<FieldRef>],
    ) -> BoxFuture<'a, Result<Arc<Self::Prepared>>>;

    fn describe(&self, prepared: &Self::Prepared) -> Description;

    fn execute<'a>(
        &'a mut self,
        prepared: &'a Arc<Self::Prepared>,
        parameters: Vec<ScalarValue>,
        cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Outcome>>;

    /// Writes the rows of the COPY that `execute` has begun, as they come; all of them, or none. Their columns are
    /// those of the [`CopyIn`] and [`LINE_COLUMN`]. The stream ends with an error unless the client has finished
    /// it. An error of one row tells the row's line. Returns the number of rows.
    fn copy_in<'a>(
        &'a mut self,
        prepared: &'a Arc<Self::Prepared>,
        rows: SendableRecordBatchStream,
    ) -> BoxFuture<'a, Result<u64>>;

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
    fn sync<'a>(&'a mut self) -> BoxFuture<'a, Result<()>>;
}
