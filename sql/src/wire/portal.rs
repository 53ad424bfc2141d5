//! Prepared statements and portals of one connection, by name.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::scalar::ScalarValue;
use tokio_util::sync::CancellationToken;
use voxhouse_engine::{Error, ErrorKind, Result};

use super::statement::Cursor;
use super::types::{Column, Format};

/// How many statements, and how many portals, one connection may hold: drivers keep some hundreds.
const MAX_NAMES: usize = 10_000;

/// A statement that Parse has planned.
pub(super) struct Prepared<P> {
    /// The beginning of its text, for those who look what runs.
    pub(super) query: Arc<str>,
    /// `None`: an empty query string.
    pub(super) plan: Option<Arc<P>>,
    /// What the plan wants.
    pub(super) parameters: Vec<DataType>,
    /// How the client sends it.
    pub(super) parameter_oids: Vec<u32>,
    /// `None`: no rows.
    pub(super) columns: Option<Arc<[Column]>>,
}

pub(super) struct Portal<P> {
    pub(super) prepared: Arc<Prepared<P>>,
    pub(super) parameters: Vec<ScalarValue>,
    /// As long as the columns.
    pub(super) formats: Arc<[Format]>,
    pub(super) cancel: CancellationToken,
    pub(super) state: State,
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
    statements: HashMap<String, Arc<Prepared<P>>>,
    portals: HashMap<String, Portal<P>>,
}

impl<P> Default for Names<P> {
    fn default() -> Self {
        Self { statements: HashMap::new(), portals: HashMap::new() }
    }
}

impl<P> Names<P> {
    pub(super) fn check_new_statement(&self, name: &str) -> Result<()> {
        if !name.is_empty() && self.statements.contains_key(name) {
            return Err(Error::new(
                ErrorKind::DuplicateStatement,
                format!("prepared statement \"{name}\" already exists"),
            ));
        }
        check_room(self.statements.len(), "prepared statements")
    }

    pub(super) fn check_new_portal(&self, name: &str) -> Result<()> {
        if !name.is_empty() && self.portals.contains_key(name) {
            return Err(Error::new(ErrorKind::DuplicatePortal, format!("cursor \"{name}\" already exists")));
        }
        check_room(self.portals.len(), "portals")
    }

    pub(super) fn put_statement(&mut self, name: String, prepared: Prepared<P>) {
        self.statements.insert(name, Arc::new(prepared));
    }

    pub(super) fn put_portal(&mut self, name: String, portal: Portal<P>) {
        self.portals.insert(name, portal);
    }

    pub(super) fn statement(&self, name: &str) -> Result<&Arc<Prepared<P>>> {
        self.statements.get(name).ok_or_else(|| {
            let message = if name.is_empty() {
                "unnamed prepared statement does not exist".to_owned()
            } else {
                format!("prepared statement \"{name}\" does not exist")
            };
            Error::new(ErrorKind::UndefinedStatement, message)
        })
    }

    pub(super) fn portal(&mut self, name: &str) -> Result<&mut Portal<P>> {
        self.portals.get_mut(name).ok_or_else(|| {
            Error::new(ErrorKind::UndefinedPortal, format!("portal \"{name}\" does not exist"))
        })
    }

    pub(super) fn close_statement(&mut self, name: &str) {
        self.statements.remove(name);
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
