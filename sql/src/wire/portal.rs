//! Prepared statements and portals of one connection, by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arrow::datatypes::FieldRef;
use datafusion::scalar::ScalarValue;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::backend::Description;
use super::statement::Cursor;
use super::types::{self, Column, Format, PgType};
use crate::dialect::Identity;
use crate::observe::watch::Watch;
use crate::pg_catalog::PreparedStatementRow;

/// How many statements, and how many portals, one connection may hold: drivers keep some hundreds.
const MAX_NAMES: usize = 10_000;

/// A statement that Parse or PREPARE has planned.
pub struct Prepared<P> {
    /// As `pg_prepared_statements` shows it.
    pub(super) text: String,
    pub(super) from_sql: bool,
    /// What its executions are counted as.
    pub(super) identity: Arc<Identity>,
    /// Nanoseconds that preparing it took, until an execution takes them over.
    pub(super) planning: AtomicU64,
    /// Microseconds since 1970.
    pub(super) prepared_at: i64,
    /// `None`: an empty query string.
    pub(super) plan: Option<Arc<P>>,
    /// What the plan wants.
    pub(super) parameters: Vec<FieldRef>,
    /// How the client sends it.
    pub(super) parameter_oids: Vec<u32>,
    /// `None`: no rows.
    pub(super) columns: Option<Arc<[Column]>>,
}

impl<P> Prepared<P> {
    /// An empty query string.
    pub(super) fn empty() -> Self {
        Self {
            text: String::new(),
            from_sql: false,
            identity: Arc::default(),
            planning: AtomicU64::new(0),
            prepared_at: chrono::Utc::now().timestamp_micros(),
            plan: None,
            parameters: Vec::new(),
            parameter_oids: Vec::new(),
            columns: None,
        }
    }

    /// A plan and its description. A parameter keeps the type that the client has declared for it.
    pub(super) fn new(plan: Arc<P>, description: Description, oids: &[u32]) -> Result<Self> {
        let parameter_oids = description.parameters.iter().enumerate().map(|(index, field)| {
            let declared = oids.get(index).filter(|&&oid| types::from_oid(oid).is_some());
            declared.copied().unwrap_or_else(|| PgType::of_parameter(field).oid)
        });
        Ok(Self {
            parameter_oids: parameter_oids.collect(),
            columns: description.columns.map(|schema| types::columns(&schema)).transpose()?.map(Arc::from),
            parameters: description.parameters,
            plan: Some(plan),
            ..Self::empty()
        })
    }

    /// A statement that PREPARE has planned.
    pub fn of_sql(
        plan: Arc<P>,
        description: Description,
        text: &str,
        identity: Arc<Identity>,
    ) -> Result<Self> {
        let prepared = Self::new(plan, description, &[])?;
        Ok(Self { text: text.to_owned(), from_sql: true, identity, ..prepared })
    }

    pub(super) fn set_planning(&self, planning: Duration) {
        self.planning.store(u64::try_from(planning.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What preparing it took; for one execution only.
    pub(super) fn take_planning(&self) -> Duration {
        Duration::from_nanos(self.planning.swap(0, Relaxed))
    }

    /// `None`: an empty query string.
    pub fn plan(&self) -> Option<&Arc<P>> {
        self.plan.as_ref()
    }
}

/// The prepared statements of one session, whether PREPARE or the protocol has made them: one name space. A clone
/// is another handle on the same ones.
pub struct Statements<P>(Arc<Mutex<HashMap<String, Arc<Prepared<P>>>>>);

impl<P> Clone for Statements<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> Default for Statements<P> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<P> Statements<P> {
    /// # Errors
    /// Duplicate statement, if the name is taken. The unnamed statement is replaced in silence.
    pub fn check_new(&self, name: &str) -> Result<()> {
        let statements = self.0.lock();
        if !name.is_empty() && statements.contains_key(name) {
            return Err(Error::new(
                ErrorKind::DuplicateStatement,
                format!("prepared statement \"{name}\" already exists"),
            ));
        }
        check_room(statements.len(), "prepared statements")
    }

    pub fn put(&self, name: &str, prepared: Prepared<P>) {
        self.0.lock().insert(name.to_owned(), Arc::new(prepared));
    }

    /// # Errors
    /// Undefined statement.
    pub fn get(&self, name: &str) -> Result<Arc<Prepared<P>>> {
        self.0.lock().get(name).cloned().ok_or_else(|| {
            let message = if name.is_empty() {
                "unnamed prepared statement does not exist".to_owned()
            } else {
                format!("prepared statement \"{name}\" does not exist")
            };
            Error::new(ErrorKind::UndefinedStatement, message)
        })
    }

    pub fn remove(&self, name: &str) {
        self.0.lock().remove(name);
    }

    /// All that have a name.
    pub fn remove_all(&self) {
        self.0.lock().retain(|name, _| name.is_empty());
    }

    /// Those that have a name, as `pg_prepared_statements` lists them.
    pub fn rows(&self) -> Vec<PreparedStatementRow> {
        let statements = self.0.lock();
        let named = statements.iter().filter(|(name, _)| !name.is_empty());
        let mut rows: Vec<PreparedStatementRow> = named
            .map(|(name, prepared)| PreparedStatementRow {
                name: name.clone(),
                statement: prepared.text.clone(),
                prepared_at: prepared.prepared_at,
                parameter_types: prepared.parameter_oids.iter().map(|&oid| type_name(oid)).collect(),
                from_sql: prepared.from_sql,
            })
            .collect();
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        rows
    }
}

fn type_name(oid: u32) -> String {
    let array = if types::array_element(oid).is_some() { "[]" } else { "" };
    format!("{}{array}", types::sql_name(oid))
}

pub(super) struct Portal<P> {
    pub(super) prepared: Arc<Prepared<P>>,
    pub(super) parameters: Vec<ScalarValue>,
    /// As long as the columns.
    pub(super) formats: Arc<[Format]>,
    pub(super) cancel: CancellationToken,
    pub(super) state: State,
    /// Its execution, while there are rows left to fetch.
    pub(super) watch: Option<Watch>,
}

pub(super) enum State {
    /// Bound, not executed.
    Ready,
    /// Rows left to fetch.
    Open(Box<Cursor>),
    /// All rows fetched; fetching again gives none. Holds the verb of the tag.
    Exhausted(&'static str),
    /// A statement without rows has run, or an execution has failed: it must not run again.
    Finished,
}

/// Names to statements and portals; the empty name is replaced in silence.
pub(super) struct Names<P> {
    pub(super) statements: Statements<P>,
    portals: HashMap<String, Portal<P>>,
}

impl<P> Names<P> {
    pub(super) fn new(statements: Statements<P>) -> Self {
        Self { statements, portals: HashMap::new() }
    }

    pub(super) fn check_new_portal(&self, name: &str) -> Result<()> {
        if !name.is_empty() && self.portals.contains_key(name) {
            return Err(Error::new(ErrorKind::DuplicatePortal, format!("cursor \"{name}\" already exists")));
        }
        check_room(self.portals.len(), "portals")
    }

    pub(super) fn put_portal(&mut self, name: String, portal: Portal<P>) {
        self.portals.insert(name, portal);
    }

    pub(super) fn portal(&mut self, name: &str) -> Result<&mut Portal<P>> {
        self.portals.get_mut(name).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedPortal, format!("portal \"{name}\" does not exist"))
        })
    }

    pub(super) fn close_portal(&mut self, name: &str) {
        self.portals.remove(name);
    }

    pub(super) fn close_portals(&mut self) {
        self.portals.clear();
    }
}

fn check_room(held: usize, what: &str) -> Result<()> {
    if held < MAX_NAMES {
        return Ok(());
    }
    Err(Error::new(ErrorKind::LimitExceeded, format!("too many {what}"))
        .with_detail(format!("A connection holds at most {MAX_NAMES}."))
        .with_hint("Close those that are not needed any more."))
}

/// No code: all text; one: for all; otherwise one for each of `count`.
pub(super) fn formats(codes: &[i16], count: usize, what: &str) -> Result<Vec<Format>> {
    let format = |code: i16| match code {
        0 => Ok(Format::Text),
        1 => Ok(Format::Binary),
        other => Err(Error::invalid_argument(format!("unsupported format code: {other}"))),
    };
    match codes {
        [] => Ok(vec![Format::Text; count]),
        [code] => Ok(vec![format(*code)?; count]),
        codes if codes.len() == count => codes.iter().map(|&code| format(code)).collect(),
        codes => Err(Error::new(
            ErrorKind::ProtocolViolation,
            format!("bind message has {} {what} formats but {count} {what}s", codes.len()),
        )),
    }
}
