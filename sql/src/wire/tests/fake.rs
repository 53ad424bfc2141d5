//! A backend whose statements are commands to misbehave in a chosen way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_empty_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use chrono_tz::Tz;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::scalar::ScalarValue;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind, Result};

use crate::observe::Observer;
use crate::processes::Processes;
use crate::wire::backend::*;
use crate::wire::copy::{Charset, CopyFormat, CopyIn, Header, TextFormat};
use crate::wire::scram::DEFAULT_ITERATIONS;
use crate::wire::style::TextStyle;
use crate::wire::types::{PG_TYPE, PgType, from_oid};

pub(super) const BATCH_ROWS: usize = 3;

/// What the tests look at from outside.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) executed: AtomicUsize,
    pub(super) batches: AtomicUsize,
    pub(super) dropped: AtomicUsize,
    pub(super) failed: AtomicUsize,
    /// Rows of COPY FROM that came to a good end.
    pub(super) copied: AtomicUsize,
    pub(super) synced: AtomicUsize,
    pub(super) rested: AtomicUsize,
    pub(super) company: parking_lot::Mutex<Vec<bool>>,
    pub(super) open_sessions: AtomicUsize,
}

impl Seen {
    pub(super) fn get(&self, what: impl Fn(&Self) -> &AtomicUsize) -> usize {
        what(self).load(Ordering::SeqCst)
    }
}

pub(super) struct Fake {
    pub(super) seen: Arc<Seen>,
    pub(super) processes: Processes,
    pub(super) observer: Arc<Observer>,
    pub(super) roles: HashMap<String, LoginRole>,
    pub(super) results: HashMap<String, RecordBatch>,
}

impl Fake {
    pub(super) fn new() -> Self {
        let verifier = ScramVerifier::from_password("secret", DEFAULT_ITERATIONS, &mut rand::rng());
        let role = |verifier| LoginRole { verifier, superuser: false, connection_limit: None };
        let roles = [("analyst".to_owned(), role(Some(verifier))), ("machine".to_owned(), role(None))];
        Self {
            seen: Arc::default(),
            processes: Processes::default(),
            observer: Arc::default(),
            roles: roles.into(),
            results: HashMap::new(),
        }
    }
}

impl Backend for Fake {
    type Session = FakeSession;

    fn processes(&self) -> &Processes {
        &self.processes
    }

    fn observer(&self) -> &Arc<Observer> {
        &self.observer
    }

    fn role<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<LoginRole>>> {
        Box::pin(async move { Ok(self.roles.get(name).cloned()) })
    }

    fn connect<'a>(&'a self, login: Login) -> BoxFuture<'a, Result<FakeSession>> {
        Box::pin(async move {
            if login.database == "missing" {
                return Err(Error::new(ErrorKind::UndefinedObject, "database \"missing\" does not exist"));
            }
            self.seen.open_sessions.fetch_add(1, Ordering::SeqCst);
            Ok(FakeSession {
                login,
                seen: Arc::clone(&self.seen),
                results: self.results.clone(),
                status: TransactionStatus::Idle,
                timeout: None,
                idle_timeouts: [None; 2],
                changes: Vec::new(),
                notices: Vec::new(),
            })
        })
    }
}

pub(super) struct FakeSession {
    login: Login,
    seen: Arc<Seen>,
    results: HashMap<String, RecordBatch>,
    status: TransactionStatus,
    timeout: Option<Duration>,
    /// Outside of a transaction, and inside.
    idle_timeouts: [Option<Duration>; 2],
    changes: Vec<(String, String)>,
    notices: Vec<Notice>,
}

impl Drop for FakeSession {
    fn drop(&mut self) {
        self.seen.open_sessions.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A command and its description.
pub(super) struct Plan {
    words: Vec<String>,
    description: Description,
}

/// Counts its own end.
struct Dropped(Arc<Seen>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

fn numbers() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]))
}

fn wide() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("filler", DataType::Utf8, false)]))
}

fn wide_batch() -> RecordBatch {
    let filler: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(10_000); BATCH_ROWS]));
    RecordBatch::try_new(wide(), vec![filler]).unwrap()
}

fn unsupported() -> RecordBatch {
    let ends = Arc::new(Field::new("run_ends", DataType::Int32, false));
    let values = Arc::new(Field::new("values", DataType::Utf8, true));
    RecordBatch::try_from_iter([("odd", new_empty_array(&DataType::RunEndEncoded(ends, values)))]).unwrap()
}

/// The parameters of `echo int4 text …` by Postgres name.
fn echo_schema(names: &[String], declared: &[Option<FieldRef>]) -> Result<Schema> {
    let fields = names.iter().enumerate().map(|(index, name)| {
        let pg = PgType::from_name(name).ok_or_else(|| Error::syntax("no such type"))?;
        let declared = declared.get(index).and_then(|field| Some(field.as_ref()?.data_type().clone()));
        let data_type = declared.or(from_oid(pg.oid)).unwrap_or(DataType::Utf8);
        let metadata = [(PG_TYPE.to_owned(), name.clone())].into();
        Ok(Field::new(format!("c{index}"), data_type, true).with_metadata(metadata))
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>>>()?))
}

impl Session for FakeSession {
    type Statement = String;
    type Prepared = Plan;

    fn parameter_status(&self) -> Vec<(String, String)> {
        vec![
            ("server_version".into(), "16.9".into()),
            ("session_authorization".into(), self.login.role.clone()),
        ]
    }

    fn take_parameter_changes(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.changes)
    }

    fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn text_style(&self) -> TextStyle {
        Tz::UTC.into()
    }

    fn transaction_status(&self) -> TransactionStatus {
        self.status
    }

    fn statement_timeout(&self) -> Option<Duration> {
        self.timeout
    }

    fn idle_timeout(&self) -> Option<Duration> {
        self.idle_timeouts[usize::from(self.status != TransactionStatus::Idle)]
    }

    fn rest(&mut self) {
        self.seen.rested.fetch_add(1, Ordering::SeqCst);
    }

    fn parse(&self, sql: &str) -> Result<Vec<String>> {
        if sql.contains('§') {
            return Err(Error::syntax("syntax error at or near \"§\"").with_position(1).with_hint("Do not."));
        }
        Ok(sql.split(';').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect())
    }

    fn prepare<'a>(
        &'a mut self,
        statement: String,
        parameters: &'a [Option<FieldRef>],
    ) -> BoxFuture<'a, Result<Arc<Plan>>> {
        Box::pin(async move {
            let words: Vec<String> = statement.split_whitespace().map(str::to_owned).collect();
            let mut wanted = Vec::new();
            let columns = match words[0].as_str() {
                "rows" | "stall" | "broken" => Some(numbers()),
                "endless" => Some(wide()),
                "select" => Some(self.results[&words[1]].schema()),
                "unsupported" => Some(unsupported().schema()),
                "pid" => Some(numbers()),
                "echo" => {
                    let schema = echo_schema(&words[1..], parameters)?;
                    wanted = schema.fields().iter().cloned().collect();
                    Some(Arc::new(schema))
                }
                "slow-plan" => {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    None
                }
                _ => None,
            };
            Ok(Arc::new(Plan { words, description: Description { parameters: wanted, columns } }))
        })
    }

    fn describe(&self, plan: &Plan) -> Description {
        plan.description.clone()
    }

    fn execute<'a>(
        &'a mut self,
        plan: &'a Arc<Plan>,
        parameters: Vec<ScalarValue>,
        _cancel: CancellationToken,
    ) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            self.seen.executed.fetch_add(1, Ordering::SeqCst);
            let argument = plan.words.get(1).cloned().unwrap_or_default();
            let tag = match plan.words[0].as_str() {
                "nothing" => return Ok(Outcome::Empty),
                "insert" => "INSERT 0 1".to_owned(),
                "begin" | "START" => {
                    self.status = TransactionStatus::InTransaction;
                    "BEGIN".to_owned()
                }
                "commit" | "ROLLBACK" => {
                    self.status = TransactionStatus::Idle;
                    "COMMIT".to_owned()
                }
                "timeout" => {
                    self.timeout = argument.parse().ok().map(Duration::from_millis);
                    "SET".to_owned()
                }
                "idle" | "idle-in-transaction" => {
                    let place = usize::from(plan.words[0] != "idle");
                    self.idle_timeouts[place] = argument.parse().ok().map(Duration::from_millis);
                    "SET".to_owned()
                }
                "set" => {
                    self.changes.push(("application_name".into(), argument));
                    self.notices.push(Notice {
                        severity: "NOTICE",
                        sqlstate: "00000",
                        message: "noted".into(),
                    });
                    "SET".to_owned()
                }
                "copy-in" => {
                    let format = copy_text();
                    return Ok(Outcome::CopyIn(CopyIn { relation: "t".into(), format, columns: numbers() }));
                }
                "copy-out" => {
                    let Outcome::Rows { rows, .. } = self.rows(plan, parameters)? else {
                        return Err(Error::internal("no rows"));
                    };
                    return Ok(Outcome::CopyOut { columns: rows.schema(), rows, format: copy_text() });
                }
                "fail" => return Err(Error::new(ErrorKind::UndefinedTable, "relation \"t\" does not exist")),
                "panic" => panic!("as ordered"),
                "hang" => {
                    let _dropped = Dropped(Arc::clone(&self.seen));
                    std::future::pending().await
                }
                _ => return self.rows(plan, parameters),
            };
            Ok(Outcome::Done(tag))
        })
    }

    fn copy_in<'a>(
        &'a mut self,
        plan: &'a Arc<Plan>,
        mut rows: SendableRecordBatchStream,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let argument = plan.words.get(1).map(String::as_str).unwrap_or_default();
            let mut count = 0;
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                count += batch.num_rows() as u64;
                match argument {
                    "slow" => std::future::pending().await,
                    "picky" => return Err(Error::new(ErrorKind::CheckViolation, "not this row").with_row(1)),
                    _ => {}
                }
            }
            self.seen.copied.fetch_add(count as usize, Ordering::SeqCst);
            Ok(count)
        })
    }

    fn statement_failed(&mut self) {
        self.seen.failed.fetch_add(1, Ordering::SeqCst);
        if self.status == TransactionStatus::InTransaction {
            self.status = TransactionStatus::Failed;
        }
    }

    fn set_company(&mut self, in_company: bool) {
        self.seen.company.lock().push(in_company);
    }

    fn sync<'a>(&'a mut self) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.seen.synced.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

impl FakeSession {
    fn rows(&self, plan: &Plan, parameters: Vec<ScalarValue>) -> Result<Outcome> {
        let schema = plan.description.columns.clone().unwrap_or_else(numbers);
        let batches: stream::BoxStream<'static, datafusion::error::Result<RecordBatch>> = match plan.words[0]
            .as_str()
        {
            "rows" | "copy-out" => {
                let count: i64 = plan.words[1].parse().unwrap();
                let all: Vec<i64> = (1..=count).collect();
                let batches: Vec<_> = all.chunks(BATCH_ROWS).map(|chunk| Ok(number_batch(chunk))).collect();
                stream::iter(batches).boxed()
            }
            "pid" => stream::iter([Ok(number_batch(&[self.login.process_id.into()]))]).boxed(),
            "stall" => stream::iter([Ok(number_batch(&[1]))]).chain(stream::pending()).boxed(),
            "broken" => {
                let error = Error::new(ErrorKind::DivisionByZero, "division by zero");
                stream::iter([Ok(number_batch(&[1])), Err(error.into())]).boxed()
            }
            "endless" => {
                let seen = Arc::clone(&self.seen);
                let produce = move || {
                    seen.batches.fetch_add(1, Ordering::SeqCst);
                    Ok(wide_batch())
                };
                stream::repeat_with(produce).boxed()
            }
            "select" => stream::iter([Ok(self.results[&plan.words[1]].clone())]).boxed(),
            "unsupported" => stream::iter([Ok(unsupported())]).boxed(),
            "echo" => {
                let columns = parameters.iter().map(|value| value.to_array()).collect::<Result<_, _>>()?;
                stream::iter([Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)]).boxed()
            }
            other => return Err(Error::syntax(format!("syntax error at or near \"{other}\""))),
        };
        let dropped = Dropped(Arc::clone(&self.seen));
        let batches = batches.inspect(move |_| {
            let _alive = &dropped;
        });
        let rows: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(schema, batches));
        Ok(Outcome::Rows { verb: "SELECT", rows })
    }
}

fn copy_text() -> CopyFormat {
    CopyFormat::Text(TextFormat {
        delimiter: b'\t',
        null: "\\N".into(),
        header: Header::None,
        csv: None,
        charset: Charset::Utf8,
    })
}

fn number_batch(values: &[i64]) -> RecordBatch {
    RecordBatch::try_new(numbers(), vec![Arc::new(Int64Array::from(values.to_vec()))]).unwrap()
}
