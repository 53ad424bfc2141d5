//! Transactions, and what sqlparser reads of SET.

use datafusion::sql::sqlparser::ast::{self, Set};
use voxhouse_engine::{Error, Result};

use crate::dialect::{Statement, StatementKind};
use crate::session::Session;
use crate::wire::backend::{Outcome, TransactionStatus};

pub fn handles(sql: &ast::Statement) -> bool {
    use ast::Statement as S;
    matches!(
        sql,
        S::Set(_)
            | S::Reset(_)
            | S::StartTransaction { .. }
            | S::Commit { .. }
            | S::Rollback { .. }
            | S::Savepoint { .. }
            | S::ReleaseSavepoint { .. }
    )
}

/// Whether a statement is taken even in a failed transaction.
pub fn ends_transaction(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::Sql(sql)
        if matches!(sql.as_ref(), ast::Statement::Commit { .. } | ast::Statement::Rollback { .. }))
}

pub async fn run(session: &mut Session, statement: &Statement, sql: &ast::Statement) -> Result<Outcome> {
    use ast::Statement as S;
    match sql {
        S::Set(set) => self::set(session, set),
        // RESET ROLE; the rest is read as a statement of the session.
        S::Reset(_) => Ok(Outcome::Done("RESET".into())),
        S::StartTransaction { begin, .. } => {
            if session.transaction == TransactionStatus::Idle {
                session.transaction = TransactionStatus::InTransaction;
                session.before_block = Some(session.settings.begin());
            } else {
                session.warning("25001", "there is already a transaction in progress");
            }
            Ok(Outcome::Done(if *begin { "BEGIN" } else { "START TRANSACTION" }.into()))
        }
        S::Commit { .. } => Ok(end(session, "COMMIT")),
        S::Rollback { savepoint: None, .. } => Ok(end(session, "ROLLBACK")),
        // Nothing is written inside a block, so every savepoint stands for the same state.
        S::Savepoint { .. } => Ok(Outcome::Done("SAVEPOINT".into())),
        S::ReleaseSavepoint { .. } => Ok(Outcome::Done("RELEASE".into())),
        S::Rollback { savepoint: Some(_), .. } => {
            if session.transaction == TransactionStatus::Failed {
                session.transaction = TransactionStatus::InTransaction;
            }
            Ok(Outcome::Done("ROLLBACK".into()))
        }
        _ => Err(Error::internal(format!("not a session statement: {}", statement.text))),
    }
}

fn end(session: &mut Session, wanted: &str) -> Outcome {
    let was = std::mem::replace(&mut session.transaction, TransactionStatus::Idle);
    if was == TransactionStatus::Idle {
        session.warning("25P01", "there is no transaction in progress");
    }
    // A failed transaction can only be rolled back, whatever was asked.
    let tag = if was == TransactionStatus::Failed { "ROLLBACK" } else { wanted };
    session.cursors.end_transaction(tag == "COMMIT");
    if let Some(before) = session.before_block.take() {
        if tag == "ROLLBACK" {
            session.settings.restore(&before);
        }
        session.settings.end_transaction();
    }
    Outcome::Done(tag.to_owned())
}

fn set(session: &mut Session, set: &Set) -> Result<Outcome> {
    match set {
        Set::SetTransaction { session: false, .. } if session.transaction == TransactionStatus::Idle => {
            session.warning("25P01", "SET TRANSACTION can only be used in transaction blocks");
        }
        Set::SetTransaction { .. }
        | Set::SetSessionAuthorization(_)
        | Set::SetRole { role_name: None, .. } => {}
        other => return Err(Error::not_supported(format!("{other} is not supported"))),
    }
    Ok(Outcome::Done("SET".into()))
}
