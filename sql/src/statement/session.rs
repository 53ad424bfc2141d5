//! Statements about the session itself.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::scalar::ScalarValue;
use voxhouse_engine::{Error, Result};

use super::describe::ParameterTypes;
use super::{cursor, explain, prepared, settings};
use crate::dialect::{Discarded, SessionStatement, Statement};
use crate::session::{Prepared, Session, text_column};
use crate::wire::backend::Outcome;

/// The parameters of a statement, and the columns of its rows; `None` for a statement without rows.
pub async fn describe(
    session: &Session,
    statement: &Statement,
    own: &SessionStatement,
    declared: &[Option<FieldRef>],
) -> Result<(Vec<FieldRef>, Option<SchemaRef>)> {
    Ok(match own {
        SessionStatement::Show { name } => {
            (Vec::new(), Some(settings::show_schema(session, name.as_deref())?))
        }
        SessionStatement::Fetch { cursor, moves_only: false, .. } => {
            (Vec::new(), Some(session.cursors.columns(cursor)?))
        }
        SessionStatement::Execute { name, arguments } => {
            let prepared = prepared::named(session, name)?;
            let mut types = ParameterTypes::declared(declared);
            for (argument, field) in arguments.iter().zip(&prepared.parameters) {
                types.note_expression(argument, field);
            }
            (types.finish(), prepared.columns.clone())
        }
        SessionStatement::Declare(declare) => {
            (cursor::parameters(session, statement, declare, declared).await?, None)
        }
        SessionStatement::Explain { statement: explained, .. } => {
            let parameters = explain::parameters(session, statement, explained, declared).await?;
            (parameters, Some(text_column("QUERY PLAN")))
        }
        _ => (Vec::new(), None),
    })
}

pub async fn run(
    session: &mut Session,
    prepared: &Arc<Prepared>,
    own: &SessionStatement,
    parameters: Vec<ScalarValue>,
) -> Result<Outcome> {
    use SessionStatement as S;
    let statement = &prepared.statement;
    match own {
        S::Set { name, value, local } => settings::set(session, name, value, *local),
        S::Show { name } => settings::show(session, name.as_deref()),
        S::Reset { name } => settings::reset(session, name.as_deref()),
        S::Declare(declare) => cursor::declare(session, statement, declare, parameters).await,
        S::Fetch { cursor, direction, moves_only } => {
            cursor::fetch(session, cursor, *direction, *moves_only).await
        }
        S::Close { cursor } => cursor::close(session, cursor.as_deref()),
        S::Prepare { name, types, statement: inner } => {
            prepared::prepare(session, statement, name, types, inner).await
        }
        S::Execute { name, arguments } => {
            let now = prepared::named(session, name)?;
            if now.columns != prepared.columns {
                return Err(Error::not_supported("cached plan must not change result type"));
            }
            prepared::execute(session, name, arguments, &parameters).await
        }
        S::Deallocate { name } => prepared::deallocate(session, name.as_deref()),
        S::Discard(what) => discard(session, statement, *what).await,
        S::Unlisten => Ok(Outcome::Done("UNLISTEN".into())),
        S::Explain { options, statement: explained } => {
            explain::run(session, statement, options, explained, parameters).await
        }
    }
}

async fn discard(session: &mut Session, statement: &Statement, what: Discarded) -> Result<Outcome> {
    let tag = match what {
        Discarded::All => {
            session.require_no_block("DISCARD ALL")?;
            session.cursors.close_all();
            session.become_login_role();
            session.settings.reset_all();
            session.statements.remove_all();
            "DISCARD ALL"
        }
        // Plans are made again when anything that they read has changed, and there are no sequences.
        Discarded::Plans => "DISCARD PLANS",
        Discarded::Sequences => "DISCARD SEQUENCES",
        Discarded::Temporary => "DISCARD TEMP",
    };
    if matches!(what, Discarded::All | Discarded::Temporary) {
        let author = session.author(statement);
        session.drop_temporary(&author).await?;
    }
    Ok(Outcome::Done(tag.into()))
}
