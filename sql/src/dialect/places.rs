//! Where in its text a statement goes wrong, for errors that name what they mean but do not know where it stands:
//! psql points at it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    self, Expr, Ident, ObjectName, ObjectNamePart, TableFactor, Value, ValueWithSpan, Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Location;
use voxhouse_engine::{Error, ErrorKind};

use super::{Places, Statement, StatementKind};

/// Where the text of a statement begins in the query string.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub(super) location: Location,
    /// Characters before it.
    pub(super) characters: usize,
}

impl Default for Start {
    fn default() -> Self {
        Self { location: Location { line: 1, column: 1 }, characters: 0 }
    }
}

/// What an error says is wrong.
enum Culprit<'a> {
    /// The words of a name, folded.
    Column(Vec<&'a str>),
    Relation(Vec<&'a str>),
    Function(&'a str),
    Literal(&'a str),
}

impl<'a> Culprit<'a> {
    fn of(error: &'a Error) -> Option<Self> {
        let message = error.message();
        let named = |start: &str, end: &str| {
            let name = message.strip_prefix(start)?.strip_suffix(end)?;
            Some(name.trim_matches('"').split('.').collect::<Vec<_>>())
        };
        match error.kind() {
            ErrorKind::UndefinedColumn => named("column ", " does not exist").map(Culprit::Column),
            ErrorKind::AmbiguousColumn => named("column reference ", " is ambiguous").map(Culprit::Column),
            ErrorKind::UndefinedTable => named("relation ", " does not exist").map(Culprit::Relation),
            ErrorKind::UndefinedFunction => {
                let name = message.strip_prefix("function ")?.split(['(', ' ']).next()?;
                Some(Culprit::Function(name.rsplit('.').next().unwrap_or(name)))
            }
            ErrorKind::InvalidText | ErrorKind::InvalidDatetime => {
                let (_, text) = message.strip_prefix("invalid input syntax for type ")?.split_once(": \"")?;
                Some(Culprit::Literal(text.strip_suffix('"')?))
            }
            _ => None,
        }
    }
}

impl Visitor for Culprit<'_> {
    type Break = Location;

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Location> {
        match (&*self, expression) {
            (Culprit::Column(words), Expr::Identifier(name))
                if ends_with(std::slice::from_ref(name), words) =>
            {
                at(name)
            }
            (Culprit::Column(words), Expr::CompoundIdentifier(parts)) if ends_with(parts, words) => {
                parts.first().map_or(ControlFlow::Continue(()), at)
            }
            (Culprit::Function(name), Expr::Function(call)) => match last(&call.name) {
                Some(found) if folded(found) == **name => first(&call.name),
                _ => ControlFlow::Continue(()),
            },
            (
                Culprit::Literal(text),
                Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(found), span }),
            ) if found == text => ControlFlow::Break(span.start),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Location> {
        let parts: Vec<Ident> = relation.0.iter().filter_map(|part| part.as_ident().cloned()).collect();
        match self {
            Culprit::Relation(words) if ends_with(&parts, words) => first(relation),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Location> {
        match (&*self, factor) {
            (Culprit::Function(name), TableFactor::Table { name: called, args: Some(_), .. })
                if last(called).is_some_and(|found| folded(found) == *name) =>
            {
                first(called)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

fn folded(name: &Ident) -> String {
    crate::query::names::fold(name)
}

/// Whether a name as written is the one meant, which may bear a schema or a table that was not written.
fn ends_with(written: &[Ident], meant: &[&str]) -> bool {
    let count = written.len().min(meant.len());
    count > 0
        && written[written.len() - count..]
            .iter()
            .zip(&meant[meant.len() - count..])
            .all(|(written, meant)| folded(written) == **meant)
}

fn last(name: &ObjectName) -> Option<&Ident> {
    name.0.last().and_then(ObjectNamePart::as_ident)
}

fn first(name: &ObjectName) -> ControlFlow<Location> {
    name.0.first().and_then(ObjectNamePart::as_ident).map_or(ControlFlow::Continue(()), at)
}

/// Names that were made here have no place.
fn at(name: &Ident) -> ControlFlow<Location> {
    match name.span.start {
        Location { line: 0, .. } => ControlFlow::Continue(()),
        start => ControlFlow::Break(start),
    }
}

/// PostgreSQL points at a relation in a query and in a change of rows, not where one is altered or dropped.
fn reads_or_writes(sql: &ast::Statement) -> bool {
    use ast::Statement as S;
    matches!(
        sql,
        S::Query(_)
            | S::Insert(_)
            | S::Update(_)
            | S::Delete(_)
            | S::Merge(_)
            | S::CreateTable(_)
            | S::CreateView(_)
            | S::Explain { .. }
    )
}

impl Statement {
    /// The error, with the place of what it names.
    pub fn locate(&self, error: Error) -> Error {
        if error.position().is_some() {
            return error;
        }
        match self.culprit_place(&error) {
            Some(place) => error.with_position(place),
            None => error,
        }
    }

    fn culprit_place(&self, error: &Error) -> Option<usize> {
        let StatementKind::Sql(sql) = &self.kind else { return None };
        let sql: &ast::Statement = sql;
        let mut culprit = Culprit::of(error)?;
        if matches!(culprit, Culprit::Relation(_)) && !reads_or_writes(sql) {
            return None;
        }
        let ControlFlow::Break(location) = sql.visit(&mut culprit) else { return None };
        let Start { location: known, characters } = self.start;
        let mut places = Places { sql: &self.text, known, offset: 0, characters };
        places.byte_offset(location);
        Some(places.characters + 1)
    }
}
