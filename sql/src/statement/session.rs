//! Statements about the session itself.

use arrow::datatypes::SchemaRef;
use voxhouse_engine::{Error, Result};

use super::{cursor, explain, settings};
use crate::dialect::{Discarded, SessionStatement, Statement};
use crate::session::{Session, text_column};
use crate::wire::backend::Outcome;

/// The columns of the statement's rows; `None` for a statement without rows.
pub fn columns(session: &Session, statement: &SessionStatement) -> Result<Option<SchemaRef>> {
    Ok(match statement {
        SessionStatement::Show { name } => Some(settings::show_schema(session, name.as_deref())?),
        SessionStatement::Explain { .. } => Some(text_column("QUERY PLAN")),
        SessionStatement::Fetch { cursor, moves_only: false, .. } => Some(session.cursors.columns(cursor)?),
        _ => None,
    })
}

pub async fn run(session: &mut Session, statement: &Statement, own: &SessionStatement) -> Result<Outcome> {
    use SessionStatement as S;
    match own {
        S::Set { name, value, local } => settings::set(session, name, value, *local),
        S::Show { name } => settings::show(session, name.as_deref()),
        S::Reset { name } => settings::reset(session, name.as_deref()),
        S::Declare(declare) => cursor::declare(session, statement, declare).await,
        S::Fetch { cursor, direction, moves_only } => cursor::fetch(session, cursor, *direction, *moves_only),
        S::Close { cursor } => cursor::close(session, cursor.as_deref()),
        S::Prepare { .. } | S::Execute { .. } => Err(Error::not_supported("PREPARE is not supported")),
        S::Deallocate { .. } => Ok(Outcome::Done("DEALLOCATE ALL".into())),
        S::Discard(what) => discard(session, *what),
        S::Unlisten => Ok(Outcome::Done("UNLISTEN".into())),
        S::Explain { options, statement: explained } => {
            explain::run(session, statement, options, explained).await
        }
    }
}

fn discard(session: &mut Session, what: Discarded) -> Result<Outcome> {
    let tag = match what {
        Discarded::All => {
            session.settings.reset_all();
            session.cursors.close_all();
            "DISCARD ALL"
        }
        // Plans are made again when anything that they read has changed, and there are no sequences.
        Discarded::Plans => "DISCARD PLANS",
        Discarded::Sequences => "DISCARD SEQUENCES",
        Discarded::Temporary => "DISCARD TEMP",
    };
    Ok(Outcome::Done(tag.into()))
}
